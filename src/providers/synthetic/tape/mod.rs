//! The tape: from a session's finished events back to the raw prints and quotes a vendor would have on
//! record, with a real tape's disorder, and the truth that a recovery is measured against.
//!
//! ```text
//!  event ─▶ fill ─▶ its prints ─────────────┐
//!    └────▶ meeting: the quotes around it ──┼─▶ cancels ─▶ ContractTape
//!  volume nobody reported ─▶ small ─────────┘        └───▶ TruthEvent
//! ```
//!
//! Prices are in whole cents, prints carry whole milliseconds and quotes nanoseconds, as in the vendor's
//! history. An event's prints ascend to its `ts`, less than the window apart, after the quote it met;
//! something is wrong with that quote at the rates in `meeting`, and the truth says with which.
//! Small prints fill the time between the events at the rates in `small`, and some prints are cancelled
//! later at those in `cancels`. Nothing of this looks at other contracts: each one draws from a
//! stream of its own, named by seed, symbol and date.

mod cancels;
mod contract;
mod fill;
mod level;
mod meeting;
mod small;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::prints::BLOCK_CONTRACTS;
use super::random::{Purpose, stream};
use super::{Event, ListedContract, TickerSession};
use crate::flow::{Print, Quote, Side, TimedQuote};
use crate::time::{Session, Ts};

const MS_NS: i64 = 1_000_000;

/// One session of one ticker as its raw material.
#[derive(Clone, Debug, PartialEq)]
pub struct TapeDay {
    pub ticker: String,
    pub session: Session,
    /// Every contract that is listed that day, with its open interest of the morning.
    pub listing: Vec<ListedContract>,
    /// Those that printed, by symbol.
    pub contracts: Vec<ContractTape>,
    /// One for each of the session's events, in their order.
    pub truth: Vec<TruthEvent>,
}

/// What was reported of one contract, each list in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractTape {
    /// OCC symbol.
    pub symbol: Arc<str>,
    pub prints: Vec<Print>,
    pub quotes: Vec<TimedQuote>,
    /// Contracts that count as volume and stand at the end of the day.
    pub volume: i64,
}

/// What really happened, under the names of the flow table.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthEvent {
    /// OCC symbol.
    pub contract: Arc<str>,
    /// Time of the last print.
    pub ts: Ts,
    pub side: Side,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub has_iso: bool,
    pub is_block: bool,
    pub is_multi_leg: bool,
    pub is_extended: bool,
    pub prints: u32,
    pub exchanges: u32,
    pub contracts: i64,
    /// Size-weighted average.
    pub price: f64,
    pub condition: i16,
    /// The quote it met, whatever the tape shows of it.
    pub quote: Quote,
    pub disturbance: Disturbance,
    /// The first cancel of one of its prints, always after the event was available.
    pub cancelled_at: Option<Ts>,
    pub cancelled_contracts: i64,
}

/// What makes an event hard to recover from its tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbance {
    /// The tape shows all that is needed.
    None,
    /// Its quote is more than a minute old.
    Stale,
    /// The tape shows no offer, a locked or a crossed market.
    Unusable,
    /// Its quote is stamped within the first print's millisecond, after the print.
    MetInMillisecond,
    /// Its quote moved on before the first print was reported: what the tape shows is another.
    MovedBefore,
    /// The quote moved on within the last print's millisecond.
    MovedInMillisecond,
    /// The side it took from gave way between its prints.
    MovedMidway,
    /// Another event of the contract is within the window: they may become one.
    Crowded,
}

/// The tape of `session`. The same session and seed give the same tape, whatever else is made.
pub fn tape(session: &TickerSession, seed: u64) -> TapeDay {
    let mut by_symbol: BTreeMap<&Arc<str>, Vec<(usize, &Event)>> = BTreeMap::new();
    for (position, event) in session.events.iter().enumerate() {
        let symbol = &session.contracts[event.contract as usize].symbol;
        by_symbol.entry(symbol).or_default().push((position, event));
    }
    let mut contracts = Vec::with_capacity(by_symbol.len());
    let mut truth = Vec::with_capacity(session.events.len());
    for (symbol, events) in by_symbol {
        let rng = stream(seed, symbol, Purpose::Tape, session.session.date);
        let (positions, events): (Vec<usize>, Vec<&Event>) = events.into_iter().unzip();
        let (tape, truths) = contract::write(session, symbol, &events, rng);
        contracts.push(tape);
        truth.extend(positions.into_iter().zip(truths));
    }
    truth.sort_unstable_by_key(|(position, _)| *position);
    TapeDay {
        ticker: session.ticker.clone(),
        session: session.session,
        listing: session.contracts.clone(),
        contracts,
        truth: truth.into_iter().map(|(_, event)| event).collect(),
    }
}

impl TruthEvent {
    fn of(
        event: &Event,
        symbol: &Arc<str>,
        prints: &[Print],
        disturbance: Disturbance,
    ) -> TruthEvent {
        let largest = prints.iter().map(|print| print.size).max();
        TruthEvent {
            contract: symbol.clone(),
            ts: event.ts,
            side: event.side,
            is_aggressive: event.is_aggressive,
            is_sweep: event.is_sweep,
            has_iso: event.has_iso,
            is_block: largest >= Some(BLOCK_CONTRACTS) && !event.is_sweep,
            is_multi_leg: event.is_multi_leg,
            is_extended: event.is_extended,
            prints: event.prints,
            exchanges: event.exchanges,
            contracts: event.contracts,
            price: event.price,
            condition: event.condition,
            quote: Quote {
                bid: event.bid,
                ask: event.ask,
            },
            disturbance,
            cancelled_at: None,
            cancelled_contracts: 0,
        }
    }
}
