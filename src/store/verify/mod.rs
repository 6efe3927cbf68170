//! Verifying: every byte, every row and every promise of a ticker's files, and what was found.
//!
//! A reader on the way to an answer checks what it relies on and stops at the first fault. Here
//! nothing stops: each kind of problem in a file is named once, with its first row and how many rows
//! have it. What cannot be right is an error; what may be right and is worth a look (a day with a
//! tenth of the usual rows) is a warning.

mod bars;
mod days;
mod event;
mod few;
mod findings;
mod flow;

pub use findings::{Finding, Severity};

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};
use chrono::NaiveDate;
use rayon::prelude::*;

use super::parquet::Opened;
use super::{Entry, Month, Store, StoreError, Table, schema};
use crate::time::{Calendar, Ts, exchange_midnight};
use days::Day;
use findings::Findings;

/// Keys that a footer of ours has, and no others.
const KEYS: [&str; 9] = [
    "ARROW:schema",
    "flowlab.format",
    "flowlab.table",
    "flowlab.sessions",
    "flowlab.source",
    "flowlab.min_notional",
    "flowlab.floors",
    "flowlab.content",
    super::seal::KEY,
];

/// Rows decoded at once.
const BATCH_ROWS: usize = 16 * 1024;

/// One file, looked at from end to end.
#[derive(Debug)]
pub struct Verified {
    pub path: PathBuf,
    pub rows: u64,
    /// Whether the footer carries its own hash. Without it a flipped bit there may go unnoticed.
    pub is_sealed: bool,
    /// Minute bars only: minutes of the file's regular sessions that have no bar. Halts and minutes
    /// in which nobody traded are among them.
    pub minutes_without_bar: u64,
    pub findings: Vec<Finding>,
    days: BTreeMap<NaiveDate, Day>,
}

impl Store {
    /// Looks at every file of `table` and `ticker`, in parallel; the answer is in order of month.
    pub fn verify(
        &self,
        table: Table,
        ticker: &str,
        calendar: &Calendar,
    ) -> Result<Vec<Verified>, StoreError> {
        let entries = self.files_of(table, ticker)?;
        let mut files: Vec<Verified> = entries
            .par_iter()
            .with_max_len(1)
            .map(|entry| self.verify_file(table, entry, calendar))
            .collect();
        days::look_at(table, &mut files, calendar);
        Ok(files)
    }

    fn verify_file(&self, table: Table, entry: &Entry, calendar: &Calendar) -> Verified {
        let mut file = Verified {
            path: entry.path.clone(),
            rows: 0,
            is_sealed: true,
            minutes_without_bar: 0,
            findings: Vec::new(),
            days: BTreeMap::new(),
        };
        let mut findings = Findings::default();
        if let Err(error) = self.look_through(table, entry, calendar, &mut file, &mut findings) {
            // What a reader would say, without the path, which has its own column.
            let said = error.to_string();
            let path = format!("{}: ", error.path.display());
            findings.error(said.strip_prefix(&path).unwrap_or(&said));
        }
        file.findings = findings.list;
        file
    }

    fn look_through(
        &self,
        table: Table,
        entry: &Entry,
        calendar: &Calendar,
        file: &mut Verified,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let path = entry.path.as_path();
        let opened = Opened::new(self.read(path)?, path, table)?;
        file.is_sealed = opened.is_sealed;
        opened.check_content()?;
        look_at_footer(&opened, table, entry.month, calendar, findings)?;
        let footer = opened.footer.clone();
        let mut sessions = Sessions::new(&footer.sessions.iter().copied().collect::<Vec<_>>());
        let mut rows: Box<dyn Rows> = match table {
            Table::Flow => Box::new(flow::FlowRows::new(&entry.ticker, footer.min_notional)),
            Table::Bars1m => Box::new(bars::MinuteRows::new(&entry.ticker, calendar)),
            Table::Bars1d => Box::new(bars::DailyRows::new(&entry.ticker)),
            Table::OpenInterest => Box::new(few::OpenInterestRows::default()),
            Table::Splits => Box::new(few::SplitRows::new(&entry.ticker)),
        };
        let reader = opened.whole_reader().with_batch_size(BATCH_ROWS).build();
        for batch in reader.map_err(|e| StoreError::broken(path, e))? {
            let batch = batch.map_err(|e| StoreError::broken(path, e))?;
            look_for_nulls(&batch, table, file.rows, findings);
            rows.look_at(&batch, file.rows, &mut sessions, findings);
            file.rows += batch.num_rows() as u64;
        }
        if file.rows != footer.rows {
            findings.file(
                Severity::Error,
                "not as many rows as the footer says",
                file.rows,
                footer.rows,
            );
        }
        file.days = sessions.days();
        Ok(())
    }
}

/// The rows of one table, batch by batch.
trait Rows {
    /// `first` is the row of the file that the batch begins with.
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    );
}

