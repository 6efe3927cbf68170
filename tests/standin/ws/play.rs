//! Play: moves the clock from step to step and tells what is due.
//!
//! ```text
//!   clock to the end of the step (REST sees it) → due messages → frames → lines
//! ```

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{Datelike, NaiveDate};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::super::world::World;
use super::Feed;
use super::faults::{Moment, Trouble};
use super::hub::{Hub, nanos};
use super::line::{Ending, Line};
use super::tape::{self, Tape, Told};
use super::wire;

/// Between two looks at the wall's clock.
const TICK: Duration = Duration::from_millis(1);
/// No more of the time that was lost by waiting for a slow client is made up for.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Tells all sessions of the stream, then says that it is done.
pub(super) fn play(hub: &Hub, world: &World) {
    for date in &hub.stream.days {
        let (mut now, end) = tape::span(world, *date);
        let mut session = Session::new(hub, world, *date);
        if !somebody_hears(hub) {
            return;
        }
        let mut pacer = Pacer::new(nanos(hub.stream.step).max(1));
        while now < end {
            if !pacer.wait(hub) {
                return;
            }
            let quiet = session.tape.next_due().unwrap_or(end) - now;
            now = end.min(now + pacer.stride(hub, quiet));
            hub.set_now(now);
            session.tell_due(now);
        }
        session.tell_echoes();
    }
    hub.set_done();
}

/// Returns once every feed has been heard; false when the server stops.
fn somebody_hears(hub: &Hub) -> bool {
    let is_heard = |feed: &Feed| hub.was_heard(*feed);
    while !hub.stream.waits_for.iter().all(is_heard) {
        if hub.is_stopping() {
            return false;
        }
        thread::sleep(TICK);
    }
    true
}

/// Event time that may pass, from the time that has passed on the wall.
struct Pacer {
    /// In ns, as is the credit.
    step: i64,
    credit: f64,
    looked: Instant,
}

impl Pacer {
    fn new(step: i64) -> Pacer {
        Pacer {
            step,
            credit: 0.0,
            looked: Instant::now(),
        }
    }

    /// One step; without a pace to keep as many as it takes to get over `quiet`.
    fn stride(&self, hub: &Hub, quiet: i64) -> i64 {
        match hub.pace().is_infinite() {
            true => self.step * ((quiet - 1).div_euclid(self.step) + 1).max(1),
            false => self.step,
        }
    }

    /// Returns when the next step is due; false when the server stops.
    fn wait(&mut self, hub: &Hub) -> bool {
        let step = self.step as f64;
        while !hub.is_stopping() {
            if hub.stream.waits_for_return && hub.is_somebody_missing() {
                thread::sleep(TICK);
                self.looked = Instant::now();
                continue;
            }
            let pace = hub.pace();
            if pace.is_infinite() {
                return true;
            }
            if self.credit >= step {
                self.credit -= step;
                return true;
            }
            let passed = self.looked.elapsed();
            if passed < TICK {
                thread::sleep(TICK);
                continue;
            }
            self.looked += passed;
            self.credit += passed.min(CATCH_UP).as_secs_f64() * 1e9 * pace;
        }
        false
    }
}

struct Session<'a> {
    hub: &'a Hub,
    tape: Tape<'a>,
    random: Pcg64Mcg,
    /// Frames that will come again, by feed: each with the number of frames before it.
    echoes: [Vec<(usize, Vec<Told<'a>>)>; 2],
}

impl<'a> Session<'a> {
    fn new(hub: &'a Hub, world: &'a World, date: NaiveDate) -> Session<'a> {
        let plan = &hub.stream.plan;
        let tape = Tape::of(world, date, plan);
        for feed in Feed::ALL {
            hub.agenda().plan(plan, feed, &tape.instants(feed));
        }
        Session {
            hub,
            tape,
            random: plan.random(i64::from(date.num_days_from_ce()), 200),
            echoes: Default::default(),
        }
    }

    fn tell_due(&mut self, now: i64) {
        for feed in Feed::ALL {
            let due = self.tape.due(feed, now);
            for told in due.chunks(self.hub.stream.frame_messages.max(1)) {
                self.tell(feed, told);
            }
        }
    }

    fn tell(&mut self, feed: Feed, told: &[Told<'a>]) {
        deliver(self.hub, feed, told);
        let echoes = &mut self.echoes[feed as usize];
        for (wait, _) in echoes.iter_mut() {
            *wait -= 1;
        }
        for (_, told) in echoes.extract_if(.., |(wait, _)| *wait == 0) {
            repeat(self.hub, feed, &told);
        }
        if self
            .random
            .random_bool(self.hub.stream.plan.repeated_frames)
        {
            let wait = self.random.random_range(1..=4);
            echoes.push((wait, told.to_vec()));
        }
    }

    /// Those for which no further frame came.
    fn tell_echoes(&mut self) {
        for feed in Feed::ALL {
            for (_, told) in self.echoes[feed as usize].drain(..) {
                repeat(self.hub, feed, &told);
            }
        }
    }
}

/// Tells everybody who wants it, unless something strikes.
fn deliver(hub: &Hub, feed: Feed, told: &[Told]) {
    let wants = |line: &Arc<Line>| !line.select(told).is_empty();
    let mut lines = hub.lines(feed);
    lines.retain(wants);
    if lines.is_empty() {
        return;
    }
    let troubles = hub.agenda().strike(feed, Moment::Frame, hub.now());
    let ending = troubles.iter().find_map(ending);
    if let Some(ending) = ending {
        hub.counts(feed).ended += lines.len() as u64;
        lines.iter().for_each(|line| line.end(ending.clone()));
    }
    for trouble in &troubles {
        if let Trouble::Gone(absence) = trouble {
            hub.go_away(*absence);
        }
    }
    for line in &lines {
        hand_over(hub, line, &line.select(told), &troubles);
    }
}

fn repeat(hub: &Hub, feed: Feed, told: &[Told]) {
    for line in hub.lines(feed) {
        let count = hand_over(hub, &line, &line.select(told), &[]);
        hub.counts(feed).repeated += count;
    }
}

/// Puts frames into a client's queue; returns how many messages it got.
fn hand_over(hub: &Hub, line: &Line, told: &[Told], troubles: &[Trouble]) -> u64 {
    if told.is_empty() {
        return 0;
    }
    let stream = &hub.stream;
    let worded = wire::frames(told, stream.plan.skew_ms, troubles);
    for frame in worded.frames {
        if !line.push(frame, stream.buffered_frames.max(1), stream.slow_limit) {
            hub.cut(line);
            hub.counts(line.feed).ended += 1;
            return 0;
        }
    }
    let mut counts = hub.counts(line.feed);
    counts.frames += 1;
    counts.messages += told.len() as u64;
    counts.spoiled += worded.spoiled as u64;
    told.len() as u64
}

/// How a trouble ends a connection, if it does.
fn ending(trouble: &Trouble) -> Option<Ending> {
    match trouble {
        Trouble::Reset | Trouble::Gone(_) => Some(Ending::Reset),
        Trouble::Close(code) => Some(Ending::close(*code, "")),
        Trouble::Silence => Some(Ending::Silence),
        Trouble::SlowConsumer => Some(Ending::close(1008, "slow consumer")),
        Trouble::MaxConnections => Some(Ending::too_many()),
        _ => None,
    }
}
