//! Progress: how far a fetch is, counted where the work is done and looked at from elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

/// The parts of a fetch, in their order: each may use what the ones before brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Splits,
    DailyBars,
    MinuteBars,
    OpenInterest,
    Flow,
}

impl Stage {
    pub const ALL: [Stage; 5] = [
        Stage::Splits,
        Stage::DailyBars,
        Stage::MinuteBars,
        Stage::OpenInterest,
        Stage::Flow,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Stage::Splits => "splits",
            Stage::DailyBars => "daily bars",
            Stage::MinuteBars => "minute bars",
            Stage::OpenInterest => "open interest",
            Stage::Flow => "flow",
        }
    }
}

/// One stage's count of units, a unit being what is stored in one go.
#[derive(Debug, Default)]
struct Count {
    done: AtomicU64,
    total: AtomicU64,
    rows: AtomicU64,
}

/// What a stage has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    pub done: u64,
    pub total: u64,
    pub rows: u64,
}

#[derive(Debug, Default)]
pub struct Progress {
    counts: [Count; Stage::ALL.len()],
}

impl Progress {
    pub fn reached(&self, stage: Stage) -> Reached {
        let count = &self.counts[stage as usize];
        Reached {
            done: count.done.load(Ordering::Relaxed),
            total: count.total.load(Ordering::Relaxed),
            rows: count.rows.load(Ordering::Relaxed),
        }
    }

    pub(super) fn expect(&self, stage: Stage, units: u64) {
        let count = &self.counts[stage as usize];
        count.total.fetch_add(units, Ordering::Relaxed);
    }

    pub(super) fn done(&self, stage: Stage, rows: u64) {
        let count = &self.counts[stage as usize];
        count.rows.fetch_add(rows, Ordering::Relaxed);
        count.done.fetch_add(1, Ordering::Relaxed);
    }
}
