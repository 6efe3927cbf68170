//! `flowlab fetch` from the vendor: keys, tickers and period on the way in; tables and gaps on the way
//! out.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use url::Url;

use super::super::failure::Failure;
use super::super::{Session, Status, dates, universe, writable_folder};
use super::{Args, report, stages, stop_on_ctrl_c};
use crate::config::{Config, secret};
use crate::engine::Period;
use crate::fetch::{
    self, BUILT_IN, Ended, FetchError, Job, Morning, Outcome, Plan, Progress, Ranking, Source, What,
};
use crate::providers::massive::flat::{FlatFiles, S3Settings};
use crate::providers::massive::{Massive, Pacing, Settings};
use crate::store::Store;
use crate::time::{Calendar, Ts};

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    let now = now_is();
    let period = period(args, &calendar, now)?;
    let stop = stop_on_ctrl_c()?;
    let massive = connect(&config, stop.clone())?;
    let flat = flat_files(&config, args.source, stop.clone())?;
    let data_dir = session.data_dir();
    if !args.plan {
        writable_folder(&data_dir, "--data-dir")?;
    }
    let store = Store::folder(&data_dir);
    let _lock = (!args.plan).then(|| store.lock()).transpose()?;
    let start = period.map_or(now.exchange_date(), |period| period.start);
    let tickers = tickers(session, args, &config, &calendar, &massive, start)?;
    let job = Job {
        store: &store,
        data_dir: &data_dir,
        calendar: &calendar,
        config: &config,
        massive: &massive,
        flat: flat.as_ref(),
        tickers,
        what: what(args),
        what_was_named: !args.what.is_empty(),
        period: period.unwrap_or(Period {
            start: now.exchange_date(),
            end: now.exchange_date(),
        }),
        source: args.source,
        quotes: !args.no_quotes,
        refresh: args.refresh,
        now,
        clock: &now_is,
        stop: &stop,
        quotes_refused: Mutex::default(),
    };
    if period.is_none() {
        return record(session, &job, args.plan);
    }
    let plan = Plan::of(&job)?;
    if args.plan {
        return report::plan(session, &job, &plan);
    }
    let progress = Progress::default();
    let fetched = stages::watch(session, &job, &progress, || {
        fetch::run(&job, &plan, &progress)
    });
    finish(session, fetched)
}

/// This morning's chains: what a chain says is only known now.
fn record(session: &Session, job: &Job, is_plan: bool) -> anyhow::Result<Status> {
    let morning = Morning::at(job.now, job.calendar).map_err(|e| {
        Failure::usage(e.to_string()).hint(
            "run it between 07:00 in New York and the open of a session; past sessions need --start",
        )
    })?;
    session.say(&format!(
        "open interest at the close of {}, as the chains of {} tickers show it before the open of {}",
        morning.figures_of,
        job.tickers.len(),
        morning.session
    ));
    if is_plan {
        return Ok(Status::Fine);
    }
    let progress = Progress::default();
    let recorded = stages::watch(session, job, &progress, || {
        fetch::record(job, morning, &progress)
    });
    finish(session, recorded)
}

/// What it came to is told also when it ended early: what is stored is not asked for again.
fn finish(session: &Session, fetched: Result<Outcome, Box<Ended>>) -> anyhow::Result<Status> {
    let ended = match fetched {
        Ok(outcome) => return report::outcome(session, &outcome),
        Err(ended) => ended,
    };
    if !ended.outcome.is_nothing() {
        report::outcome(session, &ended.outcome)?;
    }
    if ended.error.is_stop() {
        return Err(Failure::failed("stopped; what is stored is whole")
            .hint("run the same command again to have the rest")
            .into());
    }
    Err(ended.error.into())
}

pub fn now_is() -> Ts {
    let ns = chrono::Utc::now().timestamp_nanos_opt();
    Ts::from_ns(ns.expect("the calendar ends before nanoseconds do"))
}

fn what(args: &Args) -> BTreeSet<What> {
    match args.what.is_empty() {
        true => BTreeSet::from([What::Bars, What::Flow, What::Oi, What::Splits]),
        false => args.what.iter().copied().collect(),
    }
}

