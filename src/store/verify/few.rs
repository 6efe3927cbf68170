//! Open interest and splits, and what all tables with a day per row have in common.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type};

use super::super::parquet::date_from_days;
use super::findings::Findings;
use super::{Rows, Sessions};
use crate::flow::Contract;

/// Every row is about the ticker whose file it stands in.
pub(super) fn look_at_tickers(
    batch: &RecordBatch,
    ticker: &str,
    first: u64,
    findings: &mut Findings,
) {
    let column = batch
        .column_by_name("ticker")
        .expect("the schema was checked");
    let column = column.as_dictionary::<Int32Type>();
    let names = column.values().as_string::<i32>();
    let strange: Vec<bool> = names.iter().map(|name| name != Some(ticker)).collect();
    // Nearly always no name is strange, and the rows need not be looked at.
    if !strange.contains(&true) {
        return;
    }
    for (i, key) in column.keys().iter().enumerate() {
        let key = key.unwrap_or_default() as usize;
        if strange.get(key).is_some_and(|strange| *strange) {
            findings.row("is about another ticker", first + i as u64, || {
                (names.value(key).to_owned(), ticker.to_owned())
            });
        }
    }
}

/// A day per row: each later than the one before.
pub(super) fn look_at_order(last: &mut Option<i32>, day: i32, row: u64, findings: &mut Findings) {
    let Some(before) = last.replace(day).filter(|before| *before >= day) else {
        return;
    };
    findings.row("not later than the row before it", row, || {
        (said(day), format!("after {}", said(before)))
    });
}

fn said(day: i32) -> String {
    date_from_days(day).map_or_else(|| format!("day {day}"), |date| date.to_string())
}

/// Open interest: many contracts a day, each once.
#[derive(Default)]
pub(super) struct OpenInterestRows {
    day: Option<i32>,
    seen: HashSet<String>,
}

impl Rows for OpenInterestRows {
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    ) {
        let column = |name: &str| batch.column_by_name(name).expect("the schema was checked");
        let days = column("date").as_primitive::<Date32Type>().values();
        let contracts = column("contract").as_dictionary::<Int32Type>();
        let symbols = contracts.values().as_string::<i32>();
        let open_interest = column("open_interest").as_primitive::<Int64Type>().values();
        for (i, day) in days.iter().enumerate() {
            let row = first + i as u64;
            let before = self.day.replace(*day);
            if before != Some(*day) {
                self.seen.clear();
            }
            if let Some(before) = before.filter(|before| before > day) {
                findings.row("earlier than the row before it", row, || {
                    (said(*day), format!("{} or later", said(before)))
                });
            }
            sessions.place_date(date_from_days(*day), row, findings);
            // A null was found before, and has no symbol.
            if contracts.is_null(i) {
                continue;
            }
            let symbol = symbols.value(contracts.keys().value(i) as usize);
            look_at_contract(symbol, *day, row, findings);
            if self.seen.contains(symbol) {
                findings.row("contract is there twice on a day", row, || {
                    (symbol.to_owned(), format!("once on {}", said(*day)))
                });
            } else {
                self.seen.insert(symbol.to_owned());
            }
            if open_interest[i] < 0 {
                findings.row("open_interest is negative", row, || {
                    (open_interest[i].to_string(), "at least 0".to_owned())
                });
            }
        }
    }
}

fn look_at_contract(symbol: &str, day: i32, row: u64, findings: &mut Findings) {
    match Contract::parse(symbol) {
        Err(e) => findings.row("contract is no OCC symbol", row, || {
            (symbol.to_owned(), e.reason.to_owned())
        }),
        Ok(contract) if date_from_days(day).is_some_and(|date| date > contract.expiry) => {
            findings.row("contract has expired", row, || {
                (
                    symbol.to_owned(),
                    format!("an expiry of {} or later", said(day)),
                )
            });
        }
        Ok(_) => {}
    }
}

pub(super) struct SplitRows<'a> {
    ticker: &'a str,
    last: Option<i32>,
}

impl<'a> SplitRows<'a> {
    pub fn new(ticker: &'a str) -> SplitRows<'a> {
        SplitRows { ticker, last: None }
    }
}

impl Rows for SplitRows<'_> {
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    ) {
        look_at_tickers(batch, self.ticker, first, findings);
        let column = |name: &str| batch.column_by_name(name).expect("the schema was checked");
        let days = column("ex_date").as_primitive::<Date32Type>().values();
        let ratios = column("ratio").as_primitive::<Float64Type>().values();
        for (i, (day, ratio)) in days.iter().zip(ratios).enumerate() {
            let row = first + i as u64;
            look_at_order(&mut self.last, *day, row, findings);
            sessions.place_date(date_from_days(*day), row, findings);
            if !(ratio.is_finite() && *ratio > 0.0) {
                findings.row("ratio is none", row, || {
                    (ratio.to_string(), "finite and above 0".to_owned())
                });
            } else if *ratio == 1.0 {
                findings.doubt("a split of one for one", row, || {
                    (ratio.to_string(), "another ratio".to_owned())
                });
            }
        }
    }
}
