//! Flow events as rows of a file.

use std::cmp::Ordering;

use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

use super::cells::{Cells, Kind};
use super::columns::{Column, columns};
use super::gather::{Around, Placed, TableRow};
use crate::flow::{
    CallPut, Contract, FlowDetail, FlowEvent, MULTIPLIER, Side, SideQuality, SideSource,
};
use crate::providers::account::RowFault;
use crate::store::FlowTable;
use crate::time::Ts;

pub(super) struct FlowRow {
    ts: Ts,
    available_at: Ts,
    /// `None` until its place among the events of its time is known.
    seq: Option<u32>,
    contract: String,
    parsed: Contract,
    date: NaiveDate,
    notional: f64,
    side: Side,
    is_aggressive: bool,
    is_sweep: bool,
    is_multi_leg: bool,
    volume: i64,
    open_interest: Option<i64>,
    underlying_price: Option<f64>,
    detail: FlowDetail,
}

impl TableRow for FlowRow {
    const COLUMNS: &'static [Column] = columns![
        Time ts ? available_at;
        Count ? seq;
        Text ticker contract ? call_put;
        Number ? strike;
        Date ? expiry;
        Number price;
        Count contracts;
        Number ? notional bid ask;
        Text ? side side_source side_quality;
        Flag ? is_aggressive is_sweep has_iso is_block is_multi_leg is_extended;
        Count ? prints exchanges;
        Count volume ? open_interest;
        Number ? iv delta underlying_price;
        Codes ? conditions;
        Time ? cancelled_at;
        Count ? cancelled_contracts;
        Text ? source;
    ];
    const KEY: &'static str = "ts and seq";

    fn of(mut cells: Cells, around: &mut Around) -> Result<(String, FlowRow), RowFault> {
        let cells = &mut cells;
        let ts = cells.time("ts");
        let closed = "a time on a day with a session";
        let date = around
            .session_of(ts)
            .ok_or_else(|| cells.fault("ts", closed))?;
        let available_at = cells.maybe_time("available_at").unwrap_or(ts);
        if available_at < ts {
            return Err(cells.fault("available_at", "a time not before ts"));
        }
        let seq = cells.maybe_short_count("seq", 0)?;
        let ticker = cells.ticker()?;
        let (contract, parsed) = contract(cells, date)?;
        let price = cells.price("price")?;
        let contracts = cells.count("contracts", 1)?;
        let notional = match cells.maybe_number("notional") {
            Some(notional) if notional > 0.0 => notional,
            Some(_) => return Err(cells.fault("notional", "a number above zero")),
            None => price * contracts as f64 * MULTIPLIER,
        };
        let (bid, ask) = (cells.maybe_number("bid"), cells.maybe_number("ask"));
        let side =
            word(cells, "side", Side::parse, "BUY, SELL or UNKNOWN")?.unwrap_or(Side::Unknown);
        let (source, quality) = match side {
            Side::Unknown => (SideSource::None, SideQuality::None),
            _ => (SideSource::Provider, SideQuality::Weak),
        };
        let expected = "quote, tick, provider or none";
        let side_source =
            word(cells, "side_source", SideSource::parse, expected)?.unwrap_or(source);
        let expected = "firm, weak or none";
        let side_quality =
            word(cells, "side_quality", SideQuality::parse, expected)?.unwrap_or(quality);
        let mut flag = |name| cells.maybe_flag(name).unwrap_or(false);
        let [is_aggressive, is_sweep, has_iso] =
            ["is_aggressive", "is_sweep", "has_iso"].map(&mut flag);
        let [is_block, is_multi_leg, is_extended] =
            ["is_block", "is_multi_leg", "is_extended"].map(flag);
        let prints = cells.maybe_short_count("prints", 1)?.unwrap_or(1);
        let exchanges = cells.maybe_short_count("exchanges", 0)?.unwrap_or(1);
        let volume = cells.count("volume", 0)?;
        let open_interest = cells.maybe_count("open_interest", 0)?;
        let (iv, delta) = (cells.maybe_number("iv"), cells.maybe_number("delta"));
        let underlying_price = cells.maybe_number("underlying_price");
        if underlying_price.is_some_and(|price| price <= 0.0) {
            return Err(cells.fault("underlying_price", "a number above zero, or nothing"));
        }
        let conditions = cells.codes("conditions");
        let cancelled_at = cells.maybe_time("cancelled_at");
        if cancelled_at.is_some_and(|at| at < ts) {
            return Err(cells.fault("cancelled_at", "a time not before ts, or nothing"));
        }
        let detail = FlowDetail {
            price,
            contracts,
            bid,
            ask,
            side_source,
            side_quality,
            has_iso,
            is_block,
            is_extended,
            prints,
            exchanges,
            iv,
            delta,
            conditions,
            cancelled_at,
            cancelled_contracts: cells.maybe_count("cancelled_contracts", 0)?.unwrap_or(0),
            source: cells
                .maybe_text("source")
                .unwrap_or(around.source)
                .to_owned(),
        };
        let row = FlowRow {
            ts,
            available_at,
            seq,
            contract,
            parsed,
            date,
            notional,
            side,
            is_aggressive,
            is_sweep,
            is_multi_leg,
            volume,
            open_interest,
            underlying_price,
            detail,
        };
        Ok((ticker, row))
    }

    fn date(&self) -> NaiveDate {
        self.date
    }

    /// Rows without a number stand behind those that have one.
    fn order(&self, other: &FlowRow) -> Ordering {
        let key = |row: &FlowRow| (row.ts, row.seq.map_or(u64::MAX, u64::from));
        key(self).cmp(&key(other))
    }

    fn follow(&mut self, before: Option<&FlowRow>) -> bool {
        let before = before.filter(|before| before.ts == self.ts);
        let before = before.map(|before| before.seq.expect("rows are numbered as they are placed"));
        match self.seq {
            Some(seq) => before != Some(seq),
            None => {
                // Four billion events of one instant: the next would be a repeat.
                self.seq = before.map_or(Some(0), |before| before.checked_add(1));
                self.seq.is_some()
            }
        }
    }

    fn key(&self) -> String {
        format!("{} {}", self.ts, self.seq.unwrap_or(u32::MAX))
    }

    fn batches(ticker: &str, sessions: &[&[Placed<FlowRow>]]) -> Vec<(NaiveDate, RecordBatch)> {
        let batch = |rows: &&[Placed<FlowRow>]| {
            let mut table = FlowTable::default();
            rows.iter().for_each(|placed| {
                let row = &placed.row;
                table.push(&row.event(ticker), &row.detail);
            });
            (rows[0].row.date, table.finish())
        };
        sessions.iter().map(batch).collect()
    }
}

