//! VWAP: the day's volume-weighted price so far, over regular bars.

use polars::prelude::*;

use super::kernels::in_sessions;
use super::sessions::SessionFacts;
use crate::store::Bars;

/// The day's volume and its average price, bar by bar.
pub struct Vwap {
    /// Σ(price · volume) ÷ Σ(volume) since the open; NaN while nothing has traded.
    pub vwap: Vec<f64>,
    /// Shares since the open.
    pub cumulative_volume: Vec<f64>,
}

impl Vwap {
    pub fn new(bars: &Bars, sessions: &[SessionFacts]) -> PolarsResult<Vwap> {
        let rows = || sessions.iter().map(|fact| &fact.rows);
        let sum = |series: &Series| cum_sum(series, false);
        let dollars: Vec<f64> = bars
            .price
            .iter()
            .zip(&bars.volume)
            .map(|(p, v)| p * v)
            .collect();
        let dollars = in_sessions(&dollars, rows(), sum)?;
        let cumulative_volume = in_sessions(&bars.volume, rows(), sum)?;
        // Nothing over nothing is NaN already.
        let vwap = dollars
            .iter()
            .zip(&cumulative_volume)
            .map(|(dollars, volume)| dollars / volume);
        Ok(Vwap {
            vwap: vwap.collect(),
            cumulative_volume,
        })
    }
}
