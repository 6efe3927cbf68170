//! What is one value per session: its bars' range of rows, the prior session, the opening range, the daily trend.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use polars::prelude::*;

use super::splits::Splits;
use super::{Trend, trend};
use crate::store::{Bars, DailyBar};
use crate::time::{Calendar, MINUTE_NS, Session, Ts};

/// Minutes that make the opening range.
const OPENING_RANGE_MINUTES: i64 = 15;

/// A session of the calendar and what one ticker knew at its open.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// Position in the calendar.
    pub index: usize,
    /// Rows of its regular bars; empty when it has none.
    pub rows: Range<usize>,
    /// In the basis of this session.
    pub prior: Option<Prior>,
    opening_range: Option<(f64, f64)>,
    opening_range_end: Ts,
    pub trend_daily: Option<Trend>,
    /// Splits since the session of the bar before this session's first one.
    pub ratio_since_last_bar: f64,
    /// See [`Splits::scale_on`].
    pub scale: f64,
}

impl SessionFacts {
    /// High and low of the opening range, once `t` lies behind it.
    pub fn opening_range_at(&self, t: Ts) -> Option<(f64, f64)> {
        self.opening_range.filter(|_| t >= self.opening_range_end)
    }
}

/// The last session with data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    pub high: f64,
    pub low: f64,
    pub close: f64,
}

/// The rows of each session; `bars` are regular ones.
fn rows_by_session(bars: &Bars, sessions: &[Session]) -> Vec<Range<usize>> {
    let mut row = 0;
    let mut ranges = Vec::with_capacity(sessions.len());
    for session in sessions {
        let start = row + bars.ts[row..].partition_point(|ts| *ts < session.open.ns());
        row = start + bars.ts[start..].partition_point(|ts| *ts < session.close.ns());
        ranges.push(start..row);
    }
    ranges
}

/// The facts of the sessions `span` of the calendar. `last_bar` is the day of the last regular bar
/// before `bars`, where there is one.
pub fn facts(
    bars: &Bars,
    daily: &[DailyBar],
    splits: &Splits,
    calendar: &Calendar,
    span: Range<usize>,
    mut last_bar: Option<NaiveDate>,
) -> PolarsResult<Vec<SessionFacts>> {
    let sessions = &calendar.all()[span.clone()];
    let ranges = rows_by_session(bars, sessions);
    let days = completed_days(bars, daily, sessions, &ranges);
    let trends = daily_trends(&days, splits)?;
    let mut facts = Vec::with_capacity(ranges.len());
    for (offset, rows) in ranges.into_iter().enumerate() {
        let session = &sessions[offset];
        let date = session.date;
        let before = days.partition_point(|day| day.date < date);
        let prior = before.checked_sub(1).map(|last| {
            let day = &days[last];
            let ratio = splits.ratio_between(day.date, date);
            Prior {
                high: day.high / ratio,
                low: day.low / ratio,
                close: day.close / ratio,
            }
        });
        let opening = rows.start
            ..rows.start
                + bars.ts[rows.clone()].partition_point(|ts| {
                    ts - session.open.ns() < OPENING_RANGE_MINUTES * MINUTE_NS
                });
        let opening_range = (!opening.is_empty())
            .then(|| (max(&bars.high[opening.clone()]), min(&bars.low[opening])));
        facts.push(SessionFacts {
            index: span.start + offset,
            prior,
            opening_range,
            opening_range_end: session.open.plus_minutes(OPENING_RANGE_MINUTES),
            trend_daily: before.checked_sub(1).and_then(|last| trends[last]),
            ratio_since_last_bar: last_bar.map_or(1.0, |last| splits.ratio_between(last, date)),
            scale: splits.scale_on(date),
            rows: rows.clone(),
        });
        if !rows.is_empty() {
            last_bar = Some(date);
        }
    }
    Ok(facts)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// One bar per session with data: the daily bar where there is one, else the regular minutes'.
pub fn days(
    bars: &Bars,
    daily: &[DailyBar],
    calendar: &Calendar,
    span: Range<usize>,
) -> Vec<DailyBar> {
    let sessions = &calendar.all()[span];
    completed_days(bars, daily, sessions, &rows_by_session(bars, sessions))
}

fn completed_days(
    bars: &Bars,
    daily: &[DailyBar],
    sessions: &[Session],
    ranges: &[Range<usize>],
) -> Vec<DailyBar> {
    let mut days: BTreeMap<NaiveDate, DailyBar> = BTreeMap::new();
    for (offset, rows) in ranges
        .iter()
        .enumerate()
        .filter(|(_, rows)| !rows.is_empty())
    {
        let date = sessions[offset].date;
        let bar = DailyBar {
            date,
            open: bars.open[rows.start],
            high: max(&bars.high[rows.clone()]),
            low: min(&bars.low[rows.clone()]),
            close: bars.close[rows.end - 1],
            volume: bars.volume[rows.clone()].iter().sum(),
        };
        days.insert(date, bar);
    }
    days.extend(daily.iter().map(|bar| (bar.date, *bar)));
    days.into_values().collect()
}

/// The daily trend once each day is complete.
fn daily_trends(days: &[DailyBar], splits: &Splits) -> PolarsResult<Vec<Option<Trend>>> {
    let closes: Vec<f64> = days
        .iter()
        .map(|day| day.close * splits.scale_on(day.date))
        .collect();
    trend::trends(&closes)
}
