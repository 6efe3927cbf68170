//! How to cut the flow table into files: a year of many tickers in four layouts, written, added to by
//! one day, and read for one ticker.
//!
//! `cargo bench --bench store -- [TICKERS] [DAYS] [ROWS]`; rows per ticker and day. Writes to a
//! temporary folder, which it removes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use flowlab::flow::{CallPut, Contract, FlowDetail, FlowEvent, Side, SideQuality, SideSource};
use flowlab::store::FlowTable;
use flowlab::time::{Calendar, Session};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::{RngExt, SeedableRng};

mod arguments;

const MONTH: usize = 21;

/// A way to cut: which days of which tickers share a file.
#[derive(Clone, Copy)]
enum Layout {
    TickerMonth,
    TickerYear,
    TickerDay,
    /// One file a day, a row group per ticker.
    Day,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Layout::TickerMonth => "ticker/month",
            Layout::TickerYear => "ticker",
            Layout::TickerDay => "ticker/day",
            Layout::Day => "day, row group per ticker",
        }
    }

    fn days_per_file(self) -> usize {
        match self {
            Layout::TickerMonth => MONTH,
            Layout::TickerYear => usize::MAX,
            Layout::TickerDay | Layout::Day => 1,
        }
    }

    fn path(self, root: &Path, ticker: usize, day: usize) -> PathBuf {
        match self {
            Layout::Day => root.join(format!("{day}.parquet")),
            _ => root.join(format!("{ticker}/{}.parquet", day / self.days_per_file())),
        }
    }
}

fn main() {
    let args = arguments::given();
    let number = |place, usual: usize| arguments::number(&args, place, usual);
    let (tickers, days, rows) = (number(0, 500), number(1, 250), number(2, 40));
    println!("{tickers} tickers x {days} days x {rows} rows, one thread, page cache warm");
    println!(
        "layout                     files      MB  write s  add a day s  written again MB  one ticker ms"
    );
    let calendar = Calendar::shipped();
    let sessions = calendar.between(
        "2024-01-02".parse().expect("a date"),
        "2026-12-31".parse().expect("a date"),
    );
    for layout in [
        Layout::TickerMonth,
        Layout::TickerYear,
        Layout::Day,
        Layout::TickerDay,
    ] {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (write, ()) =
            timed(|| write_all(layout, root.path(), tickers, &sessions[..days], rows));
        let (files, bytes) = size(root.path());
        let (add, again) =
            timed(|| add_day(layout, root.path(), tickers, days, &sessions[days], rows));
        let (read, count) = timed(|| read_ticker(layout, root.path(), tickers / 2, days + 1));
        assert_eq!(count, rows * (days + 1), "every row is read back");
        println!(
            "{:<25}  {files:>5}  {:>6.1}  {write:>7.2}  {add:>11.2}  {:>16.1}  {:>13.1}",
            layout.name(),
            bytes as f64 / 1e6,
            again as f64 / 1e6,
            read * 1e3
        );
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed().as_secs_f64(), result)
}

/// Made-up events of one ticker and session; the same ones whenever asked.
fn batch(ticker: usize, session: &Session, rows: usize) -> RecordBatch {
    let mut rng =
        rand_pcg::Pcg64Mcg::seed_from_u64((ticker as u64) << 32 | session.open.ns() as u64 >> 32);
    let name = format!("T{ticker:03}");
    let symbols: Vec<(Contract, String)> = (0..40)
        .map(|n| {
            let contract = Contract {
                root: name.clone(),
                expiry: session.date,
                call_put: if n % 2 == 0 {
                    CallPut::Call
                } else {
                    CallPut::Put
                },
                strike: 100.0 + f64::from(n),
            };
            let symbol = contract.symbol();
            (contract, symbol)
        })
        .collect();
    let mut table = FlowTable::default();
    for row in 0..rows {
        let (contract, symbol) = &symbols[rng.random_range(0..symbols.len())];
        let price = f64::from(rng.random_range(50..2000)) / 100.0;
        let contracts = rng.random_range(10..2000);
        let ts = session.open.plus_seconds((row * 23_000 / rows) as i64);
        let event = FlowEvent {
            ts,
            available_at: ts.plus_ns(250_000_000),
            seq: row as u32,
            ticker: &name,
            contract: symbol,
            call_put: contract.call_put,
            strike: contract.strike,
            expiry: contract.expiry,
            notional: price * contracts as f64 * 100.0,
            side: Side::Buy,
            is_aggressive: rng.random_bool(0.5),
            is_sweep: rng.random_bool(0.1),
            is_multi_leg: rng.random_bool(0.1),
            volume: rng.random_range(1..10_000),
            open_interest: Some(rng.random_range(1..10_000)),
            underlying_price: Some(100.0 + f64::from(rng.random_range(0..1000)) / 100.0),
        };
        let detail = FlowDetail {
            price,
            contracts,
            bid: Some(price - 0.01),
            ask: Some(price + 0.01),
            side_source: SideSource::Quote,
            side_quality: SideQuality::Firm,
            has_iso: false,
            is_block: false,
            is_extended: false,
            prints: 1,
            exchanges: 1,
            iv: Some(rng.random_range(0.1..0.9)),
            delta: Some(rng.random_range(0.0..1.0)),
            conditions: vec![209],
            cancelled_at: None,
            cancelled_contracts: 0,
            source: "bench".to_owned(),
        };
        table.push(&event, &detail);
    }
    table.finish()
}

