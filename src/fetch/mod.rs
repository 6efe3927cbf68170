//! Fetch: from a period and tickers to everything a backtest of them reads, in the store.
//!
//! ```text
//!   what is wanted ─ what the store covers = plan ─ stages, unit by unit ─ outcome
//! ```
//!
//! A unit is what is asked for and stored in one go: a ticker's month of minute bars, a ticker's
//! session of flow, a market's day. It is in the store whole or not at all, so a fetch that is stopped
//! or killed goes on where it was. A unit that cannot be had is a gap with its reason; only what
//! would fail every unit alike (a wrong key, a full disk, the wish to stop) ends the fetch.

mod archive;
mod bars;
mod facts;
mod ledger;
mod market_day;
mod open_interest;
mod outcome;
mod plan;
mod prints;
mod progress;
mod universe;

pub use archive::{SOURCE as ARCHIVE_SOURCE, ticker_day as archive_ticker_day};
pub use facts::{Facts, Listed, rules};
pub use market_day::{MarketDay, SOURCE as FLAT_SOURCE, Wanted, read as read_market_day};
pub use open_interest::{Morning, NotBeforeOpen};
pub use outcome::{Outcome, Stored};
pub use plan::Plan;
pub use progress::{Progress, Reached, Stage};
pub use universe::{BUILT_IN, Ranking};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use chrono::NaiveDate;
use rayon::prelude::*;

use crate::config::Config;
use crate::engine::Period;
use crate::flow::{Print, Rules, Sight};
use crate::providers::massive::flat::{FlatFileError, FlatFiles, S3Error, day_key};
use crate::providers::massive::{Massive, MassiveError};
use crate::store::{Store, StoreError, Table};
use crate::time::{Calendar, Ts};
use ledger::Ledger;

/// Where a day's file of all option prints is.
const TRADES: &str = "us_options_opra/trades_v1";

/// More calls than this for one session, and its flat file is the shorter way.
const MANY_CALLS: u64 = 500;

/// Units in a row that get no answer before the stage is left.
const PATIENCE: u32 = 3;

/// What to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum What {
    /// Minute and daily bars, raw
    Bars,
    /// Option prints, as flow events
    Flow,
    /// Open interest of past sessions; without --start, this morning's chain
    Oi,
    /// Stock splits
    Splits,
}

/// Where option prints come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Flat files for many contracts, REST for few
    Auto,
    /// One call per contract and session
    Rest,
    /// One file per session, whatever the tickers
    Flat,
}

/// A fetch as it was asked for.
pub struct Job<'a> {
    pub store: &'a Store,
    pub data_dir: &'a Path,
    pub calendar: &'a Calendar,
    pub config: &'a Config,
    pub massive: &'a Massive,
    /// Only with the keys of the flat files.
    pub flat: Option<&'a FlatFiles>,
    pub tickers: Vec<String>,
    pub what: BTreeSet<What>,
    /// Whether `what` is somebody's explicit wish.
    pub what_was_named: bool,
    pub period: Period,
    pub source: Source,
    /// Whether to ask for quotes at all.
    pub quotes: bool,
    /// Asks again for what is there.
    pub refresh: bool,
    pub now: Ts,
    pub stop: &'a AtomicBool,
    /// Set once the vendor has said that quotes are not in the plan, and what it said.
    pub quotes_refused: OnceLock<String>,
}

/// What a market's day needs of its surroundings.
pub struct Desk<'a> {
    /// Without one nothing is written: a day is only counted.
    pub store: Option<&'a Store>,
    pub calendar: &'a Calendar,
    pub config: &'a Config,
    /// Threads that make events.
    pub workers: usize,
    pub sights: &'a Sights<'a>,
}

/// What each print of each of a ticker's contracts met; empty where nothing is known.
pub type Sights<'a> = dyn Fn(&[(Listed, Vec<Print>)], &Rules, &mut Outcome) -> Result<Vec<Vec<Sight>>, FetchError>
    + Sync
    + 'a;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Massive(#[from] MassiveError),
    #[error(transparent)]
    FlatFile(#[from] FlatFileError),
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file}: {ticker} comes back after other tickers, expected a file sorted by symbol")]
    NotSorted { file: String, ticker: String },
}

impl From<S3Error> for FetchError {
    fn from(error: S3Error) -> FetchError {
        FetchError::FlatFile(error.into())
    }
}

