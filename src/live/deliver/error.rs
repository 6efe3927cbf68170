//! What can be wrong with a channel. No message holds an address, a token or a chat's id.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    #[error("two channels are called {channel}")]
    TwoOfAName { channel: String },
    #[error("channel {channel}: the {what} {fault}")]
    BadAddress {
        channel: String,
        what: &'static str,
        fault: &'static str,
    },
    /// `reason` is the service's own answer, or why there was none.
    #[error("channel {channel}: {reason}")]
    Failed { channel: String, reason: String },
    #[error("cannot keep dead letters in {}", .path.display())]
    DeadLetters {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot start the thread of channel {channel}")]
    Thread {
        channel: String,
        source: std::io::Error,
    },
}
