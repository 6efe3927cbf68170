//! The hub: the clock, who is connected, what is counted.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::faults::{Absence, Agenda};
use super::line::{Ending, Line};
use super::{Counts, Feed, Stream};

pub(super) struct Hub {
    pub stream: Stream,
    pub api_key: String,
    /// The clock of the stream, and that of REST when it follows.
    now: AtomicI64,
    rest: Option<Arc<AtomicI64>>,
    pace: Mutex<f64>,
    is_done: AtomicBool,
    is_stopping: AtomicBool,
    agenda: Mutex<Agenda>,
    counts: [Mutex<Counts>; 2],
    /// Clients that have authenticated, in order of arrival.
    lines: Mutex<Vec<Arc<Line>>>,
    /// Every open connection, whoever it is.
    open: Mutex<HashMap<u64, TcpStream>>,
    arrivals: AtomicU64,
    gone_until: Mutex<Option<Until>>,
}

enum Until {
    Event(i64),
    Wall(Instant),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while it is held")
}

impl Hub {
    pub fn new(stream: Stream, api_key: &str, rest: Option<Arc<AtomicI64>>) -> Hub {
        Hub {
            pace: Mutex::new(stream.pace),
            stream,
            api_key: api_key.to_owned(),
            now: AtomicI64::new(0),
            rest,
            is_done: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            agenda: Mutex::default(),
            counts: Default::default(),
            lines: Mutex::default(),
            open: Mutex::default(),
            arrivals: AtomicU64::new(0),
            gone_until: Mutex::new(None),
        }
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn set_now(&self, ts: i64) {
        if let Some(rest) = &self.rest {
            rest.store(ts, Ordering::SeqCst);
        }
        self.now.store(ts, Ordering::SeqCst);
    }

    pub fn pace(&self) -> f64 {
        *lock(&self.pace)
    }

    pub fn set_pace(&self, pace: f64) {
        *lock(&self.pace) = pace;
    }

    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }

    pub fn set_done(&self) {
        self.is_done.store(true, Ordering::SeqCst);
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for stream in lock(&self.open).values() {
            // It may have closed by itself.
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    pub fn agenda(&self) -> MutexGuard<'_, Agenda> {
        lock(&self.agenda)
    }

    pub fn counts(&self, feed: Feed) -> MutexGuard<'_, Counts> {
        lock(&self.counts[feed as usize])
    }

    /// Returns the number under which the connection is known.
    pub fn arrive(&self, stream: TcpStream) -> u64 {
        let number = self.arrivals.fetch_add(1, Ordering::SeqCst);
        lock(&self.open).insert(number, stream);
        number
    }

    /// Lets an authenticated client in; the oldest of the feed goes when there are too many.
    pub fn enter(&self, line: &Arc<Line>) {
        let others = self.lines(line.feed);
        lock(&self.lines).push(Arc::clone(line));
        let too_many = (others.len() + 1).saturating_sub(self.stream.connection_limit);
        for other in others.iter().take(too_many) {
            other.end(Ending::too_many());
        }
    }

    /// Tells the client nothing more.
    pub fn forget(&self, line: &Line) {
        lock(&self.lines).retain(|other| other.number != line.number);
    }

    /// Forgets the client, and returns the stream that was kept of it.
    pub fn leave(&self, number: u64) -> Option<TcpStream> {
        lock(&self.lines).retain(|line| line.number != number);
        lock(&self.open).remove(&number)
    }

    /// Ends a connection whose thread may be stuck in writing to it.
    pub fn cut(&self, line: &Line) {
        line.end(Ending::Cut);
        if let Some(stream) = lock(&self.open).get(&line.number) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    pub fn lines(&self, feed: Feed) -> Vec<Arc<Line>> {
        let lines = lock(&self.lines);
        let lines = lines.iter().filter(|line| line.feed == feed);
        lines.cloned().collect()
    }

    /// Whether anybody ever subscribed on the feed, even if gone since.
    pub fn was_heard(&self, feed: Feed) -> bool {
        self.counts(feed).subscriptions > 0
    }

    /// Whether nobody is subscribed on a feed that is waited for, although somebody could be.
    pub fn is_somebody_missing(&self) -> bool {
        if matches!(*lock(&self.gone_until), Some(Until::Event(ts)) if self.now() < ts) {
            // Nobody gets in before the clock has moved on.
            return false;
        }
        let is_there = |feed: &Feed| self.lines(*feed).iter().any(|line| line.is_listening());
        !self.stream.waits_for.iter().all(is_there)
    }

    pub fn go_away(&self, absence: Absence) {
        let until = match absence {
            Absence::EventTime(time) => Until::Event(self.now().saturating_add(nanos(time))),
            Absence::WallTime(time) => Until::Wall(Instant::now() + time),
        };
        *lock(&self.gone_until) = Some(until);
        for line in lock(&self.lines).iter() {
            line.end(Ending::Reset);
        }
    }

    /// An absence by the stream's clock is over at the latest when the stream is.
    pub fn is_gone(&self) -> bool {
        match *lock(&self.gone_until) {
            Some(Until::Event(ts)) => self.now() < ts && !self.is_done(),
            Some(Until::Wall(instant)) => Instant::now() < instant,
            None => false,
        }
    }
}

pub(super) fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).expect("less than three centuries")
}
