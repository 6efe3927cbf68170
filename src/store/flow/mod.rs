//! Flow events: rows on the way in; on the way out the decision columns of every event, and the
//! other half of those few that became signals.

mod detail;
mod table;

pub use table::FlowTable;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::layout::Entry;
use super::parquet::{Footer, Opened};
use super::{Store, StoreError, StoreProblem, Table};
use crate::flow::{Contract, FlowDetail, FlowEvent, Side};
use crate::time::{Ts, exchange_midnight};

/// The columns a decision needs. Strike, expiry and type are those the contract's symbol states.
const DECISION: [&str; 12] = [
    "ts",
    "available_at",
    "seq",
    "contract",
    "notional",
    "side",
    "is_aggressive",
    "is_sweep",
    "is_multi_leg",
    "volume",
    "open_interest",
    "underlying_price",
];

/// Rows decoded at once: large enough to amortise a call, small enough to stay in cache.
const BATCH_ROWS: usize = 16 * 1024;
/// Whole rows are some ten times as wide, and many tickers are read side by side.
const WHOLE_BATCH_ROWS: usize = 2 * 1024;

/// A contract as every event of a batch refers to it.
#[derive(Clone, Debug)]
struct ContractRow {
    symbol: String,
    contract: Contract,
}

/// The decision columns of a run of events, in order of `(ts, seq)`.
pub struct FlowBatch {
    file: u32,
    first_row: usize,
    ts: ScalarBuffer<i64>,
    available_at: ScalarBuffer<i64>,
    seq: ScalarBuffer<u32>,
    contract_keys: ScalarBuffer<i32>,
    contracts: Arc<Vec<ContractRow>>,
    notional: ScalarBuffer<f64>,
    side_keys: ScalarBuffer<i32>,
    sides: Vec<Side>,
    is_aggressive: BooleanArray,
    is_sweep: BooleanArray,
    is_multi_leg: BooleanArray,
    volume: ScalarBuffer<i64>,
    open_interest: Int64Array,
    underlying_price: Float64Array,
    /// The events' other halves, when whole rows were asked for.
    details: Vec<FlowDetail>,
}

/// Where an event stands in its ticker's files; with it its other half can be read later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    file: u32,
    row: usize,
}

impl FlowBatch {
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// The order in which a live listener learns of events.
    pub fn key(&self, row: usize) -> (i64, i64, u32) {
        (self.available_at[row], self.ts[row], self.seq[row])
    }

    /// Time of the first event's last print, nanoseconds.
    pub fn first_ts(&self) -> i64 {
        self.ts[0]
    }

    /// Whether the rows stand in the order of [`FlowBatch::key`].
    pub fn is_in_order_of_arrival(&self) -> bool {
        // Rows ascend by (ts, seq), so ascending `available_at` is enough.
        self.available_at.windows(2).all(|pair| pair[0] <= pair[1])
    }

    pub fn row_id(&self, row: usize) -> RowId {
        RowId {
            file: self.file,
            row: self.first_row + row,
        }
    }

    /// The other half of the event, of a batch of [`Store::whole_flow`].
    pub fn detail(&self, row: usize) -> &FlowDetail {
        &self.details[row]
    }

    pub fn event<'a>(&'a self, row: usize, ticker: &'a str) -> FlowEvent<'a> {
        let ContractRow { symbol, contract } = &self.contracts[self.contract_keys[row] as usize];
        let optional = |valid: bool| valid.then_some(());
        FlowEvent {
            ts: Ts::from_ns(self.ts[row]),
            available_at: Ts::from_ns(self.available_at[row]),
            seq: self.seq[row],
            ticker,
            contract: symbol,
            call_put: contract.call_put,
            strike: contract.strike,
            expiry: contract.expiry,
            notional: self.notional[row],
            side: self.sides[self.side_keys[row] as usize],
            is_aggressive: self.is_aggressive.value(row),
            is_sweep: self.is_sweep.value(row),
            is_multi_leg: self.is_multi_leg.value(row),
            volume: self.volume[row],
            open_interest: optional(self.open_interest.is_valid(row))
                .map(|()| self.open_interest.value(row)),
            underlying_price: optional(self.underlying_price.is_valid(row))
                .map(|()| self.underlying_price.value(row)),
        }
    }
}

