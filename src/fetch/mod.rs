//! Fetch: from a period and tickers to everything a backtest of them reads, in the store.
//!
//! ```text
//!   what is wanted ─ what the store covers = plan ─ stages, unit by unit ─ outcome
//! ```
//!
//! A unit is what is asked for and stored in one go: a ticker's month of minute bars, a ticker's
//! session of flow, a market's day. It is in the store whole or not at all, so a fetch that is stopped
//! or killed goes on where it was. A unit that cannot be had is a gap with its reason; only what
//! would fail every unit alike (a wrong key, a full disk, the wish to stop) ends the fetch.

mod archive;
mod bars;
mod error;
mod facts;
mod job;
mod ledger;
mod market_day;
mod open_interest;
mod outcome;
mod plan;
mod prints;
mod progress;
mod run;
mod universe;

pub use archive::{SOURCE as ARCHIVE_SOURCE, ticker_day as archive_ticker_day};
pub use error::{Ended, FetchError};
pub use facts::{Attached, Facts, Listed, rules};
pub use job::{Job, QuotesRefused, Source, What};
pub use market_day::{Desk, MarketDay, Sights, Wanted, read as read_market_day};
pub use open_interest::{Morning, NotBeforeOpen};
pub use outcome::{Outcome, Stored};
pub use plan::{Plan, settled_at};
pub use prints::quotes_around;
pub use progress::{Progress, Reached, Stage};
pub use run::{record, run};
pub use universe::{BUILT_IN, Ranking};
