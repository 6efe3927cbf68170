//! The tables whose rows are few: daily bars, open interest, splits.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampNanosecondType};
use chrono::NaiveDate;

use super::parquet::{Footer, date_from_days, days_since_epoch, read_rows};
use super::{Store, StoreError, StoreProblem, Table, schema};
use crate::time::Ts;

/// One session of a ticker. Prices as they were traded that day; `volume` in shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DailyBar {
    pub date: NaiveDate,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
}

/// From `ex_date` on, one old share is `ratio` new ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub ex_date: NaiveDate,
    pub ratio: f64,
}

/// Open interest of `contract` at the close of `date`.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenInterest {
    pub date: NaiveDate,
    pub contract: String,
    pub open_interest: i64,
    /// When a chain was asked for it; `None` where the source publishes figures by session.
    pub captured_at: Option<Ts>,
}

/// `text` repeated `len` times, stored once.
pub fn repeated(text: &str, len: usize) -> ArrayRef {
    let values = Arc::new(StringArray::from(vec![text]));
    Arc::new(DictionaryArray::new(Int32Array::from(vec![0; len]), values))
}

fn dates(dates: impl Iterator<Item = NaiveDate>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(dates.map(days_since_epoch)))
}

/// Daily bars on their way into the store.
pub struct DailyTable;

impl DailyTable {
    pub fn batch(ticker: &str, rows: &[DailyBar]) -> RecordBatch {
        let column = |get: fn(&DailyBar) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(get)))
        };
        let columns = vec![
            dates(rows.iter().map(|bar| bar.date)),
            repeated(ticker, rows.len()),
            column(|bar| bar.open),
            column(|bar| bar.high),
            column(|bar| bar.low),
            column(|bar| bar.close),
            column(|bar| bar.volume),
        ];
        RecordBatch::try_new(schema::of(Table::Bars1d), columns)
            .expect("columns are built to the schema")
    }

    /// One batch per session, as [`super::Arrival`] wants them.
    pub fn by_session(ticker: &str, rows: &[DailyBar]) -> Vec<(NaiveDate, RecordBatch)> {
        let all = DailyTable::batch(ticker, rows);
        rows.iter()
            .enumerate()
            .map(|(index, bar)| (bar.date, all.slice(index, 1)))
            .collect()
    }
}

/// Splits on their way into the store.
pub struct SplitTable;

impl SplitTable {
    /// No split, for a session up to which there was none.
    pub fn none() -> RecordBatch {
        RecordBatch::new_empty(schema::of(Table::Splits))
    }

    pub fn by_session(ticker: &str, rows: &[Split]) -> Vec<(NaiveDate, RecordBatch)> {
        let batch = |split: &Split| {
            let columns = vec![
                dates(std::iter::once(split.ex_date)),
                repeated(ticker, 1),
                Arc::new(Float64Array::from(vec![split.ratio])) as ArrayRef,
            ];
            RecordBatch::try_new(schema::of(Table::Splits), columns)
                .expect("columns are built to the schema")
        };
        rows.iter()
            .map(|split| (split.ex_date, batch(split)))
            .collect()
    }
}

/// Open interest on its way into the store.
pub struct OpenInterestTable;

impl OpenInterestTable {
    /// The batch of one session.
    pub fn batch(rows: &[OpenInterest]) -> RecordBatch {
        let contracts: DictionaryArray<Int32Type> =
            rows.iter().map(|row| row.contract.as_str()).collect();
        let columns = vec![
            dates(rows.iter().map(|row| row.date)),
            Arc::new(contracts) as ArrayRef,
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| row.open_interest),
            )),
            Arc::new(
                rows.iter()
                    .map(|row| row.captured_at.map(Ts::ns))
                    .collect::<TimestampNanosecondArray>()
                    .with_timezone("UTC"),
            ),
        ];
        RecordBatch::try_new(schema::of(Table::OpenInterest), columns)
            .expect("columns are built to the schema")
    }
}

