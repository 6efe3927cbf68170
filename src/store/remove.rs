//! Removing: sessions go out of the store, and files that held nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::layout::SessionRows;
use super::parquet::{Input, floors_of, read_rows, rows_of, write_table};
use super::place::{beside, sync_folder};
use super::{Store, StoreError, Table};

/// What removing would take from one file, or has taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    pub path: PathBuf,
    pub sessions: BTreeSet<NaiveDate>,
    /// The file holds no other sessions and goes as a whole.
    pub is_whole_file: bool,
    pub bytes: u64,
}

impl Store {
    /// What [`Store::remove`] would take from `ticker`'s files of `table` between two days, both
    /// included; `None` is as far as there is. Reads the footers.
    pub fn removals(
        &self,
        table: Table,
        ticker: &str,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
    ) -> Result<Vec<Removal>, StoreError> {
        self.writable()?;
        let meant = |date: &NaiveDate| {
            from.is_none_or(|from| from <= *date) && to.is_none_or(|to| *date <= to)
        };
        let mut removals = Vec::new();
        for file in self.probe(table, ticker)? {
            let (sessions, others): (BTreeSet<NaiveDate>, BTreeSet<NaiveDate>) =
                file.footer.sessions.iter().copied().partition(meant);
            let is_unbounded = from.is_none() && to.is_none();
            if !sessions.is_empty() || is_unbounded {
                removals.push(Removal {
                    path: file.path,
                    sessions,
                    is_whole_file: others.is_empty(),
                    bytes: file.bytes,
                });
            }
        }
        Ok(removals)
    }

    /// Takes out what `removal` says; each file is changed as a whole or not at all.
    pub fn remove(&self, table: Table, removal: &Removal) -> Result<(), StoreError> {
        let root = self.writable()?;
        let path = &removal.path;
        if !removal.is_whole_file {
            return keep_others(path, table, &removal.sessions);
        }
        let io = |e| StoreError::io(path, e);
        fs::remove_file(path).map_err(io)?;
        let folder = path.parent().expect("a table's file lies in a folder");
        sync_folder(folder).map_err(io)?;
        remove_if_empty(folder, root);
        Ok(())
    }
}

/// Writes a table's file again without the sessions in `gone`.
fn keep_others(path: &Path, table: Table, gone: &BTreeSet<NaiveDate>) -> Result<(), StoreError> {
    let (rows, footer) = read_rows(Input::open(path)?, path, table)?;
    let kept = footer.sessions.difference(gone);
    let kept: SessionRows = kept.map(|date| (*date, rows_of(&rows, *date))).collect();
    let sources = footer.sources();
    let floors = floors_of(&footer, &kept);
    let written = beside(path, |file| {
        write_table(file, path, table, &kept, &sources, &floors)
    });
    written?.commit()
}

/// A ticker's folder without files would say nothing. Whatever else is in it keeps it, and the store's
/// own folder stays.
fn remove_if_empty(folder: &Path, root: &Path) {
    if folder.parent() != Some(root) && folder != root {
        // Fails when something is left in it, which is as it should be.
        let _ = fs::remove_dir(folder);
    }
}
