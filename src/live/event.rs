//! Inputs: what a source tells the desk, each owning what it says.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::flow::{CallPut, FlowDetail, FlowEvent, Side};
use crate::store::MinuteBar;
use crate::time::Ts;

/// Both halves of a flow event. Columns as in the flow table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamedEvent {
    pub ts: Ts,
    pub available_at: Ts,
    pub seq: u32,
    pub ticker: String,
    pub contract: String,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiry: NaiveDate,
    pub notional: f64,
    pub side: Side,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub is_multi_leg: bool,
    pub volume: i64,
    pub open_interest: Option<i64>,
    pub underlying_price: Option<f64>,
    pub detail: FlowDetail,
}

impl StreamedEvent {
    pub fn new(event: &FlowEvent, detail: FlowDetail) -> StreamedEvent {
        StreamedEvent {
            ts: event.ts,
            available_at: event.available_at,
            seq: event.seq,
            ticker: event.ticker.to_owned(),
            contract: event.contract.to_owned(),
            call_put: event.call_put,
            strike: event.strike,
            expiry: event.expiry,
            notional: event.notional,
            side: event.side,
            is_aggressive: event.is_aggressive,
            is_sweep: event.is_sweep,
            is_multi_leg: event.is_multi_leg,
            volume: event.volume,
            open_interest: event.open_interest,
            underlying_price: event.underlying_price,
            detail,
        }
    }

    /// The half that decisions look at.
    pub fn decision(&self) -> FlowEvent<'_> {
        FlowEvent {
            ts: self.ts,
            available_at: self.available_at,
            seq: self.seq,
            ticker: &self.ticker,
            contract: &self.contract,
            call_put: self.call_put,
            strike: self.strike,
            expiry: self.expiry,
            notional: self.notional,
            side: self.side,
            is_aggressive: self.is_aggressive,
            is_sweep: self.is_sweep,
            is_multi_leg: self.is_multi_leg,
            volume: self.volume,
            open_interest: self.open_interest,
            underlying_price: self.underlying_price,
        }
    }
}

/// One thing that became known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A minute bar of a ticker of the run has ended.
    Bar {
        ticker: String,
        bar: MinuteBar,
    },
    /// A minute bar of a ticker that the regime is read off.
    ProxyBar {
        ticker: String,
        bar: MinuteBar,
    },
    /// The ticker's bars of that session are known up to the close.
    SessionOver {
        ticker: String,
        date: NaiveDate,
    },
    Cancelled(LateCancel),
    Event(Box<StreamedEvent>),
    Gap(Gap),
}

impl Input {
    /// The exchange day that it is of; none of a gap.
    pub fn date(&self) -> Option<NaiveDate> {
        match self {
            Input::Bar { bar, .. } | Input::ProxyBar { bar, .. } => Some(bar.ts.exchange_date()),
            Input::SessionOver { date, .. } => Some(*date),
            Input::Event(event) => Some(event.ts.exchange_date()),
            Input::Cancelled(cancel) => Some(cancel.ts.exchange_date()),
            Input::Gap(_) => None,
        }
    }
}

/// A hole in the data that could not be closed: what is computed after it, until its day ends, may lack
/// something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: Ts,
    pub to: Ts,
    /// Of these tickers alone; empty for all.
    pub tickers: Vec<String>,
    /// As a person reads it: `option prints 10:31:02 to 10:33:05 ET`.
    pub what: String,
}

impl Gap {
    /// Whether what `ticker` says at `ts` may lack something.
    pub fn affects(&self, ticker: &str, ts: Ts) -> bool {
        let is_of = self.tickers.is_empty() || self.tickers.iter().any(|name| name == ticker);
        is_of && ts >= self.from && ts.exchange_date() == self.from.exchange_date()
    }
}

/// A cancel that came after its event was available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateCancel {
    pub ticker: String,
    pub contract: String,
    pub ts: Ts,
    pub seq: u32,
    pub at: Ts,
    pub contracts: i64,
}
