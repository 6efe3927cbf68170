//! The courier: takes batches from the queue of one channel and stays with each until it is sent or dead.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::dead_letters::DeadLetters;
use super::destination::Destination;
use super::message::{Letter, Message};
use super::pace::{Pace, WindowId};
use super::queue::Queue;
use super::split::marked;
use super::trouble::{Meaning, Trouble};
use super::{DeliverError, Outbox, Policy};
use crate::live::{Gauges, wall_clock};

/// A service that asks for less is asked again after this.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

pub(super) struct Courier {
    pub channel: String,
    pub destination: Destination,
    /// Its own first.
    pub windows: Vec<WindowId>,
    pub queue: Arc<Queue>,
    pub pace: Arc<Pace>,
    pub policy: Policy,
    pub outbox: Arc<dyn Outbox>,
    pub gauges: Arc<Gauges>,
    pub dead_letters: Arc<DeadLetters>,
}

/// A message on its way.
struct Delivery {
    message: Message,
    parts: Vec<String>,
    /// Of the parts, how many the service has accepted.
    accepted: usize,
    /// The next part may have arrived already.
    is_doubtful: bool,
    /// The outbox knows of it.
    is_recorded: bool,
}

impl Delivery {
    /// What is known to have been delivered, or may have been.
    fn has_traces(&self) -> bool {
        self.accepted > 0 || self.is_doubtful
    }
}

impl Courier {
    pub fn start(self) -> Result<JoinHandle<()>, DeliverError> {
        let channel = self.channel.clone();
        std::thread::Builder::new()
            .name(format!("alerts to {channel}"))
            .spawn(move || self.run())
            .map_err(|source| DeliverError::Thread { channel, source })
    }

    fn run(self) {
        let digest_above = self.destination.digest_above(self.policy.digest_above);
        // What comes while the service has to be left alone may still become part of the batch.
        while self.queue.wait_for_more() && self.wait_for_turn() {
            let message = Message::new(self.queue.take(digest_above));
            let parts = self.destination.parts(&message.text);
            self.deliver(Delivery {
                is_doubtful: message.maybe_repeat,
                message,
                parts,
                accepted: 0,
                is_recorded: false,
            });
            self.queue.done();
        }
    }

    fn wait_for_turn(&self) -> bool {
        while let Some(at) = self.pace.free_at(&self.windows, Instant::now()) {
            if !self.queue.wait_until(at) {
                return false;
            }
        }
        true
    }

    fn deliver(&self, mut delivery: Delivery) {
        let give_up_at = Instant::now() + self.policy.give_up_after;
        let mut waits = self.policy.waits();
        let mut tries = 0;
        while let Err(trouble) = self.attempt(&mut delivery) {
            tries += 1;
            let again_at =
                next_try(&trouble, &mut waits).and_then(|wait| Instant::now().checked_add(wait));
            let Some(again_at) = again_at.filter(|at| *at <= give_up_at) else {
                return self.bury(&delivery, &epitaph(&trouble, tries));
            };
            let wait = again_at.saturating_duration_since(Instant::now());
            log::warn!(
                "alert to {}: {}, tried again in {:.1} s",
                self.channel,
                trouble.reason,
                wait.as_secs_f64()
            );
            if !self.queue.wait_until(again_at) {
                return self.leave(&delivery);
            }
        }
        self.record_sent(&delivery);
    }

    /// Sends what has not been accepted yet, in order.
    fn attempt(&self, delivery: &mut Delivery) -> Result<(), Trouble> {
        self.record_sending(delivery)?;
        while let Some(part) = delivery.parts.get(delivery.accepted) {
            // A message is not left half sent because the process wants to end.
            while let Err(at) = self.pace.take(&self.windows, Instant::now()) {
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
            }
            let text = if delivery.is_doubtful {
                marked(part)
            } else {
                part.clone()
            };
            let sent = self.destination.send(&Letter {
                kind: delivery.message.kind,
                channel: &self.channel,
                ids: &delivery.message.ids,
                text: &text,
                maybe_repeat: delivery.is_doubtful,
            });
            match sent {
                Ok(pause) => {
                    delivery.accepted += 1;
                    delivery.is_doubtful = false;
                    self.hold(pause);
                }
                Err(trouble) => {
                    delivery.is_doubtful |= trouble.meaning == Meaning::Unclear;
                    self.hold(trouble.retry_after);
                    return Err(trouble);
                }
            }
        }
        Ok(())
    }

