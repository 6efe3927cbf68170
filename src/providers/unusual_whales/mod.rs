//! Unusual Whales: from the daily full-flow CSV, plain, gzipped or in a zip, to the prints of each
//! ticker and exchange day, with the quote, open interest, volume and greeks that each row carries.
//!
//! Columns are found by name, in any order. A row needs `executed_at`, `price`, `size` and its
//! contract: `option_chain_id`, or else `underlying_symbol`, `expiry`, `option_type` and `strike`. All
//! others may be missing and are then unknown, never zero.
//!
//! ```text
//!  reading thread       parsing threads                calling thread
//!  file, gzip, zip  →   blocks of whole lines to   →   blocks in the order of the file, rows
//!  blocks of 1 MiB      rows, contracts numbered       to their day and ticker, the account
//! ```
//!
//! The text of a day is never held: a handful of blocks are on their way, and what stays is about a
//! hundred bytes per row of the tickers asked for. The order of the rows, the numbers of the contracts
//! and the account do not depend on the number of threads.
//!
//! A line end always ends a row. A quoted field may hold commas but no line end: such a row is bad,
//! and so is what is left of it. Times without an offset from UTC are refused: a guess between
//! UTC and New York would be wrong by hours for somebody.
//!
//! `canceled` says that a print was cancelled at some time later that day, not when.

mod blocks;
mod columns;
mod contracts;
mod day;
mod error;
mod marks;
mod merge;
mod numbers;
mod print;
mod row;
mod scan;
mod source;
#[cfg(test)]
mod tests;

pub use contracts::NamedContract;
pub use day::{Day, Progress, UwImport, read};
pub use error::UwError;
pub use print::UwPrint;
pub use source::files_in;

/// What the `source` column says of rows read here.
pub const SOURCE: &str = "unusual-whales/full-flow";
