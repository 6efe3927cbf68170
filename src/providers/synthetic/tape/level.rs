//! Levels: a quote in whole cents, which can be moved by ticks and stays a market that trades.

use crate::flow::Quote;
use crate::providers::synthetic::Event;

/// A bid below an ask, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub bid: i64,
    pub ask: i64,
}

impl Level {
    pub(super) fn of(event: &Event) -> Level {
        Level {
            bid: whole_cents(event.bid),
            ask: whole_cents(event.ask),
        }
    }

    /// The grid of quotes that are all on it, in cents.
    pub(super) fn tick(levels: &[Level]) -> i64 {
        let is_on_fives = |level: &Level| level.bid % 5 == 0 && level.ask % 5 == 0;
        if levels.iter().all(is_on_fives) { 5 } else { 1 }
    }

    /// Both sides moved, the bid to no less than a tick and the ask to a tick above it at least.
    pub(super) fn moved(self, bid_by: i64, ask_by: i64, tick: i64) -> Level {
        let bid = (self.bid + bid_by * tick).max(tick);
        Level {
            bid,
            ask: (self.ask + ask_by * tick).max(bid + tick),
        }
    }

    /// The level a part of the way from `self` to `to`, as wide as `to`.
    pub(super) fn on_the_way(self, to: Level, part: f64, tick: i64) -> Level {
        let middle = |level: Level| (level.bid + level.ask) as f64 / 2.0;
        let width = to.ask - to.bid;
        let aim = middle(self) + part.clamp(0.0, 1.0) * (middle(to) - middle(self));
        let bid = (((aim - width as f64 / 2.0) / tick as f64).round() as i64 * tick).max(tick);
        Level {
            bid,
            ask: bid + width,
        }
    }

    pub(super) fn quote(self) -> Quote {
        Quote {
            bid: dollars(self.bid),
            ask: dollars(self.ask),
        }
    }
}

pub(super) fn whole_cents(dollars: f64) -> i64 {
    (dollars * 100.0).round() as i64
}

pub(super) fn dollars(cents: i64) -> f64 {
    cents as f64 / 100.0
}
