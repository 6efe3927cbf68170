//! The tables' columns: names, types and which may be null, as every reader may rely on them.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};

use super::{StoreProblem, Table};

pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// Text that repeats: stored and decoded once per distinct value.
pub fn repeated_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn required(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

fn optional(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

pub fn of(table: Table) -> SchemaRef {
    let fields = match table {
        Table::Flow => flow(),
        Table::Bars1m => bars_1m(),
        Table::Bars1d => bars_1d(),
        Table::OpenInterest => vec![
            required("date", DataType::Date32),
            required("contract", repeated_text()),
            required("open_interest", DataType::Int64),
            optional("captured_at", timestamp()),
        ],
        Table::Splits => vec![
            required("ex_date", DataType::Date32),
            required("ticker", repeated_text()),
            required("ratio", DataType::Float64),
        ],
    };
    Arc::new(Schema::new(fields))
}

fn flow() -> Vec<Field> {
    vec![
        required("ts", timestamp()),
        required("available_at", timestamp()),
        required("seq", DataType::UInt32),
        required("ticker", repeated_text()),
        required("contract", repeated_text()),
        required("call_put", repeated_text()),
        required("strike", DataType::Float64),
        required("expiry", DataType::Date32),
        required("price", DataType::Float64),
        required("contracts", DataType::Int64),
        required("notional", DataType::Float64),
        optional("bid", DataType::Float64),
        optional("ask", DataType::Float64),
        required("side", repeated_text()),
        required("side_source", repeated_text()),
        required("side_quality", repeated_text()),
        required("is_aggressive", DataType::Boolean),
        required("is_sweep", DataType::Boolean),
        required("has_iso", DataType::Boolean),
        required("is_block", DataType::Boolean),
        required("is_multi_leg", DataType::Boolean),
        required("is_extended", DataType::Boolean),
        required("prints", DataType::UInt32),
        required("exchanges", DataType::UInt32),
        required("volume", DataType::Int64),
        optional("open_interest", DataType::Int64),
        optional("iv", DataType::Float64),
        optional("delta", DataType::Float64),
        optional("underlying_price", DataType::Float64),
        required(
            "conditions",
            DataType::List(Arc::new(Field::new("item", DataType::Int16, false))),
        ),
        optional("cancelled_at", timestamp()),
        required("cancelled_contracts", DataType::Int64),
        required("source", repeated_text()),
    ]
}

fn bars_1m() -> Vec<Field> {
    vec![
        required("ts", timestamp()),
        required("ticker", repeated_text()),
        required("open", DataType::Float64),
        required("high", DataType::Float64),
        required("low", DataType::Float64),
        required("close", DataType::Float64),
        required("volume", DataType::Float64),
        optional("vwap", DataType::Float64),
        optional("trades", DataType::Int64),
        required("is_regular", DataType::Boolean),
    ]
}

fn bars_1d() -> Vec<Field> {
    vec![
        required("date", DataType::Date32),
        required("ticker", repeated_text()),
        required("open", DataType::Float64),
        required("high", DataType::Float64),
        required("low", DataType::Float64),
        required("close", DataType::Float64),
        required("volume", DataType::Float64),
    ]
}

/// The columns that files of the first days do not have. They are null there.
const LATER: [&str; 1] = ["captured_at"];

/// `rows` of a file, with the columns it was written without.
pub fn with_later_columns(rows: RecordBatch, table: Table) -> RecordBatch {
    let schema = of(table);
    let missing = |field: &&FieldRef| rows.column_by_name(field.name()).is_none();
    if !schema.fields().iter().any(|field| missing(&field)) {
        return rows;
    }
    let column = |field: &FieldRef| match rows.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => new_null_array(field.data_type(), rows.num_rows()),
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(schema, columns).expect("the file's columns were checked")
}

/// Whether `got` has every column of `expected` with its type. Further columns do no harm.
pub fn check(got: &Schema, expected: &Schema) -> Result<(), StoreProblem> {
    for field in expected.fields() {
        let name = field.name();
        let Ok(found) = got.field_with_name(name) else {
            if LATER.contains(&name.as_str()) {
                continue;
            }
            return Err(StoreProblem::MissingColumn {
                column: name.clone(),
            });
        };
        if found.data_type() != field.data_type() {
            return Err(StoreProblem::ColumnType {
                column: name.clone(),
                got: found.data_type().to_string(),
                expected: field.data_type().to_string(),
            });
        }
    }
    Ok(())
}
