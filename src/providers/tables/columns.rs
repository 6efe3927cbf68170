//! Columns: what each table has, which of it a file must have, and where it stands in one.

use std::collections::BTreeSet;
use std::path::Path;

use super::cells::Kind;
use super::error::TablesError;
use crate::store::Table;

/// A column of a table. Rows that have nothing in a needed one are bad.
#[derive(Debug)]
pub(super) struct Column {
    pub name: &'static str,
    /// The name under which its bad rows are counted.
    pub reason: &'static str,
    pub kind: Kind,
    pub is_needed: bool,
}

/// The columns of a table in its order; those after `?` may be missing.
macro_rules! columns {
    ($($kind:ident $($name:ident)* $(? $($optional:ident)+)?;)+) => {
        &[$(
            $(Column {
                name: stringify!($name),
                reason: concat!("bad_", stringify!($name)),
                kind: Kind::$kind,
                is_needed: true,
            },)*
            $($(Column {
                name: stringify!($optional),
                reason: concat!("bad_", stringify!($optional)),
                kind: Kind::$kind,
                is_needed: false,
            },)+)?
        )+]
    };
}
pub(super) use columns;

/// For each column of a table its place in a file.
pub(super) struct Places {
    pub places: Vec<Option<usize>>,
    /// Columns of the file that the table does not have.
    pub unknown: BTreeSet<String>,
}

impl Places {
    /// Finds `columns` among the names in a file. Fails when a needed one is missing.
    pub fn of(
        path: &Path,
        table: Table,
        columns: &[Column],
        names: &[String],
    ) -> Result<Places, TablesError> {
        let mut seen = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        for name in names {
            let is_known = columns.iter().any(|column| column.name == name);
            if is_known && !seen.insert(name) {
                return Err(TablesError::ColumnTwice {
                    path: path.to_owned(),
                    column: name.clone(),
                });
            } else if !is_known {
                unknown.insert(name.clone());
            }
        }
        let place = |column: &Column| names.iter().position(|name| name == column.name);
        let places: Vec<Option<usize>> = columns.iter().map(place).collect();
        let is_missing =
            |(column, place): &(&Column, &Option<usize>)| column.is_needed && place.is_none();
        let missing = columns.iter().zip(&places).filter(is_missing);
        let missing: Vec<&'static str> = missing.map(|(column, _)| column.name).collect();
        if missing.is_empty() {
            return Ok(Places { places, unknown });
        }
        Err(TablesError::MissingColumns {
            path: path.to_owned(),
            table: table.name(),
            missing,
            present: names
                .iter()
                .filter(|name| !name.is_empty())
                .cloned()
                .collect(),
        })
    }
}
