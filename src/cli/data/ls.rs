//! `flowlab data ls`: tables and tickers, with their sessions, rows, sizes and sources.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::super::universe;
use super::{Session, Status, known, store};
use crate::report::{Cell, Column, Table};
use crate::store::{ProbedFile, Store, Table as StoreTable};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these tickers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let store = store(session)?;
    let wanted = universe::named_tickers(&args.tickers)?;
    let known = known(&store, &StoreTable::ALL)?;
    if let Some(ticker) = wanted.iter().find(|ticker| !known.contains(ticker)) {
        let message = format!("{}: nothing for ticker {ticker}", store.name());
        return Err(universe::unknown(message, ticker, &known).into());
    }
    let mut listing = listing_table(&store);
    for table in StoreTable::ALL {
        for ticker in store.tickers(table)? {
            if wanted.is_empty() || wanted.contains(&ticker) {
                listing.push(row(table, &ticker, &store.probe(table, &ticker)?));
            }
        }
    }
    session.print_tables(&[listing])
}

fn listing_table(store: &Store) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::text("ticker", "ticker"),
        Column::text("first", "first"),
        Column::text("last", "last"),
        Column::number("sessions", "sessions"),
        Column::number("missing", "missing"),
        Column::number("rows", "rows"),
        Column::number("bytes", "bytes").room_allowing(),
        Column::number("min_notional", "floor $"),
        Column::text("source", "source"),
    ];
    // Without a name of its own, which in CSV would take the place of the column.
    Table::new(columns.to_vec()).titled(format!("Data in {}", store.name()))
}

fn row(table: StoreTable, ticker: &str, files: &[ProbedFile]) -> Vec<Cell> {
    let sessions: BTreeSet<NaiveDate> = files
        .iter()
        .flat_map(|file| file.footer.sessions.iter().copied())
        .collect();
    let sources: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| file.footer.source.split(','))
        .collect();
    let floor = files
        .iter()
        .filter_map(|file| file.footer.min_notional)
        .reduce(f64::max);
    let date = |date: Option<&NaiveDate>| {
        date.map_or_else(Cell::blank, |date| Cell::text(date.to_string()))
    };
    vec![
        Cell::text(table.name()),
        Cell::text(ticker),
        date(sessions.first()),
        date(sessions.last()),
        Cell::count(sessions.len() as u64),
        missing(table, &sessions).map_or_else(Cell::blank, Cell::count),
        Cell::count(files.iter().map(|file| file.footer.rows).sum()),
        Cell::count(files.iter().map(|file| file.bytes).sum()),
        floor.map_or_else(Cell::blank, |floor| Cell::float(Some(floor), 0)),
        Cell::text(sources.into_iter().collect::<Vec<_>>().join(", ")),
    ]
}

/// Sessions between the first and the last that are not there. A split is an event, not a series.
fn missing(table: StoreTable, sessions: &BTreeSet<NaiveDate>) -> Option<u64> {
    if table == StoreTable::Splits {
        return None;
    }
    let calendar = Calendar::shipped();
    let expected = calendar.between(*sessions.first()?, *sessions.last()?);
    Some(
        expected
            .iter()
            .filter(|session| !sessions.contains(&session.date))
            .count() as u64,
    )
}
