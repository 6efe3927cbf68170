//! `flowlab data`: what is in the cache, whether it is whole, and what to do about it.

mod compact;
mod export;
mod gaps;
mod ls;
mod rm;
mod verify;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::failure::Failure;
use super::{Session, Status, dates, existing_folder, universe};
use crate::report::{Format, Table};
use crate::store::{Store, StoreError, Table as StoreTable};
use crate::time::Calendar;

#[derive(Debug, clap::Subcommand)]
pub enum DataCommand {
    /// List tables and tickers: sessions, rows, sizes, sources
    Ls(ls::Args),
    /// Name the sessions that are missing
    Gaps(gaps::Args),
    /// Check every byte and every row of every file
    Verify(verify::Args),
    /// Write files again that are not as they would be written now, and clear leftovers away
    Compact(compact::Args),
    /// Remove sessions, tables or tickers
    Rm(rm::Args),
    /// Write rows as CSV
    Export(export::Args),
}

pub fn run(session: &Session, command: &DataCommand) -> anyhow::Result<Status> {
    match command {
        DataCommand::Ls(args) => ls::run(session, args),
        DataCommand::Gaps(args) => gaps::run(session, args),
        DataCommand::Verify(args) => verify::run(session, args),
        DataCommand::Compact(args) => compact::run(session, args),
        DataCommand::Rm(args) => rm::run(session, args),
        DataCommand::Export(args) => export::run(session, args),
    }
}

/// A period, as far as it was given.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Period {
    /// First exchange day [default: the first in the cache]
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: Option<NaiveDate>,
    /// Last exchange day [default: the last in the cache]
    #[arg(long, value_name = "YYYY-MM-DD")]
    end: Option<NaiveDate>,
}

impl Period {
    fn check(self, calendar: &Calendar) -> anyhow::Result<Period> {
        dates::check(calendar, self.start, self.end)?;
        Ok(self)
    }
}

impl clap::ValueEnum for StoreTable {
    fn value_variants<'a>() -> &'a [StoreTable] {
        &StoreTable::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}

/// The cache to look at. Any table makes a folder one, flow or not; else as for every command.
fn store(session: &Session) -> anyhow::Result<Store> {
    let folder = Store::folder(session.data_dir());
    if session.global.data_dir.is_none() && !known(&folder, &StoreTable::ALL)?.is_empty() {
        return Ok(folder);
    }
    session.store()
}

/// The cache to change, which the sample is not.
fn cache(session: &Session) -> anyhow::Result<Store> {
    let folder = session.data_dir();
    if session.global.data_dir.is_none() && !folder.exists() {
        let message = format!(
            "there is no cache in {}/, and the sample cannot be written to",
            folder.display()
        );
        return Err(Failure::failed(message)
            .hint("name the folder of a cache with --data-dir")
            .into());
    }
    existing_folder(
        &folder,
        "name a folder that `flowlab fetch` or `flowlab import` has written to",
    )?;
    Ok(Store::folder(folder))
}

/// Every ticker of `tables`.
fn known(store: &Store, tables: &[StoreTable]) -> Result<Vec<String>, StoreError> {
    let mut known = BTreeSet::new();
    for table in tables {
        known.extend(store.tickers(*table)?);
    }
    Ok(known.into_iter().collect())
}

/// The tickers named, else all of `tables`. Fails on one that is in none of them, and when there is
/// nothing at all.
fn chosen(
    store: &Store,
    tables: &[StoreTable],
    named: &[String],
) -> anyhow::Result<BTreeSet<String>> {
    let known = known(store, tables)?;
    let named = universe::named_tickers(named)?;
    let nothing = match tables {
        [table] => format!("no {}", table.name()),
        _ => "nothing".to_owned(),
    };
    if let Some(ticker) = named.iter().find(|ticker| !known.contains(ticker)) {
        let message = format!("{}: {nothing} for ticker {ticker}", store.name());
        return Err(universe::unknown(message, ticker, &known).into());
    }
    if known.is_empty() {
        let message = format!("{}: {nothing} in the cache", store.name());
        return Err(Failure::failed(message)
            .hint("bring some in with `flowlab fetch` or `flowlab import`")
            .into());
    }
    Ok(if named.is_empty() { known } else { named }
        .into_iter()
        .collect())
}

/// Prints a table; to people a sentence instead when it has no rows.
fn print_or_say(session: &Session, table: Table, nothing: &str) -> anyhow::Result<Status> {
    let for_people = matches!(session.global.format, Format::Table | Format::Md);
    if table.rows.is_empty() && for_people {
        return session.print(&format!("{nothing}\n"));
    }
    session.print_tables(&[table])
}

/// `1 file`, `2 files`.
fn counted(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}
