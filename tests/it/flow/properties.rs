//! What holds on any tape: thousands of small random ones, dense in what is rare. Prints share their
//! millisecond, stand exactly a window apart, have few prices and few exchanges; cancels arrive at the
//! very instant at which their event becomes known; quotes surround the prints by a nanosecond.

use flowlab::flow::{Codes, Print, Quote, TimedQuote};
use flowlab::time::Ts;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::tape::{at, rules};
use super::{batch_around_candidates, batch_ticker, stream};
use crate::oracle::flow::{self as oracle, Event, Kind, Rules, counts_as_volume, kind};

const MS_NS: i64 = 1_000_000;

/// A ticker's day.
#[derive(Debug)]
struct World {
    tape: Vec<(usize, Print)>,
    quotes: Vec<Vec<TimedQuote>>,
    rules: Rules,
}

fn one<T: Copy>(rng: &mut impl Rng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

fn world(seed: u64) -> World {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let rng = &mut rng;
    let contracts = one(rng, &[1, 1, 2, 3]);
    let start = at("10:00:00.000");
    let rules = Rules {
        sweep_window_ms: one(rng, &[250, 250, 250, 1, 1_000, 0]),
        sweep_min_exchanges: one(rng, &[2, 2, 1, 3]),
        block_min_contracts: one(rng, &[500, 10, 1]),
        max_quote_age_seconds: one(rng, &[60, 60, 1, 0]),
        // 1.10 x 10 is exactly 1 100 dollars, and so on.
        min_notional: one(rng, &[0.0, 0.0, 1_000.0, 1_100.0, 2_300.0]),
        session: one(
            rng,
            &[
                rules().session,
                None,
                Some((start.plus_ns(500 * MS_NS), start.plus_ns(1_500 * MS_NS))),
            ],
        ),
    };
    let scale = one(rng, &[1.0, 0.1, 1.5]);
    let price = |ticks: i64| (ticks as f64 * scale * 100.0).round() / 10_000.0;
    let is_fine = rng.random_bool(0.3);
    let mut tape: Vec<(usize, Print)> = Vec::new();
    let mut ts = start;
    for _ in 0..rng.random_range(1..=16) {
        ts = ts.plus_ns(step(rng, &rules, is_fine));
        let contract = rng.random_range(0..contracts);
        let mut print = Print {
            ts,
            price: price(one(rng, &[90, 100, 105, 110, 115, 120])),
            size: one(rng, &[1, 2, 5, 10, 10, 20, 500]),
            exchange: one(rng, &[300, 301, 302]),
            conditions: codes(rng),
            correction: i16::from(rng.random_bool(0.03)),
        };
        if !tape.is_empty() && rng.random_bool(0.2) {
            let (of, meant) = one(rng, &tape);
            print = Print {
                ts,
                conditions: Codes::one(one(rng, &[201, 203, 205, 207])),
                correction: i16::from(rng.random_bool(0.05)),
                ..meant
            };
            // Sometimes the right print of the wrong contract.
            let contract = if rng.random_bool(0.9) { of } else { contract };
            tape.push((contract, print));
        } else {
            tape.push((contract, print));
        }
    }
    // Prints of one time are in the order of their contracts, as files that are sorted by contract
    // have them.
    tape.sort_by_key(|(contract, print)| (print.ts, *contract));
    let quotes = (0..contracts).map(|_| quotes(rng, &tape, price)).collect();
    World {
        tape,
        quotes,
        rules,
    }
}

/// Nanoseconds from one print to the next.
fn step(rng: &mut impl Rng, rules: &Rules, is_fine: bool) -> i64 {
    let window = rules.sweep_window_ms * MS_NS;
    let whole = [0, 0, 0, 1, 50, 100, 125, 500, 1_000, 59_000, 60_000];
    let step = match rng.random_range(0..3) {
        0 => one(rng, &[window, window, window / 2, window + MS_NS]),
        _ => one(rng, &whole) * MS_NS,
    };
    let fine = one(rng, &[0, 0, 1, -1, 400_000]);
    (step + if is_fine { fine } else { 0 }).max(0)
}

fn codes(rng: &mut impl Rng) -> Codes {
    let common = [209, 209, 209, 219, 227, 232, 300];
    match rng.random_range(0..10) {
        0 => Codes::one(rng.random_range(200..=249)),
        1 => Codes::one(one(rng, &[229, 230, 234, 241, 204, 208, 247, 248, 210])),
        2 => {
            let codes = [rng.random_range(201..=248), one(rng, &common), 209];
            Codes::of(&codes[..rng.random_range(0..=3)]).expect("three have room")
        }
        _ => Codes::one(one(rng, &common)),
    }
}

fn quotes(
    rng: &mut impl Rng,
    tape: &[(usize, Print)],
    price: impl Fn(i64) -> f64,
) -> Vec<TimedQuote> {
    let sides = [
        (100, 110),
        (100, 110),
        (90, 120),
        (105, 115),
        (110, 110),
        (110, 100),
        (0, 110),
        (100, 0),
        (0, 0),
    ];
    let apart = [
        -60_000 * MS_NS - 1,
        -60_000 * MS_NS,
        -1_000 * MS_NS,
        -MS_NS,
        -1,
        0,
        0,
        1,
        MS_NS / 2,
        MS_NS - 1,
        MS_NS,
    ];
    let mut quotes: Vec<TimedQuote> = (0..rng.random_range(0..=12))
        .map(|_| {
            let (_, print) = one(rng, tape);
            let (bid, ask) = one(rng, &sides);
            TimedQuote {
                ts: print.ts.plus_ns(one(rng, &apart)),
                quote: Quote {
                    bid: price(bid),
                    ask: price(ask),
                },
            }
        })
        .collect();
    quotes.sort_by_key(|quote| quote.ts);
    quotes
}

const TAPES: u64 = 10_000;

/// Averages may differ in their last bits, all else is exact.
fn is_same(ours: &(usize, Event), theirs: &(usize, Event)) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * a.abs();
    let mut event = ours.1.clone();
    if near(event.price, theirs.1.price) && near(event.notional, theirs.1.notional) {
        (event.price, event.notional) = (theirs.1.price, theirs.1.notional);
    }
    (ours.0, &event) == (theirs.0, &theirs.1)
}

