//! The board: what a screen shows of a running stream, kept short.

use std::collections::VecDeque;

use chrono::NaiveDate;

use crate::flow::{CallPut, Side};
use crate::strategies::{Direction, Kind};
use crate::time::Ts;

/// Rows of the tape and of the signals that are kept.
const KEPT: usize = 200;

/// The last events and signals, newest first, and all open positions.
#[derive(Clone, Debug, Default)]
pub struct Board {
    pub tape: VecDeque<TapeRow>,
    pub signals: VecDeque<SignalRow>,
    pub positions: Vec<PositionRow>,
}

/// A contract as people call it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractName {
    pub ticker: String,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiry: NaiveDate,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TapeRow {
    /// Time of the event's last print.
    pub ts: Ts,
    pub contract: ContractName,
    pub contracts: i64,
    /// Dollars per share.
    pub price: f64,
    /// Dollars.
    pub notional: f64,
    pub side: Side,
    pub is_sweep: bool,
    pub is_aggressive: bool,
    pub spot: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SignalRow {
    pub available_at: Ts,
    pub kind: Kind,
    pub direction: Direction,
    pub contract: ContractName,
    pub strength: f64,
    pub notional: f64,
    /// `SIZE|SWEEP`.
    pub tags: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PositionRow {
    pub kind: Kind,
    pub direction: Direction,
    pub contract: ContractName,
    pub opened_at: Ts,
    pub entry_price: f64,
    /// The last close, and the gross gain at it in percent.
    pub mark: f64,
    pub pnl_pct: f64,
    pub tp_pct: f64,
    pub sl_pct: f64,
}

impl Board {
    pub fn show_event(&mut self, row: TapeRow) {
        self.tape.push_front(row);
        self.tape.truncate(KEPT);
    }

    pub fn show_signal(&mut self, row: SignalRow) {
        self.signals.push_front(row);
        self.signals.truncate(KEPT);
    }
}
