//! Fills: from one event to the prints it was reported in.
//!
//! Their number, exchanges, sizes and prices come to what the event says. An order that walked through the
//! quote has all its deeper contracts in its last prints, one step beyond the quote it met.

use rand::RngExt;

use super::MS_NS;
use super::level::{dollars, whole_cents};
use crate::flow::{Codes, Print, Side};
use crate::providers::synthetic::Event;
use crate::providers::synthetic::random::{Stream, chance};
use crate::time::Ts;

/// The venues that report option trades, by the vendor's numbers.
const EXCHANGES: [u16; 17] = [
    300, 301, 302, 303, 304, 307, 308, 309, 312, 313, 315, 316, 319, 320, 322, 323, 325,
];
/// Share of an event's prints that follow the one before within its millisecond.
const TOGETHER: f64 = 0.5;
/// Share that takes its time, up to the most the window allows.
const SLOW: f64 = 0.1;
const QUICK_MS: i64 = 30;
const SLOWEST_MS: i64 = 240;
/// Share of regular prints whose code is in no list, or missing.
pub(super) const UNKNOWN_CODE: f64 = 0.01;

/// The prints of `event` in order, none before `earliest`.
pub(super) fn prints(event: &Event, earliest: Ts, rng: &mut Stream) -> Vec<Print> {
    let count = event.prints as usize;
    let parts = parts(event, rng);
    let first_exchange = rng.random_range(0..EXCHANGES.len());
    // Their number is prime, so every stride visits all of them.
    let stride = rng.random_range(1..EXCHANGES.len());
    let mut times = Vec::with_capacity(count);
    let mut ts = event.ts;
    for _ in 0..count {
        times.push(ts);
        ts = ts.plus_ns(-pause_ms(rng) * MS_NS).max(earliest.min(ts));
    }
    let prints = times.into_iter().rev().zip(parts).enumerate();
    prints
        .map(|(place, (ts, (price, size)))| {
            let venue = first_exchange + place % event.exchanges as usize * stride;
            Print {
                ts,
                price: dollars(price),
                size,
                exchange: EXCHANGES[venue % EXCHANGES.len()],
                conditions: reported(event.condition, rng),
                correction: 0,
            }
        })
        .collect()
}

pub(super) fn exchange(rng: &mut Stream) -> u16 {
    EXCHANGES[rng.random_range(0..EXCHANGES.len())]
}

/// `code` as the tape has it: a regular one sometimes comes as one that nobody knows.
pub(super) fn reported(code: i16, rng: &mut Stream) -> Codes {
    if code == 209 && chance(rng, UNKNOWN_CODE) {
        return [Codes::default(), Codes::one(215), Codes::one(260)][rng.random_range(0..3)];
    }
    Codes::one(code)
}

fn pause_ms(rng: &mut Stream) -> i64 {
    match rng.random::<f64>() {
        u if u < TOGETHER => 0,
        u if u < 1.0 - SLOW => rng.random_range(1..=QUICK_MS),
        _ => rng.random_range(QUICK_MS..=SLOWEST_MS),
    }
}

/// Price in cents and size of each print.
fn parts(event: &Event, rng: &mut Stream) -> Vec<(i64, i64)> {
    let count = i64::from(event.prints);
    let touched = match event.side {
        Side::Buy => event.ask,
        Side::Sell => event.bid,
        Side::Unknown => event.price,
    };
    let off = 100.0 * (event.price - touched).abs();
    if count == 1 || !event.is_aggressive || off < 1e-6 {
        let price = whole_cents(event.price);
        let sizes = split(event.contracts, count, rng);
        return sizes.into_iter().map(|size| (price, size)).collect();
    }
    // At most half of an order walks, so the mean tells whether it walked a cent or five.
    let step = if 2.0 * off <= 1.0 { 1 } else { 5 };
    let deep = (off / step as f64 * event.contracts as f64).round() as i64;
    let deep = deep.clamp(1, event.contracts - 1);
    let share = (count * deep + event.contracts / 2) / event.contracts;
    let deep_prints = share.clamp(
        (count - (event.contracts - deep)).max(1),
        deep.min(count - 1),
    );
    let touched = whole_cents(touched);
    let beyond = if event.side == Side::Buy {
        touched + step
    } else {
        touched - step
    };
    let at = split(event.contracts - deep, count - deep_prints, rng);
    let through = split(deep, deep_prints, rng);
    let at = at.into_iter().map(|size| (touched, size));
    at.chain(through.into_iter().map(|size| (beyond, size)))
        .collect()
}

/// `total` in `count` random parts of at least one; `count` is at most `total`.
fn split(total: i64, count: i64, rng: &mut Stream) -> Vec<i64> {
    let weights: Vec<f64> = (0..count).map(|_| 0.3 + rng.random::<f64>()).collect();
    let sum: f64 = weights.iter().sum();
    let room = (total - count) as f64;
    let mut sizes: Vec<i64> = weights
        .iter()
        .map(|weight| 1 + (room * weight / sum) as i64)
        .collect();
    sizes[0] += total - sizes.iter().sum::<i64>();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::random::character;

    #[test]
    fn parts_add_up_and_none_is_empty() {
        let mut rng = character("split");
        for count in 1..=8 {
            for total in [count, count + 1, 17, 12_345] {
                let sizes = split(total, count, &mut rng);
                assert_eq!(sizes.len() as i64, count);
                assert_eq!(sizes.iter().sum::<i64>(), total);
                assert!(sizes.iter().all(|size| *size >= 1), "{sizes:?}");
            }
        }
    }
}
