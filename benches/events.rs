//! Events per second, end to end: Parquet in, signals and trades out, beside a program that only reads
//! and sums the same columns of the same files with the same threads.
//!
//! `cargo bench --bench events -- DIR [TICKERS] [ROUNDS] [SESSIONS]`; `benches/README.md` says how DIR
//! is made. With fewer sessions than there are, the last ones are run and nothing is read beside them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type,
};
use flowlab::config::{Config, Sources};
use flowlab::engine::{self, Job, Meter, TickerRows};
use flowlab::store::{EncodedRows, RunWriter, Store, Table};
use flowlab::time::Calendar;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

mod arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the engine decodes of every event, and of every bar.
const FLOW: [&str; 12] = [
    "ts",
    "available_at",
    "seq",
    "contract",
    "notional",
    "side",
    "is_aggressive",
    "is_sweep",
    "is_multi_leg",
    "volume",
    "open_interest",
    "underlying_price",
];
const BARS: [&str; 7] = ["ts", "open", "high", "low", "close", "volume", "vwap"];

fn main() {
    let args = arguments::given();
    let Some(dir) = args.first().map(PathBuf::from) else {
        println!("skipped: name a folder of data, see benches/README.md");
        return;
    };
    let number = |place, usual: usize| arguments::number(&args, place, usual);
    let store = Store::folder(&dir);
    let mut tickers = store.tickers(Table::Flow).expect("the folder is a cache");
    tickers.truncate(number(1, usize::MAX));
    let rounds = number(2, 3);
    let sources = Sources {
        file: None,
        search_dir: dir.clone(),
        set: Vec::new(),
    };
    let config = Config::load(&sources).expect("the defaults are valid");
    let calendar = Calendar::shipped();
    let period = engine::default_period(&store, &calendar, &config, &tickers);
    let mut period = period.expect("readable").expect("there is flow");
    let sessions = calendar.between(period.start, period.end);
    let wanted = number(3, sessions.len()).min(sessions.len());
    period.start = sessions[sessions.len() - wanted].date;
    println!(
        "{} tickers, {} to {} ({} sessions), {} threads",
        tickers.len(),
        period.start,
        period.end,
        calendar.between(period.start, period.end).len(),
        rayon::current_num_threads()
    );
    println!(
        "round  read+sum s  M events/s  engine s  M events/s  ratio  written s  M events/s  signals  peak MB"
    );
    for round in 1..=rounds {
        let read = if wanted == sessions.len() {
            timed(|| read_and_sum(&dir, &tickers)).0
        } else {
            f64::NAN
        };
        let job = Job {
            store: &store,
            calendar: &calendar,
            config: &config,
            tickers: &tickers,
            period,
        };
        let engine = timed(|| run(&job, None));
        let written = timed(|| run(&job, Some(&dir.join("bench-runs"))));
        let events = engine.1.0 as f64 / 1e6;
        println!(
            "{round:>5}  {:>10.2}  {:>10.2}  {:>8.2}  {:>10.2}  {:>5.2}  {:>9.2}  {:>10.2}  {:>7}  {:>7.0}",
            read,
            events / read,
            engine.0,
            events / engine.0,
            engine.0 / read,
            written.0,
            events / written.0,
            engine.1.1,
            peak_mb(),
        );
        std::fs::remove_dir_all(dir.join("bench-runs")).expect("it was written");
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed().as_secs_f64(), result)
}

/// The whole backtest; with a folder also its files. Returns events read and signals given.
fn run(job: &Job, runs: Option<&Path>) -> (u64, u64) {
    let mut signals = 0;
    let id = &job.config.experiment_id;
    let meter = Meter::default();
    let summary = match runs {
        None => engine::run(
            job,
            &meter,
            |rows: TickerRows| rows.signals.len() as u64,
            |rows| {
                signals += rows;
                Ok(())
            },
        ),
        Some(runs) => {
            let mut writer = RunWriter::new(runs).expect("a writable folder");
            let summary = engine::run(
                job,
                &meter,
                |rows: TickerRows| {
                    (
                        rows.signals.len() as u64,
                        EncodedRows::new(&rows.signals, &rows.trades, id),
                    )
                },
                |(count, rows)| {
                    signals += count;
                    writer.append(&rows)
                },
            );
            writer.finish("bench", "", "").expect("a writable folder");
            summary
        }
    };
    let counts = summary.expect("the data is whole").counts;
    (counts.events_read + counts.warmup_events, signals)
}

fn read_and_sum(dir: &Path, tickers: &[String]) -> f64 {
    let sum = |ticker: &String| {
        let mut sum = 0.0;
        for (table, columns) in [("flow", FLOW.as_slice()), ("bars_1m", BARS.as_slice())] {
            let mut files: Vec<PathBuf> = std::fs::read_dir(dir.join(table).join(ticker))
                .expect("the ticker has the table")
                .map(|entry| entry.expect("readable").path())
                .collect();
            files.sort();
            sum += files
                .iter()
                .map(|path| sum_file(path, columns))
                .sum::<f64>();
        }
        sum
    };
    tickers.par_iter().with_max_len(1).map(sum).sum()
}

fn sum_file(path: &Path, columns: &[&str]) -> f64 {
    let bytes = bytes::Bytes::from(std::fs::read(path).expect("readable"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).expect("a Parquet file");
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(16 * 1024)
        .build()
        .expect("its columns");
    let mut sum = 0.0;
    for batch in reader {
        for column in batch.expect("decodes").columns() {
            sum += sum_column(column);
        }
    }
    sum
}

fn sum_column(column: &dyn Array) -> f64 {
    match column.data_type() {
        DataType::Float64 => column.as_primitive::<Float64Type>().values().iter().sum(),
        DataType::Int64 => column
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .sum::<i64>() as f64,
        DataType::UInt32 => column
            .as_primitive::<UInt32Type>()
            .values()
            .iter()
            .map(|n| u64::from(*n))
            .sum::<u64>() as f64,
        DataType::Boolean => column.as_boolean().true_count() as f64,
        DataType::Timestamp(..) => {
            let times = column.as_primitive::<TimestampNanosecondType>();
            times
                .values()
                .iter()
                .fold(0i64, |sum, ts| sum.wrapping_add(*ts)) as f64
        }
        DataType::Dictionary(..) => {
            let keys = column.as_dictionary::<Int32Type>().keys();
            keys.values().iter().map(|key| i64::from(*key)).sum::<i64>() as f64
        }
        other => panic!("no column of type {other} was asked for"),
    }
}

/// The most memory this process ever had, as Linux tells it; NaN elsewhere.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
