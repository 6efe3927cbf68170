//! Trend: EMA(9) against EMA(21) of closes.

use polars::prelude::*;

use super::Trend;
use super::asof::count_until;
use super::kernels::whole;

const FAST: usize = 9;
const SLOW: usize = 21;

/// The trend after each close; `None` before 21 of them. `closes` must be in one basis throughout;
/// which one does not matter, for a common factor changes no comparison.
pub fn trends(closes: &[f64]) -> PolarsResult<Vec<Option<Trend>>> {
    let (fast, slow) = (ema(closes, FAST)?, ema(closes, SLOW)?);
    let trend = |(fast, slow): (&f64, &f64)| match fast.partial_cmp(slow)? {
        std::cmp::Ordering::Greater => Some(Trend::Up),
        std::cmp::Ordering::Less => Some(Trend::Down),
        std::cmp::Ordering::Equal => Some(Trend::Flat),
    };
    Ok(fast.iter().zip(&slow).map(trend).collect())
}

/// An exponential average with α = 2 / (n + 1), seeded with the first value; NaN before `SLOW`
/// values, so that both averages begin together.
fn ema(closes: &[f64], n: usize) -> PolarsResult<Vec<f64>> {
    let alpha = 2.0 / (n as f64 + 1.0);
    let options = EWMOptions {
        alpha,
        adjust: false,
        bias: false,
        min_periods: SLOW,
        ignore_nulls: true,
    };
    whole(closes, |series| ewm_mean(series, options))
}

/// A trend and the instants from which on its values are known.
#[derive(Default)]
pub struct TrendSteps {
    known_at: Vec<i64>,
    trends: Vec<Option<Trend>>,
}

impl TrendSteps {
    /// `closes[i]` is known from `known_at[i]` on, nanoseconds, ascending.
    pub fn new(known_at: Vec<i64>, closes: &[f64]) -> PolarsResult<TrendSteps> {
        Ok(TrendSteps {
            known_at,
            trends: trends(closes)?,
        })
    }

    /// The trend at `t`, nanoseconds.
    pub fn at(&self, t: i64) -> Option<Trend> {
        self.from(&mut 0, t)
    }

    /// [`TrendSteps::at`] for a `t` that only moves forward: `known` steps were known last time.
    pub fn from(&self, known: &mut usize, t: i64) -> Option<Trend> {
        *known += count_until(&self.known_at[*known..], t);
        self.trends[known.checked_sub(1)?]
    }
}
