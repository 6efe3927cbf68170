//! `flowlab import csv` and `import parquet`: rows that are already those of our tables.

use std::path::PathBuf;

use super::super::failure::Failure;
use super::super::{Session, Status};
use super::{DryRun, FileTable, say_account};
use crate::providers::tables::{self, Format};
use crate::store::{Arrival, Table as StoreTable};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The table whose columns they have
    #[arg(long, value_name = "flow|bars_1m|bars_1d|oi|splits", value_parser = parse_table)]
    table: StoreTable,
    /// Flow only: the floor below which its maker dropped events, dollars [default: the smallest
    /// notional there is]
    #[arg(long, value_name = "USD")]
    min_notional: Option<f64>,
    #[command(flatten)]
    dry_run: DryRun,
}

fn parse_table(text: &str) -> Result<StoreTable, String> {
    let found = StoreTable::ALL
        .into_iter()
        .find(|table| table.name() == text);
    found.ok_or_else(|| "expected flow, bars_1m, bars_1d, oi or splits".to_owned())
}

pub fn run(session: &Session, args: &Args, format: Format) -> anyhow::Result<Status> {
    if args.min_notional.is_some() && args.table != StoreTable::Flow {
        return Err(Failure::usage("--min-notional belongs to --table flow")
            .hint("leave it out")
            .into());
    }
    let mut files = Vec::new();
    for path in &args.paths {
        files.extend(tables::files_in(path, format, args.table)?);
    }
    let read = tables::read(&files, format, args.table, &Calendar::shipped())?;
    let target = args.dry_run.target(session)?;
    let floor = match args.table {
        StoreTable::Flow => Some(args.min_notional.unwrap_or(read.smallest_notional())),
        _ => None,
    };
    let tickers = read.sessions.len() as u64;
    let mut stored = 0;
    for (ticker, sessions) in read.sessions {
        stored += sessions
            .iter()
            .map(|(_, rows)| rows.num_rows() as u64)
            .sum::<u64>();
        if let Some(store) = &target.store {
            store.put(Arrival {
                table: args.table,
                ticker: &ticker,
                sessions,
                source: format.source(),
                min_notional: floor,
            })?;
        }
    }
    say_account(session, &read.account);
    let name = match files.as_slice() {
        [only] => only.display().to_string(),
        many => format!("{} files", many.len()),
    };
    let mut table = FileTable::new(&target.name);
    table.push(&name, args.table.name(), tickers, &read.account, stored);
    session.print_tables(&[table.0])
}
