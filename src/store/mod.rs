//! The store: tables as Parquet files, written whole and checked when read.
//!
//! ```text
//! flow/AAPL/2025-03.parquet       one file per ticker and month, sorted by (ts, seq)
//! bars_1m/AAPL/2025-03.parquet    likewise, pre- and post-market included
//! oi/AAPL/2025-03.parquet
//! bars_1d/AAPL.parquet            one file per ticker
//! splits/AAPL.parquet
//! ```
//!
//! Per ticker, because the engine walks one ticker through time: it opens a handful of files and
//! reads them from front to back. Per month, because a day is added by rewriting one month of its
//! ticker and not its history. `benches/store.rs` compares the layouts; the figures are in
//! `benches/README.md`.
//!
//! Every file carries in its footer the format version, the sessions it covers (so that a day
//! without events differs from a day never fetched) and a hash of its content (so that a run can
//! name its input, and a flipped bit is noticed before it becomes a price).

mod bars;
mod embedded;
mod error;
mod flow;
mod layout;
mod parquet;
mod run;
mod schema;
mod small;

pub use bars::{BarTable, Bars, MinuteBar};
pub use error::{StoreError, StoreProblem};
pub use flow::{FlowBatch, FlowBatches, FlowTable, RowId};
pub use layout::{Month, Table};
pub use parquet::{Footer, ProbedFile};
pub use run::{EncodedRows, RunWriter, read_signals, read_trades};
pub use small::{DailyBar, DailyTable, OpenInterest, OpenInterestTable, Split, SplitTable};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

/// Where the tables are: a folder, or the sample compiled into the binary.
#[derive(Clone, Debug)]
pub struct Store {
    root: Root,
}

#[derive(Clone, Debug)]
enum Root {
    Folder(PathBuf),
    Sample,
}

/// Rows of some sessions on their way into the store.
pub struct Arrival<'a> {
    pub table: Table,
    pub ticker: &'a str,
    /// One batch per session, sorted; an empty batch says that the session had no rows.
    pub sessions: Vec<(NaiveDate, RecordBatch)>,
    pub source: &'a str,
    /// Flow only: the floor below which events were dropped, dollars.
    pub min_notional: Option<f64>,
}

impl Store {
    pub fn folder(path: impl Into<PathBuf>) -> Store {
        Store {
            root: Root::Folder(path.into()),
        }
    }

    /// The sample market that comes with the program.
    pub fn sample() -> Store {
        Store { root: Root::Sample }
    }

    /// How messages call this store.
    pub fn name(&self) -> String {
        match &self.root {
            Root::Folder(path) => path.display().to_string(),
            Root::Sample => embedded::NAME.to_owned(),
        }
    }

    /// All tickers that have any file of `table`, in alphabetical order.
    pub fn tickers(&self, table: Table) -> Result<Vec<String>, StoreError> {
        let mut tickers = BTreeSet::new();
        for file in self.files(table)? {
            tickers.insert(file.ticker);
        }
        Ok(tickers.into_iter().collect())
    }

    /// Every file of `table`: ticker, month (for monthly tables) and path inside the store.
    pub fn files(&self, table: Table) -> Result<Vec<layout::Entry>, StoreError> {
        match &self.root {
            Root::Folder(path) => layout::list(path, table),
            Root::Sample => Ok(embedded::list(table)),
        }
    }

    /// The footers of `ticker`'s files of `table` in order of month, without decoding any rows.
    pub fn probe(&self, table: Table, ticker: &str) -> Result<Vec<ProbedFile>, StoreError> {
        let files = self.files_of(table, ticker)?;
        files
            .iter()
            .map(|entry| parquet::probe(self.read(&entry.path)?, &entry.path, table))
            .collect()
    }

    /// Writes the sessions of `arrival` into the store, each file whole. Sessions already there are
    /// replaced, all others kept.
    pub fn put(&self, arrival: Arrival) -> Result<(), StoreError> {
        let Root::Folder(root) = &self.root else {
            return Err(StoreError::new(embedded::NAME, StoreProblem::ReadOnly));
        };
        for (path, sessions) in layout::by_file(arrival.table, arrival.ticker, arrival.sessions) {
            let path = root.join(path);
            parquet::merge_into(
                &path,
                arrival.table,
                sessions,
                arrival.source,
                arrival.min_notional,
            )?;
        }
        Ok(())
    }

    fn files_of(&self, table: Table, ticker: &str) -> Result<Vec<layout::Entry>, StoreError> {
        match &self.root {
            Root::Folder(path) => layout::list_ticker(path, table, ticker),
            Root::Sample => Ok(embedded::list(table)
                .into_iter()
                .filter(|e| e.ticker == ticker)
                .collect()),
        }
    }

    /// `ticker`'s files whose month touches `from` to `to`, both included, oldest first.
    fn files_between(
        &self,
        table: Table,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<layout::Entry>, StoreError> {
        let mut files = self.files_of(table, ticker)?;
        files.retain(|entry| {
            entry
                .month
                .is_none_or(|m| Month::of(from) <= m && m <= Month::of(to))
        });
        Ok(files)
    }

    fn read(&self, path: &Path) -> Result<parquet::Input, StoreError> {
        match &self.root {
            Root::Folder(_) => parquet::Input::open(path),
            Root::Sample => Ok(parquet::Input::Bytes(embedded::bytes(path))),
        }
    }
}
