//! Files: from what was named on the command line to the files to read, in order.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::TablesError;
use crate::store::Table;

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Parquet,
}

impl Format {
    /// What the `source` column says of rows that do not say it themselves.
    pub const fn source(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }

    const fn endings(self) -> (&'static [&'static str], &'static str) {
        match self {
            Format::Csv => (&[".csv", ".csv.gz"], ".csv or .csv.gz"),
            Format::Parquet => (&[".parquet"], ".parquet"),
        }
    }
}

/// `path` itself, or the files of the format in and below a folder, in order of path. In a folder that
/// has one of the table's name, such as an exported store, only what is in there.
pub fn files_in(path: &Path, format: Format, table: Table) -> Result<Vec<PathBuf>, TablesError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let own = path.join(table.name());
    let folder = if own.is_dir() { own.as_path() } else { path };
    let (endings, said) = format.endings();
    let mut files = Vec::new();
    collect(folder, endings, &mut files)?;
    if files.is_empty() {
        return Err(TablesError::NoFiles {
            path: folder.to_owned(),
            endings: said,
        });
    }
    Ok(files)
}

fn collect(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> Result<(), TablesError> {
    let failed = |source| TablesError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        entries.push((entry.path(), entry.file_type().map_err(failed)?.is_dir()));
    }
    entries.sort_unstable();
    for (path, is_dir) in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        if name.starts_with('.') {
            continue;
        } else if is_dir {
            collect(&path, endings, files)?;
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    Ok(())
}
