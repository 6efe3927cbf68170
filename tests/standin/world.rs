//! What the stand-in serves: plain data, as the exchanges would have reported it.
//!
//! Prices of stocks are raw, option symbols carry their `O:`, instants are nanoseconds since 1970,
//! UTC. Whatever lies after `now` has not happened yet and is not served.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::new_york;

/// From this day on the vendor writes sizes as decimals too: beside the numbers over REST, in their
/// place in the flat files of stocks, where prices follow.
pub const DECIMALS_SINCE: NaiveDate = NaiveDate::from_ymd_opt(2026, 2, 23).expect("a date");

#[derive(Clone, Debug, Default)]
pub struct World {
    /// The instant at which the world stands when a server starts.
    pub now: i64,
    pub sessions: BTreeMap<NaiveDate, Hours>,
    /// By ticker.
    pub stocks: BTreeMap<String, Stock>,
}

/// The regular hours of a session: from `open` to before `close`.
#[derive(Clone, Copy, Debug)]
pub struct Hours {
    pub open: i64,
    pub close: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// In order of time, pre- and post-market included.
    pub minute_bars: BTreeMap<NaiveDate, Vec<Bar>>,
    pub daily_bars: BTreeMap<NaiveDate, Bar>,
    pub splits: Vec<Split>,
    /// By symbol, such as `O:TSLA250221C00245000`.
    pub contracts: BTreeMap<String, Contract>,
}

/// A bar in the prices of its day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Start of the window; of a daily bar: midnight in New York.
    pub ts: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
    pub vwap: f64,
    pub trades: i64,
}

/// `from` shares became `to` shares; `date` is the first day of the new count.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    pub date: NaiveDate,
    pub from: f64,
    pub to: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPut {
    Call,
    Put,
}

#[derive(Clone, Debug)]
pub struct Contract {
    pub root: String,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiration: NaiveDate,
    pub shares: i64,
    /// First and last day on which it is listed under this symbol. The last one lies before the
    /// expiration when a split renames the contract.
    pub listed: NaiveDate,
    pub delisted: NaiveDate,
    /// In order of time.
    pub prints: BTreeMap<NaiveDate, Vec<Print>>,
    /// In order of time.
    pub quotes: BTreeMap<NaiveDate, Vec<Quote>>,
    /// The figure *for* a session: known on the next morning.
    pub open_interest: BTreeMap<NaiveDate, i64>,
}

/// A report of the option tape. The vendor keeps whole milliseconds only, so `ts` is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Print {
    pub ts: i64,
    pub price: f64,
    pub size: i64,
    pub exchange: u16,
    pub conditions: Vec<u16>,
    pub correction: i16,
}

/// The best bid and offer from `ts` on. A price of zero means that there is no such side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    pub ts: i64,
    pub bid: f64,
    pub ask: f64,
    pub bid_size: i64,
    pub ask_size: i64,
    pub bid_exchange: u16,
    pub ask_exchange: u16,
}

impl Contract {
    pub fn is_listed_on(&self, date: NaiveDate) -> bool {
        self.listed <= date && date <= self.delisted.min(self.expiration)
    }
}

impl Stock {
    /// What a raw price of `date` is multiplied with to stand on the basis of `today`.
    pub fn adjustment(&self, date: NaiveDate, today: NaiveDate) -> f64 {
        let later = |split: &&Split| date < split.date && split.date <= today;
        let ratios = self.splits.iter().filter(later).map(|s| s.from / s.to);
        ratios.product()
    }
}

impl World {
    /// The date of the last session before `date`.
    pub fn session_before(&self, date: NaiveDate) -> Option<NaiveDate> {
        let before = self.sessions.range(..date).next_back()?;
        Some(*before.0)
    }

    /// The instant at which regular trading of `date` ends: as the session says, else 16:00.
    pub fn close_of(&self, date: NaiveDate) -> i64 {
        let hours = self.sessions.get(&date);
        hours.map_or_else(|| new_york::at(date, 16, 0), |hours| hours.close)
    }

    /// Every contract with its symbol and the ticker of its underlying, in order of ticker and symbol.
    pub fn contracts(&self) -> impl Iterator<Item = (&str, &str, &Contract)> {
        self.stocks.iter().flat_map(|(ticker, stock)| {
            let named =
                move |(symbol, contract)| (ticker.as_str(), String::as_str(symbol), contract);
            stock.contracts.iter().map(named)
        })
    }

    /// The contract called `symbol`, with the ticker of its underlying.
    pub fn contract(&self, symbol: &str) -> Option<(&str, &Contract)> {
        self.stocks.iter().find_map(|(ticker, stock)| {
            let contract = stock.contracts.get(symbol)?;
            Some((ticker.as_str(), contract))
        })
    }
}
