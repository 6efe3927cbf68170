//! Groups: from the rows of a sheet to all rows of one ticker at a time, every row accounted for.
//!
//! The vendor sorts by ticker. What is needed of that, and checked, is that the rows of a ticker stand
//! together. Their order in time is not promised, so a ticker's rows are brought into it here, those
//! of equal time in the order of the file.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use xxhash_rust::xxh3::xxh3_128;

use super::error::{BadRow, FlatFileError, RowFault};
use super::sheet::{Row, Sheet};
use crate::time::Ts;

/// Bad rows that are kept to be shown; all are counted.
const SHOWN: usize = 20;
/// Of a wrong field, how much is shown.
const SHOWN_CHARS: usize = 60;

/// The account of a file: `rows` is always `kept` and `skipped` and everything in `bad`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowCounts {
    pub rows: u64,
    /// Rows that became prints or bars.
    pub kept: u64,
    /// Rows of tickers that nobody wanted; nothing but their ticker was looked at.
    pub skipped: u64,
    /// Rows that were left out, by reason.
    pub bad: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
    /// Kept rows that were earlier than the row before them.
    pub out_of_order: u64,
    /// Tickers with kept rows.
    pub tickers: u64,
}

impl RowCounts {
    #[cold]
    fn add_bad(&mut self, file: &str, line: u64, fault: RowFault) {
        *self.bad.entry(fault.reason()).or_default() += 1;
        if self.bad_rows.len() < SHOWN {
            self.bad_rows.push(BadRow {
                file: file.to_owned(),
                line,
                fault,
            });
        }
    }
}

/// What a kind of file has to say about its rows. The first column is the ticker.
pub(super) trait Table<const N: usize> {
    const COLUMNS: [&'static str; N];
    type Row: Copy;
    /// What is known of all rows of a ticker.
    type Head;

    /// Reads a ticker; `None` when its rows are not wanted.
    fn head(&mut self, ticker: &[u8]) -> Result<Option<Self::Head>, RowFault>;

    fn row(&self, fields: &[&[u8]; N]) -> Result<Self::Row, RowFault>;

    fn ts(row: &Self::Row) -> Ts;
}

/// A ticker and its rows.
pub(super) type Group<'a, const N: usize, T> =
    (&'a <T as Table<N>>::Head, &'a [<T as Table<N>>::Row]);

pub(super) struct Groups<const N: usize, T: Table<N>> {
    table: T,
    sheet: Sheet<N>,
    counts: RowCounts,
    /// The ticker being read, as the file writes it.
    ticker: Vec<u8>,
    head: Option<T::Head>,
    /// The head of the row that ended the ticker before, which is read next.
    waiting: Option<Option<T::Head>>,
    rows: Vec<T::Row>,
    is_ordered: bool,
    /// Wanted tickers so far. Of their names only a hash is kept, too long for an accident.
    seen: HashSet<u128>,
}

impl<const N: usize, T: Table<N>> Groups<N, T> {
    pub fn open(
        input: impl Read + Send + 'static,
        file: &str,
        table: T,
    ) -> Result<Groups<N, T>, FlatFileError> {
        Ok(Groups {
            table,
            sheet: Sheet::open(input, file, &T::COLUMNS)?,
            counts: RowCounts::default(),
            ticker: Vec::new(),
            head: None,
            waiting: None,
            rows: Vec::new(),
            is_ordered: true,
            seen: HashSet::new(),
        })
    }

    pub fn counts(&self) -> &RowCounts {
        &self.counts
    }

    /// The next wanted ticker that has a good row, with its rows in order of time.
    pub fn next(&mut self) -> Result<Option<Group<'_, N, T>>, FlatFileError> {
        self.rows.clear();
        self.is_ordered = true;
        while let Some(Row { line, fields }) = self.sheet.next()? {
            let fields = match fields {
                Ok(fields) => fields,
                Err(fault) => {
                    self.counts.rows += 1;
                    self.counts.add_bad(&self.sheet.file, line, fault);
                    continue;
                }
            };
            if *fields[0] != *self.ticker {
                // A ticker that is none does not end the one before.
                let head = match self.waiting.take() {
                    Some(head) => Ok(head),
                    None => self.table.head(fields[0]),
                };
                let head = match head {
                    Ok(head) => head,
                    Err(fault) => {
                        self.counts.rows += 1;
                        self.counts.add_bad(&self.sheet.file, line, fault);
                        continue;
                    }
                };
                if !self.rows.is_empty() {
                    self.waiting = Some(head);
                    self.sheet.unread();
                    break;
                }
                self.ticker.clear();
                self.ticker.extend_from_slice(fields[0]);
                if head.is_some() && !self.seen.insert(xxh3_128(&self.ticker)) {
                    return Err(FlatFileError::NotGrouped {
                        file: self.sheet.file.clone(),
                        line,
                        ticker: shown(&self.ticker),
                    });
                }
                self.head = head;
            }
            self.counts.rows += 1;
            if self.head.is_none() {
                let passed = self.sheet.pass_over(&self.ticker);
                self.counts.rows += passed;
                self.counts.skipped += passed + 1;
                continue;
            }
            match self.table.row(&fields) {
                Ok(row) => {
                    let last = self.rows.last().map(T::ts);
                    if last.is_some_and(|last| T::ts(&row) < last) {
                        self.is_ordered = false;
                        self.counts.out_of_order += 1;
                    }
                    self.rows.push(row);
                }
                Err(fault) => self.counts.add_bad(&self.sheet.file, line, fault),
            }
        }
        if self.rows.is_empty() {
            return Ok(None);
        }
        self.counts.kept += self.rows.len() as u64;
        self.counts.tickers += 1;
        if !self.is_ordered {
            self.rows.sort_by_key(T::ts);
        }
        let head = self.head.as_ref().expect("rows are kept under a ticker");
        Ok(Some((head, &self.rows)))
    }
}

/// The fault of one field.
#[cold]
pub(super) fn fault(column: &'static str, got: &[u8], expected: &'static str) -> RowFault {
    RowFault::Field {
        column,
        got: shown(got),
        expected,
    }
}

/// As much of a field as a message has room for.
pub(super) fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field)
        .chars()
        .take(SHOWN_CHARS)
        .collect()
}