fn write_all(layout: Layout, root: &Path, tickers: usize, sessions: &[Session], rows: usize) {
    if let Layout::Day = layout {
        for (day, session) in sessions.iter().enumerate() {
            let groups: Vec<RecordBatch> = (0..tickers)
                .map(|ticker| batch(ticker, session, rows))
                .collect();
            write(&layout.path(root, 0, day), &groups, true);
        }
        return;
    }
    for ticker in 0..tickers {
        let per_file = layout.days_per_file().min(sessions.len());
        for (chunk, sessions) in sessions.chunks(per_file).enumerate() {
            let batches: Vec<RecordBatch> = sessions
                .iter()
                .map(|session| batch(ticker, session, rows))
                .collect();
            write(
                &layout.path(root, ticker, chunk * per_file),
                &batches,
                false,
            );
        }
    }
}

/// Adds one day to what is there and returns how many bytes that wrote.
fn add_day(
    layout: Layout,
    root: &Path,
    tickers: usize,
    day: usize,
    session: &Session,
    rows: usize,
) -> u64 {
    if let Layout::Day = layout {
        let groups: Vec<RecordBatch> = (0..tickers)
            .map(|ticker| batch(ticker, session, rows))
            .collect();
        return write(&layout.path(root, 0, day), &groups, true);
    }
    let add = |ticker: usize| {
        let path = layout.path(root, ticker, day);
        let mut batches = if path.exists() {
            read(&path, None)
        } else {
            Vec::new()
        };
        batches.push(batch(ticker, session, rows));
        write(&path, &batches, false)
    };
    (0..tickers).map(add).sum()
}

fn read_ticker(layout: Layout, root: &Path, ticker: usize, days: usize) -> usize {
    let group = matches!(layout, Layout::Day).then_some(ticker);
    let mut paths: Vec<PathBuf> = (0..days)
        .map(|day| layout.path(root, ticker, day))
        .collect();
    paths.dedup();
    paths
        .iter()
        .flat_map(|path| read(path, group))
        .map(|rows| rows.num_rows())
        .sum()
}

fn write(path: &Path, batches: &[RecordBatch], group_each: bool) -> u64 {
    std::fs::create_dir_all(path.parent().expect("below the root")).expect("writable");
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).expect("a level"));
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let schema = batches[0].schema();
    let file = File::create(path).expect("writable");
    let mut writer =
        ArrowWriter::try_new(file, schema.clone(), Some(properties)).expect("a schema");
    if group_each {
        for rows in batches {
            writer
                .write(rows)
                .and_then(|()| writer.flush())
                .expect("writable");
        }
    } else {
        writer
            .write(&concat_batches(&schema, batches).expect("one schema"))
            .expect("writable");
    }
    writer.close().expect("writable");
    path.metadata().expect("written").len()
}

fn read(path: &Path, group: Option<usize>) -> Vec<RecordBatch> {
    let bytes = Bytes::from(std::fs::read(path).expect("readable"));
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes).expect("a Parquet file");
    if let Some(group) = group {
        builder = builder.with_row_groups(vec![group]);
    }
    builder
        .build()
        .expect("its columns")
        .map(|rows| rows.expect("decodes"))
        .collect()
}

fn size(root: &Path) -> (usize, u64) {
    let mut found = (0, 0);
    for entry in std::fs::read_dir(root).expect("readable") {
        let entry = entry.expect("readable");
        let (files, bytes) = match entry.path().is_dir() {
            true => size(&entry.path()),
            false => (1, entry.metadata().expect("readable").len()),
        };
        found = (found.0 + files, found.1 + bytes);
    }
    found
}