fn assert_same(ours: &[(usize, Event)], theirs: &[(usize, Event)], what: &str, world: &World) {
    let only = |events: &[(usize, Event)], others: &[(usize, Event)]| -> Vec<String> {
        let is_alone = |event: &&(usize, Event)| !others.iter().any(|other| is_same(event, other));
        let only = events.iter().filter(is_alone);
        only.map(|event| format!("{event:?}\n")).collect()
    };
    let is_all_same = ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|(ours, theirs)| is_same(ours, theirs));
    assert!(
        is_all_same,
        "{what}\n{}is not\n{}of {}",
        only(ours, theirs).concat(),
        only(theirs, ours).concat(),
        shown(world)
    );
}

fn shown(world: &World) -> String {
    let mut text = format!("{:#?}\n", world.rules);
    for (contract, print) in &world.tape {
        let codes: Vec<i16> = print.conditions.iter().collect();
        text += &format!(
            "contract {contract}  {}  {} x {}  on {}  {codes:?} correction {}\n",
            print.ts, print.price, print.size, print.exchange, print.correction
        );
    }
    for (contract, quotes) in world.quotes.iter().enumerate() {
        for TimedQuote { ts, quote } in quotes {
            text += &format!("contract {contract}  {ts}  {} / {}\n", quote.bid, quote.ask);
        }
    }
    text
}

#[test]
fn the_code_is_the_spec() {
    let mut events = 0;
    for seed in 0..TAPES {
        let world = world(seed);
        let (expected, counts) = oracle::ticker_events(&world.tape, &world.quotes, &world.rules);
        let (found, counted) = batch_ticker(&world.tape, &world.quotes, &world.rules);
        assert_same(&found, &expected, &format!("seed {seed}"), &world);
        assert_eq!(counted, counts, "seed {seed}, {}", shown(&world));
        events += found.len();
    }
    assert!(events > 20_000, "{events}");
}

#[test]
fn the_stream_is_the_batch() {
    for seed in 0..TAPES {
        let world = world(seed);
        let batch = batch_ticker(&world.tape, &world.quotes, &world.rules);
        let stream = stream(&world.tape, &world.quotes, &world.rules, |_, _| None);
        assert!(stream == batch, "seed {seed}: {stream:#?}\n{batch:#?}");
    }
}

