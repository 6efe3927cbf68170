//! Explaining: from the YAML reader's sentence to a key and the facts of what is wrong with it.
//!
//! ```text
//!  scalp: unknown field `min_premum`, expected one of `enabled`, ... at line 4 column 3
//!  paper.slippage_bps: invalid value: integer `-1`, expected a number from 0 to below 10000 at ...
//! ```

use super::error::{Fault, nearest};
use super::locate::Place;

/// The dotted key and its fault. A sentence of no known form is a document that cannot be read.
pub(super) fn explain(sentence: &str, at: Option<Place>) -> (String, Fault) {
    let place = at
        .map(|Place { line, column }| format!(" at line {line} column {column}"))
        .unwrap_or_default();
    let sentence = sentence.replacen(&place, "", 1);
    const STARTS: [&str; 4] = [
        "unknown field `",
        "unknown variant `",
        "invalid type: ",
        "invalid value: ",
    ];
    let Some((at, start)) = STARTS
        .iter()
        .filter_map(|start| Some((sentence.find(start)?, *start)))
        .min()
    else {
        return (String::new(), Fault::Syntax { message: sentence });
    };
    let block = sentence[..at].trim_end_matches(": ");
    let rest = &sentence[at + start.len()..];
    let (got, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "no keys"));
    let got = got.trim_end_matches('`');
    match start {
        "unknown field `" => unknown_key(block, got, &names(expected)),
        "unknown variant `" => unknown_choice(block, got, &names(expected)),
        _ => unexpected(block, got, expected),
    }
}

/// What stands in backticks.
fn names(expected: &str) -> Vec<String> {
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn unknown_key(block: &str, name: &str, valid: &[String]) -> (String, Fault) {
    let key = if block.is_empty() {
        name.to_owned()
    } else {
        format!("{block}.{name}")
    };
    (
        key.clone(),
        Fault::UnknownKey {
            key,
            valid: valid.to_vec(),
        },
    )
}

fn unknown_choice(key: &str, got: &str, valid: &[String]) -> (String, Fault) {
    let (nearest, expected) = (nearest(got, valid), valid.join(" or "));
    (
        key.to_owned(),
        Fault::Unexpected {
            key: key.to_owned(),
            got: got.to_owned(),
            expected,
            nearest,
        },
    )
}

fn unexpected(key: &str, got: &str, expected: &str) -> (String, Fault) {
    let is_value =
        got.contains(['`', '"']) || got.starts_with("integer") || got.starts_with("floating");
    // It may be a secret, typed where only the name of its variable belongs.
    let got = if is_value && key.starts_with("routing") {
        "a literal".to_owned()
    } else {
        in_plain_words(got)
    };
    let expected = match expected {
        "a boolean" => "true or false",
        "a string" => "a name",
        "a map" => "a block of keys",
        other => other,
    };
    // A ticker as a key is refused before it is part of any path.
    let is_key = key == "tickers.overrides" && expected.starts_with("a ticker");
    let named = if is_key {
        format!("a key of {key}")
    } else {
        key.to_owned()
    };
    let upper = got.trim_matches('"').to_uppercase();
    let nearest =
        (expected.starts_with("a ticker") && super::values::is_ticker(&upper)).then_some(upper);
    (
        key.to_owned(),
        Fault::Unexpected {
            key: named,
            got,
            expected: expected.to_owned(),
            nearest,
        },
    )
}

/// A value as a trader would say it: `integer `-5`` is -5.
fn in_plain_words(got: &str) -> String {
    let kinds = ["integer `", "floating point `", "boolean `", "string "];
    let words = match (kinds.iter().find_map(|kind| got.strip_prefix(kind)), got) {
        (Some(bare), _) => bare,
        (None, "unit value") => "empty",
        (None, "map") => "a block of keys",
        (None, "sequence") => "a list",
        (None, other) => other,
    };
    words.to_owned()
}
