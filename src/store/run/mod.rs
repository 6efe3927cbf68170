//! A run's folder: signals and trades as Parquet and CSV, the resolved config, the manifest.
//!
//! Rows are appended as tickers finish, into a folder beside the final one, which is synced and
//! renamed at the end: a run is there as a whole or not at all. Nothing in it depends on the machine,
//! the clock or the number of threads, so that the same run gives the same bytes.

mod tables;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::StoreError;
use super::csv::csv_rows;
use super::parquet::{properties, read_plain};
use super::place::sync_folder;
use crate::paper::Trade;
use crate::strategies::Signal;
use tables::{signals_table, trades_table};

/// A run's folder in the making. Dropped before [`RunWriter::finish`], it leaves nothing behind.
pub struct RunWriter {
    runs: PathBuf,
    folder: TempDir,
    signals: TableWriter,
    trades: TableWriter,
}

/// Some signals and trades in the form they are written in; made wherever there is a core to spare.
pub struct EncodedRows {
    signals: Encoded,
    trades: Encoded,
}

impl EncodedRows {
    pub fn new(signals: &[Signal], trades: &[Trade], experiment_id: &str) -> EncodedRows {
        EncodedRows {
            signals: Encoded::new(signals_table(signals, experiment_id)),
            trades: Encoded::new(trades_table(trades)),
        }
    }
}

/// Signals as rows of `signals.csv`.
pub fn signals_csv(signals: &[Signal], experiment_id: &str) -> Vec<u8> {
    csv_rows(&signals_table(signals, experiment_id))
}

/// Trades as rows of `trades.csv`.
pub fn trades_csv(trades: &[Trade]) -> Vec<u8> {
    csv_rows(&trades_table(trades))
}

/// The first line of `signals.csv`.
pub fn signals_csv_header() -> String {
    header(&signals_table(&[], ""))
}

/// The first line of `trades.csv`.
pub fn trades_csv_header() -> String {
    header(&trades_table(&[]))
}

fn header(rows: &RecordBatch) -> String {
    let schema = rows.schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    names.join(",") + "\n"
}

struct Encoded {
    rows: RecordBatch,
    csv: Vec<u8>,
}

impl Encoded {
    fn new(rows: RecordBatch) -> Encoded {
        let csv = csv_rows(&rows);
        Encoded { rows, csv }
    }
}

impl RunWriter {
    /// Begins a run below `runs`.
    pub fn new(runs: &Path) -> Result<RunWriter, StoreError> {
        let io = |e| StoreError::io(runs, e);
        fs::create_dir_all(runs).map_err(io)?;
        let folder = tempfile::Builder::new()
            .prefix(".tmp")
            .tempdir_in(runs)
            .map_err(io)?;
        let called = |e| called(e, folder.path(), runs);
        let signals = TableWriter::new(folder.path(), "signals", &signals_table(&[], ""));
        let trades = TableWriter::new(folder.path(), "trades", &trades_table(&[]));
        Ok(RunWriter {
            runs: runs.to_owned(),
            signals: signals.map_err(called)?,
            trades: trades.map_err(called)?,
            folder,
        })
    }

    /// Appends rows. What is appended in the same order gives the same bytes.
    pub fn append(&mut self, rows: &EncodedRows) -> Result<(), StoreError> {
        let signals = self.signals.append(&rows.signals);
        let both = signals.and_then(|()| self.trades.append(&rows.trades));
        both.map_err(|e| called(e, self.folder.path(), &self.runs))
    }

    /// Adds the resolved config (YAML) and the manifest (JSON), makes all of it durable and puts it
    /// in place as `name`, where it replaces an earlier run. Returns the folder.
    pub fn finish(self, name: &str, config: &str, manifest: &str) -> Result<PathBuf, StoreError> {
        let RunWriter {
            runs,
            folder,
            signals,
            trades,
        } = self;
        let complete = || {
            signals.finish()?;
            trades.finish()?;
            write_text(&folder.path().join("config.yaml"), config)?;
            write_text(&folder.path().join("manifest.json"), manifest)
        };
        complete().map_err(|e| called(e, folder.path(), &runs))?;
        let io = |e| StoreError::io(&runs, e);
        make_enterable(folder.path()).map_err(io)?;
        sync_folder(folder.path()).map_err(io)?;
        let target = runs.join(name);
        replace(folder, &target, &runs).map_err(io)?;
        sync_folder(&runs).map_err(io)?;
        Ok(target)
    }
}

