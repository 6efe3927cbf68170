//! CSV: rows of any table as text, each value so that nothing of it is lost.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
    UInt32Type,
};

use super::parquet::date_from_days;
use crate::time::Ts;

/// Between the items of a list, which stand in one field.
const LIST: char = ';';

/// Rows as CSV: numbers in their shortest exact form, times in RFC 3339, lists with `;` between
/// their items, null empty.
pub fn csv_rows(rows: &RecordBatch) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::with_capacity(rows.num_rows() * 512));
    let mut cell = String::new();
    for row in 0..rows.num_rows() {
        for column in rows.columns() {
            cell.clear();
            if column.is_valid(row) {
                write_cell(&mut cell, column, row);
            }
            writer.write_field(&cell).expect(INTO_MEMORY);
        }
        writer.write_record(None::<&[u8]>).expect(INTO_MEMORY);
    }
    writer.into_inner().expect(INTO_MEMORY)
}

fn write_cell(cell: &mut String, column: &ArrayRef, row: usize) {
    use std::fmt::Write;
    match column.data_type() {
        DataType::Utf8 => cell.push_str(column.as_string::<i32>().value(row)),
        DataType::Dictionary(..) => {
            let texts = column.as_dictionary::<Int32Type>();
            let key = texts.keys().value(row) as usize;
            cell.push_str(texts.values().as_string::<i32>().value(key));
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            for (place, item) in items
                .as_primitive::<Int16Type>()
                .values()
                .iter()
                .enumerate()
            {
                if place > 0 {
                    cell.push(LIST);
                }
                write!(cell, "{item}").expect(INTO_STRING);
            }
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            cell.push_str(zmij::Buffer::new().format(value));
        }
        DataType::Int64 => {
            write!(cell, "{}", column.as_primitive::<Int64Type>().value(row)).expect(INTO_STRING)
        }
        DataType::Int32 => {
            write!(cell, "{}", column.as_primitive::<Int32Type>().value(row)).expect(INTO_STRING)
        }
        DataType::UInt32 => {
            write!(cell, "{}", column.as_primitive::<UInt32Type>().value(row)).expect(INTO_STRING)
        }
        DataType::Boolean => cell.push_str(if column.as_boolean().value(row) {
            "true"
        } else {
            "false"
        }),
        DataType::Date32 => {
            let date = date_from_days(column.as_primitive::<Date32Type>().value(row));
            write!(cell, "{}", date.expect("written from a date")).expect(INTO_STRING);
        }
        DataType::Timestamp(..) => {
            let ts = Ts::from_ns(column.as_primitive::<TimestampNanosecondType>().value(row));
            write!(cell, "{ts}").expect(INTO_STRING);
        }
        other => unreachable!("no table has a column of type {other}"),
    }
}

const INTO_STRING: &str = "writing to a string cannot fail";
const INTO_MEMORY: &str = "writing to memory cannot fail";
