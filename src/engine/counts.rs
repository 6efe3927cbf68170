//! Counts: what became of every event. All of them are sums, so that parts of a run simply add.

use std::collections::BTreeMap;

use crate::strategies::{Gate, Kind};

/// What one mode did with the events shown to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ModeCounts {
    signals: u64,
    rejected: [u64; Gate::ALL.len()],
    /// Events that were scored without a tag because nobody could know the trend, or a level.
    missing_trend: u64,
    missing_level: u64,
    no_entry: u64,
    trades: u64,
    open: u64,
}

/// What became of a run's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everything in the period's files.
    pub events_read: u64,
    /// Shown to the strategies: `events_read` less those below.
    pub candidates: u64,
    pub multi_leg: u64,
    pub below_floor: u64,
    pub expired_contract: u64,
    pub bad_price: u64,
    /// Events before the period, evaluated for their memories and reported nowhere.
    pub warmup_events: u64,
    modes: [ModeCounts; Kind::ALL.len()],
}

impl Counts {
    pub fn rejected(&mut self, kind: Kind, gate: Gate) {
        self.modes[kind as usize].rejected[gate as usize] += 1;
    }

    pub fn signal(&mut self, kind: Kind) {
        self.modes[kind as usize].signals += 1;
    }

    pub fn missing(&mut self, kind: Kind, trend: bool, level: bool) {
        let mode = &mut self.modes[kind as usize];
        mode.missing_trend += u64::from(trend);
        mode.missing_level += u64::from(level);
    }

    pub fn no_entry(&mut self, kind: Kind) {
        self.modes[kind as usize].no_entry += 1;
    }

    pub fn trade(&mut self, kind: Kind, is_open: bool) {
        let mode = &mut self.modes[kind as usize];
        mode.trades += 1;
        mode.open += u64::from(is_open);
    }

    pub fn signals(&self, kind: Kind) -> u64 {
        self.modes[kind as usize].signals
    }

    pub fn trades(&self, kind: Kind) -> u64 {
        self.modes[kind as usize].trades
    }

    pub fn add(&mut self, other: &Counts) {
        self.events_read += other.events_read;
        self.candidates += other.candidates;
        self.multi_leg += other.multi_leg;
        self.below_floor += other.below_floor;
        self.expired_contract += other.expired_contract;
        self.bad_price += other.bad_price;
        self.warmup_events += other.warmup_events;
        for (mine, theirs) in self.modes.iter_mut().zip(&other.modes) {
            mine.signals += theirs.signals;
            mine.missing_trend += theirs.missing_trend;
            mine.missing_level += theirs.missing_level;
            mine.no_entry += theirs.no_entry;
            mine.trades += theirs.trades;
            mine.open += theirs.open;
            for (mine, theirs) in mine.rejected.iter_mut().zip(theirs.rejected) {
                *mine += theirs;
            }
        }
    }

    /// Every event is accounted for: once before the strategies, and once by each mode.
    pub fn balance(&self) -> bool {
        let stopped = self.multi_leg + self.below_floor + self.expired_contract + self.bad_price;
        let each_mode = self.modes.iter().all(|mode| {
            let answered = mode.signals + mode.rejected.iter().sum::<u64>();
            answered == self.candidates && mode.signals == mode.trades + mode.no_entry
        });
        self.events_read == stopped + self.candidates && each_mode
    }

    /// All counts under dotted names, as the manifest lists them: `rejected.SCALP.premium`. Zeros
    /// of single gates are left out.
    pub fn named(&self) -> BTreeMap<String, u64> {
        let mut named: BTreeMap<String, u64> = [
            ("events_read", self.events_read),
            ("candidates", self.candidates),
            ("multi_leg", self.multi_leg),
            ("below_floor", self.below_floor),
            ("bad_rows.expired_contract", self.expired_contract),
            ("bad_rows.bad_price", self.bad_price),
            ("warmup_events", self.warmup_events),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into();
        for (kind, mode) in Kind::ALL.iter().zip(&self.modes) {
            named.insert(format!("signals.{kind}"), mode.signals);
            named.insert(format!("trades.{kind}"), mode.trades);
            named.insert(format!("open.{kind}"), mode.open);
            named.insert(format!("no_entry.{kind}"), mode.no_entry);
            named.insert(format!("missing_context.{kind}.trend"), mode.missing_trend);
            named.insert(format!("missing_context.{kind}.level"), mode.missing_level);
            for (gate, count) in Gate::ALL
                .iter()
                .zip(mode.rejected)
                .filter(|(_, count)| *count > 0)
            {
                named.insert(format!("rejected.{kind}.{gate}"), count);
            }
        }
        named
    }
}
