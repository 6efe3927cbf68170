//! The engine: all tickers in parallel, each a chronological loop of events; tables and counts out.
//!
//! A pure function of (store, tickers, period, config): it asks no clock, draws no random numbers
//! and prints nothing. Results come back in the order of the tickers, and every count is a sum, so
//! threads and machines cannot be seen in the output.

mod backtest;
mod counts;
mod gaps;
mod inputs;
mod order;
mod span;
mod ticker;

pub use backtest::{
    DAILY_WARMUP, EngineError, Job, Meter, Modes, PROXIES, Summary, TickerRows, check_floor, run,
};
pub use counts::Counts;
pub use gaps::{Found, Gaps, covered};
pub use inputs::Inputs;
pub use span::{Period, Reach, Span, default_period};
pub use ticker::{Outcomes, TickerState};
