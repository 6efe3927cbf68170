//! Rows of runs and logs, without the column that says by which way a print came.

use std::collections::BTreeMap;
use std::path::Path;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Rows {
    pub signals: Vec<Row>,
    pub trades: Vec<Row>,
    /// Events shown to the strategies, without those of the warm-up.
    pub events: usize,
}

/// A row by its columns.
pub type Row = BTreeMap<String, String>;

/// Rows of the one run in `runs`.
pub fn rows_of_run(runs: &Path) -> Rows {
    let folders = std::fs::read_dir(runs).expect("a folder of runs");
    let folders: Vec<_> = folders
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    let run = &folders[0];
    let manifest = std::fs::read(run.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let events = manifest["counts"]["events_read"].as_u64().expect("a count");
    Rows {
        signals: rows(&run.join("signals.csv")),
        trades: rows(&run.join("trades.csv")),
        events: events as usize,
    }
}

pub fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let names = reader.headers().expect("a header").clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.expect("a row");
        let cells = names.iter().zip(&record);
        let cells = cells.filter(|(name, _)| *name != "source");
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell.to_owned()));
        cells.collect()
    };
    reader.records().map(row).collect()
}

/// In an order that says nothing of when they came.
pub fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

/// Without what nobody knew when they were told.
pub fn as_told(mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        row.retain(|name, _| !name.starts_with("cancelled_"));
    }
    rows
}
