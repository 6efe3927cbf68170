//! The tape of a ticker: its contracts' prints, as a stream in the order of the SIP or a day at a time.
//!
//! Both ways end in the same [`ContractTape`] per contract, and in the same numbers: `seq` is a
//! print's rank among all prints of the ticker that carry the same time, counted before anything is
//! left out, so that it can be given at once and never changes.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::{Change, ContractTape, Merged};
use super::{FlowCounts, Print, Rules, Sight, TimedQuote};
use crate::time::Ts;

/// A ticker's prints as they come.
#[derive(Debug, Default)]
pub struct TickerTape {
    contracts: BTreeMap<u32, ContractTape>,
    /// Those with an event that is not complete.
    open: BTreeSet<u32>,
    last: Option<Ts>,
    next_seq: u32,
    changes: Vec<Change>,
}

impl TickerTape {
    /// Takes the next print of `contract`, whatever number the caller gave it. Prints ascend in time.
    pub fn push(
        &mut self,
        contract: u32,
        print: &Print,
        sight: &Sight,
        rules: &Rules,
        changes: &mut Vec<(u32, Change)>,
    ) {
        debug_assert!(
            self.last.is_none_or(|last| last <= print.ts),
            "prints come in the order of time"
        );
        self.advance(print.ts, rules, changes);
        if self.last != Some(print.ts) {
            self.last = Some(print.ts);
            self.next_seq = 0;
        }
        let tape = self.contracts.entry(contract).or_default();
        tape.push(print, self.next_seq, sight, rules, &mut self.changes);
        self.next_seq += 1;
        if tape.is_open() {
            self.open.insert(contract);
        }
        changes.extend(self.changes.drain(..).map(|change| (contract, change)));
    }

    /// Nothing earlier than `now` will come: tells every event that is complete before it.
    pub fn advance(&mut self, now: Ts, rules: &Rules, changes: &mut Vec<(u32, Change)>) {
        let TickerTape {
            contracts,
            open,
            changes: told,
            ..
        } = self;
        open.retain(|contract| {
            let tape = contracts.get_mut(contract).expect("an open tape is there");
            tape.advance(now, rules, told);
            changes.extend(told.drain(..).map(|change| (*contract, change)));
            tape.is_open()
        });
    }

    pub fn counts(&self) -> FlowCounts {
        let mut counts = FlowCounts::default();
        self.contracts
            .values()
            .for_each(|tape| counts.add(&tape.counts));
        counts
    }
}

/// One contract's day: its prints in order of time and what each of them met, or nothing when none of
/// that is known.
#[derive(Clone, Copy, Debug)]
pub struct ContractDay<'a> {
    pub prints: &'a [Print],
    pub sights: &'a [Sight],
}

/// The events of one contract of a ticker that has no other, with all its quotes at hand. For a ticker
/// see [`ticker_events`].
pub fn contract_events(prints: &[Print], quotes: &[TimedQuote], rules: &Rules) -> Vec<Merged> {
    let sights = sights(prints, quotes, rules);
    let day = ContractDay {
        prints,
        sights: &sights,
    };
    let (events, _) = ticker_events(&[day], rules);
    events.into_iter().map(|(_, event)| event).collect()
}

/// What each of `prints` met among `quotes`, which ascend in time.
pub fn sights(prints: &[Print], quotes: &[TimedQuote], rules: &Rules) -> Vec<Sight> {
    let age = rules.max_quote_age_ns();
    let sight = |print: &Print| Sight::among(quotes, print.ts, print.price, age);
    prints.iter().map(sight).collect()
}

/// All events of a ticker's day that reach the floor, each with the place of its contract among
/// `contracts`, by `(ts, seq)`. Prints of one time count as received in the order of `contracts`.
pub fn ticker_events(contracts: &[ContractDay], rules: &Rules) -> (Vec<(u32, Merged)>, FlowCounts) {
    let mut counts = FlowCounts::default();
    let mut events: Vec<(u32, Merged)> = Vec::new();
    let seqs = seqs(contracts);
    let mut seqs = seqs.as_slice();
    let mut tape = ContractTape::default();
    let mut changes = Vec::new();
    for (contract, day) in contracts.iter().enumerate() {
        let (own, others) = seqs.split_at(day.prints.len());
        seqs = others;
        debug_assert!(day.sights.is_empty() || day.sights.len() == day.prints.len());
        let sights = day.sights.iter().chain(std::iter::repeat(&Sight::NONE));
        for ((print, seq), sight) in day.prints.iter().zip(own).zip(sights) {
            tape.push(print, *seq, sight, rules, &mut changes);
        }
        tape.finish(rules, &mut changes);
        let first = events.len();
        for change in changes.drain(..) {
            match change {
                Change::Event(event) => events.push((contract as u32, event)),
                Change::Cancelled {
                    ts,
                    seq,
                    at,
                    contracts,
                } => {
                    let mut own = events[first..].iter_mut().rev();
                    let (_, event) = own
                        .find(|(_, event)| (event.ts, event.seq) == (ts, seq))
                        .expect("an event is told before its cancel");
                    event.cancelled_at.get_or_insert(at);
                    event.cancelled_contracts += contracts;
                }
            }
        }
        counts.add(&tape.counts);
        tape.clear();
    }
    events.sort_unstable_by_key(|(_, event)| (event.ts, event.seq));
    (events, counts)
}

/// Every print's rank among the ticker's prints of its time, in the order of `contracts`.
fn seqs(contracts: &[ContractDay]) -> Vec<u32> {
    let prints = contracts.iter().flat_map(|day| day.prints);
    let mut order: Vec<(i64, u32)> = prints
        .enumerate()
        .map(|(place, print)| (print.ts.ns(), place as u32))
        .collect();
    order.sort_unstable();
    let mut seqs = vec![0; order.len()];
    let mut previous = (i64::MIN, 0);
    for (ts, place) in order {
        let seq = if ts == previous.0 { previous.1 + 1 } else { 0 };
        seqs[place as usize] = seq;
        previous = (ts, seq);
    }
    seqs
}

/// The runs of `prints`, which ascend in time, that can come to an event at the floor whatever their
/// sides: only around these are quotes worth asking for. A chain of one side is part of the chain of
/// all sides, and a part is not worth more than the whole.
pub fn candidates(prints: &[Print], rules: &Rules) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < prints.len() {
        let mut end = start + 1;
        while end < prints.len() && prints[end].ts.ns_since(prints[end - 1].ts) <= rules.window_ns()
        {
            end += 1;
        }
        let run = &prints[start..end];
        let worth: f64 = run
            .iter()
            .filter(|print| print.correction == 0 && super::Class::of(print.conditions).is_flow())
            .map(|print| print.price * print.size as f64 * super::MULTIPLIER)
            .sum();
        // A hair of room, so that rounding never leaves out an event of exactly the floor.
        if worth >= rules.min_notional - 0.01 {
            found.push(start..end);
        }
        start = end;
    }
    found
}
