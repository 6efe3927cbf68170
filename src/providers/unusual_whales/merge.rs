//! Merge: from parsed blocks, in whatever order the threads finish them, to the days of the import as
//! if one thread had read the file from front to back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use rayon::prelude::*;

use super::blocks::CsvFile;
use super::contracts::{Interner, NamedContract};
use super::day::UwImport;
use super::print::UwPrint;
use crate::providers::account::Account;
use crate::providers::exchange_day::ExchangeDay;

/// What a thread made of a block.
pub(super) struct Parsed {
    /// Place of the block in the order of the file.
    pub number: usize,
    pub worker: usize,
    pub file: Arc<CsvFile>,
    pub is_first: bool,
    pub lines: u64,
    /// Contracts are numbered by the worker.
    pub rows: Vec<UwPrint>,
    pub account: Account,
    /// The worker's contracts since its block before; `None` for those no row is kept of.
    pub contracts: Vec<Option<NamedContract>>,
}

/// Stands for a contract that no row refers to, and for its ticker.
const NO_CONTRACT: (u32, u32) = (u32::MAX, u32::MAX);

/// Vectors that were emptied and may be filled again: fresh memory is slower than it seems.
pub(super) type Spare = Arc<Mutex<Vec<Vec<UwPrint>>>>;

pub(super) struct Merge {
    spare: Spare,
    import: UwImport,
    /// Blocks that came before their turn.
    early: BTreeMap<usize, Parsed>,
    next: usize,
    /// Per worker and its number of a contract the import's, with that of the ticker.
    numbers: Vec<Vec<(u32, u32)>>,
    /// Contracts by symbol and ticker.
    contracts: Interner<()>,
    tickers: Interner<String>,
    key: Vec<u8>,
    day: ExchangeDay,
    days: BTreeMap<NaiveDate, usize>,
    /// Per day and ticker its rows.
    rows: Vec<Vec<Rows>>,
    /// Lines of the file at hand that were merged already.
    lines: u64,
    direction: Direction,
}

/// One ticker's rows of one day.
#[derive(Default)]
struct Rows {
    rows: Vec<UwPrint>,
    /// How many of them are of earlier files.
    before: usize,
}

/// Which way time runs in a file.
#[derive(Default)]
struct Direction {
    last: i64,
    later: u64,
    earlier: u64,
}

impl Merge {
    pub fn new(workers: usize, spare: Spare) -> Merge {
        Merge {
            spare,
            import: UwImport::default(),
            early: BTreeMap::new(),
            next: 0,
            numbers: vec![Vec::new(); workers],
            contracts: Interner::default(),
            tickers: Interner::default(),
            key: Vec::new(),
            day: ExchangeDay::default(),
            days: BTreeMap::new(),
            rows: Vec::new(),
            lines: 0,
            direction: Direction::default(),
        }
    }

    /// Takes a block, in any order.
    pub fn push(&mut self, block: Parsed) {
        self.early.insert(block.number, block);
        while let Some(block) = self.early.remove(&self.next) {
            self.next += 1;
            self.append(block);
        }
    }

    fn append(&mut self, mut block: Parsed) {
        if block.is_first {
            self.end_file();
            let unknown = block.file.columns.unknown.iter().cloned();
            self.import.account.unknown_columns.extend(unknown);
            // The header is line 1.
            self.lines = 1;
        }
        self.import.account.add(block.account, self.lines);
        self.lines += block.lines;
        for contract in block.contracts {
            let numbers = contract.map_or(NO_CONTRACT, |named| self.numbers_of(named));
            self.numbers[block.worker].push(numbers);
        }
        let numbers = &self.numbers[block.worker];
        let mut at = None;
        for mut row in block.rows.drain(..) {
            let ts = row.print.ts;
            self.direction.push(ts.ns());
            let date = self.day.date_of(ts);
            let day = match at {
                Some((known, day)) if known == date => day,
                _ => {
                    let next = self.rows.len();
                    let day = *self.days.entry(date).or_insert(next);
                    if day == next {
                        self.rows.push(Vec::new());
                    }
                    at = Some((date, day));
                    day
                }
            };
            let (contract, ticker) = numbers[row.contract as usize];
            row.contract = contract;
            let ticker = ticker as usize;
            let tickers = &mut self.rows[day];
            if tickers.len() <= ticker {
                tickers.resize_with(ticker + 1, Rows::default);
            }
            tickers[ticker].rows.push(row);
        }
        let mut spare = self.spare.lock().expect("nobody panics while holding it");
        spare.push(block.rows);
    }

    /// The import's numbers of a contract and its ticker.
    fn numbers_of(&mut self, named: NamedContract) -> (u32, u32) {
        self.key.clear();
        for text in [&named.symbol, ",", &named.ticker] {
            self.key.extend_from_slice(text.as_bytes());
        }
        let ticker = named.ticker.as_bytes();
        let ticker = self.tickers.number(ticker, || named.ticker.clone());
        let contracts = &mut self.import.contracts;
        let contract = self.contracts.number(&self.key, || contracts.push(named));
        (contract, ticker)
    }

    /// Turns the rows of the file at hand round when it began with the end of the day.
    fn end_file(&mut self) {
        let direction = std::mem::take(&mut self.direction);
        for rows in self.rows.iter_mut().flatten() {
            if direction.earlier > direction.later {
                rows.rows[rows.before..].reverse();
            }
            rows.before = rows.rows.len();
        }
    }

    /// The import, with what each thread could not make sense of.
    pub fn finish(
        mut self,
        unknown: impl Iterator<Item = BTreeMap<(&'static str, String), u64>>,
    ) -> UwImport {
        debug_assert!(self.early.is_empty(), "every block was given");
        self.end_file();
        for (word, rows) in unknown.flatten() {
            *self.import.unknown.entry(word).or_default() += rows;
        }
        let all = self.rows.par_iter_mut().flatten();
        all.for_each(|Rows { rows, .. }| {
            if !rows.is_sorted_by_key(|row| row.print.ts) {
                // Stable: prints of one time stay in the order of the file.
                rows.sort_by_key(|row| row.print.ts);
            }
        });
        for (date, day) in self.days {
            let tickers = self.tickers.values.iter().cloned();
            let rows = std::mem::take(&mut self.rows[day]).into_iter();
            let day = tickers.zip(rows.map(|rows| rows.rows));
            let day = day.filter(|(_, rows)| !rows.is_empty()).collect();
            self.import.days.insert(date, day);
        }
        self.import
    }
}

impl Direction {
    fn push(&mut self, ns: i64) {
        self.later += u64::from(ns > self.last);
        self.earlier += u64::from(ns < self.last);
        self.last = ns;
    }
}
