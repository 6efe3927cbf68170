//! What can be wrong with a file as a whole.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error("cannot read {}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: not a whole Parquet file", path.display())]
    NotParquet {
        path: PathBuf,
        source: ::parquet::errors::ParquetError,
    },
    #[error("{} holds no file that ends in {endings}", path.display())]
    NoFiles {
        path: PathBuf,
        endings: &'static str,
    },
    #[error("{}: no column {}, which table {table} needs", path.display(), missing.join(", "))]
    MissingColumns {
        path: PathBuf,
        table: &'static str,
        missing: Vec<&'static str>,
        present: Vec<String>,
    },
    #[error("{}: column {column} is there twice", path.display())]
    ColumnTwice { path: PathBuf, column: String },
    #[error("{}: column {column} is {got}, expected {expected}", path.display())]
    ColumnType {
        path: PathBuf,
        column: &'static str,
        got: String,
        expected: &'static str,
    },
}

impl TablesError {
    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TablesError::MissingColumns { present, .. } if present.is_empty() => {
                Some("the first line must name the columns; the file is empty".to_owned())
            }
            TablesError::MissingColumns { present, .. } => {
                Some(format!("it has {}", present.join(", ")))
            }
            TablesError::NotParquet { .. } => Some("write the file again".to_owned()),
            TablesError::NoFiles { .. } => Some("give a file, or a folder with some".to_owned()),
            _ => None,
        }
    }
}
