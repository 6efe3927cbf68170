//! The client: from an address to a parsed answer, at the pace and within the patience configured.
//!
//! The key goes into the `Authorization` header of calls to the configured origin and nowhere else:
//! addresses come from [`Base`] only, and redirects are not followed.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use url::Url;

use super::answer::{self, Failure};
use super::limiter::Limiter;
use super::origin::{Base, origin_of, shown};
use super::{MassiveError, Passing, Retries, Settings};
use crate::config::secret::Secret;
use crate::providers::is_loopback;

/// No answer is larger; the largest known (a whole market's day) has a few megabytes.
const LARGEST_ANSWER: usize = 256 << 20;
/// Of an error page, more than enough to find its message.
const LARGEST_REFUSAL: usize = 64 << 10;
const CHUNK: usize = 64 << 10;
/// A server that asks for more patience than this is not waited for that long.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);
/// How long a wait may go on without looking at the stop flag.
const SLICE: Duration = Duration::from_millis(100);

/// What went over the wire so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Every try is a call.
    pub calls: u64,
    /// Of bodies, after decompression.
    pub bytes: u64,
    pub retries: u64,
    /// Calls refused for coming too fast (429).
    pub refused: u64,
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
}

/// Shared by threads.
pub(super) struct Client {
    agent: ureq::Agent,
    base: Base,
    key: Secret,
    retries: Retries,
    limiter: Limiter,
    stop: Arc<AtomicBool>,
    counters: Counters,
}

impl Client {
    pub fn new(
        settings: Settings,
        key: Secret,
        stop: Arc<AtomicBool>,
    ) -> Result<Client, MassiveError> {
        if key.expose().is_empty() || !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(MassiveError::WrongKey {
                message: "it is empty or holds characters that no header can carry".to_owned(),
            });
        }
        let timeouts = settings.timeouts;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("flowlab/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(settings.concurrency)
            .max_idle_connections_per_host(settings.concurrency)
            .timeout_connect(Some(timeouts.connect))
            .timeout_per_read(Some(timeouts.read))
            .timeout_global(Some(timeouts.call));
        // A proxy of the environment has no way to this machine's own loopback.
        let config = if is_loopback(&settings.rest_url) {
            config.proxy(None)
        } else {
            config
        };
        Ok(Client {
            agent: config.build().new_agent(),
            base: Base::new(&settings.rest_url)?,
            key,
            retries: settings.retries,
            limiter: Limiter::new(settings.pacing, Instant::now()),
            stop,
            counters: Counters::default(),
        })
    }

    pub fn base(&self) -> &Base {
        &self.base
    }

