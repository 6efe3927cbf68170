//! The sample market compiled into the program: `data/sample`, file by file.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Table;
use super::layout::{self, Entry};

/// How messages call the sample.
pub const NAME: &str = "sample";

// `SAMPLE: &[(&str, &[u8])]`, path inside the store and content, sorted by path; see build.rs.
include!(concat!(env!("OUT_DIR"), "/sample.rs"));

pub fn list(table: Table) -> Vec<Entry> {
    let entries = SAMPLE
        .iter()
        .filter_map(|(path, _)| layout::entry(table, Path::new(path)));
    let mut entries: Vec<Entry> = entries
        .map(|e| Entry {
            path: PathBuf::from(&e.path),
            ..e
        })
        .collect();
    entries.sort();
    entries
}

/// The content of a file that [`list`] named.
pub fn bytes(path: &Path) -> Bytes {
    let found = SAMPLE.iter().find(|(name, _)| Path::new(name) == path);
    Bytes::from_static(found.expect("the path was listed").1)
}
