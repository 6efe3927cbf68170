//! Telegram: `sendMessage` of the Bot API, as plain text, so that nothing needs escaping.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{Dialect, Quota};
use crate::config::secret::Secret;
use crate::live::deliver::Limits;
use crate::live::deliver::destination::{Fault, check_scheme};
use crate::live::deliver::message::Letter;
use crate::live::deliver::post::{Answer, Request, seconds};

pub(in crate::live::deliver) struct Telegram {
    /// Has the token in its path.
    url: Url,
    chat_id: Secret,
}

impl Telegram {
    pub fn new(api_url: &Url, bot_token: &Secret, chat_id: &Secret) -> Result<Telegram, Fault> {
        check_scheme("address of the Bot API", api_url)?;
        let is_token = |c: u8| c.is_ascii_alphanumeric() || b":_-".contains(&c);
        let token = bot_token.expose();
        if token.is_empty() || !token.bytes().all(is_token) {
            return Err(Fault {
                what: "bot token",
                fault: "is empty or holds characters that no token has",
            });
        }
        if chat_id.expose().trim().is_empty() {
            return Err(Fault {
                what: "chat id",
                fault: "is empty",
            });
        }
        let mut url = api_url.clone();
        url.path_segments_mut()
            .expect("an address of http has segments")
            .pop_if_empty()
            .extend([&format!("bot{token}"), "sendMessage"]);
        Ok(Telegram {
            url,
            chat_id: Secret::new(chat_id.expose().trim()),
        })
    }

    /// Groups have negative numbers, public groups and channels a name.
    fn is_group(&self) -> bool {
        self.chat_id.expose().starts_with(['-', '@'])
    }
}

impl Dialect for Telegram {
    fn longest(&self) -> usize {
        4_096
    }

    fn request(&self, letter: &Letter) -> Request {
        let chat_id = self.chat_id.expose();
        let chat_id = match chat_id.parse::<i64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(chat_id),
        };
        Request {
            url: self.url.clone(),
            body: json!({
                "chat_id": chat_id,
                "text": letter.text,
                "link_preview_options": { "is_disabled": true },
            }),
            idempotency_key: None,
        }
    }

    fn accepts(&self, answer: &Answer) -> bool {
        answer.json().is_some_and(|json| json["ok"] == true)
    }

    fn retry_after(&self, answer: &Answer) -> Option<Duration> {
        let json = answer.json().unwrap_or_default();
        let asked = json["parameters"]["retry_after"].as_f64().and_then(seconds);
        asked.max(answer.seconds("Retry-After"))
    }

    fn quotas<'a>(&self, limits: &'a Limits) -> Vec<Quota<'a>> {
        let chat = if self.is_group() {
            &limits.telegram_group
        } else {
            &limits.telegram_chat
        };
        vec![
            Quota {
                key: format!("{} {}", self.url, self.chat_id.expose()),
                limits: chat,
            },
            Quota {
                key: self.url.to_string(),
                limits: &limits.telegram_bot,
            },
        ]
    }
}
