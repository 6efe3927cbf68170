//! `flowlab backtest`: from the cache to a run's folder and its tables.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Context as _;
use chrono::NaiveDate;

use super::failure::Failure;
use super::progress::{Progress, watch};
use super::{Session, Status, universe};
use crate::config::Config;
use crate::engine::{self, Gaps, Job, Meter, Period, Summary, TickerRows};
use crate::manifest::Manifest;
use crate::report::{self, Dimension, parse_crossing};
use crate::store::{EncodedRows, RunWriter, Store, Table};
use crate::strategies::Kind;
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tickers to run, separated by commas [default: universe.tickers, else all in the cache]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    /// First exchange day [default: the first with its whole warm-up in the cache]
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: Option<NaiveDate>,
    /// Last exchange day [default: the last with flow in the cache]
    #[arg(long, value_name = "YYYY-MM-DD")]
    end: Option<NaiveDate>,
    /// Tables to print, each a dimension or a crossing such as kind,regime; repeatable
    #[arg(long, value_name = "DIMENSIONS", value_parser = parse_crossing)]
    by: Vec<Crossing>,
    /// Write how long each stage took to this file, as JSON
    #[arg(long, value_name = "FILE")]
    timings: Option<PathBuf>,
}

/// Dimensions that are crossed with each other.
type Crossing = std::vec::Vec<Dimension>;

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let started = Instant::now();
    let config = session.config()?;
    let calendar = Calendar::shipped();
    check_dates(args, &calendar)?;
    let store = session.store()?;
    let tickers = universe::tickers(&args.tickers, &config, &store)?;
    let period = period(args, &store, &calendar, &config, &tickers)?;
    let job = Job {
        store: &store,
        calendar: &calendar,
        config: &config,
        tickers: &tickers,
        period,
    };
    let (summary, writer) = compute(session, &job)?;
    let sessions = calendar.between(period.start, period.end).len();
    if summary.gaps.flow.values().flatten().count() == tickers.len() * sessions {
        return Err(nothing_cached(&store, period, &tickers)?.into());
    }
    let manifest = Manifest::new(&job, &summary);
    let folder = writer.finish(&manifest.run, &config.resolved_yaml(), &manifest.to_json());
    let folder = folder.context(UNWRITTEN)?;
    let computed = started.elapsed();
    say_gaps(session, &summary.gaps);
    session.print_tables(&report::tables(&report::load(&folder)?, &args.by))?;
    session.say(&closing_line(
        &summary,
        &folder.display().to_string(),
        computed.as_secs_f64(),
    ));
    if let Some(path) = &args.timings {
        let timings = serde_json::json!({
            "compute_seconds": computed.as_secs_f64(),
            "report_seconds": (started.elapsed() - computed).as_secs_f64(),
            "events": summary.counts.events_read + summary.counts.warmup_events,
            "threads": rayon::current_num_threads(),
        });
        std::fs::write(path, format!("{timings:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if summary.gaps.in_period() {
        Status::Gaps
    } else {
        Status::Fine
    })
}

fn check_dates(args: &Args, calendar: &Calendar) -> anyhow::Result<()> {
    for date in [args.start, args.end].into_iter().flatten() {
        calendar
            .check_range(date)
            .map_err(|e| Failure::usage(e.to_string()))?;
    }
    if let (Some(start), Some(end)) = (args.start, args.end)
        && start > end
    {
        return Err(Failure::usage(format!("--start {start} lies after --end {end}")).into());
    }
    Ok(())
}

