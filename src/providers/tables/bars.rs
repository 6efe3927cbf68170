//! Minute and daily bars as rows of a file.

use std::cmp::Ordering;

use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

use super::cells::{Cells, Kind};
use super::columns::{Column, columns};
use super::gather::{Around, Placed, TableRow};
use crate::providers::account::RowFault;
use crate::store::{BarTable, DailyBar, DailyTable, MinuteBar};
use crate::time::MINUTE_NS;

pub(super) struct MinuteRow {
    bar: MinuteBar,
    date: NaiveDate,
}

impl TableRow for MinuteRow {
    const COLUMNS: &'static [Column] = columns![
        Time ts;
        Text ticker;
        Number open high low close volume ? vwap;
        Count ? trades;
        Flag ? is_regular;
    ];
    const KEY: &'static str = "ticker and ts";

    fn of(mut cells: Cells, around: &mut Around) -> Result<(String, MinuteRow), RowFault> {
        let ts = cells.time("ts");
        if ts.ns() % MINUTE_NS != 0 {
            return Err(cells.fault("ts", "the start of a minute"));
        }
        let closed = "a time on a day with a session";
        let date = around
            .session_of(ts)
            .ok_or_else(|| cells.fault("ts", closed))?;
        let ticker = cells.ticker()?;
        let [open, high, low, close, volume] = prices(&mut cells)?;
        let vwap = cells.maybe_number("vwap");
        if vwap.is_some_and(|vwap| vwap <= 0.0) {
            return Err(cells.fault("vwap", "a number above zero, or nothing"));
        }
        let trades = cells.maybe_count("trades", 0)?;
        let is_regular = cells.maybe_flag("is_regular").unwrap_or_else(|| {
            let session = around.calendar.session_on(date);
            session.is_some_and(|session| session.contains(ts))
        });
        let bar = MinuteBar {
            ts,
            open,
            high,
            low,
            close,
            volume,
            vwap,
            trades,
            is_regular,
        };
        Ok((ticker, MinuteRow { bar, date }))
    }

    fn date(&self) -> NaiveDate {
        self.date
    }

    fn order(&self, other: &MinuteRow) -> Ordering {
        self.bar.ts.cmp(&other.bar.ts)
    }

    fn key(&self) -> String {
        self.bar.ts.to_string()
    }

    fn batches(ticker: &str, sessions: &[&[Placed<MinuteRow>]]) -> Vec<(NaiveDate, RecordBatch)> {
        let batch = |rows: &&[Placed<MinuteRow>]| {
            let mut table = BarTable::default();
            rows.iter().for_each(|placed| table.push(placed.row.bar));
            (rows[0].row.date, table.finish(ticker))
        };
        sessions.iter().map(batch).collect()
    }
}

pub(super) struct DailyRow(DailyBar);

impl TableRow for DailyRow {
    const COLUMNS: &'static [Column] = columns![
        Date date;
        Text ticker;
        Number open high low close volume;
    ];
    const KEY: &'static str = "ticker and date";

    fn of(mut cells: Cells, _: &mut Around) -> Result<(String, DailyRow), RowFault> {
        let date = cells.date("date");
        let ticker = cells.ticker()?;
        let [open, high, low, close, volume] = prices(&mut cells)?;
        let bar = DailyBar {
            date,
            open,
            high,
            low,
            close,
            volume,
        };
        Ok((ticker, DailyRow(bar)))
    }

    fn date(&self) -> NaiveDate {
        self.0.date
    }

    fn order(&self, other: &DailyRow) -> Ordering {
        self.0.date.cmp(&other.0.date)
    }

    fn key(&self) -> String {
        self.0.date.to_string()
    }

    fn batches(ticker: &str, sessions: &[&[Placed<DailyRow>]]) -> Vec<(NaiveDate, RecordBatch)> {
        let rows: Vec<DailyBar> = sessions
            .iter()
            .copied()
            .flatten()
            .map(|p| p.row.0)
            .collect();
        DailyTable::by_session(ticker, &rows)
    }
}

/// Open, high, low, close and volume of a bar in which they go together.
fn prices(cells: &mut Cells) -> Result<[f64; 5], RowFault> {
    let open = cells.price("open")?;
    let high = cells.price("high")?;
    let low = cells.price("low")?;
    let close = cells.price("close")?;
    if high < open.max(close).max(low) {
        return Err(cells.fault("high", "no price of the bar above it"));
    }
    if low > open.min(close) {
        return Err(cells.fault("low", "no price of the bar below it"));
    }
    match cells.maybe_number("volume") {
        Some(volume) if volume >= 0.0 => Ok([open, high, low, close, volume]),
        _ => Err(cells.fault("volume", "a number, not negative")),
    }
}
