//! The vendor's stream: from its websockets to frames in the inbox, and from frames to messages.
//!
//! ```text
//! reconnect: one connection after the other
//!     └─ socket ── frames ── inbox ── queue ── wire ── trades, bars, quotes
//! ```

mod lost;
mod reconnect;
mod silence;
mod socket;
mod wire;

#[cfg(test)]
mod tests;

pub use reconnect::{Patience, SocketSettings, run};
pub use wire::{Fault, Malformed, Read, Wire, WireBar, WireQuote, WireTrade, read};
