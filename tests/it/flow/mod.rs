//! From prints to flow events: the rules on tapes a person can check, and what must hold on any tape.
//!
//! The library is called from here alone; what it returns is put into the oracle's words.

/// Whatever the tape: as the oracle, as a stream, and nothing lost.
mod properties;
/// How much of a known truth is found again.
mod recovery;
/// Text to prints, events to text.
mod tape;
/// A tape per half sentence of the rules.
mod tapes;

use flowlab::flow::{self, Change, ContractDay, Merged, Print, Sight, TickerTape, TimedQuote};
use flowlab::time::{Session, Ts};

use crate::oracle::flow::{Counts, Event, Rules};

/// Events of one contract, a day at a time.
fn batch(prints: &[Print], quotes: &[TimedQuote], rules: &Rules) -> Vec<Event> {
    let events = flow::contract_events(prints, quotes, &flow_rules(rules));
    events.into_iter().map(in_words).collect()
}

/// What became of the prints of one contract.
fn counts(prints: &[Print], quotes: &[TimedQuote], rules: &Rules) -> Counts {
    let tape: Vec<(usize, Print)> = prints.iter().map(|print| (0, *print)).collect();
    batch_ticker(&tape, &[quotes.to_vec()], rules).1
}

/// Events of a ticker's day with the places of their contracts, as the batch makes them.
fn batch_ticker(
    tape: &[(usize, Print)],
    quotes: &[Vec<TimedQuote>],
    rules: &Rules,
) -> (Vec<(usize, Event)>, Counts) {
    events_with(tape, quotes, rules, |_, _| true)
}

/// As [`batch_ticker`], but only the prints of runs that can reach the floor see their quotes.
fn batch_around_candidates(
    tape: &[(usize, Print)],
    quotes: &[Vec<TimedQuote>],
    rules: &Rules,
) -> Vec<(usize, Event)> {
    let runs: Vec<Vec<std::ops::Range<usize>>> = (0..quotes.len())
        .map(|contract| flow::candidates(&prints_of(tape, contract), &flow_rules(rules)))
        .collect();
    let is_near = |contract: usize, place: usize| runs[contract].iter().any(|r| r.contains(&place));
    events_with(tape, quotes, rules, is_near).0
}

fn prints_of(tape: &[(usize, Print)], contract: usize) -> Vec<Print> {
    let own = tape.iter().filter(|(of, _)| *of == contract);
    own.map(|(_, print)| *print).collect()
}

fn events_with(
    tape: &[(usize, Print)],
    quotes: &[Vec<TimedQuote>],
    rules: &Rules,
    sees: impl Fn(usize, usize) -> bool,
) -> (Vec<(usize, Event)>, Counts) {
    let rules = flow_rules(rules);
    let prints: Vec<Vec<Print>> = (0..quotes.len()).map(|c| prints_of(tape, c)).collect();
    let mut sights: Vec<Vec<Sight>> = Vec::new();
    for (contract, prints) in prints.iter().enumerate() {
        let mut own = flow::sights(prints, &quotes[contract], &rules);
        for (place, sight) in own.iter_mut().enumerate() {
            if !sees(contract, place) {
                *sight = Sight::NONE;
            }
        }
        sights.push(own);
    }
    let days: Vec<ContractDay> = prints
        .iter()
        .zip(&sights)
        .map(|(prints, sights)| ContractDay { prints, sights })
        .collect();
    let (events, counts) = flow::ticker_events(&days, &rules);
    let events = events
        .into_iter()
        .map(|(contract, event)| (contract as usize, in_words(event)));
    (events.collect(), counted(counts))
}

