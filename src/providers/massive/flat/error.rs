//! What can be wrong with a flat file: with the whole of it, or with one row.

use std::fmt;
use std::io::{self, ErrorKind};

use chrono::NaiveDate;

use super::s3_error::S3Error;
use crate::flow::OccError;

/// The file cannot be used. What was read of it before must be dropped.
#[derive(Debug, thiserror::Error)]
pub enum FlatFileError {
    #[error(transparent)]
    Download(#[from] S3Error),
    #[error("{file} is damaged or not complete")]
    Damaged { file: String, source: io::Error },
    #[error("cannot read {file}")]
    Io { file: String, source: io::Error },
    #[error("{file}: no column {column}, there is {}", if present.is_empty() { "nothing" } else { present })]
    MissingColumn {
        file: String,
        column: &'static str,
        present: String,
    },
    #[error("{file}:{line}: {ticker} comes back after others, expected all its rows together")]
    NotGrouped {
        file: String,
        line: u64,
        ticker: String,
    },
}

impl FlatFileError {
    /// What an error while reading says about `file`: the download failed, or its bytes are wrong.
    pub(super) fn reading(file: &str, error: io::Error) -> FlatFileError {
        let file = file.to_owned();
        let inside = error.get_ref().and_then(|inner| inner.downcast_ref());
        if let Some(download) = inside {
            return FlatFileError::Download(S3Error::clone(download));
        }
        match error.kind() {
            // What the inflater says of wrong bytes.
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                FlatFileError::Damaged {
                    file,
                    source: error,
                }
            }
            _ => FlatFileError::Io {
                file,
                source: error,
            },
        }
    }

    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            FlatFileError::Download(error) => error.hint(),
            FlatFileError::Damaged { .. } => {
                Some("get the file again: its checksum says that bytes are wrong or missing".into())
            }
            FlatFileError::Io { .. } => None,
            FlatFileError::MissingColumn { .. } => Some(
                "the first line of a flat file names its columns; is this one of another kind?"
                    .into(),
            ),
            FlatFileError::NotGrouped { .. } => Some(
                "the vendor's files are sorted by ticker; sort the lines below the header".into(),
            ),
        }
    }
}

/// A row that was left out, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    pub file: String,
    pub line: u64,
    pub fault: RowFault,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.fault)
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RowFault {
    #[error("{got} columns, expected {expected}")]
    Columns { got: usize, expected: usize },
    #[error("column {column}: got {got:?}, expected {expected}")]
    Field {
        column: &'static str,
        got: String,
        expected: &'static str,
    },
    #[error("column ticker: {0}")]
    Symbol(OccError),
    #[error("column {column}: {got} is not on {expected} in New York")]
    OtherDay {
        column: &'static str,
        got: String,
        expected: NaiveDate,
    },
}

impl RowFault {
    /// The name under which such rows are counted.
    pub fn reason(&self) -> &'static str {
        match self {
            RowFault::Columns { .. } => "columns",
            RowFault::Field { column, .. } => column,
            RowFault::Symbol(_) => "ticker",
            RowFault::OtherDay { .. } => "other_day",
        }
    }
}
