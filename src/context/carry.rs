//! Carry: what the sessions before a window leave behind, so that the window's columns can be computed
//! anew each minute without them.
//!
//! ```text
//!   300 days, 26 sessions of minutes │ today
//!   ───────────── carry ─────────────┤ ▏▏▏▏▏▏▏▏ ← Frames::following, once per closed minute
//! ```
//!
//! Nothing that a context says depends on where the carry was cut: averages go on from their last
//! value, means of past sessions do not change within a day, all else begins anew each session.

use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;
use polars::prelude::*;

use super::columns::{ContextSettings, k_minute_trend};
use super::rvol::Baseline;
use super::sessions;
use super::splits::Splits;
use super::trend::TrendCarry;
use crate::store::{Bars, DailyBar};
use crate::time::{Calendar, Ts};

/// One ticker's past.
pub struct Carry {
    /// Day and close of the last regular bar.
    pub(super) last_regular: Option<(NaiveDate, f64)>,
    /// End and close of the last bar of all.
    pub(super) last_of_all: Option<(i64, f64)>,
    /// Of 1, 5 and 15 minutes.
    pub(super) trends: [TrendCarry; 3],
    /// Every day so far.
    pub(super) days: Vec<DailyBar>,
    pub(super) baseline: Arc<Baseline>,
}

impl Carry {
    /// Of a window that begins with the data.
    pub(super) fn none(baseline: Arc<Baseline>) -> Carry {
        Carry {
            last_regular: None,
            last_of_all: None,
            trends: Default::default(),
            days: Vec::new(),
            baseline,
        }
    }

    /// What `bars` and the `daily` bars leave to the last session of `span`, of which `bars` hold
    /// nothing yet.
    pub fn new(
        bars: &Bars,
        daily: &[DailyBar],
        splits: &Splits,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Carry> {
        let regular = bars.regular(&calendar.all()[span.clone()]);
        let facts = sessions::facts(&regular, daily, splits, calendar, span.clone(), None)?;
        let trend = |k| {
            let none = TrendCarry::default();
            k_minute_trend(&none, &regular, &facts, calendar, k).map(|(_, carry)| carry)
        };
        let last = |bars: &Bars| Some((*bars.ts.last()?, *bars.close.last()?));
        let day = |ts: i64| Ts::from_ns(ts).exchange_date();
        Ok(Carry {
            last_regular: last(&regular).map(|(ts, close)| (day(ts), close)),
            last_of_all: last(bars).map(|(ts, close)| (ts + crate::time::MINUTE_NS, close)),
            trends: [trend(1)?, trend(5)?, trend(15)?],
            days: sessions::days(&regular, daily, calendar, span),
            baseline: Arc::new(Baseline::new(&regular, &facts, calendar, settings)),
        })
    }
}
