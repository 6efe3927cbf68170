//! Rows: objects that may be something else, so that one of them does not spoil the page.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::wire::{Cell, CellVisitor, Fault};

/// An object that may be something else: a row, or an object inside one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Row<W> {
    Object(W),
    Other(Cell),
}

/// As if it were missing.
impl<W> Default for Row<W> {
    fn default() -> Row<W> {
        Row::Other(Cell::Missing)
    }
}

impl<W> Row<W> {
    pub fn object(&self, column: &'static str) -> Result<&W, Fault> {
        match self {
            Row::Object(object) => Ok(object),
            Row::Other(cell) => Err(cell.fault(column, "an object")),
        }
    }
}

struct RowVisitor<W>(PhantomData<W>);

impl<'de, W: Deserialize<'de>> Visitor<'de> for RowVisitor<W> {
    type Value = Row<W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Row<W>, A::Error> {
        W::deserialize(MapAccessDeserializer::new(map)).map(Row::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Row<W>, A::Error> {
        CellVisitor.visit_seq(seq).map(Row::Other)
    }

    fn visit_unit<E>(self) -> Result<Row<W>, E> {
        Ok(Row::Other(Cell::Missing))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Row<W>, E> {
        Ok(Row::Other(Cell::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Row<W>, E> {
        Ok(Row::Other(Cell::Int(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Row<W>, E> {
        CellVisitor.visit_u64(value).map(Row::Other)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Row<W>, E> {
        Ok(Row::Other(Cell::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Row<W>, E> {
        Ok(Row::Other(Cell::Text(value.to_owned())))
    }
}

impl<'de, W: Deserialize<'de>> Deserialize<'de> for Row<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Row<W>, D::Error> {
        deserializer.deserialize_any(RowVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Pair {
        #[serde(default)]
        a: Cell,
    }

    #[test]
    fn one_row_of_the_wrong_kind_leaves_the_others() {
        let rows: Vec<Row<Pair>> =
            serde_json::from_str("[{\"a\":1,\"new\":{\"x\":[]}},null,7,\"x\",[1],{}]").unwrap();
        assert_eq!(rows[0], Row::Object(Pair { a: Cell::Int(1) }));
        assert_eq!(rows[5], Row::Object(Pair { a: Cell::Missing }));
        assert!(rows[1..5].iter().all(|row| matches!(row, Row::Other(_))));
    }
}
