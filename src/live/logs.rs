//! Logs: signals and trades as rows of CSV, appended as they happen, the columns a run's tables have.
//!
//! A row is written once, across restarts too: the file itself says which rows it has.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::paper::Trade;
use crate::store::{signals_csv, signals_csv_header, trades_csv, trades_csv_header};
use crate::strategies::Signal;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: its first line does not have the columns of this version", .path.display())]
    OtherColumns { path: PathBuf },
}

impl LogError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            LogError::Io { .. } => None,
            LogError::OtherColumns { .. } => Some("move the file away; a new one is begun"),
        }
    }
}

/// `signals_log.csv` and `paper_trades_log.csv`.
pub struct Logs {
    signals: CsvLog,
    trades: CsvLog,
    experiment_id: String,
}

impl Logs {
    /// Opens both in `folder`, or begins them.
    pub fn open(folder: &Path, experiment_id: &str) -> Result<Logs, LogError> {
        Ok(Logs {
            signals: CsvLog::open(folder.join("signals_log.csv"), &signals_csv_header())?,
            trades: CsvLog::open(folder.join("paper_trades_log.csv"), &trades_csv_header())?,
            experiment_id: experiment_id.to_owned(),
        })
    }

    pub fn signal(&mut self, signal: &Signal) -> Result<(), LogError> {
        let row = signals_csv(std::slice::from_ref(signal), &self.experiment_id);
        self.signals.append(&row)
    }

    pub fn trade(&mut self, trade: &Trade) -> Result<(), LogError> {
        let row = trades_csv(std::slice::from_ref(trade));
        self.trades.append(&row)
    }

    /// Makes all rows so far durable.
    pub fn sync(&self) -> Result<(), LogError> {
        self.signals.sync()?;
        self.trades.sync()
    }

    /// The files, for whoever makes them durable while rows are appended.
    pub fn files(&self) -> std::io::Result<[File; 2]> {
        Ok([
            self.signals.file.try_clone()?,
            self.trades.file.try_clone()?,
        ])
    }
}

/// A CSV file whose first column names its rows.
struct CsvLog {
    path: PathBuf,
    file: File,
    known: HashSet<Vec<u8>>,
}

impl CsvLog {
    fn open(path: PathBuf, header: &str) -> Result<CsvLog, LogError> {
        let io = |source| LogError::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(io)?;
        let text = std::fs::read(&path).map_err(io)?;
        // A row that does not end was being written when the process was killed.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(io)?;
        }
        let mut lines = text[..whole].split_inclusive(|byte| *byte == b'\n');
        match lines.next() {
            None => file.write_all(header.as_bytes()).map_err(io)?,
            Some(first) if first != header.as_bytes() => {
                return Err(LogError::OtherColumns { path });
            }
            Some(_) => {}
        }
        let known = lines.map(name_of).collect();
        Ok(CsvLog { path, file, known })
    }

    fn append(&mut self, row: &[u8]) -> Result<(), LogError> {
        if !self.known.insert(name_of(row)) {
            return Ok(());
        }
        self.file.write_all(row).map_err(|source| LogError::Io {
            path: self.path.clone(),
            source,
        })
    }

    fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(|source| LogError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

/// The first field of a row.
fn name_of(row: &[u8]) -> Vec<u8> {
    let end = row.iter().position(|byte| *byte == b',');
    row[..end.unwrap_or(row.len())].to_vec()
}
