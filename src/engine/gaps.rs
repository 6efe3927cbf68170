//! Gaps: what a run would have liked to read and did not find.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::DAILY_WARMUP;
use super::span::{Period, Span};
use crate::store::{DailyBar, Footer};
use crate::time::Calendar;

/// Sessions missing from the cache, by ticker. Parts of a run simply merge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Sessions of the period without flow: never fetched, which is not the same as empty.
    pub flow: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of the period without minute bars.
    pub bars: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of minute bars before the period that its context looks back on.
    pub warmup_bars: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of flow before the period that chain memory looks back on.
    pub warmup_flow: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Neither of the tickers the regime is read off has a minute bar.
    pub regime: bool,
    /// Tickers with fewer daily bars before the period than the daily trend wants, and how many.
    pub warmup_daily: BTreeMap<String, usize>,
}

/// What a run found of one ticker.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub bars: &'a [Footer],
    pub flow: &'a [Footer],
    pub daily: &'a [DailyBar],
}

impl Gaps {
    /// What a run of `period` misses of `ticker`.
    pub fn of(
        calendar: &Calendar,
        period: Period,
        span: &Span,
        ticker: &str,
        found: Found,
    ) -> Gaps {
        let (bars, flow) = (covered(found.bars), covered(found.flow));
        let missing = |from: NaiveDate, to: NaiveDate, have: &BTreeSet<NaiveDate>| {
            let wanted = calendar.between(from, to).iter();
            let wanted = wanted.map(|session| session.date);
            let missing: BTreeSet<NaiveDate> = wanted.filter(|date| !have.contains(date)).collect();
            (!missing.is_empty()).then(|| (ticker.to_owned(), missing))
        };
        let Period { start, end } = period;
        let before = start
            .pred_opt()
            .expect("the calendar begins after time does");
        let daily = found.daily.partition_point(|day| day.date < start);
        Gaps {
            flow: missing(start, end, &flow).into_iter().collect(),
            bars: missing(start, end, &bars).into_iter().collect(),
            warmup_bars: missing(span.bars_from, before, &bars).into_iter().collect(),
            warmup_flow: missing(span.flow_from, before, &flow).into_iter().collect(),
            regime: false,
            warmup_daily: (daily < DAILY_WARMUP)
                .then(|| (ticker.to_owned(), daily))
                .into_iter()
                .collect(),
        }
    }

    /// Whether the period itself is incomplete. A short warm-up leaves context unknown, which the
    /// run counts; a missing session leaves out trades.
    pub fn in_period(&self) -> bool {
        !self.flow.is_empty() || !self.bars.is_empty()
    }

    pub fn merge(&mut self, other: Gaps) {
        self.flow.extend(other.flow);
        self.bars.extend(other.bars);
        self.regime |= other.regime;
        self.warmup_bars.extend(other.warmup_bars);
        self.warmup_flow.extend(other.warmup_flow);
        self.warmup_daily.extend(other.warmup_daily);
    }

    /// One line per kind of gap and dates, with the tickers that share it: what is wrong for the
    /// period first.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, gaps) in [
            ("no flow for", &self.flow),
            ("no minute bars for", &self.bars),
            ("warm-up without minute bars for", &self.warmup_bars),
            ("warm-up without flow for", &self.warmup_flow),
        ] {
            lines.extend(
                sharing(gaps)
                    .iter()
                    .map(|(dates, tickers)| format!("{what} {}: {}", days(dates), names(tickers))),
            );
        }
        let daily = sharing(&self.warmup_daily);
        lines.extend(daily.iter().map(|(have, tickers)| {
            format!(
                "warm-up with {have} daily bars of {}: {}",
                DAILY_WARMUP,
                names(tickers)
            )
        }));
        if self.regime {
            lines.push("no minute bars of SPY or QQQ, so the regime is unknown".to_owned());
        }
        lines
    }
}

/// The sessions that files with these footers cover.
pub fn covered(footers: &[Footer]) -> BTreeSet<NaiveDate> {
    footers
        .iter()
        .flat_map(|footer| footer.sessions.iter().copied())
        .collect()
}

/// The tickers that have the same gap, by gap.
fn sharing<T: Ord>(gaps: &BTreeMap<String, T>) -> BTreeMap<&T, Vec<&str>> {
    let mut shared: BTreeMap<&T, Vec<&str>> = BTreeMap::new();
    for (ticker, gap) in gaps {
        shared.entry(gap).or_default().push(ticker);
    }
    shared
}

/// Tickers that are named before a line only says how many more there are.
const NAMED: usize = 8;

fn names(tickers: &[&str]) -> String {
    let named = tickers[..tickers.len().min(NAMED)].join(", ");
    match tickers.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// `2025-03-14`, or `12 sessions, 2025-03-03 to 2025-03-18`.
fn days(dates: &BTreeSet<NaiveDate>) -> String {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return "nothing".to_owned();
    };
    match dates.len() {
        1..=3 => dates
            .iter()
            .map(NaiveDate::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        count => format!("{count} sessions, {first} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn tickers_that_miss_the_same_days_share_a_line() {
        let mut gaps = Gaps::default();
        for n in 0..10 {
            gaps.flow
                .insert(format!("T{n}"), BTreeSet::from([day("2025-03-14")]));
        }
        gaps.flow
            .insert("SPY".to_owned(), BTreeSet::from([day("2025-03-13")]));
        gaps.warmup_daily = BTreeMap::from([("A".to_owned(), 12), ("B".to_owned(), 12)]);
        assert_eq!(
            gaps.lines(),
            [
                "no flow for 2025-03-13: SPY",
                "no flow for 2025-03-14: T0, T1, T2, T3, T4, T5, T6, T7 and 2 more",
                "warm-up with 12 daily bars of 300: A, B",
            ]
        );
    }
}
