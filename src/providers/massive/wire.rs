//! The wire: from JSON whose fields may be missing or of the wrong kind to cells that can be judged.
//!
//! A field is read without an opinion, a row is judged later: so one bad row costs one row and not
//! the page it came in. Whole numbers stay whole: a time in nanoseconds does not survive an `f64`.

use std::fmt;

use chrono::NaiveDate;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::time::Ts;

/// Beyond this, an `f64` skips whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The envelope of every answer. Fields that nobody here reads are ignored, whatever they hold.
#[derive(serde::Deserialize)]
pub(super) struct Envelope<R> {
    #[serde(default)]
    pub status: Cell,
    #[serde(default)]
    pub error: Cell,
    #[serde(default)]
    pub message: Cell,
    /// Missing or null when there is nothing.
    #[serde(default = "none")]
    pub results: Option<R>,
    #[serde(default)]
    pub next_url: Cell,
}

fn none<R>() -> Option<R> {
    None
}

/// A field as it arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Not there, or null.
    #[default]
    Missing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
    /// Not looked into.
    Object,
}

/// Why a row cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub column: &'static str,
    pub got: String,
    pub expected: &'static str,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Missing => f.write_str("missing"),
            Cell::Bool(value) => write!(f, "{value}"),
            Cell::Int(value) => write!(f, "{value}"),
            Cell::Float(value) => write!(f, "{value}"),
            // A page may hold anything: no more of it than a line can bear.
            Cell::Text(text) => write!(f, "{:?}", text.chars().take(40).collect::<String>()),
            Cell::List(cells) => {
                let few: Vec<String> = cells.iter().take(8).map(Cell::to_string).collect();
                let more = if cells.len() > few.len() { ", .." } else { "" };
                write!(f, "[{}{more}]", few.join(", "))
            }
            Cell::Object => f.write_str("an object"),
        }
    }
}

impl Cell {
    pub fn is_missing(&self) -> bool {
        *self == Cell::Missing
    }

    pub fn fault(&self, column: &'static str, expected: &'static str) -> Fault {
        Fault {
            column,
            got: self.to_string(),
            expected,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match *self {
            Cell::Int(value) => Some(value as f64),
            Cell::Float(value) => Some(value),
            _ => None,
        }
    }

    /// `10` and `10.0`, not `10.5`.
    pub fn whole(&self) -> Option<i64> {
        match *self {
            Cell::Int(value) => Some(value),
            Cell::Float(value) if value.fract() == 0.0 && value.abs() < EXACT => Some(value as i64),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn price(&self, column: &'static str) -> Result<f64, Fault> {
        self.number()
            .filter(|price| *price > 0.0 && price.is_finite())
            .ok_or_else(|| self.fault(column, "a price above zero"))
    }

    /// Nanoseconds. A float is refused: it has already lost some of them.
    pub fn ts_ns(&self, column: &'static str) -> Result<Ts, Fault> {
        match *self {
            Cell::Int(ns) if ns > 0 => Ok(Ts::from_ns(ns)),
            _ => Err(self.fault(column, "nanoseconds since 1970")),
        }
    }

    /// Milliseconds.
    pub fn ts_ms(&self, column: &'static str) -> Result<Ts, Fault> {
        self.whole()
            .filter(|ms| *ms > 0)
            .and_then(|ms| ms.checked_mul(1_000_000))
            .map(Ts::from_ns)
            .ok_or_else(|| self.fault(column, "milliseconds since 1970"))
    }

    pub fn date(&self, column: &'static str) -> Result<NaiveDate, Fault> {
        self.text()
            .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .ok_or_else(|| self.fault(column, "a date like 2025-03-14"))
    }

    pub fn word(&self, column: &'static str) -> Result<&str, Fault> {
        self.text()
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.fault(column, "a text"))
    }

    /// The OCC symbol behind `O:`.
    pub fn occ(&self, column: &'static str) -> Result<&str, Fault> {
        let symbol = self.word(column)?;
        let symbol = symbol.strip_prefix("O:").unwrap_or(symbol);
        match crate::flow::Contract::parse(symbol) {
            Ok(_) => Ok(symbol),
            Err(_) => Err(self.fault(column, "an OCC symbol")),
        }
    }
}

pub(super) struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        let mut cells = Vec::new();
        while let Some(cell) = seq.next_element()? {
            cells.push(cell);
        }
        Ok(Cell::List(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Object)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(json: &str) -> Cell {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nanoseconds_stay_whole_and_floats_are_refused() {
        let ns = cell("1791988801123456789");
        assert_eq!(ns.ts_ns("t"), Ok(Ts::from_ns(1_791_988_801_123_456_789)));
        assert!(cell("1.791988801123e18").ts_ns("t").is_err());
        assert!(cell("\"1791988801123456789\"").ts_ns("t").is_err());
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        assert_eq!(cell("10.0").whole(), Some(10));
        assert_eq!(cell("10.5").whole(), None);
        assert_eq!(cell("1e300").whole(), None);
    }

    #[test]
    fn a_fault_says_what_came_instead() {
        for (json, got) in [
            ("null", "missing"),
            ("\"x\"", "\"x\""),
            ("-1", "-1"),
            ("0", "0"),
            ("[1,2]", "[1, 2]"),
            ("[1,\"2\",{}]", "[1, \"2\", an object]"),
            ("[1,2,3,4,5,6,7,8,9]", "[1, 2, 3, 4, 5, 6, 7, 8, ..]"),
            ("{\"a\":{}}", "an object"),
            ("true", "true"),
        ] {
            assert_eq!(cell(json).price("price").unwrap_err().got, got, "{json}");
        }
    }
}