fn period(
    args: &Args,
    store: &Store,
    calendar: &Calendar,
    config: &Config,
    tickers: &[String],
) -> anyhow::Result<Period> {
    if let (Some(start), Some(end)) = (args.start, args.end) {
        return whole(Period { start, end }, calendar);
    }
    let cached = engine::default_period(store, calendar, config, tickers)?;
    let cached = cached.ok_or_else(|| {
        Failure::failed(format!(
            "{}: no sessions of flow in the cache",
            store.name()
        ))
    })?;
    let period = Period {
        start: args.start.unwrap_or(cached.start),
        end: args.end.unwrap_or(cached.end),
    };
    if period.start > period.end {
        let message = format!(
            "the period would begin {} and end {}",
            period.start, period.end
        );
        return Err(Failure::usage(message)
            .hint("name both --start and --end; `flowlab data ls` lists what there is")
            .into());
    }
    whole(period, calendar)
}

/// Refuses a period in which the exchange never opens.
fn whole(period: Period, calendar: &Calendar) -> anyhow::Result<Period> {
    if calendar.between(period.start, period.end).is_empty() {
        let message = format!(
            "the exchange does not open from {} to {}",
            period.start, period.end
        );
        return Err(Failure::usage(message).into());
    }
    Ok(period)
}

const UNWRITTEN: &str = "cannot write the run; nothing of it was kept";

/// Runs the job and writes its rows as they come. The run is in place once the writer finishes.
fn compute(session: &Session, job: &Job) -> anyhow::Result<(Summary, RunWriter)> {
    let mut writer = RunWriter::new(&session.global.runs_dir).context(UNWRITTEN)?;
    let meter = std::sync::Arc::new(Meter::default());
    let watched = meter.clone();
    // The first Ctrl-C asks the engine to stop; nothing has been written by then.
    ctrlc::set_handler(move || watched.stop.store(true, Ordering::Relaxed))
        .context("cannot listen for Ctrl-C")?;
    let look = || Progress {
        done: meter.tickers.load(Ordering::Relaxed),
        rows: meter.events.load(Ordering::Relaxed),
    };
    let experiment_id = &job.config.experiment_id;
    let encode = |rows: TickerRows| EncodedRows::new(&rows.signals, &rows.trades, experiment_id);
    let summary = watch(session, job.tickers.len() as u64, "backtest", look, || {
        engine::run(job, &meter, encode, |rows| writer.append(&rows))
    });
    let Period { start, end } = job.period;
    let summary =
        summary.with_context(|| format!("cannot run the backtest from {start} to {end}"))?;
    Ok((summary, writer))
}

fn nothing_cached(store: &Store, period: Period, tickers: &[String]) -> anyhow::Result<Failure> {
    let mut sessions = std::collections::BTreeSet::new();
    for ticker in tickers {
        sessions.extend(
            store
                .probe(Table::Flow, ticker)?
                .into_iter()
                .flat_map(|file| file.footer.sessions),
        );
    }
    let message = format!(
        "no flow from {} to {} in {}",
        period.start,
        period.end,
        store.name()
    );
    let failure = Failure::failed(message);
    Ok(match (sessions.first(), sessions.last()) {
        (Some(first), Some(last)) => {
            failure.hint(format!("the cache has {first} to {last} for these tickers"))
        }
        _ => failure.hint("bring some in with `flowlab fetch` or `flowlab import`"),
    })
}

const GAP_LINES: usize = 12;

fn say_gaps(session: &Session, gaps: &Gaps) {
    let lines = gaps.lines();
    for line in lines.iter().take(GAP_LINES) {
        session.say(&format!("gap: {line}"));
    }
    if lines.len() > GAP_LINES {
        session.say(&format!(
            "gap: and {} more, all in manifest.json",
            lines.len() - GAP_LINES
        ));
    }
}

fn closing_line(summary: &Summary, folder: &str, seconds: f64) -> String {
    let counts = &summary.counts;
    let kinds = Kind::ALL
        .iter()
        .map(|kind| format!("{kind} {}/{}", counts.signals(*kind), counts.trades(*kind)));
    let kinds: Vec<String> = kinds.collect();
    let events = counts.events_read + counts.warmup_events;
    format!(
        "{events} events ({} of them warm-up) in {seconds:.2} s; signals/trades: {}; written to {folder}",
        counts.warmup_events,
        kinds.join(", "),
    )
}