#[test]
fn any_split_of_a_day_gives_the_same_events() {
    for seed in 0..TAPES {
        let world = world(seed);
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let whole = batch_ticker(&world.tape, &world.quotes, &world.rules);
        // A listener may be told the time at any moment, or not at all.
        let split = stream(
            &world.tape,
            &world.quotes,
            &world.rules,
            |before: Ts, next: Ts| {
                let ns = match rng.random_range(0..4) {
                    0 => return None,
                    1 => before.ns(),
                    2 => next.ns(),
                    _ => rng.random_range(before.ns()..=next.ns()),
                };
                Some(Ts::from_ns(ns))
            },
        );
        assert!(split == whole, "seed {seed}: {split:#?}\n{whole:#?}");
    }
}

#[test]
fn quotes_around_candidates_are_all_that_is_needed() {
    let mut left_out = 0;
    for seed in 0..TAPES {
        let world = world(seed);
        let (whole, counts) = batch_ticker(&world.tape, &world.quotes, &world.rules);
        let near = batch_around_candidates(&world.tape, &world.quotes, &world.rules);
        assert_same(&near, &whole, &format!("seed {seed}"), &world);
        left_out += counts.below_floor;
    }
    assert!(left_out > 1_000, "{left_out}");
}

#[test]
fn every_contract_traded_is_in_an_event_or_has_a_reason() {
    for seed in 0..TAPES {
        let mut world = world(seed);
        world.rules.min_notional = 0.0;
        let (events, _) = batch_ticker(&world.tape, &world.quotes, &world.rules);
        let size = |of: &dyn Fn(&Print) -> bool| -> i64 {
            let prints = world.tape.iter().map(|(_, print)| print);
            prints.filter(|print| of(print)).map(|p| p.size).sum()
        };
        let flow = size(&|print| kind(print) == Kind::Flow);
        let in_events: i64 = events.iter().map(|(_, event)| event.contracts).sum();
        let cancels = size(&|print| kind(print) == Kind::Cancel);
        // What is missing was cancelled in time, and no cancel takes more than its own size.
        let missing = flow - in_events;
        let later: i64 = events.iter().map(|(_, e)| e.cancelled_contracts).sum();
        assert!(missing >= 0 && missing + later <= cancels, "seed {seed}");

        for (contract, event) in &events {
            let own = || world.tape.iter().filter(|(of, _)| of == contract);
            let counted: i64 = own()
                .filter(|(_, print)| counts_as_volume(print))
                .map(|(_, print)| print.size)
                .sum();
            assert!(event.volume <= counted, "seed {seed}");
            assert!(event.volume >= event.contracts, "seed {seed}: {event:#?}");
            assert!(event.cancelled_contracts <= event.contracts, "seed {seed}");
            assert!(event.ts <= event.available_at, "seed {seed}");
            assert!(event.exchanges <= event.prints, "seed {seed}");
            assert!(!(event.is_block && event.is_sweep), "seed {seed}");
        }
        // Within a ticker `(ts, seq)` names an event, and they are sorted by it.
        let keys: Vec<(Ts, u32)> = events.iter().map(|(_, e)| (e.ts, e.seq)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "seed {seed}: {keys:?}");
    }
}

#[test]
fn what_an_event_says_does_not_change_when_the_tape_is_cut_after_it_became_known() {
    for seed in 0..TAPES {
        let world = world(seed);
        let (whole, _) = batch_ticker(&world.tape, &world.quotes, &world.rules);
        for (_, known) in whole.iter().take(3) {
            let cut = known.available_at;
            let tape: Vec<(usize, Print)> = world
                .tape
                .iter()
                .filter(|(_, print)| print.ts <= cut)
                .copied()
                .collect();
            let (events, _) = batch_ticker(&tape, &world.quotes, &world.rules);
            let as_known = |events: &[(usize, Event)]| -> Vec<(usize, Event)> {
                let known = events.iter().filter(|(_, e)| e.available_at <= cut);
                let mut known: Vec<(usize, Event)> = known.cloned().collect();
                for (_, event) in &mut known {
                    // The later cancels are notes, written on when they come.
                    (event.cancelled_at, event.cancelled_contracts) = (None, 0);
                }
                known
            };
            assert_same(
                &as_known(&events),
                &as_known(&whole),
                &format!("seed {seed} cut at {cut}"),
                &world,
            );
        }
    }
}
