//! The replay: a period of the cache through the desk, as fast as it happened or faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use super::outcome;
use super::pace::{LOOK_FOR_STOP, Pace};
use super::state::{self, Beginning};
use super::watch::{self, Watched};
use super::{Args, Speed};
use crate::cli::asked::Asked;
use crate::cli::{Session, Status};
use crate::engine::check_floor;
use crate::live::{Desk, Gauges, Opening, Replay, Run, Upkeep};
use crate::time::{Ts, exchange_midnight};

/// Inputs between two looks at whether the journal should be flushed and the board marked.
const LOOK_EVERY: usize = 1024;
/// For the alerts that are under way when it is time to go.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let asked = Asked::of(session, &args.tickers, args.start, args.end)?;
    let Asked {
        config,
        calendar,
        store,
        tickers,
        period,
    } = &asked;
    let (job, period) = (asked.job(), *period);
    let mut replay =
        Replay::new(store, calendar, config, tickers, period).context("cannot open the replay")?;
    let gauges = Arc::new(Gauges::default());
    let source = format!("replay {} {} to {}", store.name(), period.start, period.end);
    let desk = Desk::new(
        config,
        calendar,
        tickers,
        replay.pasts(),
        period.start,
        replay.span().sessions.start,
    );
    let beginning = Beginning {
        opening: Opening::new(
            config.rules_hash(),
            source.clone(),
            tickers.clone(),
            exchange_midnight(period.start),
            period.start,
        ),
        desk: |_| Ok(desk),
        state_dir: args.state_dir.clone(),
        keeps_inputs: false,
        sends: args.send,
        now: None,
    };
    let mut run = state::begin(session, args, config, &gauges, beginning)?;
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
    let stop = watch::stop_flag()?;
    let is_whole = watch::while_watched(session, args, &watched, &stop, || {
        let beat_every = Duration::from_secs_f64(config.live.heartbeat_seconds);
        let upkeep = Upkeep::new(Vec::new(), &run, beat_every);
        let mut upkeep = upkeep.context("cannot keep the state")?;
        let is_shown = |at: Ts| {
            let session = calendar.session_on(at.exchange_date());
            session.is_some_and(|session| session.date >= period.start && session.contains(at))
        };
        play(&mut replay, &mut run, &mut upkeep, speed, is_shown, &stop)
    })?;
    if !is_whole {
        run.close(CLOSE_WITHIN)?;
        session.say("stopped; what was computed so far is not written as a run");
        return Ok(Status::Fine);
    }
    let mut lowest = replay.flow_footers();
    lowest.try_for_each(|(ticker, footers)| {
        let modes = outcome::modes(config, ticker);
        check_floor(&modes, config.flow.min_notional, ticker, footers)
    })?;
    drop(lowest);
    run.source_is_over()?;
    let (gaps, input_hash) = replay.summary();
    let status = outcome::write_run(session, &job, &run, gaps, input_hash)?;
    run.close(CLOSE_WITHIN)?;
    Ok(status)
}

/// Tells the run everything, at its pace what `is_shown`: not the warm-up, not the night. False when it
/// was stopped on the way.
fn play(
    replay: &mut Replay,
    run: &mut Run,
    upkeep: &mut Upkeep,
    speed: Speed,
    is_shown: impl Fn(Ts) -> bool,
    stop: &AtomicBool,
) -> anyhow::Result<bool> {
    let mut pace = Pace::new(speed);
    while let Some(inputs) = replay.next_day().context("cannot read the replay")? {
        for (place, (at, input)) in inputs.iter().enumerate() {
            let is_paced = pace.is_real() && is_shown(*at);
            if place % LOOK_EVERY == 0 || is_paced {
                match is_paced {
                    true => pace.turn_to(*at),
                    false => pace.pass_by(*at),
                }
                // The longest silence is longer than anything that is due beside the inputs.
                loop {
                    upkeep.look(run)?;
                    if stop.load(Ordering::Relaxed) {
                        return Ok(false);
                    }
                    if !pace.waits() {
                        break;
                    }
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
