//! A day: from a file to the prints of every ticker, read by several threads in the order of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;

use super::blocks::{BLOCK_BYTES, Block, cut};
use super::contracts::NamedContract;
use super::error::UwError;
use super::merge::{Merge, Parsed, Spare};
use super::print::UwPrint;
use super::row::{Row, RowReader};
use super::scan::scan;
use super::source::each_csv;
use crate::providers::account::Account;

/// Told how many more bytes of the file on disk were read.
pub type Progress<'a> = dyn Fn(u64) + Sync + 'a;

/// The prints of an exchange day by ticker, each ticker's in order of time. Prints of one time keep the
/// order in which they happened, also in files that begin with the end of the day.
pub type Day = BTreeMap<String, Vec<UwPrint>>;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct UwImport {
    /// In order of their first appearance.
    pub contracts: Vec<NamedContract>,
    /// A file is of one day, with some rows of another now and then.
    pub days: BTreeMap<NaiveDate, Day>,
    pub account: Account,
    /// Words in `side`, `exchange`, `report_flags` and `upstream_condition_detail` that mean nothing
    /// known here, by column. Their rows are kept.
    pub unknown: BTreeMap<(&'static str, String), u64>,
}

/// Reads the file at `path`: a CSV, gzipped or not, or a zip of some. `tickers` are those whose rows are
/// kept, all of them when `None`; rows of others are counted as `other_ticker`. Those of adjusted
/// contracts, which deliver something else than plain shares, are left out as `adjusted`.
pub fn read(
    path: &Path,
    tickers: Option<&BTreeSet<String>>,
    progress: &Progress,
) -> Result<UwImport, UwError> {
    let threads = rayon::current_num_threads();
    read_in_blocks(path, tickers, progress, threads, BLOCK_BYTES)
}

pub(super) fn read_in_blocks(
    path: &Path,
    tickers: Option<&BTreeSet<String>>,
    progress: &Progress,
    threads: usize,
    block_bytes: usize,
) -> Result<UwImport, UwError> {
    let (blocks, waiting) = mpsc::sync_channel(2 * threads);
    // The parsing threads alone hold the other end: should they all end early, sending fails.
    let waiting = Arc::new(Mutex::new(waiting));
    let (parsed, done) = mpsc::sync_channel(2 * threads);
    let (used, spare) = mpsc::channel();
    let spare_rows = Spare::default();
    std::thread::scope(|scope| {
        let reading =
            scope.spawn(move || send_blocks(path, progress, block_bytes, &spare, &blocks));
        let mut parsing = Vec::new();
        for worker in 0..threads {
            let worker = Worker {
                number: worker,
                waiting: waiting.clone(),
                parsed: parsed.clone(),
                used: used.clone(),
                spare_rows: spare_rows.clone(),
            };
            parsing.push(scope.spawn(move || worker.run(tickers)));
        }
        drop((waiting, parsed, used));
        let mut merge = Merge::new(threads, spare_rows);
        for block in done {
            merge.push(block);
        }
        let unknown = parsing
            .into_iter()
            .map(|thread| thread.join().expect(NO_PANIC));
        let import = merge.finish(unknown);
        reading.join().expect(NO_PANIC).map(|()| import)
    })
}

const NO_PANIC: &str = "a thread ends by itself unless there is a bug in it";

/// Numbers the blocks of all files and hands them out.
fn send_blocks(
    path: &Path,
    progress: &Progress,
    block_bytes: usize,
    spare: &Receiver<Vec<u8>>,
    blocks: &SyncSender<(usize, Block)>,
) -> Result<(), UwError> {
    let mut number = 0;
    each_csv(path, progress, |name, stream| {
        let lend = || spare.try_recv().unwrap_or_default();
        cut(name, stream, block_bytes, lend, |block| {
            number += 1;
            blocks.send((number - 1, block)).is_ok()
        })
    })
}

/// One of the threads that parse.
struct Worker {
    number: usize,
    waiting: Arc<Mutex<Receiver<(usize, Block)>>>,
    parsed: SyncSender<Parsed>,
    used: Sender<Vec<u8>>,
    spare_rows: Spare,
}

impl Worker {
    /// Parses blocks until there are none. Returns the unknown words it met.
    fn run(self, tickers: Option<&BTreeSet<String>>) -> BTreeMap<(&'static str, String), u64> {
        let mut reader = RowReader::new(tickers);
        loop {
            let next = self.waiting.lock().expect(NO_PANIC).recv();
            let Ok((number, block)) = next else {
                return reader.unknown;
            };
            let spare = self.spare_rows.lock().expect(NO_PANIC).pop();
            let mut rows = spare.unwrap_or_default();
            let (account, lines) = parse(&mut reader, &block, &mut rows);
            let parsed = Parsed {
                number,
                worker: self.number,
                file: block.file,
                is_first: block.is_first,
                lines,
                rows,
                account,
                contracts: std::mem::take(&mut reader.new_contracts),
            };
            // Nobody listens any more only when something has failed already.
            let _ = self.used.send(block.bytes);
            if self.parsed.send(parsed).is_err() {
                return reader.unknown;
            }
        }
    }
}

/// Reads a block into `rows`. Returns their account, its lines counted from the block's first, and how
/// many lines there are.
fn parse(reader: &mut RowReader, block: &Block, rows: &mut Vec<UwPrint>) -> (Account, u64) {
    let mut account = Account::default();
    let lines = scan(&block.bytes, &block.file.columns, |line, record| {
        account.read += 1;
        match record.and_then(|record| reader.read(record)) {
            Ok(Row::Print(print)) => rows.push(print),
            Ok(Row::LeftOut(reason)) => account.drop_row(reason),
            Err(fault) => account.bad_row(&block.file.name, line, fault),
        }
    });
    account.kept = rows.len() as u64;
    (account, lines)
}
