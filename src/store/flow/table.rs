//! Flow events on their way in: from rows to the columns of the flow table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, DictionaryArray, Float64Builder, Int16Builder, Int32Array,
    Int64Builder, ListBuilder, PrimitiveBuilder, RecordBatch, StringArray, StringDictionaryBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Int32Type, TimestampNanosecondType, UInt32Type,
};

use super::super::parquet::days_since_epoch;
use super::super::{Table, schema};
use crate::flow::{CallPut, Contract, FlowDetail, FlowEvent, Side, SideQuality, SideSource};
use crate::time::Ts;

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

/// Whether the strike, expiry and type of an event are those of its symbol.
fn agrees_with_symbol(event: &FlowEvent) -> bool {
    Contract::parse(event.contract).is_ok_and(|c| {
        c.call_put == event.call_put
            && c.expiry == event.expiry
            && (c.strike - event.strike).abs() < 1e-9
    })
}
