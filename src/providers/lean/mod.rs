//! LEAN: from QuantConnect's data folder of zipped CSV files to bars, splits, open interest and flow.
//!
//! The folder names files by ticker and exchange date, so a [`LeanFolder`] says what is there before
//! anything is opened. Prices are in ten-thousandths of a dollar, times in milliseconds since
//! midnight on New York's clocks. Map files are not followed: a ticker is the name of its folder.
//!
//! ```text
//! equity/usa/daily/aapl.zip                                  daily bars, all years
//! equity/usa/factor_files/aapl.csv                           splits
//! equity/usa/minute/aapl/20140606_trade.zip                  minute bars of a day
//! option/usa/minute/aapl/20140606_trade_american.zip         a CSV per contract
//! option/usa/minute/aapl/20140606_quote_american.zip         the same, when somebody kept quotes
//! option/usa/minute/aapl/20140606_openinterest_american.zip  published that morning
//! ```

mod archive;
mod entry;
mod equity;
mod factor;
mod folder;
mod open_interest;
mod option;
mod quote;
mod rows;
mod tape;
#[cfg(test)]
mod tests;

pub use folder::{LeanError, LeanFolder};
pub use rows::{BadRow, Imported, RowFault};

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::flow::{CallPut, FlowDetail, FlowEvent, Side};
use crate::store::{DailyBar, MinuteBar, OpenInterest, Split};
use crate::time::Ts;

/// What the `source` column says of rows read here.
pub const SOURCE: &str = "lean/minute";

/// What of the configuration the making of flow needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowSettings {
    /// Dollars; an event worth less is not kept.
    pub min_notional: f64,
    pub sweep_window_ms: u32,
    pub block_min_contracts: i64,
    pub max_quote_age_seconds: u32,
}

/// One flow event that owns its text; both halves of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowRow {
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

impl FlowRow {
    /// The half that strategies see.
    pub fn event(&self) -> FlowEvent<'_> {
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

/// The flow of one ticker on one day, in order of `(ts, seq)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowDay {
    pub rows: Vec<FlowRow>,
    /// Option minutes in the trade file: always the rows kept plus those dropped.
    pub read: u64,
    /// Why option minutes did not become rows, and how many.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Bad rows of the trade file and of the quote and open interest files beside it. Only the trade
    /// file's are part of `read` and `dropped`.
    pub bad_rows: Vec<BadRow>,
    /// False: every side comes from the tick test.
    pub has_quotes: bool,
    /// False: no file of that morning's open interest, so the column is null throughout.
    pub has_open_interest: bool,
}