/// A ticker's events between two dates, batch by batch.
pub struct FlowBatches<'a> {
    store: &'a Store,
    /// Every file of the period, in order of month; `RowId::file` counts in here.
    files: Vec<Entry>,
    pending: VecDeque<u32>,
    open: Option<OpenFile>,
    from: i64,
    to: i64,
    is_whole: bool,
    pub footers: Vec<Footer>,
}

struct OpenFile {
    is_whole: bool,
    number: u32,
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    next_row: usize,
    last_ts: i64,
    /// The dictionary of the row group at hand, parsed once.
    contracts: Option<(ArrayRef, Arc<Vec<ContractRow>>)>,
}

impl Store {
    /// `ticker`'s flow of the exchange days `from` to `to`, both included. Checks the footers of all
    /// files at once, decodes as it goes.
    pub fn flow(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<FlowBatches<'_>, StoreError> {
        self.flow_batches(ticker, from, to, false)
    }

    /// [`Store::flow`] with both halves of every event.
    pub fn whole_flow(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<FlowBatches<'_>, StoreError> {
        self.flow_batches(ticker, from, to, true)
    }

    fn flow_batches(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
        is_whole: bool,
    ) -> Result<FlowBatches<'_>, StoreError> {
        let files = self.files_between(Table::Flow, ticker, from, to)?;
        let start = exchange_midnight(from).ns();
        let end =
            exchange_midnight(to.succ_opt().expect("the calendar ends before time does")).ns();
        let pending = (0..files.len() as u32).collect();
        Ok(FlowBatches {
            store: self,
            files,
            pending,
            open: None,
            from: start,
            to: end,
            is_whole,
            footers: Vec::new(),
        })
    }
}

impl FlowBatches<'_> {
    /// The next rows, never an empty batch; `None` at the end of the period.
    pub fn next_batch(&mut self) -> Result<Option<FlowBatch>, StoreError> {
        loop {
            if self.open.is_none() {
                let Some(number) = self.pending.pop_front() else {
                    return Ok(None);
                };
                self.open = Some(self.open_file(number)?);
            }
            let file = self.open.as_mut().expect("it was opened above");
            match file.reader.next() {
                Some(Ok(rows)) => {
                    let batch = file
                        .decode(&rows)
                        .map_err(|problem| StoreError::new(&file.path, problem))?;
                    let batch = batch.between(self.from, self.to);
                    if !batch.is_empty() {
                        return Ok(Some(batch));
                    }
                }
                Some(Err(e)) => return Err(StoreError::broken(&file.path, e)),
                None => self.open = None,
            }
        }
    }

    fn open_file(&mut self, number: u32) -> Result<OpenFile, StoreError> {
        let path = self.files[number as usize].path.clone();
        let opened = Opened::new(self.store.read(&path)?, &path, Table::Flow)?;
        self.footers.push(opened.footer.clone());
        let reader = match self.is_whole {
            false => opened.reader(&DECISION)?.with_batch_size(BATCH_ROWS),
            true => {
                let both = [&DECISION[..], &detail::COLUMNS].concat();
                opened.reader(&both)?.with_batch_size(WHOLE_BATCH_ROWS)
            }
        };
        let reader = reader.build();
        let reader = reader.map_err(|e| StoreError::broken(&path, e))?;
        Ok(OpenFile {
            is_whole: self.is_whole,
            number,
            path,
            reader,
            next_row: 0,
            last_ts: i64::MIN,
            contracts: None,
        })
    }
}

impl OpenFile {
    fn decode(&mut self, rows: &RecordBatch) -> Result<FlowBatch, StoreProblem> {
        let first_row = self.next_row;
        self.next_row += rows.num_rows();
        let column = |name: &str| rows.column_by_name(name).expect("the schema was checked");
        let time = |name: &str| {
            let times = column(name).as_primitive::<TimestampNanosecondType>();
            times.values().clone()
        };
        let (ts, available_at) = (time("ts"), time("available_at"));
        self.check_order(first_row, &ts, &available_at)?;
        let contract = column("contract").as_dictionary::<Int32Type>();
        let side = column("side").as_dictionary::<Int32Type>();
        let mut details = Vec::new();
        if self.is_whole {
            detail::decode_details(rows, &mut details)?;
        }
        Ok(FlowBatch {
            file: self.number,
            first_row,
            ts,
            available_at,
            seq: column("seq").as_primitive::<UInt32Type>().values().clone(),
            contract_keys: contract.keys().values().clone(),
            contracts: self.contracts(contract)?,
            notional: column("notional")
                .as_primitive::<Float64Type>()
                .values()
                .clone(),
            side_keys: side.keys().values().clone(),
            sides: texts(side, "side", Side::parse)?,
            is_aggressive: column("is_aggressive").as_boolean().clone(),
            is_sweep: column("is_sweep").as_boolean().clone(),
            is_multi_leg: column("is_multi_leg").as_boolean().clone(),
            volume: column("volume")
                .as_primitive::<Int64Type>()
                .values()
                .clone(),
            open_interest: column("open_interest").as_primitive::<Int64Type>().clone(),
            underlying_price: column("underlying_price")
                .as_primitive::<Float64Type>()
                .clone(),
            details,
        })
    }

