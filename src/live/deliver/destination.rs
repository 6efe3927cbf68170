//! A destination: a channel whose addresses have been checked, ready to be sent to.

use std::time::Duration;

use url::Url;

use super::mask::Mask;
use super::message::Letter;
use super::pace::{Pace, WindowId};
use super::post::Post;
use super::services::{Dialect, Discord, Slack, Telegram, Webhook};
use super::split;
use super::trouble::Trouble;
use super::{Channel, DeliverError, Limits, Print, Service, Timeouts};
use crate::config::secret::Secret;
use crate::providers::is_loopback;

pub(super) enum Destination {
    Service {
        dialect: Box<dyn Dialect>,
        post: Post,
    },
    Console(Print),
}

/// Where and what is wrong with an address.
pub(super) struct Fault {
    pub what: &'static str,
    pub fault: &'static str,
}

impl Destination {
    pub fn new(channel: &Channel, timeouts: &Timeouts) -> Result<Destination, DeliverError> {
        let name = &channel.name;
        Destination::of(name, &channel.service, timeouts).map_err(|Fault { what, fault }| {
            DeliverError::BadAddress {
                channel: name.clone(),
                what,
                fault,
            }
        })
    }

    fn of(name: &str, service: &Service, timeouts: &Timeouts) -> Result<Destination, Fault> {
        let mut mask = Mask::default();
        let (dialect, url): (Box<dyn Dialect>, Url) = match service {
            Service::Console(print) => return Ok(Destination::Console(print.clone())),
            Service::Telegram {
                api_url,
                bot_token,
                chat_id,
            } => {
                mask.hide(bot_token);
                mask.hide(chat_id);
                let telegram = Telegram::new(api_url, bot_token, chat_id)?;
                (Box::new(telegram), api_url.clone())
            }
            Service::Discord { webhook } => {
                let url = address(webhook, &mut mask)?;
                (Box::new(Discord::new(url.clone())), url)
            }
            Service::Slack { webhook } => {
                let url = address(webhook, &mut mask)?;
                (Box::new(Slack::new(url.clone())), url)
            }
            Service::Webhook { url } => {
                let url = address(url, &mut mask)?;
                (Box::new(Webhook::new(url.clone())), url)
            }
        };
        if url.scheme() == "http" && !is_loopback(&url) {
            log::warn!(
                "channel {name}: its address is http, and whoever is on the way can read it"
            );
        }
        let post = Post::new(&url, mask, timeouts);
        Ok(Destination::Service { dialect, post })
    }

    /// Console lines cost nobody anything: they are printed one by one and never become a digest.
    pub fn digest_above(&self, configured: usize) -> usize {
        match self {
            Destination::Service { .. } => configured,
            Destination::Console(_) => usize::MAX,
        }
    }

    /// What of the pace this destination has to keep; its own window first.
    pub fn windows(&self, limits: &Limits, pace: &Pace) -> Vec<WindowId> {
        match self {
            Destination::Service { dialect, .. } => dialect
                .quotas(limits)
                .into_iter()
                .map(|quota| pace.window(quota.key, quota.limits))
                .collect(),
            Destination::Console(_) => Vec::new(),
        }
    }

    pub fn parts(&self, text: &str) -> Vec<String> {
        match self {
            Destination::Service { dialect, .. } => {
                split::parts(text, dialect.longest(), |c| dialect.units(c))
            }
            Destination::Console(_) => vec![text.to_owned()],
        }
    }

    /// Returns once the letter was accepted, with the silence the service asks for afterwards.
    pub fn send(&self, letter: &Letter) -> Result<Option<Duration>, Trouble> {
        match self {
            Destination::Service { dialect, post } => {
                post.send(dialect.as_ref(), &dialect.request(letter))
            }
            Destination::Console(print) => {
                print(letter.text);
                Ok(None)
            }
        }
    }
}

fn address(secret: &Secret, mask: &mut Mask) -> Result<Url, Fault> {
    let url = Url::parse(secret.expose().trim()).map_err(|_| Fault {
        what: "webhook",
        fault: "is not an address",
    })?;
    check_scheme("webhook", &url)?;
    mask.hide(secret);
    mask.hide_address(&url);
    Ok(url)
}

pub(super) fn check_scheme(what: &'static str, url: &Url) -> Result<(), Fault> {
    match url.scheme() {
        "http" | "https" => Ok(()),
        _ => Err(Fault {
            what,
            fault: "is neither http nor https",
        }),
    }
}
