//! `flowlab import unusual-whales`: daily full-flow files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use chrono::NaiveDate;
use rayon::prelude::*;

use super::super::failure::Failure;
use super::super::{Session, Status, universe};
use super::{DryRun, FileTable, say_account};
use crate::config::Config;
use crate::fetch::{ARCHIVE_SOURCE, Facts, archive_ticker_day};
use crate::flow::FlowCounts;
use crate::providers::unusual_whales::{self, NamedContract, UwPrint};
use crate::store::{Arrival, Store, Table as StoreTable};
use crate::time::Calendar;

/// A day with less than one in so many of a file's rows is not what the file is of.
const STRAY: u64 = 100;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, or folders of them: CSV, CSV gzipped, or zip
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Tickers, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    let named = universe::named_tickers(&args.tickers)?;
    let wanted: Option<BTreeSet<String>> = (!named.is_empty()).then(|| named.into_iter().collect());
    let mut files = Vec::new();
    for path in &args.paths {
        files.extend(unusual_whales::files_in(path)?);
    }
    let target = args.dry_run.target(session)?;
    let mut table = FileTable::new(&target.name);
    let mut counts = FlowCounts::default();
    let mut seen: BTreeMap<NaiveDate, PathBuf> = BTreeMap::new();
    for file in &files {
        let mut read = unusual_whales::read(file, wanted.as_ref(), &|_| ())?;
        let mut tickers = 0;
        let mut stored = 0;
        for (date, day) in std::mem::take(&mut read.days) {
            let Some(_) = calendar.session_on(date) else {
                let rows: u64 = day.values().map(|rows| rows.len() as u64).sum();
                read.account.kept -= rows;
                *read.account.dropped.entry("no_session").or_default() += rows;
                continue;
            };
            let rows: u64 = day.values().map(|rows| rows.len() as u64).sum();
            // A file is of one day; a few rows of another would pass for all of that one.
            if rows * STRAY < read.account.kept {
                read.account.kept -= rows;
                *read.account.dropped.entry("other_day").or_default() += rows;
                continue;
            }
            if let Some(other) = seen.insert(date, file.clone()) {
                let message = format!(
                    "{} and {} are both of {date}",
                    other.display(),
                    file.display()
                );
                let hint = "a session is stored as a whole: put the two into one file, or one zip";
                return Err(Failure::usage(message).hint(hint).into());
            }
            tickers += day.len() as u64;
            let made = Day {
                config: &config,
                calendar: &calendar,
                store: target.store.as_ref(),
                contracts: &read.contracts,
                date,
            };
            let (rows, part) = made.put(&day)?;
            stored += rows;
            counts.add(&part);
        }
        say_account(session, &read.account);
        for ((column, word), count) in &read.unknown {
            session.say(&format!(
                "note: {column} {word:?} means nothing known here, {count} rows"
            ));
        }
        let name = file.display().to_string();
        table.push(
            &name,
            StoreTable::Flow.name(),
            tickers,
            &read.account,
            stored,
        );
    }
    let prints = super::super::fetch::prints_table(&counts, &[]);
    session.print_tables(&[table.0, prints])
}

/// One day of a file.
struct Day<'a> {
    config: &'a Config,
    calendar: &'a Calendar,
    /// None when nothing is to be written.
    store: Option<&'a Store>,
    contracts: &'a [NamedContract],
    date: NaiveDate,
}

impl Day<'_> {
    /// Makes and stores the flow of every ticker; returns the rows and what became of the prints.
    fn put(&self, day: &unusual_whales::Day) -> anyhow::Result<(u64, FlowCounts)> {
        let sum = Mutex::new((0, FlowCounts::default()));
        day.par_iter().try_for_each(|(ticker, prints)| {
            let (rows, counts) = self.put_ticker(ticker, prints)?;
            let mut sum = sum.lock().expect("no ticker panicked");
            sum.0 += rows;
            sum.1.add(&counts);
            anyhow::Ok(())
        })?;
        Ok(sum.into_inner().expect("no ticker panicked"))
    }

    fn put_ticker(&self, ticker: &str, prints: &[UwPrint]) -> anyhow::Result<(u64, FlowCounts)> {
        let facts = Facts::load(
            self.store,
            self.calendar,
            self.config,
            ticker,
            self.date,
            ARCHIVE_SOURCE,
        )?;
        let (table, counts) = archive_ticker_day(&facts, self.contracts, prints);
        let rows = table.len() as u64;
        if let Some(store) = self.store {
            store.put(Arrival {
                table: StoreTable::Flow,
                ticker,
                sessions: vec![(self.date, table.finish())],
                source: ARCHIVE_SOURCE,
                min_notional: Some(facts.rules.min_notional),
            })?;
        }
        Ok((rows, counts))
    }
}
