//! The account of an import: rows read, kept and dropped by reason; the first bad ones by file and line.

use std::collections::{BTreeMap, BTreeSet};

/// Bad rows that are named one by one; all of them are counted.
const NAMED: usize = 20;

/// What became of the rows of some files: `read` is always `kept` plus everything in `dropped`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    pub read: u64,
    pub kept: u64,
    /// Why rows did not come in, and how many.
    pub dropped: BTreeMap<&'static str, u64>,
    /// The first of the rows that are not what they should be, in order of file and line.
    pub bad_rows: Vec<BadRow>,
    /// Columns nobody knows. They do no harm, and one of them may be a misspelt one.
    pub unknown_columns: BTreeSet<String>,
}

/// A row that was left out, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// The file, for a zip followed by the file inside it.
    pub file: String,
    /// The line of a text, the row of a Parquet file, both from 1.
    pub line: u64,
    pub fault: RowFault,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RowFault {
    #[error("{got} columns, expected {expected}")]
    Columns { got: usize, expected: usize },
    #[error("a quoted field does not end in its line")]
    OpenQuote,
    #[error("column {column}: got {got:?}, expected {expected}")]
    Field {
        /// The name under which such rows are counted.
        reason: &'static str,
        column: &'static str,
        got: String,
        expected: &'static str,
    },
    #[error("columns {columns}: {got} is there already, at {first}")]
    Twice {
        columns: &'static str,
        got: String,
        /// File and line of the row that stays.
        first: String,
    },
}

impl RowFault {
    /// The name under which the row is counted.
    pub fn reason(&self) -> &'static str {
        match self {
            RowFault::Columns { .. } => "columns",
            RowFault::OpenQuote => "open_quote",
            RowFault::Field { reason, .. } => reason,
            RowFault::Twice { .. } => "twice",
        }
    }
}

impl Account {
    pub fn drop_row(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    /// Counts a bad row, and names it when it is among the first.
    pub fn bad_row(&mut self, file: &str, line: u64, fault: RowFault) {
        self.drop_row(fault.reason());
        if self.bad_rows.len() < NAMED {
            let file = file.to_owned();
            self.bad_rows.push(BadRow { file, line, fault });
        }
    }

    /// Adds the account of what follows, whose lines are counted from behind `lines_before`.
    pub fn add(&mut self, later: Account, lines_before: u64) {
        self.read += later.read;
        self.kept += later.kept;
        for (reason, rows) in later.dropped {
            *self.dropped.entry(reason).or_default() += rows;
        }
        let room = NAMED - self.bad_rows.len();
        self.bad_rows
            .extend(later.bad_rows.into_iter().take(room).map(|bad| BadRow {
                line: bad.line + lines_before,
                ..bad
            }));
        self.unknown_columns.extend(later.unknown_columns);
    }

    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.read == self.kept + self.dropped.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bad_rows_are_counted_and_the_first_are_named() {
        let mut account = Account::default();
        for line in 1..=50 {
            account.bad_row("day.csv", line, RowFault::OpenQuote);
        }
        account.read = 50;
        assert_eq!(account.dropped["open_quote"], 50);
        assert_eq!(account.bad_rows.len(), 20);
        assert_eq!(account.bad_rows[19].line, 20);
        assert!(account.adds_up());
    }

    #[test]
    fn a_fault_says_column_got_and_expected() {
        let fault = RowFault::Field {
            reason: "bad_price",
            column: "price",
            got: "abc".into(),
            expected: "a price above zero",
        };
        assert_eq!(
            fault.to_string(),
            "column price: got \"abc\", expected a price above zero"
        );
    }
}
