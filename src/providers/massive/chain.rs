//! The chain: when its contracts last traded, and open interest, of now from the snapshot and of past
//! days where the plan has it.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::row::Row;
use super::wire::{Cell, Fault};
use super::{Fetched, Massive, MassiveError};
use crate::flow::Contract;
use crate::time::Ts;

/// A live contract in the snapshot of its chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainRow {
    /// OCC symbol without `O:`.
    pub contract: String,
    /// At the end of the last trading day before the call, whatever day the caller is thinking of.
    pub open_interest: Option<i64>,
    pub last_trade: LastTrade,
}

/// When a contract last traded, as far as its chain says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastTrade {
    At(Ts),
    /// No trade is named, and the day has no volume.
    Never,
    /// Trades are not in the plan, or come with a delay, or what is said of them cannot be read.
    Unknown,
}

/// Open interest of `contract` at the close of `date`: not known before the next morning.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenInterestRow {
    pub date: NaiveDate,
    pub contract: String,
    pub open_interest: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireSnapshot {
    details: Row<WireDetails>,
    open_interest: Cell,
    last_trade: Row<WireLastTrade>,
    day: Row<WireDay>,
}

/// A contract that trades between two pages has the same row in both.
impl PartialEq for WireSnapshot {
    fn eq(&self, other: &WireSnapshot) -> bool {
        self.details == other.details && self.open_interest == other.open_interest
    }
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireDetails {
    ticker: Cell,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireLastTrade {
    sip_timestamp: Cell,
    timeframe: Cell,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireDay {
    volume: Cell,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireOpenInterest {
    ticker: Cell,
    date: Cell,
    open_interest: Cell,
}

impl WireSnapshot {
    fn chain_row(&self) -> Result<ChainRow, Fault> {
        let details = self.details.object("details")?;
        Ok(ChainRow {
            contract: details.ticker.occ("details.ticker")?.to_owned(),
            open_interest: match &self.open_interest {
                Cell::Missing => None,
                cell => Some(contracts(cell)?),
            },
            last_trade: self.last_trade(),
        })
    }

    /// No reason to leave out the row: whoever asks for open interest does not care.
    fn last_trade(&self) -> LastTrade {
        match &self.last_trade {
            Row::Object(last) => last.told(),
            Row::Other(Cell::Missing) if !self.has_volume() => LastTrade::Never,
            Row::Other(_) => LastTrade::Unknown,
        }
    }

    fn has_volume(&self) -> bool {
        match &self.day {
            Row::Object(day) => !day.volume.is_missing() && day.volume.number() != Some(0.0),
            Row::Other(cell) => !cell.is_missing(),
        }
    }
}

impl WireLastTrade {
    fn told(&self) -> LastTrade {
        let is_of_now = matches!(self.timeframe.text(), None | Some("REAL-TIME"));
        match self.sip_timestamp.ts_ns("last_trade.sip_timestamp") {
            Ok(ts) if is_of_now => LastTrade::At(ts),
            _ => LastTrade::Unknown,
        }
    }
}

impl WireOpenInterest {
    /// A row of another day is no answer: were the date ignored, it would be the future.
    fn of(&self, root: &str, date: NaiveDate) -> Result<OpenInterestRow, Fault> {
        let contract = self.ticker.occ("ticker")?;
        if !Contract::parse(contract).is_ok_and(|contract| contract.root == root) {
            return Err(self
                .ticker
                .fault("ticker", "a contract of the root asked for"));
        }
        if self.date.date("date")? != date {
            return Err(self.date.fault("date", "the date asked for"));
        }
        Ok(OpenInterestRow {
            date,
            contract: contract.to_owned(),
            open_interest: contracts(&self.open_interest)?,
        })
    }
}

fn contracts(cell: &Cell) -> Result<i64, Fault> {
    cell.whole()
        .filter(|count| *count >= 0)
        .ok_or_else(|| cell.fault("open_interest", "a whole number of at least zero"))
}

impl Massive {
    /// Every live contract of `underlying`, as of now and never as of another day.
    pub fn chain_snapshot(&self, underlying: &str) -> Result<Fetched<ChainRow>, MassiveError> {
        let url = self.client.base().endpoint(
            &["v3", "snapshot", "options", underlying],
            &[("limit", "250")],
        );
        self.client.all(url, WireSnapshot::chain_row)
    }

    /// The open interest of all contracts of `root` at the close of `date`. An error of the kind
    /// `NotEntitled` or `NotFound` means that it cannot be known, which is not the same as zero.
    pub fn open_interest(
        &self,
        root: &str,
        date: NaiveDate,
    ) -> Result<Fetched<OpenInterestRow>, MassiveError> {
        let day = date.to_string();
        let segments = ["options", "v1", "open-interest"];
        let query = [("root", root), ("date", &day)];
        self.undocumented_limit(&segments, &query, |row: &WireOpenInterest| {
            row.of(root, date)
        })
    }

    /// All rows of an endpoint that does not say how long a page may be: a long one is asked for
    /// first, and the server's own choice when it refuses that.
    pub(super) fn undocumented_limit<W, T>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        read: impl Fn(&W) -> Result<T, Fault>,
    ) -> Result<Fetched<T>, MassiveError>
    where
        W: DeserializeOwned + PartialEq,
    {
        let base = self.client.base();
        let long: Vec<_> = query.iter().copied().chain([("limit", "1000")]).collect();
        match self.client.all(base.endpoint(segments, &long), &read) {
            Err(MassiveError::BadRequest { .. }) => {
                self.client.all(base.endpoint(segments, query), read)
            }
            fetched => fetched,
        }
    }
}
