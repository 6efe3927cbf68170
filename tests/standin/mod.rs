//! A stand-in for the vendor: its REST API and its flat files on this machine, from a [`World`], with
//! faults on demand.
//!
//! ```text
//!                    ┌ rest   /v3/trades/…  /v2/aggs/…        key in the header
//!   World ──► Server ┤ s3     /flatfiles/us_options_opra/…    signed URLs
//!                    ├ ws     /options, /stocks               key in the first message
//!                    └ else   the foreign origin: whoever comes here was led astray
//! ```
//!
//! It answers as the vendor's documentation says, not as the client would like it: pages are small
//! unless asked otherwise, trades come newest first, `results` is left out where nothing is found.
//! Every request is logged, see [`Server::requests`].

/// What goes wrong, and when.
pub mod faults;
/// Requests in, responses out.
mod http;
/// What was asked.
pub mod log;
/// Clock time at the exchange.
mod new_york;
/// The REST API.
mod rest;
/// The flat files.
mod s3;
/// A thread per connection.
mod server;
/// A world to test the server with.
mod tiny;
/// What is served.
pub mod world;
/// The sockets.
#[cfg(feature = "live")]
pub mod ws;

#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::NaiveDate;

pub use server::Server;
pub use world::World;

/// How the server treats its clients.
#[derive(Clone, Debug)]
pub struct Options {
    /// The one key that is let in.
    pub api_key: String,
    pub s3_key_id: String,
    pub s3_secret: String,
    pub bucket: String,
    /// What the plan lacks: 403.
    pub not_entitled: Vec<Family>,
    /// The plan reaches back to this day: 403 before it.
    pub history_start: Option<NaiveDate>,
    /// So many requests to the REST API within any such time; 429 beyond it.
    pub rate_limit: Option<(usize, Duration)>,
    /// No page is longer, whatever `limit` says. Small pages make small worlds turn over.
    pub page_cap: usize,
    /// Sleeps so long before each answer.
    pub latency: Duration,
    /// Sends bodies in chunks, without their length.
    pub chunked: bool,
    /// Those of REST and of the flat files; free ones when there is no need to know them beforehand.
    pub ports: Option<(u16, u16)>,
    /// What flows over the sockets; without it there are none.
    #[cfg(feature = "live")]
    pub stream: Option<ws::Stream>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            api_key: "the-key-of-the-stand-in".to_owned(),
            s3_key_id: "the-id-of-the-stand-in".to_owned(),
            s3_secret: "the-secret-of-the-stand-in".to_owned(),
            bucket: "flatfiles".to_owned(),
            not_entitled: Vec::new(),
            history_start: None,
            rate_limit: None,
            page_cap: usize::MAX,
            latency: Duration::ZERO,
            chunked: false,
            ports: None,
            #[cfg(feature = "live")]
            stream: None,
        }
    }
}

/// What a plan has or lacks as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Bars,
    Grouped,
    Trades,
    Quotes,
    Snapshot,
    OpenInterest,
    UnusualTrades,
    FlatFiles,
}
