//! Live: the backtest with the future not yet known.
//!
//! ```text
//!  websockets ─ inbox ─ stream ──╮                          ╭─ logs, board, gauges
//!  polling, recording ──╯        ├─ inputs ─ run ── desk ───┤
//!  replay, lines ────────────────╯            │             ╰─ deliver ─ people
//!                                          journal
//! ```
//!
//! Whatever the source, what reaches the [`Desk`] is a list of [`Input`]s in the order in which they
//! became known. The desk is the backtest's loop and asks no clock; the [`Run`] around it logs, alerts
//! and keeps the inputs, so that a killed process goes through them again and goes on. A source that
//! can be read again keeps only the fate of its alerts.
//!
//! A [`stream`] has to earn that order: prints come twice, late or not at all, and quotes and bars come
//! when they come.

mod arrival;
mod board;
mod book;
pub mod deliver;
mod desk;
mod errands;
mod event;
mod gauges;
pub mod heartbeat;
mod inbox;
mod journal;
mod lines;
mod logs;
pub mod massive;
pub mod metrics;
mod poll;
mod recording;
mod replay;
mod run;
pub mod screen;
pub mod stream;
mod upkeep;

pub use arrival::{Feed, Frame, Link};
pub use board::{Board, ContractName, PositionRow, SignalRow, TapeRow};
pub use desk::{Desk, Past, Told};
pub use errands::{Answer, Errand, Errands};
pub use event::{Gap, Input, LateCancel, StreamedEvent};
pub use gauges::Gauges;
pub use inbox::{Inbox, Message, Moment};
pub use journal::{Fate, Heard, Journal, JournalError, Opening, Recovered};
pub use lines::{LineError, Lines};
pub use logs::{LogError, Logs};
pub use poll::{Polled, Poller};
pub use recording::{Recorder, Recording, RecordingError};
pub use replay::Replay;
pub use run::{Desks, Run, RunError, State};
pub use upkeep::{Upkeep, wall_clock};
