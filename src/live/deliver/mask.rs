//! Masks: from a text of a service or a library to one that is fit for a log line.

use url::Url;

use crate::config::secret::Secret;

/// Longer texts are cut: an error page is not a message.
const LONGEST: usize = 300;
/// Shorter parts of an address are words, such as `bot` or `hook`.
const SHORTEST_PART: usize = 6;

/// What must not be seen, the longest first.
#[derive(Default)]
pub(super) struct Mask(Vec<String>);

impl Mask {
    pub fn hide(&mut self, secret: &Secret) {
        self.add(secret.expose());
        // A token of a bot is its number, a colon and the part that matters.
        if let Some((_, key)) = secret.expose().split_once(':') {
            self.add(key);
        }
    }

    /// The address as a whole and every part of it from which it could be pieced together.
    pub fn hide_address(&mut self, url: &Url) {
        self.add(url.as_str());
        let path = url.path().split('/');
        let query = url.query().unwrap_or_default().split(['&', '=']);
        let password = url.password().into_iter();
        for part in path.chain(query).chain(password) {
            if part.len() >= SHORTEST_PART {
                self.add(part);
            }
        }
    }

    fn add(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push(text.to_owned());
            self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
        }
    }

    /// One line without secrets, and not long.
    pub fn clean(&self, text: &str) -> String {
        // First what could hide inside a secret, then the secrets, then the length.
        let mut text: String = text.chars().filter(|c| !c.is_control()).collect();
        for secret in &self.0 {
            text = text.replace(secret, "(secret)");
        }
        let text = text.trim();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => text[..end].to_owned(),
            None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let mut mask = Mask::default();
        mask.hide(&Secret::new("123:AAFsesame"));
        mask.hide_address(&Url::parse("https://u:pass-word@h/hook/T0SECRET?key=open-it").unwrap());
        mask
    }

    #[test]
    fn every_part_of_an_address_and_of_a_token_is_hidden() {
        for (text, expected) in [
            ("no 123:AAFsesame here", "no (secret) here"),
            ("AAFse\u{7}same", "(secret)"),
            (
                "https://u:pass-word@h/hook/T0SECRET?key=open-it is gone",
                "(secret) is gone",
            ),
            ("/hook/T0SECRET, open-it", "/hook/(secret), (secret)"),
            ("pass-word", "(secret)"),
        ] {
            assert_eq!(mask().clean(text), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(mask().clean(&"é".repeat(500)).chars().count(), LONGEST);
    }
}
