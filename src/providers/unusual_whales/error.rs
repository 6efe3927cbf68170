//! What can be wrong with a file as a whole.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum UwError {
    #[error("cannot read {}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file} is damaged or cut off")]
    Damaged {
        file: String,
        source: std::io::Error,
    },
    #[error("{} is not a zip file or damaged", path.display())]
    CorruptZip {
        path: PathBuf,
        source: zip::result::ZipError,
    },
    #[error("{} holds no CSV file", path.display())]
    NoCsv { path: PathBuf, present: Vec<String> },
    #[error("{file} is empty")]
    Empty { file: String },
    #[error("{file}: no column {}", missing.join(", "))]
    MissingColumns {
        file: String,
        missing: Vec<&'static str>,
        present: Vec<String>,
    },
    #[error("{file}: column {column} is there twice")]
    ColumnTwice { file: String, column: String },
    #[error("{file}: a line of more than {bytes} bytes, which no CSV of this kind has")]
    LongLine { file: String, bytes: usize },
}

impl UwError {
    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            UwError::Damaged { .. } | UwError::CorruptZip { .. } => {
                Some("get the file again".to_owned())
            }
            UwError::NoCsv { present, .. } if present.is_empty() => {
                Some("there is nothing in it".to_owned())
            }
            UwError::NoCsv { present, .. } => Some(format!("there is {}", present.join(", "))),
            UwError::MissingColumns { present, .. } => Some(format!(
                "the first line must name the columns; it says {}",
                present.join(", ")
            )),
            _ => None,
        }
    }
}
