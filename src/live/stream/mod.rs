//! The stream: a day of the vendor's frames becomes the inputs that a backtest of that day would have
//! read from the cache.

mod contract;
mod gate;
mod holes;
mod kept;
mod order;
mod pipeline;
mod resume;
mod second_look;
mod tape;

pub use contract::Wanted;
pub use kept::{KeptPrints, Recovered};
pub use pipeline::{Day, Pipeline, StreamError, Waits};
pub use resume::Resume;
pub use tape::StreamTape;

use chrono_tz::America::New_York;

use crate::time::Ts;

/// `10:31:02 ET`
fn new_york(ts: Ts) -> String {
    let local = ts.to_utc().with_timezone(&New_York);
    local.format("%H:%M:%S ET").to_string()
}
