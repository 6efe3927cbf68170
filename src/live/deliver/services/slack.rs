//! Slack: an incoming webhook, without its markup and without previews of links.

use serde_json::json;
use url::Url;

use super::{Dialect, Quota};
use crate::live::deliver::Limits;
use crate::live::deliver::message::Letter;
use crate::live::deliver::post::{Answer, Request};

pub(in crate::live::deliver) struct Slack {
    url: Url,
}

impl Slack {
    pub fn new(url: Url) -> Slack {
        Slack { url }
    }
}

impl Dialect for Slack {
    /// Slack asks for no more; it would cut at 40,000 without a word.
    fn longest(&self) -> usize {
        4_000
    }

    fn units(&self, c: char) -> usize {
        entity(c).map_or(c.len_utf16(), str::len)
    }

    fn request(&self, letter: &Letter) -> Request {
        Request {
            url: self.url.clone(),
            body: json!({
                "text": escape(letter.text),
                "mrkdwn": false,
                "unfurl_links": false,
            }),
            idempotency_key: None,
        }
    }

    fn accepts(&self, answer: &Answer) -> bool {
        answer.body.trim_ascii() == b"ok"
    }

    fn quotas<'a>(&self, limits: &'a Limits) -> Vec<Quota<'a>> {
        vec![Quota {
            key: self.url.to_string(),
            limits: &limits.slack,
        }]
    }
}

/// The three characters that Slack reads as its own, markup or not.
fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match entity(c) {
            Some(entity) => escaped += entity,
            None => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_characters_become_entities() {
        assert_eq!(escape("VOL>OI & <a> *b*"), "VOL&gt;OI &amp; &lt;a&gt; *b*");
    }
}
