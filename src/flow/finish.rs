//! Finishing: a merged event, and what is known of its contract and its stock, become a flow event.

use super::{Contract, FlowDetail, FlowEvent, Merged};

/// What the tape of a contract does not tell.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The underlying.
    pub ticker: &'a str,
    /// OCC symbol without `O:`.
    pub symbol: &'a str,
    pub contract: &'a Contract,
    /// Closing figure of the previous session.
    pub open_interest: Option<i64>,
    /// As the provider has it at execution, or the last minute's close that was over.
    pub underlying_price: Option<f64>,
    pub iv: Option<f64>,
    pub delta: Option<f64>,
    pub source: &'a str,
}

impl Merged {
    /// What the option was worth as the event saw it: the middle of a quote that can tell, else the
    /// price paid. Dollars per share.
    pub fn worth(&self) -> f64 {
        match (self.bid, self.ask) {
            (bid, Some(ask)) if bid.unwrap_or(0.0) < ask => (bid.unwrap_or(0.0) + ask) / 2.0,
            _ => self.price,
        }
    }

    /// Both halves of the flow event.
    pub fn finish<'a>(self, known: &Known<'a>) -> (FlowEvent<'a>, FlowDetail) {
        let event = FlowEvent {
            ts: self.ts,
            available_at: self.available_at,
            seq: self.seq,
            ticker: known.ticker,
            contract: known.symbol,
            call_put: known.contract.call_put,
            strike: known.contract.strike,
            expiry: known.contract.expiry,
            notional: self.notional,
            side: self.side,
            is_aggressive: self.is_aggressive,
            is_sweep: self.is_sweep,
            is_multi_leg: self.is_multi_leg,
            volume: self.volume,
            open_interest: known.open_interest,
            underlying_price: known.underlying_price,
        };
        let detail = FlowDetail {
            price: self.price,
            contracts: self.contracts,
            bid: self.bid,
            ask: self.ask,
            side_source: self.side_source,
            side_quality: self.side_quality,
            has_iso: self.has_iso,
            is_block: self.is_block,
            is_extended: self.is_extended,
            prints: self.prints,
            exchanges: self.exchanges,
            iv: known.iv,
            delta: known.delta,
            conditions: self.conditions,
            cancelled_at: self.cancelled_at,
            cancelled_contracts: self.cancelled_contracts,
            source: known.source.to_owned(),
        };
        (event, detail)
    }
}
