//! The frame: one row per regular bar, and the columns that each idea adds to it.

use std::ops::Range;

use polars::prelude::*;

use super::grid::values;
use super::rvol::Baseline;
use super::sessions::{self, SessionFacts};
use super::splits::Splits;
use super::{levels, trend, vwap};
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

/// All columns of one ticker, ready to be walked by [`super::AsOf`].
pub struct Frames {
    /// Ends of the regular bars, nanoseconds.
    pub(super) ends: Vec<i64>,
    pub(super) vwap: Vec<f64>,
    pub(super) cumulative_volume: Vec<f64>,
    pub(super) day_high: Vec<f64>,
    pub(super) day_low: Vec<f64>,
    pub(super) high_30: Vec<f64>,
    pub(super) low_30: Vec<f64>,
    pub(super) breaking: Vec<[Option<bool>; 2]>,
    pub(super) trend_1m: Slots,
    pub(super) trend_5m: Slots,
    pub(super) trend_15m: Slots,
    pub(super) baseline: Baseline,
    pub(super) sessions: Vec<SessionFacts>,
    /// Ends and closes of all bars, also those outside the session.
    pub(super) all_ends: Vec<i64>,
    pub(super) all_closes: Vec<f64>,
    pub(super) splits: Splits,
}

/// A trend and the instants from which on its values are known.
#[derive(Default)]
pub(super) struct Slots {
    pub known_at: Vec<i64>,
    pub codes: Vec<Option<i32>>,
}

impl Frames {
    /// Computes every column of `bars` (all of them, in order of time) and of the `daily` bars for
    /// the calendar's sessions `span`. Cost: a few dozen vector passes over the bars; memory: some
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
        let base = base_frame(&regular, &sessions, calendar)?;
        let out = base
            .clone()
            .lazy()
            .with_columns_seq([levels::close_before()])
            .with_columns_seq(levels::rolling_levels())
            .with_columns_seq(levels::breaking())
            .with_columns_seq([
                vwap::expr(),
                vwap::cumulative_volume().alias("cumulative_volume"),
            ])
            .with_columns_seq(levels::day())
            .collect()?;
        let breaking = out
            .column("breaking_up")?
            .bool()?
            .iter()
            .zip(out.column("breaking_down")?.bool()?.iter());
        Ok(Frames {
            ends: regular.ts.iter().map(|ts| ts + MINUTE_NS).collect(),
            vwap: values(&out, "vwap")?,
            cumulative_volume: values(&out, "cumulative_volume")?,
            day_high: values(&out, "day_high")?,
            day_low: values(&out, "day_low")?,
            high_30: values(&out, "high_30")?,
            low_30: values(&out, "low_30")?,
            breaking: breaking.map(|(up, down)| [up, down]).collect(),
            trend_1m: slots(&base, 1)?,
            trend_5m: slots(&base, 5)?,
            trend_15m: slots(&base, 15)?,
            baseline: Baseline::new(&regular, &sessions, calendar, settings)?,
            sessions,
            all_ends: bars.ts.iter().map(|ts| ts + MINUTE_NS).collect(),
            all_closes: bars.close.clone(),
            splits,
        })
    }
}

/// Bars with their place in the session and what the session knew at its open.
fn base_frame(
    bars: &Bars,
    sessions: &[SessionFacts],
    calendar: &Calendar,
) -> PolarsResult<DataFrame> {
    let rows = bars.len();
    let per_session = |value: &dyn Fn(&SessionFacts) -> Option<f64>| -> Vec<Option<f64>> {
        let mut column = Vec::with_capacity(rows);
        for fact in sessions {
            column.extend(std::iter::repeat_n(value(fact), fact.rows.len()));
        }
        column
    };
    let (mut session, mut minute, mut bar) = (
        Vec::with_capacity(rows),
        Vec::with_capacity(rows),
        Vec::with_capacity(rows),
    );
    for fact in sessions {
        let open = calendar.all()[fact.index].open.ns();
        for (number, row) in fact.rows.clone().enumerate() {
            session.push(fact.index as i32);
            minute.push(((bars.ts[row] - open) / MINUTE_NS) as i32);
            bar.push(number as i32);
        }
    }
    df!(
        "session" => session,
        "minute" => minute,
        "bar" => bar,
        "ends" => bars.ts.iter().map(|ts| ts + MINUTE_NS).collect::<Vec<i64>>(),
        "high" => bars.high.as_slice(),
        "low" => bars.low.as_slice(),
        "close" => bars.close.as_slice(),
        "volume" => bars.volume.as_slice(),
        "price" => bars.price.as_slice(),
        "scale" => per_session(&|fact| Some(fact.scale)),
        "ratio_since_last_bar" => per_session(&|fact| Some(fact.ratio_since_last_bar)),
        "prior_high" => per_session(&|fact| fact.prior.map(|prior| prior.high)),
        "prior_low" => per_session(&|fact| fact.prior.map(|prior| prior.low)),
        "or_high" => per_session(&|fact| fact.opening_range.map(|range| range.0)),
        "or_low" => per_session(&|fact| fact.opening_range.map(|range| range.1)),
    )
}

/// The trend of `k`-minute bars anchored at the open. A bar is known when its slot has ended, even
/// if its last trade came earlier; a slot without trades makes no bar.
fn slots(base: &DataFrame, k: i32) -> PolarsResult<Slots> {
    let slot = || col("session") * lit(1000) + col("minute") - col("minute") % lit(k);
    // The last bar of its slot: the next one lies in another. It is used from the slot's end on only.
    let is_last = slot().neq(slot().shift(lit(-1))).fill_null(lit(true));
    let minutes_to_end = lit(k - 1) - col("minute") % lit(k);
    let frame = base
        .clone()
        .lazy()
        .filter(is_last)
        .select_seq([
            (col("ends") + minutes_to_end.cast(DataType::Int64) * lit(MINUTE_NS)).alias("known_at"),
            trend::expr(col("close") * col("scale")).alias("code"),
        ])
        .collect()?;
    let known_at = frame.column("known_at")?.i64()?.iter().flatten().collect();
    let codes = frame.column("code")?.i32()?.iter().collect();
    Ok(Slots { known_at, codes })
}