    /// The same promises that were asserted when the file was written.
    fn check_order(
        &mut self,
        first_row: usize,
        ts: &[i64],
        available_at: &[i64],
    ) -> Result<(), StoreProblem> {
        let unsorted = || {
            ts.windows(2)
                .position(|pair| pair[0] > pair[1])
                .map(|row| row + 1)
        };
        let backward = if ts.first().is_some_and(|first| *first < self.last_ts) {
            Some(0)
        } else {
            unsorted()
        };
        if let Some(row) = backward {
            return Err(StoreProblem::NotSorted {
                row: (first_row + row) as u64,
            });
        }
        if let Some(row) = ts
            .iter()
            .zip(available_at)
            .position(|(ts, available)| available < ts)
        {
            return Err(StoreProblem::BadValue {
                column: "available_at".to_owned(),
                row: (first_row + row) as u64,
                got: Ts::from_ns(available_at[row]).to_string(),
                expected: format!("no earlier than ts {}", Ts::from_ns(ts[row])),
            });
        }
        self.last_ts = ts.last().copied().unwrap_or(self.last_ts);
        Ok(())
    }

    fn contracts(
        &mut self,
        keys: &DictionaryArray<Int32Type>,
    ) -> Result<Arc<Vec<ContractRow>>, StoreProblem> {
        let values = keys.values();
        if let Some((known, parsed)) = &self.contracts
            && Arc::ptr_eq(known, values)
        {
            return Ok(parsed.clone());
        }
        let parse = |symbol: &str| {
            let contract = Contract::parse(symbol).ok()?;
            Some(ContractRow {
                symbol: symbol.to_owned(),
                contract,
            })
        };
        let parsed = Arc::new(texts(keys, "contract", parse)?);
        self.contracts = Some((values.clone(), parsed.clone()));
        Ok(parsed)
    }
}

impl FlowBatch {
    /// The rows with `from <= ts < to`.
    fn between(mut self, from: i64, to: i64) -> FlowBatch {
        let start = self.ts.partition_point(|ts| *ts < from);
        let len = self.ts.partition_point(|ts| *ts < to) - start;
        if len == self.ts.len() {
            return self;
        }
        self.first_row += start;
        if !self.details.is_empty() {
            self.details = self.details.drain(start..start + len).collect();
        }
        self.ts = self.ts.slice(start, len);
        self.available_at = self.available_at.slice(start, len);
        self.seq = self.seq.slice(start, len);
        self.contract_keys = self.contract_keys.slice(start, len);
        self.notional = self.notional.slice(start, len);
        self.side_keys = self.side_keys.slice(start, len);
        self.is_aggressive = self.is_aggressive.slice(start, len);
        self.is_sweep = self.is_sweep.slice(start, len);
        self.is_multi_leg = self.is_multi_leg.slice(start, len);
        self.volume = self.volume.slice(start, len);
        self.open_interest = self.open_interest.slice(start, len);
        self.underlying_price = self.underlying_price.slice(start, len);
        self
    }
}

/// What each distinct text of a column means, in the order of the column's keys.
fn texts<T>(
    column: &DictionaryArray<Int32Type>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, StoreProblem> {
    let meaning = |text: Option<&str>| {
        let text = text.unwrap_or("null");
        parse(text).ok_or_else(|| StoreProblem::BadValue {
            column: name.to_owned(),
            row: 0,
            got: text.to_owned(),
            expected: format!("a valid {name}"),
        })
    };
    column
        .values()
        .as_string::<i32>()
        .iter()
        .map(meaning)
        .collect()
}
