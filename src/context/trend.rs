//! Trend: EMA(9) against EMA(21) of closes.

use polars::prelude::*;

use super::Trend;
use super::asof::count_until;
use super::kernels::whole;

const FAST: usize = 9;
const SLOW: usize = 21;

/// Both averages after a close, and how many closes they are made of. An average needs nothing else
/// to go on, so a window that begins here arrives at the same bits as one that began long before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Averages {
    fast: f64,
    slow: f64,
    closes: usize,
}

/// The trend after each close; `None` before 21 of them. `closes` must be in one basis throughout;
/// which one does not matter, for a common factor changes no comparison.
pub fn trends(closes: &[f64]) -> PolarsResult<Vec<Option<Trend>>> {
    let (trends, _) = trends_after(Averages::default(), closes)?;
    Ok(trends)
}

/// [`trends`] of closes that follow those in `before`, and the averages after the last.
fn trends_after(before: Averages, closes: &[f64]) -> PolarsResult<(Vec<Option<Trend>>, Averages)> {
    let seed = |average: f64| (before.closes > 0).then_some(average);
    let fast = ema(seed(before.fast), closes, FAST)?;
    let slow = ema(seed(before.slow), closes, SLOW)?;
    // Both begin together.
    let unknown = SLOW.saturating_sub(before.closes + 1);
    let trend = |(place, (fast, slow)): (usize, (&f64, &f64))| match fast
        .partial_cmp(slow)
        .filter(|_| place >= unknown)?
    {
        std::cmp::Ordering::Greater => Some(Trend::Up),
        std::cmp::Ordering::Less => Some(Trend::Down),
        std::cmp::Ordering::Equal => Some(Trend::Flat),
    };
    let after = match (fast.last(), slow.last()) {
        (Some(fast), Some(slow)) => Averages {
            fast: *fast,
            slow: *slow,
            closes: before.closes + closes.len(),
        },
        _ => before,
    };
    let trends = fast.iter().zip(&slow).enumerate().map(trend).collect();
    Ok((trends, after))
}

/// An exponential average with α = 2 / (n + 1), seeded with the average before or the first value.
fn ema(before: Option<f64>, closes: &[f64], n: usize) -> PolarsResult<Vec<f64>> {
    let alpha = 2.0 / (n as f64 + 1.0);
    let options = EWMOptions {
        alpha,
        adjust: false,
        bias: false,
        min_periods: 1,
        ignore_nulls: true,
    };
    let kernel = |series: &Series| ewm_mean(series, options);
    match before {
        None => whole(closes, kernel),
        Some(before) => {
            let seeded: Vec<f64> = [before].iter().chain(closes).copied().collect();
            let mut averages = whole(&seeded, kernel)?;
            averages.remove(0);
            Ok(averages)
        }
    }
}

/// A trend and the instants from which on its values are known.
#[derive(Default)]
pub struct TrendSteps {
    known_at: Vec<i64>,
    trends: Vec<Option<Trend>>,
}

/// Where a trend stands at the end of a window: its last step, and what the next one needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrendCarry {
    step: Option<(i64, Option<Trend>)>,
    averages: Averages,
}

impl TrendSteps {
    /// `closes[i]` is known from `known_at[i]` on, nanoseconds, ascending; all of them after what
    /// `before` carries. Returns the steps and what they carry on.
    pub fn after(
        before: &TrendCarry,
        known_at: Vec<i64>,
        closes: &[f64],
    ) -> PolarsResult<(TrendSteps, TrendCarry)> {
        let (trends, averages) = trends_after(before.averages, closes)?;
        let steps = match before.step {
            None => TrendSteps { known_at, trends },
            Some((at, trend)) => TrendSteps {
                known_at: [at].into_iter().chain(known_at).collect(),
                trends: [trend].into_iter().chain(trends).collect(),
            },
        };
        let last = steps.known_at.iter().zip(&steps.trends).next_back();
        let carry = TrendCarry {
            step: last.map(|(at, trend)| (*at, *trend)),
            averages,
        };
        Ok((steps, carry))
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
