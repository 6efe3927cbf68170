//! A day of option trades as the vendor ships it: the same bytes for the same number of prints.
//!
//! What matters for speed is like the real thing: thousands of roots of very different activity,
//! contracts sorted by symbol, most of them with a handful of prints and a few with thousands, times
//! in milliseconds crowded towards open and close, prices in cents that walk, one condition a print,
//! and about seven bytes a row once compressed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use chrono::{Days, NaiveDate};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

pub const DATE: NaiveDate = NaiveDate::from_ymd_opt(2026, 10, 14).expect("the date exists");
/// 09:30 in New York.
const OPEN_MS: u64 = 1_791_984_600_000;
const SESSION_MS: f64 = 390.0 * 60_000.0;

const ROOTS: usize = 5000;
/// Roots by rank and contracts by rank: the share of the prints falls with this power of the rank.
const ROOT_TAIL: f64 = 1.1;
const CONTRACT_TAIL: f64 = 0.95;

/// Code and how many of a thousand prints have it.
const CONDITIONS: [(u16, u32); 9] = [
    (209, 520),
    (227, 160),
    (219, 130),
    (232, 110),
    (233, 30),
    (236, 20),
    (231, 10),
    (202, 10),
    (248, 10),
];
const EXCHANGES: [u16; 18] = [
    300, 301, 302, 303, 304, 307, 308, 309, 312, 313, 315, 316, 318, 319, 320, 322, 323, 325,
];

/// Writes about `prints` rows to `path` and returns how many there are.
pub fn write_day(path: &Path, prints: u64) -> Result<u64> {
    let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut out = GzEncoder::new(file, Compression::new(6));
    let mut text = String::from("ticker,conditions,correction,exchange,price,sip_timestamp,size\n");
    let mut random = Pcg64Mcg::seed_from_u64(20_261_014);
    let mut rows = 0;
    let (names, shares) = (roots(&mut random), shares(ROOTS, ROOT_TAIL));
    // The busiest root can have any name.
    let mut ranks: Vec<usize> = (0..ROOTS).collect();
    for place in (1..ROOTS).rev() {
        ranks.swap(place, random.random_range(0..=place));
    }
    for (name, rank) in names.iter().zip(ranks) {
        let prints = (prints as f64 * shares[rank]).round() as u64;
        rows += write_root(&mut text, &mut random, name, prints);
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    out.finish()?.flush()?;
    Ok(rows)
}

/// Names of one to four letters, sorted.
fn roots(random: &mut Pcg64Mcg) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while names.len() < ROOTS {
        let length = [1, 2, 3, 3, 4, 4, 4, 4][random.random_range(0..8)];
        let letter = |_| char::from(b'A' + random.random_range(0..26u8));
        names.insert((0..length).map(letter).collect());
    }
    names
}

/// How one is shared among `count` by rank.
fn shares(count: usize, tail: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-tail)).collect();
    let all: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / all).collect()
}

/// The prints of one root, contract by contract in the order of the symbols.
fn write_root(text: &mut String, random: &mut Pcg64Mcg, root: &str, prints: u64) -> u64 {
    let spot: f64 = random.random_range(5.0..500.0);
    let step = (spot / 40.0).max(0.5).round().max(0.5);
    let count = (prints as f64).powf(0.62).ceil().min(4000.0) as usize;
    let mut contracts = BTreeSet::new();
    for _ in 0..4 * count {
        if contracts.len() == count {
            break;
        }
        let weeks = (random.random::<f64>().powi(3) * 60.0) as u64;
        let expiry = DATE + Days::new(2 + 7 * weeks);
        let reach = 2.0 + (count as f64).sqrt();
        let strike = (spot / step).round() + random.random_range(-reach..reach).round();
        let strike = (strike.max(1.0) * step * 1000.0) as u64;
        let call_put = if random.random_bool(0.55) { 'C' } else { 'P' };
        contracts.insert(format!(
            "O:{root}{}{call_put}{strike:08}",
            expiry.format("%y%m%d")
        ));
    }
    let shares = shares(contracts.len(), CONTRACT_TAIL);
    let mut ranks: Vec<usize> = (0..contracts.len()).collect();
    for place in (1..ranks.len()).rev() {
        ranks.swap(place, random.random_range(0..=place));
    }
    let mut rows = 0;
    for (ticker, rank) in contracts.iter().zip(ranks) {
        let prints = ((prints as f64 * shares[rank]).round() as u64).max(1);
        write_contract(text, random, ticker, prints);
        rows += prints;
    }
    rows
}

fn write_contract(text: &mut String, random: &mut Pcg64Mcg, ticker: &str, prints: u64) {
    let mut times: Vec<u64> = (0..prints).map(|_| time(random)).collect();
    times.sort_unstable();
    let mut cents: i64 = 5 + (random.random::<f64>().powi(4) * 4000.0) as i64;
    let mut time = 0;
    for next in times {
        // Sweeps and auctions come in bursts of one millisecond.
        if !random.random_bool(0.4) || time == 0 {
            time = next;
        }
        cents = (cents + random.random_range(-2..=2)).max(1);
        let condition = condition(random);
        let exchange = EXCHANGES[random.random_range(0..EXCHANGES.len())];
        let size = size(random);
        let price = cents as f64 / 100.0;
        writeln!(
            text,
            "{ticker},{condition},0,{exchange},{price},{time}000000,{size}"
        )
        .expect("a string takes what it is given");
    }
}

/// More of them near the open and the close.
fn time(random: &mut Pcg64Mcg) -> u64 {
    let even: f64 = random.random();
    let crowded = if random.random_bool(0.5) {
        even.powi(2) / 2.0
    } else {
        1.0 - even.powi(2) / 2.0
    };
    OPEN_MS + (crowded * SESSION_MS) as u64
}

fn condition(random: &mut Pcg64Mcg) -> u16 {
    let mut place = random.random_range(0..1000);
    for (code, share) in CONDITIONS {
        if place < share {
            return code;
        }
        place -= share;
    }
    209
}

fn size(random: &mut Pcg64Mcg) -> u64 {
    match random.random_range(0..100) {
        0..50 => 1,
        50..75 => random.random_range(2..=5),
        75..90 => 10,
        90..99 => random.random_range(6..=100),
        _ => random.random_range(100..=2000),
    }
}
