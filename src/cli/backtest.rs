//! `flowlab backtest`: from the cache to a run's folder and its tables.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Context as _;
use chrono::NaiveDate;

use super::asked::Asked;
use super::failure::Failure;
use super::period::say_gaps;
use super::progress::{Progress, watch};
use super::{Session, Status, period};
use crate::engine::{self, Job, Meter, Period, Summary, TickerRows};
use crate::manifest::Manifest;
use crate::report::{self, Dimension, parse_crossing};
use crate::store::{EncodedRows, RunWriter};
use crate::strategies::Kind;

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
    /// Tables to print: kind, ticker, tag, direction, strength, dte, hour, regime, outcome or a
    /// crossing such as kind,regime; repeatable [default: each of them]
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
    let asked = Asked::of(session, &args.tickers, args.start, args.end)?;
    let job = asked.job();
    let period = job.period;
    let (summary, writer) = compute(session, &job)?;
    let sessions = job.calendar.between(period.start, period.end).len();
    if summary.gaps.flow.values().flatten().count() == job.tickers.len() * sessions {
        let when = format!("from {} to {}", period.start, period.end);
        let cached = period::flow_sessions(job.store, job.tickers)?;
        return Err(period::no_flow(job.store, &when, &cached).into());
    }
    let manifest = Manifest::new(&job, &summary);
    let folder = writer.finish(
        &manifest.run,
        &job.config.resolved_yaml(),
        &manifest.to_json(),
    );
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
        std::fs::write(path, format!("{timings:#}\n")).with_context(|| {
            format!(
                "the run is written, but not its timings to {}",
                path.display()
            )
        })?;
    }
    Ok(if summary.gaps.in_period() {
        Status::Gaps
    } else {
        Status::Fine
    })
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
    // A stop that came too late for the engine to see is still one.
    if meter.stop.load(Ordering::Relaxed) {
        return Err(Failure::failed("stopped; nothing was written").into());
    }
    let Period { start, end } = job.period;
    let summary =
        summary.with_context(|| format!("cannot run the backtest from {start} to {end}"))?;
    Ok((summary, writer))
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
