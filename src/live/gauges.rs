//! Gauges: the figures of a running stream, written where they arise and read by whoever shows them.
//!
//! Every one of them is a count or a last value behind an atomic; none decides anything.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::Feed;
use crate::strategies::Kind;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The last value of something.
#[derive(Debug, Default)]
pub struct Level(AtomicI64);

impl Level {
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Moves it up, or down when `more` is negative.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A yes or no that changes.
#[derive(Debug, Default)]
pub struct Switch(AtomicBool);

impl Switch {
    pub fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something took how long.
#[derive(Debug, Default)]
pub struct Durations {
    /// By the first bound that it did not exceed; the last counts what exceeded all.
    counts: [Count; Durations::BOUNDS_NS.len() + 1],
    sum_ns: Count,
}

impl Durations {
    /// From a tenth of a millisecond to a minute.
    pub const BOUNDS_NS: [u64; 16] = [
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_000_000,
        3_000_000,
        4_000_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        500_000_000,
        1_000_000_000,
        10_000_000_000,
        60_000_000_000,
    ];

    fn add(&self, duration: Duration) {
        let ns = duration.as_nanos() as u64;
        let place = Durations::BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.counts[place].add(1);
        self.sum_ns.add(ns);
    }

    /// How many took at most each bound, and how many there were in all.
    pub fn cumulative(&self) -> [u64; Durations::BOUNDS_NS.len() + 1] {
        let mut sum = 0;
        std::array::from_fn(|place| {
            sum += self.counts[place].get();
            sum
        })
    }

    pub fn sum_ns(&self) -> u64 {
        self.sum_ns.get()
    }
}

/// Everything a stream can be asked about while it runs.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Messages of the sockets, lines of a recording.
    pub frames: Count,
    /// Frames that found the queue full; their prints are asked for again by REST.
    pub dropped_frames: Count,
    pub malformed: Count,
    pub unknown_messages: Count,
    /// Option prints of the universe.
    pub prints: Count,
    pub duplicates: Count,
    /// Prints that came after their time had been settled.
    pub late_prints: Count,
    pub bars: Count,
    /// Flow events shown to the strategies.
    pub events: Count,
    pub signals: [Count; Kind::ALL.len()],
    pub trades_closed: Count,
    pub reconnects: [Count; Feed::ALL.len()],
    /// Holes that were closed by REST, and those that could not be.
    pub gaps_closed: Count,
    pub gaps_left: Count,
    pub alerts_sent: Count,
    pub alerts_dead: Count,

    pub is_up: [Switch; Feed::ALL.len()],
    /// Nothing came for too long while the session was open.
    pub is_stale: [Switch; Feed::ALL.len()],
    /// Between two sessions: no feed is held open.
    pub is_resting: Switch,
    /// Frames read and not yet worked off.
    pub queue_depth: Level,
    pub alerts_waiting: Level,
    pub open_positions: Level,
    /// Stream time of the last event, nanoseconds UTC; 0 before the first.
    pub last_event_ts: Level,
    /// Wall clock of the last event's decision and of the last alert's delivery, likewise.
    pub last_event_at: Level,
    pub last_alert_at: Level,
    /// From the frame that completed the last event to its decision, nanoseconds.
    pub event_lag_ns: Level,
    /// The same of all events.
    pub event_lags: Durations,
    /// How far the stream's clock is ahead of this machine's, nanoseconds.
    pub clock_skew_ns: Level,
}

impl Gauges {
    pub fn signals_of(&self, kind: Kind) -> &Count {
        &self.signals[kind as usize]
    }

    pub fn signals_in_all(&self) -> u64 {
        self.signals.iter().map(Count::get).sum()
    }

    /// An event was decided on so long after the frame that completed it came in.
    pub fn decided_after(&self, lag: Duration) {
        self.event_lag_ns.set(lag.as_nanos() as i64);
        self.event_lags.add(lag);
    }

    pub fn drops(&self) -> u64 {
        self.dropped_frames.get()
    }

    pub fn reconnects_in_all(&self) -> u64 {
        self.reconnects.iter().map(Count::get).sum()
    }
}
