//! Bars and splits: from the vendor to a ticker's raw bars, session by session.
//!
//! A session without a bar is either a day on which the stock did not trade or a hole. Daily bars
//! come first and decide: a day with volume and no minutes is a hole, stays missing and is named. So
//! does every session after the last daily bar: it may be that the vendor does not have it yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::outcome::Outcome;
use super::{FetchError, Job};
use crate::providers::massive::DayBar;
use crate::store::{Arrival, BarTable, DailyBar, DailyTable, MinuteBar, Split, SplitTable, Table};

/// What rows say that were asked for one by one.
pub const SOURCE: &str = "massive/rest";

/// Splits up to the last of `dates`, the session up to which they are then known.
pub(super) fn splits(
    job: &Job,
    ticker: &str,
    dates: &BTreeSet<NaiveDate>,
) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    let Some(end) = dates.last().copied() else {
        return Ok(outcome);
    };
    let fetched = job.massive.splits(ticker)?;
    outcome.account(&fetched);
    // A split that is announced is not known before its day; the next fetch asks again.
    let rows: BTreeMap<NaiveDate, f64> = fetched
        .rows
        .iter()
        .filter(|split| split.ex_date <= end)
        .map(|split| (split.ex_date, split.ratio))
        .collect();
    let rows: Vec<Split> = rows
        .into_iter()
        .map(|(ex_date, ratio)| Split { ex_date, ratio })
        .collect();
    outcome.stored(Table::Splits, 1, rows.len() as u64);
    let mut sessions = SplitTable::by_session(ticker, &rows);
    if rows.last().is_none_or(|last| last.ex_date < end) {
        // Says up to when it was asked.
        sessions.push((end, SplitTable::none()));
    }
    put(job, Table::Splits, ticker, sessions)?;
    Ok(outcome)
}

pub(super) fn daily(
    job: &Job,
    ticker: &str,
    dates: &BTreeSet<NaiveDate>,
) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return Ok(outcome);
    };
    let fetched = job.massive.daily_bars(ticker, *first, *last)?;
    outcome.account(&fetched);
    let mut bars: BTreeMap<NaiveDate, DailyBar> = BTreeMap::new();
    for row in &fetched.rows {
        if dates.contains(&row.date) {
            bars.insert(row.date, daily_bar(row));
        }
    }
    let last = bars.keys().next_back().copied();
    let (known, open): (BTreeSet<NaiveDate>, BTreeSet<NaiveDate>) = dates
        .iter()
        .partition(|date| last.is_some_and(|last| **date <= last));
    gap_in_period(job, &mut outcome, Table::Bars1d, ticker, open);
    let sessions = known.iter().map(|date| match bars.get(date) {
        Some(bar) => (*date, DailyTable::batch(ticker, &[*bar])),
        None => (*date, DailyTable::batch(ticker, &[])),
    });
    outcome.stored(Table::Bars1d, known.len() as u64, bars.len() as u64);
    put(job, Table::Bars1d, ticker, sessions.collect())?;
    Ok(outcome)
}

/// Bars are asked for beyond the period, to follow its last trades; those that do not exist yet are
/// missing to nobody.
fn gap_in_period(
    job: &Job,
    outcome: &mut Outcome,
    table: Table,
    ticker: &str,
    mut dates: BTreeSet<NaiveDate>,
) {
    dates.retain(|date| *date <= job.period.end);
    if !dates.is_empty() {
        outcome.gap(
            table,
            ticker,
            dates,
            "the vendor has no bars of this session",
        );
    }
}

fn daily_bar(row: &DayBar) -> DailyBar {
    DailyBar {
        date: row.date,
        open: row.open,
        high: row.high,
        low: row.low,
        close: row.close,
        volume: row.volume,
    }
}

/// Minute bars of sessions of one month.
pub(super) fn minutes(
    job: &Job,
    ticker: &str,
    dates: &BTreeSet<NaiveDate>,
) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return Ok(outcome);
    };
    let fetched = job.massive.minute_bars(ticker, *first, *last)?;
    outcome.account(&fetched);
    let mut days: BTreeMap<NaiveDate, BTreeMap<_, MinuteBar>> = BTreeMap::new();
    for row in &fetched.rows {
        let date = row.ts.exchange_date();
        if job.calendar.session_on(date).is_none() {
            outcome.dropped("bar_outside_of_sessions", 1);
        }
        if !dates.contains(&date) {
            continue;
        }
        let bar = row.minute_bar(job.calendar.session_on(date));
        if days.entry(date).or_default().insert(row.ts, bar).is_some() {
            outcome.dropped("repeated_minute", 1);
        }
    }
    let (daily, _) = job.store.bars_1d(ticker)?;
    let traded: BTreeSet<NaiveDate> = daily
        .iter()
        .filter(|bar| bar.volume > 0.0)
        .map(|bar| bar.date)
        .collect();
    let settled = job.store.covered(Table::Bars1d, ticker, 0.0)?;
    let mut sessions = Vec::new();
    for date in dates {
        let bars = days.remove(date).unwrap_or_default();
        if bars.is_empty() && traded.contains(date) {
            let reason = "the vendor has a daily bar and no minutes";
            outcome.gap(Table::Bars1m, ticker, [*date], reason);
            continue;
        }
        if bars.is_empty() && !settled.contains(date) {
            let open = BTreeSet::from([*date]);
            gap_in_period(job, &mut outcome, Table::Bars1m, ticker, open);
            continue;
        }
        outcome.stored(Table::Bars1m, 1, bars.len() as u64);
        let mut table = BarTable::default();
        bars.into_values().for_each(|bar| table.push(bar));
        sessions.push((*date, table.finish(ticker)));
    }
    put(job, Table::Bars1m, ticker, sessions)?;
    Ok(outcome)
}

fn put(
    job: &Job,
    table: Table,
    ticker: &str,
    sessions: Vec<(NaiveDate, arrow::record_batch::RecordBatch)>,
) -> Result<(), FetchError> {
    job.store.put(Arrival {
        table,
        ticker,
        sessions,
        source: SOURCE,
        min_notional: None,
    })?;
    Ok(())
}
