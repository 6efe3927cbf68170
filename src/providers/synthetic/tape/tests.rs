//! What the tape promises: every event is on it, in order, once, and only what was meant to be is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::flow::{Class, Contract};
use crate::providers::synthetic::tests::{sessions, small};
use crate::time::SECOND_NS;

const WINDOW_NS: i64 = SECOND_NS / 4;

/// All sessions with flow of three kinds of tickers, with their tapes.
fn taped() -> Vec<(TickerSession, TapeDay)> {
    let all = ["SPY", "NVDA", "T001"].into_iter();
    let all = all.flat_map(|ticker| sessions(small(5), ticker));
    all.filter(|session| session.has_flow)
        .map(|session| {
            let tape = tape(&session, 5);
            (session, tape)
        })
        .collect()
}

fn is_cancel(print: &Print) -> bool {
    Class::of(print.conditions).is_cancel
}

/// The prints that end at `ts`, each within the window of the next, cancels left out.
fn chain_ending_at(tape: &ContractTape, ts: Ts) -> Vec<Print> {
    let known = tape.prints.partition_point(|print| print.ts <= ts);
    let mut next = ts;
    let mut chain = Vec::new();
    for print in tape.prints[..known].iter().rev().filter(|p| !is_cancel(p)) {
        if next.ns_since(print.ts) > WINDOW_NS {
            break;
        }
        next = print.ts;
        chain.push(*print);
    }
    chain
}

#[test]
fn the_same_seed_gives_the_same_tape_and_contracts_do_not_look_at_each_other() {
    let session = sessions(small(7), "SPY").pop().unwrap();
    let whole = tape(&session, 7);
    assert_eq!(tape(&session, 7), whole);
    assert_ne!(tape(&session, 8), whole);
    let one = session.events[0].contract;
    let mut alone = session.clone();
    alone.events.retain(|event| event.contract == one);
    let alone = tape(&alone, 7);
    let [only] = &alone.contracts[..] else {
        panic!("one contract printed, not {}", alone.contracts.len());
    };
    assert!(whole.contracts.contains(only));
}

#[test]
fn prints_and_quotes_are_in_order_and_sane() {
    for (session, tape) in taped() {
        assert!(tape.contracts.is_sorted_by(|a, b| a.symbol < b.symbol));
        assert_eq!(tape.listing, session.contracts);
        for contract in &tape.contracts {
            assert!(Contract::parse(&contract.symbol).is_ok());
            assert!(contract.prints.is_sorted_by_key(|print| print.ts));
            assert!(contract.quotes.is_sorted_by_key(|quote| quote.ts));
            for print in &contract.prints {
                assert!(print.price > 0.0 && print.size >= 1, "{print:?}");
                assert_eq!((print.price * 100.0).round() / 100.0, print.price);
                assert_eq!(print.ts.ns() % MS_NS, 0, "{print:?}");
                assert!(print.ts >= session.session.open, "{print:?}");
            }
            for TimedQuote { quote, .. } in &contract.quotes {
                assert!(quote.bid > 0.0 && quote.ask >= 0.0, "{quote:?}");
            }
        }
    }
}

#[test]
fn every_event_is_on_the_tape_with_all_its_prints() {
    let (mut whole, mut crowded) = (0, 0);
    for (session, tape) in taped() {
        assert_eq!(tape.truth.len(), session.events.len());
        let contracts: BTreeMap<&str, &ContractTape> =
            tape.contracts.iter().map(|c| (&*c.symbol, c)).collect();
        for (truth, event) in tape.truth.iter().zip(&session.events) {
            let symbol = &session.contracts[event.contract as usize].symbol;
            assert_eq!((&truth.contract, truth.ts), (symbol, event.ts));
            if truth.disturbance == Disturbance::Crowded {
                crowded += 1;
                continue;
            }
            let chain = chain_ending_at(contracts[&**symbol], truth.ts);
            let contracts: i64 = chain.iter().map(|print| print.size).sum();
            let paid: f64 = chain.iter().map(|p| p.price * p.size as f64).sum();
            let exchanges: BTreeSet<u16> = chain.iter().map(|print| print.exchange).collect();
            let classes = chain.iter().map(|print| Class::of(print.conditions));
            assert_eq!(chain.len(), truth.prints as usize, "{truth:?} {chain:?}");
            assert_eq!(contracts, truth.contracts, "{truth:?} {chain:?}");
            assert_eq!(exchanges.len(), truth.exchanges as usize, "{truth:?}");
            assert!(
                (paid / contracts as f64 - truth.price).abs() < 1e-9,
                "{truth:?} {chain:?}"
            );
            assert_eq!(chain[0].ts, truth.ts);
            assert!(
                classes
                    .clone()
                    .all(|c| c.is_iso == truth.has_iso && c.is_flow())
            );
            assert!(
                classes
                    .clone()
                    .all(|c| c.is_multi_leg == truth.is_multi_leg)
            );
            assert!(
                chain
                    .iter()
                    .all(|p| session.session.contains(p.ts) != truth.is_extended)
            );
            whole += 1;
        }
    }
    assert!(crowded * 50 < whole, "{crowded} crowded, {whole} whole");
}

