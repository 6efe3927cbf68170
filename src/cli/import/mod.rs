//! `flowlab import`: archives people already own, into the cache.

mod flat_files;
mod lean;
mod tables;
mod unusual_whales;

use super::{Session, Status, writable_folder};
use crate::providers::account::Account;
use crate::report::{Cell, Column, Table};
use crate::store::{Lock, Store};

#[derive(Debug, clap::Subcommand)]
pub enum ImportCommand {
    /// QuantConnect LEAN's data folder: option minutes, equity minute and daily bars, splits
    Lean(lean::Args),
    /// Massive's flat files on disk: option trades, minute and daily bars of stocks
    MassiveFlatfiles(flat_files::Args),
    /// Unusual Whales' daily full-flow CSV, plain, gzipped or zipped
    UnusualWhales(unusual_whales::Args),
    /// CSV files with the columns of one of flowlab's tables, as `data export` writes them
    Csv(tables::Args),
    /// Parquet files with the columns of one of flowlab's tables
    Parquet(tables::Args),
}

pub fn run(session: &Session, command: &ImportCommand) -> anyhow::Result<Status> {
    use crate::providers::tables::Format;
    match command {
        ImportCommand::Lean(args) => lean::run(session, args),
        ImportCommand::MassiveFlatfiles(args) => flat_files::run(session, args),
        ImportCommand::UnusualWhales(args) => unusual_whales::run(session, args),
        ImportCommand::Csv(args) => tables::run(session, args, Format::Csv),
        ImportCommand::Parquet(args) => tables::run(session, args, Format::Parquet),
    }
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct DryRun {
    /// Only show what would come in and which rows would not
    #[arg(long)]
    dry_run: bool,
}

/// Where an import goes.
struct Target {
    /// None when nothing is to be written.
    store: Option<Store>,
    lock: Option<Lock>,
    /// How a table's title calls it.
    name: String,
}

impl DryRun {
    /// The store, with other writers kept out, or nothing at all.
    fn target(self, session: &Session) -> anyhow::Result<Target> {
        let data_dir = session.data_dir();
        if self.dry_run {
            return Ok(Target {
                store: None,
                lock: None,
                name: format!("Would come into {} (dry run)", data_dir.display()),
            });
        }
        writable_folder(&data_dir, "--data-dir")?;
        let store = Store::folder(&data_dir);
        let lock = store.lock()?;
        Ok(Target {
            name: format!("Imported into {}", store.name()),
            store: Some(store),
            lock: Some(lock),
        })
    }
}

/// Bad rows that are named one by one.
const BAD_ROWS: usize = 20;

fn say_bad_rows(session: &Session, named: &[String], count: u64) {
    let shown = named.len().min(BAD_ROWS);
    for row in &named[..shown] {
        session.say(&format!("bad row: {row}"));
    }
    if count > shown as u64 {
        session.say(&format!("bad row: and {} more", count - shown as u64));
    }
}

/// Read, kept and dropped, a line per file: what did not come in is there by name.
struct FileTable(Table);

impl FileTable {
    fn new(title: &str) -> FileTable {
        let columns = [
            Column::text("file", "file"),
            Column::text("table", "table"),
            Column::number("tickers", "tickers"),
            Column::number("read", "read"),
            Column::number("kept", "kept"),
            Column::number("stored", "rows stored"),
            Column::text("dropped", "dropped"),
        ];
        FileTable(
            Table::new(columns.to_vec())
                .named("import")
                .titled(title.to_owned()),
        )
    }

    /// `account` is of the rows of the file, `stored` what they came to in the store.
    fn push(&mut self, file: &str, table: &str, tickers: u64, account: &Account, stored: u64) {
        let dropped: Vec<String> = account
            .dropped
            .iter()
            .map(|(reason, n)| format!("{reason} {n}"))
            .collect();
        self.0.push(vec![
            Cell::text(file),
            Cell::text(table),
            Cell::count(tickers),
            Cell::count(account.read),
            Cell::count(account.kept),
            Cell::count(stored),
            match dropped.is_empty() {
                true => Cell::blank(),
                false => Cell::text(dropped.join(", ")),
            },
        ]);
    }
}

/// Says what was odd about the rows of a file.
fn say_account(session: &Session, account: &Account) {
    let named: Vec<String> = account
        .bad_rows
        .iter()
        .map(|bad| format!("{}:{}: {}", bad.file, bad.line, bad.fault))
        .collect();
    // Rows that are nobody's fault, such as those of other tickers, are not bad.
    say_bad_rows(session, &named, named.len() as u64);
    for column in &account.unknown_columns {
        session.say(&format!(
            "note: column {column:?} is not known and was not read"
        ));
    }
}
