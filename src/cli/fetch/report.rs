//! What a fetch would ask for, and what it came to: as tables.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use indicatif::{HumanBytes, HumanDuration};

use super::super::{Session, Status};
use crate::fetch::{Job, Outcome, Plan, Source, What};
use crate::flow::FlowCounts;
use crate::providers::massive::Access;
use crate::report::{Cell, Column, Table};
use crate::store::Table as StoreTable;

/// Rough sizes of answers, in bytes, and how long a call takes: for estimates only.
const MINUTES_OF_A_SESSION: u64 = 90_000;
const DAILY_BAR: u64 = 120;
const CONTRACT_OF_A_SESSION: u64 = 6_000;
const FLAT_FILE: u64 = 75_000_000;
const OPEN_INTEREST_OF_A_SESSION: u64 = 500_000;
const SECONDS_PER_CALL: f64 = 0.15;

/// One line of a plan.
struct Asked {
    what: StoreTable,
    units: u64,
    calls: u64,
    bytes: u64,
    note: String,
}

/// Says what a fetch would ask for; asks the vendor only what it takes to know that.
pub fn plan(session: &Session, job: &Job, plan: &Plan) -> anyhow::Result<Status> {
    let date = plan.flow.keys().next().copied().unwrap_or(job.period.start);
    let ticker = job.tickers.first().map_or("SPY", String::as_str);
    let access = job.massive.entitlements(ticker, date)?;
    let days = |units: &[(String, BTreeSet<NaiveDate>)]| -> u64 {
        units.iter().map(|(_, dates)| dates.len() as u64).sum()
    };
    let mut asked = vec![
        Asked {
            what: StoreTable::Splits,
            units: plan.splits.len() as u64,
            calls: plan.splits.len() as u64,
            bytes: plan.splits.len() as u64 * 1_000,
            note: String::new(),
        },
        Asked {
            what: StoreTable::Bars1d,
            units: days(&plan.daily),
            calls: plan.daily.len() as u64,
            bytes: days(&plan.daily) * DAILY_BAR,
            note: String::new(),
        },
        Asked {
            what: StoreTable::Bars1m,
            units: days(&plan.minutes),
            calls: plan.minutes.len() as u64,
            bytes: days(&plan.minutes) * MINUTES_OF_A_SESSION,
            note: String::new(),
        },
        Asked {
            what: StoreTable::OpenInterest,
            units: days(&plan.open_interest),
            calls: days(&plan.open_interest),
            bytes: days(&plan.open_interest) * OPEN_INTEREST_OF_A_SESSION,
            note: String::new(),
        },
    ];
    asked.push(flow(job, plan, matches!(access.quotes, Access::Entitled))?);
    session.print_tables(&[asked_table(&asked), access_table(&access)])?;
    let calls: u64 = asked.iter().map(|line| line.calls).sum();
    let bytes: u64 = asked.iter().map(|line| line.bytes).sum();
    let per_second = job.config.massive.max_requests_per_second;
    let at_once = f64::from(job.config.massive.concurrency) / SECONDS_PER_CALL;
    let seconds = calls as f64 / per_second.min(at_once);
    session.say(&format!(
        "at least {calls} calls and {}, {} at the pace of the config; on the smallest plan, five calls a minute, {}",
        HumanBytes(bytes),
        HumanDuration(std::time::Duration::from_secs_f64(seconds)),
        HumanDuration(std::time::Duration::from_secs(calls * 12)),
    ));
    Ok(Status::Fine)
}

fn flow(job: &Job, plan: &Plan, has_quotes: bool) -> anyhow::Result<Asked> {
    let units: u64 = plan.flow.values().map(|tickers| tickers.len() as u64).sum();
    let mut line = Asked {
        what: StoreTable::Flow,
        units,
        calls: 0,
        bytes: 0,
        note: String::new(),
    };
    if plan.flow.is_empty() || !job.what.contains(&What::Flow) {
        return Ok(line);
    }
    if job.resolved_source(plan)? == Source::Flat {
        line.calls = plan.flow.len() as u64;
        line.bytes = line.calls * FLAT_FILE;
        line.note = "one flat file per session".to_owned();
    } else {
        let (date, tickers) = plan
            .flow
            .iter()
            .next()
            .expect("it was seen not to be empty");
        let mut contracts = 0;
        for ticker in tickers {
            match job.massive.contracts(ticker, *date, *date) {
                Ok(listed) => contracts += listed.rows.len() as u64,
                Err(error) => {
                    line.note = format!("contracts cannot be listed: {error}");
                    return Ok(line);
                }
            }
        }
        let per_unit = contracts / tickers.len() as u64 + 1;
        line.calls = units * per_unit;
        line.bytes = line.calls * CONTRACT_OF_A_SESSION;
        line.note = format!("a call per contract, {contracts} of them on {date}");
    }
    if job.quotes {
        line.note += match has_quotes {
            true => ", and one around each print that can reach the floor",
            false => "; sides by tick test, for want of quotes",
        };
    }
    Ok(line)
}

