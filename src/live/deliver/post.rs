//! Posting: one request to a service, and what its answer means.
//!
//! Nothing is passed on that may hold an address: not the library's texts, not a service's echo of one.

use std::io::Read;
use std::time::Duration;

use serde_json::Value;
use ureq::Timeout;
use ureq::http::HeaderMap;
use url::Url;

use super::Timeouts;
use super::mask::Mask;
use super::services::Dialect;
use super::trouble::{Meaning, Trouble};
use crate::providers::is_loopback;

/// No service has more to say.
const LARGEST_ANSWER: u64 = 64 << 10;

pub(super) struct Request {
    pub url: Url,
    pub body: Value,
    /// For receivers that drop what comes a second time.
    pub idempotency_key: Option<String>,
}

/// What a service said.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A header that is a number of seconds, whole or not.
    pub fn seconds(&self, header: &str) -> Option<Duration> {
        let value = self.headers.get(header)?.to_str().ok()?;
        seconds(value.trim().parse().ok()?)
    }
}

/// `None` for what is no stretch of time.
pub(super) fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}

/// The way to one service.
pub(super) struct Post {
    agent: ureq::Agent,
    mask: Mask,
}

impl Post {
    pub fn new(url: &Url, mask: Mask, timeouts: &Timeouts) -> Post {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("flowlab/", env!("CARGO_PKG_VERSION")))
            // A connection kept from before may have died meanwhile, and whether what went into it
            // arrived nobody could tell.
            .max_idle_connections(0)
            .timeout_connect(Some(timeouts.connect))
            .timeout_global(Some(timeouts.call));
        // A proxy of the environment has no way to this machine's own loopback.
        let config = if is_loopback(url) {
            config.proxy(None)
        } else {
            config
        };
        Post {
            agent: config.build().new_agent(),
            mask,
        }
    }

    /// Returns once the service has accepted the message, with the silence it asks for afterwards.
    pub fn send(
        &self,
        dialect: &dyn Dialect,
        request: &Request,
    ) -> Result<Option<Duration>, Trouble> {
        let answer = self.ask(request)?;
        match answer.status {
            200..300 if dialect.accepts(&answer) => Ok(dialect.pause(&answer)),
            200..300 => Err(Trouble::new(
                Meaning::Unclear,
                format!("{}, but not the answer of this service", answer.status),
            )),
            _ => Err(self.refusal(dialect, &answer)),
        }
    }

    fn ask(&self, request: &Request) -> Result<Answer, Trouble> {
        let mut post = self
            .agent
            .post(request.url.as_str())
            .header("Content-Type", "application/json");
        if let Some(key) = &request.idempotency_key {
            post = post.header("Idempotency-Key", key);
        }
        let response = post
            .send(request.body.to_string())
            .map_err(|error| self.silence(&error))?;
        let (head, body) = response.into_parts();
        let mut answer = Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Vec::new(),
        };
        let body = body.into_reader().take(LARGEST_ANSWER);
        let read = { body }.read_to_end(&mut answer.body);
        match read {
            // A refusal that breaks off has said enough.
            Err(error) if answer.status < 300 => Err(self.silence(&ureq::Error::from(error))),
            _ => Ok(answer),
        }
    }

    fn refusal(&self, dialect: &dyn Dialect, answer: &Answer) -> Trouble {
        let status = answer.status;
        let meaning = match status {
            429 => Meaning::TooFast,
            // A gateway that got no answer, or none it could read, does not know what it passed on.
            502 | 504 | 520 | 524 => Meaning::Unclear,
            408 | 500.. => Meaning::NotArrived,
            _ => Meaning::Final,
        };
        let said = match status {
            300..400 => "redirected, which is not followed".to_owned(),
            _ => self.mask.clean(&complaint(answer)),
        };
        let reason = if said.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {said}")
        };
        Trouble {
            reason,
            meaning,
            retry_after: dialect.retry_after(answer),
        }
    }

    /// Why there was no answer, and whether the message can have arrived all the same.
    fn silence(&self, error: &ureq::Error) -> Trouble {
        use ureq::Error;
        let (meaning, reason) = match error {
            Error::Timeout(phase @ (Timeout::Resolve | Timeout::Connect)) => (
                Meaning::NotArrived,
                format!("no connection in time ({phase})"),
            ),
            Error::Timeout(phase) => (Meaning::Unclear, format!("no answer in time ({phase})")),
            Error::Io(error) => (of_io(error), self.mask.clean(&error.to_string())),
            Error::HostNotFound => (Meaning::NotArrived, "the host is not known".to_owned()),
            Error::ConnectionFailed | Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => {
                (Meaning::NotArrived, self.mask.clean(&error.to_string()))
            }
            Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
                (Meaning::NotArrived, "no way through the proxy".to_owned())
            }
            Error::BadUri(_) => (Meaning::Final, "the address is refused".to_owned()),
            other => (Meaning::Unclear, self.mask.clean(&other.to_string())),
        };
        Trouble::new(meaning, reason)
    }
}

fn of_io(error: &std::io::Error) -> Meaning {
    use std::io::ErrorKind::*;
    match error.kind() {
        ConnectionRefused | HostUnreachable | NetworkUnreachable | NetworkDown
        | AddrNotAvailable => Meaning::NotArrived,
        UnexpectedEof | InvalidData | Other => Meaning::Unclear,
        // The look-up of a name fails without an error of the system; a connection never does.
        _ if error.raw_os_error().is_none() => Meaning::NotArrived,
        _ => Meaning::Unclear,
    }
}

/// What the body of a refusal says, in whichever field the services put it. A page for a browser says nothing.
fn complaint(answer: &Answer) -> String {
    if let Some(Value::Object(fields)) = answer.json() {
        let said = ["description", "message", "error"]
            .into_iter()
            .find_map(|name| fields.get(name)?.as_str());
        return said.unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(&answer.body);
    match text.trim_start().starts_with('<') {
        true => String::new(),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::net::ToSocketAddrs;

    use super::*;

    #[test]
    fn only_what_never_had_a_connection_surely_did_not_arrive() {
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::NetworkUnreachable] {
            assert_eq!(of_io(&kind.into()), Meaning::NotArrived, "{kind}");
        }
        let unknown_host = "no host:1".to_socket_addrs().unwrap_err();
        assert_eq!(
            of_io(&unknown_host),
            Meaning::NotArrived,
            "{unknown_host:?}"
        );
        // A broken pipe, a reset and a time-out of Linux; a connection that just ends.
        for error in [32, 104, 110].map(Error::from_raw_os_error) {
            assert_eq!(of_io(&error), Meaning::Unclear, "{error}");
        }
        assert_eq!(of_io(&ErrorKind::UnexpectedEof.into()), Meaning::Unclear);
    }
}
