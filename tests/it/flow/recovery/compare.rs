//! Comparing: a day's tape with its truth in, each true event beside the one that was found for it out.
//!
//! ```text
//!  truth    ═══ BUY 30, three prints ═══
//!  tape      ·10 ───── ·10 ─┊─── ·10            the quote moves at ┊
//!  found     ╰ BUY 20, ─────╯    ╰ SELL 10      the one that ends with the truth is compared with it,
//!              a part                           the other is a part
//! ```

use std::collections::BTreeMap;

use flowlab::flow::{Class, ContractDay, Merged, Print, Rules, SideQuality, Sight, ticker_events};
use flowlab::providers::synthetic::{ContractTape, TapeDay, TruthEvent};
use flowlab::time::Ts;

use super::tally::{Figure, Recovery};

impl Recovery {
    /// Runs `rules` over `day`, where `seen` says what a contract's prints met, and adds what was found.
    pub fn compare(
        &mut self,
        day: &TapeDay,
        rules: &Rules,
        seen: impl Fn(&ContractTape, &Rules) -> Vec<Sight>,
    ) {
        let sights: Vec<Vec<Sight>> = day.contracts.iter().map(|c| seen(c, rules)).collect();
        let tapes = day.contracts.iter().zip(&sights);
        let tapes: Vec<ContractDay> = tapes
            .map(|(tape, sights)| ContractDay {
                prints: &tape.prints,
                sights,
            })
            .collect();
        let (events, _) = ticker_events(&tapes, rules);
        self.days += 1;
        self.events += events.len() as u64;
        let is_firm = |event: &Merged| event.side_quality == SideQuality::Firm;
        self.firm += events.iter().filter(|(_, event)| is_firm(event)).count() as u64;
        for (number, tape) in day.contracts.iter().enumerate() {
            let truth = day.truth.iter().filter(|t| t.contract == tape.symbol);
            let truth: Vec<&TruthEvent> = truth.collect();
            let events = events.iter().filter(|(of, _)| *of as usize == number);
            let events: Vec<&Merged> = events.map(|(_, event)| event).collect();
            self.compare_contract(&tape.prints, &truth, &events, rules.window_ns());
        }
    }

    fn compare_contract(
        &mut self,
        prints: &[Print],
        truth: &[&TruthEvent],
        events: &[&Merged],
        window_ns: i64,
    ) {
        let owners = owners(prints, truth);
        let mut by_owner: BTreeMap<usize, Vec<&Merged>> = BTreeMap::new();
        for event in events {
            match owners[event.last_print as usize] {
                Some(owner) => by_owner.entry(owner).or_default().push(event),
                None => self.from_nothing += 1,
            }
        }
        for (number, truth) in truth.iter().enumerate() {
            let tally = self.line_of(truth);
            tally.add(Figure::Truth, 1);
            tally.count(Figure::Sweeps, truth.is_sweep);
            let own = by_owner.get(&number).map_or(&[][..], Vec::as_slice);
            // The side has no say in the choice, or it would flatter the rules.
            let key = |event: &&&Merged| (event.ts == truth.ts, event.contracts, event.last_print);
            if let Some(event) = own.iter().max_by_key(key) {
                tally.add(Figure::Found, 1);
                tally.add(Figure::Parts, own.len() as u64 - 1);
                tally.compare(truth, event);
                continue;
            }
            let last = owners.iter().rposition(|owner| *owner == Some(number));
            let last = last.expect("every event is on the tape");
            let goes_on = |event: &&&Merged| {
                let end = event.last_print as usize;
                end > last && is_one_run(&prints[last..=end], window_ns)
            };
            if let Some(event) = events.iter().find(goes_on) {
                tally.add(Figure::Swallowed, 1);
                tally.compare(truth, event);
            }
        }
    }
}

/// For each print the place of its event in `truth`, which ascends in time. The prints of an event are
/// the last ones up to its time that no later event has: small prints keep away.
fn owners(prints: &[Print], truth: &[&TruthEvent]) -> Vec<Option<usize>> {
    let mut owners = vec![None; prints.len()];
    for (number, event) in truth.iter().enumerate().rev() {
        let known = prints.partition_point(|print| print.ts <= event.ts);
        let free = |place: &usize| owners[*place].is_none() && !is_cancel(&prints[*place]);
        let own: Vec<usize> = (0..known)
            .rev()
            .filter(free)
            .take(event.prints as usize)
            .collect();
        let contracts: i64 = own.iter().map(|place| prints[*place].size).sum();
        assert_eq!(contracts, event.contracts, "{event:?}");
        own.iter().for_each(|place| owners[*place] = Some(number));
    }
    owners
}

fn is_cancel(print: &Print) -> bool {
    Class::of(print.conditions).is_cancel
}

/// Whether each of `prints` is within the window of the one before.
fn is_one_run(prints: &[Print], window_ns: i64) -> bool {
    let prints = prints.iter().filter(|print| !is_cancel(print));
    let times: Vec<Ts> = prints.map(|print| print.ts).collect();
    times
        .windows(2)
        .all(|pair| pair[1].ns_since(pair[0]) <= window_ns)
}