/// The period; none when this morning's open interest is meant.
fn period(args: &Args, calendar: &Calendar, now: Ts) -> anyhow::Result<Option<Period>> {
    let Some(start) = args.start else {
        if args.what == [What::Oi] && args.end.is_none() {
            return Ok(None);
        }
        return Err(Failure::usage("--start is missing")
            .hint(
                "for example: flowlab fetch --start 2025-06-02 --end 2025-06-13 --tickers SPY,TSLA",
            )
            .into());
    };
    let over = |date: &NaiveDate| *date < now.exchange_date();
    let last = calendar.all().iter().map(|session| session.date);
    let end = args.end.or_else(|| last.take_while(over).last());
    dates::check(calendar, Some(start), end)?;
    let end = end.unwrap_or(start);
    dates::whole(calendar, start, end)?;
    Ok(Some(Period { start, end }))
}

/// The vendor's client, with the key of the environment.
pub fn connect(config: &Config, stop: Arc<AtomicBool>) -> anyhow::Result<Massive> {
    let (key, name) = secret::massive_key(|name| std::env::var(name).ok()).map_err(|e| {
        Failure::usage(e.to_string()).hint(
            "set it to your key of the vendor; `--provider synthetic` makes a market without one",
        )
    })?;
    log::info!("the key is that of {name}");
    let mut settings = Settings::new(url(&config.massive.rest_url));
    settings.concurrency = config.massive.concurrency as usize;
    settings.pacing = Pacing {
        max_per_second: config.massive.max_requests_per_second,
        ..Pacing::default()
    };
    Ok(Massive::new(settings, key, stop)?)
}

/// The flat files, when there are keys for them.
fn flat_files(
    config: &Config,
    source: Source,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Option<FlatFiles>> {
    let keys = match secret::flat_file_keys(|name| std::env::var(name).ok()) {
        Ok(keys) if source != Source::Rest => keys,
        Err(error) if source == Source::Flat => {
            let hint =
                "the keys of the flat files are not the API key: the vendor's dashboard shows both";
            return Err(Failure::usage(error.to_string()).hint(hint).into());
        }
        _ => return Ok(None),
    };
    let settings = S3Settings {
        endpoint: url(&config.massive.flat_files_url),
        bucket: config.massive.flat_files_bucket.clone(),
        ..S3Settings::default()
    };
    let files = FlatFiles::new(settings, &keys, stop).map_err(FetchError::from)?;
    Ok(Some(files))
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("the config checks its addresses")
}

/// Those named, else the largest as of the day before, else the config's, else a list of our own; what
/// was not asked for is said aloud.
fn tickers(
    session: &Session,
    args: &Args,
    config: &Config,
    calendar: &Calendar,
    massive: &Massive,
    start: NaiveDate,
) -> anyhow::Result<Vec<String>> {
    let mut tickers = universe::named_tickers(&args.tickers)?;
    if let Some(count) = args.universe {
        match Ranking::before(start, calendar, massive, &session.data_dir(), !args.plan) {
            Ok(ranking) => {
                session.say(&format!(
                    "the {count} tickers of most volume on {}",
                    ranking.as_of
                ));
                tickers = ranking.tickers;
                tickers.truncate(count);
            }
            Err(error) if error.is_gap() => {
                session.say(&format!("no ranking by volume: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if tickers.is_empty() {
        tickers.clone_from(&config.universe.tickers);
        if !tickers.is_empty() && args.universe.is_some() {
            session.say("so these are the tickers of the config's universe");
        }
    }
    if tickers.is_empty() {
        tickers = BUILT_IN.map(str::to_owned).to_vec();
        let tickers = tickers.join(", ");
        session.say(&format!(
            "no tickers were named, so these are {} of the busiest: {tickers}",
            BUILT_IN.len()
        ));
    }
    let mut known = BTreeSet::new();
    tickers.retain(|ticker| known.insert(ticker.clone()));
    if let Some(odd) = tickers
        .iter()
        .find(|t| !crate::providers::roots::is_ticker(t))
    {
        return Err(Failure::usage(format!("{odd:?} is no ticker"))
            .hint("for example: --tickers SPY,BRK.B")
            .into());
    }
    Ok(tickers)
}
