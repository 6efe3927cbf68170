//! Cells: the values of a row, each of the kind its column is, and how they are spelled as text.

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDate;

use super::columns::Column;
use crate::providers::account::RowFault;
use crate::providers::roots;
use crate::time::Ts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Date,
    Text,
    Number,
    Count,
    Flag,
    Codes,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Time(Ts),
    Date(NaiveDate),
    Text(Cow<'a, str>),
    Number(f64),
    Count(i64),
    Flag(bool),
    Codes(Vec<i16>),
}

/// Whole numbers up to here are doubles.
pub(super) const EXACT: i64 = 1 << 53;

impl Kind {
    pub const fn expected(self) -> &'static str {
        match self {
            Kind::Time => "a time such as 2025-03-14T13:30:00Z, or nanoseconds since 1970",
            Kind::Date => "a date such as 2025-03-14",
            Kind::Text => "text",
            Kind::Number => "a number",
            Kind::Count => "a whole number",
            Kind::Flag => "true or false",
            Kind::Codes => "condition codes such as 219|232",
        }
    }

    /// Reads a cell as it is spelled in a CSV; `None` when it is something else.
    pub fn parse(self, text: &str) -> Option<Cell<'_>> {
        let word = text.trim();
        if word.is_empty() {
            return Some(Cell::Null);
        }
        Some(match self {
            Kind::Text => Cell::Text(Cow::Borrowed(word)),
            Kind::Time => {
                let ns = || word.parse().ok().map(Ts::from_ns);
                Cell::Time(Ts::parse_rfc3339(word).or_else(ns)?)
            }
            Kind::Date => Cell::Date(word.parse().ok()?),
            Kind::Number => Cell::Number(word.parse().ok().filter(|n: &f64| n.is_finite())?),
            Kind::Count => Cell::Count(match word.parse() {
                Ok(count) => count,
                Err(_) => whole(word.parse().ok()?)?,
            }),
            Kind::Flag if word.eq_ignore_ascii_case("true") => Cell::Flag(true),
            Kind::Flag if word.eq_ignore_ascii_case("false") => Cell::Flag(false),
            Kind::Flag => return None,
            Kind::Codes => {
                let list = word.trim_matches(['[', ']']);
                let codes = list
                    .split(['|', ';', ',', ' '])
                    .filter(|code| !code.is_empty());
                let codes: Result<Vec<i16>, _> = codes.map(str::parse).collect();
                Cell::Codes(codes.ok()?)
            }
        })
    }
}

/// A double that is a whole number.
pub(super) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT as f64).then_some(number as i64)
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => Ok(()),
            Cell::Time(ts) => write!(f, "{ts}"),
            Cell::Date(date) => write!(f, "{date}"),
            Cell::Text(text) => write!(f, "{text}"),
            Cell::Number(number) => write!(f, "{number}"),
            Cell::Count(count) => write!(f, "{count}"),
            Cell::Flag(flag) => write!(f, "{flag}"),
            Cell::Codes(codes) => write!(f, "{codes:?}"),
        }
    }
}

/// A row whose cells are asked for one by one, in the order of the columns.
pub(super) struct Cells<'a> {
    columns: &'static [Column],
    cells: &'a [Cell<'a>],
    next: usize,
}