fn asked_table(asked: &[Asked]) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::number("sessions", "ticker sessions"),
        Column::number("calls", "calls"),
        Column::number("bytes", "bytes"),
        Column::text("note", "how"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("plan")
        .titled("What would be asked for".to_owned());
    for line in asked {
        table.push(vec![
            Cell::text(line.what.name()),
            Cell::count(line.units),
            Cell::count(line.calls),
            Cell::count(line.bytes),
            match line.note.is_empty() {
                true => Cell::blank(),
                false => Cell::text(&line.note),
            },
        ]);
    }
    table
}

fn access_table(access: &crate::providers::massive::Entitlements) -> Table {
    let columns = [
        Column::text("endpoint", "the vendor's"),
        Column::text("access", "plan"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("access")
        .titled("What the plan includes".to_owned());
    for (name, access) in [
        ("bars", &access.bars),
        ("whole market days", &access.grouped),
        ("contracts", &access.contracts),
        ("trades", &access.trades),
        ("quotes", &access.quotes),
        ("chains", &access.snapshot),
        ("past open interest", &access.open_interest),
        ("unusual trades", &access.unusual_trades),
    ] {
        let access = match access {
            Access::Entitled => "yes".to_owned(),
            Access::NotEntitled(said) => format!("no: {said}"),
            Access::Unknown(error) => format!("unknown: {error}"),
        };
        table.push(vec![Cell::text(name), Cell::text(access)]);
    }
    table
}

/// Prints what came and what did not.
pub fn outcome(session: &Session, outcome: &Outcome) -> anyhow::Result<Status> {
    let mut tables = vec![stored_table(session, outcome)];
    if outcome.flow.read > 0 {
        let dropped = outcome.dropped.iter();
        let dropped: Vec<(&str, u64)> = dropped.map(|(reason, n)| (*reason, *n)).collect();
        tables.push(prints_table(&outcome.flow, &dropped));
    }
    if outcome.has_gaps() {
        tables.push(gaps_table(outcome));
    }
    session.print_tables(&tables)?;
    for note in &outcome.notes {
        session.say(&format!("note: {note}"));
    }
    for row in &outcome.bad_rows {
        session.say(&format!("bad row: {row}"));
    }
    let unnamed = outcome.bad_row_count - outcome.bad_rows.len() as u64;
    if unnamed > 0 {
        session.say(&format!("bad row: and {unnamed} more"));
    }
    Ok(match outcome.has_gaps() {
        true => Status::Gaps,
        false => Status::Fine,
    })
}

fn stored_table(session: &Session, outcome: &Outcome) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::number("stored", "stored"),
        Column::number("rows", "rows"),
        Column::number("cached", "there already"),
        Column::number("missing", "missing"),
    ];
    let title = format!("Ticker sessions in {}", session.data_dir().display());
    let mut table = Table::new(columns.to_vec()).named("fetched").titled(title);
    for kind in StoreTable::ALL {
        let stored = outcome.stored.get(&kind).copied().unwrap_or_default();
        let missing: usize = outcome
            .gaps
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .flat_map(|(_, tickers)| tickers.values())
            .map(BTreeSet::len)
            .sum();
        table.push(vec![
            Cell::text(kind.name()),
            Cell::count(stored.sessions),
            Cell::count(stored.rows),
            Cell::count(outcome.cached.get(&kind).copied().unwrap_or_default()),
            Cell::count(missing as u64),
        ]);
    }
    table
}

/// What became of the prints, and of rows that were left out before, by name.
pub fn prints_table(flow: &FlowCounts, dropped: &[(&str, u64)]) -> Table {
    let columns = [
        Column::text("what", "prints"),
        Column::number("count", "count"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("prints")
        .titled("From prints to events".to_owned());
    for (name, count) in flow.named().iter().chain(dropped) {
        table.push(vec![Cell::text(*name), Cell::count(*count)]);
    }
    table
}

fn gaps_table(outcome: &Outcome) -> Table {
    let columns = [
        Column::text("table", "table"),
        Column::text("tickers", "tickers"),
        Column::number("sessions", "sessions"),
        Column::text("first", "first"),
        Column::text("last", "last"),
        Column::text("reason", "why"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("missing")
        .titled("Missing".to_owned());
    for ((kind, reason), tickers) in &outcome.gaps {
        let dates: BTreeSet<NaiveDate> = tickers.values().flatten().copied().collect();
        let date = |date: Option<&NaiveDate>| {
            date.map_or_else(Cell::blank, |date| Cell::text(date.to_string()))
        };
        table.push(vec![
            Cell::text(kind.name()),
            Cell::text(names(tickers.keys())),
            Cell::count(dates.len() as u64),
            date(dates.first()),
            date(dates.last()),
            Cell::text(reason),
        ]);
    }
    table
}

/// Tickers that are named before a cell only says how many more there are.
const NAMED: usize = 5;

fn names<'a>(tickers: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = tickers.len().saturating_sub(NAMED);
    let named: Vec<&str> = tickers.take(NAMED).map(String::as_str).collect();
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
