//! The second look: contracts that nobody was asked about in a hole, because their chain said that they
//! were quiet, in; the prints that REST has of that time all the same, and nobody was told, out.
//!
//! ```text
//!   hole ├────────────┤ closes        everything up to here is settled
//!        ├────────────┴─ a second ─┤──── asked, when there is nothing else to ask ──── answered
//!        ╰──── what is told of it is remembered until then ────╯
//! ```
//!
//! A snapshot may be behind, and nothing else would tell. Nobody waits for a second look, and what a
//! process has not looked at again when it ends is forgotten.

use std::collections::HashMap;

use super::order::Numbered;
use crate::flow::Print;
use crate::time::Ts;

/// What was lost may be a little later than what came first afterwards.
const BEYOND_NS: i64 = 1_000_000_000;

/// Half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Ts,
    pub to: Ts,
}

/// Contracts to be looked at again.
#[derive(Default)]
pub struct SecondLook {
    /// In the hole at hand.
    spared: Vec<u32>,
    /// Of the holes of contracts that are pending: nothing else of a contract's day is remembered.
    windows: Vec<Span>,
    pending: HashMap<u32, Pending>,
    /// Contracts that may be asked about when everything before is settled.
    unripe: Vec<(Ts, Vec<u32>)>,
    round: Round,
}

/// One question, of whatever holes the contract was spared in.
struct Pending {
    span: Span,
    /// Its prints within the windows.
    told: Vec<Told>,
}

/// By what a print is known again: time, price and size.
type Told = (Ts, u64, i64);

/// What came of second looks, from the first to the last that was pending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub contracts: usize,
    pub missed: usize,
    /// Contracts of which there was no answer, and the first reason.
    pub failed: usize,
    pub reason: Option<String>,
}

fn known_by(print: &Print) -> Told {
    (print.ts, print.price.to_bits(), print.size)
}

/// The last ends last, and nearly always `ts` is later.
fn is_within(windows: &[Span], ts: Ts) -> bool {
    let is_later = windows.last().is_none_or(|last| ts >= last.to);
    !is_later && windows.iter().any(|window| window.contains(ts))
}

impl Span {
    fn contains(&self, ts: Ts) -> bool {
        (self.from..self.to).contains(&ts)
    }

    fn covers(&self, other: &Span) -> bool {
        self.from <= other.from && self.to >= other.to
    }
}

impl SecondLook {
    /// Nobody is asked about `contract` in the hole at hand.
    pub fn spare(&mut self, contract: u32) {
        self.spared.push(contract);
    }

    /// The hole has grown: who is spared is to be said anew.
    pub fn ask_anew(&mut self) {
        self.spared.clear();
    }

    /// The hole is closed: from now on, what is told of it is remembered. Returns how many contracts
    /// were spared in it.
    pub fn closed(&mut self, from: Ts, to: Ts) -> usize {
        let spared = std::mem::take(&mut self.spared);
        let count = spared.len();
        if count == 0 {
            return 0;
        }
        // The first print after a hole may be earlier than the one after the hole before.
        let last = self.windows.last().map_or(Ts::MIN, |last| last.to);
        let to = to.plus_ns(BEYOND_NS).max(last);
        self.windows.push(Span { from, to });
        for contract in &spared {
            let pending = self.pending.entry(*contract).or_insert_with(|| Pending {
                span: Span { from, to },
                told: Vec::new(),
            });
            let span = &mut pending.span;
            span.from = span.from.min(from);
            span.to = span.to.max(to);
        }
        self.unripe.push((to, spared));
        count
    }

    /// A print was told, in its time or too late.
    pub fn told(&mut self, numbered: &Numbered) {
        let Numbered { contract, print } = numbered;
        if is_within(&self.windows, print.ts)
            && let Some(pending) = self.pending.get_mut(contract)
        {
            pending.told.push(known_by(print));
        }
    }

    /// Contracts to be asked about, for everything before `watermark` is settled. REST may be ahead of
    /// the stream, so before that nobody could say what was missed.
    pub fn ripe(&mut self, watermark: Ts) -> Vec<(u32, Span)> {
        let mut ripe = Vec::new();
        let is_ripe = |(to, _): &mut (Ts, Vec<u32>)| *to <= watermark;
        for (_, contracts) in self.unripe.extract_if(.., is_ripe) {
            let spans = contracts.into_iter().filter_map(|contract| {
                let span = self.pending.get(&contract)?.span;
                // Else a later hole asks for both.
                (span.to <= watermark).then_some((contract, span))
            });
            ripe.extend(spans);
        }
        ripe
    }

    /// REST has these `prints` of `contract` in `span`. Returns those that nobody was told.
    pub fn answered(&mut self, contract: u32, span: Span, prints: Vec<Print>) -> Vec<Print> {
        let Some(pending) = self.pending.get_mut(&contract) else {
            return Vec::new();
        };
        let windows = &self.windows;
        let is_looked_at = |ts| span.contains(ts) && is_within(windows, ts);
        let mut left = pending.told.clone();
        let is_missed = |print: &Print| {
            // The stream does not tell what the tape has taken back.
            if print.correction != 0 || !is_looked_at(print.ts) {
                return false;
            }
            let place = left.iter().position(|one| *one == known_by(print));
            place.map(|place| left.swap_remove(place)).is_none()
        };
        let missed: Vec<Print> = prints.into_iter().filter(is_missed).collect();
        // A wider question about the same contract finds them again.
        pending.told.extend(missed.iter().map(known_by));
        self.round.missed += missed.len();
        self.done(contract, span);
        missed
    }