impl<'a> Cells<'a> {
    /// Fails when a needed cell is empty.
    pub fn new(columns: &'static [Column], cells: &'a [Cell<'a>]) -> Result<Cells<'a>, RowFault> {
        let cells = Cells {
            columns,
            cells,
            next: 0,
        };
        for (column, cell) in columns.iter().zip(cells.cells) {
            if column.is_needed && *cell == Cell::Null {
                return Err(cells.fault(column.name, column.kind.expected()));
            }
        }
        Ok(cells)
    }

    fn next(&mut self, name: &str) -> &'a Cell<'a> {
        let place = self.next;
        debug_assert_eq!(
            self.columns[place].name, name,
            "cells are asked for in order"
        );
        self.next += 1;
        &self.cells[place]
    }

    pub fn maybe_time(&mut self, name: &str) -> Option<Ts> {
        match self.next(name) {
            Cell::Time(ts) => Some(*ts),
            _ => None,
        }
    }

    pub fn maybe_date(&mut self, name: &str) -> Option<NaiveDate> {
        match self.next(name) {
            Cell::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub fn maybe_text(&mut self, name: &str) -> Option<&'a str> {
        match self.next(name) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn maybe_number(&mut self, name: &str) -> Option<f64> {
        match self.next(name) {
            Cell::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn maybe_flag(&mut self, name: &str) -> Option<bool> {
        match self.next(name) {
            Cell::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    pub fn codes(&mut self, name: &str) -> Vec<i16> {
        match self.next(name) {
            Cell::Codes(codes) => codes.clone(),
            _ => Vec::new(),
        }
    }

    /// A count of at least `least`.
    pub fn maybe_count(&mut self, name: &'static str, least: i64) -> Result<Option<i64>, RowFault> {
        match self.next(name) {
            Cell::Count(count) if *count < least => Err(self.fault(
                name,
                if least == 0 {
                    "a whole number, not negative"
                } else {
                    "a whole number above zero"
                },
            )),
            Cell::Count(count) => Ok(Some(*count)),
            _ => Ok(None),
        }
    }

    /// The same of what is kept in 32 bits.
    pub fn maybe_short_count(
        &mut self,
        name: &'static str,
        least: i64,
    ) -> Result<Option<u32>, RowFault> {
        let count = self
            .maybe_count(name, least)?
            .map(u32::try_from)
            .transpose();
        count.map_err(|_| self.fault(name, "a whole number below 2^32"))
    }

    pub fn time(&mut self, name: &str) -> Ts {
        self.maybe_time(name).expect(NEEDED)
    }

    pub fn date(&mut self, name: &str) -> NaiveDate {
        self.maybe_date(name).expect(NEEDED)
    }

    pub fn text(&mut self, name: &str) -> &'a str {
        self.maybe_text(name).expect(NEEDED)
    }

    /// The ticker, in letters that can name one.
    pub fn ticker(&mut self) -> Result<String, RowFault> {
        Ok(self.maybe_ticker()?.expect(NEEDED))
    }

    pub fn maybe_ticker(&mut self) -> Result<Option<String>, RowFault> {
        match self.maybe_text("ticker") {
            Some(ticker) if !roots::is_ticker(ticker) => {
                Err(self.fault("ticker", "a ticker, such as TSLA or BRK.B"))
            }
            ticker => Ok(ticker.map(str::to_owned)),
        }
    }

    pub fn count(&mut self, name: &'static str, least: i64) -> Result<i64, RowFault> {
        Ok(self.maybe_count(name, least)?.expect(NEEDED))
    }

    /// A number above zero.
    pub fn price(&mut self, name: &'static str) -> Result<f64, RowFault> {
        let number = self.maybe_number(name).expect(NEEDED);
        if number > 0.0 {
            return Ok(number);
        }
        Err(self.fault(name, "a number above zero"))
    }

    /// The fault of a cell that is of its kind and yet not right.
    pub fn fault(&self, name: &str, expected: &'static str) -> RowFault {
        let place = self.columns.iter().position(|column| column.name == name);
        let place = place.expect("faults are of the table's own columns");
        self.columns[place].fault(self.cells[place].to_string(), expected)
    }
}

impl Column {
    pub fn fault(&self, got: String, expected: &'static str) -> RowFault {
        RowFault::Field {
            reason: self.reason,
            column: self.name,
            got,
            expected,
        }
    }
}

const NEEDED: &str = "needed cells were checked to be there";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_spellings() {
        let half_past = Ts::parse_rfc3339("2025-03-14T13:30:00.25Z").unwrap();
        for (kind, text, cell) in [
            (Kind::Time, "2025-03-14T13:30:00.25Z", Cell::Time(half_past)),
            (
                Kind::Time,
                "2025-03-14T09:30:00.250-04:00",
                Cell::Time(half_past),
            ),
            (Kind::Time, "1741959000250000000", Cell::Time(half_past)),
            (
                Kind::Date,
                "2025-03-14",
                Cell::Date("2025-03-14".parse().unwrap()),
            ),
            (Kind::Number, "1e-3", Cell::Number(0.001)),
            (
                Kind::Count,
                "9007199254740993",
                Cell::Count(9_007_199_254_740_993),
            ),
            (Kind::Count, "12.0", Cell::Count(12)),
            (Kind::Flag, "True", Cell::Flag(true)),
            (Kind::Codes, "219|232", Cell::Codes(vec![219, 232])),
            (Kind::Codes, "219; 232", Cell::Codes(vec![219, 232])),
            (Kind::Codes, "[219, 232]", Cell::Codes(vec![219, 232])),
            (Kind::Codes, "[]", Cell::Codes(vec![])),
            (Kind::Count, " ", Cell::Null),
        ] {
            assert_eq!(kind.parse(text), Some(cell), "{text}");
        }
    }

    #[test]
    fn what_is_spelled_otherwise_is_refused() {
        for (kind, text) in [
            (Kind::Time, "2025-03-14 13:30"),
            (Kind::Time, "2025-03-14T13:30:00"),
            (Kind::Time, "1.5"),
            (Kind::Date, "14.03.2025"),
            (Kind::Number, "NaN"),
            (Kind::Number, "inf"),
            (Kind::Number, "1,5"),
            (Kind::Count, "1.5"),
            (Kind::Count, "1e300"),
            (Kind::Flag, "1"),
            (Kind::Codes, "219|abc"),
            (Kind::Codes, "99999"),
        ] {
            assert_eq!(kind.parse(text), None, "{text}");
        }
    }
}
