//! The day of a file: which instants may be in it.

use chrono::NaiveDate;

use super::error::RowFault;
use super::groups::{fault, shown};
use crate::providers::numbers::whole;
use crate::time::{Ts, exchange_midnight};

/// The instants of one exchange day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    date: NaiveDate,
    start: Ts,
    end: Ts,
}

impl Day {
    pub fn of(date: NaiveDate) -> Day {
        let next = date.succ_opt().expect("the world lasts beyond this day");
        Day {
            date,
            start: exchange_midnight(date),
            end: exchange_midnight(next),
        }
    }

    pub fn start(&self) -> Ts {
        self.start
    }

    /// Nanoseconds UTC that lie in the day.
    #[inline]
    pub fn ts(&self, column: &'static str, text: &[u8]) -> Result<Ts, RowFault> {
        let ns = whole(text).and_then(|ns| i64::try_from(ns).ok());
        let Some(ts) = ns.map(Ts::from_ns) else {
            return Err(fault(column, text, "nanoseconds since 1970"));
        };
        if self.start <= ts && ts < self.end {
            return Ok(ts);
        }
        Err(RowFault::OtherDay {
            column,
            got: shown(text),
            expected: self.date,
        })
    }
}
