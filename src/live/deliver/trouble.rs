//! Trouble: why a message was not delivered, and what that means for the next try.

use std::time::Duration;

/// `reason` is for people and holds no secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    pub reason: String,
    pub meaning: Meaning,
    /// What the service asks for.
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// No try will ever succeed: a wrong chat, a webhook that was revoked.
    Final,
    /// Too many messages in too short a time.
    TooFast,
    /// It surely did not arrive.
    NotArrived,
    /// It may have arrived; the answer did not.
    Unclear,
}

impl Trouble {
    pub fn new(meaning: Meaning, reason: impl Into<String>) -> Trouble {
        Trouble {
            reason: reason.into(),
            meaning,
            retry_after: None,
        }
    }
}
