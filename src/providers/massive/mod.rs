//! Massive: from the vendor's REST interface to bars, splits, contracts, prints, quotes and open
//! interest, and from its flat files to a whole market's day.
//!
//! [`Massive`] is shared by threads and blocks. A question about an endpoint is one method; its
//! answer is [`Fetched`]: the rows, and an account of those that were none. What goes wrong on the
//! way is a [`MassiveError`], after as many tries as its kind deserves.
//!
//! ```text
//!  bars, trades, quotes, chain ..     a question and its rows
//!  paging                             all pages, each row once
//!  client ─ limiter ─ answer          one call: pace, retries, errors
//!  origin                             where a call may go
//!  wire, row                          JSON of uncertain shape
//! ```

mod answer;
mod bars;
mod chain;
mod client;
mod entitlements;
mod error;
mod fetched;
pub mod flat;
mod limiter;
#[cfg(test)]
mod loopback;
mod origin;
mod paging;
mod quotes;
mod reference;
mod row;
mod settings;
#[cfg(test)]
mod tests;
mod trades;
mod wire;

pub use bars::{DayBar, GroupedBar, TimedBar};
pub use chain::{ChainRow, LastTrade, OpenInterestRow};
pub use client::Traffic;
pub use entitlements::{Access, Entitlements};
pub use error::{MassiveError, Passing};
pub use fetched::{BadRow, Fetched};
pub use limiter::Pacing;
pub use reference::{ConditionRow, ListedContract, SplitRow};
pub use settings::{Retries, Settings, Timeouts};
pub use trades::UnusualTrade;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use client::Client;

use crate::config::secret::Secret;

/// The vendor's REST interface. Every method may be called from several threads at once.
pub struct Massive {
    client: Client,
}

impl Massive {
    /// Makes no call. Once `stop` is set, every method ends with [`MassiveError::Stopped`].
    pub fn new(
        settings: Settings,
        key: Secret,
        stop: Arc<AtomicBool>,
    ) -> Result<Massive, MassiveError> {
        let client = Client::new(settings, key, stop)?;
        Ok(Massive { client })
    }

    /// Whether it is time to go.
    pub fn is_stopped(&self) -> bool {
        self.client.is_stopped()
    }

    /// What all calls so far came to.
    pub fn traffic(&self) -> Traffic {
        self.client.traffic()
    }
}
