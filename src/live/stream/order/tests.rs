use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::super::second_look::SecondLook;
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

#[test]
fn whose_prints_of_a_hole_are_known_is_known_while_it_is_open() {
    let mut order = order();
    order.stream(print(0, 100, 1), 1);
    // REST is ahead, and then nothing comes for long.
    order.rest(print(1, 120, 1), 1);
    assert_eq!(settled_before(&mut order, 351), [(0, 1), (1, 1)]);
    order.hold();
    let heard = |order: &Order| [0, 1, 2].map(|contract| order.has_heard(contract));
    assert_eq!(heard(&order), [false, true, false]);
    order.stream(print(2, 400, 1), 2);
    order.hold();
    assert_eq!(heard(&order), [false, true, true]);
    order.let_go();
    assert_eq!(heard(&order), [false; 3]);
    // It waits still.
    order.hold();
    assert_eq!(heard(&order), [false, true, true]);
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

/// A tape, and what a listener made of it.
struct Heard {
    truth: Vec<Numbered>,
    came: Vec<Numbered>,
    /// In the order of their finding: by the stream, after their time, and by the second look.
    late: Vec<Numbered>,
    missed: Vec<Numbered>,
    spared: usize,
}

/// Chains are `behind` by so many milliseconds; without them all contracts are asked for.
fn heard(seed: u64, behind: Option<i64>) -> Heard {
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
    let known = |contract: u32, by: i64| {
        let own = truth.iter().map(|(numbered, _)| *numbered);
        own.filter(move |numbered| numbered.contract == contract && ms(numbered) <= by)
    };
    let (mut order, mut look) = (order(), SecondLook::default());
    let (mut came, mut late): (Vec<Numbered>, Vec<Numbered>) = (Vec::new(), Vec::new());
    let (mut losses, mut outstanding, mut spared): (usize, BTreeSet<u32>, usize) =
        Default::default();
    let (mut from, mut to) = (at(0), at(0));
    for (time, _, comes) in deliveries(&mut random, &truth) {
        match comes {
            Comes::Stream(numbered, sequence) => {
                if order.stream(numbered, sequence) == Taken::Late {
                    look.told(&numbered);
                    late.push(numbered);
                }
            }
            Comes::Down => {
                losses += 1;
                if !order.is_held() {
                    from = order.heard_to();
                }
                order.hold();
                look.ask_anew();
                outstanding.clear();
            }
            Comes::Asks => {
                to = at(time + 1);
                let contracts = 0..SYMBOLS.len() as u32;
                let (quiet, others): (Vec<u32>, Vec<u32>) = contracts.partition(|contract| {
                    behind.is_some_and(|behind| {
                        let last = known(*contract, time - behind).next_back();
                        let is_quiet = last.is_none_or(|last| last.print.ts < from);
                        is_quiet && !order.has_heard(*contract)
                    })
                });
                spared += quiet.len();
                quiet.iter().for_each(|contract| look.spare(*contract));
                outstanding = others.into_iter().collect();
            }
            Comes::Answer { contract, of_loss } if of_loss + 1 == losses => {
                if outstanding.remove(&contract) {
                    for numbered in known(contract, time) {
                        order.rest(numbered, losses as u64);
                    }
                }
                if outstanding.is_empty() && order.is_held() {
                    look.closed(from, to);
                    order.let_go();
                }
            }
            // To a hole that has grown since.
            Comes::Answer { .. } => {}
        }
        order.settle(symbol, |numbered| {
            look.told(numbered);
            came.push(*numbered);
        });
    }
    order.settle_before(at(i64::MAX / 2 / MS_NS), symbol, |numbered| {
        look.told(numbered);
        came.push(*numbered);
    });
    let mut missed = Vec::new();
    for (contract, span) in look.ripe(order.watermark()) {
        let prints = known(contract, i64::MAX).map(|numbered| numbered.print);
        let found = look.answered(contract, span, prints.collect());
        missed.extend(found.into_iter().map(|print| Numbered { contract, print }));
    }
    assert_eq!(look.pending(), 0, "tape {seed}");
    truth.sort_by_key(|(numbered, sequence)| {
        (numbered.print.ts, symbol(numbered.contract), *sequence)
    });
    Heard {
        truth: truth.into_iter().map(|(numbered, _)| numbered).collect(),
        came,
        late,
        missed,
        spared,
    }
}

#[test]
fn whatever_is_lost_repeated_or_out_of_order_the_tape_comes_out_as_it_was() {
    let mut spared = 0;
    for seed in 0..3_000 {
        for behind in [None, Some(0)] {
            let heard = heard(seed, behind);
            assert_eq!(heard.late, [], "tape {seed}");
            assert_eq!(heard.missed, [], "tape {seed}");
            assert_eq!(heard.came, heard.truth, "tape {seed}");
            spared += heard.spared;
        }
    }
    assert!(spared > 1_000, "{spared}");
}

#[test]
fn what_a_chain_that_is_behind_loses_is_found_by_the_second_look_and_nothing_else_is() {
    let mut missed = 0;
    for seed in 0..3_000 {
        let mut heard = heard(seed, Some(200));
        missed += heard.missed.len();
        let mut all = heard.came;
        all.append(&mut heard.late);
        all.append(&mut heard.missed);
        all.sort_by_key(|numbered| {
            let Numbered { contract, print } = numbered;
            (print.ts, symbol(*contract), print.size)
        });
        heard.truth.sort_by_key(|numbered| {
            let Numbered { contract, print } = numbered;
            (print.ts, symbol(*contract), print.size)
        });
        assert_eq!(all, heard.truth, "tape {seed}");
    }
    assert!(missed > 1_000, "{missed}");
}
