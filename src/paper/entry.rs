//! Entry: the first bar a signal can be traded on, and the price.

use crate::config::EntryRule;
use crate::strategies::{Kind, Signal};
use crate::time::Ts;

/// Where a position begins. Price in the basis of its day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    pub opened_at: Ts,
    pub price: f64,
}

/// Why a signal was not traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEntry {
    /// No regular bar is left in the session (scalp, day trade) or in the data (swing).
    NoBar,
    /// The entry is at the event's price, and the event has none.
    NoPrice,
}

/// The entry of `signal` on the first regular bar that starts at or after its `available_at`: the bar
/// begins at `start` and opens at `open`.
pub fn entry(signal: &Signal, start: Ts, open: f64, rule: EntryRule) -> Result<Entry, NoEntry> {
    debug_assert!(
        start >= signal.available_at,
        "nobody trades on what is not known yet"
    );
    let in_session = start.exchange_date() == signal.available_at.exchange_date();
    if !in_session && signal.kind != Kind::Swing {
        return Err(NoEntry::NoBar);
    }
    match rule {
        EntryRule::NextBarOpen => Ok(Entry {
            opened_at: start,
            price: open,
        }),
        EntryRule::EventPrice => {
            let price = signal.underlying_price.ok_or(NoEntry::NoPrice)?;
            Ok(Entry {
                opened_at: signal.available_at,
                price,
            })
        }
    }
}
