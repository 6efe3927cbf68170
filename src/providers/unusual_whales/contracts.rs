//! Contracts: each is read once and then only known by its number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_128;

use super::columns::Field;
use super::numbers::{calendar_date, float};
use super::scan::Record;
use crate::flow::{CallPut, Contract};
use crate::providers::roots;

/// A contract, and the ticker its rows belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedContract {
    /// OCC symbol without `O:`.
    pub symbol: String,
    pub ticker: String,
    pub contract: Contract,
}

/// A field that does not name what it should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Misnamed {
    pub field: Field,
    pub expected: &'static str,
}

const EXPECTED_TICKER: &str = "a ticker, such as TSLA or BRK.B";
const EXPECTED_SYMBOL: &str = "an OCC symbol, such as TSLA250221C00245000";

impl NamedContract {
    /// The contract of a row: by its symbol, or by its parts where there is none. What the parts say
    /// beside a symbol is not compared with it.
    pub(super) fn of(record: &Record) -> Result<NamedContract, Misnamed> {
        let text = |field| {
            String::from_utf8_lossy(record.get(field))
                .trim()
                .to_ascii_uppercase()
        };
        let wrong = |field, expected| Misnamed { field, expected };
        let underlying = text(Field::Underlying);
        let chain = text(Field::Chain);
        let (symbol, contract) = if chain.is_empty() {
            if underlying.is_empty() {
                return Err(wrong(Field::Chain, EXPECTED_SYMBOL));
            }
            let contract = of_parts(record, &underlying)?;
            (contract.symbol(), contract)
        } else {
            let symbol = chain.strip_prefix("O:").unwrap_or(&chain);
            let contract =
                Contract::parse(symbol).map_err(|_| wrong(Field::Chain, EXPECTED_SYMBOL))?;
            (symbol.to_owned(), contract)
        };
        let ticker = match underlying.as_str() {
            "" => roots::underlying(&contract.root),
            given => roots::underlying(given),
        };
        if !roots::is_ticker(ticker) {
            return Err(wrong(Field::Underlying, EXPECTED_TICKER));
        }
        Ok(NamedContract {
            symbol,
            ticker: ticker.to_owned(),
            contract,
        })
    }

    /// The bytes that tell contracts apart, into `key`.
    pub(super) fn key(record: &Record, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(record.get(Field::Chain));
        key.push(b',');
        key.extend_from_slice(record.get(Field::Underlying));
        if record.get(Field::Chain).is_empty() {
            for field in [Field::Expiry, Field::OptionType, Field::Strike] {
                key.push(b',');
                key.extend_from_slice(record.get(field));
            }
        }
    }
}

fn of_parts(record: &Record, underlying: &str) -> Result<Contract, Misnamed> {
    let wrong = |field, expected| Misnamed { field, expected };
    // Symbols have no room for a point.
    let root: String = underlying
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    if !(1..=6).contains(&root.len()) {
        return Err(wrong(Field::Underlying, EXPECTED_TICKER));
    }
    let expiry = record.get(Field::Expiry).trim_ascii();
    let expiry = expiry.get(..10).and_then(calendar_date);
    let call_put = match record.get(Field::OptionType).trim_ascii() {
        kind if kind.eq_ignore_ascii_case(b"call") || kind.eq_ignore_ascii_case(b"c") => {
            CallPut::Call
        }
        kind if kind.eq_ignore_ascii_case(b"put") || kind.eq_ignore_ascii_case(b"p") => {
            CallPut::Put
        }
        _ => return Err(wrong(Field::OptionType, "call or put")),
    };
    let strike = float(record.get(Field::Strike)).filter(|strike| {
        let thousandths = strike * 1000.0;
        (1.0..=99_999_999.0).contains(&thousandths)
            && (thousandths - thousandths.round()).abs() < 1e-6
    });
    Ok(Contract {
        root,
        expiry: expiry.ok_or(wrong(Field::Expiry, "a date, such as 2025-02-21"))?,
        call_put,
        strike: strike.ok_or(wrong(
            Field::Strike,
            "dollars in whole thousandths, below 100000",
        ))?,
    })
}

