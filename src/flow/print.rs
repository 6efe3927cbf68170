//! A print as the tape reports it, before anything is made of it.

use serde::{Deserialize, Serialize};

use super::Codes;
use crate::time::Ts;

/// One report of the option tape.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Print {
    pub ts: Ts,
    /// Dollars per share, above zero.
    pub price: f64,
    /// Contracts, at least one.
    pub size: i64,
    /// The vendor's number of the exchange: 300 + the position of OPRA's letter.
    pub exchange: u16,
    pub conditions: Codes,
    /// Zero, or how the tape corrected this print: then it does not stand.
    pub correction: i16,
}

/// The national best bid and offer from `ts` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedQuote {
    pub ts: Ts,
    pub quote: super::Quote,
}
