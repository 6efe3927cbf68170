use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

const MS_NS: i64 = 1_000_000;
const REORDER_MS: i64 = 50;
const SYMBOLS: [&str; 3] = ["B", "A", "C"];

fn symbol(contract: u32) -> &'static str {
    SYMBOLS[contract as usize]
}

fn at(ms: i64) -> Ts {
    Ts::from_ns(ms * MS_NS)
}

fn print(contract: u32, ms: i64, size: i64) -> Numbered {
    let print = Print {
        ts: at(ms),
        price: 1.0,
        size,
        exchange: 300,
        conditions: Codes::one(209),
        correction: 0,
    };
    Numbered { contract, print }
}

fn order() -> Order {
    Order::new(REORDER_MS * MS_NS, at(0))
}

fn settled_before(order: &mut Order, ms: i64) -> Vec<(u32, i64)> {
    let mut settled = Vec::new();
    let each = |numbered: &Numbered| settled.push((numbered.contract, numbered.print.size));
    order.settle_before(at(ms), symbol, each);
    settled
}

#[test]
fn prints_of_one_time_go_by_symbol_and_sequence_each_once() {
    let mut order = order();
    for (contract, sequence, size) in [(0, 8, 2), (1, 9, 3), (0, 7, 1), (0, 8, 2)] {
        order.stream(print(contract, 5, size), sequence);
    }
    assert_eq!(settled_before(&mut order, 6), [(1, 3), (0, 1), (0, 2)]);
}

#[test]
fn a_repeat_of_a_print_that_came_by_rest_is_not_late() {
    let mut order = order();
    order.rest(print(0, 5, 1), 1);
    assert_eq!(settled_before(&mut order, 6), [(0, 1)]);
    assert_eq!(order.stream(print(0, 5, 1), 7), Taken::Repeat);
    assert_eq!(order.stream(print(0, 5, 2), 8), Taken::Late);
}

#[test]
fn a_repeat_of_a_print_that_an_earlier_process_settled_is_not_late() {
    let mut order = Order::new(REORDER_MS * MS_NS, at(10));
    order.recall(&print(0, 5, 1));
    assert_eq!(order.stream(print(0, 5, 1), 7), Taken::Repeat);
    assert_eq!(order.stream(print(1, 5, 1), 7), Taken::Late);
}

#[test]
fn what_a_silence_hid_is_late_and_what_was_heard_before_is_not() {
    let mut order = order();
    order.stream(print(0, 100, 1), 1);
    assert_eq!(settled_before(&mut order, 351), [(0, 1)]);
    assert_eq!(order.heard_to(), at(100).plus_ns(1));
    order.stream(print(0, 900, 1), 2);
    assert_eq!(order.rest(print(0, 100, 1), 1), Taken::Repeat);
    assert_eq!(order.rest(print(0, 200, 1), 1), Taken::Late);
    assert_eq!(order.rest(print(0, 400, 1), 1), Taken::Waits);
}

#[test]
fn what_two_holes_have_in_common_comes_once() {
    let mut order = order();
    for hole in [1, 2] {
        order.rest(print(0, 5, 1), hole);
        order.rest(print(0, 5, 1), hole);
    }
    assert_eq!(settled_before(&mut order, 6), [(0, 1), (0, 1)]);
}

#[test]
fn rest_that_is_ahead_does_not_move_time() {
    let mut order = order();
    order.stream(print(0, 100, 1), 1);
    order.rest(print(1, 900, 1), 1);
    order.settle(symbol, |_| {});
    assert_eq!(order.watermark(), at(100 - REORDER_MS));
    assert_eq!(order.stream(print(0, 120, 2), 2), Taken::Waits);
}

/// What reaches a listener, in the order of its coming.
enum Comes {
    Stream(Numbered, i64),
    Down,
    /// The first frame after a loss: REST is asked.
    Asks,
    /// REST's answer for a contract, as of now.
    Answer {
        contract: u32,
        of_loss: usize,
    },
}