#[test]
fn an_undisturbed_event_met_the_quote_of_the_truth() {
    let mut seen = 0;
    for (_, tape) in taped() {
        let contracts: BTreeMap<&str, &ContractTape> =
            tape.contracts.iter().map(|c| (&*c.symbol, c)).collect();
        for truth in &tape.truth {
            let contract = contracts[&*truth.contract];
            let chain = chain_ending_at(contract, truth.ts);
            let first = chain[chain.len() - 1].ts;
            let known = contract.quotes.partition_point(|quote| quote.ts <= first);
            let met = contract.quotes[known - 1];
            let age_seconds = first.ns_since(met.ts) / SECOND_NS;
            match truth.disturbance {
                Disturbance::None => {
                    assert_eq!(met.quote, truth.quote);
                    assert!(age_seconds <= 5);
                }
                Disturbance::MovedBefore => {
                    assert_eq!(contract.quotes[known - 2].quote, truth.quote);
                }
                Disturbance::Stale => assert!(age_seconds >= 60),
                Disturbance::Unusable => assert!(met.quote.bid >= met.quote.ask),
                Disturbance::MetInMillisecond => {
                    let late = contract.quotes[known];
                    assert_eq!(late.quote, truth.quote);
                    assert!(late.ts.ns_since(first) < MS_NS);
                }
                _ => {}
            }
            seen += 1;
        }
    }
    assert!(seen > 5_000, "{seen}");
}

#[test]
fn what_is_not_an_event_is_small() {
    for (_, tape) in taped() {
        let events: BTreeMap<&str, BTreeSet<Ts>> =
            tape.truth
                .iter()
                .fold(BTreeMap::new(), |mut events, truth| {
                    let own: &mut BTreeSet<Ts> = events.entry(&truth.contract).or_default();
                    own.insert(truth.ts);
                    events
                });
        for contract in &tape.contracts {
            let own = &events[&*contract.symbol];
            for print in contract.prints.iter().filter(|p| !is_cancel(p)) {
                let is_late = Class::of(print.conditions).is_late;
                let longest = 8 * WINDOW_NS;
                let mut near = own.range(print.ts..=print.ts.plus_ns(longest));
                let notional = print.price * print.size as f64 * 100.0;
                assert!(
                    near.next().is_some() || is_late || notional < 10_000.0,
                    "{} {print:?}",
                    contract.symbol
                );
            }
        }
    }
}

#[test]
fn volume_is_what_counts_and_was_not_cancelled() {
    for (_, tape) in taped() {
        for contract in &tape.contracts {
            let signed = |print: &Print| match Class::of(print.conditions) {
                class if class.is_cancel => -print.size,
                class if class.counts && print.correction == 0 => print.size,
                _ => 0,
            };
            let volume: i64 = contract.prints.iter().map(signed).sum();
            assert_eq!(volume, contract.volume, "{}", contract.symbol);
            let own = tape.truth.iter().filter(|t| t.contract == contract.symbol);
            let least: i64 = own.map(|t| t.contracts - t.cancelled_contracts).sum();
            assert!(volume >= least, "{}", contract.symbol);
        }
    }
}

#[test]
fn a_cancel_means_exactly_one_earlier_print_and_never_an_event_that_is_not_out() {
    let (mut small, mut of_events) = (0, 0);
    for (_, tape) in taped() {
        for contract in &tape.contracts {
            for cancel in contract.prints.iter().filter(|print| is_cancel(print)) {
                let key = |p: &Print| (p.exchange, p.size, (p.price * 100.0).round() as i64);
                let meant: Vec<&Print> = contract
                    .prints
                    .iter()
                    .filter(|print| !is_cancel(print) && key(print) == key(cancel))
                    .collect();
                assert!(
                    meant.len() == 1 && meant[0].ts < cancel.ts,
                    "{cancel:?} {meant:?}"
                );
                small += 1;
            }
        }
        for truth in tape.truth.iter().filter(|t| t.cancelled_contracts > 0) {
            let at = truth.cancelled_at.unwrap();
            assert!(at.ns_since(truth.ts) > WINDOW_NS);
            assert!(truth.cancelled_contracts <= truth.contracts);
            of_events += 1;
        }
    }
    assert!(
        of_events > 10 && small > of_events,
        "{of_events} of {small}"
    );
}

#[test]
fn the_disorder_is_as_frequent_as_stated() {
    let (mut kinds, mut codes) = (BTreeMap::new(), BTreeMap::new());
    let (mut corrected, mut prints) = (0, 0);
    for (_, tape) in taped() {
        for truth in &tape.truth {
            *kinds.entry(truth.disturbance).or_insert(0) += 1;
        }
        for print in tape.contracts.iter().flat_map(|c| &c.prints) {
            let code = print.conditions.iter().next().unwrap_or(0);
            *codes.entry(code).or_insert(0) += 1;
            corrected += i32::from(print.correction != 0);
            prints += 1;
        }
    }
    let share = |kind| f64::from(kinds[&kind]) / f64::from(kinds.values().sum::<i32>());
    assert!(
        (0.75..0.85).contains(&share(Disturbance::None)),
        "{kinds:?}"
    );
    assert!(
        (0.03..0.05).contains(&share(Disturbance::MetInMillisecond)),
        "{kinds:?}"
    );
    assert!(
        (0.01..0.02).contains(&share(Disturbance::Unusable)),
        "{kinds:?}"
    );
    assert!(
        (0.005..0.025).contains(&share(Disturbance::Stale)),
        "{kinds:?}"
    );
    assert!(share(Disturbance::MovedMidway) > 0.005, "{kinds:?}");
    for code in [
        0, 201, 202, 203, 204, 206, 208, 209, 215, 219, 227, 229, 231, 232, 237, 260,
    ] {
        assert!(codes.contains_key(&code), "{code} is missing: {codes:?}");
    }
    assert!(corrected * 200 > prints / 4, "{corrected} of {prints}");
}
