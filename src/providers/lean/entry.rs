//! Entry names: from `20140606_aapl_minute_trade_american_call_6450000_20140613.csv` to the contract.

use chrono::{Datelike, NaiveDate};

use super::rows::RowFault;
use crate::flow::{CallPut, Contract};

/// Longest strike an OCC symbol can write: eight digits of thousandths, here in ten-thousandths.
const MAX_STRIKE: u64 = 999_999_990;

/// What a file of options holds, as its name spells it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Trade,
    Quote,
    OpenInterest,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Kind::Trade => "trade",
            Kind::Quote => "quote",
            Kind::OpenInterest => "openinterest",
        }
    }
}

/// The files of one kind, ticker and day.
pub(super) struct Entries {
    prefix: String,
    root: String,
}

/// The contract a name speaks of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    Contract(Contract),
    /// Its strike has more than three decimals or too many digits, as adjusted contracts may: no
    /// OCC symbol says it exactly.
    NoSymbol,
}

impl Entries {
    pub fn new(kind: Kind, ticker: &str, date: NaiveDate) -> Entries {
        let (day, lower) = (date.format("%Y%m%d"), ticker.to_ascii_lowercase());
        // `BRK.B` trades options under BRKB.
        let root = ticker
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase();
        Entries {
            prefix: format!("{day}_{lower}_minute_{}_american_", kind.as_str()),
            root,
        }
    }

    /// Reads the name of a file. The expiry stays the date LEAN has: until 2015 standard options
    /// expired on Saturdays, and their symbols say so.
    pub fn contract(&self, name: &str) -> Result<Named, RowFault> {
        self.read(name).ok_or_else(|| RowFault::EntryName {
            got: name.to_owned(),
            expected: format!(
                "{}{{call|put}}_{{strike × 10000}}_{{YYYYMMDD}}.csv",
                self.prefix
            ),
        })
    }

    /// The name of this kind's file on the same contract as `name`, a file of `other`.
    pub fn beside(&self, other: &Entries, name: &str) -> Option<String> {
        Some(format!(
            "{}{}",
            self.prefix,
            name.strip_prefix(&other.prefix)?
        ))
    }

    fn read(&self, name: &str) -> Option<Named> {
        let mut parts = name
            .strip_prefix(&self.prefix)?
            .strip_suffix(".csv")?
            .split('_');
        let call_put = match parts.next()? {
            "call" => CallPut::Call,
            "put" => CallPut::Put,
            _ => return None,
        };
        let strike: u64 = parts.next()?.parse().ok()?;
        let expiry = NaiveDate::parse_from_str(parts.next()?, "%Y%m%d").ok()?;
        // A symbol's year has two digits.
        if parts.next().is_some() || strike == 0 || !(2000..2100).contains(&expiry.year()) {
            return None;
        }
        if !strike.is_multiple_of(10)
            || strike > MAX_STRIKE
            || self.root.is_empty()
            || self.root.len() > 6
        {
            return Some(Named::NoSymbol);
        }
        let strike = strike as f64 / 10_000.0;
        Some(Named::Contract(Contract {
            root: self.root.clone(),
            expiry,
            call_put,
            strike,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(kind: Kind) -> Entries {
        Entries::new(kind, "AAPL", NaiveDate::from_ymd_opt(2014, 6, 6).unwrap())
    }

    fn symbol(name: &str) -> Option<String> {
        match entries(Kind::Trade).contract(name).ok()? {
            Named::Contract(contract) => Some(contract.symbol()),
            Named::NoSymbol => Some("no symbol".into()),
        }
    }

    #[test]
    fn a_name_says_the_contract_and_saturdays_stay_saturdays() {
        for (tail, expected) in [
            ("call_10000000_20150117.csv", Some("AAPL150117C01000000")),
            ("put_921400_20140613.csv", Some("AAPL140613P00092140")),
            ("put_921429_20140613.csv", Some("no symbol")),
            ("put_1000000000_20140613.csv", Some("no symbol")),
            ("put_0_20140613.csv", None),
            ("putt_921400_20140613.csv", None),
            ("put_921400_20141313.csv", None),
            ("put_921400_20140613_x.csv", None),
        ] {
            let found = symbol(&format!("20140606_aapl_minute_trade_american_{tail}"));
            assert_eq!(found.as_deref(), expected, "{tail}");
        }
    }

    #[test]
    fn a_name_of_another_day_ticker_or_kind_is_refused() {
        for name in [
            "20140609_aapl_minute_trade_american_call_10000000_20150117.csv",
            "20140606_spy_minute_trade_american_call_10000000_20150117.csv",
            "20140606_aapl_minute_quote_american_call_10000000_20150117.csv",
        ] {
            assert_eq!(symbol(name), None);
        }
    }

    #[test]
    fn a_root_leaves_the_point_out() {
        let entries = Entries::new(
            Kind::Trade,
            "BRK.B",
            NaiveDate::from_ymd_opt(2026, 6, 5).unwrap(),
        );
        let named = entries
            .contract("20260605_brk.b_minute_trade_american_put_4105000_20261120.csv")
            .unwrap();
        assert!(matches!(named, Named::Contract(c) if c.symbol() == "BRKB261120P00410500"));
    }

    #[test]
    fn the_quotes_of_a_contract_lie_beside_its_trades() {
        let name = "20140606_aapl_minute_trade_american_put_921400_20140613.csv";
        let beside = entries(Kind::Quote)
            .beside(&entries(Kind::Trade), name)
            .unwrap();
        assert_eq!(
            beside,
            "20140606_aapl_minute_quote_american_put_921400_20140613.csv"
        );
    }
}
