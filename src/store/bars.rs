//! Minute bars: rows on the way in, columns on the way out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, Int64Builder,
    RecordBatch, TimestampNanosecondArray,
};
use arrow::datatypes::{Float64Type, TimestampNanosecondType};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::parquet::{Footer, Opened};
use super::small::repeated;
use super::{Store, StoreError, StoreProblem, Table, schema};
use crate::time::{MINUTE_NS, Session, Ts, exchange_midnight};

/// One minute of trading. Prices in dollars per share as they were traded that day, never
/// adjusted for later splits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinuteBar {
    /// Start of the minute.
    pub ts: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Shares.
    pub volume: f64,
    pub vwap: Option<f64>,
    pub trades: Option<i64>,
    pub is_regular: bool,
}

/// Minute bars on their way into the store.
#[derive(Default)]
pub struct BarTable {
    rows: Vec<MinuteBar>,
}

impl BarTable {
    pub fn push(&mut self, bar: MinuteBar) {
        debug_assert!(
            self.rows.last().is_none_or(|last| last.ts < bar.ts),
            "bars ascend in time"
        );
        self.rows.push(bar);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn finish(self, ticker: &str) -> RecordBatch {
        let rows = &self.rows;
        let price = |get: fn(&MinuteBar) -> f64| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(get)
                    .collect::<Vec<f64>>()
                    .into_iter()
                    .collect::<Float64Array>(),
            )
        };
        let mut vwap = Float64Builder::with_capacity(rows.len());
        let mut trades = Int64Builder::with_capacity(rows.len());
        for bar in rows {
            vwap.append_option(bar.vwap);
            trades.append_option(bar.trades);
        }
        let ts = TimestampNanosecondArray::from_iter_values(rows.iter().map(|bar| bar.ts.ns()))
            .with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ts),
            repeated(ticker, rows.len()),
            price(|bar| bar.open),
            price(|bar| bar.high),
            price(|bar| bar.low),
            price(|bar| bar.close),
            price(|bar| bar.volume),
            Arc::new(vwap.finish()),
            Arc::new(trades.finish()),
            Arc::new(
                rows.iter()
                    .map(|bar| Some(bar.is_regular))
                    .collect::<BooleanArray>(),
            ),
        ];
        RecordBatch::try_new(schema::of(Table::Bars1m), columns)
            .expect("columns are built to the schema")
    }
}

/// Minute bars of one ticker in order of time, a vector per column.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// Starts of the minutes, nanoseconds UTC.
    pub ts: Vec<i64>,
    pub open: Vec<f64>,
    pub high: Vec<f64>,
    pub low: Vec<f64>,
    pub close: Vec<f64>,
    pub volume: Vec<f64>,
    /// The bar's VWAP, or (high + low + close) / 3 where the source gave none.
    pub price: Vec<f64>,
    pub footers: Vec<Footer>,
}

/// Whether a bar is regular is for the calendar to say, not for the file.
const COLUMNS: [&str; 7] = ["ts", "open", "high", "low", "close", "volume", "vwap"];

impl Bars {
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    pub fn push(&mut self, bar: &MinuteBar) {
        self.ts.push(bar.ts.ns());
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
        self.price
            .push(bar.vwap.unwrap_or((bar.high + bar.low + bar.close) / 3.0));
    }

    /// Puts `bar` in its place in time, instead of one of the same minute. Says whether it is the
    /// latest.
    pub fn insert(&mut self, bar: &MinuteBar) -> bool {
        let place = self.ts.partition_point(|ts| *ts < bar.ts.ns());
        let is_latest = place == self.len();
        if is_latest {
            self.push(bar);
            return true;
        }
        let mut after = Bars::default();
        after.append_rows(
            self,
            place + usize::from(self.ts[place] == bar.ts.ns())..self.len(),
        );
        self.truncate(place);
        self.push(bar);
        self.append(&after);
        false
    }

    pub fn append(&mut self, later: &Bars) {
        self.append_rows(later, 0..later.len());
    }

    /// Forgets the bars that start before `ts`.
    pub fn forget_before(&mut self, ts: Ts) {
        let first = self.ts.partition_point(|start| *start < ts.ns());
        let mut kept = Bars::default();
        kept.append_rows(self, first..self.len());
        kept.footers = std::mem::take(&mut self.footers);
        *self = kept;
    }

