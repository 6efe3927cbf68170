//! flowlab finds out whether options-flow alerts are worth anything.
//!
//! A row travels left to right, and so does the eye going down this list:
//!
//! ```text
//! providers → flow → store → context → strategies → engine → paper → report
//!  prints     events  Parquet  columns   decisions   the loop  trades   tables
//! ```
//!
//! - [`time`]: instants in UTC nanoseconds, sessions from the exchange's calendar
//! - [`config`]: YAML in layers, checked once
//! - [`providers`]: the vendor's REST interface and flat files, archives of others, a synthetic market
//! - [`flow`]: from prints to events: sides, merging, sweeps, cancels, volume, implied volatility
//! - [`store`]: Parquet files, written whole and checked when read
//! - [`context`]: VWAP, RVOL, trends, levels, regime: columns of what had ended by an instant
//! - [`strategies`]: scalp, day trade, swing: from event and context to a signal or a gate
//! - [`fetch`]: from a period and tickers to all that a run of them reads, in the store
//! - [`engine`]: one ticker through time, all tickers in parallel, counts that add up
//! - [`paper`]: every signal traded on the bars after it
//! - [`manifest`]: what a run was made of
//! - [`report`]: win-rate tables from what a run recorded
//! - [`live`]: a stream through the same loop: sources, order, holes, journal, alerts, screen
//! - [`cli`]: the commands
//!
//! # The laws
//!
//! 1. No look-ahead: cutting the input at any instant changes no signal before it.
//! 2. No start-date effect: an earlier start changes no signal inside the period.
//! 3. Determinism: same input and config, same bytes, whatever the threads.
//! 4. Live is the backtest: one `step`, one set of expressions, one paper book.
//! 5. Nothing is silently lost: every event is counted, under a signal or under a reason.
//! 6. Secrets stay secret.
//!
//! # What is absent
//!
//! - `strategies`, `paper` and `engine::ticker` know no file, no socket, no clock, no randomness
//!   and no polars.
//! - Only `cli` and `live` ask what time it is, and of `live` not the desk; everywhere else time is an
//!   event's `available_at`. The vendor's client measures how long it waits.
//! - A build without the feature `live` has no sockets, no terminal library and no async runtime of ours.
//! - Only `cli` prints: data to stdout, everything said about it to stderr.
//! - `report` reads what a run recorded and never runs the engine.

pub mod cli;
pub mod config;
pub mod context;
pub mod engine;
pub mod fetch;
pub mod flow;
#[cfg(feature = "live")]
pub mod live;
pub mod manifest;
pub mod paper;
pub mod providers;
pub mod report;
pub mod store;
pub mod strategies;
pub mod time;
