//! CSV for a data frame: one header, one row per group, every table under the union of all fields.
//!
//! ```text
//! table,kind,regime,n,wins,…,run,…        SQL calls this shape GROUPING SETS:
//! totals,,,90,51,…                        a dimension the row was not grouped by is empty.
//! kind,SCALP,,52,30,…
//! "kind,regime",SCALP,UP/HIGH,14,9,…
//! ```
//!
//! Total rows are left out (`totals` has them), so that a column can be added up within a table.
//! Facts are repeated in every row, so that the files of two runs can be put under each other.

use csv::Writer;

use super::super::table::{Cell, Column, Role, Row, Table, Value};

const TABLE: &str = "table";

pub(super) fn render(tables: &[Table]) -> String {
    let fields = union(tables);
    let mut writer = Writer::from_writer(Vec::new());
    if !fields.is_empty() {
        write(&mut writer, &fields);
    }
    for table in tables {
        for row in table.rows.iter().filter(|row| row.role == Role::Plain) {
            let values = named_values(table, row);
            let value = |field: &String| {
                values
                    .iter()
                    .find(|(name, _)| name == field)
                    .map(|(_, value)| text(value))
            };
            let record: Vec<String> = fields
                .iter()
                .map(|field| value(field).unwrap_or_default())
                .collect();
            write(&mut writer, &record);
        }
    }
    let bytes = writer
        .into_inner()
        .expect("a buffer in memory takes every write");
    String::from_utf8(bytes).expect("only text was written")
}

fn write(writer: &mut Writer<Vec<u8>>, record: &[String]) {
    writer
        .write_record(record)
        .expect("a buffer in memory takes every write, and all records are as long");
}

/// The name of the table when any has one, then all fields, then the facts.
fn union(tables: &[Table]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for table in tables {
        insert_in_order(
            &mut fields,
            table.columns.iter().flat_map(|column| &column.fields),
        );
    }
    if tables.iter().any(|table| table.name.is_some()) {
        fields.insert(0, TABLE.to_owned());
    }
    for (name, _) in tables
        .iter()
        .flat_map(|table| &table.facts)
        .flat_map(|fact| &fact.values)
    {
        if !fields.contains(name) {
            fields.push(name.clone());
        }
    }
    fields
}

/// Adds what is new just before the next field that is known, so that dimensions gather in front
/// of the figures they share.
fn insert_in_order<'a>(fields: &mut Vec<String>, new: impl DoubleEndedIterator<Item = &'a String>) {
    let mut before = fields.len();
    for name in new.rev() {
        match fields.iter().position(|field| field == name) {
            Some(known) => before = known,
            None => fields.insert(before, name.clone()),
        }
    }
}

fn named_values(table: &Table, row: &Row) -> Vec<(String, Value)> {
    let name = table
        .name
        .iter()
        .map(|name| (TABLE.to_owned(), Value::Text(name.clone())));
    let cells = table
        .columns
        .iter()
        .zip(&row.cells)
        .flat_map(|(column, cell)| fields_of(column, cell));
    let facts = table.facts.iter().flat_map(|fact| &fact.values);
    let facts = facts.map(|(name, cell)| (name.clone(), cell.values(1).remove(0)));
    name.chain(cells).chain(facts).collect()
}

fn fields_of(column: &Column, cell: &Cell) -> Vec<(String, Value)> {
    column
        .fields
        .iter()
        .cloned()
        .zip(cell.values(column.fields.len()))
        .collect()
}

/// Floats in full: the shortest digits that read back as the same number.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) => text.clone(),
    }
}
