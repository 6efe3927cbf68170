//! Option prices: the rate they are discounted at, and from a ticker's volatility to the skewed smile
//! its options are quoted at.

/// Continuously compounded, per year. There are no dividends.
pub(super) const RATE: f64 = 0.04;

/// Implied volatility at `strike`: a skew towards the downside, wings that curve up, and a term
/// structure that flattens.
pub(super) fn smile(annual_vol: f64, spot: f64, strike: f64, years: f64) -> f64 {
    // Moneyness in standard deviations, with a floor of one day under the time that scales it.
    let scale = annual_vol * years.max(1.0 / 365.25).sqrt();
    let moneyness = ((strike / spot).ln() / scale).clamp(-4.0, 4.0);
    let term = 1.0 + 0.06 * (-8.0 * years).exp();
    (annual_vol * term * (1.0 - 0.07 * moneyness + 0.018 * moneyness * moneyness)).max(0.04)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downside_strikes_are_dearer_than_upside_ones() {
        assert!(smile(0.3, 100.0, 90.0, 0.1) > smile(0.3, 100.0, 110.0, 0.1));
    }
}
