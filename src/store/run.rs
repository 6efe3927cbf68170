//! A run's folder: signals and trades as Parquet and CSV, the resolved config, the manifest.
//!
//! Rows are appended as tickers finish, into a folder beside the final one, which is synced and renamed
//! at the end: a run is there as a whole or not at all. Nothing in it depends on the machine, the clock or the number of threads,
//! so that the same run gives the same bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampNanosecondArray, UInt32Array,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int32Type, Int64Type, Schema,
    TimestampNanosecondType, UInt32Type,
};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::StoreError;
use super::parquet::{date_from_days, days_since_epoch, properties, read_plain, sync_folder};
use crate::flow::FlowDetail;
use crate::paper::Trade;
use crate::strategies::Signal;
use crate::time::Ts;

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
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        writeln!(csv, "{}", names.join(",")).map_err(|e| StoreError::io(&csv_path, e))?;
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

/// Columns in the making: a name, a type and a way to read a row, one after the other.
struct Columns<'a, T> {
    rows: &'a [T],
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl<'a, T> Columns<'a, T> {
    fn of(rows: &'a [T]) -> Columns<'a, T> {
        Columns {
            rows,
            fields: Vec::new(),
            arrays: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, nullable: bool, array: ArrayRef) {
        self.fields
            .push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    fn text(&mut self, name: &str, get: impl Fn(&T) -> String) {
        self.add(
            name,
            false,
            Arc::new(StringArray::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn name(&mut self, name: &str, get: impl Fn(&T) -> &str) {
        let array = StringArray::from_iter_values(self.rows.iter().map(get));
        self.add(name, false, Arc::new(array));
    }

    fn text_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<&'static str>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<StringArray>()),
        );
    }

    fn float(&mut self, name: &str, get: impl Fn(&T) -> f64) {
        self.add(
            name,
            false,
            Arc::new(Float64Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn float_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<f64>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<Float64Array>()),
        );
    }

    fn int(&mut self, name: &str, get: impl Fn(&T) -> i64) {
        self.add(
            name,
            false,
            Arc::new(Int64Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn int_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<i64>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<Int64Array>()),
        );
    }

    fn days(&mut self, name: &str, get: impl Fn(&T) -> i32) {
        self.add(
            name,
            false,
            Arc::new(Int32Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn count(&mut self, name: &str, get: impl Fn(&T) -> u32) {
        self.add(
            name,
            false,
            Arc::new(UInt32Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn flag(&mut self, name: &str, get: impl Fn(&T) -> bool) {
        let array: BooleanArray = self.rows.iter().map(|row| Some(get(row))).collect();
        self.add(name, false, Arc::new(array));
    }

    fn flag_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<bool>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<BooleanArray>()),
        );
    }

    fn ts(&mut self, name: &str, get: impl Fn(&T) -> Ts) {
        let array =
            TimestampNanosecondArray::from_iter_values(self.rows.iter().map(|row| get(row).ns()));
        self.add(name, false, Arc::new(array.with_timezone("UTC")));
    }

    fn ts_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<Ts>) {
        let array: TimestampNanosecondArray =
            self.rows.iter().map(|row| get(row).map(Ts::ns)).collect();
        self.add(name, true, Arc::new(array.with_timezone("UTC")));
    }

    fn date(&mut self, name: &str, get: impl Fn(&T) -> NaiveDate) {
        let array =
            Date32Array::from_iter_values(self.rows.iter().map(|row| days_since_epoch(get(row))));
        self.add(name, false, Arc::new(array));
    }

    fn finish(self) -> RecordBatch {
        let schema = Arc::new(Schema::new(self.fields));
        RecordBatch::try_new(schema, self.arrays).expect("every column has a value per row")
    }
}

/// The signals table: the decision, the event's columns, the context's columns.
fn signals_table(rows: &[Signal], experiment_id: &str) -> RecordBatch {
    let mut columns = Columns::of(rows);
    columns.text("signal_id", |s| hex(s.signal_id));
    columns.ts("ts", |s| s.ts);
    columns.ts("available_at", |s| s.available_at);
    columns.name("ticker", |s| &s.ticker);
    columns.name("kind", |s| s.kind.as_str());
    columns.name("call_put", |s| s.call_put.as_str());
    columns.name("direction", |s| s.direction.as_str());
    columns.float("strength", |s| s.strength);
    columns.text("tags", |s| s.tags.to_string());
    columns.name("rules", |s| &s.rules);
    event_columns(&mut columns);
    context_columns(&mut columns);
    columns.float_or_null("persistent_notional", |s| s.persistent_notional);
    columns.text("regime", |s| {
        format!("{}/{}", s.context.regime_trend, s.context.regime_volatility)
    });
    columns.text("experiment_id", |_| experiment_id.to_owned());
    columns.finish()
}

fn event_columns(columns: &mut Columns<Signal>) {
    fn detail(signal: &Signal) -> &FlowDetail {
        signal
            .detail
            .as_ref()
            .expect("a signal is recorded with its whole event")
    }
    columns.count("seq", |s| s.seq);
    columns.name("contract", |s| &s.contract);
    columns.float("strike", |s| s.strike);
    columns.date("expiry", |s| s.expiry);
    columns.float("price", |s| detail(s).price);
    columns.int("contracts", |s| detail(s).contracts);
    columns.float("notional", |s| s.notional);
    columns.float_or_null("bid", |s| detail(s).bid);
    columns.float_or_null("ask", |s| detail(s).ask);
    columns.name("side", |s| s.side.as_str());
    columns.name("side_source", |s| detail(s).side_source.as_str());
    columns.name("side_quality", |s| detail(s).side_quality.as_str());
    columns.flag("is_aggressive", |s| s.is_aggressive);
    columns.flag("is_sweep", |s| s.is_sweep);
    columns.flag("has_iso", |s| detail(s).has_iso);
    columns.flag("is_block", |s| detail(s).is_block);
    columns.flag("is_multi_leg", |s| s.is_multi_leg);
    columns.flag("is_extended", |s| detail(s).is_extended);
    columns.count("prints", |s| detail(s).prints);
    columns.count("exchanges", |s| detail(s).exchanges);
    columns.int("volume", |s| s.volume);
    columns.int_or_null("open_interest", |s| s.open_interest);
    columns.float_or_null("iv", |s| detail(s).iv);
    columns.float_or_null("delta", |s| detail(s).delta);
    columns.float_or_null("underlying_price", |s| s.underlying_price);
    columns.text("conditions", |s| {
        let codes: Vec<String> = detail(s).conditions.iter().map(i16::to_string).collect();
        codes.join("|")
    });
    columns.ts_or_null("cancelled_at", |s| detail(s).cancelled_at);
    columns.int("cancelled_contracts", |s| detail(s).cancelled_contracts);
    columns.name("source", |s| &detail(s).source);
}

fn context_columns(columns: &mut Columns<Signal>) {
    columns.days("dte", |s| s.context.dte);
    columns.float_or_null("spot", |s| s.context.spot);
    columns.float_or_null("otm_pct", |s| s.context.otm_pct);
    columns.float_or_null("vwap", |s| s.context.vwap);
    columns.flag_or_null("above_vwap", |s| s.context.above_vwap());
    columns.flag_or_null("below_vwap", |s| s.context.below_vwap());
    columns.float_or_null("rvol", |s| s.context.rvol);
    columns.text_or_null("trend_1m", |s| {
        s.context.trend_1m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_5m", |s| {
        s.context.trend_5m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_15m", |s| {
        s.context.trend_15m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_daily", |s| {
        s.context.trend_daily.map(|trend| trend.as_str())
    });
    columns.float_or_null("prior_high", |s| s.context.prior_high);
    columns.float_or_null("prior_low", |s| s.context.prior_low);
    columns.float_or_null("or_high", |s| s.context.or_high);
    columns.float_or_null("or_low", |s| s.context.or_low);
    columns.float_or_null("high_30", |s| s.context.high_30);
    columns.float_or_null("low_30", |s| s.context.low_30);
    columns.flag_or_null("breaking_up", |s| s.context.breaking_up);
    columns.flag_or_null("breaking_down", |s| s.context.breaking_down);
    columns.float_or_null("day_high", |s| s.context.day_high);
    columns.float_or_null("day_low", |s| s.context.day_low);
    columns.float_or_null("prev_close", |s| s.context.prev_close);
    columns.float_or_null("last_close", |s| s.context.last_close);
    columns.name("regime_trend", |s| s.context.regime_trend.as_str());
    columns.name("regime_volatility", |s| {
        s.context.regime_volatility.as_str()
    });
}

/// The trades table.
fn trades_table(rows: &[Trade]) -> RecordBatch {
    let mut columns = Columns::of(rows);
    columns.text("position_id", |t| hex(t.position_id));
    columns.text("signal_id", |t| hex(t.signal_id));
    columns.name("ticker", |t| &t.ticker);
    columns.name("contract", |t| &t.contract);
    columns.ts("ts", |t| t.ts);
    columns.count("seq", |t| t.seq);
    columns.name("kind", |t| t.kind.as_str());
    columns.name("side", |t| t.side.as_str());
    columns.name("direction", |t| t.direction.as_str());
    columns.ts("opened_at", |t| t.opened_at);
    columns.float("entry_price", |t| t.entry_price);
    columns.ts_or_null("closed_at", |t| t.closed_at);
    columns.float("exit_price", |t| t.exit_price);
    columns.name("outcome", |t| t.outcome.as_str());
    columns.float("tp_pct", |t| t.tp_pct);
    columns.float("sl_pct", |t| t.sl_pct);
    columns.int("max_hold_seconds", |t| t.max_hold_seconds);
    columns.float("pnl_pct_gross", |t| t.pnl_pct_gross);
    columns.float("pnl_pct_net", |t| t.pnl_pct_net);
    columns.float("mfe_pct", |t| t.mfe_pct);
    columns.float("mae_pct", |t| t.mae_pct);
    columns.count("bars_held", |t| t.bars_held);
    columns.flag("ambiguous", |t| t.ambiguous);
    columns.float("best_case_pnl_pct", |t| t.best_case_pnl_pct);
    columns.finish()
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
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

/// Rows as CSV: numbers in their shortest exact form, times in RFC 3339, null empty.
fn csv_rows(rows: &RecordBatch) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(rows.num_rows() * 512));
    let mut cell = String::new();
    for row in 0..rows.num_rows() {
        for column in rows.columns() {
            cell.clear();
            if column.is_valid(row) {
                write_cell(&mut cell, column, row);
            }
            writer.write_field(&cell).expect(INTO_MEMORY);
        }
        writer.write_record(None::<&[u8]>).expect(INTO_MEMORY);
    }
    writer.into_inner().expect(INTO_MEMORY)
}

fn write_cell(cell: &mut String, column: &ArrayRef, row: usize) {
    use std::fmt::Write;
    match column.data_type() {
        DataType::Utf8 => cell.push_str(column.as_string::<i32>().value(row)),
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            cell.push_str(zmij::Buffer::new().format(value));
        }
        DataType::Int64 => {
            write!(cell, "{}", column.as_primitive::<Int64Type>().value(row)).expect(INTO_STRING)
        }
        DataType::Int32 => {
            write!(cell, "{}", column.as_primitive::<Int32Type>().value(row)).expect(INTO_STRING)
        }
        DataType::UInt32 => {
            write!(cell, "{}", column.as_primitive::<UInt32Type>().value(row)).expect(INTO_STRING)
        }
        DataType::Boolean => cell.push_str(if column.as_boolean().value(row) {
            "true"
        } else {
            "false"
        }),
        DataType::Date32 => {
            let date = date_from_days(column.as_primitive::<Date32Type>().value(row));
            write!(cell, "{}", date.expect("written from a date")).expect(INTO_STRING);
        }
        DataType::Timestamp(..) => {
            let ts = Ts::from_ns(column.as_primitive::<TimestampNanosecondType>().value(row));
            write!(cell, "{ts}").expect(INTO_STRING);
        }
        other => unreachable!("a run's tables have no column of type {other}"),
    }
}

const INTO_STRING: &str = "writing to a string cannot fail";
const INTO_MEMORY: &str = "writing to memory cannot fail";
