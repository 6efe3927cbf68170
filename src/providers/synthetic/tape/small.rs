//! Small prints: what else a contract trades between two of its events, each far below any floor.
//!
//! They make up the volume that the market's events do not report, and bring what a tape is littered with:
//! flickering quotes, late reports, corrections, lone sweeps, crosses and legs. They keep a second away
//! from events and from each other, so that none joins another.

use std::ops::Range;

use rand::RngExt;
use rand_distr::Exp1;

use super::MS_NS;
use super::contract::{Origin, Writer};
use super::fill::{exchange, reported};
use super::level::{Level, dollars};
use crate::flow::{Class, MULTIPLIER, Print};
use crate::providers::synthetic::random::{Stream, chance};
use crate::time::{MINUTE_NS, SECOND_NS, Ts};

/// A small print is worth no more than this many dollars.
const MOST_DOLLARS: f64 = 3_000.0;
const MOST_PER_GAP: usize = 60;
const MEAN_CONTRACTS: f64 = 3.0;
/// Far enough that prints of neighbouring slots are never within the window.
const SPACING_MS: i64 = 1_000;
/// Share of small prints that come after a quote that was there for an instant only.
const FLICKER: f64 = 0.5;
/// Share at the middle of the quote.
const MIDDLE: f64 = 0.1;
/// Share reported late, at a price of some time ago.
const LATE: f64 = 0.03;
/// Share that the tape itself voids by its correction.
const CORRECTED: f64 = 0.01;
/// The other codes and their shares; the rest is regular.
const CODES: [(i16, f64); 6] = [
    (219, 0.06),
    (227, 0.06),
    (229, 0.02),
    (231, 0.01),
    (232, 0.10),
    (237, 0.01),
];

impl Writer<'_> {
    /// Writes about `unseen` contracts of small prints into `gap`, along quotes that go `from` one level
    /// to another. Returns how many are left for the next gap.
    pub(super) fn small_prints(
        &mut self,
        gap: Range<Ts>,
        (from, to): (Level, Level),
        mut unseen: i64,
    ) -> i64 {
        let room = gap.end.ns_since(gap.start) / MS_NS / SPACING_MS - 1;
        let most = (MOST_DOLLARS / (MULTIPLIER * dollars(from.ask.max(to.ask)))) as i64;
        if most == 0 {
            // A single contract would be no small print: this volume was never there.
            return 0;
        }
        let mut sizes = Vec::new();
        let mut planned = 0;
        while planned < unseen && sizes.len() < MOST_PER_GAP && (sizes.len() as i64) < room {
            let drawn = 1 + (MEAN_CONTRACTS * self.rng.sample::<f64, _>(Exp1)) as i64;
            // What is left must find room in what is left of the slots.
            let left = MOST_PER_GAP.min(room as usize) - sizes.len();
            let size = drawn.max((unseen - planned) / left as i64).min(most);
            let size = size.min(unseen - planned);
            planned += size;
            sizes.push(size);
        }
        let slack = (room - sizes.len() as i64) * SPACING_MS;
        let mut offsets: Vec<i64> = sizes
            .iter()
            .map(|_| self.rng.random_range(0..=slack))
            .collect();
        offsets.sort_unstable();
        let start = gap.start.ns().div_euclid(MS_NS) + 1;
        for (slot, (offset, size)) in offsets.into_iter().zip(sizes).enumerate() {
            let ts = Ts::from_ns((start + offset + (slot as i64 + 1) * SPACING_MS) * MS_NS);
            if !self.trades_at(ts) {
                continue;
            }
            let part = ts.ns_since(gap.start) as f64 / gap.end.ns_since(gap.start) as f64;
            let level = from.on_the_way(to, part, self.tick);
            let print = self.small_print(ts, level, size);
            if Class::of(print.conditions).counts && print.correction == 0 {
                unseen -= size;
            }
            self.prints.push((print, Origin::Small));
        }
        unseen
    }

    fn small_print(&mut self, ts: Ts, level: Level, size: i64) -> Print {
        let jitter = self.rng.random_range(-1..=1);
        let level = level.moved(jitter, jitter, self.tick);
        let quoted = ts.plus_ns(-self.rng.random_range(MS_NS..300 * MS_NS));
        if chance(&mut self.rng, FLICKER) {
            let flicker = self.displaced(level);
            let shown = quoted.plus_ns(-self.rng.random_range(MS_NS / 10..50 * MS_NS));
            self.show(shown, flicker.quote());
        }
        self.show(quoted, level.quote());
        let is_late = chance(&mut self.rng, LATE);
        let traded = if is_late {
            let drift = self.rng.random_range(-5..=5);
            level.moved(drift, drift, self.tick)
        } else {
            level
        };
        let price = match self.rng.random::<f64>() {
            u if u < MIDDLE => (traded.bid + traded.ask) / 2,
            u if u < (1.0 + MIDDLE) / 2.0 => traded.ask,
            _ => traded.bid,
        };
        let code = if is_late {
            [202, 204, 204, 206, 208][self.rng.random_range(0..5)]
        } else {
            code(&mut self.rng)
        };
        Print {
            ts,
            price: dollars(price),
            size,
            exchange: exchange(&mut self.rng),
            conditions: reported(code, &mut self.rng),
            correction: i16::from(chance(&mut self.rng, CORRECTED)),
        }
    }

    /// A minute in which the share itself did not trade may be a halt.
    fn trades_at(&self, ts: Ts) -> bool {
        let minute = Ts::from_ns(ts.ns().div_euclid(MINUTE_NS) * MINUTE_NS);
        let bars = &self.session.bars;
        bars.binary_search_by_key(&minute, |bar| bar.ts).is_ok()
    }
}

/// The gap between two moments as small prints may use it: a second off at either end.
pub(super) fn inside(from: Ts, to: Ts) -> Range<Ts> {
    from.plus_ns(SECOND_NS)..to.plus_ns(-SECOND_NS)
}

fn code(rng: &mut Stream) -> i16 {
    let mut u = rng.random::<f64>();
    for (code, share) in CODES {
        if u < share {
            return code;
        }
        u -= share;
    }
    209
}
