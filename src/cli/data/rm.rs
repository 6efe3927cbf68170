//! `flowlab data rm`: sessions, tables or tickers out of the cache, shown first and removed on `--yes`.

use super::super::failure::Failure;
use super::{Period, Session, Status, cache, chosen, counted, print_or_say};
use crate::report::{Cell, Column, Table};
use crate::store::{Removal, Table as StoreTable};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
#[command(after_help = "Without --yes it shows what would be removed, and removes nothing.")]
pub struct Args {
    /// Only of these tickers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    /// Only of these tables, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "TABLE")]
    table: Vec<StoreTable>,
    #[command(flatten)]
    period: Period,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let Period { start, end } = args.period.check(&Calendar::shipped())?;
    let is_everything =
        args.tickers.is_empty() && args.table.is_empty() && start.is_none() && end.is_none();
    if is_everything {
        return Err(Failure::usage("that would remove everything")
            .hint("name --tickers, --table, --start or --end; or delete the folder yourself")
            .into());
    }
    let store = cache(session)?;
    // Looked at and removed in one go: nobody else writes in between.
    let _lock = args.yes.then(|| store.lock()).transpose()?;
    let mut tables = StoreTable::ALL.to_vec();
    tables.retain(|table| args.table.is_empty() || args.table.contains(table));
    let tickers = chosen(&store, &tables, &args.tickers)?;
    let mut removals: Vec<(StoreTable, &String, Removal)> = Vec::new();
    for table in tables {
        for ticker in &tickers {
            let found = store.removals(table, ticker, start, end)?;
            removals.extend(found.into_iter().map(|removal| (table, ticker, removal)));
        }
    }
    if args.yes {
        for (table, _, removal) in &removals {
            store.remove(*table, removal)?;
        }
    }
    let title = match args.yes {
        true => format!("Removed from {}", store.name()),
        false => format!("To be removed from {}", store.name()),
    };
    let is_nothing = removals.is_empty();
    let nothing = format!("Nothing to remove from {}.", store.name());
    print_or_say(session, table(&removals).titled(title), &nothing)?;
    if !args.yes && !is_nothing {
        session.say(&format!(
            "nothing was removed; the same command with --yes changes {}",
            counted(removals.len(), "file")
        ));
    }
    Ok(Status::Fine)
}

fn table(removals: &[(StoreTable, &String, Removal)]) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::text("ticker", "ticker"),
        Column::text("file", "file"),
        Column::text("first", "first"),
        Column::text("last", "last"),
        Column::number("sessions", "sessions"),
        Column::text("whole_file", "whole file"),
        Column::number("bytes", "bytes"),
    ];
    let mut table = Table::new(columns.to_vec());
    for (kind, ticker, removal) in removals {
        let date = |date: Option<&chrono::NaiveDate>| {
            date.map_or_else(Cell::blank, |date| Cell::text(date.to_string()))
        };
        table.push(vec![
            Cell::text(kind.name()),
            Cell::text(ticker.as_str()),
            Cell::text(removal.path.display().to_string()),
            date(removal.sessions.first()),
            date(removal.sessions.last()),
            Cell::count(removal.sessions.len() as u64),
            Cell::Bool(removal.is_whole_file),
            Cell::count(removal.bytes),
        ]);
    }
    table
}
