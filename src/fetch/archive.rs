//! An archive's day: prints with quote, open interest and greeks attached, in; a ticker's flow, out.
//!
//! The rows are prints, so they are merged like any others: a listener to prints waits the window
//! out, whoever delivered them.

use std::collections::BTreeMap;

use super::facts::{Attached, Facts, Listed};
use crate::flow::{ContractDay, FlowCounts, Merged, Print, Quote, Side, Sight, ticker_events};
use crate::providers::unusual_whales::{self, NamedContract, UwPrint};
use crate::store::FlowTable;

/// What the `source` column says.
pub use crate::providers::unusual_whales::SOURCE;

/// One contract's prints, each with what the row says of the market.
#[derive(Default)]
struct Traded<'a> {
    rows: Vec<&'a UwPrint>,
    prints: Vec<Print>,
    sights: Vec<Sight>,
}

/// The flow of a ticker's day. `prints` are in order of time and name their contract by its place among
/// `contracts`.
pub fn ticker_day(
    facts: &Facts,
    contracts: &[NamedContract],
    prints: &[UwPrint],
) -> (FlowTable, FlowCounts) {
    let mut traded: BTreeMap<&str, (&NamedContract, Traded)> = BTreeMap::new();
    for row in prints {
        let named = &contracts[row.contract as usize];
        let (_, traded) = traded
            .entry(named.symbol.as_str())
            .or_insert_with(|| (named, Traded::default()));
        traded.rows.push(row);
        traded.prints.push(row.print);
        traded.sights.push(sight(row));
    }
    let days: Vec<ContractDay> = traded
        .values()
        .map(|(_, traded)| ContractDay {
            prints: &traded.prints,
            sights: &traded.sights,
        })
        .collect();
    let (events, counts) = ticker_events(&days, &facts.rules);
    let listed: Vec<Listed> = traded
        .values()
        .map(|(named, _)| Listed {
            symbol: named.symbol.clone(),
            contract: named.contract.clone(),
        })
        .collect();
    let rows: Vec<&[&UwPrint]> = traded.values().map(|(_, t)| t.rows.as_slice()).collect();
    let attached = |place: u32, event: &Merged| {
        // What is known of an event is what its last print met.
        let row = rows[place as usize][event.last_print as usize];
        Attached {
            open_interest: row.open_interest(),
            underlying_price: row.underlying_price(),
            iv: row.iv(),
            delta: row.delta(),
        }
    };
    (facts.table(&listed, events, attached), counts)
}

fn sight(row: &unusual_whales::UwPrint) -> Sight {
    let quote = match (row.bid(), row.ask()) {
        (None, None) => None,
        (bid, ask) => Some(Quote {
            bid: bid.unwrap_or(0.0),
            ask: ask.unwrap_or(0.0),
        }),
    };
    Sight {
        quote,
        side: row.side.filter(|side| *side != Side::Unknown),
        volume: row.volume(),
        is_cancelled_later: row.is_canceled,
        ..Sight::NONE
    }
}
