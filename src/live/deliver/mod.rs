//! Delivery: alerts come in, messages to people go out, none is lost and none comes twice unannounced.
//!
//! Every channel has its own thread and queue: a service that is down delays nobody else. No service
//! here offers delivery exactly once, so what is on the way is written down first:
//!
//! ```text
//!  send ─▶ queue ─▶ sending ─▶ the service's answer ─▶ sent
//!                       │                │
//!                       │                └ refused, or given up ─▶ dead letter
//!                       └ killed here: nobody knows, so the next start sends it again and says so
//! ```
//!
//! The same holds within a process: when an answer is lost on its way back, the next try says that it
//! may be a repeat. A message that surely did not arrive is tried again without a word.

mod courier;
mod dead_letters;
mod destination;
mod error;
mod mask;
mod message;
mod pace;
mod policy;
mod post;
mod queue;
mod services;
mod split;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use url::Url;

pub use error::DeliverError;
pub use policy::{Limit, Limits, Policy, Timeouts};

use courier::Courier;
use dead_letters::DeadLetters;
use destination::Destination;
use message::{Kind, Letter};
use pace::Pace;
use queue::Queue;

use crate::config::secret::Secret;
use crate::live::{Gauges, wall_clock};
use crate::time::Ts;

/// How often it is looked whether the threads have come to an end.
const GLANCE: Duration = Duration::from_millis(5);

/// One message to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Names it for ever: a signal's id, or `heartbeat-…`.
    pub id: String,
    /// When what it tells of happened; a digest says from when to when.
    pub at: Ts,
    pub text: String,
    /// One line, for digests.
    pub headline: String,
}

/// What prints a message on the console; only `cli` has one.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

/// Where the messages of a channel go. The address of a webhook is itself a secret.
#[derive(Clone)]
pub enum Service {
    Telegram {
        api_url: Url,
        bot_token: Secret,
        chat_id: Secret,
    },
    Discord {
        webhook: Secret,
    },
    Slack {
        webhook: Secret,
    },
    Webhook {
        url: Secret,
    },
    Console(Print),
}

#[derive(Clone)]
pub struct Channel {
    pub name: String,
    pub service: Service,
}

/// What must survive a kill. Every call returns once the fact is where a killed process cannot lose it.
pub trait Outbox: Send + Sync {
    /// Comes before the first byte goes out.
    fn sending(&self, channel: &str, ids: &[&str]) -> std::io::Result<()>;
    fn sent(&self, channel: &str, ids: &[&str]) -> std::io::Result<()>;
    fn dead(&self, channel: &str, ids: &[&str], reason: &str) -> std::io::Result<()>;
    /// Takes `sending` back: the process ends, and it is known that nothing arrived. An outbox that
    /// does not keep this makes the next start announce a repeat that is none.
    fn not_sent(&self, _channel: &str, _ids: &[&str]) -> std::io::Result<()> {
        Ok(())
    }
}

/// What became of an alert in an earlier process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Never tried.
    Nothing,
    /// Killed between `sending` and the answer: nobody knows.
    MaybeSent,
}

/// The threads that deliver.
pub struct Deliverer {
    queues: BTreeMap<String, Arc<Queue>>,
    threads: Vec<JoinHandle<()>>,
    gauges: Arc<Gauges>,
}

impl Deliverer {
    /// One thread per channel. Fails on an address or a name that can never work.
    pub fn start(
        channels: Vec<Channel>,
        policy: Policy,
        outbox: Arc<dyn Outbox>,
        gauges: Arc<Gauges>,
        dead_letters: PathBuf,
    ) -> Result<Deliverer, DeliverError> {
        let dead_letters = Arc::new(DeadLetters::new(dead_letters)?);
        let pace = Arc::new(Pace::default());
        let mut deliverer = Deliverer {
            queues: BTreeMap::new(),
            threads: Vec::new(),
            gauges: Arc::clone(&gauges),
        };
        for channel in channels {
            if deliverer.queues.contains_key(&channel.name) {
                let channel = channel.name;
                return Err(DeliverError::TwoOfAName { channel });
            }
            let destination = Destination::new(&channel, &policy.timeouts)?;
            let queue = Arc::new(Queue::default());
            let courier = Courier {
                windows: destination.windows(&policy.limits, &pace),
                channel: channel.name.clone(),
                destination,
                queue: Arc::clone(&queue),
                pace: Arc::clone(&pace),
                policy: policy.clone(),
                outbox: Arc::clone(&outbox),
                gauges: Arc::clone(&gauges),
                dead_letters: Arc::clone(&dead_letters),
            };
            deliverer.queues.insert(channel.name, queue);
            deliverer.threads.push(courier.start()?);
        }
        Ok(deliverer)
    }

    /// Never blocks. A channel that was not there at the start is a bug: routes are checked before.
    pub fn send(&self, channel: &str, alert: Alert, before: Before) {
        let queue = self
            .queues
            .get(channel)
            .expect("routes are checked against the channels before anything is sent");
        self.gauges.alerts_waiting.add(1);
        queue.push(alert, before);
    }

    /// Waits until everything is delivered or dead, at most `patience`; says whether that was enough.
    /// For the end of a stream that has one.
    pub fn drain(&self, patience: Duration) -> bool {
        wait_until(patience, || {
            self.queues.values().all(|queue| queue.is_idle())
        })
    }

    /// Stops after what is under way, at most `patience`; what waits stays in the outbox for the next start.
    pub fn close(self, patience: Duration) {
        self.stop();
        let is_over = || self.threads.iter().all(JoinHandle::is_finished);
        if !wait_until(patience, is_over) {
            log::warn!(
                "an alert is still on its way; the next start will send it again and say so"
            );
        }
    }

    fn stop(&self) {
        for queue in self.queues.values() {
            queue.close();
        }
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn wait_until(patience: Duration, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}

/// One message now, outside any queue, with the service's own answer as error: for `flowlab alert test`.
pub fn send_once(channel: &Channel, text: &str) -> Result<(), DeliverError> {
    let destination = Destination::new(channel, &Timeouts::default())?;
    // Never twice the same: a receiver that knows an id may drop what comes under it again.
    let ids = [format!("test-{}", wall_clock().ns())];
    for part in destination.parts(text) {
        let letter = Letter {
            kind: Kind::Test,
            channel: &channel.name,
            ids: &ids,
            text: &part,
            maybe_repeat: false,
        };
        destination
            .send(&letter)
            .map_err(|trouble| DeliverError::Failed {
                channel: channel.name.clone(),
                reason: trouble.reason,
            })?;
    }
    Ok(())
}