/// Events as a listener collects them: print by print, told between them how late it is.
/// `watermark` is asked, with the time of the print before and of the next, what to say. Every event
/// must be told at the first moment after its `available_at`.
fn stream(
    tape: &[(usize, Print)],
    quotes: &[Vec<TimedQuote>],
    rules: &Rules,
    mut watermark: impl FnMut(Ts, Ts) -> Option<Ts>,
) -> (Vec<(usize, Event)>, Counts) {
    let rules = flow_rules(rules);
    let mut ticker = TickerTape::default();
    let mut told = Vec::new();
    let mut before = Ts::from_ns(0);
    for (contract, print) in tape {
        if let Some(now) = watermark(before, print.ts) {
            let known = told.len();
            ticker.advance(now, &rules, &mut told);
            assert_told_in_time(&told[known..], before, now);
            before = now;
        }
        let max_quote_age_ns = rules.max_quote_age_ns();
        let sight = Sight::among(&quotes[*contract], print.ts, print.price, max_quote_age_ns);
        let known = told.len();
        ticker.push(*contract as u32, print, &sight, &rules, &mut told);
        assert_told_in_time(&told[known..], before, print.ts);
        before = print.ts;
    }
    let known = told.len();
    ticker.advance(Ts::MAX, &rules, &mut told);
    assert_told_in_time(&told[known..], before, Ts::MAX);
    (collected(told), counted(ticker.counts()))
}

/// At `now` an event is told that was not yet complete at `before`.
fn assert_told_in_time(told: &[(u32, Change)], before: Ts, now: Ts) {
    for (_, change) in told {
        if let Change::Event(event) = change {
            let known_at = event.available_at;
            assert!(before <= known_at && known_at < now, "{now}: {event:#?}");
        }
    }
}

/// Events with the cancels that were told after them.
fn collected(told: Vec<(u32, Change)>) -> Vec<(usize, Event)> {
    let mut events: Vec<(usize, Event)> = Vec::new();
    for (contract, change) in told {
        let contract = contract as usize;
        match change {
            Change::Event(event) => events.push((contract, in_words(event))),
            Change::Cancelled {
                ts,
                seq,
                at,
                contracts,
            } => {
                let meant = events
                    .iter_mut()
                    .find(|(of, event)| (*of, event.ts, event.seq) == (contract, ts, seq));
                let (_, event) = meant.expect("a cancel is told after its event");
                assert!(event.available_at <= at, "told as late, but it was not");
                event.cancelled_at = Some(event.cancelled_at.map_or(at, |first| first.min(at)));
                event.cancelled_contracts += contracts;
            }
        }
    }
    events.sort_by_key(|(_, event)| (event.ts, event.seq));
    events
}

fn flow_rules(rules: &Rules) -> flow::Rules {
    flow::Rules {
        sweep_window_ms: rules.sweep_window_ms,
        sweep_min_exchanges: rules.sweep_min_exchanges as u32,
        block_min_contracts: rules.block_min_contracts,
        max_quote_age_seconds: rules.max_quote_age_seconds,
        min_notional: rules.min_notional,
        session: rules.session.map(|(open, close)| Session {
            date: open.exchange_date(),
            open,
            close,
            is_early_close: false,
        }),
    }
}

fn in_words(event: Merged) -> Event {
    Event {
        ts: event.ts,
        available_at: event.available_at,
        seq: event.seq,
        price: event.price,
        contracts: event.contracts,
        notional: event.notional,
        bid: event.bid,
        ask: event.ask,
        side: event.side,
        side_source: event.side_source,
        side_quality: event.side_quality,
        is_aggressive: event.is_aggressive,
        is_sweep: event.is_sweep,
        has_iso: event.has_iso,
        is_block: event.is_block,
        is_multi_leg: event.is_multi_leg,
        is_extended: event.is_extended,
        prints: event.prints,
        exchanges: event.exchanges,
        volume: event.volume,
        conditions: event.conditions,
        cancelled_at: event.cancelled_at,
        cancelled_contracts: event.cancelled_contracts,
    }
}

fn counted(counts: flow::FlowCounts) -> Counts {
    let kinds = [
        counts.merged,
        counts.cancelled_in_time,
        counts.cancels,
        counts.corrected,
        counts.late,
        counts.compressions,
    ];
    assert_eq!(
        kinds.iter().sum::<u64>(),
        counts.read,
        "every print ends under exactly one name: {counts:?}"
    );
    Counts {
        void: counts.corrected,
        late: counts.late,
        compressions: counts.compressions,
        cancels: counts.cancels,
        unmatched_cancels: counts.unmatched_cancels,
        below_floor: counts.below_floor,
    }
}