/// Names the file without the temporary folder it was in, which is gone by now.
fn called(mut error: StoreError, temporary: &Path, runs: &Path) -> StoreError {
    if let Ok(file) = error.path.strip_prefix(temporary) {
        error.path = runs.join(file);
    }
    error
}

/// Puts `folder` in the place of `target`. The old run makes way only when the new one is complete,
/// and comes back when that one cannot take its place.
fn replace(folder: TempDir, target: &Path, runs: &Path) -> std::io::Result<()> {
    if !target.exists() {
        fs::rename(folder.path(), target)?;
        let _ = folder.keep();
        return Ok(());
    }
    let old = tempfile::Builder::new().prefix(".old").tempdir_in(runs)?;
    let aside = old.path().join("run");
    fs::rename(target, &aside)?;
    if let Err(e) = fs::rename(folder.path(), target) {
        fs::rename(&aside, target)?;
        return Err(e);
    }
    let _ = folder.keep();
    Ok(())
}

/// One table as Parquet and as CSV.
struct TableWriter {
    path: PathBuf,
    parquet: ArrowWriter<File>,
    csv: BufWriter<File>,
}

impl TableWriter {
    fn new(folder: &Path, name: &str, empty: &RecordBatch) -> Result<TableWriter, StoreError> {
        let path = folder.join(format!("{name}.parquet"));
        let csv_path = folder.join(format!("{name}.csv"));
        let create = |path: &Path| File::create(path).map_err(|e| StoreError::io(path, e));
        let schema = empty.schema();
        let writer =
            ArrowWriter::try_new(create(&path)?, schema.clone(), Some(properties(&schema)));
        let parquet = writer.map_err(|e| StoreError::parquet(&path, e))?;
        let mut csv = BufWriter::with_capacity(1 << 18, create(&csv_path)?);
        csv.write_all(header(empty).as_bytes())
            .map_err(|e| StoreError::io(&csv_path, e))?;
        Ok(TableWriter { path, parquet, csv })
    }

    fn append(&mut self, rows: &Encoded) -> Result<(), StoreError> {
        self.parquet
            .write(&rows.rows)
            .map_err(|e| StoreError::parquet(&self.path, e))?;
        self.csv
            .write_all(&rows.csv)
            .map_err(|e| StoreError::io(self.path.with_extension("csv"), e))
    }

    fn finish(self) -> Result<(), StoreError> {
        let TableWriter { path, parquet, csv } = self;
        let file = parquet
            .into_inner()
            .map_err(|e| StoreError::parquet(&path, e))?;
        file.sync_all().map_err(|e| StoreError::io(&path, e))?;
        let csv_path = path.with_extension("csv");
        let file = csv
            .into_inner()
            .map_err(|e| StoreError::io(&csv_path, e.into_error()))?;
        file.sync_all().map_err(|e| StoreError::io(&csv_path, e))
    }
}

#[cfg(unix)]
fn make_enterable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_enterable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn write_text(path: &Path, text: &str) -> Result<(), StoreError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| StoreError::io(path, e))
}

/// The signals recorded in the run's `folder`.
pub fn read_signals(folder: &Path) -> Result<Vec<RecordBatch>, StoreError> {
    read_plain(
        &folder.join("signals.parquet"),
        &signals_table(&[], "").schema(),
    )
}

/// The trades recorded in the run's `folder`.
pub fn read_trades(folder: &Path) -> Result<Vec<RecordBatch>, StoreError> {
    read_plain(&folder.join("trades.parquet"), &trades_table(&[]).schema())
}
