//! Gather: from rows in any order to each ticker's sessions, sorted, without repeats.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

use super::bars::{DailyRow, MinuteRow};
use super::cells::{Cell, Cells};
use super::columns::Column;
use super::error::TablesError;
use super::files::Format;
use super::flow::FlowRow;
use super::small::{OpenInterestRow, SplitRow};
use super::{csv, parquet};
use crate::providers::account::{Account, RowFault};
use crate::providers::exchange_day::ExchangeDay;
use crate::store::Table;
use crate::time::{Calendar, Ts};

/// Rows of one table, ready for the store.
#[derive(Clone, Debug, Default)]
pub struct TablesImport {
    /// By ticker, one sorted batch per session.
    pub sessions: BTreeMap<String, Vec<(NaiveDate, RecordBatch)>>,
    pub account: Account,
}

impl TablesImport {
    /// Of flow: the smallest notional there is, dollars; zero when there is none.
    pub fn smallest_notional(&self) -> f64 {
        let rows = self.sessions.values().flatten().map(|(_, rows)| rows);
        let columns = rows.filter_map(|rows| rows.column_by_name("notional"));
        let values = columns.flat_map(|column| column.as_primitive::<Float64Type>().values());
        let smallest = values.copied().reduce(f64::min);
        smallest.unwrap_or(0.0)
    }
}

/// Reads `files`, all of `format`, as rows of `table`. Of rows that may be there only once the first
/// stays, by order of the files and within them.
pub fn read(
    files: &[PathBuf],
    format: Format,
    table: Table,
    calendar: &Calendar,
) -> Result<TablesImport, TablesError> {
    let task = Task {
        files,
        format,
        table,
        calendar,
    };
    match table {
        Table::Flow => task.read::<FlowRow>(),
        Table::Bars1m => task.read::<MinuteRow>(),
        Table::Bars1d => task.read::<DailyRow>(),
        Table::OpenInterest => task.read::<OpenInterestRow>(),
        Table::Splits => task.read::<SplitRow>(),
    }
}

/// A row of one of the tables.
pub(super) trait TableRow: Sized {
    const COLUMNS: &'static [Column];
    /// The columns by which a row may be there only once.
    const KEY: &'static str;

    /// Reads and checks a row whose ticker is `ticker`.
    fn of(cells: Cells, around: &mut Around) -> Result<(String, Self), RowFault>;

    fn date(&self) -> NaiveDate;

    /// The order of the table within a ticker.
    fn order(&self, other: &Self) -> Ordering;

    /// Takes its place behind `before`; false when that one stands in it already.
    fn follow(&mut self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.order(self) != Ordering::Equal)
    }

    /// What makes it the only one of its kind, as messages say it.
    fn key(&self) -> String;

    fn batches(ticker: &str, sessions: &[&[Placed<Self>]]) -> Vec<(NaiveDate, RecordBatch)>;
}

/// What a row is read with.
pub(super) struct Around<'a> {
    pub calendar: &'a Calendar,
    pub day: ExchangeDay,
    pub source: &'static str,
}

/// A row and where it came from.
pub(super) struct Placed<R> {
    pub row: R,
    file: u32,
    line: u64,
}

struct Task<'a> {
    files: &'a [PathBuf],
    format: Format,
    table: Table,
    calendar: &'a Calendar,
}

impl Task<'_> {
    fn read<R: TableRow>(&self) -> Result<TablesImport, TablesError> {
        let mut account = Account::default();
        let mut tickers: BTreeMap<String, Vec<Placed<R>>> = BTreeMap::new();
        let mut around = Around {
            calendar: self.calendar,
            day: ExchangeDay::default(),
            source: self.format.source(),
        };
        for (file, path) in self.files.iter().enumerate() {
            let each = |line, cells: Result<&[Cell], RowFault>| {
                account.read += 1;
                let cells = cells.and_then(|cells| Cells::new(R::COLUMNS, cells));
                match cells.and_then(|cells| R::of(cells, &mut around)) {
                    Err(fault) => account.bad_row(&self.name(file), line, fault),
                    Ok((ticker, row)) => tickers.entry(ticker).or_default().push(Placed {
                        row,
                        file: file as u32,
                        line,
                    }),
                }
            };
            let unknown = match self.format {
                Format::Csv => csv::each_row(path, self.table, R::COLUMNS, each)?,
                Format::Parquet => parquet::each_row(path, self.table, R::COLUMNS, each)?,
            };
            account.unknown_columns.extend(unknown);
        }
        let mut sessions = BTreeMap::new();
        for (ticker, rows) in tickers {
            let rows = self.without_repeats(rows, &mut account);
            account.kept += rows.len() as u64;
            let by_date: Vec<&[Placed<R>]> =
                rows.chunk_by(|a, b| a.row.date() == b.row.date()).collect();
            sessions.insert(ticker.clone(), R::batches(&ticker, &by_date));
        }
        Ok(TablesImport { sessions, account })
    }

    fn name(&self, file: usize) -> String {
        self.files[file].display().to_string()
    }

    fn without_repeats<R: TableRow>(
        &self,
        mut rows: Vec<Placed<R>>,
        account: &mut Account,
    ) -> Vec<Placed<R>> {
        // Stable: what the table does not order stays as it was.
        rows.sort_by(|a, b| a.row.order(&b.row));
        let mut kept: Vec<Placed<R>> = Vec::with_capacity(rows.len());
        for mut placed in rows {
            let before = kept.last();
            if placed.row.follow(before.map(|before| &before.row)) {
                kept.push(placed);
                continue;
            }
            let first = before.expect("a repeat stands behind its first");
            let fault = RowFault::Twice {
                columns: R::KEY,
                got: placed.row.key(),
                first: format!("{}:{}", self.name(first.file as usize), first.line),
            };
            account.bad_row(&self.name(placed.file as usize), placed.line, fault);
        }
        kept
    }
}

impl Around<'_> {
    /// The exchange day of `ts`; `None` when the exchange is closed all day.
    pub fn session_of(&mut self, ts: Ts) -> Option<NaiveDate> {
        let sessions = self.calendar.all();
        let (first, last) = (sessions.first()?, sessions.last()?);
        if ts < first.day_start() || ts > last.close.plus_minutes(24 * 60) {
            return None;
        }
        let date = self.day.date_of(ts);
        self.calendar.session_on(date).map(|_| date)
    }
}