impl FetchError {
    fn file(path: &Path, source: std::io::Error) -> FetchError {
        let path = path.to_owned();
        FetchError::File { path, source }
    }

    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            FetchError::Store(error) => error.hint(),
            FetchError::Massive(error) => error.hint().map(str::to_owned),
            FetchError::FlatFile(error) => error.hint(),
            FetchError::File { .. } => None,
            FetchError::NotSorted { .. } => {
                Some("sort its rows by ticker, as the vendor does".to_owned())
            }
        }
    }

    /// Whether it concerns one unit, so that others may still be had.
    pub fn is_gap(&self) -> bool {
        !self.is_final()
    }

    pub fn is_stop(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::Stopped)
                | FetchError::FlatFile(FlatFileError::Download(S3Error::Stopped { .. }))
        )
    }

    /// Whether every other unit would fail in the same way.
    fn is_final(&self) -> bool {
        self.is_stop()
            || matches!(
                self,
                FetchError::Store(_)
                    | FetchError::File { .. }
                    | FetchError::Massive(
                        MassiveError::WrongKey { .. } | MassiveError::BadUrl { .. }
                    )
                    | FetchError::FlatFile(FlatFileError::Download(
                        S3Error::WrongKey { .. }
                            | S3Error::ClockSkew { .. }
                            | S3Error::Endpoint { .. }
                    ))
            )
    }

    /// Whether it is the plan that stands between us and the whole stage.
    fn is_refusal(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::NotEntitled {
                is_timeframe: false,
                ..
            }) | FetchError::FlatFile(FlatFileError::Download(S3Error::NotEntitled { .. }))
        )
    }

    fn is_silence(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::Exhausted { .. })
                | FetchError::FlatFile(FlatFileError::Download(S3Error::Exhausted { .. }))
        )
    }

    /// As the reason of a gap: what units have in common, without what is special to one.
    fn reason(&self) -> String {
        match self {
            FetchError::Massive(MassiveError::NotEntitled { message, .. }) => {
                format!("not in the plan: {message}")
            }
            FetchError::Massive(MassiveError::Exhausted { last, .. }) => {
                format!("no answer: {last}")
            }
            FetchError::FlatFile(FlatFileError::Download(error)) => match error {
                S3Error::NotFound { .. } => "the vendor has no file of this day yet".to_owned(),
                S3Error::NotEntitled { .. } => "flat files are not in the plan".to_owned(),
                S3Error::Exhausted { last, .. } => format!("no answer: {last}"),
                other => other.to_string(),
            },
            FetchError::FlatFile(FlatFileError::Damaged { file, source }) => {
                format!("{file} is damaged or not complete: {source}")
            }
            other => other.to_string(),
        }
    }
}

impl Job<'_> {
    fn with_quotes(&self) -> bool {
        self.quotes && self.quotes_refused.get().is_none()
    }

    fn give_up_quotes(&self, message: &str) {
        self.quotes_refused.get_or_init(|| message.to_owned());
    }

    fn check_stop(&self) -> Result<(), FetchError> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(MassiveError::Stopped.into()),
            false => Ok(()),
        }
    }

    /// The way to the prints of a session: one file, or a call per contract.
    pub fn resolved_source(&self, plan: &Plan) -> Result<Source, FetchError> {
        let (Some(_), Source::Auto) = (self.flat, self.source) else {
            return Ok(match self.source {
                Source::Auto => Source::Rest,
                chosen => chosen,
            });
        };
        let Some((date, tickers)) = plan.flow.iter().next() else {
            return Ok(Source::Rest);
        };
        let mut calls = 0;
        for ticker in tickers {
            let listed = self.massive.contracts(ticker, *date, *date)?;
            calls += listed.rows.len() as u64 + listed.calls;
            if calls > MANY_CALLS {
                return Ok(Source::Flat);
            }
        }
        Ok(Source::Rest)
    }
}

/// Fetches what `plan` says is missing. Fails only when nothing more can be had.
pub fn run(job: &Job, plan: &Plan, progress: &Progress) -> Result<Outcome, FetchError> {
    let run = Run::new(job, progress)?;
    run.merge(Outcome {
        cached: plan.cached.clone(),
        ..Outcome::default()
    });
    let threads = job.config.massive.concurrency as usize;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.expect("threads can be started");
    pool.install(|| run.all(plan))?;
    let mut outcome = run.finish();
    for date in &plan.not_over {
        for ticker in &job.tickers {
            outcome.gap(Table::Flow, ticker, [*date], "the session is not over");
        }
    }
    if let Some(message) = job.quotes_refused.get() {
        let note =
            format!("quotes are not in the plan, so sides come from the tick test: {message}");
        outcome.notes.insert(note);
    }
    Ok(outcome)
}

