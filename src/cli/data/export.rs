//! `flowlab data export`: rows as CSV, under the names of the table's columns.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rayon::prelude::*;

use super::super::writable_folder;
use super::{Period, Session, Status, chosen, counted, store};
use crate::store::{Store, StoreError, StoreProblem, Table as StoreTable, csv_header};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The table
    #[arg(long, value_enum, value_name = "TABLE")]
    table: StoreTable,
    /// Only these tickers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    #[command(flatten)]
    period: Period,
    /// Folder to write TABLE-TICKER.csv to, or - for stdout, one ticker after the other
    #[arg(long, value_name = "DIR", default_value = "-")]
    out: PathBuf,
}

const AFTER_HELP: &str = "\
Times are RFC 3339 in UTC, numbers have all the digits they need to be read back as they were, an
unknown value is empty, flags are true or false, and condition codes stand in one field with ; between
them.";

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let calendar = Calendar::shipped();
    let period = args.period.check(&calendar)?;
    let store = store(session)?;
    let tickers = chosen(&store, &[args.table], &args.tickers)?;
    let tickers: Vec<String> = tickers.into_iter().collect();
    let sessions = calendar.all();
    let export = Export {
        store: &store,
        table: args.table,
        period: (
            period.start.unwrap_or(sessions[0].date),
            period.end.unwrap_or(sessions[sessions.len() - 1].date),
        ),
    };
    let (rows, place) = if args.out == Path::new("-") {
        let Some(rows) = export.to_stdout(&tickers)? else {
            return Ok(Status::Fine);
        };
        (rows, "stdout".to_owned())
    } else {
        writable_folder(&args.out, "--out")?;
        let rows = export.to_folder(&tickers, &args.out)?;
        (rows, args.out.display().to_string())
    };
    session.say(&format!(
        "{} of {} written to {place}",
        counted(rows as usize, "row"),
        counted(tickers.len(), "ticker"),
    ));
    Ok(Status::Fine)
}

struct Export<'a> {
    store: &'a Store,
    table: StoreTable,
    period: (chrono::NaiveDate, chrono::NaiveDate),
}

impl Export<'_> {
    fn to_folder(&self, tickers: &[String], folder: &Path) -> anyhow::Result<u64> {
        tickers
            .par_iter()
            .with_max_len(1)
            .map(|ticker| {
                let path = folder.join(format!("{}-{ticker}.csv", self.table.name()));
                let written = self.store.export_to(self.table, ticker, self.period, &path);
                written.with_context(|| self.cannot(ticker))
            })
            .sum()
    }

    /// `None` when the reader had seen enough, which is no failure.
    fn to_stdout(&self, tickers: &[String]) -> anyhow::Result<Option<u64>> {
        let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
        let mut rows = 0;
        let mut write = || {
            let io = |e| StoreError::io("stdout", e);
            out.write_all(csv_header(self.table).as_bytes())
                .map_err(io)?;
            for ticker in tickers {
                let path = Path::new("stdout");
                rows += self
                    .store
                    .export(self.table, ticker, self.period, &mut out, path)?;
            }
            out.flush().map_err(io)
        };
        match write() {
            Err(StoreError {
                problem: StoreProblem::Io(e),
                ..
            }) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(None),
            Err(e) => Err(e).with_context(|| self.cannot(&tickers.join(", "))),
            Ok(()) => Ok(Some(rows)),
        }
    }

    fn cannot(&self, ticker: &str) -> String {
        format!("cannot export {} of {ticker}", self.table.name())
    }
}
