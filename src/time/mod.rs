//! Time: instants in UTC nanoseconds, and the exchange's sessions, which come from a calendar and
//! never from "weekday and 09:30".

mod session;
mod ts;

pub use session::{Calendar, CalendarError, Session};
pub use ts::{MINUTE_NS, SECOND_NS, Ts, exchange_midnight};