/// A tape with losses, repeats and prints out of order, and what REST says to it.
fn deliveries(random: &mut Pcg64Mcg, truth: &[(Numbered, i64)]) -> Vec<(i64, u32, Comes)> {
    let ends = truth.last().map_or(0, |(numbered, _)| ms(numbered)) + 2_000;
    let mut comes = Vec::new();
    let mut cuts: Vec<(i64, i64)> = Vec::new();
    let mut from = 0;
    for _ in 0..random.random_range(0..4) {
        let down = from + random.random_range(1..400);
        let up = down + random.random_range(1..200);
        cuts.push((down, up));
        from = up;
    }
    let is_lost = |ms: i64| cuts.iter().any(|(down, up)| (*down..*up).contains(&ms));
    for (numbered, sequence) in truth {
        let first = ms(numbered) + random.random_range(0..REORDER_MS);
        let again = first + random.random_range(1..300);
        for (at, is_told) in [(first, true), (again, random.random_bool(0.3))] {
            if is_told && !is_lost(at) {
                comes.push((at, 1, Comes::Stream(*numbered, *sequence)));
            }
        }
    }
    for (loss, (down, up)) in cuts.iter().enumerate() {
        comes.push((*down, 0, Comes::Down));
        let first = comes
            .iter()
            .filter(|(at, _, what)| at >= up && matches!(what, Comes::Stream(..)));
        let first = first.map(|(at, ..)| *at).min().unwrap_or(ends);
        comes.push((first, 2, Comes::Asks));
        for contract in 0..SYMBOLS.len() as u32 {
            let answered = first + random.random_range(0..250);
            comes.push((
                answered,
                3,
                Comes::Answer {
                    contract,
                    of_loss: loss,
                },
            ));
        }
    }
    comes.sort_by_key(|(at, rank, _)| (*at, *rank));
    comes
}

fn ms(numbered: &Numbered) -> i64 {
    numbered.print.ts.ns() / MS_NS
}

#[test]
fn whatever_is_lost_repeated_or_out_of_order_the_tape_comes_out_as_it_was() {
    for seed in 0..3_000 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut now = 0;
        let mut truth: Vec<(Numbered, i64)> = Vec::new();
        for sequence in 0..random.random_range(1..60) {
            now += [0, 0, 1, 10, 40, 60][random.random_range(0..6)];
            let contract = random.random_range(0..SYMBOLS.len() as u32);
            // Many look alike.
            let size = random.random_range(1..3);
            truth.push((print(contract, now, size), sequence));
        }
        let mut order = order();
        let mut came = Vec::new();
        let (mut losses, mut outstanding): (usize, BTreeSet<u32>) = (0, BTreeSet::new());
        for (at, _, comes) in deliveries(&mut random, &truth) {
            match comes {
                Comes::Stream(numbered, sequence) => {
                    let taken = order.stream(numbered, sequence);
                    assert_ne!(taken, Taken::Late, "tape {seed} at {at}");
                }
                Comes::Down => {
                    losses += 1;
                    order.hold();
                }
                Comes::Asks => outstanding = (0..SYMBOLS.len() as u32).collect(),
                Comes::Answer { contract, of_loss } if of_loss + 1 == losses => {
                    let known = truth.iter().filter(|(numbered, _)| {
                        numbered.contract == contract && ms(numbered) <= at
                    });
                    for (numbered, _) in known {
                        order.rest(*numbered, losses as u64);
                    }
                    outstanding.remove(&contract);
                    if outstanding.is_empty() {
                        order.let_go();
                    }
                }
                // To a hole that has grown since.
                Comes::Answer { .. } => {}
            }
            order.settle(symbol, |numbered| came.push(*numbered));
        }
        order.settle_before(at(i64::MAX / 2 / MS_NS), symbol, |numbered| {
            came.push(*numbered);
        });
        truth.sort_by_key(|(numbered, sequence)| {
            (numbered.print.ts, symbol(numbered.contract), *sequence)
        });
        let truth: Vec<Numbered> = truth.iter().map(|(numbered, _)| *numbered).collect();
        assert_eq!(came, truth, "tape {seed}");
    }
}
