//! Reconnecting: from a feed that should be heard to connections, one after the other, until told to
//! stop or refused for good.
//!
//! The wait between two tries doubles from `first` to `longest`. Only a connection that stayed up for
//! `lived_for` starts it over: when two processes fight for one connection, each of them is let in,
//! subscribed and thrown out again, and would otherwise come back at once for ever.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use url::Url;

use super::lost::Lost;
use super::socket::{self, Connection};
use crate::config::secret::Secret;
use crate::live::{Feed, Gauges, Inbox, Link};
use crate::providers::is_loopback;

/// How often what the inbox keeps is offered again.
pub(super) const OFFER_EVERY: Duration = Duration::from_millis(20);

pub struct SocketSettings {
    pub url: Url,
    pub key: Secret,
    /// Asked for one at a time, so that a refusal can be told. Each is one item or several with commas between.
    pub subscriptions: Vec<String>,
    /// So long without data while the session is open, and the connection is taken for lost.
    pub stale_after: Duration,
    pub patience: Patience,
}

/// All the times that are waited for something.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before the second try; then it doubles, with jitter.
    pub first: Duration,
    /// Jitter comes on top, at most as much again.
    pub longest: Duration,
    /// A connection that was up for so long was a good one.
    pub lived_for: Duration,
    /// Before the next try when another process uses the key.
    pub busy_wait: Duration,
    pub ping_every: Duration,
    /// So long without any sign of life, an answer to a ping included.
    pub dead_after: Duration,
    /// For each step until the key is accepted.
    pub connect: Duration,
    /// For the confirmation of one subscription; those already held get none.
    pub confirm: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            lived_for: Duration::from_secs(10),
            busy_wait: Duration::from_secs(60),
            ping_every: Duration::from_secs(20),
            dead_after: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            confirm: Duration::from_secs(5),
        }
    }
}

impl Patience {
    fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        let waits = ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .without_max_times();
        waits.build()
    }
}

/// Hears `feed` until told to stop, refused for good or read by nobody. Data may reach `out` before
/// [`Link::Up`] does, from the subscriptions that were confirmed first; [`Link::Down`] is said again
/// for every try that fails. `is_open` tells whether silence means anything.
pub async fn run(
    feed: Feed,
    settings: SocketSettings,
    out: Inbox,
    gauges: Arc<Gauges>,
    is_open: impl Fn() -> bool,
    mut stop: watch::Receiver<bool>,
) {
    if settings.url.scheme() == "ws" && !is_loopback(&settings.url) {
        log::warn!(
            "{feed} feed: ws:// does not encrypt, the key can be read on the way; use wss://"
        );
    }
    let mut line = Line {
        feed,
        settings,
        out,
        gauges,
        is_open,
        up_since: None,
        has_been_up: false,
    };
    line.keep(&mut stop).await;
    tokio::select! {
        biased;
        () = stopped(&mut stop) => {}
        () = emptied(&mut line.out) => {}
    }
}

/// A feed through all its connections.
pub(super) struct Line<O> {
    pub feed: Feed,
    pub settings: SocketSettings,
    pub out: Inbox,
    pub gauges: Arc<Gauges>,
    pub is_open: O,
    up_since: Option<Instant>,
    has_been_up: bool,
}

impl<O: Fn() -> bool> Line<O> {
    /// Returns when told to stop, when no further try makes sense, and when nobody reads.
    async fn keep(&mut self, stop: &mut watch::Receiver<bool>) {
        let patience = self.settings.patience;
        let mut waits = patience.waits();
        while let Some(lost) = self.one_connection(stop).await {
            let lived = self.up_since.take().map(|since| since.elapsed());
            self.gauges.is_up[self.feed as usize].set(false);
            if self.out.is_closed() {
                return;
            }
            if lost.is_final() {
                log::error!("{} feed: {lost}; no further try", self.feed);
                self.out.link(self.feed, Link::Refused(lost.to_string()));
                return;
            }
            if lived >= Some(patience.lived_for) {
                waits = patience.waits();
            }
            let wait = match lost {
                Lost::Busy { .. } => patience.busy_wait,
                _ => waits.next().unwrap_or(patience.longest),
            };
            log::warn!("{} feed: {lost}; next try in {wait:.1?}", self.feed);
            self.out.link(self.feed, Link::Down(lost.to_string()));
            tokio::select! {
                biased;
                () = stopped(stop) => return,
                () = alongside(&mut self.out, sleep(wait)) => {}
            }
        }
        self.gauges.is_up[self.feed as usize].set(false);
    }

    /// From the first packet to the last; `None` when told to stop.
    async fn one_connection(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Lost> {
        let opening = alongside(&mut self.out, socket::open(&self.settings));
        let opened = tokio::select! {
            biased;
            () = stopped(stop) => return None,
            opened = opening => opened,
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(lost) => return Some(lost),
        };
        tokio::select! {
            biased;
            () = stopped(stop) => {}
            lost = Connection::new(self, &mut stream).live() => return Some(lost),
        }
        socket::close(stream).await;
        None
    }

    pub fn up(&mut self) {
        log::info!("{} feed: up", self.feed);
        self.up_since = Some(Instant::now());
        if self.has_been_up {
            self.gauges.reconnects[self.feed as usize].add(1);
        }
        self.has_been_up = true;
        self.gauges.is_up[self.feed as usize].set(true);
        self.out.link(self.feed, Link::Up);
    }

    pub fn is_up(&self) -> bool {
        self.up_since.is_some()
    }
}

/// What `work` comes to. Meanwhile what the inbox keeps goes out.
async fn alongside<T>(out: &mut Inbox, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(OFFER_EVERY), if out.is_keeping() => out.hand_over(),
        }
    }
}

/// Until the inbox keeps nothing any more.
async fn emptied(out: &mut Inbox) {
    while out.is_keeping() {
        sleep(OFFER_EVERY).await;
        out.hand_over();
    }
}

/// Until told to stop, or until nobody is left who could tell.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let told = stop.wait_for(|is_told| *is_told).await;
    drop(told);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_longest_and_none_is_more_than_twice_as_long() {
        let patience = Patience {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5),
            ..Patience::default()
        };
        let waits: Vec<Duration> = patience.waits().take(50).collect();
        for (at, wait) in waits.iter().enumerate() {
            let least = Duration::from_secs([1, 2, 4, 5][at.min(3)]);
            assert!((least..=2 * least).contains(wait), "{at} {wait:?}");
        }
    }
}
