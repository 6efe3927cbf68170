//! What reached people and programs, taken apart into alerts.

use std::collections::BTreeMap;

use flowlab::report::alert;

use super::service::Received;
use super::texts;
use crate::desk::Desk;

/// What a message begins with that may have been delivered before.
const MARK: &str = "Possibly a repeat: ";

/// An alert that reached people, by what names it, and whether it was said that it may be a repeat.
pub type Delivered = (String, bool);

/// The alerts of a message for people, named by their headlines.
pub fn headlines(desk: &Desk, received: &[Received]) -> Vec<Delivered> {
    let signals = desk.signals();
    let heads: Vec<String> = signals.iter().map(alert::headline).collect();
    let whole: BTreeMap<String, &String> = texts(&signals).into_iter().zip(&heads).collect();
    let mut delivered = Vec::new();
    for text in received.iter().map(Received::text) {
        let is_marked = text.starts_with(MARK);
        let text = match is_marked {
            true => text.split_once('\n').expect("the mark is a line").1,
            false => &text,
        };
        if let Some(headline) = whole.get(text) {
            delivered.push(((*headline).clone(), is_marked));
            continue;
        }
        for line in text.lines() {
            let headline = line.strip_prefix(MARK).unwrap_or(line);
            if heads.iter().any(|head| head == headline) {
                delivered.push((headline.to_owned(), is_marked || line != headline));
            } else {
                let is_count = line.contains(" alerts, ") && line.ends_with(" ET");
                assert!(is_count || line.starts_with('('), "not of a digest: {line}");
            }
        }
    }
    delivered
}

/// The alerts of messages for programs, named by their ids.
pub fn ids(received: &[Received]) -> Vec<Delivered> {
    let mut delivered = Vec::new();
    for Received { body, .. } in received {
        let is_marked = body["maybe_repeat"] == true;
        let text = body["text"].as_str().expect("a text");
        let ids = body["ids"].as_array().expect("a list of ids");
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str().expect("an id")).collect();
        assert_eq!(
            is_marked,
            text.starts_with("Possibly a repeat: an earlier try")
        );
        match body["kind"].as_str().expect("a kind") {
            "alert" => delivered.push((ids[0].to_owned(), is_marked)),
            "digest" => {
                let lines = text.lines().skip(1 + usize::from(is_marked));
                let lines: Vec<&str> = lines.collect();
                assert_eq!(lines.len(), ids.len(), "a line for each");
                let of_line = |(id, line): (&&str, &&str)| {
                    ((*id).to_owned(), is_marked || line.starts_with(MARK))
                };
                delivered.extend(ids.iter().zip(&lines).map(of_line));
            }
            kind => panic!("{kind} is no kind of these"),
        }
    }
    delivered
}

/// Fails unless everything of `expected` came, and nothing more often than it should without a word.
pub fn assert_once(what: &str, delivered: &[Delivered], expected: &[String]) {
    let count = |name: &str, of: &dyn Fn(&&Delivered) -> bool| {
        let mut named = delivered.iter().filter(|one| one.0 == name && of(one));
        named.by_ref().count()
    };
    for (name, _) in delivered {
        assert!(expected.contains(name), "{what}: {name} was never given");
    }
    for name in expected {
        let wanted = expected.iter().filter(|other| *other == name).count();
        let unmarked = count(name, &|one| !one.1);
        let all = count(name, &|_| true);
        assert!(
            unmarked <= wanted,
            "{what}: {name} came {unmarked} times, not {wanted}"
        );
        assert!(
            all >= wanted,
            "{what}: {name} came {all} times, not {wanted}"
        );
    }
}

pub fn marked(delivered: &[Delivered]) -> usize {
    delivered.iter().filter(|(_, is_marked)| *is_marked).count()
}

pub fn expected_ids(desk: &Desk) -> Vec<String> {
    let id = |id: u64| format!("{id:016x}");
    desk.signals()
        .iter()
        .map(|signal| id(signal.signal_id))
        .collect()
}

pub fn expected_headlines(desk: &Desk) -> Vec<String> {
    desk.signals().iter().map(alert::headline).collect()
}
