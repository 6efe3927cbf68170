//! Random streams: from a seed, a ticker, a purpose and a date to a generator that nobody shares.
//!
//! Because every stream starts from a hash of its own name, tickers can be made in any order and on
//! any thread, and a longer run leaves the sessions it has in common with a shorter one untouched
//! (but for the halt and the split, which keep to the middle of the period).

use chrono::{Datelike, NaiveDate};
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use xxhash_rust::xxh3::Xxh3;

pub(super) type Stream = Pcg64Mcg;

/// What a stream is for; two purposes never draw from the same numbers.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Factor = 1,
    Path = 2,
    Bars = 3,
    Activity = 4,
    Edge = 5,
    Chain = 6,
    Intents = 7,
    Fills = 8,
    Character = 9,
    Halt = 10,
    Tape = 11,
}

pub(super) fn stream(seed: u64, ticker: &str, purpose: Purpose, date: NaiveDate) -> Stream {
    let mut hash = Xxh3::with_seed(seed);
    hash.update(ticker.as_bytes());
    hash.update(&[0xff, purpose as u8]);
    hash.update(&date.num_days_from_ce().to_le_bytes());
    Pcg64Mcg::new(hash.digest128())
}

/// The stream of a ticker's lasting traits, which depend on its name alone.
pub(super) fn character(ticker: &str) -> Stream {
    stream(0, ticker, Purpose::Character, NaiveDate::MIN)
}

pub(super) fn normal(rng: &mut Stream) -> f64 {
    rng.sample(StandardNormal)
}

/// True with probability `p`.
pub(super) fn chance(rng: &mut Stream, p: f64) -> bool {
    rng.random::<f64>() < p
}

/// Uniform between `low` and `high` on a logarithmic scale.
pub(super) fn log_uniform(rng: &mut Stream, low: f64, high: f64) -> f64 {
    (low.ln() + (high / low).ln() * rng.random::<f64>()).exp()
}
