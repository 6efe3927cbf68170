//! A row: from the fields of a line to one print with all it met.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::columns::Field;
use super::contracts::{Interner, Misnamed, NamedContract};
use super::marks::{Marks, exchange};
use super::numbers::{Clock, float, is_nothing, whole};
use super::print::{UNKNOWN, UwPrint};
use super::scan::Record;
use crate::flow::{Print, Side};
use crate::providers::account::RowFault;
use crate::providers::exchange_day::ExchangeDay;
use crate::providers::roots;
use crate::time::Ts;

/// Reads rows and remembers what repeats in them.
pub(super) struct RowReader<'a> {
    /// Rows of other tickers are left out; `None` takes all.
    tickers: Option<&'a BTreeSet<String>>,
    clock: Clock,
    day: ExchangeDay,
    contracts: Interner<Known>,
    /// Contracts since they were last taken away; `None` for those no row is kept of.
    pub new_contracts: Vec<Option<NamedContract>>,
    exchanges: Interner<(u16, bool)>,
    marks: Interner<Marks>,
    key: Vec<u8>,
    /// Words that say nothing known, by column.
    pub unknown: BTreeMap<(&'static str, String), u64>,
}

/// What a contract's fields turned out to be.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// One that expires on this day.
    Contract(NaiveDate),
    /// Its rows are left out, for the reason they are counted under.
    LeftOut(&'static str),
    Misnamed(Misnamed),
}