    fn append_rows(&mut self, other: &Bars, rows: std::ops::Range<usize>) {
        self.ts.extend_from_slice(&other.ts[rows.clone()]);
        self.open.extend_from_slice(&other.open[rows.clone()]);
        self.high.extend_from_slice(&other.high[rows.clone()]);
        self.low.extend_from_slice(&other.low[rows.clone()]);
        self.close.extend_from_slice(&other.close[rows.clone()]);
        self.volume.extend_from_slice(&other.volume[rows.clone()]);
        self.price.extend_from_slice(&other.price[rows]);
    }

    fn truncate(&mut self, rows: usize) {
        self.ts.truncate(rows);
        for column in [
            &mut self.open,
            &mut self.high,
            &mut self.low,
            &mut self.close,
            &mut self.volume,
            &mut self.price,
        ] {
            column.truncate(rows);
        }
    }

    /// End of bar `index`: the instant from which on it is known.
    pub fn end(&self, index: usize) -> Ts {
        Ts::from_ns(self.ts[index] + MINUTE_NS)
    }

    /// The bars of regular sessions alone, as the calendar has them.
    pub fn regular(&self, sessions: &[Session]) -> Bars {
        let mut regular = Bars::default();
        let mut row = 0;
        for session in sessions {
            let start = row + self.ts[row..].partition_point(|ts| *ts < session.open.ns());
            row = start + self.ts[start..].partition_point(|ts| *ts < session.close.ns());
            regular.append_rows(self, start..row);
        }
        regular
    }

    fn extend(&mut self, batch: &RecordBatch, from: i64, to: i64) -> Result<(), StoreProblem> {
        let ts = batch
            .column(0)
            .as_primitive::<TimestampNanosecondType>()
            .values();
        if let Some(row) = ts.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(StoreProblem::NotSorted {
                row: row as u64 + 1,
            });
        }
        let range = ts.partition_point(|ts| *ts < from)..ts.partition_point(|ts| *ts < to);
        if let Some(row) = range.clone().find(|row| ts[*row] % MINUTE_NS != 0) {
            let (got, expected) = (
                Ts::from_ns(ts[row]).to_string(),
                "the start of a minute".to_owned(),
            );
            return Err(StoreProblem::BadValue {
                column: "ts".to_owned(),
                row: row as u64,
                got,
                expected,
            });
        }
        let column = |index: usize| {
            &batch.column(index).as_primitive::<Float64Type>().values()[range.clone()]
        };
        self.ts.extend_from_slice(&ts[range.clone()]);
        self.open.extend_from_slice(column(1));
        self.high.extend_from_slice(column(2));
        self.low.extend_from_slice(column(3));
        self.close.extend_from_slice(column(4));
        self.volume.extend_from_slice(column(5));
        let vwap = batch.column(6).as_primitive::<Float64Type>();
        if vwap.null_count() == 0 {
            self.price.extend_from_slice(&vwap.values()[range.clone()]);
        } else {
            let (high, low, close) = (column(2), column(3), column(4));
            self.price.extend(range.clone().enumerate().map(|(i, row)| {
                if vwap.is_null(row) {
                    (high[i] + low[i] + close[i]) / 3.0
                } else {
                    vwap.value(row)
                }
            }));
        }
        Ok(())
    }
}

impl Store {
    /// `ticker`'s minute bars of the exchange days `from` to `to`, both included.
    pub fn bars_1m(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Bars, StoreError> {
        let mut bars = Bars::default();
        let start = exchange_midnight(from).ns();
        let end =
            exchange_midnight(to.succ_opt().expect("the calendar ends before time does")).ns();
        for entry in self.files_between(Table::Bars1m, ticker, from, to)? {
            let path = entry.path.clone();
            let opened = Opened::new(self.read(&path)?, &path, Table::Bars1m)?;
            bars.footers.push(opened.footer.clone());
            let reader = opened.reader(&COLUMNS)?.with_batch_size(1 << 16).build();
            for batch in reader.map_err(|e| StoreError::broken(&path, e))? {
                let batch = batch.map_err(|e| StoreError::broken(&path, e))?;
                bars.extend(&batch, start, end)
                    .map_err(|problem| StoreError::new(&path, problem))?;
            }
        }
        Ok(bars)
    }
}
