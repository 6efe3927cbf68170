//! `flowlab data gaps`: which sessions are missing, as ranges, by table and ticker.
//!
//! A series is expected from its first session to its last, or over the period that was asked for.
//! Minute bars are expected for every session with flow as well, and so are those of SPY or QQQ, which
//! the market's regime is read from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rayon::prelude::*;

use super::{Period, Session, Status, chosen, print_or_say, store};
use crate::report::{Cell, Column, Table};
use crate::store::{Store, StoreError, Table as StoreTable};
use crate::time::Calendar;

const PROXIES: [&str; 2] = ["SPY", "QQQ"];

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing is missing, 3 sessions are missing.")]
pub struct Args {
    /// Only these tickers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    #[command(flatten)]
    period: Period,
    /// What to look at, separated by commas; what is named here and not there at all is missing from
    /// --start to --end [default: all that is there]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    what: Vec<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Flow,
    /// Minute bars and daily bars
    Bars,
    /// Open interest
    Oi,
}

impl What {
    const fn of(table: StoreTable) -> Option<What> {
        match table {
            StoreTable::Flow => Some(What::Flow),
            StoreTable::Bars1m | StoreTable::Bars1d => Some(What::Bars),
            StoreTable::OpenInterest => Some(What::Oi),
            // A split is an event, not a series.
            StoreTable::Splits => None,
        }
    }
}

/// The sessions of every table and ticker.
type Held = BTreeMap<(StoreTable, String), BTreeSet<NaiveDate>>;

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let calendar = Calendar::shipped();
    let period = args.period.check(&calendar)?;
    let store = store(session)?;
    let tickers = chosen(&store, &StoreTable::ALL, &args.tickers)?;
    let held = held(&store, &tickers)?;
    let none = BTreeSet::new();
    let of =
        |table: StoreTable, ticker: &str| held.get(&(table, ticker.to_owned())).unwrap_or(&none);
    let is_wanted = |what: What| args.what.is_empty() || args.what.contains(&what);
    let mut table = gaps_table(&store);
    for kind in StoreTable::ALL {
        let Some(what) = What::of(kind).filter(|what| is_wanted(*what)) else {
            continue;
        };
        for ticker in &tickers {
            let has = of(kind, ticker);
            let mut expected_by: Vec<&BTreeSet<NaiveDate>> = vec![has];
            if kind == StoreTable::Bars1m {
                expected_by.push(of(StoreTable::Flow, ticker));
            }
            let is_asked_for = args.what.contains(&what);
            let Some((first, last)) = span(&expected_by, period, is_asked_for) else {
                if is_asked_for {
                    session.say(&format!(
                        "nothing in {} of {ticker}; --start and --end say what to expect",
                        kind.name()
                    ));
                }
                continue;
            };
            let expected = calendar.between(first, last).iter().map(|s| s.date);
            let missing = expected.filter(|date| !has.contains(date)).collect();
            push(&mut table, kind, ticker, &missing, &calendar);
        }
    }
    if is_wanted(What::Bars) {
        let flow = tickers
            .iter()
            .flat_map(|ticker| of(StoreTable::Flow, ticker));
        let is_proxied = |date: &NaiveDate| {
            PROXIES
                .iter()
                .any(|proxy| of(StoreTable::Bars1m, proxy).contains(date))
        };
        let inside = |date: &NaiveDate| {
            period.start.is_none_or(|start| start <= *date)
                && period.end.is_none_or(|end| *date <= end)
        };
        let missing: BTreeSet<NaiveDate> = flow
            .copied()
            .filter(|date| inside(date) && !is_proxied(date))
            .collect();
        push(
            &mut table,
            StoreTable::Bars1m,
            &PROXIES.join(" or "),
            &missing,
            &calendar,
        );
        if !missing.is_empty() {
            table.note(
                "Without minute bars of SPY or QQQ the market's regime of a session is UNKNOWN.",
            );
        }
    }
    let status = if table.rows.is_empty() {
        Status::Fine
    } else {
        Status::Gaps
    };
    let nothing = format!("No session is missing in {}.", store.name());
    print_or_say(session, table, &nothing)?;
    Ok(status)
}