impl Store {
    /// All of `ticker`'s daily bars, oldest first, and their footers.
    pub fn bars_1d(&self, ticker: &str) -> Result<(Vec<DailyBar>, Vec<Footer>), StoreError> {
        let mut bars = Vec::new();
        let footers = self.for_each_file(Table::Bars1d, ticker, |rows| {
            let days = rows
                .column_by_name("date")
                .expect("the schema was checked")
                .as_primitive::<Date32Type>();
            let [open, high, low, close, volume] =
                ["open", "high", "low", "close", "volume"].map(|name| numbers(rows, name));
            for (i, day) in days.values().iter().enumerate() {
                let date = date_from_days(*day)?;
                let bar = DailyBar {
                    date,
                    open: open[i],
                    high: high[i],
                    low: low[i],
                    close: close[i],
                    volume: volume[i],
                };
                bars.push(bar);
            }
            Some(())
        })?;
        Ok((bars, footers))
    }

    /// All of `ticker`'s splits, oldest first, and their footers.
    pub fn splits(&self, ticker: &str) -> Result<(Vec<Split>, Vec<Footer>), StoreError> {
        let mut splits = Vec::new();
        let footers = self.for_each_file(Table::Splits, ticker, |rows| {
            let days = rows
                .column_by_name("ex_date")
                .expect("the schema was checked")
                .as_primitive::<Date32Type>();
            for (day, ratio) in days.values().iter().zip(numbers(rows, "ratio")) {
                splits.push(Split {
                    ex_date: date_from_days(*day)?,
                    ratio: *ratio,
                });
            }
            Some(())
        })?;
        Ok((splits, footers))
    }

    /// Open interest of `ticker`'s contracts at the close of `date`, by OCC symbol, as far as it was known
    /// before `known_before`; empty when unknown.
    pub fn open_interest(
        &self,
        ticker: &str,
        date: NaiveDate,
        known_before: Ts,
    ) -> Result<HashMap<String, i64>, StoreError> {
        let mut known = HashMap::new();
        for entry in self.files_between(Table::OpenInterest, ticker, date, date)? {
            let path = &entry.path;
            let (rows, _) = read_rows(self.read(path)?, path, Table::OpenInterest)?;
            let day = days_since_epoch(date);
            let days = rows.column(0).as_primitive::<Date32Type>().values();
            let contracts = rows.column(1).as_dictionary::<Int32Type>();
            let symbols = contracts.values().as_string::<i32>();
            let figures = rows.column(2).as_primitive::<Int64Type>().values();
            let captured = rows.column(3).as_primitive::<TimestampNanosecondType>();
            for (row, _) in days.iter().enumerate().filter(|(_, d)| **d == day) {
                // Law 1: what a chain showed after the open was not known before it.
                if captured.is_valid(row) && captured.value(row) >= known_before.ns() {
                    continue;
                }
                let symbol = symbols.value(contracts.keys().value(row) as usize);
                known.insert(symbol.to_owned(), figures[row]);
            }
        }
        Ok(known)
    }

    fn for_each_file(
        &self,
        table: Table,
        ticker: &str,
        mut each: impl FnMut(&RecordBatch) -> Option<()>,
    ) -> Result<Vec<Footer>, StoreError> {
        let mut footers = Vec::new();
        for entry in self.files_of(table, ticker)? {
            let (rows, footer) = read_rows(self.read(&entry.path)?, &entry.path, table)?;
            let dates = rows.column(0).as_primitive::<Date32Type>().values();
            if let Some(row) = dates.windows(2).position(|pair| pair[0] >= pair[1]) {
                let row = row as u64 + 1;
                return Err(StoreError::new(
                    &entry.path,
                    StoreProblem::NotSorted { row },
                ));
            }
            each(&rows).ok_or_else(|| {
                StoreError::broken(&entry.path, "a date lies outside the calendar")
            })?;
            footers.push(footer);
        }
        Ok(footers)
    }
}

fn numbers<'a>(rows: &'a RecordBatch, name: &str) -> &'a [f64] {
    rows.column_by_name(name)
        .expect("the schema was checked")
        .as_primitive::<Float64Type>()
        .values()
}
