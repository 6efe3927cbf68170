//! A webhook of one's own: the whole message as JSON, with a key by which a receiver knows a repeat.

use serde_json::json;
use url::Url;
use xxhash_rust::xxh3::xxh3_128;

use super::{Dialect, Quota};
use crate::live::deliver::Limits;
use crate::live::deliver::message::Letter;
use crate::live::deliver::post::{Answer, Request};

/// Longer ones are no fit for a header.
const LONGEST_KEY: usize = 200;

pub(in crate::live::deliver) struct Webhook {
    url: Url,
}

impl Webhook {
    pub fn new(url: Url) -> Webhook {
        Webhook { url }
    }
}

impl Dialect for Webhook {
    fn longest(&self) -> usize {
        usize::MAX
    }

    fn request(&self, letter: &Letter) -> Request {
        Request {
            url: self.url.clone(),
            body: json!({
                "kind": letter.kind.as_str(),
                "ids": letter.ids,
                "channel": letter.channel,
                "maybe_repeat": letter.maybe_repeat,
                "text": letter.text,
            }),
            idempotency_key: Some(idempotency_key(letter.ids)),
        }
    }

    /// What it says is its own affair.
    fn accepts(&self, _answer: &Answer) -> bool {
        true
    }

    fn quotas<'a>(&self, limits: &'a Limits) -> Vec<Quota<'a>> {
        vec![Quota {
            key: self.url.to_string(),
            limits: &limits.webhook,
        }]
    }
}

/// The id of an alert; of several, a number made from all their ids.
fn idempotency_key(ids: &[String]) -> String {
    match ids {
        [id] if id.len() <= LONGEST_KEY && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            id.clone()
        }
        ids => format!("{:032x}", xxh3_128(ids.join("\n").as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_id_or_a_number_that_stays_the_same() {
        let key = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            idempotency_key(&ids)
        };
        assert_eq!(key(&["scalp-7"]), "scalp-7");
        assert_eq!(key(&["heartbeat-…"]).len(), 32);
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["b", "a"]));
    }
}