    /// Nobody who shares the destination writes to it meanwhile. A service cannot ask for silence for ever.
    fn hold(&self, pause: Option<Duration>) {
        if let (Some(window), Some(pause)) = (self.windows.first(), pause) {
            let pause = pause.min(self.policy.give_up_after);
            self.pace.hold(*window, Instant::now() + pause);
        }
    }

    /// Without a record nothing goes out: after a kill it would go out again, and nobody would know.
    fn record_sending(&self, delivery: &mut Delivery) -> Result<(), Trouble> {
        if !delivery.is_recorded {
            let recorded = self.outbox.sending(&self.channel, &delivery.message.ids());
            recorded.map_err(|error| {
                Trouble::new(
                    Meaning::NotArrived,
                    format!("cannot record that it is being sent: {error}"),
                )
            })?;
            delivery.is_recorded = true;
        }
        Ok(())
    }

    fn record_sent(&self, delivery: &Delivery) {
        let ids = delivery.message.ids();
        if let Err(error) = self.outbox.sent(&self.channel, &ids) {
            let channel = &self.channel;
            log::error!(
                "alert to {channel}: it was sent, which cannot be recorded: {error}; \
                 the next start will send it again and say so"
            );
        }
        self.gauges.alerts_sent.add(ids.len() as u64);
        self.gauges.last_alert_at.set(wall_clock().ns());
        self.gauges.alerts_waiting.add(-(ids.len() as i64));
    }

    fn bury(&self, delivery: &Delivery, reason: &str) {
        let (channel, ids) = (&self.channel, delivery.message.ids());
        log::error!(
            "alert to {channel} not delivered: {reason} ({})",
            ids.join(", ")
        );
        let text = &delivery.message.text;
        if let Err(error) = self.dead_letters.append(channel, &ids, reason, text) {
            log::error!("alert to {channel}: cannot write its dead letter: {error}");
        }
        if let Err(error) = self.outbox.dead(channel, &ids, reason) {
            log::error!("alert to {channel}: cannot record that it is dead: {error}");
        }
        self.gauges.alerts_dead.add(ids.len() as u64);
        self.gauges.alerts_waiting.add(-(ids.len() as i64));
    }

    /// The process ends: what is known not to have arrived is as good as never sent.
    fn leave(&self, delivery: &Delivery) {
        let ids = delivery.message.untried();
        if !delivery.is_recorded || delivery.has_traces() || ids.is_empty() {
            return;
        }
        if let Err(error) = self.outbox.not_sent(&self.channel, &ids) {
            let channel = &self.channel;
            log::warn!("alert to {channel}: cannot record that it was not sent: {error}");
        }
    }
}

/// How long to wait for the next try; `None` when there is none.
fn next_try(trouble: &Trouble, waits: &mut impl Iterator<Item = Duration>) -> Option<Duration> {
    match (trouble.meaning, trouble.retry_after) {
        (Meaning::Final, _) => None,
        (Meaning::TooFast, Some(wait)) => Some(wait.max(SHORTEST_WAIT)),
        (_, asked) => waits.next().map(|wait| wait.max(asked.unwrap_or_default())),
    }
}

fn epitaph(trouble: &Trouble, tries: u32) -> String {
    let Trouble {
        reason,
        retry_after,
        ..
    } = trouble;
    let asked = retry_after.map(|wait| format!(", asks for {} s of silence", wait.as_secs_f64()));
    let asked = asked.unwrap_or_default();
    match tries {
        1 => format!("{reason}{asked}"),
        _ => format!("{reason}{asked}, the last of {tries} tries"),
    }
}
