//! Flow: events in order, of this ticker, above the floor, with volumes that grow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;

use super::super::parquet::days_since_epoch;
use super::event::{Columns, Terms};
use super::few::look_at_tickers;
use super::findings::Findings;
use super::{Rows, Sessions};
use crate::time::Ts;

pub(super) struct FlowRows<'a> {
    ticker: &'a str,
    floor: f64,
    last: Option<(i64, u32)>,
    /// A number for every contract of the file.
    numbers: HashMap<String, usize>,
    /// By that number.
    volumes: Vec<Volume>,
    /// The dictionary at hand, parsed once.
    known: Option<(ArrayRef, Arc<Vec<Symbol>>)>,
}

/// A contract's running volume of the day.
#[derive(Clone, Copy, Default)]
struct Volume {
    /// Place of the session among the file's.
    day: Option<usize>,
    available_at: i64,
    volume: i64,
    /// Contracts cancelled so far that the volume has not yet been lowered by.
    cancelled: i64,
}

struct Symbol {
    text: String,
    number: usize,
    /// `Err` says why it is none.
    contract: Result<Terms, &'static str>,
}

impl<'a> FlowRows<'a> {
    pub fn new(ticker: &'a str, floor: Option<f64>) -> FlowRows<'a> {
        FlowRows {
            ticker,
            floor: floor.unwrap_or(0.0),
            last: None,
            numbers: HashMap::new(),
            volumes: Vec::new(),
            known: None,
        }
    }

    fn symbols(&mut self, values: &ArrayRef) -> Arc<Vec<Symbol>> {
        if let Some((known, symbols)) = &self.known
            && Arc::ptr_eq(known, values)
        {
            return symbols.clone();
        }
        let mut symbols = Vec::with_capacity(values.len());
        for text in values.as_string::<i32>() {
            let text = text.unwrap_or_default();
            let next = self.numbers.len();
            let number = *self.numbers.entry(text.to_owned()).or_insert(next);
            symbols.push(Symbol {
                text: text.to_owned(),
                number,
                contract: Terms::of(text),
            });
        }
        self.volumes.resize(self.numbers.len(), Volume::default());
        let symbols = Arc::new(symbols);
        self.known = Some((values.clone(), symbols.clone()));
        symbols
    }
}

impl Rows for FlowRows<'_> {
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    ) {
        look_at_tickers(batch, self.ticker, first, findings);
        let rows = Columns::of(batch, first, findings);
        let contracts = batch
            .column_by_name("contract")
            .expect("the schema was checked");
        let contracts = contracts.as_dictionary::<Int32Type>();
        let symbols = self.symbols(contracts.values());
        for i in 0..batch.num_rows() {
            let row = first + i as u64;
            self.look_at_order(&rows, i, row, findings);
            let day = sessions.place_ts(rows.ts[i], row, findings);
            rows.look_at_times(i, row, findings);
            rows.look_at_amounts(i, row, findings);
            rows.look_at_quote(i, row, findings);
            rows.look_at_optional(i, row, findings);
            if rows.notional[i] < self.floor {
                findings.row("notional is below the floor of the file", row, || {
                    (
                        rows.notional[i].to_string(),
                        format!("at least {}", self.floor),
                    )
                });
            }
            // A null was found before, and has no symbol.
            let symbol = symbols.get(contracts.keys().value(i) as usize);
            let Some(symbol) = symbol.filter(|_| contracts.is_valid(i)) else {
                continue;
            };
            match &symbol.contract {
                Ok(terms) => {
                    let date = day.map(|day| days_since_epoch(sessions.dates[day]));
                    rows.look_at_contract(i, row, &symbol.text, terms, date, findings);
                }
                Err(reason) => findings.row("contract is no OCC symbol", row, || {
                    (symbol.text.clone(), (*reason).to_owned())
                }),
            }
            if let Some(day) = day {
                self.look_at_volume(&rows, i, row, symbol, day, findings);
            }
        }
    }
}

impl FlowRows<'_> {
    fn look_at_order(&mut self, rows: &Columns, i: usize, row: u64, findings: &mut Findings) {
        let key = (rows.ts[i], rows.seq[i]);
        let before = self.last.replace(key).filter(|before| *before >= key);
        if let Some(before) = before {
            let problem = if before == key {
                "has the ts and seq of the row before it"
            } else {
                "earlier than the row before it"
            };
            let said = |(ts, seq): (i64, u32)| format!("{}, seq {seq}", Ts::from_ns(ts));
            findings.row(problem, row, || {
                (said(key), format!("after {}", said(before)))
            });
        }
    }

    /// The day's volume of a contract grows, but for what was cancelled.
    fn look_at_volume(
        &mut self,
        rows: &Columns,
        i: usize,
        row: u64,
        symbol: &Symbol,
        day: usize,
        findings: &mut Findings,
    ) {
        let (volume, available_at) = (rows.volume[i], rows.available_at[i]);
        let known = &mut self.volumes[symbol.number];
        if known.day != Some(day) {
            *known = Volume {
                day: Some(day),
                ..Volume::default()
            };
        }
        // Volumes are as known at available_at, so they grow in that order.
        if available_at >= known.available_at {
            let lowered = (known.volume - volume).max(0);
            if lowered > known.cancelled {
                findings.doubt("volume falls further than its cancels explain", row, || {
                    let cancelled = known.cancelled;
                    let expected = format!("at least {} less {cancelled} cancelled", known.volume);
                    (format!("{volume} of {}", symbol.text), expected)
                });
            }
            known.cancelled = (known.cancelled - lowered).max(0);
            known.volume = volume;
            known.available_at = available_at;
        }
        known.cancelled += rows.cancelled_contracts[i].max(0);
    }
}
