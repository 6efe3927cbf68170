//! The replay: a period of the cache through the desk, as fast as it happened or faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::state::{self, Beginning};
use super::watch::{self, Watched};
use super::{Args, Speed};
use crate::cli::period::say_gaps;
use crate::cli::{Session, Status, dates, period, universe, writable_folder};
use crate::config::Config;
use crate::engine::{Job, Modes, Summary, check_floor};
use crate::live::{Desk, Gauges, Opening, Replay, Run, Upkeep};
use crate::manifest::Manifest;
use crate::store::{EncodedRows, RunWriter};
use crate::strategies::Kind;
use crate::time::{Calendar, Ts, exchange_midnight};

/// Longer silences are not waited out: nights, weekends, holidays.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Inputs between two looks at whether the journal should be flushed and the board marked.
const LOOK_EVERY: usize = 1024;
const LOOK_FOR_STOP: Duration = Duration::from_millis(50);
/// For the alerts that are under way when it is time to go.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
const UNWRITTEN: &str = "cannot write the run; nothing of it was kept";

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    dates::check(&calendar, args.start, args.end)?;
    let store = session.store()?;
    let tickers = universe::tickers(&args.tickers, &config, &store)?;
    let period = period::of(args.start, args.end, &store, &calendar, &config, &tickers)?;
    writable_folder(&session.global.runs_dir, "--runs-dir")?;
    let job = Job {
        store: &store,
        calendar: &calendar,
        config: &config,
        tickers: &tickers,
        period,
    };
    let mut replay = Replay::new(&store, &calendar, &config, &tickers, period)
        .context("cannot open the replay")?;
    let gauges = Arc::new(Gauges::default());
    let source = format!("replay {} {} to {}", store.name(), period.start, period.end);
    let desk = Desk::new(
        &config,
        &calendar,
        &tickers,
        replay.pasts(),
        period.start,
        replay.span().sessions.start,
    );
    let beginning = Beginning {
        opening: Opening::new(
            config.hash(),
            source.clone(),
            tickers.clone(),
            exchange_midnight(period.start),
            period.start,
        ),
        desk,
        state_dir: args.state_dir.clone(),
        keeps_inputs: false,
        sends: args.send,
    };
    let mut run = state::begin(session, args, &config, &gauges, beginning)?;
    let default_speed = if args.tui {
        Speed::Times(60.0)
    } else {
        Speed::Max
    };
    let speed = args.speed.unwrap_or(default_speed);
    let watched = Watched {
        source: format!("{source}, {speed}"),
        feeds: &[],
        gauges: gauges.clone(),
        board: run.board.clone(),
    };
    let is_whole = watch::while_watched(session, args, &watched, |stop| {
        let beat_every = Duration::from_secs_f64(config.live.heartbeat_seconds);
        let mut upkeep = Upkeep::new(Vec::new(), &gauges, beat_every);
        play(&mut replay, &mut run, &mut upkeep, speed, stop)
    })?;
    if !is_whole {
        run.close(CLOSE_WITHIN)?;
        session.say("stopped; what was computed so far is not written as a run");
        return Ok(Status::Fine);
    }
    let mut lowest = replay.flow_footers();
    lowest.try_for_each(|(ticker, footers)| {
        let modes = modes(&config, ticker);
        check_floor(&modes, config.flow.min_notional, ticker, footers)
    })?;
    drop(lowest);
    run.source_is_over()?;
    let status = write_run(session, &job, &replay, &run)?;
    run.close(CLOSE_WITHIN)?;
    Ok(status)
}

/// Tells the run everything; false when it was stopped on the way.
fn play(
    replay: &mut Replay,
    run: &mut Run,
    upkeep: &mut Upkeep,
    speed: Speed,
    stop: &AtomicBool,
) -> anyhow::Result<bool> {
    let mut pace = Pace::new(speed);
    while let Some(inputs) = replay.next_day().context("cannot read the replay")? {
        for (place, (at, input)) in inputs.iter().enumerate() {
            if place % LOOK_EVERY == 0 || pace.is_real() {
                upkeep.look(run)?;
                if !pace.wait(*at, stop) {
                    return Ok(false);
                }
            }
            run.take(input, pace.told())?;
        }
        run.mark();
    }
    while !run.is_delivered(LOOK_FOR_STOP) {
        upkeep.look(run)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When the next input is due.
struct Pace {
    speed: Speed,
    /// Stream time of the last input, and when it was due.
    last: Option<(Ts, Instant)>,
}

impl Pace {
    fn new(speed: Speed) -> Pace {
        Pace { speed, last: None }
    }

    fn is_real(&self) -> bool {
        self.speed != Speed::Max
    }

    /// Waits until `at` is due; false when it was told to stop.
    fn wait(&mut self, at: Ts, stop: &AtomicBool) -> bool {
        let now = Instant::now();
        let due = match (self.speed, self.last) {
            (Speed::Times(times), Some((last, due))) => {
                let silence = Duration::from_nanos(at.ns_since(last).max(0) as u64);
                due + silence.min(LONGEST_SILENCE).div_f64(times)
            }
            _ => now,
        };
        self.last = Some((at, due));
        while !stop.load(Ordering::Relaxed) {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LOOK_FOR_STOP));
        }
        false
    }

    /// When the last input was told, at a pace that has any meaning.
    fn told(&self) -> Option<Instant> {
        let (_, due) = self.last.filter(|_| self.is_real())?;
        Some(due)
    }
}

fn modes(config: &Config, ticker: &str) -> Modes {
    let mode = |kind: &Kind| (*kind, config.mode(ticker, *kind));
    Kind::ALL.iter().map(mode).collect()
}

/// Writes what the replay came to as a run, the same bytes that a backtest of its period writes.
fn write_run(session: &Session, job: &Job, replay: &Replay, run: &Run) -> anyhow::Result<Status> {
    let (gaps, input_hash) = replay.summary();
    let mut summary = Summary {
        gaps,
        input_hash,
        ..Summary::default()
    };
    let mut writer = RunWriter::new(&session.global.runs_dir).context(UNWRITTEN)?;
    for (rows, counts) in run.rows() {
        summary.counts.add(&counts);
        let rows = EncodedRows::new(&rows.signals, &rows.trades, &job.config.experiment_id);
        writer.append(&rows).context(UNWRITTEN)?;
    }
    debug_assert!(
        summary.counts.balance(),
        "every event told is accounted for"
    );
    let manifest = Manifest::new(job, &summary);
    let config = job.config.resolved_yaml();
    let folder = writer.finish(&manifest.run, &config, &manifest.to_json());
    let folder = folder.context(UNWRITTEN)?;
    say_gaps(session, &summary.gaps);
    let counts = &summary.counts;
    let kinds = Kind::ALL.iter();
    let kinds = kinds.map(|k| format!("{k} {}/{}", counts.signals(*k), counts.trades(*k)));
    let kinds: Vec<String> = kinds.collect();
    session.say(&format!(
        "{} events; signals/trades: {}; written to {}",
        counts.events_read + counts.warmup_events,
        kinds.join(", "),
        folder.display()
    ));
    Ok(match summary.gaps.in_period() {
        true => Status::Gaps,
        false => Status::Fine,
    })
}