    pub fn failed(&mut self, contract: u32, span: Span, reason: String) {
        if self.done(contract, span) {
            self.round.failed += 1;
            self.round.reason.get_or_insert(reason);
        }
    }

    /// Whether nothing more is pending of `contract`.
    fn done(&mut self, contract: u32, span: Span) -> bool {
        let pending = self.pending.get(&contract);
        let is_done = pending.is_some_and(|pending| span.covers(&pending.span));
        if is_done {
            self.pending.remove(&contract);
            self.round.contracts += 1;
        }
        is_done
    }

    /// What came of all of it, once nothing is pending any more.
    pub fn round(&mut self) -> Option<Round> {
        if !self.pending.is_empty() || self.round.contracts == 0 {
            return None;
        }
        self.windows.clear();
        Some(std::mem::take(&mut self.round))
    }

    /// Contracts that are still to be looked at.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Codes;

    fn at(seconds: i64) -> Ts {
        Ts::from_ns(0).plus_seconds(seconds)
    }

    fn span(from: i64, to: i64) -> Span {
        Span {
            from: at(from),
            to: at(to),
        }
    }

    fn print(seconds: i64, size: i64) -> Print {
        Print {
            ts: at(seconds),
            price: 1.0,
            size,
            exchange: 300,
            conditions: Codes::one(209),
            correction: 0,
        }
    }

    fn tell(look: &mut SecondLook, contract: u32, print: Print) {
        look.told(&Numbered { contract, print });
    }

    /// A hole that closes, in which `contracts` were spared.
    fn hole(look: &mut SecondLook, from: i64, to: i64, contracts: &[u32]) {
        contracts.iter().for_each(|contract| look.spare(*contract));
        look.closed(at(from), at(to));
    }

    #[test]
    fn what_rest_has_and_nobody_was_told_was_missed() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7]);
        tell(&mut look, 7, print(20, 1));
        let prints = vec![
            print(9, 1),
            print(10, 1),
            print(20, 1),
            print(20, 1),
            print(21, 1),
        ];
        let missed = look.answered(7, span(10, 21), prints);
        assert_eq!(missed, [print(10, 1), print(20, 1)]);
        let round = look.round().unwrap();
        assert_eq!((round.contracts, round.missed, round.failed), (1, 2, 0));
        assert_eq!((look.round(), look.pending()), (None, 0));
    }

    #[test]
    fn a_print_that_does_not_stand_is_not_missed() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7]);
        let taken_back = Print {
            correction: 1,
            ..print(11, 1)
        };
        assert_eq!(look.answered(7, span(10, 21), vec![taken_back]), []);
    }

    #[test]
    fn nobody_is_asked_before_everything_of_the_time_is_settled() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7, 8]);
        assert_eq!(look.ripe(at(21).plus_ns(-1)), []);
        assert_eq!(look.ripe(at(21)), [(7, span(10, 21)), (8, span(10, 21))]);
        assert_eq!(look.ripe(at(22)), []);
    }

    #[test]
    fn two_holes_of_one_contract_are_one_question_and_what_lies_between_is_no_concern_of_it() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7]);
        tell(&mut look, 7, print(25, 1));
        hole(&mut look, 30, 40, &[7]);
        tell(&mut look, 7, print(40, 2));
        assert_eq!(look.ripe(at(35)), [], "the later hole asks for both");
        assert_eq!(look.ripe(at(41)), [(7, span(10, 41))]);
        let prints = vec![print(12, 3), print(25, 1), print(35, 4), print(40, 2)];
        let missed = look.answered(7, span(10, 41), prints);
        assert_eq!(missed, [print(12, 3), print(35, 4)]);
        assert_eq!(look.pending(), 0);
    }

    #[test]
    fn a_question_that_has_become_wider_is_answered_twice_and_misses_once() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7]);
        hole(&mut look, 30, 40, &[7]);
        assert_eq!(
            look.answered(7, span(10, 21), vec![print(12, 3)]),
            [print(12, 3)]
        );
        assert_eq!((look.pending(), look.round()), (1, None));
        let both = vec![print(12, 3), print(35, 4)];
        assert_eq!(look.answered(7, span(10, 41), both), [print(35, 4)]);
        assert_eq!(look.round().unwrap().missed, 2);
    }

    #[test]
    fn a_hole_that_ends_before_the_one_before_it_did_hides_nothing_of_that() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7]);
        hole(&mut look, 17, 18, &[8]);
        tell(&mut look, 7, print(20, 1));
        hole(&mut look, 30, 40, &[9]);
        assert_eq!(look.answered(7, span(10, 21), vec![print(20, 1)]), []);
    }

    #[test]
    fn a_hole_that_grows_says_anew_who_is_spared() {
        let mut look = SecondLook::default();
        look.spare(7);
        look.ask_anew();
        hole(&mut look, 10, 30, &[8]);
        assert_eq!(look.ripe(at(31)), [(8, span(10, 31))]);
    }

    #[test]
    fn what_could_not_be_looked_at_is_counted_with_the_first_reason() {
        let mut look = SecondLook::default();
        hole(&mut look, 10, 20, &[7, 8, 9]);
        look.failed(7, span(10, 21), "one".to_owned());
        look.failed(8, span(10, 21), "two".to_owned());
        look.failed(1, span(10, 21), "not ours".to_owned());
        look.answered(9, span(10, 21), Vec::new());
        let expected = Round {
            contracts: 3,
            missed: 0,
            failed: 2,
            reason: Some("one".to_owned()),
        };
        assert_eq!(look.round(), Some(expected));
    }
}
