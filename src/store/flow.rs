//! Flow events: rows on the way in; on the way out the decision columns of every event, and the
//! other half of those few that became signals.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, DictionaryArray, Float64Array,
    Float64Builder, Int16Builder, Int32Array, Int64Array, Int64Builder, ListBuilder,
    PrimitiveBuilder, RecordBatch, StringArray, StringDictionaryBuilder,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampNanosecondType, UInt32Type,
};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, RowSelection, RowSelectionPolicy, RowSelector,
};

use super::layout::Entry;
use super::parquet::{Footer, Opened, days_since_epoch};
use super::{Store, StoreError, StoreProblem, Table, schema};
use crate::flow::{CallPut, Contract, FlowDetail, FlowEvent, Side, SideQuality, SideSource};
use crate::time::{Ts, exchange_midnight};

type TextBuilder = StringDictionaryBuilder<Int32Type>;
type TsBuilder = PrimitiveBuilder<TimestampNanosecondType>;

/// Flow events of one session on their way into the store, in order of `(ts, seq)`.
#[derive(Default)]
pub struct FlowTable {
    last: Option<(Ts, u32)>,
    ts: TsBuilder,
    available_at: TsBuilder,
    seq: PrimitiveBuilder<UInt32Type>,
    ticker: TextBuilder,
    contract: TextBuilder,
    call_put: Vec<i32>,
    strike: Float64Builder,
    expiry: PrimitiveBuilder<Date32Type>,
    price: Float64Builder,
    contracts: Int64Builder,
    notional: Float64Builder,
    bid: Float64Builder,
    ask: Float64Builder,
    side: Vec<i32>,
    side_source: Vec<i32>,
    side_quality: Vec<i32>,
    is_aggressive: BooleanBuilder,
    is_sweep: BooleanBuilder,
    has_iso: BooleanBuilder,
    is_block: BooleanBuilder,
    is_multi_leg: BooleanBuilder,
    is_extended: BooleanBuilder,
    prints: PrimitiveBuilder<UInt32Type>,
    exchanges: PrimitiveBuilder<UInt32Type>,
    volume: Int64Builder,
    open_interest: Int64Builder,
    iv: Float64Builder,
    delta: Float64Builder,
    underlying_price: Float64Builder,
    conditions: Conditions,
    cancelled_at: TsBuilder,
    cancelled_contracts: Int64Builder,
    source: TextBuilder,
}

/// A column of an enum: each key is the place of its name among `names`.
fn choices<'a>(keys: Vec<i32>, names: impl Iterator<Item = &'a str>) -> ArrayRef {
    let names = Arc::new(StringArray::from_iter_values(names));
    Arc::new(DictionaryArray::new(Int32Array::from(keys), names))
}

/// A list builder whose items are never null.
struct Conditions(ListBuilder<Int16Builder>);

impl Default for Conditions {
    fn default() -> Self {
        let item = Arc::new(Field::new("item", DataType::Int16, false));
        Conditions(ListBuilder::new(Int16Builder::new()).with_field(item))
    }
}

