//! The half of an event that no decision looks at, read for the few events that became signals.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, DictionaryArray, Float64Array, RecordBatch};
use arrow::datatypes::{
    Float64Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type,
};
use parquet::arrow::arrow_reader::{RowSelection, RowSelectionPolicy, RowSelector};

use super::super::parquet::Opened;
use super::super::{StoreError, StoreProblem, Table};
use super::{FlowBatches, RowId, texts};
use crate::flow::{FlowDetail, SideQuality, SideSource};
use crate::time::Ts;

pub(super) const COLUMNS: [&str; 17] = [
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

pub(super) fn decode_details(
    rows: &RecordBatch,
    out: &mut Vec<FlowDetail>,
) -> Result<(), StoreProblem> {
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

impl FlowBatches<'_> {
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
                .reader(&COLUMNS)?
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
