//! The run: a plan worked off stage by stage, unit by unit, on as many threads as calls may be under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::NaiveDate;
use rayon::prelude::*;

use super::error::{Ended, FetchError};
use super::facts::Listed;
use super::job::{Job, Source, What};
use super::ledger::Ledger;
use super::market_day::{self, Desk, Wanted};
use super::open_interest::{self, Morning};
use super::outcome::Outcome;
use super::plan::Plan;
use super::progress::{Progress, Stage};
use super::{bars, prints};
use crate::flow::{Class, Codes, Print, Rules, Sight};
use crate::providers::massive::flat::{FlatFileError, FlatFiles, S3Error, day_key};
use crate::store::Table;

/// Where a day's file of all option prints is.
const TRADES: &str = "us_options_opra/trades_v1";

/// Units in a row that get no answer before the stage is left.
const PATIENCE: u32 = 3;

/// Fetches what `plan` says is missing. Ends early only when nothing more can be had.
pub fn run(job: &Job, plan: &Plan, progress: &Progress) -> Result<Outcome, Box<Ended>> {
    let run = Run::new(job, progress);
    run.merge(Outcome {
        cached: plan.cached.clone(),
        ..Outcome::default()
    });
    let done = run.in_pool(|| run.all(plan));
    run.finish(done, plan)
}

/// Records this morning's chains, as long as the session has not opened.
pub fn record(job: &Job, morning: Morning, progress: &Progress) -> Result<Outcome, Box<Ended>> {
    let run = Run::new(job, progress);
    progress.expect(Stage::OpenInterest, job.tickers.len() as u64);
    let dates = BTreeSet::from([morning.figures_of]);
    let record = |ticker: &String| {
        run.unit(
            Stage::OpenInterest,
            Table::OpenInterest,
            ticker,
            &dates,
            || open_interest::record(job, ticker, morning),
        )
    };
    let done = run.in_pool(|| job.tickers.par_iter().with_max_len(1).try_for_each(record));
    run.finish(done, &Plan::default())
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, FetchError> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    built.map_err(|e| FetchError::Threads {
        threads,
        problem: e.to_string(),
    })
}

/// A fetch under way.
struct Run<'a> {
    job: &'a Job<'a>,
    progress: &'a Progress,
    outcome: Mutex<Outcome>,
    /// Stages that are no longer asked for, and why.
    left: Mutex<BTreeMap<Stage, Lack>>,
    /// Ticker sessions that could not be had.
    failed: Mutex<BTreeSet<(Table, String, NaiveDate)>>,
    /// Units in a row without an answer.
    silent: AtomicU32,
}

