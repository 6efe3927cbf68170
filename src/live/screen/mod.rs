//! Screen: the board and the gauges of a running stream in, a terminal drawn a few times a second out.
//!
//! ```text
//!  below 160 columns: stacked         from 160 on: the tape beside what came of it
//!
//!  header                             header
//!  tape                               tape        │ signals
//!  signals                                        │
//!  positions                                      │ positions
//!  heartbeat, 4 lines                 heartbeat, 2 lines
//!  keys, or the last warning          keys, or the last warning
//! ```
//!
//! [`draw`] is pure: whatever it knows of time is in [`Status`]. [`run`] owns the terminal and gives
//! it back however it ends.

mod bar;
mod draw;
mod figures;
mod heartbeat;
mod ink;
mod keys;
mod pace;
mod panes;
mod run;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod viewer;

use std::time::Duration;

pub use draw::draw;
pub use run::run;
pub use viewer::Viewer;

use super::{Feed, Gauges};
use crate::time::Ts;
use ink::Ink;

/// Why the screen went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quit {
    /// The person at the keyboard wants to stop.
    Asked,
    /// There is nothing left to show.
    Over,
}

/// What the frame around the board says, as of one moment.
pub struct Status<'a> {
    /// Where the rows come from: `replay data/sample 2025-03-14, 60x`.
    pub source: String,
    /// The feeds that the source holds open; none for a replay.
    pub feeds: &'a [Feed],
    pub gauges: &'a Gauges,
    /// Where the stream is; `None` before its first event.
    pub stream_ts: Option<Ts>,
    /// The wall clock, for ages.
    pub now: Ts,
    pub running_for: Duration,
    /// The source has ended; what it left stays on the screen.
    pub is_finished: bool,
    /// The last thing worth a warning: a lost feed with its reason, a hole that stays open.
    pub notice: Option<String>,
    /// Without it the screen is bold and dim, and no colour says what a sign or a word does not.
    pub is_coloured: bool,
}

impl Status<'_> {
    fn ink(&self) -> Ink {
        Ink {
            is_coloured: self.is_coloured,
        }
    }
}
