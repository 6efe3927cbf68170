//! Trades: from `us_options_opra/trades_v1/YYYY/MM/YYYY-MM-DD.csv.gz` to the prints of one contract at
//! a time.
//!
//! Quarter of a million contracts, twelve million rows: a contract's symbol is read once, and rows of
//! roots nobody asked for are passed over by their first bytes. Sorted by symbol, a root's contracts
//! need not stand in one piece: `AMCR2` with 2022 and `AMCR` with 2022 interleave.

use std::io::Read;

use chrono::NaiveDate;

use super::day::Day;
use super::error::{FlatFileError, RowFault};
use super::groups::{Groups, RowCounts, Table, fault, shown};
use crate::flow::{Codes, Contract, OccError, Print};
use crate::providers::numbers::{decimal, integral, whole};
use crate::time::Ts;

/// A contract's prints of the day, in order of time; those of one time in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContractPrints<'a> {
    /// Without `O:`.
    pub symbol: &'a str,
    pub contract: &'a Contract,
    pub prints: &'a [Print],
}

/// A day of option trades. Nothing of it may be used before [`Trades::next_contract`] has said that
/// the file ended well.
pub struct Trades<W: FnMut(&str) -> bool>(Groups<7, TradeTable<W>>);

impl<W: FnMut(&str) -> bool> Trades<W> {
    /// Starts to read the trades of `date`. `file` is the name used in messages. `wants` is asked for
    /// every root, again when a root comes back after another one.
    pub fn open(
        input: impl Read + Send + 'static,
        file: &str,
        date: NaiveDate,
        wants: W,
    ) -> Result<Trades<W>, FlatFileError> {
        let table = TradeTable {
            day: Day::of(date),
            wants,
            root: String::new(),
            is_wanted: false,
        };
        Groups::open(input, file, table).map(Trades)
    }

    /// The next wanted contract that traded; `None` when the file is read and its checksum was right.
    pub fn next_contract(&mut self) -> Result<Option<ContractPrints<'_>>, FlatFileError> {
        let group = self.0.next()?;
        Ok(group.map(|(head, prints)| ContractPrints {
            symbol: &head.symbol,
            contract: &head.contract,
            prints,
        }))
    }

    /// The account of the rows read so far; of the whole file once it is read.
    pub fn counts(&self) -> &RowCounts {
        self.0.counts()
    }
}

struct TradeTable<W> {
    day: Day,
    wants: W,
    /// The root `wants` was asked for last, and its answer.
    root: String,
    is_wanted: bool,
}

struct Head {
    symbol: String,
    contract: Contract,
}

impl<W: FnMut(&str) -> bool> Table<7> for TradeTable<W> {
    const COLUMNS: [&'static str; 7] = [
        "ticker",
        "conditions",
        "correction",
        "exchange",
        "price",
        "sip_timestamp",
        "size",
    ];
    type Row = Print;
    type Head = Head;

    fn head(&mut self, ticker: &[u8]) -> Result<Option<Head>, RowFault> {
        let Some(symbol) = std::str::from_utf8(ticker).ok() else {
            return Err(RowFault::Symbol(OccError {
                symbol: shown(ticker),
                reason: "not text",
            }));
        };
        let symbol = symbol.strip_prefix("O:").unwrap_or(symbol);
        let contract = Contract::parse(symbol).map_err(|error| {
            RowFault::Symbol(OccError {
                symbol: shown(error.symbol.as_bytes()),
                ..error
            })
        })?;
        if contract.root != self.root {
            self.is_wanted = (self.wants)(&contract.root);
            self.root.clone_from(&contract.root);
        }
        Ok(self.is_wanted.then(|| Head {
            symbol: symbol.to_owned(),
            contract,
        }))
    }

    #[inline]
    fn row(&self, fields: &[&[u8]; 7]) -> Result<Print, RowFault> {
        let [
            _,
            conditions,
            correction,
            exchange,
            price,
            sip_timestamp,
            size,
        ] = *fields;
        let ts = self.day.ts("sip_timestamp", sip_timestamp)?;
        let Some(price) = decimal(price).filter(|price| *price > 0.0) else {
            return Err(fault("price", price, "dollars above zero"));
        };
        let contracts = integral(size).and_then(|size| i64::try_from(size).ok());
        let Some(size) = contracts.filter(|size| *size > 0) else {
            return Err(fault("size", size, "whole contracts, at least one"));
        };
        let Some(exchange) = whole(exchange).and_then(|id| u16::try_from(id).ok()) else {
            return Err(fault("exchange", exchange, "a number from 0 to 65535"));
        };
        let Some(conditions) = codes(conditions) else {
            return Err(fault("conditions", conditions, "up to four codes"));
        };
        let Some(correction) = small(correction) else {
            return Err(fault("correction", correction, "a small number"));
        };
        Ok(Print {
            ts,
            price,
            size,
            exchange,
            conditions,
            correction,
        })
    }

    fn ts(print: &Print) -> Ts {
        print.ts
    }
}

/// No code, one, or several with commas between them.
#[inline]
fn codes(text: &[u8]) -> Option<Codes> {
    if let Some(code) = whole(text) {
        return i16::try_from(code).ok().map(Codes::one);
    }
    if text.trim_ascii().is_empty() {
        return Some(Codes::default());
    }
    let mut codes = [0; Codes::ROOM];
    let mut count = 0;
    for code in text.split(|byte| *byte == b',') {
        let code = whole(code.trim_ascii())?;
        *codes.get_mut(count)? = i16::try_from(code).ok()?;
        count += 1;
    }
    Codes::of(&codes[..count])
}

/// A number of two bytes; nothing is zero.
#[inline]
fn small(text: &[u8]) -> Option<i16> {
    if text.is_empty() {
        return Some(0);
    }
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let number = i16::try_from(whole(digits)?).ok()?;
    Some(if is_negative { -number } else { number })
}
