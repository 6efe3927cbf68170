//! Flat files: from the vendor's daily CSV files, over S3 or from a folder, to prints and bars.
//!
//! ```text
//! s3 → download → blocks → sheet → groups → trades, bars
//!       bytes      lines    rows    a ticker's rows
//! ```
//!
//! Nothing holds a day: a file is inflated on its own thread while the blocks before are read, and a
//! contract's prints are handed over before the next contract's are read. Whoever takes them keeps
//! them aside until the file has ended well, for only its last bytes say whether it is whole.

mod bars;
mod blocks;
#[cfg(test)]
mod bucket;
mod day;
mod download;
#[cfg(test)]
mod download_tests;
mod error;
mod groups;
mod object;
mod patience;
mod reply;
mod s3;
mod s3_error;
#[cfg(test)]
mod s3_tests;
mod settings;
mod sheet;
mod trades;
#[cfg(test)]
mod trades_tests;

pub use bars::{Bar, BarSpan, Bars, TickerBars};
pub use download::Download;
pub use error::{BadRow, FlatFileError, RowFault};
pub use groups::RowCounts;
pub use object::{Object, day_key};
pub use s3::{FlatFiles, Traffic};
pub use s3_error::S3Error;
pub use settings::S3Settings;
pub use trades::{ContractPrints, Trades};
