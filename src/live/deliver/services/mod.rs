//! Services: how each of them wants to be asked, what it bears, and how it answers.

mod discord;
mod slack;
mod telegram;
mod webhook;

use std::time::Duration;

pub(super) use discord::Discord;
pub(super) use slack::Slack;
pub(super) use telegram::Telegram;
pub(super) use webhook::Webhook;

use super::message::Letter;
use super::post::{Answer, Request};
use super::{Limit, Limits};

pub(super) trait Dialect: Send {
    /// The longest text, in units.
    fn longest(&self) -> usize;

    /// How much of it a character takes, after escaping, at most.
    ///
    /// The services document characters without saying which. UTF-16 units are never fewer than
    /// Unicode's, so a text that is short enough in them is short enough.
    fn units(&self, c: char) -> usize {
        c.len_utf16()
    }

    fn request(&self, letter: &Letter) -> Request;

    /// Whether an answer with a status of success is one of this service.
    fn accepts(&self, answer: &Answer) -> bool;

    /// How long it asks to be left alone after it refused.
    fn retry_after(&self, answer: &Answer) -> Option<Duration> {
        answer.seconds("Retry-After")
    }

    /// The same after it accepted.
    fn pause(&self, _answer: &Answer) -> Option<Duration> {
        None
    }

    /// What it limits; what belongs to this destination alone comes first.
    fn quotas<'a>(&self, limits: &'a Limits) -> Vec<Quota<'a>>;
}

pub(super) struct Quota<'a> {
    /// Holds a secret.
    pub key: String,
    pub limits: &'a [Limit],
}
