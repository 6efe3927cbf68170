//! Where a table's rows are: from (table, ticker, date) to a path, and back from a folder to entries.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use chrono::{Datelike, NaiveDate};

use super::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Flow,
    Bars1m,
    Bars1d,
    OpenInterest,
    Splits,
}

impl Table {
    pub const ALL: [Table; 5] = [
        Table::Flow,
        Table::Bars1m,
        Table::Bars1d,
        Table::OpenInterest,
        Table::Splits,
    ];

    /// The folder's name, which is also the name in the footer.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Flow => "flow",
            Table::Bars1m => "bars_1m",
            Table::Bars1d => "bars_1d",
            Table::OpenInterest => "oi",
            Table::Splits => "splits",
        }
    }

    /// Whether the table has a file per month, or one for all time.
    const fn is_monthly(self) -> bool {
        matches!(self, Table::Flow | Table::Bars1m | Table::OpenInterest)
    }

    fn path(self, ticker: &str, month: Option<Month>) -> PathBuf {
        match month {
            Some(month) => Path::new(self.name())
                .join(ticker)
                .join(format!("{month}.parquet")),
            None => Path::new(self.name()).join(format!("{ticker}.parquet")),
        }
    }
}

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    pub fn of(date: NaiveDate) -> Month {
        Month {
            year: date.year(),
            month: date.month(),
        }
    }

    fn parse(text: &str) -> Option<Month> {
        let first: NaiveDate = format!("{text}-01").parse().ok()?;
        (text.len() == "2025-03".len()).then(|| Month::of(first))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// One file of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub ticker: String,
    pub month: Option<Month>,
    pub path: PathBuf,
}

/// The entry `path` stands for inside a store, if it is one of `table`'s.
pub(super) fn entry(table: Table, relative: &Path) -> Option<Entry> {
    let mut parts = relative.iter().map(|part| part.to_str());
    (parts.next()?? == table.name()).then_some(())?;
    let (ticker, month) = if table.is_monthly() {
        let ticker = parts.next()??;
        (
            ticker,
            Some(Month::parse(parts.next()??.strip_suffix(".parquet")?)?),
        )
    } else {
        (parts.next()??.strip_suffix(".parquet")?, None)
    };
    parts.next().is_none().then(|| Entry {
        ticker: ticker.to_owned(),
        month,
        path: relative.to_owned(),
    })
}

/// All of `table`'s files below `root`, by ticker and month. A missing folder has none.
pub(super) fn list(root: &Path, table: Table) -> Result<Vec<Entry>, StoreError> {
    let folder = root.join(table.name());
    let mut entries = Vec::new();
    for name in names_in(&folder)? {
        if table.is_monthly() {
            entries.extend(list_ticker(root, table, &name)?);
        } else if let Some(entry) = entry(table, &Path::new(table.name()).join(&name)) {
            entries.push(Entry {
                path: root.join(&entry.path),
                ..entry
            });
        }
    }
    entries.sort();
    Ok(entries)
}

/// `ticker`'s files of `table` below `root`, by month.
pub(super) fn list_ticker(
    root: &Path,
    table: Table,
    ticker: &str,
) -> Result<Vec<Entry>, StoreError> {
    if !table.is_monthly() {
        let path = root.join(table.path(ticker, None));
        let there = path.is_file();
        return Ok(there
            .then(|| Entry {
                ticker: ticker.to_owned(),
                month: None,
                path,
            })
            .into_iter()
            .collect());
    }
    let folder = Path::new(table.name()).join(ticker);
    let names = names_in(&root.join(&folder))?;
    let entries = names
        .iter()
        .filter_map(|name| entry(table, &folder.join(name)));
    let mut entries: Vec<Entry> = entries
        .map(|e| Entry {
            path: root.join(&e.path),
            ..e
        })
        .collect();
    entries.sort();
    Ok(entries)
}

/// Where rankings are kept beside the tables.
pub const UNIVERSE: &str = "universe";

/// Removes the files below `root` that a writer was killed over. Only under the lock: they may be
/// somebody's who is still writing.
pub(super) fn sweep(root: &Path) -> Result<(), StoreError> {
    let mut folders = vec![root.to_owned(), root.join(UNIVERSE)];
    for table in Table::ALL {
        let folder = root.join(table.name());
        if table.is_monthly() {
            folders.extend(names_in(&folder)?.iter().map(|name| folder.join(name)));
        }
        folders.push(folder);
    }
    for folder in folders {
        for name in names_in(&folder)? {
            if name.starts_with(super::place::LEFTOVER) {
                let path = folder.join(name);
                std::fs::remove_file(&path).map_err(|e| StoreError::io(&path, e))?;
            }
        }
    }
    Ok(())
}

fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let reader = match std::fs::read_dir(folder) {
        Ok(reader) => reader,
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(e) => return Err(StoreError::io(folder, e)),
    };
    let mut names = Vec::new();
    for entry in reader {
        let entry = entry.map_err(|e| StoreError::io(folder, e))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

/// Sessions and their rows, as they go into one file.
pub(super) type SessionRows = BTreeMap<NaiveDate, RecordBatch>;

/// Sorts sessions into the files they belong to.
pub(super) fn by_file(
    table: Table,
    ticker: &str,
    sessions: Vec<(NaiveDate, RecordBatch)>,
) -> BTreeMap<PathBuf, SessionRows> {
    let mut files: BTreeMap<PathBuf, SessionRows> = BTreeMap::new();
    for (date, rows) in sessions {
        let month = table.is_monthly().then(|| Month::of(date));
        files
            .entry(table.path(ticker, month))
            .or_default()
            .insert(date, rows);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_back_as_the_entry_it_was_made_for() {
        let month = Month::of(NaiveDate::from_ymd_opt(2025, 3, 14).unwrap());
        let path = Table::Flow.path("BRK.B", Some(month));
        assert_eq!(path, Path::new("flow/BRK.B/2025-03.parquet"));
        let entry = entry(Table::Flow, &path).unwrap();
        assert_eq!((entry.ticker.as_str(), entry.month), ("BRK.B", Some(month)));
    }

    #[test]
    fn other_files_in_the_folder_are_not_entries() {
        for path in [
            "flow/AAPL/.tmp123",
            "flow/AAPL/notes.txt",
            "flow/AAPL.parquet",
            "bars_1m/AAPL/2025-03.parquet",
        ] {
            assert_eq!(entry(Table::Flow, Path::new(path)), None, "{path}");
        }
    }
}
