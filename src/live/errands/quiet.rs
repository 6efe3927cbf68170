//! Quiet contracts: the snapshot of a chain in; those out that had not traded since an instant when it
//! was taken.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::MS_NS;
use crate::providers::massive::{ChainRow, LastTrade, Massive, MassiveError};
use crate::time::Ts;

/// Why a chain does not say what is quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoChain {
    #[error("no contract has a last trade of now in it")]
    NoTrades,
    #[error("{0}")]
    NotInPlan(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Failed(String),
}

impl From<MassiveError> for NoChain {
    fn from(error: MassiveError) -> NoChain {
        let words = error.to_string();
        match error {
            MassiveError::NotEntitled { .. } => NoChain::NotInPlan(words),
            MassiveError::NotFound { .. } => NoChain::NotFound(words),
            _ => NoChain::Failed(words),
        }
    }
}

/// The contracts of `ticker` that have not traded since `from`.
pub fn quiet_since(massive: &Massive, ticker: &str, from: Ts) -> Result<Vec<String>, NoChain> {
    quiet(&massive.chain_snapshot(ticker)?.rows, from)
}

/// Where trades are told at all, a contract without any has none.
fn quiet(rows: &[ChainRow], from: Ts) -> Result<Vec<String>, NoChain> {
    let is_told = |row: &ChainRow| matches!(row.last_trade, LastTrade::At(_));
    if !rows.iter().any(is_told) {
        return Err(NoChain::NoTrades);
    }
    let is_quiet = |row: &&ChainRow| match row.last_trade {
        LastTrade::At(ts) => whole_ms(ts) < from,
        LastTrade::Never => true,
        LastTrade::Unknown => false,
    };
    // A row may come on two pages, and the contract have traded between them.
    let (quiet, others): (Vec<_>, Vec<_>) = rows.iter().partition(is_quiet);
    let others: HashSet<&str> = others.iter().map(|row| row.contract.as_str()).collect();
    let names = quiet.iter().map(|row| &row.contract);
    let names = names.filter(|name| !others.contains(name.as_str()));
    Ok(names.cloned().collect())
}

/// As the stream tells it.
pub fn whole_ms(ts: Ts) -> Ts {
    Ts::from_ns(ts.ns().div_euclid(MS_NS) * MS_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(told: &[(&str, LastTrade)]) -> Vec<ChainRow> {
        let row = |(contract, last_trade): &(&str, LastTrade)| ChainRow {
            contract: (*contract).to_owned(),
            open_interest: None,
            last_trade: *last_trade,
        };
        told.iter().map(row).collect()
    }

    fn at(ns: i64) -> LastTrade {
        LastTrade::At(Ts::from_ns(ns))
    }

    const FROM: Ts = Ts::from_ns(5 * MS_NS);

    #[test]
    fn quiet_is_what_last_traded_before_or_never() {
        let rows = rows(&[
            ("A", at(5 * MS_NS - 1)),
            ("B", at(5 * MS_NS)),
            ("C", LastTrade::Never),
            ("D", LastTrade::Unknown),
        ]);
        assert_eq!(quiet(&rows, FROM), Ok(vec!["A".to_owned(), "C".to_owned()]));
    }

    #[test]
    fn a_print_of_the_millisecond_in_which_a_hole_begins_is_none_of_it_as_in_the_stream() {
        let rows = rows(&[("A", at(5 * MS_NS + 2))]);
        let after = Ts::from_ns(5 * MS_NS + 1);
        assert_eq!(quiet(&rows, after), Ok(vec!["A".to_owned()]));
        assert_eq!(quiet(&rows, FROM), Ok(vec![]));
    }

    #[test]
    fn a_contract_that_trades_between_two_pages_is_not_quiet() {
        let rows = rows(&[("A", at(1)), ("A", at(9 * MS_NS))]);
        assert_eq!(quiet(&rows, FROM), Ok(vec![]));
    }

    #[test]
    fn a_chain_without_any_trade_says_nothing() {
        let silent = rows(&[("A", LastTrade::Never), ("B", LastTrade::Unknown)]);
        assert_eq!(quiet(&silent, FROM), Err(NoChain::NoTrades));
        assert_eq!(quiet(&[], FROM), Err(NoChain::NoTrades));
    }
}
