//! Paper trading: from a signal and the bars after it to a trade and how it ended.
//!
//! A [`Position`] is shown one bar after the other and says when it is over; the backtest walks it
//! over the bars it has, a live stream shows it each bar as it closes.

mod costs;
mod entry;
mod exit;
mod ledger;
mod open;

pub use costs::pnl_pct;
pub use entry::{Entry, NoEntry, entry};
pub use exit::{Bar, Exit, Plan, Position};
pub use ledger::{Tape, trade};
pub use open::OpenTrade;

use serde::{Deserialize, Serialize};

use crate::flow::{CallPut, text_enum};
use crate::strategies::{Direction, Kind};
use crate::time::Ts;

text_enum! {
    /// How a trade ended.
    Outcome { Tp = "TP", Sl = "SL", Timeout = "TIMEOUT", Eod = "EOD", Open = "OPEN" }
}

text_enum! {
    /// The option position the signal follows.
    PositionSide { LongCall = "LONG_CALL", ShortCall = "SHORT_CALL", LongPut = "LONG_PUT", ShortPut = "SHORT_PUT" }
}

impl PositionSide {
    pub fn of(call_put: CallPut, direction: Direction) -> PositionSide {
        match (call_put, direction) {
            (CallPut::Call, Direction::Bullish) => PositionSide::LongCall,
            (CallPut::Call, Direction::Bearish) => PositionSide::ShortCall,
            (CallPut::Put, Direction::Bearish) => PositionSide::LongPut,
            (CallPut::Put, Direction::Bullish) => PositionSide::ShortPut,
        }
    }
}

/// One paper trade on the underlying. Prices in dollars per share in the basis of the entry day;
/// percentages of the entry price, signed by direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    pub position_id: u64,
    pub signal_id: u64,
    pub ticker: String,
    pub contract: String,
    pub ts: Ts,
    pub seq: u32,
    pub kind: Kind,
    pub side: PositionSide,
    pub direction: Direction,
    pub opened_at: Ts,
    pub entry_price: f64,
    /// `None` while the trade is open.
    pub closed_at: Option<Ts>,
    /// The last close for a trade that is still open.
    pub exit_price: f64,
    pub outcome: Outcome,
    pub tp_pct: f64,
    pub sl_pct: f64,
    pub max_hold_seconds: i64,
    pub pnl_pct_gross: f64,
    pub pnl_pct_net: f64,
    pub mfe_pct: f64,
    pub mae_pct: f64,
    /// The entry bar counts.
    pub bars_held: u32,
    /// The deciding bar touched both barriers.
    pub ambiguous: bool,
    /// Net; what the trade would have earned had an ambiguous bar gone its way.
    pub best_case_pnl_pct: f64,
}
