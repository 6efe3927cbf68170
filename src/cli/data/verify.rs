//! `flowlab data verify`: everything that is wrong with the cache's files, and what looks odd.

use rayon::prelude::*;

use super::super::failure::Failure;
use super::{Session, Status, chosen, counted, print_or_say, store};
use crate::report::{Cell, Column, Table};
use crate::store::{Finding, Severity, StoreError, Table as StoreTable, Verified};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Only these tickers, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
}

const AFTER_HELP: &str = "\
Checked are the hashes of every file's rows and footer, its columns, their order, every value, the
sessions against the exchange's calendar, and how many rows a session has beside the ticker's others.
Of each kind of problem in a file the first row is named, counted from 0, and how many rows have it.

Exit codes: 0 no errors, perhaps warnings; 1 errors.";

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let store = store(session)?;
    let tickers = chosen(&store, &StoreTable::ALL, &args.tickers)?;
    let calendar = Calendar::shipped();
    let series: Vec<(StoreTable, &String)> = StoreTable::ALL
        .into_iter()
        .flat_map(|table| tickers.iter().map(move |ticker| (table, ticker)))
        .collect();
    let files: Result<Vec<Vec<Verified>>, StoreError> = series
        .into_par_iter()
        .with_max_len(1)
        .map(|(table, ticker)| store.verify(table, ticker, &calendar))
        .collect();
    let files: Vec<Verified> = files?.into_iter().flatten().collect();

    let title = format!("Wrong or odd in {}", store.name());
    let mut table = findings_table().titled(title);
    for file in &files {
        for finding in &file.findings {
            table.push(row(file, finding));
        }
    }
    let of = |severity: Severity| {
        let findings = files.iter().flat_map(|file| &file.findings);
        findings.filter(|f| f.severity == severity).count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let nothing = format!("Nothing is wrong in {}.", store.name());
    print_or_say(session, table, &nothing)?;
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let without_bar: u64 = files.iter().map(|file| file.minutes_without_bar).sum();
    session.say(&format!(
        "{}, {}: {}, {}; {} without a bar",
        counted(files.len(), "file"),
        counted(rows as usize, "row"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(without_bar as usize, "regular minute"),
    ));
    let unsealed = files.iter().filter(|file| !file.is_sealed).count();
    if unsealed > 0 {
        session.say(&format!(
            "{} without a hash of the footer, in which a flipped bit may go unnoticed; \
             `flowlab data compact` writes one",
            counted(unsealed, "file")
        ));
    }
    if errors == 0 {
        return Ok(Status::Fine);
    }
    let broken = files.iter().filter(|file| {
        let mut findings = file.findings.iter();
        findings.any(|f| f.severity == Severity::Error)
    });
    let message = format!(
        "{}: {} of {} cannot be right",
        store.name(),
        broken.count(),
        counted(files.len(), "file")
    );
    Err(Failure::failed(message)
        .hint("remove those files and fetch or import their sessions again")
        .into())
}

fn findings_table() -> Table {
    let columns = [
        Column::text("severity", "severity"),
        Column::text("file", "file"),
        Column::text("problem", "problem"),
        Column::number("row", "row"),
        Column::number("rows", "rows"),
        Column::text("got", "got"),
        Column::text("expected", "expected"),
    ];
    Table::new(columns.to_vec())
}

fn row(file: &Verified, finding: &Finding) -> Vec<Cell> {
    let text = |text: &str| match text {
        "" => Cell::blank(),
        text => Cell::text(text),
    };
    let of_rows = |n: u64| finding.row.map_or_else(Cell::blank, |_| Cell::count(n));
    vec![
        Cell::text(finding.severity.as_str()),
        Cell::text(file.path.display().to_string()),
        Cell::text(&finding.problem),
        finding.row.map_or_else(Cell::blank, Cell::count),
        of_rows(finding.rows),
        text(&finding.got),
        text(&finding.expected),
    ]
}