fn look_at_footer(
    opened: &Opened,
    table: Table,
    month: Option<Month>,
    calendar: &Calendar,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let pairs = opened.metadata().file_metadata().key_value_metadata();
    for pair in pairs.into_iter().flatten() {
        if !KEYS.contains(&pair.key.as_str()) {
            findings.file(
                Severity::Error,
                "the footer has a key that is none of ours",
                &pair.key,
                "",
            );
        }
    }
    if opened.is_sealed && opened.unhashed_bytes()? > 0 {
        let problem = "bytes between rows and footer that no hash covers";
        findings.file(Severity::Error, problem, opened.unhashed_bytes()?, 0);
    }
    if table == Table::Flow && opened.footer.min_notional.is_none() {
        let problem = "the footer does not say below which notional events were dropped";
        findings.file(Severity::Error, problem, "", "flowlab.min_notional");
    }
    let sessions = opened.footer.sessions.iter();
    // What lies outside the calendar cannot be held against it.
    let closed = sessions.clone().filter(|date| {
        calendar.check_range(**date).is_ok() && calendar.session_on(**date).is_none()
    });
    let problem = "covers a day on which the exchange does not open";
    say_days(problem, closed, "sessions of the calendar", findings);
    if let Some(month) = month {
        let foreign = sessions.filter(|date| month != Month::of(**date));
        let problem = "covers a session that belongs into another file";
        say_days(problem, foreign, &format!("days of {month}"), findings);
    }
    Ok(())
}

/// One error for all of `days`.
fn say_days<'a>(
    problem: &str,
    mut days: impl Iterator<Item = &'a NaiveDate>,
    expected: &str,
    findings: &mut Findings,
) {
    let Some(first) = days.next() else { return };
    let got = match days.count() {
        0 => first.to_string(),
        more => format!("{first} and {more} more"),
    };
    findings.file(Severity::Error, problem, got, expected);
}

fn look_for_nulls(batch: &RecordBatch, table: Table, first: u64, findings: &mut Findings) {
    for field in schema::of(table)
        .fields()
        .iter()
        .filter(|field| !field.is_nullable())
    {
        let column = batch
            .column_by_name(field.name())
            .expect("the schema was checked");
        if column.null_count() > 0 {
            let row = (0..column.len())
                .find(|row| column.is_null(*row))
                .unwrap_or(0);
            let problem = format!("{} is null", field.name());
            let rows = column.null_count() as u64;
            findings.rows(
                Severity::Error,
                &problem,
                first + row as u64,
                rows,
                "",
                "a value",
            );
        }
    }
}

/// The sessions a file says it covers, and the rows that were found in each.
struct Sessions {
    dates: Vec<NaiveDate>,
    /// The instants at which those exchange days begin and end.
    spans: Vec<(i64, i64)>,
    days: Vec<Day>,
}

impl Sessions {
    fn new(dates: &[NaiveDate]) -> Sessions {
        let span = |date: &NaiveDate| {
            let next = date.succ_opt().expect("the calendar ends before time does");
            (exchange_midnight(*date).ns(), exchange_midnight(next).ns())
        };
        Sessions {
            dates: dates.to_vec(),
            spans: dates.iter().map(span).collect(),
            days: vec![Day::default(); dates.len()],
        }
    }

    /// Counts a row under the session its instant lies in. A row in none of them is an error.
    fn place_ts(&mut self, ts: i64, row: u64, findings: &mut Findings) -> Option<usize> {
        let after = self.spans.partition_point(|(start, _)| *start <= ts);
        let place = after
            .checked_sub(1)
            .filter(|place| ts < self.spans[*place].1);
        self.count(place, row, findings, || Ts::from_ns(ts).to_string())
    }

    fn place_date(
        &mut self,
        date: Option<NaiveDate>,
        row: u64,
        findings: &mut Findings,
    ) -> Option<usize> {
        let place = date.and_then(|date| self.dates.binary_search(&date).ok());
        self.count(place, row, findings, || {
            date.map_or_else(
                || "a day beyond all calendars".to_owned(),
                |d| d.to_string(),
            )
        })
    }

    fn count(
        &mut self,
        place: Option<usize>,
        row: u64,
        findings: &mut Findings,
        got: impl FnOnce() -> String,
    ) -> Option<usize> {
        match place {
            Some(place) => self.days[place].rows += 1,
            None => findings.row("lies in no session that the footer names", row, || {
                (got(), self.described())
            }),
        }
        place
    }

    fn described(&self) -> String {
        match self.dates.as_slice() {
            [] => "no row: it covers no session".to_owned(),
            [only] => format!("{only}"),
            [first, .., last] => format!("{} sessions from {first} to {last}", self.dates.len()),
        }
    }

    fn days(self) -> BTreeMap<NaiveDate, Day> {
        self.dates.into_iter().zip(self.days).collect()
    }
}