/// Texts that repeat, each with a number and a value made when it was first seen. They are told apart by
/// 128 bits of hash alone: that two of them share it does not happen.
pub(super) struct Interner<T> {
    numbers: HashMap<u128, u32, BuildHasherDefault<AsIs>>,
    pub values: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner {
            numbers: HashMap::default(),
            values: Vec::new(),
        }
    }
}

impl<T> Interner<T> {
    /// The number of `text`; `make` is asked for the value of a new one.
    pub fn number(&mut self, text: &[u8], make: impl FnOnce() -> T) -> u32 {
        let next = self.values.len() as u32;
        let number = *self.numbers.entry(xxh3_128(text)).or_insert(next);
        if number == next {
            self.values.push(make());
        }
        number
    }
}

/// The key is a hash already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are 128-bit numbers");
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Columns;
    use super::super::scan::scan;
    use super::*;

    fn symbol(header: &str, line: &str) -> Result<(String, String), Misnamed> {
        let header = format!("executed_at,price,size,{header}");
        let line = format!(",,,{line}");
        let columns = Columns::of("x", header.as_bytes()).unwrap();
        let mut found = None;
        scan(line.as_bytes(), &columns, |_, record| {
            found = Some(NamedContract::of(record.unwrap()));
        });
        found.unwrap().map(|named| (named.symbol, named.ticker))
    }

    #[test]
    fn the_symbol_names_the_contract_and_the_column_its_ticker() {
        for (line, expected) in [
            ("TSLA250221C00245000,TSLA", ("TSLA250221C00245000", "TSLA")),
            ("O:TSLA250221C00245000,", ("TSLA250221C00245000", "TSLA")),
            ("SPXW250314P05500000,SPXW", ("SPXW250314P05500000", "SPX")),
            (
                "BRKB261120P00410500,brk.b",
                ("BRKB261120P00410500", "BRK.B"),
            ),
        ] {
            let (symbol, ticker) = symbol("option_chain_id,underlying_symbol", line).unwrap();
            assert_eq!((symbol.as_str(), ticker.as_str()), expected);
        }
    }

    #[test]
    fn without_a_symbol_the_parts_name_it() {
        let header = "underlying_symbol,expiry,option_type,strike";
        for (line, expected) in [
            ("TSLA,2025-02-21,call,245", Ok("TSLA250221C00245000")),
            ("BRK.B,2026-11-20,P,410.5", Ok("BRKB261120P00410500")),
            ("F,2026-11-20 00:00:00,put,2.500", Ok("F261120P00002500")),
            ("TSLA,2025-02-30,call,245", Err(Field::Expiry)),
            ("TSLA,2025-02-21,straddle,245", Err(Field::OptionType)),
            ("TSLA,2025-02-21,call,0", Err(Field::Strike)),
            ("TSLA,2025-02-21,call,245.00001", Err(Field::Strike)),
            ("LONGNAME,2025-02-21,call,245", Err(Field::Underlying)),
        ] {
            let found = symbol(header, line).map(|(symbol, _)| symbol);
            let expected = expected.map(str::to_owned);
            assert_eq!(found.map_err(|wrong| wrong.field), expected, "{line}");
        }
    }

    #[test]
    fn a_ticker_that_could_leave_the_store_is_refused() {
        let found = symbol(
            "option_chain_id,underlying_symbol",
            "TSLA250221C00245000,../TSLA",
        );
        assert_eq!(found.unwrap_err().field, Field::Underlying);
    }

    #[test]
    fn a_text_keeps_its_number() {
        let mut interner = Interner::default();
        for round in 0..2 {
            for number in 0..1000u32 {
                let text = number.to_string();
                assert_eq!(interner.number(text.as_bytes(), || round), number);
            }
        }
        assert!(interner.values.iter().all(|round| *round == 0));
    }
}
