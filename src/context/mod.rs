//! Context: from bars to what the market looked like at an instant.
//!
//! What depends only on bars is a column, computed once per ticker over the regular bars of the run
//! and its warm-up: `vwap`, `levels`, `trend` and `rvol` each make theirs with polars' kernels,
//! [`Frames`] holds them. What an event sees is the last row that had *ended* by its
//! `available_at`: [`AsOf`] walks the columns forward as events arrive. A live stream builds the
//! same frame over a rolling window of bars.
//!
//! Three clocks meet here, and a halt tells them apart: per-bar columns stand still with the last
//! bar; a k-minute bar is complete when its slot has ended, traded or not; RVOL and volatility
//! follow the minute of the session.

mod asof;
mod carry;
mod columns;
mod grid;
mod kernels;
mod levels;
mod regime;
mod rvol;
mod sessions;
mod splits;
mod trend;
mod vwap;

pub use asof::AsOf;
pub use carry::Carry;
pub use columns::{ContextSettings, Frames};
pub use regime::{Market, Proxy, ProxyCarry, ProxyWindow};
pub use splits::Splits;

use crate::flow::text_enum;
use serde::{Deserialize, Serialize};

text_enum! {
    /// A fast average above, below or exactly on the slow one.
    Trend { Up = "UP", Down = "DOWN", Flat = "FLAT" }
}

text_enum! {
    RegimeTrend { Up = "UP", Down = "DOWN", Flat = "FLAT", Unknown = "UNKNOWN" }
}

text_enum! {
    RegimeVolatility { Low = "LOW", Medium = "MEDIUM", Elevated = "ELEVATED", High = "HIGH", Unknown = "UNKNOWN" }
}

/// Everything known of the market when an event became available. Prices in dollars per share, in
/// the basis of the event's day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Context {
    /// Ordinal of the session of the event's `ts` in the calendar; memories count in sessions.
    pub session: u32,
    /// Likewise for `available_at`.
    pub arrival_session: u32,
    /// Calendar days from the event's exchange date to expiry.
    pub dte: i32,
    pub spot: Option<f64>,
    pub otm_pct: Option<f64>,
    pub vwap: Option<f64>,
    pub rvol: Option<f64>,
    pub trend_1m: Option<Trend>,
    pub trend_5m: Option<Trend>,
    pub trend_15m: Option<Trend>,
    pub trend_daily: Option<Trend>,
    pub prior_high: Option<f64>,
    pub prior_low: Option<f64>,
    pub or_high: Option<f64>,
    pub or_low: Option<f64>,
    pub high_30: Option<f64>,
    pub low_30: Option<f64>,
    pub breaking_up: Option<bool>,
    pub breaking_down: Option<bool>,
    pub day_high: Option<f64>,
    pub day_low: Option<f64>,
    pub prev_close: Option<f64>,
    pub last_close: Option<f64>,
    pub regime_trend: RegimeTrend,
    pub regime_volatility: RegimeVolatility,
}

impl Context {
    /// Nothing is known.
    pub const UNKNOWN: Context = Context {
        session: 0,
        arrival_session: 0,
        dte: 0,
        spot: None,
        otm_pct: None,
        vwap: None,
        rvol: None,
        trend_1m: None,
        trend_5m: None,
        trend_15m: None,
        trend_daily: None,
        prior_high: None,
        prior_low: None,
        or_high: None,
        or_low: None,
        high_30: None,
        low_30: None,
        breaking_up: None,
        breaking_down: None,
        day_high: None,
        day_low: None,
        prev_close: None,
        last_close: None,
        regime_trend: RegimeTrend::Unknown,
        regime_volatility: RegimeVolatility::Unknown,
    };

    /// `None` when spot or VWAP is unknown.
    pub fn above_vwap(&self) -> Option<bool> {
        Some(self.spot? > self.vwap?)
    }

    /// `None` when spot or VWAP is unknown.
    pub fn below_vwap(&self) -> Option<bool> {
        Some(self.spot? < self.vwap?)
    }
}

/// Distance of the strike from the price in percent of the price; in the money counts too.
pub fn otm_pct(strike: f64, spot: f64) -> f64 {
    (strike - spot).abs() / spot * 100.0
}