    pub fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            calls: read(&self.counters.calls),
            bytes: read(&self.counters.bytes),
            retries: read(&self.counters.retries),
            refused: read(&self.counters.refused),
        }
    }

    /// The answer, tried as often as configured. An answer that ends early counts as broken off.
    pub fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, MassiveError> {
        let path = shown(url);
        let mut waits = self.retries.waits();
        let mut tries = 0;
        loop {
            tries += 1;
            let (passing, retry_after) = match self.attempt(url, &path) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing {
                    passing,
                    retry_after,
                }) => (passing, retry_after),
            };
            let Some(wait) = waits.next() else {
                return Err(MassiveError::Exhausted {
                    path,
                    tries,
                    last: passing,
                });
            };
            log::debug!("{path}: {passing}, try {} follows", tries + 1);
            self.counters.retries.fetch_add(1, Ordering::Relaxed);
            self.wait_until(Instant::now() + wait.max(retry_after.unwrap_or_default()))?;
        }
    }

    fn attempt<T: DeserializeOwned>(&self, url: &Url, path: &str) -> Result<T, Failure> {
        let sent = self.await_turn()?;
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        let response = self
            .agent
            .get(url.as_str())
            .header("Authorization", format!("Bearer {}", self.key.expose()))
            .header("Accept", "application/json")
            .call()
            .map_err(|error| self.passing(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        if (300..400).contains(&status) {
            return Err(Failure::Final(MassiveError::Redirected {
                path: path.to_owned(),
                to: self.redirect_target(url, header("location")),
            }));
        }
        let retry_after = answer::retry_after(header("retry-after"), header("date"))
            .map(|wait| wait.min(LONGEST_RETRY_AFTER));
        let body = response.into_body().into_reader();
        if status < 429 {
            self.limiter.answered(Instant::now());
        }
        if (200..300).contains(&status) {
            let body = self.read(body, LARGEST_ANSWER, path)?;
            return parse(&body, path);
        }
        // An error page that breaks off has said enough.
        let body = self.read(body, LARGEST_REFUSAL, path).unwrap_or_default();
        let message = answer::message(&body, &self.key);
        if status == 429 {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            let names_minutes = answer::names_minutes(&message);
            self.limiter
                .refused(sent, Instant::now(), retry_after, names_minutes);
        }
        Err(answer::failure(path, status, message, retry_after))
    }

    /// Waits for the right to call, and returns when it was given.
    fn await_turn(&self) -> Result<Instant, MassiveError> {
        loop {
            self.check_stop()?;
            let now = Instant::now();
            match self.limiter.take(now) {
                Ok(()) => return Ok(now),
                Err(at) => self.wait_until(at)?,
            }
        }
    }

    fn wait_until(&self, at: Instant) -> Result<(), MassiveError> {
        loop {
            self.check_stop()?;
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn check_stop(&self) -> Result<(), MassiveError> {
        match self.is_stopped() {
            true => Err(MassiveError::Stopped),
            false => Ok(()),
        }
    }

    fn read(&self, mut body: impl Read, largest: usize, path: &str) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            self.check_stop()?;
            let count = match body.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(count) => count,
                Err(error) => return Err(self.passing(&ureq::Error::from(error)).into()),
            };
            self.counters
                .bytes
                .fetch_add(count as u64, Ordering::Relaxed);
            bytes.extend_from_slice(&chunk[..count]);
            if bytes.len() > largest {
                return Err(Failure::Final(MassiveError::Malformed {
                    path: path.to_owned(),
                    what: format!("longer than {largest} bytes"),
                }));
            }
        }
    }

    /// The library's failures in our words; none of its texts that may hold an address is passed on.
    fn passing(&self, error: &ureq::Error) -> Passing {
        let clean = |text: String| answer::clean(&text, &self.key);
        match error {
            ureq::Error::Timeout(phase) => Passing::TimedOut {
                phase: phase.to_string(),
            },
            ureq::Error::Decompress(format, error) => Passing::BrokenOff {
                what: clean(format!("{format}: {error}")),
            },
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Passing::BrokenOff {
                    what: "the connection was closed".to_owned(),
                }
            }
            ureq::Error::Io(error) => Passing::Connection {
                what: clean(error.to_string()),
            },
            ureq::Error::BadUri(_) => Passing::Connection {
                what: "the address is refused".to_owned(),
            },
            other => Passing::Connection {
                what: clean(other.to_string()),
            },
        }
    }

    /// The origin a redirect points to, without path and query.
    fn redirect_target(&self, from: &Url, location: Option<&str>) -> String {
        location
            .and_then(|location| from.join(location).ok())
            .map_or_else(
                || "nowhere".to_owned(),
                |to| answer::clean(&origin_of(&to), &self.key),
            )
    }

    /// What an answer says, fit for an error.
    pub fn clean(&self, text: &str) -> String {
        answer::clean(text, &self.key)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], path: &str) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            let what = format!("the JSON ends after {} bytes", body.len());
            return Passing::BrokenOff { what }.into();
        }
        // The library quotes values; where it was is enough.
        Failure::Final(MassiveError::Malformed {
            path: path.to_owned(),
            what: format!(
                "{} at line {}, column {}",
                if error.is_data() {
                    "not the JSON expected"
                } else {
                    "not JSON"
                },
                error.line(),
                error.column()
            ),
        })
    })
}
