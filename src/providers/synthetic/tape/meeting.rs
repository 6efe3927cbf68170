//! Meetings: the quotes before, during and after an event, and what is wrong with the one it met.

use rand::RngExt;

use super::contract::Writer;
use super::level::{Level, dollars, whole_cents};
use super::{Disturbance, MS_NS};
use crate::flow::{Print, Quote, Side};
use crate::providers::synthetic::Event;
use crate::providers::synthetic::random::log_uniform;
use crate::time::{MINUTE_NS, SECOND_NS, Ts};

/// Shares of events that meet a disturbed quote; the rest meet a good one. Where a disturbance finds no
/// room, as a stale quote in a busy minute or a move midway through a single print, the quote is good too.
const DISTURBED: [(Disturbance, f64); 6] = [
    (Disturbance::Stale, 0.02),
    (Disturbance::Unusable, 0.015),
    (Disturbance::MetInMillisecond, 0.04),
    (Disturbance::MovedBefore, 0.04),
    (Disturbance::MovedInMillisecond, 0.08),
    (Disturbance::MovedMidway, 0.10),
];
/// How old a good quote is.
const AGE_SECONDS: (f64, f64) = (0.001, 5.0);
const STALE_SECONDS: (f64, f64) = (61.0, 600.0);

/// The quote an event is about to meet, and what is wrong with it.
pub(super) struct Meeting {
    pub disturbance: Disturbance,
    /// From here to `met` the tape shows another quote.
    pub flicker: Ts,
    met: Ts,
}

impl Writer<'_> {
    /// How an event of `prints` meets its quote, when nothing happened since `busy_until`.
    pub(super) fn meeting(&mut self, prints: &[Print], busy_until: Ts) -> Meeting {
        let (first, last) = (prints[0].ts, prints[prints.len() - 1].ts);
        let quiet_ns = first.ns_since(busy_until);
        let drawn = self.disturbance();
        let (stale, good) = (self.seconds(STALE_SECONDS), self.seconds(AGE_SECONDS));
        let within = self.rng.random_range(1..MS_NS);
        // Half the quiet at most, so that what came before keeps its own quotes.
        let good = first.plus_ns(-good.min(quiet_ns / 2).max(1_000));
        let (disturbance, met) = match drawn {
            Disturbance::Stale if stale + MINUTE_NS < quiet_ns => (drawn, first.plus_ns(-stale)),
            Disturbance::MovedMidway if first < last => (drawn, good),
            Disturbance::Stale | Disturbance::MovedMidway => (Disturbance::None, good),
            Disturbance::MetInMillisecond => (drawn, first.plus_ns(within)),
            _ => (drawn, good),
        };
        let before = met.min(first);
        let lead = self.rng.random_range(MS_NS / 10..200 * MS_NS);
        let lead = lead.min(before.ns_since(busy_until) / 2).max(500);
        Meeting {
            disturbance,
            flicker: before.plus_ns(-lead),
            met,
        }
    }

    fn disturbance(&mut self) -> Disturbance {
        let mut u = self.rng.random::<f64>();
        for (disturbance, share) in DISTURBED {
            if u < share {
                return disturbance;
            }
            u -= share;
        }
        Disturbance::None
    }

    fn seconds(&mut self, (least, most): (f64, f64)) -> i64 {
        (log_uniform(&mut self.rng, least, most) * SECOND_NS as f64) as i64
    }

    /// Shows the quotes around `event`. Returns when the last one came and what it was.
    pub(super) fn quote_around(
        &mut self,
        event: &Event,
        level: Level,
        prints: &[Print],
        meeting: &Meeting,
    ) -> (Ts, Level) {
        let (first, last) = (prints[0].ts, prints[prints.len() - 1].ts);
        let Meeting { flicker, met, .. } = *meeting;
        // The market moves the way of the trade.
        let way = match event.side {
            Side::Buy => 1,
            Side::Sell => -1,
            Side::Unknown => 0,
        };
        let displaced = self.displaced(level);
        self.show(flicker, displaced.quote());
        let shown = match meeting.disturbance {
            Disturbance::Unusable => self.unusable(event, level),
            _ => level.quote(),
        };
        self.show(met, shown);
        let (mut wait_ns, mut ticks) = (
            self.rng.random_range(MS_NS..500 * MS_NS),
            self.rng.random_range(0..=2),
        );
        match meeting.disturbance {
            Disturbance::MovedBefore => {
                let moved = level.moved(way, way, self.tick);
                let lag = wait_ns.min(first.ns_since(met) / 2);
                self.show(first.plus_ns(-lag), moved.quote());
            }
            Disturbance::MovedMidway => {
                let (bid_by, ask_by) = if way > 0 { (0, 1) } else { (-1, 0) };
                let moved = level.moved(bid_by, ask_by, self.tick);
                if let Some(pair) = prints.windows(2).find(|pair| pair[0].ts < pair[1].ts) {
                    self.show(pair[1].ts.plus_ns(-500), moved.quote());
                }
            }
            Disturbance::MovedInMillisecond => {
                wait_ns = self.rng.random_range(1..MS_NS);
                ticks += 1;
            }
            _ => {}
        }
        let answer = level.moved(way * ticks, way * ticks, self.tick);
        let answered = last.plus_ns(wait_ns).max(met.plus_ns(1));
        self.show(answered, answer.quote());
        (answered, answer)
    }

    /// No offer, a locked market or a crossed one.
    fn unusable(&mut self, event: &Event, level: Level) -> Quote {
        let price = dollars(whole_cents(event.price));
        match self.rng.random_range(0..3) {
            0 => Quote {
                ask: 0.0,
                ..level.quote()
            },
            1 => Quote {
                bid: price,
                ask: price,
            },
            _ => Quote {
                bid: dollars(level.ask),
                ask: dollars(level.bid),
            },
        }
    }

    /// Another quote of about the same market, one to three ticks off.
    pub(super) fn displaced(&mut self, level: Level) -> Level {
        let ticks = self.rng.random_range(1..=3);
        let ticks = if self.rng.random::<bool>() {
            ticks
        } else {
            -ticks
        };
        level.moved(ticks, ticks, self.tick)
    }
}
