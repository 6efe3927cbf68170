//! What a synthetic market is made from: its size and seed, and the lasting traits of each ticker.

use chrono::NaiveDate;
use rand::RngExt;

use super::random::{character, log_uniform, normal};

/// The drift that is planted unless another is asked for, percent.
pub const DEFAULT_EDGE_PCT: f64 = 0.6;

/// Size, seed and edge of a market.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    pub seed: u64,
    pub tickers: Vec<String>,
    /// The first session with flow is the first one on or after this date.
    pub start: NaiveDate,
    /// Sessions with flow.
    pub sessions: usize,
    /// Sessions of minute bars before the flow begins. Of 22 at least 20 are full ones.
    pub warmup_sessions: usize,
    /// Sessions of daily bars before the flow begins.
    pub daily_warmup: usize,
    /// Mean number of events per ticker and full session.
    pub events_per_day: u32,
    /// Percent of drift after an informed event; 0 switches the edge off.
    pub edge_pct: f64,
    /// Events below this many dollars are counted but not handed out.
    pub min_notional: f64,
}

impl Params {
    /// Defaults for everything that is not a matter of size.
    pub fn new(seed: u64, tickers: Vec<String>, start: NaiveDate, sessions: usize) -> Params {
        Params {
            seed,
            tickers,
            start,
            sessions,
            warmup_sessions: 22,
            daily_warmup: 300,
            events_per_day: 500,
            edge_pct: DEFAULT_EDGE_PCT,
            min_notional: 10_000.0,
        }
    }
}

/// Which expiries a ticker lists besides weekly and monthly Fridays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Daily,
    MondayWednesdayFriday,
    Weekly,
}

impl Listing {
    /// Strikes listed on each side of the price in fine steps.
    pub(super) fn strikes_each_side(self) -> i64 {
        match self {
            Listing::Daily => 20,
            Listing::MondayWednesdayFriday => 14,
            Listing::Weekly => 9,
        }
    }
}

/// The lasting traits of a ticker. Volatilities are per session, as a fraction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub price: f64,
    pub beta_market: f64,
    pub beta_tech: f64,
    pub own_vol: f64,
    /// Shares in an ordinary full session.
    pub daily_volume: f64,
    pub listing: Listing,
    /// Option spread as a fraction of the mid.
    pub spread: f64,
}

struct Known {
    ticker: &'static str,
    price: f64,
    beta_market: f64,
    beta_tech: f64,
    own_vol: f64,
    millions: f64,
    listing: Listing,
}

const fn known(
    ticker: &'static str,
    price: f64,
    (beta_market, beta_tech): (f64, f64),
    own_vol: f64,
    millions: f64,
    listing: Listing,
) -> Known {
    Known {
        ticker,
        price,
        beta_market,
        beta_tech,
        own_vol,
        millions,
        listing,
    }
}

use Listing::{Daily, MondayWednesdayFriday as Mwf, Weekly};

/// Names a reader knows, roughly as they behave.
const KNOWN: [Known; 16] = [
    known("SPY", 560.0, (1.0, 0.05), 0.0006, 62.0, Daily),
    known("QQQ", 480.0, (1.05, 1.0), 0.0012, 38.0, Daily),
    known("AAPL", 225.0, (1.1, 0.7), 0.010, 52.0, Mwf),
    known("TSLA", 260.0, (1.6, 1.3), 0.027, 95.0, Mwf),
    known("NVDA", 480.0, (1.6, 1.9), 0.020, 60.0, Mwf),
    known("AMD", 150.0, (1.5, 1.7), 0.021, 45.0, Mwf),
    known("META", 520.0, (1.2, 1.1), 0.015, 14.0, Mwf),
    known("AMZN", 190.0, (1.2, 1.1), 0.012, 40.0, Mwf),
    known("MSFT", 420.0, (1.0, 0.9), 0.008, 21.0, Mwf),
    known("GOOGL", 170.0, (1.1, 0.9), 0.011, 27.0, Mwf),
    known("IWM", 220.0, (1.15, 0.0), 0.006, 28.0, Daily),
    known("NFLX", 640.0, (1.1, 0.9), 0.016, 4.0, Weekly),
    known("COIN", 210.0, (1.6, 1.6), 0.036, 9.0, Weekly),
    known("PLTR", 38.0, (1.5, 1.5), 0.027, 60.0, Weekly),
    known("BAC", 40.0, (1.1, -0.3), 0.009, 35.0, Weekly),
    known("XOM", 115.0, (0.8, -0.6), 0.010, 15.0, Weekly),
];

/// `count` tickers: SPY, QQQ and other names a reader knows, then T000, T001 and so on.
pub fn default_tickers(count: usize) -> Vec<String> {
    let known = KNOWN.iter().map(|k| k.ticker.to_owned());
    known
        .chain((0..).map(|n| format!("T{n:03}")))
        .take(count)
        .collect()
}

impl Profile {
    /// The traits of `ticker`: from the table of known names, else drawn from its name.
    pub(super) fn of(ticker: &str) -> Profile {
        KNOWN
            .iter()
            .find(|k| k.ticker == ticker)
            .map_or_else(|| Profile::drawn(ticker), Profile::from_known)
    }

    fn from_known(known: &Known) -> Profile {
        Profile {
            price: known.price,
            beta_market: known.beta_market,
            beta_tech: known.beta_tech,
            own_vol: known.own_vol,
            daily_volume: known.millions * 1e6,
            listing: known.listing,
            spread: if known.listing == Daily { 0.012 } else { 0.025 },
        }
    }

    fn drawn(ticker: &str) -> Profile {
        let mut rng = character(ticker);
        Profile {
            price: log_uniform(&mut rng, 18.0, 420.0),
            beta_market: (1.05 + 0.3 * normal(&mut rng)).clamp(0.3, 2.0),
            beta_tech: (0.3 + 0.6 * normal(&mut rng)).clamp(-0.8, 1.8),
            own_vol: log_uniform(&mut rng, 0.009, 0.032),
            daily_volume: log_uniform(&mut rng, 1.2e5, 2.5e7),
            listing: Weekly,
            spread: 0.03 + 0.04 * rng.random::<f64>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_tickers_start_with_the_market_and_are_valid_roots() {
        let tickers = default_tickers(3000);
        assert_eq!(tickers[..2], ["SPY", "QQQ"]);
        assert!(
            tickers
                .iter()
                .all(|t| t.len() <= 6 && t.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
        assert_eq!(
            tickers
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            3000
        );
    }

    #[test]
    fn a_ticker_keeps_its_traits_whoever_else_is_listed() {
        assert_eq!(Profile::of("T017").price, Profile::of("T017").price);
        assert_ne!(Profile::of("T017").price, Profile::of("T018").price);
    }
}
