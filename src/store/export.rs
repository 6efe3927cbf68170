//! Exporting: a ticker's rows of a table as CSV, with the columns of the schema.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, TimestampNanosecondType};
use chrono::NaiveDate;

use super::csv::csv_rows;
use super::parquet::{Opened, days_since_epoch};
use super::place::beside;
use super::{Store, StoreError, Table, schema};
use crate::time::exchange_midnight;

/// Rows turned into text at once.
const BATCH_ROWS: usize = 16 * 1024;

impl Store {
    /// Writes `ticker`'s rows of the exchange days `from` to `to`, both included, oldest first.
    /// Returns how many there were.
    pub fn export(
        &self,
        table: Table,
        ticker: &str,
        (from, to): (NaiveDate, NaiveDate),
        out: &mut dyn Write,
        out_path: &Path,
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        for entry in self.files_between(table, ticker, from, to)? {
            let path = entry.path.as_path();
            let opened = Opened::new(self.read(path)?, path, table)?;
            let reader = opened.whole_reader().with_batch_size(BATCH_ROWS).build();
            for rows in reader.map_err(|e| StoreError::broken(path, e))? {
                let rows = rows.map_err(|e| StoreError::broken(path, e))?;
                let rows = between(&in_order_of_schema(&rows, table), from, to);
                written += rows.num_rows() as u64;
                out.write_all(&csv_rows(&rows))
                    .map_err(|e| StoreError::io(out_path, e))?;
            }
        }
        Ok(written)
    }

    /// [`Store::export`] to a file of its own, which is there as a whole or not at all.
    pub fn export_to(
        &self,
        table: Table,
        ticker: &str,
        period: (NaiveDate, NaiveDate),
        path: &Path,
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        let prepared = beside(path, |file: &mut File| {
            let io = |e| StoreError::io(path, e);
            let mut out = BufWriter::with_capacity(1 << 18, file);
            out.write_all(csv_header(table).as_bytes()).map_err(io)?;
            written = self.export(table, ticker, period, &mut out, path)?;
            out.flush().map_err(io)
        });
        prepared?.commit()?;
        Ok(written)
    }
}

/// The first line of an export: the names of the columns.
pub fn csv_header(table: Table) -> String {
    let schema = schema::of(table);
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    names.join(",") + "\n"
}

/// The schema's columns alone, in its order.
fn in_order_of_schema(rows: &RecordBatch, table: Table) -> RecordBatch {
    let place = |name: &str| {
        rows.schema_ref()
            .index_of(name)
            .expect("the schema was checked")
    };
    let places: Vec<usize> = schema::of(table)
        .fields()
        .iter()
        .map(|f| place(f.name()))
        .collect();
    rows.project(&places)
        .expect("the places are the batch's own")
}

/// The rows of the exchange days `from` to `to`. Rows ascend, but nothing here relies on it.
fn between(rows: &RecordBatch, from: NaiveDate, to: NaiveDate) -> RecordBatch {
    let next = to.succ_opt().expect("the calendar ends before time does");
    let column = rows.column(0);
    let inside: Vec<bool> = match column.data_type() {
        DataType::Date32 => {
            let days = days_since_epoch(from)..days_since_epoch(next);
            let column = column.as_primitive::<Date32Type>().values();
            column.iter().map(|day| days.contains(day)).collect()
        }
        _ => {
            let times = exchange_midnight(from).ns()..exchange_midnight(next).ns();
            let column = column.as_primitive::<TimestampNanosecondType>().values();
            column.iter().map(|ts| times.contains(ts)).collect()
        }
    };
    arrow::compute::filter_record_batch(rows, &inside.into()).expect("a flag for every row")
}
