//! Rules: the numbers that turn prints into events, with the session they happen in.

use crate::time::{SECOND_NS, Session, Ts};

const MS_NS: i64 = 1_000_000;

/// What the flow section of the config says, and the session of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Prints of one contract and side this close together are one event; also the wait after the last.
    pub sweep_window_ms: i64,
    /// Distinct exchanges that make an event a sweep.
    pub sweep_min_exchanges: u32,
    /// Contracts that make one print a block.
    pub block_min_contracts: i64,
    /// An older quote does not tell the aggressor.
    pub max_quote_age_seconds: i64,
    /// Dollars; events worth less are not kept.
    pub min_notional: f64,
    /// The equity session of the day; without one everything is extended hours.
    pub session: Option<Session>,
}

impl Rules {
    pub fn window_ns(&self) -> i64 {
        self.sweep_window_ms * MS_NS
    }

    pub fn max_quote_age_ns(&self) -> i64 {
        self.max_quote_age_seconds * SECOND_NS
    }

    pub fn is_regular(&self, ts: Ts) -> bool {
        self.session.as_ref().is_some_and(|s| s.contains(ts))
    }
}
