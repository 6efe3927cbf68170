//! Trend: EMA(9) against EMA(21) of closes.

use polars::prelude::*;

use super::Trend;

const FAST: usize = 9;
const SLOW: usize = 21;

/// An exponential average with α = 2 / (n + 1), seeded with the first value; null before `SLOW`
/// values, so that both averages begin together.
fn ema(close: Expr, n: usize) -> Expr {
    let alpha = 2.0 / (n as f64 + 1.0);
    close.ewm_mean(EWMOptions {
        alpha,
        adjust: false,
        bias: false,
        min_periods: SLOW,
        ignore_nulls: true,
    })
}

/// 1 for up, −1 for down, 0 for exactly equal averages, null before 21 bars. `close` must be in one
/// basis throughout; which one does not matter, for a common factor changes no comparison.
pub fn expr(close: Expr) -> Expr {
    let (fast, slow) = (ema(close.clone(), FAST), ema(close, SLOW));
    fast.clone().gt(slow.clone()).cast(DataType::Int32) - fast.lt(slow).cast(DataType::Int32)
}

pub fn from_code(code: Option<i32>) -> Option<Trend> {
    match code? {
        1 => Some(Trend::Up),
        -1 => Some(Trend::Down),
        _ => Some(Trend::Flat),
    }
}
