//! The stream: day after day from the vendor's websockets, or one day from a recording of them.

mod morning;
mod sockets;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use chrono::NaiveDate;

use super::state::{self, Beginning};
use super::warm;
use super::watch::{self, Watched};
use super::{Args, Source, outcome};
use crate::cli::failure::Failure;
use crate::cli::fetch::massive::connect;
use crate::cli::period::say_gaps;
use crate::cli::{Session, Status, dates, universe, writable_folder};
use crate::config::{Config, QuoteSource};
use crate::engine::{Gaps, Job, Period};
use crate::fetch;
use crate::live::stream::{Day, KeptPrints, Pipeline, Resume, StreamTape, Waits};
use crate::live::{
    Errands, Feed, Gauges, Message, Opening, Poller, Recorder, Recording, Run, Upkeep, wall_clock,
};
use crate::providers::massive::Massive;
use crate::store::{Store, Table};
use crate::time::{Calendar, Session as ExchangeSession};
use sockets::Sockets;
use work::Work;

/// Frames and answers that wait for the pipeline.
const QUEUE: usize = 16 * 1024;
/// Messages worked off before the journal and the clock get a look.
const BATCH: usize = 512;
const BREATH: Duration = Duration::from_millis(20);
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
const DEFAULT_STATE_DIR: &str = "live";
/// What the events of a stream say of where they come from.
const SOURCE: &str = "massive/websocket";
/// The pre-market's first bars come at four in the morning.
const DAY_BEGINS_MINUTES: i64 = 3 * 60 + 50;

/// What all days of a stream share.
struct Stream<'a> {
    session: &'a Session,
    args: &'a Args,
    config: &'a Config,
    calendar: Arc<Calendar>,
    store: &'a Store,
    tickers: &'a [String],
    /// None for a recording: it has its answers.
    massive: Option<Arc<Massive>>,
    state_dir: Option<PathBuf>,
    gauges: Arc<Gauges>,
    stop: Arc<AtomicBool>,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Arc::new(Calendar::shipped());
    dates::check(&calendar, args.day, args.day)?;
    let is_recording = args.source == Source::Recording;
    let stop = watch::stop_flag()?;
    let massive = match is_recording {
        true => None,
        false => Some(Arc::new(connect(&config, stop.clone())?)),
    };
    let data_dir = session.data_dir();
    writable_folder(&data_dir, "--data-dir")?;
    writable_folder(&session.global.runs_dir, "--runs-dir")?;
    let store = Store::folder(&data_dir);
    let tickers = tickers(args, &config, &store)?;
    let default_dir = (!is_recording).then(|| PathBuf::from(DEFAULT_STATE_DIR));
    let stream = Stream {
        session,
        args,
        config: &config,
        calendar,
        store: &store,
        tickers: &tickers,
        massive,
        state_dir: args.state_dir.clone().or(default_dir),
        gauges: Arc::default(),
        stop,
    };
    stream.run()
}

/// Those named, else the config's, else all in the cache.
pub fn tickers(args: &Args, config: &Config, store: &Store) -> anyhow::Result<Vec<String>> {
    let mut tickers = universe::named_tickers(&args.tickers)?;
    if tickers.is_empty() {
        tickers.clone_from(&config.universe.tickers);
    }
    if tickers.is_empty() {
        tickers = store.tickers(Table::Flow)?;
    }
    if tickers.is_empty() {
        return Err(Failure::usage("no tickers to listen to")
            .hint("name them with --tickers, or in universe.tickers of the config")
            .into());
    }
    tickers.sort();
    tickers.dedup();
    Ok(tickers)
}

