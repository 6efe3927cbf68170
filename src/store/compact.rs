//! Compacting: files written again as the store writes them now, row for row; and what interrupted
//! writers left behind.
//!
//! A file is left alone when it is already as it would be written: one row group per million rows,
//! every column compressed and encoded as the store does, sealed. Whatever wrote it otherwise, the
//! rows stay the same: what was written is read back and compared before it takes the old file's
//! place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::ColumnChunkMetaData;

use super::layout::SessionRows;
use super::parquet::{
    Footer, Input, Opened, ROW_GROUP_ROWS, compression, floors_of, read_rows, rows_of, write_table,
};
use super::place::{LEFTOVER, beside};
use super::{Entry, Store, StoreError, Table, schema};

/// A file that was written again, or would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Compacted {
    pub path: PathBuf,
    /// What was not as the store writes it.
    pub reason: String,
    pub bytes_before: u64,
    /// `None` as long as it has not been done.
    pub bytes_after: Option<u64>,
}

/// A file that a writer has begun and not put in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Leftover {
    pub path: PathBuf,
    pub bytes: u64,
}

impl Store {
    /// What [`Store::compact`] would do with a file; `None` when it is as it should be.
    pub fn needs_compacting(
        &self,
        table: Table,
        entry: &Entry,
    ) -> Result<Option<Compacted>, StoreError> {
        self.writable()?;
        let opened = Opened::new(self.read(&entry.path)?, &entry.path, table)?;
        let bytes = fs::metadata(&entry.path).map_err(|e| StoreError::io(&entry.path, e))?;
        Ok(reason(&opened, table)?.map(|reason| Compacted {
            path: entry.path.clone(),
            reason,
            bytes_before: bytes.len(),
            bytes_after: None,
        }))
    }

    /// Writes a file again as the store writes it now. Either the new one is there afterwards, with
    /// the same rows, or the old one still is.
    pub fn compact(&self, table: Table, mut file: Compacted) -> Result<Compacted, StoreError> {
        self.writable()?;
        let path = file.path.as_path();
        let (rows, footer) = read_rows(Input::open(path)?, path, table)?;
        let sessions = by_session(&rows, &footer, path)?;
        let written = beside(path, |out| {
            let sources = footer.sources();
            let floors = floors_of(&footer, &sessions);
            write_table(out, path, table, &sessions, &sources, &floors)?;
            check_same(out, path, table, &rows)
        });
        written?.commit()?;
        let after = fs::metadata(path).map_err(|e| StoreError::io(path, e))?;
        file.bytes_after = Some(after.len());
        Ok(file)
    }

    /// Unfinished files in the folders of the tables, in order of path. Somebody may be writing to
    /// them; who takes the lock knows that nobody is, and takes them away by that.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, StoreError> {
        let root = self.writable()?;
        let mut found = Vec::new();
        for table in Table::ALL {
            let folder = root.join(table.name());
            let mut folders = vec![folder.clone()];
            folders.extend(entries(&folder)?.into_iter().filter(|path| path.is_dir()));
            for folder in folders {
                for path in entries(&folder)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    if !name.starts_with(LEFTOVER) {
                        continue;
                    }
                    // A writer may have put it in place just now.
                    match fs::metadata(&path) {
                        Ok(metadata) if metadata.is_file() => {
                            let bytes = metadata.len();
                            found.push(Leftover { path, bytes });
                        }
                        _ => {}
                    }
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}

/// The paths in `folder`; none when there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let io = |e| StoreError::io(folder, e);
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()).map_err(io))
            .collect(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(io(e)),
    }
}

/// What in a file is not as the store writes it now, the first of such things.
fn reason(opened: &Opened, table: Table) -> Result<Option<String>, StoreError> {
    let metadata = opened.metadata();
    let groups = metadata.num_row_groups();
    let needed = (opened.footer.rows as usize).div_ceil(ROW_GROUP_ROWS);
    if groups > needed {
        return Ok(Some(format!("{groups} row groups where {needed} would do")));
    }
    if !opened.is_sealed {
        return Ok(Some("no hash of its footer".to_owned()));
    }
    if opened.unhashed_bytes()? > 0 {
        return Ok(Some("bytes that no hash covers".to_owned()));
    }
    let timestamps: Vec<String> = schema::of(table)
        .fields()
        .iter()
        .filter(|field| field.data_type() == &schema::timestamp())
        .map(|field| field.name().clone())
        .collect();
    let compressed = compression(opened.footer.rows as usize);
    let chunks = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    Ok(chunks
        .into_iter()
        .find_map(|chunk| chunk_reason(chunk, &timestamps, compressed)))
}

fn chunk_reason(
    chunk: &ColumnChunkMetaData,
    timestamps: &[String],
    compressed: Compression,
) -> Option<String> {
    let name = chunk.column_path().string();
    // The level is not in the file.
    if std::mem::discriminant(&chunk.compression()) != std::mem::discriminant(&compressed) {
        return Some(format!("{name} is compressed as {}", chunk.compression()));
    }
    let is_packed = chunk
        .encodings()
        .any(|e| e == Encoding::DELTA_BINARY_PACKED);
    (timestamps.contains(&name) && !is_packed).then(|| format!("{name} is not packed as deltas"))
}

/// The rows by the sessions the footer names. Fails on rows outside them, which would be lost.
fn by_session(rows: &RecordBatch, footer: &Footer, path: &Path) -> Result<SessionRows, StoreError> {
    let sessions: BTreeMap<_, _> = footer
        .sessions
        .iter()
        .map(|date| (*date, rows_of(rows, *date)))
        .collect();
    let placed: usize = sessions.values().map(RecordBatch::num_rows).sum();
    if placed == rows.num_rows() {
        return Ok(sessions);
    }
    let outside = rows.num_rows() - placed;
    let why = format!(
        "{outside} of its rows lie in none of its sessions; `flowlab data verify` says which"
    );
    Err(StoreError::io(path, std::io::Error::other(why)))
}

/// Reads back what was written beside `path`. The hash would notice a disk that lies; this notices
/// everything else.
fn check_same(
    written: &File,
    path: &Path,
    table: Table,
    rows: &RecordBatch,
) -> Result<(), StoreError> {
    let io = |e| StoreError::io(path, e);
    let again = Opened::new(Input::File(written.try_clone().map_err(io)?), path, table)?;
    again.check_content()?;
    if again.read_all()?.columns() == rows.columns() {
        return Ok(());
    }
    let message = "the rows written beside it are not the same; it was left as it was";
    Err(io(std::io::Error::other(message)))
}
