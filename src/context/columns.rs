//! The frames: a value per regular bar for each idea, and what is one value per session.

use std::ops::Range;

use polars::prelude::*;

use super::levels::Levels;
use super::rvol::Baseline;
use super::sessions::{self, SessionFacts};
use super::splits::Splits;
use super::trend::TrendSteps;
use super::vwap::Vwap;
use crate::config::Config;
use crate::store::{Bars, DailyBar};
use crate::time::{Calendar, MINUTE_NS};

/// What of the config shapes the columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContextSettings {
    pub rvol_sessions: u32,
    pub rvol_min_sessions: u32,
    pub lookback_minutes: u32,
    pub rvol_high: f64,
    pub rvol_low: f64,
}

impl ContextSettings {
    pub fn of(config: &Config) -> ContextSettings {
        ContextSettings {
            rvol_sessions: config.context.rvol_sessions,
            rvol_min_sessions: config.context.rvol_min_sessions,
            lookback_minutes: config.market_regime.lookback_minutes,
            rvol_high: config.market_regime.rvol_high,
            rvol_low: config.market_regime.rvol_low,
        }
    }
}

/// All columns of one ticker, ready to be walked by [`super::AsOf`].
pub struct Frames {
    /// Ends of the regular bars, nanoseconds.
    pub(super) ends: Vec<i64>,
    pub(super) vwap: Vwap,
    pub(super) levels: Levels,
    pub(super) trend_1m: TrendSteps,
    pub(super) trend_5m: TrendSteps,
    pub(super) trend_15m: TrendSteps,
    pub(super) baseline: Baseline,
    pub(super) sessions: Vec<SessionFacts>,
    /// Ends and closes of all bars, also those outside the session.
    pub(super) all_ends: Vec<i64>,
    pub(super) all_closes: Vec<f64>,
    pub(super) splits: Splits,
}

impl Frames {
    /// Computes every column of `bars` (all of them, in order of time) and of the `daily` bars for
    /// the calendar's sessions `span`. Cost: some twenty vector passes over the bars; memory: some
    /// twenty values per bar.
    pub fn new(
        bars: &Bars,
        daily: &[DailyBar],
        splits: Splits,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Frames> {
        let regular = bars.regular(&calendar.all()[span.clone()]);
        let sessions = sessions::facts(&regular, daily, &splits, calendar, span)?;
        Ok(Frames {
            ends: ends(&regular),
            vwap: Vwap::new(&regular, &sessions)?,
            levels: Levels::new(&regular, &sessions)?,
            trend_1m: k_minute_trend(&regular, &sessions, calendar, 1)?,
            trend_5m: k_minute_trend(&regular, &sessions, calendar, 5)?,
            trend_15m: k_minute_trend(&regular, &sessions, calendar, 15)?,
            baseline: Baseline::new(&regular, &sessions, calendar, settings),
            sessions,
            all_ends: ends(bars),
            all_closes: bars.close.clone(),
            splits,
        })
    }
}

fn ends(bars: &Bars) -> Vec<i64> {
    bars.ts.iter().map(|ts| ts + MINUTE_NS).collect()
}

/// The trend of `k`-minute bars anchored at the open, across sessions. A bar is known when its slot
/// has ended, even if its last trade came earlier; a slot without trades makes no bar.
fn k_minute_trend(
    bars: &Bars,
    sessions: &[SessionFacts],
    calendar: &Calendar,
    k: i64,
) -> PolarsResult<TrendSteps> {
    let slot_ns = k * MINUTE_NS;
    let (mut known_at, mut closes) = (
        Vec::with_capacity(bars.len()),
        Vec::with_capacity(bars.len()),
    );
    for fact in sessions {
        let open = calendar.all()[fact.index].open.ns();
        let slot_end = |row: usize| open + ((bars.ts[row] - open) / slot_ns + 1) * slot_ns;
        for row in fact.rows.clone() {
            // The next bar lies in another slot, so this one is the last of its own. It is used from
            // the slot's end on only, when nothing can come between them any more.
            if row + 1 == fact.rows.end || slot_end(row + 1) != slot_end(row) {
                known_at.push(slot_end(row));
                closes.push(bars.close[row] * fact.scale);
            }
        }
    }
    TrendSteps::new(known_at, &closes)
}
