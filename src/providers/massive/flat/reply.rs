//! Replies: from what a server answered instead of the object to an error, or to another try.

use std::io::Read;
use std::time::Duration;

use chrono::DateTime;
use ureq::http::{HeaderMap, Response};
use ureq::{Body, Error as HttpError};
use url::Url;

use super::s3_error::S3Error;

/// Of an error's text, how much is read and how much is shown.
const READ: u64 = 64 << 10;
const SHOWN: usize = 300;

/// Why a call did not bring what was asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    Final(S3Error),
    /// The object is not the one whose ETag was asked for.
    Changed {
        got: String,
    },
    /// Another try may succeed, not before `after` if the server said so.
    Again {
        what: String,
        after: Option<Duration>,
    },
}

impl Refusal {
    pub fn again(what: impl Into<String>) -> Refusal {
        Refusal::Again {
            what: what.into(),
            after: None,
        }
    }
}

/// What a call without a reply came to. Only errors that cannot hold the address are quoted.
pub(super) fn of_error(error: &HttpError) -> Refusal {
    Refusal::again(match error {
        HttpError::Io(error) => error.to_string(),
        HttpError::Timeout(phase) => format!("no answer in time ({phase})"),
        HttpError::HostNotFound => "the host is not known".to_owned(),
        HttpError::ConnectionFailed => "no connection".to_owned(),
        HttpError::Rustls(error) => error.to_string(),
        HttpError::Protocol(_) => "the answer is not HTTP".to_owned(),
        _ => "the request failed".to_owned(),
    })
}

/// What a reply other than success means. `secrets` never appear in what it says.
pub(super) fn of_reply(object: &str, response: Response<Body>, secrets: &[&str]) -> Refusal {
    let (parts, body) = response.into_parts();
    let mut text = Vec::new();
    // What has arrived before a break may still tell.
    let _ = body.into_reader().take(READ).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let tag = |tag: &str| shown(element(&text, tag), secrets);
    let (code, message) = (tag("Code"), tag("Message"));
    let object = object.to_owned();
    let status = parts.status.as_u16();
    let again = || Refusal::Again {
        what: format!("status {status} {code}").trim_end().to_owned(),
        after: retry_after(&parts.headers),
    };
    Refusal::Final(match (code.as_str(), status) {
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken", _) => {
            S3Error::WrongKey { code }
        }
        ("RequestTimeTooSkewed", _) => S3Error::ClockSkew { object },
        ("SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable", _) => {
            return again();
        }
        (_, 408 | 425 | 429 | 499 | 500..) => return again(),
        (_, 412 | 416) => {
            return Refusal::Changed {
                got: etag(&parts.headers).unwrap_or_else(|| "another".to_owned()),
            };
        }
        (_, 401) => S3Error::WrongKey {
            code: format!("status 401 {code}").trim_end().to_owned(),
        },
        (_, 403) => S3Error::NotEntitled { object, message },
        ("NoSuchKey" | "", 404) => S3Error::NotFound { object },
        (_, 300..=399) => S3Error::Redirected {
            object,
            host: target(&parts.headers),
        },
        _ => S3Error::Refused {
            object,
            status,
            code,
            message,
        },
    })
}

/// Without quotes and without the mark of a weak one.
pub(super) fn plain_etag(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.trim_matches('"').to_owned()
}

pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = plain_etag(header(headers, "etag")?);
    (!etag.is_empty()).then_some(etag)
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// First byte and whole length of a part: from `bytes 100-199/200`, 100 and 200.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = header(headers, "content-range")?
        .trim()
        .strip_prefix("bytes")?;
    let (part, whole) = range.trim().split_once('/')?;
    let (first, _) = part.split_once('-')?;
    Some((first.parse().ok()?, whole.parse().ok()))
}

/// Seconds, or a date, whose distance is taken from the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, "retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTime::parse_from_rfc2822(text).ok()?;
    let now = DateTime::parse_from_rfc2822(header(headers, "date")?).ok()?;
    (then - now).to_std().ok()
}

fn target(headers: &HeaderMap) -> String {
    let location = header(headers, "location").and_then(|to| Url::parse(to).ok());
    let host = location.and_then(|to| Some(to.host_str()?.to_owned()));
    host.unwrap_or_else(|| "an address it does not name".to_owned())
}

/// The text of the first element called `name`. Error replies are flat: that is all there is to read.
fn element<'a>(text: &'a str, name: &str) -> &'a str {
    let inside = text.split_once(&format!("<{name}>"));
    let inside = inside.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    inside.map_or("", |(inside, _)| inside)
}

/// What may be shown of a server's words: they may hold ours.
fn shown(text: &str, secrets: &[&str]) -> String {
    if text.contains("X-Amz-") {
        return String::new();
    }
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    let readable = text.chars().filter(|char| !char.is_control());
    readable.take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let after = |pairs| retry_after(&headers(pairs));
        assert_eq!(
            after(&[("retry-after", " 7 ")]),
            Some(Duration::from_secs(7))
        );
        let dates = [
            ("retry-after", "Wed, 14 Oct 2026 14:00:30 GMT"),
            ("date", "Wed, 14 Oct 2026 14:00:00 GMT"),
        ];
        assert_eq!(after(&dates), Some(Duration::from_secs(30)));
        assert_eq!(after(&dates[..1]), None);
        assert_eq!(after(&[("retry-after", "soon")]), None);
    }

    #[test]
    fn an_etag_is_compared_without_its_dress() {
        for text in ["\"a1\"", "W/\"a1\"", "a1", " \"a1\" "] {
            assert_eq!(plain_etag(text), "a1");
        }
    }

    #[test]
    fn a_part_says_where_it_begins() {
        let range = |text| content_range(&headers(&[("content-range", text)]));
        assert_eq!(range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(range("bytes 100-199/*"), Some((100, None)));
        assert_eq!(range("bytes */200"), None);
    }

    #[test]
    fn a_servers_words_are_cut_and_hold_no_secret() {
        assert_eq!(
            shown("key AKIA1\u{7} unknown", &["AKIA1"]),
            "key *** unknown"
        );
        assert_eq!(shown("https://x/?X-Amz-Signature=1", &[]), "");
        assert_eq!(shown(&"x".repeat(1000), &[""]).len(), SHOWN);
    }
}
