//! Lines from standard input: events and bars that somebody else has, to the desk.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::Context as _;

use super::state::{self, Beginning};
use super::stream::tickers;
use super::watch::{self, Watched};
use super::{Args, outcome, warm};
use crate::cli::period::say_gaps;
use crate::cli::{Session, Status, dates, writable_folder};
use crate::engine::{Gaps, Job, Period};
use crate::live::stream::Resume;
use crate::live::{Gauges, Input, Lines, Opening, Run, Upkeep};
use crate::time::{Calendar, Session as ExchangeSession, Ts};

const QUEUE: usize = 1024;
const BREATH: Duration = Duration::from_millis(20);
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
/// Bad lines that are named before they are only counted.
const NAMED: u64 = 20;

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    dates::check(&calendar, args.day, args.day)?;
    let stop = watch::stop_flag()?;
    let store = session.store()?;
    writable_folder(&session.global.runs_dir, "--runs-dir")?;
    let tickers = tickers(args, &config, &store)?;
    let first = warm::first_day(args.day, &calendar)?;
    let gauges = Arc::<Gauges>::default();
    let mut warm_up_gaps = Gaps::default();
    let beginning = Beginning {
        opening: Opening::new(
            config.rules_hash(),
            format!("stdin {}", store.name()),
            tickers.clone(),
            first.day_start(),
            first.date,
        ),
        desk: |start| {
            warm::desk(
                &config,
                &calendar,
                &store,
                &tickers,
                start,
                &mut warm_up_gaps,
            )
        },
        state_dir: args.state_dir.clone(),
        keeps_inputs: true,
        sends: args.send,
        now: None,
    };
    let mut run = state::begin(session, args, &config, &gauges, beginning)?;
    say_gaps(session, &warm_up_gaps);
    let watched = Watched {
        source: "stdin".to_owned(),
        feeds: &[],
        gauges,
        board: run.board.clone(),
    };
    let last = watch::while_watched(session, args, &watched, &stop, || {
        let beat_every = Duration::from_secs_f64(config.live.heartbeat_seconds);
        let upkeep = Upkeep::new(Vec::new(), &run, beat_every);
        let mut upkeep = upkeep.context("cannot keep the state")?;
        let mut resume = Resume::default();
        if let Some(journal) = run.journal() {
            journal.inputs(|input, _| {
                resume.is_new(&input);
            })?;
        }
        let mut desk = Work {
            lines: Lines::new(&calendar),
            calendar: &calendar,
            tickers: &tickers,
            begins: first.day_start(),
            day: first,
            is_closed: false,
            resume,
            run: &mut run,
        };
        desk.until_end(&mut upkeep, &stop)?;
        Ok(desk.day)
    })?;
    let job = Job {
        store: &store,
        calendar: &calendar,
        config: &config,
        tickers: &tickers,
        period: Period {
            start: run.began().unwrap_or(first.date),
            end: last.date,
        },
    };
    let input_hash = run.journal().map(|journal| journal.input_hash());
    let input_hash = input_hash.unwrap_or_else(|| "not kept".to_owned());
    let status = outcome::write_run(session, &job, &run, Gaps::default(), input_hash)?;
    let bad = run.gauges.malformed.get();
    run.close(CLOSE_WITHIN)?;
    if bad > 0 {
        session.say(&format!("{bad} lines could not be read"));
        return Ok(Status::Gaps);
    }
    Ok(status)
}

struct Work<'w, 'r> {
    lines: Lines<'w>,
    calendar: &'w Calendar,
    tickers: &'w [String],
    /// The first day's beginning: what lies before is warm-up and comes from the cache.
    begins: Ts,
    day: ExchangeSession,
    /// Whether the day's session was told to be over.
    is_closed: bool,
    resume: Resume,
    run: &'w mut Run<'r>,
}

impl Work<'_, '_> {
    fn until_end(&mut self, upkeep: &mut Upkeep, stop: &AtomicBool) -> anyhow::Result<()> {
        let lines = reader();
        while !stop.load(Ordering::Relaxed) {
            match lines.recv_timeout(BREATH) {
                Ok(line) => self.line(&line.context("cannot read standard input")?)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            upkeep.look(self.run)?;
        }
        self.run.mark();
        // What was told is still delivered.
        while !stop.load(Ordering::Relaxed) && !self.run.is_delivered(BREATH) {
            upkeep.look(self.run)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        let inputs = match self.lines.read(text) {
            Ok(inputs) => inputs,
            Err(error) => {
                self.run.gauges.malformed.add(1);
                if self.run.gauges.malformed.get() <= NAMED {
                    log::warn!("standard input, {error}");
                }
                return Ok(());
            }
        };
        if self.lines.known() < self.begins {
            self.run.gauges.malformed.add(1);
            log::warn!("standard input tells of a time before {}", self.begins);
            return Ok(());
        }
        self.session_overs()?;
        for input in inputs {
            let is_of_run = match &input {
                Input::Event(event) => self.tickers.contains(&event.ticker),
                Input::Bar { ticker, .. } => self.tickers.contains(ticker),
                _ => true,
            };
            // Whoever starts again may tell everything again.
            if is_of_run && self.resume.is_new(&input) {
                self.run.take(&input, None)?;
            }
        }
        Ok(())
    }

    /// Time has come to the last line: a session whose close lies before is over.
    fn session_overs(&mut self) -> anyhow::Result<()> {
        let known = self.lines.known();
        while known > self.day.close {
            if !std::mem::replace(&mut self.is_closed, true) {
                for ticker in self.tickers {
                    let over = Input::SessionOver {
                        ticker: ticker.clone(),
                        date: self.day.date,
                    };
                    if self.resume.is_new(&over) {
                        self.run.take(&over, None)?;
                    }
                }
            }
            let index = self.calendar.index_on(self.day.date);
            let next = index.and_then(|index| self.calendar.all().get(index + 1));
            let Some(next) = next.filter(|next| known >= next.day_start()) else {
                return Ok(());
            };
            self.day = *next;
            self.is_closed = false;
        }
        Ok(())
    }
}

/// Reads standard input in a thread of its own, for nothing interrupts it there.
fn reader() -> Receiver<std::io::Result<String>> {
    let (queue, lines) = sync_channel(QUEUE);
    std::thread::spawn(move || {
        // A line that is no text is a bad line, not the end.
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map(|line| String::from_utf8_lossy(&line).into_owned());
            if queue.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
