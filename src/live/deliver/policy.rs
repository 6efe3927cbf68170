//! Policy: how often a message is tried, how fast messages follow each other, when they become a digest.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// When more alerts than this wait for a channel, all that wait go as one message.
    pub digest_above: usize,
    /// A service that names the time to wait for is asked again at that time, which is no try of these.
    pub tries: usize,
    /// Nothing is tried again later than this after its first try.
    pub give_up_after: Duration,
    /// Waits between tries double from the first to the longest, with up to as much again at random.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    pub limits: Limits,
    pub timeouts: Timeouts,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            digest_above: 5,
            tries: 8,
            give_up_after: Duration::from_secs(15 * 60),
            // Eight tries then span six to thirteen minutes.
            first_wait: Duration::from_secs(3),
            longest_wait: Duration::from_secs(4 * 60),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

impl Policy {
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.tries.saturating_sub(1))
            .build()
    }
}

/// At most so many messages within any stretch of time this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub messages: usize,
    pub per: Duration,
}

impl Limit {
    pub const fn new(messages: usize, seconds: u64) -> Limit {
        Limit {
            messages,
            per: Duration::from_secs(seconds),
        }
    }
}

/// What each service bears. Channels of one bot, one chat or one webhook share what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub telegram_bot: Vec<Limit>,
    pub telegram_chat: Vec<Limit>,
    /// Instead of `telegram_chat`, for groups and channels.
    pub telegram_group: Vec<Limit>,
    pub discord: Vec<Limit>,
    pub slack: Vec<Limit>,
    pub webhook: Vec<Limit>,
}

impl Default for Limits {
    /// As the services document them; a webhook of one's own has none.
    fn default() -> Limits {
        Limits {
            telegram_bot: vec![Limit::new(30, 1)],
            telegram_chat: vec![Limit::new(1, 1)],
            telegram_group: vec![Limit::new(1, 1), Limit::new(20, 60)],
            discord: vec![Limit::new(5, 2), Limit::new(30, 60)],
            slack: vec![Limit::new(1, 1)],
            webhook: Vec::new(),
        }
    }
}

/// `call` is for everything, from the name of the host to the last byte of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(15),
        }
    }
}
