//! Black-Scholes: from spot, strike, time, volatility and rate to an option's value and delta, and
//! from a price back to the volatility it implies.
//!
//! The formula is for European options on a share that pays no dividend before expiry; listed equity
//! options are American. A call without dividends is never worth exercising early, so for it that
//! makes no difference. A put may be, so it costs a little more than the formula says: the
//! volatility implied by its price comes out high, the more so the deeper it is in the money, and a
//! call's comes out low when a dividend is still to come.

use chrono::{Days, NaiveDate};

use super::CallPut;
use crate::time::{Calendar, SECOND_NS, Ts, exchange_midnight};

/// A year of 365.25 days of 24 hours: weekends and nights pass like any other time.
pub const YEAR_SECONDS: f64 = 365.25 * 86_400.0;

/// Volatilities outside these bounds say more about the price than about the option.
const LEAST_IV: f64 = 0.01;
const MOST_IV: f64 = 10.0;
/// A step smaller than this, in volatility, ends the search.
const TOLERANCE: f64 = 1e-9;
/// Halving the bounds takes 34 steps down to the tolerance; Newton's usually take five.
const MOST_STEPS: usize = 100;
/// From the fallback close, 16:00, to the midnight after it.
const CLOSE_TO_MIDNIGHT_SECONDS: i64 = 8 * 3600;

/// What the formula gives: dollars per share, and their derivative by the spot price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionValue {
    pub price: f64,
    pub delta: f64,
}

/// What a price implies. `iv` is per year, as a fraction: 0.2 is 20 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Greeks {
    pub iv: f64,
    pub delta: f64,
}

/// The value of a European option; `years` and `vol` positive, `rate` continuously compounded per year.
pub fn black_scholes(
    call_put: CallPut,
    spot: f64,
    strike: f64,
    years: f64,
    vol: f64,
    rate: f64,
) -> OptionValue {
    let deviation = vol * years.sqrt();
    let d1 = d1(spot, strike, years, deviation, rate);
    let discounted = strike * (-rate * years).exp();
    let (n1, n2) = (normal_cdf(d1), normal_cdf(d1 - deviation));
    match call_put {
        CallPut::Call => OptionValue {
            price: (spot * n1 - discounted * n2).max(0.0),
            delta: n1,
        },
        CallPut::Put => OptionValue {
            price: (discounted * (1.0 - n2) - spot * (1.0 - n1)).max(0.0),
            delta: n1 - 1.0,
        },
    }
}

/// The volatility at which [`black_scholes`] gives `price`, found to within 1e-9, and the delta there.
///
/// `None` when there is none: no time left, a price at or below what exercise is worth today
/// (discounted), at or above what the option can be worth at most (the share, or the discounted
/// strike), or a volatility outside 0.01 to 10. Newton's steps where they stay inside the bracket,
/// halving where they do not, so it always ends.
pub fn implied(
    call_put: CallPut,
    price: f64,
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
) -> Option<Greeks> {
    let discounted = strike * (-rate * years).exp();
    let (intrinsic, most) = match call_put {
        CallPut::Call => (spot - discounted, spot),
        CallPut::Put => (discounted - spot, discounted),
    };
    let is_sensible = years > 0.0 && spot > 0.0 && strike > 0.0;
    let is_inside = intrinsic.max(0.0) < price && price < most;
    if !is_sensible || !is_inside {
        return None;
    }
    let value = |vol| black_scholes(call_put, spot, strike, years, vol, rate);
    let (mut low, mut high) = (LEAST_IV, MOST_IV);
    if price < value(low).price || value(high).price < price {
        return None;
    }
    // Where the value bends as a function of volatility: Newton's steps from there do not overshoot.
    let bend = (2.0 * (spot / discounted).ln().abs() / years).sqrt();
    let mut vol = bend.clamp(low, high);
    for _ in 0..MOST_STEPS {
        let miss = value(vol).price - price;
        if miss < 0.0 {
            low = vol;
        } else {
            high = vol;
        }
        let newton = vol - miss / vega(spot, strike, years, vol, rate);
        let next = if low <= newton && newton <= high {
            newton
        } else {
            (low + high) / 2.0
        };
        let step = (next - vol).abs();
        vol = next;
        if step < TOLERANCE {
            let delta = value(vol).delta;
            return Some(Greeks { iv: vol, delta });
        }
    }
    None
}

