//! The fast code against the formulas of the spec, written a second time as plainly as can be: loops
//! over everything that had ended, nothing shared with what they check.

/// A window that follows its past.
mod carry;
/// Every column of the context.
mod context;
/// Prints to flow events.
pub mod flow;
/// The order in which events are shown, and what memories make of it.
mod order;
/// Paper trades.
mod paper;
/// Gates, tags and memories, on events small enough to check by hand.
mod strategies;
