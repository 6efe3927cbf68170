//! Answers: from a status and a body that are no data to the error they mean.

use std::time::Duration;

use chrono::DateTime;
use serde_json::Value;

use super::{MassiveError, Passing};
use crate::config::secret::Secret;

/// Longer texts are cut: an error page is not a message.
const LONGEST_MESSAGE: usize = 300;

/// Why a call failed, and whether trying again may help.
#[derive(Debug)]
pub(super) enum Failure {
    Final(MassiveError),
    Passing {
        passing: Passing,
        retry_after: Option<Duration>,
    },
}

impl From<MassiveError> for Failure {
    fn from(error: MassiveError) -> Failure {
        Failure::Final(error)
    }
}

impl From<Passing> for Failure {
    fn from(passing: Passing) -> Failure {
        Failure::Passing {
            passing,
            retry_after: None,
        }
    }
}

/// What a status other than success means. `message` is already cleaned.
pub(super) fn failure(
    path: &str,
    status: u16,
    message: String,
    retry_after: Option<Duration>,
) -> Failure {
    let path = path.to_owned();
    Failure::Final(match status {
        400 => MassiveError::BadRequest { path, message },
        401 => MassiveError::WrongKey { message },
        403 => forbidden(path, message),
        404 => MassiveError::NotFound { path, message },
        408 | 413 | 429 | 499 | 500.. => {
            let passing = Passing::Status { status, message };
            return Failure::Passing {
                passing,
                retry_after,
            };
        }
        _ => MassiveError::Unexpected {
            path,
            status,
            message,
        },
    })
}

/// The error inside an answer that came with a status of success and no results, if there is one.
pub(super) fn error_inside(path: &str, status: &str, message: String) -> Option<MassiveError> {
    let path = path.to_owned();
    match status {
        "NOT_AUTHORIZED" => Some(forbidden(path, message)),
        "NOT_FOUND" => Some(MassiveError::NotFound { path, message }),
        "ERROR" => Some(MassiveError::BadRequest { path, message }),
        _ => None,
    }
}

fn forbidden(path: String, message: String) -> MassiveError {
    let words = message.to_ascii_lowercase();
    if words.contains("before end of day") {
        return MassiveError::TooEarly { path, message };
    }
    let is_timeframe = words.contains("timeframe");
    MassiveError::NotEntitled {
        path,
        message,
        is_timeframe,
    }
}

/// Whether a refusal speaks of calls per minute, as the smallest plan's does.
pub(super) fn names_minutes(message: &str) -> bool {
    message.to_ascii_lowercase().contains("per minute")
}

/// What the body of an error says: `error` and `message` of an object, or else the text itself.
pub(super) fn message(body: &[u8], key: &Secret) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => {
            let said = |name: &str| fields.get(name).and_then(Value::as_str);
            match (said("error"), said("message")) {
                (Some(error), Some(message)) if error != message => format!("{error}: {message}"),
                (Some(text), _) | (None, Some(text)) => text.to_owned(),
                (None, None) => String::new(),
            }
        }
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    clean(&text, key)
}

/// Text from outside, made fit for one line of an error: no control characters, no key, not long.
pub(super) fn clean(text: &str, key: &Secret) -> String {
    // First what could hide inside the key, then the key, then the length.
    let printable: String = text.chars().filter(|c| !c.is_control()).collect();
    let masked = match key.expose() {
        "" => printable,
        key => printable.replace(key, "(key)"),
    };
    let masked = masked.trim();
    match masked.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => masked[..end].to_owned(),
        None => masked.to_owned(),
    }
}

/// The wait that `Retry-After` asks for: seconds, or a date, which is compared with the answer's own
/// `Date`, so that no clock is needed here.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    let now = DateTime::parse_from_rfc2822(date?.trim()).ok()?;
    Some(
        until
            .signed_duration_since(now)
            .to_std()
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        message(body.as_bytes(), &Secret::new("sesame"))
    }

    #[test]
    fn error_and_message_are_both_read() {
        assert_eq!(said(r#"{"error":"a"}"#), "a");
        assert_eq!(said(r#"{"message":"b","request_id":7}"#), "b");
        assert_eq!(said(r#"{"error":"a","message":"b"}"#), "a: b");
        assert_eq!(said(r#"{"error":{"code":1}}"#), "");
        assert_eq!(said("<html>busy</html>"), "<html>busy</html>");
        assert_eq!(said(""), "");
    }

    #[test]
    fn what_a_server_says_is_cut_and_loses_control_characters_and_the_key() {
        assert_eq!(said("key ses\u{7}ame\n is wrong"), "key (key) is wrong");
        assert_eq!(said(&"é".repeat(500)).chars().count(), 300);
    }

    #[test]
    fn the_kinds_of_403_are_told_apart() {
        for (text, kind) in [
            ("You are not entitled to this data.", "plan"),
            (
                "Your plan doesn't include this data timeframe.",
                "timeframe",
            ),
            (
                "Attempted to request today's data before end of day.",
                "early",
            ),
            ("", "plan"),
        ] {
            let Failure::Final(error) = failure("/p", 403, text.to_owned(), None) else {
                panic!("a 403 does not pass");
            };
            let got = match error {
                MassiveError::NotEntitled { is_timeframe, .. } if is_timeframe => "timeframe",
                MassiveError::NotEntitled { .. } => "plan",
                MassiveError::TooEarly { .. } => "early",
                _ => "other",
            };
            assert_eq!(got, kind, "{text}");
        }
    }

    #[test]
    fn busy_servers_pass_and_refusals_do_not() {
        for status in [408, 413, 429, 499, 500, 502, 503, 504, 520] {
            assert!(
                matches!(
                    failure("/p", status, String::new(), None),
                    Failure::Passing { .. }
                ),
                "{status}"
            );
        }
        for status in [400, 401, 403, 404, 405, 410] {
            assert!(
                matches!(
                    failure("/p", status, String::new(), None),
                    Failure::Final(_)
                ),
                "{status}"
            );
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Wed, 14 Oct 2026 10:00:00 GMT");
        for (value, expected) in [
            ("7", Some(7)),
            ("Wed, 14 Oct 2026 10:00:30 GMT", Some(30)),
            ("Wed, 14 Oct 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(Some(value), date), expected, "{value}");
        }
        assert_eq!(retry_after(None, date), None);
        assert_eq!(retry_after(date, None), None);
    }
}