impl FlowTable {
    pub fn len(&self) -> usize {
        self.seq.values_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one event. Events arrive in order and are never known before they happened.
    pub fn push(&mut self, event: &FlowEvent, detail: &FlowDetail) {
        assert!(
            event.available_at >= event.ts,
            "an event is known when it happens or later"
        );
        debug_assert!(
            agrees_with_symbol(event),
            "strike, expiry and type are those the symbol states"
        );
        assert!(
            self.last.is_none_or(|last| last < (event.ts, event.seq)),
            "events ascend by (ts, seq)"
        );
        self.last = Some((event.ts, event.seq));
        self.ts.append_value(event.ts.ns());
        self.available_at.append_value(event.available_at.ns());
        self.seq.append_value(event.seq);
        self.ticker.append_value(event.ticker);
        self.contract.append_value(event.contract);
        self.call_put.push(event.call_put as i32);
        self.strike.append_value(event.strike);
        self.expiry.append_value(days_since_epoch(event.expiry));
        self.notional.append_value(event.notional);
        self.side.push(event.side as i32);
        self.is_aggressive.append_value(event.is_aggressive);
        self.is_sweep.append_value(event.is_sweep);
        self.is_multi_leg.append_value(event.is_multi_leg);
        self.volume.append_value(event.volume);
        self.open_interest.append_option(event.open_interest);
        self.underlying_price.append_option(event.underlying_price);
        self.push_detail(detail);
    }

    fn push_detail(&mut self, detail: &FlowDetail) {
        self.price.append_value(detail.price);
        self.contracts.append_value(detail.contracts);
        self.bid.append_option(detail.bid);
        self.ask.append_option(detail.ask);
        self.side_source.push(detail.side_source as i32);
        self.side_quality.push(detail.side_quality as i32);
        self.has_iso.append_value(detail.has_iso);
        self.is_block.append_value(detail.is_block);
        self.is_extended.append_value(detail.is_extended);
        self.prints.append_value(detail.prints);
        self.exchanges.append_value(detail.exchanges);
        self.iv.append_option(detail.iv);
        self.delta.append_option(detail.delta);
        self.conditions.0.values().append_slice(&detail.conditions);
        self.conditions.0.append(true);
        self.cancelled_at
            .append_option(detail.cancelled_at.map(Ts::ns));
        self.cancelled_contracts
            .append_value(detail.cancelled_contracts);
        self.source.append_value(&detail.source);
    }

    pub fn finish(mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ts.finish().with_timezone("UTC")),
            Arc::new(self.available_at.finish().with_timezone("UTC")),
            Arc::new(self.seq.finish()),
            Arc::new(self.ticker.finish()),
            Arc::new(self.contract.finish()),
            choices(
                self.call_put,
                CallPut::ALL.iter().map(|choice| choice.as_str()),
            ),
            Arc::new(self.strike.finish()),
            Arc::new(self.expiry.finish()),
            Arc::new(self.price.finish()),
            Arc::new(self.contracts.finish()),
            Arc::new(self.notional.finish()),
            Arc::new(self.bid.finish()),
            Arc::new(self.ask.finish()),
            choices(self.side, Side::ALL.iter().map(|choice| choice.as_str())),
            choices(
                self.side_source,
                SideSource::ALL.iter().map(|choice| choice.as_str()),
            ),
            choices(
                self.side_quality,
                SideQuality::ALL.iter().map(|choice| choice.as_str()),
            ),
            Arc::new(self.is_aggressive.finish()),
            Arc::new(self.is_sweep.finish()),
            Arc::new(self.has_iso.finish()),
            Arc::new(self.is_block.finish()),
            Arc::new(self.is_multi_leg.finish()),
            Arc::new(self.is_extended.finish()),
            Arc::new(self.prints.finish()),
            Arc::new(self.exchanges.finish()),
            Arc::new(self.volume.finish()),
            Arc::new(self.open_interest.finish()),
            Arc::new(self.iv.finish()),
            Arc::new(self.delta.finish()),
            Arc::new(self.underlying_price.finish()),
            Arc::new(self.conditions.0.finish()),
            Arc::new(self.cancelled_at.finish().with_timezone("UTC")),
            Arc::new(self.cancelled_contracts.finish()),
            Arc::new(self.source.finish()),
        ];
        RecordBatch::try_new(schema::of(Table::Flow), columns)
            .expect("columns are built to the schema")
    }
}

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
    pub footers: Vec<Footer>,
}

struct OpenFile {
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
        let reader = opened
            .reader(&DECISION)?
            .with_batch_size(BATCH_ROWS)
            .build();
        let reader = reader.map_err(|e| StoreError::broken(&path, e))?;
        Ok(OpenFile {
            number,
            path,
            reader,
            next_row: 0,
            last_ts: i64::MIN,
            contracts: None,
        })
    }

    /// The other halves of the events in `rows`, in the order of `rows`, which must ascend.
    pub fn details(&self, rows: &[RowId]) -> Result<Vec<FlowDetail>, StoreError> {
        debug_assert!(rows.is_sorted(), "rows ascend by file and row");
        let mut by_file: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for id in rows {
            by_file.entry(id.file).or_default().push(id.row);
        }
        let mut details = Vec::with_capacity(rows.len());
        for (file, rows) in by_file {
            let path = &self.files[file as usize].path;
            let opened = Opened::new(self.store.read(path)?, path, Table::Flow)?;
            let builder = opened
                .reader(&DETAIL)?
                .with_row_selection(select(&rows))
                // Signals are spread thin over every page: decoding all rows and keeping some beats
                // stepping from one to the next.
                .with_row_selection_policy(RowSelectionPolicy::Mask);
            for batch in builder.build().map_err(|e| StoreError::broken(path, e))? {
                let batch = batch.map_err(|e| StoreError::broken(path, e))?;
                decode_details(&batch, &mut details)
                    .map_err(|problem| StoreError::new(path, problem))?;
            }
        }
        Ok(details)
    }
}

