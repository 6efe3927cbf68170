//! Option prices: from spot, strike, time and volatility to a Black-Scholes value and its delta, and
//! from a ticker's volatility to the skewed smile its options are quoted at.

use crate::flow::CallPut;

/// Continuously compounded, per year. There are no dividends.
pub(super) const RATE: f64 = 0.04;
pub(super) const YEAR_SECONDS: f64 = 365.25 * 86_400.0;

/// Value in dollars per share, and its derivative by the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    pub price: f64,
    pub delta: f64,
}

/// Black-Scholes for a European option; `years` and `vol` positive.
pub(super) fn black_scholes(
    call_put: CallPut,
    spot: f64,
    strike: f64,
    years: f64,
    vol: f64,
) -> Value {
    let deviation = vol * years.sqrt();
    let d1 = ((spot / strike).ln() + RATE * years) / deviation + 0.5 * deviation;
    let discounted = strike * (-RATE * years).exp();
    let (n1, n2) = (normal_cdf(d1), normal_cdf(d1 - deviation));
    match call_put {
        CallPut::Call => Value {
            price: (spot * n1 - discounted * n2).max(0.0),
            delta: n1,
        },
        CallPut::Put => Value {
            price: (discounted * (1.0 - n2) - spot * (1.0 - n1)).max(0.0),
            delta: n1 - 1.0,
        },
    }
}

/// Implied volatility at `strike`: a skew towards the downside, wings that curve up, and a term
/// structure that flattens.
pub(super) fn smile(annual_vol: f64, spot: f64, strike: f64, years: f64) -> f64 {
    // Moneyness in standard deviations, with a floor of one day under the time that scales it.
    let scale = annual_vol * years.max(1.0 / 365.25).sqrt();
    let moneyness = ((strike / spot).ln() / scale).clamp(-4.0, 4.0);
    let term = 1.0 + 0.06 * (-8.0 * years).exp();
    (annual_vol * term * (1.0 - 0.07 * moneyness + 0.018 * moneyness * moneyness)).max(0.04)
}

/// Abramowitz and Stegun 26.2.17, good to 7.5e-8.
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let density = 0.398_942_280_401_432_7 * (-0.5 * x * x).exp();
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let tail = density * t * series.iter().rev().fold(0.0, |sum, c| sum * t + c);
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_puts_obey_parity_and_deltas_stay_in_range() {
        for strike in [60.0, 95.0, 100.0, 105.0, 150.0] {
            for days in [0.01, 1.0, 30.0, 90.0] {
                let years = days / 365.25;
                let vol = smile(0.35, 100.0, strike, years);
                let call = black_scholes(CallPut::Call, 100.0, strike, years, vol);
                let put = black_scholes(CallPut::Put, 100.0, strike, years, vol);
                let forward = 100.0 - strike * (-RATE * years).exp();
                assert!(
                    (call.price - put.price - forward).abs() < 1e-4,
                    "{strike} in {days} days"
                );
                assert!((0.0..=1.0).contains(&call.delta) && (-1.0..=0.0).contains(&put.delta));
                assert!((call.delta - put.delta - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_textbook_call_has_its_textbook_price() {
        // Spot 100, strike 100, one year, 20 %, 4 %: 9.925.
        let call = black_scholes(CallPut::Call, 100.0, 100.0, 1.0, 0.2);
        assert!((call.price - 9.925).abs() < 1e-3, "{}", call.price);
    }

    #[test]
    fn downside_strikes_are_dearer_than_upside_ones() {
        assert!(smile(0.3, 100.0, 90.0, 0.1) > smile(0.3, 100.0, 110.0, 0.1));
    }
}
