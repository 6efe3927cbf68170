//! Rows: what a synthetic market hands out, plain values in the units of the tables.

use std::sync::Arc;

use chrono::NaiveDate;

use super::SOURCE;
use crate::flow::{CallPut, FlowDetail, FlowEvent, Side, SideQuality, SideSource};
use crate::store::{DailyBar, MinuteBar};
use crate::time::{Session, Ts};

/// A contract listed in a session.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedContract {
    /// OCC symbol.
    pub symbol: Arc<str>,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiry: NaiveDate,
    /// At the start of the session; `None` where nobody publishes it.
    pub open_interest: Option<i64>,
}

/// An event without the text it shares with others: `contract` is a position in
/// [`TickerSession::contracts`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    pub ts: Ts,
    pub available_at: Ts,
    pub seq: u32,
    pub contract: u32,
    pub price: f64,
    pub contracts: i64,
    pub notional: f64,
    pub bid: f64,
    pub ask: f64,
    pub side: Side,
    pub side_source: SideSource,
    pub side_quality: SideQuality,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub has_iso: bool,
    pub is_block: bool,
    pub is_multi_leg: bool,
    pub is_extended: bool,
    pub prints: u32,
    pub exchanges: u32,
    pub volume: i64,
    pub iv: Option<f64>,
    pub delta: Option<f64>,
    pub underlying_price: Option<f64>,
    pub condition: i16,
}

/// One session of one ticker.
#[derive(Clone, Debug, PartialEq)]
pub struct TickerSession {
    pub session: Session,
    /// False in the warm-up, which has bars and nothing else.
    pub has_flow: bool,
    pub ticker: String,
    /// Minute bars in order, pre- and post-market included.
    pub bars: Vec<MinuteBar>,
    /// What the regular minutes add up to; `None` when there was no trade at all.
    pub daily: Option<DailyBar>,
    /// By expiry, strike, call before put.
    pub contracts: Vec<ListedContract>,
    /// Sorted by `(ts, seq)`.
    pub events: Vec<Event>,
    /// Events that counted as volume and were too small to be handed out.
    pub below_floor: u64,
}

impl TickerSession {
    /// Shows every event in order as the rest of the program knows it. One detail is reused
    /// throughout: no allocation per event.
    pub fn for_each(&self, mut show: impl FnMut(&FlowEvent, &FlowDetail)) {
        let Some(first) = self.events.first() else {
            return;
        };
        let mut detail = first.detail();
        for event in &self.events {
            event.fill(&mut detail);
            show(&self.flow_event(event), &detail);
        }
    }

    /// The deciding half of `event`, one of this session's.
    pub fn flow_event(&self, event: &Event) -> FlowEvent<'_> {
        let contract = &self.contracts[event.contract as usize];
        FlowEvent {
            ts: event.ts,
            available_at: event.available_at,
            seq: event.seq,
            ticker: &self.ticker,
            contract: &contract.symbol,
            call_put: contract.call_put,
            strike: contract.strike,
            expiry: contract.expiry,
            notional: event.notional,
            side: event.side,
            is_aggressive: event.is_aggressive,
            is_sweep: event.is_sweep,
            is_multi_leg: event.is_multi_leg,
            volume: event.volume,
            open_interest: contract.open_interest,
            underlying_price: event.underlying_price,
        }
    }

    /// Symbols and published open interest at the start of the session.
    pub fn open_interest(&self) -> impl Iterator<Item = (&str, i64)> {
        self.contracts
            .iter()
            .filter_map(|c| Some((&*c.symbol, c.open_interest?)))
    }
}

impl Event {
    /// The half that only travels with the event.
    pub fn detail(&self) -> FlowDetail {
        FlowDetail {
            price: self.price,
            contracts: self.contracts,
            bid: Some(self.bid),
            ask: Some(self.ask),
            side_source: self.side_source,
            side_quality: self.side_quality,
            has_iso: self.has_iso,
            is_block: self.is_block,
            is_extended: self.is_extended,
            prints: self.prints,
            exchanges: self.exchanges,
            iv: self.iv,
            delta: self.delta,
            conditions: vec![self.condition],
            cancelled_at: None,
            cancelled_contracts: 0,
            source: SOURCE.to_owned(),
        }
    }

    /// Overwrites `detail`, which must come from [`Event::detail`], with this event's.
    fn fill(&self, detail: &mut FlowDetail) {
        detail.price = self.price;
        detail.contracts = self.contracts;
        detail.bid = Some(self.bid);
        detail.ask = Some(self.ask);
        detail.side_source = self.side_source;
        detail.side_quality = self.side_quality;
        detail.has_iso = self.has_iso;
        detail.is_block = self.is_block;
        detail.is_extended = self.is_extended;
        detail.prints = self.prints;
        detail.exchanges = self.exchanges;
        detail.iv = self.iv;
        detail.delta = self.delta;
        detail.conditions[0] = self.condition;
    }
}