/// Records this morning's chains.
pub fn record(job: &Job, morning: Morning, progress: &Progress) -> Result<Outcome, FetchError> {
    let run = Run::new(job, progress)?;
    progress.expect(Stage::OpenInterest, job.tickers.len() as u64);
    let dates = BTreeSet::from([morning.figures_of]);
    for ticker in &job.tickers {
        run.unit(
            Stage::OpenInterest,
            Table::OpenInterest,
            ticker,
            &dates,
            || open_interest::record(job, ticker, morning),
        )?;
    }
    Ok(run.finish())
}

/// A fetch under way.
struct Run<'a> {
    job: &'a Job<'a>,
    progress: &'a Progress,
    outcome: Mutex<Outcome>,
    /// Stages that are no longer asked for, and why.
    left: Mutex<BTreeMap<Stage, String>>,
    /// Units in a row without an answer.
    silent: AtomicU32,
    ledger: Mutex<Ledger>,
}

impl<'a> Run<'a> {
    fn new(job: &'a Job<'a>, progress: &'a Progress) -> Result<Run<'a>, FetchError> {
        Ok(Run {
            job,
            progress,
            outcome: Mutex::default(),
            left: Mutex::default(),
            silent: AtomicU32::new(0),
            ledger: Mutex::new(Ledger::open(job.data_dir)?),
        })
    }

    fn merge(&self, part: Outcome) {
        self.outcome.lock().expect("no unit panicked").merge(part);
    }

    fn finish(self) -> Outcome {
        let mut outcome = self.outcome.into_inner().expect("no unit panicked");
        outcome.bad_rows.sort();
        outcome
    }

    fn all(&self, plan: &Plan) -> Result<(), FetchError> {
        let job = self.job;
        let mut flow = plan.flow.clone();
        let source = match plan.flow.is_empty() && !job.refresh {
            true => job.source,
            false => job.resolved_source(plan)?,
        };
        if let (Source::Flat | Source::Auto, Some(flat), true) =
            (source, job.flat, job.what.contains(&What::Flow))
        {
            self.reissued(flat, &mut flow)?;
        }
        let units = match source {
            Source::Flat => flow.len() as u64,
            _ => flow.values().map(|tickers| tickers.len() as u64).sum(),
        };
        self.progress
            .expect(Stage::Splits, plan.splits.len() as u64);
        self.progress
            .expect(Stage::DailyBars, plan.daily.len() as u64);
        self.progress
            .expect(Stage::MinuteBars, plan.minutes.len() as u64);
        self.progress
            .expect(Stage::OpenInterest, plan.open_interest.len() as u64);
        self.progress.expect(Stage::Flow, units);

        plan.splits
            .par_iter()
            .with_max_len(1)
            .try_for_each(|(ticker, end)| {
                let dates = BTreeSet::from([*end]);
                self.unit(Stage::Splits, Table::Splits, ticker, &dates, || {
                    bars::splits(job, ticker, *end)
                })
            })?;
        plan.daily
            .par_iter()
            .with_max_len(1)
            .try_for_each(|(ticker, dates)| {
                self.unit(Stage::DailyBars, Table::Bars1d, ticker, dates, || {
                    bars::daily(job, ticker, dates)
                })
            })?;
        plan.minutes
            .par_iter()
            .with_max_len(1)
            .try_for_each(|(ticker, dates)| {
                self.unit(Stage::MinuteBars, Table::Bars1m, ticker, dates, || {
                    bars::minutes(job, ticker, dates)
                })
            })?;
        plan.open_interest
            .par_iter()
            .with_max_len(1)
            .try_for_each(|(ticker, dates)| {
                self.unit(
                    Stage::OpenInterest,
                    Table::OpenInterest,
                    ticker,
                    dates,
                    || open_interest::history(job, ticker, dates),
                )
            })?;
        for (date, tickers) in &flow {
            match (source, job.flat) {
                (Source::Flat, Some(flat)) => self.market_day(flat, *date, tickers)?,
                _ => self.ticker_days(*date, tickers)?,
            }
        }
        Ok(())
    }

    /// One after the other: the contracts of one are what is asked for in parallel.
    fn ticker_days(&self, date: NaiveDate, tickers: &[String]) -> Result<(), FetchError> {
        let dates = BTreeSet::from([date]);
        for ticker in tickers {
            self.unit(Stage::Flow, Table::Flow, ticker, &dates, || {
                prints::ticker_day(self.job, ticker, date)
            })?;
        }
        Ok(())
    }

    fn market_day(
        &self,
        flat: &FlatFiles,
        date: NaiveDate,
        tickers: &[String],
    ) -> Result<(), FetchError> {
        let wanted: BTreeSet<String> = tickers.iter().cloned().collect();
        let work = || {
            let mut tries = 0;
            loop {
                tries += 1;
                match self.read_market_day(flat, date, &wanted) {
                    // A file that was replaced, or came in broken, is begun again.
                    Err(FetchError::FlatFile(
                        FlatFileError::Damaged { .. }
                        | FlatFileError::Download(S3Error::Reissued { .. }),
                    )) if tries < PATIENCE => {}
                    done => return done,
                }
            }
        };
        self.settle(Stage::Flow, work(), |outcome, reason| {
            for ticker in tickers {
                outcome.gap(Table::Flow, ticker, [date], reason);
            }
        })
    }

    fn read_market_day(
        &self,
        flat: &FlatFiles,
        date: NaiveDate,
        wanted: &BTreeSet<String>,
    ) -> Result<Outcome, FetchError> {
        let job = self.job;
        job.check_stop()?;
        let key = day_key(TRADES, date);
        let download = flat.get(&key)?;
        let object = download.object().clone();
        let sights = |contracts: &[(Listed, Vec<Print>)], rules: &Rules, outcome: &mut Outcome| {
            let asked: Result<Vec<(Vec<Sight>, Outcome)>, FetchError> = contracts
                .par_iter()
                .map(|(listed, prints)| {
                    let mut part = Outcome::default();
                    let seen = prints::quoted(job, &listed.symbol, prints, rules, &mut part)?;
                    Ok((seen, part))
                })
                .collect();
            let parts = asked?.into_iter().map(|(seen, part)| {
                outcome.merge(part);
                seen
            });
            Ok(parts.collect())
        };
        let desk = Desk {
            store: Some(job.store),
            calendar: job.calendar,
            config: job.config,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            sights: &sights,
        };
        let day = read_market_day(&desk, download, &key, date, Wanted::These(wanted))?;
        let outcome = day.commit()?;
        let mut ledger = self.ledger.lock().expect("no unit panicked");
        ledger.record(date, &object)?;
        Ok(outcome)
    }

    /// Adds the sessions whose file the vendor has replaced since it was read.
    fn reissued(
        &self,
        flat: &FlatFiles,
        flow: &mut BTreeMap<NaiveDate, Vec<String>>,
    ) -> Result<(), FetchError> {
        let job = self.job;
        let ledger = self.ledger.lock().expect("no unit panicked");
        for (date, etag) in ledger.to_check(job.period, job.now) {
            job.check_stop()?;
            let found = match flat.head(&day_key(TRADES, date)) {
                Ok(found) => found,
                Err(error) => {
                    let error = FetchError::from(error);
                    if error.is_final() {
                        return Err(error);
                    }
                    continue;
                }
            };
            if found.etag != etag {
                let mut outcome = self.outcome.lock().expect("no unit panicked");
                outcome.notes.insert(format!(
                    "the vendor has replaced its file of {date}, so that day is read again"
                ));
                flow.insert(date, job.tickers.clone());
            }
        }
        Ok(())
    }

    /// One unit of work: merged when it is done, a gap when it cannot be had.
    fn unit(
        &self,
        stage: Stage,
        table: Table,
        ticker: &str,
        dates: &BTreeSet<NaiveDate>,
        work: impl FnOnce() -> Result<Outcome, FetchError>,
    ) -> Result<(), FetchError> {
        self.job.check_stop()?;
        let left = self
            .left
            .lock()
            .expect("no unit panicked")
            .get(&stage)
            .cloned();
        let gap = |outcome: &mut Outcome, reason: &str| {
            outcome.gap(table, ticker, dates.iter().copied(), reason);
        };
        match left {
            Some(reason) => {
                gap(&mut self.outcome.lock().expect("no unit panicked"), &reason);
                self.progress.done(stage, 0);
                Ok(())
            }
            None => self.settle(stage, work(), gap),
        }
    }

    fn settle(
        &self,
        stage: Stage,
        done: Result<Outcome, FetchError>,
        gap: impl FnOnce(&mut Outcome, &str),
    ) -> Result<(), FetchError> {
        let rows = match done {
            Ok(part) => {
                self.silent.store(0, Ordering::Relaxed);
                let rows = part.stored.values().map(|stored| stored.rows).sum();
                self.merge(part);
                rows
            }
            Err(error) if error.is_final() => return Err(error),
            Err(error) => {
                log::warn!("{}: {error}", stage.name());
                let reason = error.reason();
                let silent = match error.is_silence() {
                    true => self.silent.fetch_add(1, Ordering::Relaxed) + 1,
                    false => 0,
                };
                if error.is_refusal() || silent >= PATIENCE {
                    let mut left = self.left.lock().expect("no unit panicked");
                    left.insert(stage, reason.clone());
                }
                gap(&mut self.outcome.lock().expect("no unit panicked"), &reason);
                0
            }
        };
        self.progress.done(stage, rows);
        Ok(())
    }
}
