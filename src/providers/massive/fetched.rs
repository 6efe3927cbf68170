//! What a question came to: the rows, and the account of those that were none.

use std::fmt;

use super::wire::Fault;

/// Of bad rows, as many are kept to be shown; all are counted.
const BAD_ROWS_KEPT: usize = 100;

/// A row that cannot be used, and where it came.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    pub path: String,
    /// From zero, over all pages.
    pub row: u64,
    pub column: &'static str,
    pub got: String,
    pub expected: &'static str,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} row {}: {} is {}, expected {}",
            self.path, self.row, self.column, self.got, self.expected
        )
    }
}

/// What all pages came to. Rows received are always `rows`, `bad` and `repeats` together, but for
/// quotes, of which only those asked for are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched<T> {
    pub rows: Vec<T>,
    /// The first of the bad rows.
    pub bad_rows: Vec<BadRow>,
    /// All of them.
    pub bad: u64,
    /// Rows dropped because the page before had ended with them.
    pub repeats: u64,
    /// Rows that came earlier than the row before them, where the order asked for is that of time.
    pub out_of_order: u64,
    /// Pages.
    pub calls: u64,
}

impl<T> Default for Fetched<T> {
    fn default() -> Fetched<T> {
        Fetched {
            rows: Vec::new(),
            bad_rows: Vec::new(),
            bad: 0,
            repeats: 0,
            out_of_order: 0,
            calls: 0,
        }
    }
}

impl<T> Fetched<T> {
    /// Adds what came after.
    pub(super) fn append(&mut self, mut later: Fetched<T>) {
        self.rows.append(&mut later.rows);
        let room = BAD_ROWS_KEPT.saturating_sub(self.bad_rows.len());
        self.bad_rows.extend(later.bad_rows.into_iter().take(room));
        self.bad += later.bad;
        self.repeats += later.repeats;
        self.out_of_order += later.out_of_order;
        self.calls += later.calls;
    }

    pub(super) fn count_out_of_order<K: Ord>(mut self, key: impl Fn(&T) -> K) -> Fetched<T> {
        let is_back = |pair: &&[T]| key(&pair[1]) < key(&pair[0]);
        self.out_of_order = self.rows.windows(2).filter(is_back).count() as u64;
        self
    }

    pub(super) fn map<U>(self, to: impl FnMut(T) -> U) -> Fetched<U> {
        Fetched {
            rows: self.rows.into_iter().map(to).collect(),
            bad_rows: self.bad_rows,
            bad: self.bad,
            repeats: self.repeats,
            out_of_order: self.out_of_order,
            calls: self.calls,
        }
    }

    pub(super) fn drop_row(&mut self, path: &str, row: u64, fault: Fault) {
        self.bad += 1;
        if self.bad_rows.len() < BAD_ROWS_KEPT {
            self.bad_rows.push(BadRow {
                path: path.to_owned(),
                row,
                column: fault.column,
                got: fault.got,
                expected: fault.expected,
            });
        }
    }
}