/// What there is of `tickers`, and of the proxies' minute bars.
fn held(store: &Store, tickers: &BTreeSet<String>) -> Result<Held, StoreError> {
    let mut wanted: Vec<(StoreTable, String)> = Vec::new();
    for table in StoreTable::ALL {
        wanted.extend(tickers.iter().map(|ticker| (table, ticker.clone())));
    }
    let proxies = PROXIES.iter().filter(|proxy| !tickers.contains(**proxy));
    wanted.extend(proxies.map(|proxy| (StoreTable::Bars1m, (*proxy).to_owned())));
    wanted
        .into_par_iter()
        .with_max_len(1)
        .map(|(table, ticker)| {
            let files = store.probe(table, &ticker)?;
            let sessions = files.into_iter().flat_map(|file| file.footer.sessions);
            Ok(((table, ticker), sessions.collect()))
        })
        .collect()
}

/// First and last session that are expected. `None` when nothing says that there should be any.
fn span(
    expected_by: &[&BTreeSet<NaiveDate>],
    period: Period,
    is_asked_for: bool,
) -> Option<(NaiveDate, NaiveDate)> {
    let first = expected_by.iter().filter_map(|dates| dates.first()).min();
    let last = expected_by.iter().filter_map(|dates| dates.last()).max();
    match (first, last) {
        // An open end reaches to that of the series, and at least to the end that was given.
        (Some(first), Some(last)) => {
            let latest = period.end.unwrap_or(*first);
            let start = period.start.unwrap_or((*first).min(latest));
            Some((start, period.end.unwrap_or((*last).max(start))))
        }
        _ if is_asked_for => Some((period.start?, period.end?)),
        _ => None,
    }
}

fn gaps_table(store: &Store) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::text("ticker", "ticker"),
        Column::text("first", "first"),
        Column::text("last", "last"),
        Column::number("sessions", "sessions"),
    ];
    Table::new(columns.to_vec()).titled(format!("Missing in {}", store.name()))
}

/// A row for every run of sessions that follow each other.
fn push(
    table: &mut Table,
    kind: StoreTable,
    ticker: &str,
    missing: &BTreeSet<NaiveDate>,
    calendar: &Calendar,
) {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for index in missing.iter().filter_map(|date| calendar.index_on(*date)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => runs.push((index, index)),
        }
    }
    for (first, last) in runs {
        let date = |index: usize| Cell::text(calendar.all()[index].date.to_string());
        table.push(vec![
            Cell::text(kind.name()),
            Cell::text(ticker),
            date(first),
            date(last),
            Cell::count((last - first + 1) as u64),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(days: &[u32]) -> BTreeSet<NaiveDate> {
        days.iter()
            .map(|day| NaiveDate::from_ymd_opt(2025, 11, *day).unwrap())
            .collect()
    }

    fn check(days: &[u32], period: (Option<u32>, Option<u32>), asked: bool, expected: &str) {
        let date = |day: u32| NaiveDate::from_ymd_opt(2025, 11, day).unwrap();
        let period = Period {
            start: period.0.map(date),
            end: period.1.map(date),
        };
        let found = span(&[&dates(days)], period, asked);
        let said = found.map_or("nothing".to_owned(), |(first, last)| {
            format!("{} to {}", first.format("%d"), last.format("%d"))
        });
        assert_eq!(said, expected);
    }

    #[test]
    fn a_series_is_expected_from_its_first_session_to_its_last_or_over_the_period() {
        check(&[4, 10], (None, None), false, "04 to 10");
        check(&[4, 10], (Some(3), Some(14)), false, "03 to 14");
        check(&[4, 10], (Some(6), None), false, "06 to 10");
        check(&[4, 10], (None, Some(7)), false, "04 to 07");
        check(&[4, 10], (Some(12), None), false, "12 to 12");
        check(&[4, 10], (None, Some(3)), false, "03 to 03");
    }

    #[test]
    fn what_is_not_there_at_all_is_expected_when_it_is_asked_for() {
        check(&[], (Some(3), Some(14)), false, "nothing");
        check(&[], (Some(3), Some(14)), true, "03 to 14");
        check(&[], (None, Some(14)), true, "nothing");
    }
}
