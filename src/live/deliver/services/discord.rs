//! Discord: a webhook of a channel. Its Markdown is escaped, and nobody is mentioned.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{Dialect, Quota};
use crate::live::deliver::Limits;
use crate::live::deliver::message::Letter;
use crate::live::deliver::post::{Answer, Request, seconds};

/// Mean something wherever they stand.
const MARKS: &str = r"\*_~|`<>#[]";
/// Mean something at the beginning of a line.
const BULLETS: &str = "-+";

pub(in crate::live::deliver) struct Discord {
    url: Url,
}

impl Discord {
    pub fn new(mut url: Url) -> Discord {
        // Asks for the message as it was made, and so for an error when it was not.
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "wait")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("wait", "true");
        Discord { url }
    }
}

impl Dialect for Discord {
    fn longest(&self) -> usize {
        2_000
    }

    fn units(&self, c: char) -> usize {
        // Whether a list begins here depends on where the text is cut.
        let may_be_escaped = MARKS.contains(c) || BULLETS.contains(c) || c == '.';
        c.len_utf16() + usize::from(may_be_escaped)
    }

    fn request(&self, letter: &Letter) -> Request {
        Request {
            url: self.url.clone(),
            body: json!({
                "content": escape(letter.text),
                "allowed_mentions": { "parse": [] },
            }),
            idempotency_key: None,
        }
    }

    fn accepts(&self, answer: &Answer) -> bool {
        answer.json().is_some_and(|json| json["id"].is_string())
    }

    fn retry_after(&self, answer: &Answer) -> Option<Duration> {
        let json = answer.json().unwrap_or_default();
        let asked = json["retry_after"].as_f64().and_then(seconds);
        asked.max(answer.seconds("Retry-After"))
    }

    fn pause(&self, answer: &Answer) -> Option<Duration> {
        let left = answer.headers.get("X-RateLimit-Remaining")?;
        (left == "0").then(|| answer.seconds("X-RateLimit-Reset-After"))?
    }

    fn quotas<'a>(&self, limits: &'a Limits) -> Vec<Quota<'a>> {
        vec![Quota {
            key: self.url.to_string(),
            limits: &limits.discord,
        }]
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        escaped += &line[..line.len() - content.len()];
        let marker = list_marker(content);
        for (at, c) in content.char_indices() {
            if MARKS.contains(c) || marker == Some(at) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

/// Where the character stands that would make `line` an item of a list: `- a`, `12. a`.
fn list_marker(line: &str) -> Option<usize> {
    let (word, _) = line.split_once(' ')?;
    if word.len() == 1 && BULLETS.contains(word) {
        return Some(0);
    }
    let number = word.strip_suffix('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_shown_as_it_is() {
        for (text, expected) in [
            ("LEVEL_BREAK, VOL>OI", r"LEVEL\_BREAK, VOL\>OI"),
            ("a | b || *c* ~d~ `e`", r"a \| b \|\| \*c\* \~d\~ \`e\`"),
            (r"1 \ 2", r"1 \\ 2"),
            ("# a\n-# b", "\\# a\n-\\# b"),
            ("- a\n  + b", "\\- a\n  \\+ b"),
            ("12. a\n12.5 b", "12\\. a\n12.5 b"),
            ("-1.5 %, 02-21-2025", "-1.5 %, 02-21-2025"),
            ("<@1> [a](b)", r"\<@1\> \[a\](b)"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn no_text_grows_beyond_what_its_characters_are_counted_for() {
        let discord = Discord::new(Url::parse("http://h/").unwrap());
        let text = "1. a\n- b\n+ c\n  7. 🚀_*\n>#<\n\\[x]|`~-+.";
        for begin in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let counted: usize = text[begin..].chars().map(|c| discord.units(c)).sum();
            assert!(escape(&text[begin..]).encode_utf16().count() <= counted);
        }
    }
}
