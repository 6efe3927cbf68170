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
//! name its input, and a flipped bit is noticed before it becomes a price). A hash of the footer
//! itself stands in it too: see `seal.rs`.

mod bars;
mod compact;
mod csv;
mod embedded;
mod error;
mod export;
mod flow;
mod layout;
mod lock;
mod parquet;
mod place;
mod remove;
mod run;
mod schema;
mod seal;
mod small;
mod verify;

pub use bars::{BarTable, Bars, MinuteBar};
pub use compact::{Compacted, Leftover};
pub use error::{StoreError, StoreProblem};
pub use export::csv_header;
pub use flow::{FlowBatch, FlowBatches, FlowTable, RowId};
pub use layout::{Entry, Month, Table, UNIVERSE};
pub use lock::Lock;
pub use parquet::{Footer, ProbedFile};
pub use place::{Prepared, write_whole};
pub use remove::Removal;
pub use run::{
    EncodedRows, RunWriter, read_signals, read_trades, signals_csv, signals_csv_header, trades_csv,
    trades_csv_header,
};
pub use small::{DailyBar, DailyTable, OpenInterest, OpenInterestTable, Split, SplitTable};
pub use verify::{Finding, Severity, Verified};

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
    pub fn files(&self, table: Table) -> Result<Vec<Entry>, StoreError> {
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

    /// The sessions that `ticker`'s files of `table` cover, without decoding or checking any rows. Of
    /// flow only those that were stored with a floor of at most `max_floor` dollars.
    pub fn covered(
        &self,
        table: Table,
        ticker: &str,
        max_floor: f64,
    ) -> Result<BTreeSet<NaiveDate>, StoreError> {
        self.writable()?;
        let mut covered = BTreeSet::new();
        for entry in self.files_of(table, ticker)? {
            let footer = parquet::footer(&entry.path, table)?;
            let is_low = |date: &&NaiveDate| {
                let floor = footer.floor_of(**date);
                floor.is_none_or(|floor| floor <= max_floor)
            };
            covered.extend(footer.sessions.iter().filter(is_low));
        }
        Ok(covered)
    }

    /// Writes the sessions of `arrival` into the store, each file whole. Sessions already there are
    /// replaced, all others kept.
    pub fn put(&self, arrival: Arrival) -> Result<(), StoreError> {
        let prepared = self.prepare(arrival)?;
        prepared.into_iter().try_for_each(Prepared::commit)
    }

    /// The files that [`Store::put`] would put in place, written and waiting to be committed.
    pub fn prepare(&self, arrival: Arrival) -> Result<Vec<Prepared>, StoreError> {
        let root = self.writable()?;
        let files = layout::by_file(arrival.table, arrival.ticker, arrival.sessions);
        let files = files.into_iter().map(|(path, sessions)| {
            parquet::merge_into(
                &root.join(path),
                arrival.table,
                sessions,
                arrival.source,
                arrival.min_notional,
            )
        });
        files.collect()
    }

    /// Keeps other writers out until the lock is dropped, and removes what a killed one left behind.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        let root = self.writable()?;
        let lock = Lock::take(root)?;
        layout::sweep(root)?;
        Ok(lock)
    }

    /// The folder, when there is one to write to.
    fn writable(&self) -> Result<&Path, StoreError> {
        match &self.root {
            Root::Folder(root) => Ok(root),
            Root::Sample => Err(StoreError::new(embedded::NAME, StoreProblem::ReadOnly)),
        }
    }

    fn files_of(&self, table: Table, ticker: &str) -> Result<Vec<Entry>, StoreError> {
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
    ) -> Result<Vec<Entry>, StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn put(store: &Store, dates: &[&str], floor: f64) {
        let empty = |date: &&str| (day(date), FlowTable::default().finish());
        let arrival = Arrival {
            table: Table::Flow,
            ticker: "SPY",
            sessions: dates.iter().map(empty).collect(),
            source: "test",
            min_notional: Some(floor),
        };
        store.put(arrival).expect("there is room");
    }

    #[test]
    fn what_a_killed_writer_left_behind_goes_with_the_next_lock() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let left = ["", "universe", "bars_1d", "flow/SPY"].map(|inside| {
            let inside = folder.path().join(inside);
            std::fs::create_dir_all(&inside).expect("there is room");
            let left = inside.join(".tmp123");
            std::fs::write(&left, "half").expect("there is room");
            left
        });
        let kept = folder.path().join("notes.txt");
        std::fs::write(&kept, "mine").expect("there is room");
        let _lock = Store::folder(folder.path()).lock().expect("nobody writes");
        assert_eq!(left.map(|path| path.exists()), [false; 4]);
        assert!(kept.exists());
    }

    #[test]
    fn every_session_has_the_floor_it_came_with_and_the_file_the_highest() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let store = Store::folder(folder.path());
        let covered = |floor| {
            let covered = store.covered(Table::Flow, "SPY", floor);
            covered.expect("the file is whole").len()
        };
        let floor = || {
            let files = store.probe(Table::Flow, "SPY").expect("the file is whole");
            files[0].footer.min_notional
        };
        put(&store, &["2025-06-02", "2025-06-03"], 10_000.0);
        put(&store, &["2025-06-02"], 5_000.0);
        assert_eq!((covered(10_000.0), covered(5_000.0)), (2, 1));
        assert_eq!(floor(), Some(10_000.0));
        put(&store, &["2025-06-03"], 5_000.0);
        assert_eq!((covered(5_000.0), floor()), (2, Some(5_000.0)));
    }
}
