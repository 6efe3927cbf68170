//! The frames: a value per regular bar for each idea, and what is one value per session.

use std::ops::Range;
use std::sync::Arc;

use polars::prelude::*;

use super::carry::Carry;
use super::levels::Levels;
use super::rvol::Baseline;
use super::sessions::{self, SessionFacts};
use super::splits::Splits;
use super::trend::{TrendCarry, TrendSteps};
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
    pub(super) baseline: Arc<Baseline>,
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
        let facts = sessions::facts(&regular, daily, &splits, calendar, span, None)?;
        let baseline = Arc::new(Baseline::new(&regular, &facts, calendar, settings));
        let none = Carry::none(baseline);
        Frames::of(&none, bars, &regular, facts, splits, calendar)
    }

    /// [`Frames::new`] of a window that follows what `carry` was made of: the same columns from the
    /// window's first bar on, for the price of the window.
    pub fn following(
        carry: &Carry,
        bars: &Bars,
        splits: Splits,
        calendar: &Calendar,
        span: Range<usize>,
    ) -> PolarsResult<Frames> {
        let regular = bars.regular(&calendar.all()[span.clone()]);
        let last_day = carry.last_regular.map(|(date, _)| date);
        let facts = sessions::facts(&regular, &carry.days, &splits, calendar, span, last_day)?;
        Frames::of(carry, bars, &regular, facts, splits, calendar)
    }

    fn of(
        carry: &Carry,
        bars: &Bars,
        regular: &Bars,
        sessions: Vec<SessionFacts>,
        splits: Splits,
        calendar: &Calendar,
    ) -> PolarsResult<Frames> {
        let trend =
            |before: &TrendCarry, k| k_minute_trend(before, regular, &sessions, calendar, k);
        let [one, five, fifteen] = &carry.trends;
        let (last_end, last_close) = carry.last_of_all.unzip();
        Ok(Frames {
            ends: ends(regular).collect(),
            vwap: Vwap::new(regular, &sessions)?,
            levels: Levels::new(
                regular,
                &sessions,
                carry.last_regular.map(|(_, close)| close),
            )?,
            trend_1m: trend(one, 1)?.0,
            trend_5m: trend(five, 5)?.0,
            trend_15m: trend(fifteen, 15)?.0,
            baseline: carry.baseline.clone(),
            all_ends: last_end.into_iter().chain(ends(bars)).collect(),
            all_closes: last_close
                .into_iter()
                .chain(bars.close.iter().copied())
                .collect(),
            sessions,
            splits,
        })
    }
}

fn ends(bars: &Bars) -> impl Iterator<Item = i64> {
    bars.ts.iter().map(|ts| ts + MINUTE_NS)
}

/// The trend of `k`-minute bars anchored at the open, across sessions. A bar is known when its slot
/// has ended, even if its last trade came earlier; a slot without trades makes no bar.
pub(super) fn k_minute_trend(
    before: &TrendCarry,
    bars: &Bars,
    sessions: &[SessionFacts],
    calendar: &Calendar,
    k: i64,
) -> PolarsResult<(TrendSteps, TrendCarry)> {
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
    TrendSteps::after(before, known_at, &closes)
}