impl<'a> Run<'a> {
    fn new(job: &'a Job<'a>, progress: &'a Progress) -> Run<'a> {
        Run {
            job,
            progress,
            outcome: Mutex::default(),
            left: Mutex::default(),
            failed: Mutex::default(),
            silent: AtomicU32::new(0),
        }
    }

    fn merge(&self, part: Outcome) {
        self.outcome.lock().expect("no unit panicked").merge(part);
    }

    /// Runs `work` on as many threads as calls may be under way.
    fn in_pool(
        &self,
        work: impl FnOnce() -> Result<(), FetchError> + Send,
    ) -> Result<(), FetchError> {
        pool(self.job.config.massive.concurrency as usize)?.install(work)
    }

    fn finish(self, done: Result<(), FetchError>, plan: &Plan) -> Result<Outcome, Box<Ended>> {
        let mut outcome = self.outcome.into_inner().expect("no unit panicked");
        outcome.bad_rows.sort();
        let job = self.job;
        for (what, table) in [
            (What::Flow, Table::Flow),
            (What::Bars, Table::Bars1m),
            (What::Bars, Table::Bars1d),
        ] {
            if plan.not_over.is_empty() || !job.what.contains(&what) {
                continue;
            }
            for ticker in &job.tickers {
                let dates = plan.not_over.iter().copied();
                outcome.gap(table, ticker, dates, "the session is not over");
            }
        }
        let refused = job.quotes_refused.lock().expect("no unit panicked");
        if let Some(message) = &refused.always {
            outcome.notes.insert(format!(
                "quotes are not in the plan, so sides come from the tick test: {message}"
            ));
        }
        if let (Some(first), Some(last)) = (refused.dates.first(), refused.dates.last()) {
            outcome.notes.insert(format!(
                "the plan has no quotes of {} sessions, {first} to {last}: sides there come from the tick test",
                refused.dates.len()
            ));
        }
        match done {
            Ok(()) => Ok(outcome),
            Err(error) => Err(Box::new(Ended { outcome, error })),
        }
    }

    fn all(&self, plan: &Plan) -> Result<(), FetchError> {
        let job = self.job;
        let mut by_contract = plan.flow.clone();
        let mut by_day: BTreeMap<NaiveDate, BTreeSet<String>> = BTreeMap::new();
        let mut ledger = Ledger::open(job.data_dir)?;
        if !plan.flow.is_empty() && job.resolved_source(plan)? == Source::Flat {
            for (date, tickers) in std::mem::take(&mut by_contract) {
                by_day.entry(date).or_default().extend(tickers);
            }
        }
        if let (Some(flat), true) = (job.flat, job.what.contains(&What::Flow)) {
            for (date, tickers) in self.changed(flat, &ledger)? {
                by_day.entry(date).or_default().extend(tickers);
            }
        }
        let units: usize = by_contract.values().map(Vec::len).sum();
        for (stage, units) in [
            (Stage::Splits, plan.splits.len()),
            (Stage::DailyBars, plan.daily.len()),
            (Stage::MinuteBars, plan.minutes.len()),
            (Stage::OpenInterest, plan.open_interest.len()),
            (Stage::Flow, units + by_day.len()),
        ] {
            self.progress.expect(stage, units as u64);
        }
        self.stage(Stage::Splits, Table::Splits, &plan.splits, bars::splits)?;
        self.stage(Stage::DailyBars, Table::Bars1d, &plan.daily, bars::daily)?;
        self.stage(
            Stage::MinuteBars,
            Table::Bars1m,
            &plan.minutes,
            bars::minutes,
        )?;
        self.stage(
            Stage::OpenInterest,
            Table::OpenInterest,
            &plan.open_interest,
            open_interest::history,
        )?;
        self.silent.store(0, Ordering::Relaxed);
        if units + by_day.len() > 0 {
            self.compare_conditions()?;
        }
        for (date, tickers) in &by_contract {
            self.ticker_days(*date, tickers)?;
        }
        if let (Some(flat), false) = (job.flat, by_day.is_empty()) {
            let quotes = pool(job.config.massive.concurrency as usize)?;
            for (date, tickers) in &by_day {
                let tickers = self.with_their_bars(*date, tickers);
                self.market_day(flat, &quotes, &mut ledger, *date, &tickers)?;
            }
        }
        Ok(())
    }

    /// Says where the vendor's table of conditions has come to differ from the one compiled in: volume
    /// would then no longer be what its bars count.
    fn compare_conditions(&self) -> Result<(), FetchError> {
        let theirs = match self.job.massive.conditions().map_err(FetchError::from) {
            Ok(fetched) => fetched.rows,
            Err(error) if error.is_final() => return Err(error),
            // Without their table ours still stands.
            Err(error) => {
                log::info!("conditions: {error}");
                return Ok(());
            }
        };
        for row in theirs {
            let Ok(code) = i16::try_from(row.id) else {
                continue;
            };
            let class = Class::of(Codes::one(code));
            let difference = match row.updates_volume {
                _ if class.is_unknown => "is new to this program, which takes it for regular",
                Some(counts) if counts && !class.counts => "counts as volume with the vendor now",
                Some(counts) if !counts && class.counts => {
                    "no longer counts as volume with the vendor"
                }
                _ => continue,
            };
            let note = format!("condition {code} ({}) {difference}", row.name);
            self.merge(Outcome::noted(note));
        }
        Ok(())
    }

    /// All units of a stage that is a ticker and its sessions each.
    fn stage(
        &self,
        stage: Stage,
        table: Table,
        units: &[(String, BTreeSet<NaiveDate>)],
        work: fn(&Job, &str, &BTreeSet<NaiveDate>) -> Result<Outcome, FetchError>,
    ) -> Result<(), FetchError> {
        self.silent.store(0, Ordering::Relaxed);
        // One ticker's units one after the other: they may be parts of one file.
        let by_ticker: Vec<_> = units.chunk_by(|a, b| a.0 == b.0).collect();
        by_ticker.par_iter().with_max_len(1).try_for_each(|units| {
            units.iter().try_for_each(|(ticker, dates)| {
                self.unit(stage, table, ticker, dates, || {
                    work(self.job, ticker, dates)
                })
            })
        })
    }

    /// Those of `tickers` whose bars and open interest this fetch did not fail to get: an event made
    /// without them would stay without. The others are a gap.
    fn with_their_bars(&self, date: NaiveDate, tickers: &BTreeSet<String>) -> BTreeSet<String> {
        let before = self.job.calendar.sessions_before(date, 1);
        let failed = self.failed.lock().expect("no unit panicked");
        let mut outcome = self.outcome.lock().expect("no unit panicked");
        let mut ready = BTreeSet::new();
        for ticker in tickers {
            let has_failed = |table, date| failed.contains(&(table, ticker.clone(), date));
            let missing = if has_failed(Table::Bars1m, date) {
                "its minute bars could not be had"
            } else if has_failed(Table::OpenInterest, before) {
                "its open interest could not be had"
            } else {
                ready.insert(ticker.clone());
                continue;
            };
            outcome.gap(Table::Flow, ticker, [date], missing);
        }
        ready
    }

    /// One after the other: the contracts of one are what is asked for in parallel.
    fn ticker_days(&self, date: NaiveDate, tickers: &[String]) -> Result<(), FetchError> {
        let dates = BTreeSet::from([date]);
        let ready = self.with_their_bars(date, &tickers.iter().cloned().collect());
        for ticker in tickers {
            if !ready.contains(ticker) {
                self.progress.done(Stage::Flow, 0);
                continue;
            }
            self.unit(Stage::Flow, Table::Flow, ticker, &dates, || {
                again_without_quotes(|| prints::ticker_day(self.job, ticker, date))
            })?;
        }
        Ok(())
    }

    fn market_day(
        &self,
        flat: &FlatFiles,
        quotes: &rayon::ThreadPool,
        ledger: &mut Ledger,
        date: NaiveDate,
        tickers: &BTreeSet<String>,
    ) -> Result<(), FetchError> {
        let gap = |outcome: &mut Outcome, lack: &Lack| {
            for ticker in tickers {
                outcome.gap(Table::Flow, ticker, [date], &lack.reason);
            }
        };
        if let Some(why) = self.why_left(Stage::Flow)? {
            gap(&mut self.outcome.lock().expect("no unit panicked"), &why);
            self.progress.done(Stage::Flow, 0);
            return Ok(());
        }
        let mut tries = 0;
        let done = loop {
            tries += 1;
            let read =
                again_without_quotes(|| self.read_market_day(flat, quotes, ledger, date, tickers));
            match read {
                // A file that was replaced, or came in broken, is begun again.
                Err(FetchError::FlatFile(
                    FlatFileError::Damaged { .. }
                    | FlatFileError::Download(S3Error::Reissued { .. }),
                )) if tries < PATIENCE => {}
                done => break done,
            }
        };
        self.settle(Stage::Flow, done, gap)
    }

    fn read_market_day(
        &self,
        flat: &FlatFiles,
        quotes: &rayon::ThreadPool,
        ledger: &mut Ledger,
        date: NaiveDate,
        wanted: &BTreeSet<String>,
    ) -> Result<Outcome, FetchError> {
        let job = self.job;
        let key = day_key(TRADES, date);
        let download = flat.get(&key)?;
        let object = download.object().clone();
        let sights = |contracts: &[(Listed, &[Print])], rules: &Rules, outcome: &mut Outcome| {
            let ask = |(listed, prints): &(Listed, &[Print])| {
                let mut part = Outcome::default();
                let seen = prints::quoted(job, &listed.symbol, date, prints, rules, &mut part)?;
                Ok((seen, part))
            };
            let asked: Result<Vec<(Vec<Sight>, Outcome)>, FetchError> =
                quotes.install(|| contracts.par_iter().map(ask).collect());
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
        let day = market_day::read(&desk, download, &key, date, Wanted::These(wanted))?;
        ledger.begin(date, &object, day.tickers())?;
        let outcome = day.commit()?;
        ledger.settle(date)?;
        Ok(outcome)
    }

    /// Whose flow was made of a file that the vendor has replaced since, or may not be in its place.
    fn changed(
        &self,
        flat: &FlatFiles,
        ledger: &Ledger,
    ) -> Result<BTreeMap<NaiveDate, Vec<String>>, FetchError> {
        let job = self.job;
        let mut changed = ledger.unsettled(&job.tickers);
        for date in ledger.to_check(&job.tickers, job.now) {
            job.check_stop()?;
            let found = match flat.head(&day_key(TRADES, date)).map_err(FetchError::from) {
                Ok(found) => found,
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    let reason = error.reason();
                    let note =
                        format!("whether the file of {date} was replaced is unknown: {reason}");
                    self.merge(Outcome::noted(note));
                    continue;
                }
            };
            let others = ledger.made_of_another(date, &job.tickers, &found.etag);
            if !others.is_empty() {
                self.merge(Outcome::noted(format!(
                    "the vendor has replaced its file of {date}, so that day is read again"
                )));
                changed.entry(date).or_default().extend(others);
            }
        }
        Ok(changed)
    }

    /// Why a stage is no longer asked for, if it is not.
    fn why_left(&self, stage: Stage) -> Result<Option<Lack>, FetchError> {
        self.job.check_stop()?;
        let left = self.left.lock().expect("no unit panicked");
        Ok(left.get(&stage).cloned())
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
        let lack = |outcome: &mut Outcome, lack: &Lack| {
            if table == Table::OpenInterest && lack.is_plan && !self.job.what_was_named {
                // Nobody asked for it by name, and unknown is an answer.
                let reason = &lack.reason;
                let note = format!("open interest of some sessions stays unknown: {reason}");
                outcome.notes.insert(note);
                return;
            }
            outcome.gap(table, ticker, dates.iter().copied(), &lack.reason);
            if !lack.is_plan {
                let mut failed = self.failed.lock().expect("no unit panicked");
                let dates = dates.iter();
                failed.extend(dates.map(|date| (table, ticker.to_owned(), *date)));
            }
        };
        match self.why_left(stage)? {
            Some(why) => {
                lack(&mut self.outcome.lock().expect("no unit panicked"), &why);
                self.progress.done(stage, 0);
                Ok(())
            }
            None => self.settle(stage, work(), lack),
        }
    }

    fn settle(
        &self,
        stage: Stage,
        done: Result<Outcome, FetchError>,
        lack: impl FnOnce(&mut Outcome, &Lack),
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
                let why = Lack {
                    reason: error.reason(),
                    is_plan: error.is_plan(),
                };
                let silent = match error.is_silence() {
                    true => self.silent.fetch_add(1, Ordering::Relaxed) + 1,
                    false => 0,
                };
                if error.is_refusal() || silent >= PATIENCE {
                    let mut left = self.left.lock().expect("no unit panicked");
                    left.insert(stage, why.clone());
                }
                lack(&mut self.outcome.lock().expect("no unit panicked"), &why);
                0
            }
        };
        self.progress.done(stage, rows);
        Ok(())
    }
}

/// Why something could not be had.
#[derive(Clone, Debug)]
struct Lack {
    reason: String,
    /// The vendor has it for others, or not at all: asking again is of no use.
    is_plan: bool,
}

/// Does a unit of work once more when the vendor refuses quotes in the middle of it, so that all of it
/// is made in the same way.
fn again_without_quotes<T>(
    mut work: impl FnMut() -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    match work() {
        Err(FetchError::NoQuotes) => work(),
        done => done,
    }
}
