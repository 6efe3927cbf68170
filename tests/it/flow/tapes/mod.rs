//! Hand-made tapes: a test per half sentence of the rules, named after it. Each tape goes through the
//! code and through the oracle.

/// Who crossed the spread, and how well that is known.
mod aggressor;
/// Cancels, corrections, late prints.
mod cancels;
/// Legs, extended hours, blocks.
mod marks;
/// What becomes one event, and a sweep.
mod merging;
/// Volume, seq, the floor.
mod volume;

use expect_test::Expect;

use super::batch;
use super::tape::{Tape, render, rules};
use crate::oracle::flow::{self as oracle, Rules};

fn check_events(tape: &str, expected: Expect) {
    check_events_with(&rules(), tape, expected);
}

fn check_events_with(rules: &Rules, tape: &str, expected: Expect) {
    for found in [found(rules, tape), by_hand(rules, tape)] {
        expected.assert_eq(&found);
    }
}

/// What the code makes of a tape.
fn found(rules: &Rules, tape: &str) -> String {
    let tape = Tape::parse(tape);
    render(&batch(&tape.prints, &tape.quotes, rules), rules)
}

/// What the oracle makes of it.
fn by_hand(rules: &Rules, tape: &str) -> String {
    let tape = Tape::parse(tape);
    let (events, _) = oracle::contract_events(&tape.prints, &tape.quotes, rules);
    render(&events, rules)
}
