//! Levels: prices the market has turned at, and whether it is leaving them.
//!
//! ```text
//!  close  ─────────────╮      ╭── beyond now, and one of the five closes
//!  level  ─ ─ ─ ─ ─ ─ ─│─ ─ ─ │   before it was not: a cross that holds
//!                      ╰──────╯
//! ```
//!
//! Strictly beyond is a break, equal is not. The 30-bar levels are broken by standing beyond them;
//! the prior session's and the opening range's by a cross within the last five bars.

use polars::prelude::*;

use super::kernels::{in_sessions, rolling_max, rolling_min, whole};
use super::sessions::SessionFacts;
use crate::store::Bars;

/// Bars before the last completed one that make the rolling level.
const ROLLING_BARS: usize = 30;
/// A cross is fresh while one of so many closes before the last was not beyond.
const CROSS_BARS: usize = 5;

/// The day's levels, bar by bar; NaN where there is none.
pub struct Levels {
    pub day_high: Vec<f64>,
    pub day_low: Vec<f64>,
    pub high_30: Vec<f64>,
    pub low_30: Vec<f64>,
    /// Whether the bar's close breaks a level upwards, downwards; `None` where no level is known.
    pub breaking: Vec<[Option<bool>; 2]>,
}

impl Levels {
    /// `before` is the last regular close before `bars`, where there is one.
    pub fn new(
        bars: &Bars,
        sessions: &[SessionFacts],
        before: Option<f64>,
    ) -> PolarsResult<Levels> {
        let rows = || sessions.iter().map(|fact| &fact.rows);
        // Where there was no close before, none is the lowest or the highest.
        let lowest = closes_before(bars, sessions, before, f64::INFINITY);
        let lowest = in_sessions(&lowest, rows(), |s| rolling_min(s, CROSS_BARS, 1))?;
        let highest = closes_before(bars, sessions, before, f64::NEG_INFINITY);
        let highest = in_sessions(&highest, rows(), |s| rolling_max(s, CROSS_BARS, 1))?;
        let high = whole(&bars.high, |s| rolling_max(s, ROLLING_BARS, ROLLING_BARS))?;
        let low = whole(&bars.low, |s| rolling_min(s, ROLLING_BARS, ROLLING_BARS))?;
        let high_30 = one_bar_later(&high, sessions);
        let low_30 = one_bar_later(&low, sessions);
        let mut breaking = Vec::with_capacity(bars.len());
        for fact in sessions {
            for row in fact.rows.clone() {
                let close = bars.close[row];
                let or = fact.opening_range_at(bars.end(row));
                breaking.push([
                    breaks(
                        close,
                        lowest[row],
                        [fact.prior.map(|p| p.high), or.map(|r| r.0)],
                        high_30[row],
                    ),
                    // Downwards is upwards in a mirror.
                    breaks(
                        -close,
                        -highest[row],
                        [fact.prior.map(|p| -p.low), or.map(|r| -r.1)],
                        -low_30[row],
                    ),
                ]);
            }
        }
        Ok(Levels {
            day_high: in_sessions(&bars.high, rows(), |s| cum_max(s, false))?,
            day_low: in_sessions(&bars.low, rows(), |s| cum_min(s, false))?,
            high_30,
            low_30,
            breaking,
        })
    }
}

/// The close before each bar; before a session's first bar it is the last one of the session before,
/// in today's basis, and `absent` where the data begins.
fn closes_before(
    bars: &Bars,
    sessions: &[SessionFacts],
    last: Option<f64>,
    absent: f64,
) -> Vec<f64> {
    let mut before = Vec::with_capacity(bars.len());
    for fact in sessions.iter().filter(|fact| !fact.rows.is_empty()) {
        let first = fact.rows.start;
        let prior = first.checked_sub(1).map(|row| bars.close[row]).or(last);
        before.push(prior.map_or(absent, |close| close / fact.ratio_since_last_bar));
        before.extend_from_slice(&bars.close[first..fact.rows.end - 1]);
    }
    before
}

/// The rolling level before the last completed bar; NaN before a session's 31st.
fn one_bar_later(rolled: &[f64], sessions: &[SessionFacts]) -> Vec<f64> {
    let mut later = vec![f64::NAN; rolled.len()];
    for rows in sessions
        .iter()
        .map(|fact| &fact.rows)
        .filter(|rows| rows.len() > ROLLING_BARS)
    {
        let from = rows.start + ROLLING_BARS;
        later[from..rows.end].copy_from_slice(&rolled[from - 1..rows.end - 1]);
    }
    later
}

/// Whether `close` breaks one of the levels upwards: stands beyond `rolling`, or has crossed one of
/// `crossable`, which the `lowest` of the closes before it was not beyond. NaN compares as false.
fn breaks(close: f64, lowest: f64, crossable: [Option<f64>; 2], rolling: f64) -> Option<bool> {
    let is_known = !rolling.is_nan() || crossable.iter().any(Option::is_some);
    let crossed = crossable
        .iter()
        .flatten()
        .any(|level| close > *level && lowest <= *level);
    is_known.then_some(close > rolling || crossed)
}
