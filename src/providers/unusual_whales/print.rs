//! A print with all it met: what a row comes to.

use crate::flow::{Print, Side};

/// A print as this vendor delivers it. What is unknown takes no room of its own: it is asked for by
/// the methods.
#[derive(Clone, Copy, Debug)]
pub struct UwPrint {
    pub print: Print,
    /// Place among the contracts of the import.
    pub contract: u32,
    /// At the ask is a buy, at the bid a sell; `None` at the mid or when not said.
    pub side: Option<Side>,
    /// The vendor's sweep flag. It is also an ISO mark among the print's conditions.
    pub is_sweep: bool,
    /// Cancelled at some later time of the day, nobody says when.
    pub is_canceled: bool,
    pub(super) bid: f64,
    pub(super) ask: f64,
    pub(super) iv: f64,
    pub(super) delta: f64,
    pub(super) underlying_price: f64,
    pub(super) volume: i64,
    pub(super) open_interest: i64,
}

/// Stands for an unknown count; an unknown number is NaN.
pub(super) const UNKNOWN: i64 = -1;

fn known(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}

impl UwPrint {
    /// Best bid at the print; zero when there was none.
    pub fn bid(&self) -> Option<f64> {
        known(self.bid)
    }

    pub fn ask(&self) -> Option<f64> {
        known(self.ask)
    }

    pub fn iv(&self) -> Option<f64> {
        known(self.iv)
    }

    pub fn delta(&self) -> Option<f64> {
        known(self.delta)
    }

    pub fn underlying_price(&self) -> Option<f64> {
        known(self.underlying_price)
    }

    /// The contract's volume of the day so far, as the vendor counts it.
    pub fn volume(&self) -> Option<i64> {
        (self.volume != UNKNOWN).then_some(self.volume)
    }

    /// Open interest at the start of the day. Zero only when the file says zero.
    pub fn open_interest(&self) -> Option<i64> {
        (self.open_interest != UNKNOWN).then_some(self.open_interest)
    }
}
