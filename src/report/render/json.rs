//! JSON: an array of tables, always, with rows as objects and the total apart from them.

use serde_json::{Map, Value as Json, json};

use super::super::table::{Cell, Column, Role, Row, Table, Value};

pub(super) fn render(tables: &[Table]) -> String {
    let tables: Vec<Json> = tables.iter().map(object).collect();
    format!("{:#}\n", Json::Array(tables))
}

fn object(table: &Table) -> Json {
    let mut object = Map::new();
    if let Some(name) = &table.name {
        object.insert("table".to_owned(), json!(name));
    }
    if let Some(title) = &table.title {
        object.insert("title".to_owned(), json!(title));
    }
    if !table.facts.is_empty() {
        let values = table.facts.iter().flat_map(|fact| &fact.values);
        let facts: Map<String, Json> = values
            .map(|(name, cell)| (name.clone(), single(cell)))
            .collect();
        object.insert("facts".to_owned(), Json::Object(facts));
    }
    let rows = |role: Role| table.rows.iter().filter(move |row| row.role == role);
    let plain: Vec<Json> = rows(Role::Plain)
        .map(|row| record(&table.columns, row))
        .collect();
    object.insert("rows".to_owned(), Json::Array(plain));
    for row in rows(Role::Total) {
        object.insert("total".to_owned(), record(&table.columns, row));
    }
    if !table.notes.is_empty() {
        object.insert("notes".to_owned(), json!(table.notes));
    }
    Json::Object(object)
}

fn record(columns: &[Column], row: &Row) -> Json {
    let fields = columns.iter().zip(&row.cells).flat_map(|(column, cell)| {
        let values = cell.values(column.fields.len());
        column
            .fields
            .iter()
            .cloned()
            .zip(values.into_iter().map(value))
    });
    Json::Object(fields.collect())
}

fn single(cell: &Cell) -> Json {
    value(cell.values(1).remove(0))
}

fn value(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(text) => json!(text),
    }
}
