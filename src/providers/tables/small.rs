//! Open interest and splits as rows of a file.

use std::cmp::Ordering;

use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

use super::cells::{Cells, Kind};
use super::columns::{Column, columns};
use super::gather::{Around, Placed, TableRow};
use crate::flow::Contract;
use crate::providers::account::RowFault;
use crate::providers::roots;
use crate::store::{OpenInterest, OpenInterestTable, Split, SplitTable};

pub(super) struct OpenInterestRow(OpenInterest);

impl TableRow for OpenInterestRow {
    /// The table has no column for the ticker, its files are the ticker's. A file of many tickers may
    /// have one; without it a contract belongs to the underlying of its root.
    const COLUMNS: &'static [Column] = columns![
        Date date;
        Text contract;
        Count open_interest;
        Time ? captured_at;
        Text ? ticker;
    ];
    const KEY: &'static str = "date and contract";

    fn of(mut cells: Cells, _: &mut Around) -> Result<(String, OpenInterestRow), RowFault> {
        let date = cells.date("date");
        let contract = cells.text("contract");
        let expected = "an OCC symbol without O:, such as TSLA250221C00245000";
        let parsed = Contract::parse(contract).map_err(|_| cells.fault("contract", expected))?;
        let open_interest = cells.count("open_interest", 0)?;
        let captured_at = cells.maybe_time("captured_at");
        let ticker = cells.maybe_ticker()?;
        let ticker = ticker.unwrap_or_else(|| roots::underlying(&parsed.root).to_owned());
        let row = OpenInterest {
            date,
            contract: contract.to_owned(),
            open_interest,
            captured_at,
        };
        Ok((ticker, OpenInterestRow(row)))
    }

    fn date(&self) -> NaiveDate {
        self.0.date
    }

    fn order(&self, other: &OpenInterestRow) -> Ordering {
        let by_date = self.0.date.cmp(&other.0.date);
        by_date.then_with(|| self.0.contract.cmp(&other.0.contract))
    }

    fn key(&self) -> String {
        format!("{} {}", self.0.date, self.0.contract)
    }

    fn batches(_: &str, sessions: &[&[Placed<OpenInterestRow>]]) -> Vec<(NaiveDate, RecordBatch)> {
        let batch = |rows: &&[Placed<OpenInterestRow>]| {
            let rows: Vec<OpenInterest> = rows.iter().map(|placed| placed.row.0.clone()).collect();
            (rows[0].date, OpenInterestTable::batch(&rows))
        };
        sessions.iter().map(batch).collect()
    }
}

pub(super) struct SplitRow(Split);

impl TableRow for SplitRow {
    const COLUMNS: &'static [Column] = columns![
        Date ex_date;
        Text ticker;
        Number ratio;
    ];
    const KEY: &'static str = "ticker and ex_date";

    fn of(mut cells: Cells, _: &mut Around) -> Result<(String, SplitRow), RowFault> {
        let ex_date = cells.date("ex_date");
        let ticker = cells.ticker()?;
        let ratio = cells.price("ratio")?;
        Ok((ticker, SplitRow(Split { ex_date, ratio })))
    }

    fn date(&self) -> NaiveDate {
        self.0.ex_date
    }

    fn order(&self, other: &SplitRow) -> Ordering {
        self.0.ex_date.cmp(&other.0.ex_date)
    }

    fn key(&self) -> String {
        self.0.ex_date.to_string()
    }

    fn batches(ticker: &str, sessions: &[&[Placed<SplitRow>]]) -> Vec<(NaiveDate, RecordBatch)> {
        let rows: Vec<Split> = sessions
            .iter()
            .copied()
            .flatten()
            .map(|p| p.row.0)
            .collect();
        SplitTable::by_session(ticker, &rows)
    }
}