/// Years from `ts` to the last moment the option trades: the close of its expiry's session, or 16:00
/// in New York where the calendar has no session. Negative after it.
pub fn years_to_expiry(ts: Ts, expiry: NaiveDate, calendar: &Calendar) -> f64 {
    let close = calendar.session_on(expiry).map_or_else(
        // Counted back from the next midnight: clocks change early in the morning.
        || exchange_midnight(expiry + Days::new(1)).plus_seconds(-CLOSE_TO_MIDNIGHT_SECONDS),
        |session| session.close,
    );
    close.ns_since(ts) as f64 / SECOND_NS as f64 / YEAR_SECONDS
}

fn d1(spot: f64, strike: f64, years: f64, deviation: f64, rate: f64) -> f64 {
    ((spot / strike).ln() + rate * years) / deviation + 0.5 * deviation
}

/// The value's derivative by volatility, the same for call and put.
fn vega(spot: f64, strike: f64, years: f64, vol: f64, rate: f64) -> f64 {
    let root = years.sqrt();
    spot * normal_density(d1(spot, strike, years, vol * root, rate)) * root
}

fn normal_density(x: f64) -> f64 {
    0.398_942_280_401_432_7 * (-0.5 * x * x).exp()
}

/// Abramowitz and Stegun 26.2.17, good to 7.5e-8: far below a cent at any price of a share.
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let tail = normal_density(x) * t * series.iter().rev().fold(0.0, |sum, c| sum * t + c);
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    use CallPut::{Call, Put};

    /// Spot, strike, years, volatility, rate.
    type Terms = [f64; 5];

    fn value(call_put: CallPut, terms: Terms) -> OptionValue {
        let [spot, strike, years, vol, rate] = terms;
        black_scholes(call_put, spot, strike, years, vol, rate)
    }

    #[test]
    fn published_prices_come_out() {
        // Hull's, Haug's, and those of any text book, with half of their last digit.
        for (call_put, terms, price, tolerance) in [
            (Call, [42.0, 40.0, 0.5, 0.2, 0.1], 4.76, 0.005),
            (Put, [42.0, 40.0, 0.5, 0.2, 0.1], 0.81, 0.005),
            (Call, [49.0, 50.0, 20.0 / 52.0, 0.2, 0.05], 2.40, 0.005),
            (Call, [60.0, 65.0, 0.25, 0.3, 0.08], 2.1334, 5e-5),
            (Call, [100.0, 100.0, 1.0, 0.2, 0.05], 10.4506, 5e-5),
            (Put, [100.0, 100.0, 1.0, 0.2, 0.05], 5.5735, 5e-5),
            (Call, [100.0, 100.0, 1.0, 0.2, 0.04], 9.925, 5e-4),
        ] {
            let found = value(call_put, terms);
            assert!(
                (found.price - price).abs() < tolerance,
                "{terms:?}: {found:?}, {price}"
            );
        }
        // Hull's hedger holds 0.522 shares for each option sold.
        let hedged = value(Call, [49.0, 50.0, 20.0 / 52.0, 0.2, 0.05]);
        assert!((hedged.delta - 0.522).abs() < 5e-4, "{hedged:?}");
        // And a call at 1.875 implies 23.5 %.
        let greeks = implied(Call, 1.875, 21.0, 20.0, 0.25, 0.1).unwrap();
        assert!((greeks.iv - 0.235).abs() < 5e-4, "{greeks:?}");
    }

    #[test]
    fn calls_and_puts_obey_parity_and_deltas_stay_in_range() {
        for strike in [60.0, 95.0, 100.0, 105.0, 150.0] {
            for years in [3e-5, 0.003, 0.08, 0.25] {
                let terms = [100.0, strike, years, 0.35, 0.04];
                let (call, put) = (value(Call, terms), value(Put, terms));
                let forward = 100.0 - strike * f64::exp(-0.04 * years);
                assert!((call.price - put.price - forward).abs() < 1e-4, "{terms:?}");
                assert!((0.0..=1.0).contains(&call.delta) && (-1.0..=0.0).contains(&put.delta));
                assert!((call.delta - put.delta - 1.0).abs() < 1e-9);
            }
        }
    }

    /// Whether the price made from `terms` was led back to them; `false` where it tells nothing of them.
    fn is_led_back(call_put: CallPut, terms: Terms) -> bool {
        let [spot, strike, years, vol, rate] = terms;
        // A tenth of a cent would be more than a hundredth of volatility.
        if vega(spot, strike, years, vol, rate) < 0.1 {
            return false;
        }
        let made = value(call_put, terms);
        let found = implied(call_put, made.price, spot, strike, years, rate);
        let found = found.unwrap_or_else(|| panic!("{call_put} {terms:?} has none"));
        assert!(
            (found.iv - vol).abs() < 1e-6,
            "{call_put} {terms:?}: {found:?}"
        );
        assert!(
            (found.delta - made.delta).abs() < 1e-5,
            "{call_put} {terms:?}: {found:?}"
        );
        true
    }

    #[test]
    fn a_price_leads_back_to_its_volatility() {
        let mut tried = 0;
        for strike in [40.0, 70.0, 90.0, 97.5, 100.0, 101.0, 110.0, 140.0, 250.0] {
            for years in [5e-5, 0.003, 0.02, 0.12, 1.0, 2.5] {
                for vol in [0.011, 0.05, 0.12, 0.3, 0.8, 2.0, 6.0, 9.9] {
                    for rate in [0.0, 0.04, -0.005] {
                        let terms = [100.0, strike, years, vol, rate];
                        tried += u32::from(is_led_back(Call, terms));
                        tried += u32::from(is_led_back(Put, terms));
                    }
                }
            }
        }
        assert!(tried > 1_000, "{tried}");
    }

    #[test]
    fn whatever_is_found_explains_the_price() {
        for call_put in [Call, Put] {
            for strike in (40..=200).step_by(8).map(f64::from) {
                for days in [0.01, 0.5, 3.0, 40.0, 400.0] {
                    for cents in (1..6_000).step_by(37) {
                        let (price, years) = (f64::from(cents) / 100.0, days / 365.25);
                        let Some(found) = implied(call_put, price, 100.0, strike, years, 0.04)
                        else {
                            continue;
                        };
                        let again = black_scholes(call_put, 100.0, strike, years, found.iv, 0.04);
                        assert!(
                            (again.price - price).abs() < 1e-5,
                            "{strike} {days} {price}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_no_volatility_explains_has_none() {
        let discounted = 90.0 * f64::exp(-0.04);
        for (call_put, price, years, why) in [
            (Call, 100.0 - discounted, 1.0, "at what exercise is worth"),
            (Call, 9.0, 1.0, "below it"),
            (Call, 100.0, 1.0, "as dear as the share"),
            (Put, discounted, 1.0, "as dear as the strike"),
            (Put, 0.0, 1.0, "for nothing"),
            (Call, 12.0, 0.0, "no time left"),
            (Call, 12.0, -0.1, "expired"),
            (Call, f64::NAN, 1.0, "no price"),
            (Call, 12.0, f64::NAN, "no time"),
            (Put, 60.0, 1e-4, "more than tenfold a year"),
        ] {
            let found = implied(call_put, price, 100.0, 90.0, years, 0.04);
            assert_eq!(found, None, "{why}");
        }
        // At the money for a year, a hundredth of volatility is worth 0.40 already.
        assert_eq!(implied(Call, 0.1, 100.0, 100.0, 1.0, 0.0), None);
        assert_eq!(implied(Call, 1.0, 0.0, 90.0, 1.0, 0.04), None);
    }

    #[test]
    fn time_runs_to_the_close_of_the_expiry() {
        let calendar = Calendar::shipped();
        let hours = |from: &str, expiry: &str| {
            let from = Ts::parse_rfc3339(from).unwrap();
            let years = years_to_expiry(from, expiry.parse().unwrap(), &calendar);
            (years * YEAR_SECONDS / 3600.0 * 1e6).round() / 1e6
        };
        let fridays = [
            ("2025-03-14T14:00:00Z", "2025-03-14", 6.0),
            ("2025-03-07T15:00:00Z", "2025-03-14", 173.0),
            ("2025-03-14T21:00:00Z", "2025-03-14", -1.0),
        ];
        // A half day ends at 13:00; a Saturday, or a day past the calendar, at 16:00, as does the
        // Sunday on which the clocks change.
        let others = [
            ("2025-11-28T15:00:00Z", "2025-11-28", 3.0),
            ("2025-03-14T20:00:00Z", "2025-03-15", 24.0),
            ("2031-01-17T15:00:00Z", "2031-01-17", 6.0),
            ("2025-03-09T15:00:00Z", "2025-03-09", 5.0),
        ];
        for (from, expiry, expected) in fridays.into_iter().chain(others) {
            assert_eq!(hours(from, expiry), expected, "{from} to {expiry}");
        }
    }
}
