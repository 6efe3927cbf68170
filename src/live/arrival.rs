//! Arrivals: what a source tells, in the order in which it was told.

use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::flow::text_enum;

text_enum! {
    /// The two streams of the vendor.
    Feed { Options = "options", Stocks = "stocks" }
}

/// One text message of a feed, unread: a JSON array of mixed messages.
#[derive(Clone, Debug)]
pub struct Frame {
    pub feed: Feed,
    /// When the socket handed it over.
    pub received: Instant,
    pub text: Bytes,
    /// Frames of this feed that found the queue full since the last one that did not.
    pub dropped_before: u32,
}

/// What became of a feed's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Authenticated and subscribed: whatever happens from here on arrives.
    Up,
    /// Lost, with the reason as a person would want to read it; another try follows.
    Down(String),
    /// No further try makes sense: a wrong key, a plan without the feed.
    Refused(String),
}
