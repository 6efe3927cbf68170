//! What can be wrong with a file of the store.

use std::fmt;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// A file and what is wrong with it.
#[derive(Debug)]
pub struct StoreError {
    pub path: PathBuf,
    pub problem: StoreProblem,
}

#[derive(Debug)]
pub enum StoreProblem {
    Io(std::io::Error),
    /// Not a Parquet file from start to end: truncated, overwritten or something else.
    Broken(String),
    /// Whole, but not the bytes that were written.
    Content,
    /// The footer is not the bytes that were written.
    Footer,
    Version {
        got: String,
        expected: String,
    },
    WrongTable {
        got: String,
        expected: String,
    },
    MissingColumn {
        column: String,
    },
    ColumnType {
        column: String,
        got: String,
        expected: String,
    },
    /// A value the schema allows and the table does not.
    BadValue {
        column: String,
        row: u64,
        got: String,
        expected: String,
    },
    NotSorted {
        row: u64,
    },
    ReadOnly,
    /// Another process writes to the store.
    Locked,
}

impl StoreError {
    pub fn new(path: impl AsRef<Path>, problem: StoreProblem) -> StoreError {
        StoreError {
            path: path.as_ref().to_owned(),
            problem,
        }
    }

    pub fn io(path: impl AsRef<Path>, error: std::io::Error) -> StoreError {
        StoreError::new(path, StoreProblem::Io(error))
    }

    pub fn broken(path: impl AsRef<Path>, error: impl fmt::Display) -> StoreError {
        StoreError::new(path, StoreProblem::Broken(error.to_string()))
    }

    /// An error of the Parquet library: the disk's when there is one inside, else the file's.
    pub fn parquet(path: impl AsRef<Path>, error: ParquetError) -> StoreError {
        match error {
            ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(error) => StoreError::io(path, *error),
                Err(error) => StoreError::broken(path, error),
            },
            error => StoreError::broken(path, error),
        }
    }

    /// What to do about it, when there is something.
    pub fn hint(&self) -> Option<String> {
        let path = self.path.display();
        match &self.problem {
            StoreProblem::Io(e) if e.kind() == std::io::ErrorKind::StorageFull => Some(
                "free some space and run the same command again; nothing was left half-written"
                    .into(),
            ),
            StoreProblem::Io(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Some("check the permissions of the folder, or choose another one".into())
            }
            StoreProblem::Io(_) | StoreProblem::ReadOnly => None,
            StoreProblem::Locked => {
                Some("wait until it is done, or choose another folder with --data-dir".into())
            }
            StoreProblem::Version { .. } => Some(format!(
                "another version of flowlab wrote it: use that one, or remove {path} and fetch or import its sessions again"
            )),
            _ => Some(format!(
                "remove {path} and fetch or import its sessions again"
            )),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.problem {
            StoreProblem::Io(error) => write!(f, "{error}"),
            StoreProblem::Broken(reason) => write!(f, "not a whole Parquet file ({reason})"),
            StoreProblem::Content => {
                write!(
                    f,
                    "its rows are not those that were written (the hash differs)"
                )
            }
            StoreProblem::Footer => {
                write!(
                    f,
                    "its footer is not the one that was written (the hash differs)"
                )
            }
            StoreProblem::Version { got, expected } => {
                write!(f, "format version {got}, expected {expected}")
            }
            StoreProblem::WrongTable { got, expected } => {
                write!(f, "holds table {got}, expected {expected}")
            }
            StoreProblem::MissingColumn { column } => write!(f, "column {column} is missing"),
            StoreProblem::ColumnType {
                column,
                got,
                expected,
            } => {
                write!(f, "column {column} is {got}, expected {expected}")
            }
            StoreProblem::BadValue {
                column,
                row,
                got,
                expected,
            } => {
                write!(
                    f,
                    "column {column}, row {row}: got {got}, expected {expected}"
                )
            }
            StoreProblem::NotSorted { row } => {
                write!(f, "row {row} is earlier than the row before it")
            }
            StoreProblem::ReadOnly => write!(f, "the sample cannot be written to"),
            StoreProblem::Locked => write!(f, "another flowlab is writing to it"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}