/// A line that could be read.
pub(super) enum Row {
    Print(UwPrint),
    /// Not wanted, for the reason it is counted under.
    LeftOut(&'static str),
}

impl<'a> RowReader<'a> {
    pub fn new(tickers: Option<&'a BTreeSet<String>>) -> RowReader<'a> {
        RowReader {
            tickers,
            clock: Clock::default(),
            day: ExchangeDay::default(),
            contracts: Interner::default(),
            new_contracts: Vec::new(),
            exchanges: Interner::default(),
            marks: Interner::default(),
            key: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// The contract's number is this reader's own.
    pub fn read(&mut self, record: &Record) -> Result<Row, RowFault> {
        let contract = self.contract(record);
        let expiry = match &self.contracts.values[contract as usize] {
            Known::Contract(expiry) => *expiry,
            Known::LeftOut(reason) => return Ok(Row::LeftOut(reason)),
            Known::Misnamed(wrong) => return Err(fault(record, wrong.field, wrong.expected)),
        };
        let ts = self.ts(record)?;
        if expiry < self.day.date_of(ts) {
            return Err(expired(record, expiry));
        }
        let (conditions, is_sweep) = self.conditions(record);
        let print = Print {
            ts,
            price: positive(record, Field::Price)?,
            size: size(record)?,
            exchange: self.exchange(record),
            conditions,
            correction: 0,
        };
        let underlying_price = number(record, Field::UnderlyingPrice)?;
        Ok(Row::Print(UwPrint {
            print,
            contract,
            side: self.side(record),
            is_sweep,
            is_canceled: is_canceled(record)?,
            bid: number(record, Field::Bid)?,
            ask: number(record, Field::Ask)?,
            iv: number(record, Field::Iv)?,
            delta: number(record, Field::Delta)?,
            // Nothing trades for nothing: a zero says that the price was not at hand.
            underlying_price: if underlying_price > 0.0 {
                underlying_price
            } else {
                f64::NAN
            },
            volume: count(record, Field::Volume)?,
            open_interest: count(record, Field::OpenInterest)?,
        }))
    }

    fn contract(&mut self, record: &Record) -> u32 {
        NamedContract::key(record, &mut self.key);
        let (tickers, contracts) = (self.tickers, &mut self.new_contracts);
        self.contracts.number(&self.key, || {
            let (known, named) = match NamedContract::of(record) {
                Err(wrong) => (Known::Misnamed(wrong), None),
                Ok(named) if tickers.is_some_and(|wanted| !wanted.contains(&named.ticker)) => {
                    (Known::LeftOut("other_ticker"), None)
                }
                // Its strike and size say nothing about plain shares.
                Ok(named) if roots::is_adjusted(&named.contract.root) => {
                    (Known::LeftOut("adjusted"), None)
                }
                Ok(named) => (Known::Contract(named.contract.expiry), Some(named)),
            };
            contracts.push(named);
            known
        })
    }

    fn ts(&mut self, record: &Record) -> Result<Ts, RowFault> {
        let text = record.get(Field::ExecutedAt);
        let ts = self
            .clock
            .read(text)
            .or_else(|| self.clock.read(text.trim_ascii()));
        ts.ok_or_else(|| {
            let expected = "a time with its offset from UTC, such as 2025-03-14 13:30:00.123456+00";
            fault(record, Field::ExecutedAt, expected)
        })
    }

    fn exchange(&mut self, record: &Record) -> u16 {
        let text = record.get(Field::Exchange);
        let number = self.exchanges.number(text, || exchange(text));
        let (exchange, is_known) = self.exchanges.values[number as usize];
        if !is_known {
            note(&mut self.unknown, Field::Exchange, text);
        }
        exchange
    }

    fn conditions(&mut self, record: &Record) -> (crate::flow::Codes, bool) {
        let (flags, detail) = (record.get(Field::Flags), record.get(Field::Detail));
        self.key.clear();
        self.key.extend_from_slice(flags);
        self.key.push(b'\n');
        self.key.extend_from_slice(detail);
        let number = self.marks.number(&self.key, || Marks::of(flags, detail));
        let marks = &self.marks.values[number as usize];
        if marks.has_unknown() {
            for (field, words) in [
                (Field::Flags, &marks.unknown_flags),
                (Field::Detail, &marks.unknown_details),
            ] {
                for word in words {
                    note(&mut self.unknown, field, word.as_bytes());
                }
            }
        }
        (marks.codes, marks.is_sweep)
    }

    fn side(&mut self, record: &Record) -> Option<Side> {
        let text = record.get(Field::Side);
        match text {
            b"ask" => return Some(Side::Buy),
            b"bid" => return Some(Side::Sell),
            b"mid" | b"no_side" => return None,
            // Files without the column say it among their tags.
            b"" => return side_of_tags(record.get(Field::Tags)),
            _ => {}
        }
        match text.trim_ascii().to_ascii_lowercase().as_slice() {
            b"ask" => Some(Side::Buy),
            b"bid" => Some(Side::Sell),
            b"mid" | b"no_side" => None,
            other => {
                if !is_nothing(other) {
                    note(&mut self.unknown, Field::Side, text);
                }
                None
            }
        }
    }
}

fn side_of_tags(tags: &[u8]) -> Option<Side> {
    let has = |word: &[u8]| {
        tags.split(|byte| !byte.is_ascii_lowercase() && *byte != b'_')
            .any(|tag| tag == word)
    };
    if tags.is_empty() {
        None
    } else if has(b"ask_side") {
        Some(Side::Buy)
    } else if has(b"bid_side") {
        Some(Side::Sell)
    } else {
        None
    }
}

fn note(unknown: &mut BTreeMap<(&'static str, String), u64>, field: Field, text: &[u8]) {
    let text = String::from_utf8_lossy(text).into_owned();
    *unknown.entry((field.name(), text)).or_default() += 1;
}

/// A contract cannot trade after its last day.
#[cold]
fn expired(record: &Record, expiry: NaiveDate) -> RowFault {
    RowFault::Field {
        reason: "expired",
        column: Field::ExecutedAt.name(),
        got: format!(
            "{} on a contract of {expiry}",
            String::from_utf8_lossy(record.get(Field::ExecutedAt))
        ),
        expected: "a time before the contract expired",
    }
}

#[cold]
fn fault(record: &Record, field: Field, expected: &'static str) -> RowFault {
    RowFault::Field {
        reason: field.reason(),
        column: field.name(),
        got: String::from_utf8_lossy(record.get(field)).into_owned(),
        expected,
    }
}

fn positive(record: &Record, field: Field) -> Result<f64, RowFault> {
    let number = float(record.get(field)).filter(|number| *number > 0.0);
    number.ok_or_else(|| fault(record, field, "a price above zero"))
}

fn size(record: &Record) -> Result<i64, RowFault> {
    let number = whole(record.get(Field::Size)).filter(|number| *number > 0);
    number.ok_or_else(|| {
        fault(
            record,
            Field::Size,
            "a whole number of contracts, at least one",
        )
    })
}

/// A number, NaN where nothing stands.
fn number(record: &Record, field: Field) -> Result<f64, RowFault> {
    let text = record.get(field);
    match float(text) {
        Some(number) => Ok(number),
        None if is_nothing(text.trim_ascii()) => Ok(f64::NAN),
        None => Err(fault(record, field, "a number or nothing")),
    }
}

/// A count, [`UNKNOWN`] where nothing stands.
fn count(record: &Record, field: Field) -> Result<i64, RowFault> {
    let text = record.get(field);
    match whole(text) {
        Some(number) => Ok(number),
        None if is_nothing(text.trim_ascii()) => Ok(UNKNOWN),
        None => Err(fault(
            record,
            field,
            "a whole number, not negative, or nothing",
        )),
    }
}

fn is_canceled(record: &Record) -> Result<bool, RowFault> {
    match record.get(Field::Canceled) {
        b"f" | b"" => Ok(false),
        b"t" => Ok(true),
        text => match text.trim_ascii().to_ascii_lowercase().as_slice() {
            b"f" | b"false" | b"0" | b"" => Ok(false),
            b"t" | b"true" | b"1" => Ok(true),
            _ => Err(fault(record, Field::Canceled, "t or f")),
        },
    }
}
