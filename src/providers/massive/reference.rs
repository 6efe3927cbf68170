//! Reference data: splits, the contracts listed on a day, and the vendor's condition codes.

use chrono::NaiveDate;
use serde::Deserialize;

use super::row::Row;
use super::wire::{Cell, Fault};
use super::{Fetched, Massive, MassiveError};
use crate::providers::roots;

/// From `ex_date` on, one old share is `ratio` new ones. Stock dividends count as splits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitRow {
    pub ex_date: NaiveDate,
    pub ratio: f64,
}

/// A contract as it was listed on the day asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedContract {
    /// OCC symbol without `O:`.
    pub contract: String,
    /// As the reference data have it, which is not always the contract's root.
    pub underlying: String,
    pub shares_per_contract: f64,
    /// What is delivered is not plain shares of the underlying alone.
    pub has_additional_underlyings: bool,
}

impl ListedContract {
    /// Whether it delivers 100 plain shares.
    pub fn is_plain(&self) -> bool {
        let root = &self.contract[..self.contract.len().saturating_sub(OCC_TAIL)];
        self.shares_per_contract == crate::flow::MULTIPLIER
            && !self.has_additional_underlyings
            && !roots::is_adjusted(root)
    }
}

/// Expiry, type and strike of a symbol, behind its root.
const OCC_TAIL: usize = 15;

/// One row of the vendor's table of condition codes.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionRow {
    pub id: i64,
    pub name: String,
    /// Whether a print with this code moves the volume of the vendor's bars, when the table says.
    pub updates_volume: Option<bool>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireSplit {
    ticker: Cell,
    execution_date: Cell,
    split_from: Cell,
    split_to: Cell,
}

impl WireSplit {
    fn split(&self, ticker: &str) -> Result<SplitRow, Fault> {
        if self.ticker.text().is_some_and(|got| got != ticker) {
            return Err(self.ticker.fault("ticker", "the ticker asked for"));
        }
        Ok(SplitRow {
            ex_date: self.execution_date.date("execution_date")?,
            ratio: self.split_to.price("split_to")? / self.split_from.price("split_from")?,
        })
    }
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireContract {
    ticker: Cell,
    underlying_ticker: Cell,
    shares_per_contract: Cell,
    additional_underlyings: Cell,
}

impl WireContract {
    fn contract(&self) -> Result<ListedContract, Fault> {
        Ok(ListedContract {
            contract: self.ticker.occ("ticker")?.to_owned(),
            underlying: self.underlying_ticker.word("underlying_ticker")?.to_owned(),
            shares_per_contract: self.shares_per_contract.price("shares_per_contract")?,
            // An empty list is as good as none.
            has_additional_underlyings: !self.additional_underlyings.is_missing()
                && self.additional_underlyings != Cell::List(Vec::new()),
        })
    }
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireCondition {
    id: Cell,
    name: Cell,
    update_rules: Row<WireRules>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireRules {
    consolidated: Row<WireUpdates>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireUpdates {
    updates_volume: Cell,
}

impl WireCondition {
    fn condition(&self) -> Result<ConditionRow, Fault> {
        let id = match &self.id {
            Cell::Text(text) => text.parse().ok(),
            id => id.whole(),
        };
        let rules = self.update_rules.object("update_rules").ok();
        let consolidated = rules.and_then(|rules| rules.consolidated.object("consolidated").ok());
        Ok(ConditionRow {
            id: id.ok_or_else(|| self.id.fault("id", "a whole number"))?,
            name: self.name.word("name")?.to_owned(),
            updates_volume: match consolidated.map(|updates| &updates.updates_volume) {
                Some(Cell::Bool(updates)) => Some(*updates),
                _ => None,
            },
        })
    }
}

impl Massive {
    /// Every split of `ticker`, those announced for the future included, by `ex_date`.
    pub fn splits(&self, ticker: &str) -> Result<Fetched<SplitRow>, MassiveError> {
        let base = self.client.base();
        let now = base.endpoint(
            &["stocks", "v1", "splits"],
            &[
                ("ticker", ticker),
                ("sort", "execution_date.asc"),
                ("limit", "5000"),
            ],
        );
        let read = |row: &WireSplit| row.split(ticker);
        let mut fetched = match self.client.all(now, read) {
            Err(MassiveError::NotFound { .. }) => {
                let before = base.endpoint(
                    &["v3", "reference", "splits"],
                    &[("ticker", ticker), ("limit", "1000")],
                );
                self.client.all(before, read)?
            }
            fetched => fetched?,
        };
        fetched.rows.sort_by_key(|split| split.ex_date);
        Ok(fetched)
    }

    /// The contracts that were listed on `as_of` and expire on `expiry_from` or later, by symbol.
    pub fn contracts(
        &self,
        underlying: &str,
        as_of: NaiveDate,
        expiry_from: NaiveDate,
    ) -> Result<Fetched<ListedContract>, MassiveError> {
        let url = self.client.base().endpoint(
            &["v3", "reference", "options", "contracts"],
            &[
                // Indices are without their prefix here.
                (
                    "underlying_ticker",
                    underlying.strip_prefix("I:").unwrap_or(underlying),
                ),
                ("as_of", &as_of.to_string()),
                ("expiration_date.gte", &expiry_from.to_string()),
                ("order", "asc"),
                ("sort", "ticker"),
                ("limit", "1000"),
            ],
        );
        self.client.all(url, WireContract::contract)
    }

    /// The vendor's table of the codes of option trades.
    pub fn conditions(&self) -> Result<Fetched<ConditionRow>, MassiveError> {
        let url = self.client.base().endpoint(
            &["v3", "reference", "conditions"],
            &[
                ("asset_class", "options"),
                ("data_type", "trade"),
                ("limit", "1000"),
            ],
        );
        self.client.all(url, WireCondition::condition)
    }
}
