//! Tables: from CSV and Parquet files whose rows are already those of the store's tables to sessions
//! ready for the store.
//!
//! Columns are found by name, in any order. What a table cannot do without must be there; what follows
//! from other columns (`strike` from `contract`, `seq` from the order of the rows) or may be unknown may
//! be missing. Columns nobody knows are named. Rows need not be sorted; each is checked, and what a
//! table forbids is a bad row, named by file and line.
//!
//! ```text
//! kind       in CSV                                  in Parquet also
//! time       2025-03-14T13:30:00.25Z or ns           timestamps of any unit; without a zone they are UTC
//! date       2025-03-14                              date, or timestamp at midnight
//! number     1.5, 1e-3                               any number that a double holds exactly, or decimal
//! count      12, 12.0                                any whole number
//! flag       true, false                             boolean
//! codes      219|232, also with spaces or ;          list of whole numbers
//! ```
//!
//! An empty field is null. The rows of one call are held in memory until all of them are there,
//! because a session of the store is replaced as a whole.

mod bars;
mod cells;
mod columns;
mod csv;
mod error;
mod files;
mod flow;
mod gather;
mod parquet;
mod small;
#[cfg(test)]
mod tests;

pub use error::TablesError;
pub use files::{Format, files_in};
pub use gather::{TablesImport, read};