impl OpenFile {
    fn decode(&mut self, rows: &RecordBatch) -> Result<FlowBatch, StoreProblem> {
        let first_row = self.next_row;
        self.next_row += rows.num_rows();
        let ts = rows
            .column(0)
            .as_primitive::<TimestampNanosecondType>()
            .values()
            .clone();
        let available_at = rows
            .column(1)
            .as_primitive::<TimestampNanosecondType>()
            .values()
            .clone();
        self.check_order(first_row, &ts, &available_at)?;
        let contract = rows.column(3).as_dictionary::<Int32Type>();
        let side = rows.column(5).as_dictionary::<Int32Type>();
        Ok(FlowBatch {
            file: self.number,
            first_row,
            ts,
            available_at,
            seq: rows.column(2).as_primitive::<UInt32Type>().values().clone(),
            contract_keys: contract.keys().values().clone(),
            contracts: self.contracts(contract)?,
            notional: rows
                .column(4)
                .as_primitive::<Float64Type>()
                .values()
                .clone(),
            side_keys: side.keys().values().clone(),
            sides: texts(side, "side", Side::parse)?,
            is_aggressive: rows.column(6).as_boolean().clone(),
            is_sweep: rows.column(7).as_boolean().clone(),
            is_multi_leg: rows.column(8).as_boolean().clone(),
            volume: rows.column(9).as_primitive::<Int64Type>().values().clone(),
            open_interest: rows.column(10).as_primitive::<Int64Type>().clone(),
            underlying_price: rows.column(11).as_primitive::<Float64Type>().clone(),
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

const DETAIL: [&str; 17] = [
    "price",
    "contracts",
    "bid",
    "ask",
    "side_source",
    "side_quality",
    "has_iso",
    "is_block",
    "is_extended",
    "prints",
    "exchanges",
    "iv",
    "delta",
    "conditions.list.item",
    "cancelled_at",
    "cancelled_contracts",
    "source",
];

fn select(rows: &[usize]) -> RowSelection {
    let mut selectors = Vec::with_capacity(2 * rows.len());
    let mut next = 0;
    for row in rows {
        if *row > next {
            selectors.push(RowSelector::skip(*row - next));
        }
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    RowSelection::from(selectors)
}

fn decode_details(rows: &RecordBatch, out: &mut Vec<FlowDetail>) -> Result<(), StoreProblem> {
    let column = |name: &str| rows.column_by_name(name).expect("the schema was checked");
    let float = |name: &str| column(name).as_primitive::<Float64Type>();
    let int = |name: &str| column(name).as_primitive::<Int64Type>();
    let count = |name: &str| column(name).as_primitive::<UInt32Type>();
    let flag = |name: &str| column(name).as_boolean();
    let text = |name: &str| column(name).as_dictionary::<Int32Type>();
    let optional = |array: &Float64Array, row: usize| array.is_valid(row).then(|| array.value(row));
    let (bid, ask, iv, delta) = (float("bid"), float("ask"), float("iv"), float("delta"));
    let (source_keys, quality_keys) = (text("side_source"), text("side_quality"));
    let sources = texts(source_keys, "side_source", SideSource::parse)?;
    let qualities = texts(quality_keys, "side_quality", SideQuality::parse)?;
    let providers = texts(text("source"), "source", |text| Some(text.to_owned()))?;
    let conditions = column("conditions").as_list::<i32>();
    let cancelled_at = column("cancelled_at").as_primitive::<TimestampNanosecondType>();
    let key = |array: &DictionaryArray<Int32Type>, row: usize| array.keys().value(row) as usize;
    for row in 0..rows.num_rows() {
        out.push(FlowDetail {
            price: float("price").value(row),
            contracts: int("contracts").value(row),
            bid: optional(bid, row),
            ask: optional(ask, row),
            side_source: sources[key(source_keys, row)],
            side_quality: qualities[key(quality_keys, row)],
            has_iso: flag("has_iso").value(row),
            is_block: flag("is_block").value(row),
            is_extended: flag("is_extended").value(row),
            prints: count("prints").value(row),
            exchanges: count("exchanges").value(row),
            iv: optional(iv, row),
            delta: optional(delta, row),
            conditions: conditions
                .value(row)
                .as_primitive::<Int16Type>()
                .values()
                .to_vec(),
            cancelled_at: cancelled_at
                .is_valid(row)
                .then(|| Ts::from_ns(cancelled_at.value(row))),
            cancelled_contracts: int("cancelled_contracts").value(row),
            source: providers[key(text("source"), row)].clone(),
        });
    }
    Ok(())
}

/// Whether the strike, expiry and type of an event are those of its symbol.
fn agrees_with_symbol(event: &FlowEvent) -> bool {
    Contract::parse(event.contract).is_ok_and(|c| {
        c.call_put == event.call_put
            && c.expiry == event.expiry
            && (c.strike - event.strike).abs() < 1e-9
    })
}