impl Stream<'_> {
    fn run(&self) -> anyhow::Result<Status> {
        let first = warm::first_day(self.day_asked_for()?, &self.calendar)?;
        let calendar: &Calendar = &self.calendar;
        let mut warm_up_gaps = Gaps::default();
        if self.massive.is_some() {
            self.warm_up(&first)?;
        }
        if self.is_stopped() {
            self.session.say("stopped; what is fetched stays");
            return Ok(Status::Fine);
        }
        let beginning = Beginning {
            opening: Opening::new(
                self.config.rules_hash(),
                format!("{} {}", self.name(), self.store.name()),
                self.tickers.to_vec(),
                // What came before anybody listened is no news.
                match self.args.day {
                    Some(_) => first.day_start(),
                    None => wall_clock(),
                },
                first.date,
            ),
            desk: |start| {
                let (config, store) = (self.config, self.store);
                warm::desk(
                    config,
                    calendar,
                    store,
                    self.tickers,
                    start,
                    &mut warm_up_gaps,
                )
            },
            state_dir: self.state_dir.clone(),
            keeps_inputs: true,
            sends: !self.args.dry_run && (self.massive.is_some() || self.args.send),
            now: self.args.day.is_none().then(wall_clock),
        };
        let mut run = state::begin(
            self.session,
            self.args,
            self.config,
            &self.gauges,
            beginning,
        )?;
        if let Some(heard_to) = run.heard_to().filter(|heard_to| *heard_to > first.date) {
            let failure = format!(
                "the state has heard of {heard_to}; {} is before it",
                first.date
            );
            return Err(Failure::failed(failure)
                .hint("`--fresh` sets the old state aside and begins anew; another --state-dir keeps both")
                .into());
        }
        say_gaps(self.session, &warm_up_gaps);
        let feeds = self.feeds();
        let watched = Watched {
            source: format!("{}, {} tickers", self.name(), self.tickers.len()),
            feeds,
            gauges: self.gauges.clone(),
            board: run.board.clone(),
        };
        let beat_every = Duration::from_secs_f64(self.config.live.heartbeat_seconds);
        let upkeep = Upkeep::new(feeds.to_vec(), &run, beat_every);
        let mut upkeep = upkeep.context("cannot keep the state")?;
        let mut last = first;
        let days = || {
            self.catch_up(&mut run, &first)?;
            while let Some(next) = self.day(&last, &mut run, &mut upkeep)? {
                last = next;
                self.prepare(&mut run, &last);
            }
            Ok(())
        };
        let ended = watch::while_watched(self.session, self.args, &watched, &self.stop, days);
        run.sync()?;
        let input_hash = run.journal().map(|journal| journal.input_hash());
        let job = Job {
            store: self.store,
            calendar,
            config: self.config,
            tickers: self.tickers,
            period: Period {
                start: run.began().unwrap_or(first.date),
                end: last.date,
            },
        };
        let input_hash = input_hash.unwrap_or_else(|| "not kept".to_owned());
        if ended.is_err() && self.gauges.events.get() == 0 {
            run.close(CLOSE_WITHIN)?;
            return ended.map(|()| Status::Fine);
        }
        let status = outcome::write_run(self.session, &job, &run, Gaps::default(), input_hash)?;
        run.close(CLOSE_WITHIN)?;
        ended.map(|()| status)
    }

    fn name(&self) -> &'static str {
        match self.args.source {
            Source::Massive => "massive",
            Source::MassivePoll => "massive-poll",
            _ => "recording",
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The day of the command line, else that of the recording.
    fn day_asked_for(&self) -> anyhow::Result<Option<NaiveDate>> {
        let Some(path) = self.args.recording.as_deref() else {
            return Ok(self.args.day);
        };
        // Also: better now than after the warm-up.
        let first = Recording::open(path)?.next_message()?;
        let recorded = first.map(|(at, _)| at.exchange_date());
        Ok(self.args.day.or(recorded))
    }

    /// The feeds that are held open.
    fn feeds(&self) -> &'static [Feed] {
        match self.args.source {
            Source::Massive => Feed::ALL,
            _ => &[],
        }
    }

    /// One exchange day. Returns the next session, or none when it is time to stop.
    fn day(
        &self,
        session: &ExchangeSession,
        run: &mut Run,
        upkeep: &mut Upkeep,
    ) -> anyhow::Result<Option<ExchangeSession>> {
        let (queue, messages) = sync_channel(QUEUE);
        let mut pipeline = match self.pipeline(session, run, &queue) {
            // What was asked for was left because of that.
            Err(_) if self.is_stopped() => return Ok(None),
            pipeline => pipeline?,
        };
        let mut recorder = self
            .args
            .record
            .as_deref()
            .map(Recorder::open)
            .transpose()?;
        let ears = match (&self.massive, self.args.source) {
            (Some(massive), Source::MassivePoll) => Ears::Poll(self.poll(massive, session, queue)),
            (Some(_), _) => Ears::Sockets(Sockets::start(self, session, queue)?),
            (None, _) => Ears::None,
        };
        let mut work = Work {
            pipeline: &mut pipeline,
            run,
            upkeep,
            recorder: &mut recorder,
            stop: &self.stop,
        };
        let worked = match ears {
            Ears::None => work.recording(self.args),
            _ => work.until(&messages, || {
                self.args.day.is_none() && wall_clock() >= warm::day_ends(session)
            }),
        };
        if let Some(recorder) = &mut recorder {
            recorder.flush()?;
        }
        let is_over = self.args.day.is_none() && !self.is_stopped();
        if worked.is_ok() && is_over && self.massive.is_some() {
            pipeline.end(run)?;
        }
        // Whoever still answers finds nobody, and ends.
        drop(messages);
        match ears {
            Ears::Sockets(sockets) => sockets.close(),
            // A question under way ends by itself; nobody waits for it.
            Ears::Poll(stop) => stop.store(true, Ordering::Relaxed),
            Ears::None => {}
        }
        pipeline.close()?;
        worked?;
        self.next_session(session, run, upkeep)
    }

    /// Begins rounds of asking, and returns the flag that ends them.
    fn poll(
        &self,
        massive: &Arc<Massive>,
        session: &ExchangeSession,
        messages: SyncSender<Message>,
    ) -> Arc<AtomicBool> {
        let general = &self.config.general;
        let stop = Arc::new(AtomicBool::new(false));
        let poller = Poller {
            massive: massive.clone(),
            calendar: self.calendar.clone(),
            session: *session,
            tickers: self.tickers.to_vec(),
            every: Duration::from_secs_f64(general.poll_interval_seconds),
            most: general.max_events_per_cycle as usize,
            stop: stop.clone(),
        };
        poller.start(messages);
        stop
    }

    /// Waits for the morning of the session after `session`; none when there is nothing to wait for.
    fn next_session(
        &self,
        session: &ExchangeSession,
        run: &mut Run,
        upkeep: &mut Upkeep,
    ) -> anyhow::Result<Option<ExchangeSession>> {
        if self.massive.is_none() || self.args.day.is_some() || self.is_stopped() {
            return Ok(None);
        }
        let after = session.date.succ_opt().expect("the calendar ends sooner");
        let mut next = warm::day_not_over(after, &self.calendar)?;
        self.session
            .say(&format!("{} is over; next is {}", session.date, next.date));
        self.gauges.is_resting.set(true);
        while wall_clock() < next.day_start().plus_minutes(DAY_BEGINS_MINUTES) {
            if self.is_stopped() {
                return Ok(None);
            }
            upkeep.look(run)?;
            std::thread::sleep(Duration::from_millis(250));
            // The machine may have slept for days.
            next = warm::day_not_over(after, &self.calendar)?;
        }
        self.gauges.is_resting.set(false);
        Ok(Some(next))
    }

    fn pipeline<'p>(
        &'p self,
        session: &ExchangeSession,
        run: &Run,
        answers: &SyncSender<Message>,
    ) -> anyhow::Result<Pipeline<'p>> {
        let live = &self.config.live;
        let mut tape = StreamTape::new(
            self.store,
            &self.calendar,
            self.config,
            self.tickers,
            session.date,
            SOURCE,
            live.quotes == QuoteSource::Rest,
        )?;
        let mut listed = Vec::new();
        let mut errands = Some(Errands::Recorded);
        if let Some(massive) = &self.massive {
            for ticker in self.tickers {
                let rows = massive.contracts(ticker, session.date, session.date)?.rows;
                let (plain, adjusted): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|row| row.is_plain());
                listed.extend(plain.into_iter().map(|row| row.contract));
                tape.leave_out(adjusted.into_iter().map(|row| row.contract));
            }
            let threads = self.config.massive.concurrency as usize;
            errands = Some(Errands::start(threads, massive, &self.calendar, answers));
        }
        let mut resume = Resume::default();
        let mut kept = None;
        if let (Some(journal), Some(folder)) = (run.journal(), &self.state_dir) {
            journal.inputs(|input, _| resume.see(&input, session.date))?;
            kept = Some(keep_prints(folder, session.date)?);
        }
        let day = Day {
            session: *session,
            rules: fetch::rules(self.config, Some(session)),
            tickers: self.tickers,
            tape,
            listed,
            waits: Waits {
                reorder_ns: live.reorder_ms as i64 * 1_000_000,
                quiet: Duration::from_secs_f64(live.quiet_seconds),
                bar: Duration::from_secs_f64(live.bar_wait_seconds),
            },
            resume,
            kept,
            errands,
            gauges: self.gauges.clone(),
        };
        Ok(Pipeline::new(day)?)
    }
}

/// The day's prints in `folder`; those of earlier days are needed no more.
fn keep_prints(
    folder: &Path,
    date: NaiveDate,
) -> anyhow::Result<(KeptPrints, crate::live::stream::Recovered)> {
    let name = format!("prints-{date}.ndjson");
    for entry in std::fs::read_dir(folder).context("cannot read the state")? {
        let file = entry.context("cannot read the state")?.file_name();
        let file = file.to_string_lossy();
        if file.starts_with("prints-") && *file < *name {
            std::fs::remove_file(folder.join(&*file)).context("cannot tidy the state")?;
        }
    }
    KeptPrints::open(&folder.join(name)).context("cannot keep the day's prints")
}

/// Where messages come from.
enum Ears {
    Sockets(Sockets),
    Poll(Arc<AtomicBool>),
    /// A recording is read where it is worked off.
    None,
}
