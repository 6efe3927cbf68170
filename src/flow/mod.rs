//! Flow events: one row per print, or per sweep merged from several prints.
//!
//! An event comes in two halves. [`FlowEvent`] is what a decision may look at; [`FlowDetail`] is
//! what is only carried along to the output. A backtest decodes the first half of every event and
//! the second half of those that became signals.

mod aggressor;
mod black_scholes;
mod conditions;
mod counts;
mod finish;
mod merge;
mod occ;
mod print;
mod rules;
mod sight;
mod tape;
mod volume;

pub use aggressor::{Aggressor, Quote, TickTest, aggressor};
pub use black_scholes::{
    Greeks, OptionValue, YEAR_SECONDS, black_scholes, implied, years_to_expiry,
};
pub use conditions::{Class, Codes};
pub use counts::FlowCounts;
pub use finish::Known;
pub use merge::{Change, ContractTape, Merged};
pub use occ::{Contract, OccError};
pub use print::{Print, TimedQuote};
pub use rules::Rules;
pub use sight::Sight;
pub use tape::{ContractDay, TickerTape, candidates, contract_events, sights, ticker_events};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::time::Ts;

/// Contracts are for 100 shares unless they have been adjusted.
pub const MULTIPLIER: f64 = 100.0;

/// The half of an event that strategies see. Prices in dollars per share, `notional` in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowEvent<'a> {
    /// Time of the (last) print of the event.
    pub ts: Ts,
    /// When a live listener would have known the event; never before `ts`.
    pub available_at: Ts,
    /// Order among the ticker's events of the same `ts`.
    pub seq: u32,
    pub ticker: &'a str,
    /// OCC symbol without `O:`.
    pub contract: &'a str,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiry: NaiveDate,
    pub notional: f64,
    pub side: Side,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub is_multi_leg: bool,
    /// The contract's cumulative volume of the day, this event included.
    pub volume: i64,
    /// Closing open interest of the previous session; `None` when unknown, never today's.
    pub open_interest: Option<i64>,
    pub underlying_price: Option<f64>,
}

/// The half of an event that only travels with it to the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowDetail {
    /// Size-weighted average over the event's prints.
    pub price: f64,
    pub contracts: i64,
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    pub side_source: SideSource,
    pub side_quality: SideQuality,
    pub has_iso: bool,
    pub is_block: bool,
    pub is_extended: bool,
    pub prints: u32,
    pub exchanges: u32,
    pub iv: Option<f64>,
    pub delta: Option<f64>,
    pub conditions: Vec<i16>,
    pub cancelled_at: Option<Ts>,
    pub cancelled_contracts: i64,
    pub source: String,
}

/// An enum stored as text: one list gives the names for files, tables and parsing.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The variant called `text`, exactly as [`Self::as_str`] spells it.
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use text_enum;

text_enum! {
    CallPut { Call = "C", Put = "P" }
}

text_enum! {
    /// Who crossed the spread.
    Side { Buy = "BUY", Sell = "SELL", Unknown = "UNKNOWN" }
}

text_enum! {
    /// How the side was known.
    SideSource { Quote = "quote", Tick = "tick", Provider = "provider", None = "none" }
}

text_enum! {
    /// How well the side was known.
    SideQuality { Firm = "firm", Weak = "weak", None = "none" }
}