impl FlowRow {
    fn event<'a>(&'a self, ticker: &'a str) -> FlowEvent<'a> {
        FlowEvent {
            ts: self.ts,
            available_at: self.available_at,
            seq: self.seq.expect("rows are numbered as they are placed"),
            ticker,
            contract: &self.contract,
            call_put: self.parsed.call_put,
            strike: self.parsed.strike,
            expiry: self.parsed.expiry,
            notional: self.notional,
            side: self.side,
            is_aggressive: self.is_aggressive,
            is_sweep: self.is_sweep,
            is_multi_leg: self.is_multi_leg,
            volume: self.volume,
            open_interest: self.open_interest,
            underlying_price: self.underlying_price,
        }
    }
}

/// The contract by its symbol; the columns that repeat what it says must agree with it.
fn contract(cells: &mut Cells, date: NaiveDate) -> Result<(String, Contract), RowFault> {
    let symbol = cells.text("contract");
    let expected = "an OCC symbol without O:, such as TSLA250221C00245000";
    let parsed = Contract::parse(symbol).map_err(|_| cells.fault("contract", expected))?;
    if parsed.expiry < date {
        return Err(cells.fault("contract", "a contract that has not expired"));
    }
    let call_put = word(cells, "call_put", CallPut::parse, "C or P")?;
    if call_put.is_some_and(|call_put| call_put != parsed.call_put) {
        return Err(cells.fault("call_put", "what the contract's symbol says"));
    }
    let strike = cells.maybe_number("strike");
    if strike.is_some_and(|strike| (strike - parsed.strike).abs() >= 1e-9) {
        return Err(cells.fault("strike", "what the contract's symbol says"));
    }
    if cells
        .maybe_date("expiry")
        .is_some_and(|expiry| expiry != parsed.expiry)
    {
        return Err(cells.fault("expiry", "what the contract's symbol says"));
    }
    Ok((symbol.to_owned(), parsed))
}

fn word<T>(
    cells: &mut Cells,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, RowFault> {
    let Some(text) = cells.maybe_text(name) else {
        return Ok(None);
    };
    parse(text)
        .map(Some)
        .ok_or_else(|| cells.fault(name, expected))
}
