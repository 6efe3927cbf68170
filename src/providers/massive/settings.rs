//! Settings: where to call, how often to try and how long to wait.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use url::Url;

use super::Pacing;

/// What of the configuration the client needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub rest_url: Url,
    /// How many threads call at once: as many connections are kept open.
    pub concurrency: usize,
    pub pacing: Pacing,
    pub retries: Retries,
    pub timeouts: Timeouts,
}

impl Settings {
    pub fn new(rest_url: Url) -> Settings {
        Settings {
            rest_url,
            concurrency: 8,
            pacing: Pacing::default(),
            retries: Retries::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// How often a call is tried, and the waits in between: doubling, with up to as much again at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retries {
    pub tries: usize,
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries {
            tries: 6,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
        }
    }
}

impl Retries {
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.tries.saturating_sub(1))
            .build()
    }
}

/// `read` is the longest silence, `call` the longest a whole answer may take, however steadily it drips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeouts {
    pub connect: Duration,
    pub read: Duration,
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            call: Duration::from_secs(60),
        }
    }
}
