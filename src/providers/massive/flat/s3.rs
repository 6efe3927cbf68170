//! S3: the vendor's bucket of flat files, from a prefix to what is there and from a key to its bytes.
//!
//! Addresses are signed (SigV4) and so are as good as the key for a while: they go to the configured
//! endpoint and nowhere else, into no message and no log. Redirects are not followed.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::download::Download;
use super::object::Object;
use super::patience::Patience;
use super::reply::{self, Refusal};
use super::s3_error::S3Error;
use super::settings::S3Settings;
use crate::config::secret::FlatFileKeys;

/// How long a signed address is good for: the time to begin an answer, not to finish it.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// A list of a thousand keys a page: more pages than this are a server gone astray.
const MAX_PAGES: usize = 10_000;

/// What has gone over the wire so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub calls: u64,
    /// Of files, without lists and errors.
    pub bytes: u64,
    pub retries: u64,
    /// Times the server asked to slow down.
    pub throttled: u64,
}

/// The bucket. Clones share connections and counts.
#[derive(Clone)]
pub struct FlatFiles(Arc<Shared>);

struct Shared {
    settings: S3Settings,
    bucket: Bucket,
    credentials: Credentials,
    agent: Agent,
    stop: Arc<AtomicBool>,
    calls: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
}

/// Says where, and nothing of the keys.
impl fmt::Debug for FlatFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FlatFiles").field(&self.0.settings).finish()
    }
}

impl FlatFiles {
    /// Contacts nobody yet. When `stop` becomes true, everything ends with [`S3Error::Stopped`].
    pub fn new(
        settings: S3Settings,
        keys: &FlatFileKeys,
        stop: Arc<AtomicBool>,
    ) -> Result<FlatFiles, S3Error> {
        let S3Settings {
            endpoint,
            bucket,
            region,
            ..
        } = &settings;
        let bucket = Bucket::new(
            endpoint.clone(),
            UrlStyle::Path,
            bucket.clone(),
            region.clone(),
        );
        let bucket = bucket.map_err(|error| S3Error::Endpoint {
            endpoint: endpoint.origin().ascii_serialization(),
            reason: format!("{error:?}"),
        })?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .accept_encoding("identity")
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_recv_response(Some(settings.stall_timeout))
            .timeout_per_read(Some(settings.stall_timeout))
            .timeout_per_write(Some(settings.stall_timeout))
            .build();
        Ok(FlatFiles(Arc::new(Shared {
            bucket,
            credentials: Credentials::new(
                keys.access_key_id.expose(),
                keys.secret_access_key.expose(),
            ),
            agent: agent.new_agent(),
            settings,
            stop,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        })))
    }

    pub fn traffic(&self) -> Traffic {
        Traffic {
            calls: self.0.calls.load(Ordering::Relaxed),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            retries: self.0.retries.load(Ordering::Relaxed),
            throttled: self.0.throttled.load(Ordering::Relaxed),
        }
    }

    /// Everything whose key begins with `prefix`, in the order of the server. A month of a year is
    /// `{prefix}/2026/10/`. Being listed says nothing about being in the plan.
    pub fn list(&self, prefix: &str) -> Result<Vec<Object>, S3Error> {
        let object = self.name(prefix);
        let malformed = |what: &str| S3Error::Malformed {
            object: object.clone(),
            what: what.to_owned(),
        };
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        let mut tokens = HashSet::new();
        loop {
            let page = self.persist(&object, || self.page(prefix, token.as_deref()))?;
            for found in page.contents {
                let etag = found.etag.as_deref().map(reply::plain_etag);
                objects.push(Object {
                    key: found.key,
                    etag: etag.ok_or_else(|| malformed("a listed object has no ETag"))?,
                    size: found.size,
                });
            }
            let Some(next) = page.next_continuation_token else {
                return Ok(objects);
            };
            if !tokens.insert(next.clone()) || tokens.len() == MAX_PAGES {
                return Err(malformed("the list has no end"));
            }
            token = Some(next);
        }
    }

    /// Which version of a file is there now.
    pub fn head(&self, key: &str) -> Result<Object, S3Error> {
        let object = self.name(key);
        let found = self.persist(&object, || self.send(Call::Head, key));
        if let Err(S3Error::NotEntitled { .. }) = found {
            // A reply to HEAD has no text, so it cannot say why.
            self.persist(&object, || self.send(Call::Get(Some((0, None))), key))?;
        }
        Object::of(key, &object, &found?)
    }

    /// Begins to read a file.
    pub fn get(&self, key: &str) -> Result<Download, S3Error> {
        Download::begin(self.clone(), key)
    }

    /// A bucket and a key as messages name them.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.0.settings.bucket)
    }

    /// Makes one call. Anything but success is a [`Refusal`].
    pub(super) fn send(&self, call: Call, key: &str) -> Result<Response<Body>, Refusal> {
        let Shared {
            bucket,
            credentials,
            agent,
            ..
        } = &*self.0;
        let request = match call {
            Call::Head => {
                let action = bucket.head_object(Some(credentials), key);
                agent.head(action.sign(SIGNED_FOR).as_str())
            }
            Call::Get(part) => {
                let action = bucket.get_object(Some(credentials), key);
                let mut request = agent.get(action.sign(SIGNED_FOR).as_str());
                if let Some((from, etag)) = part {
                    let end = if etag.is_none() { "0" } else { "" };
                    request = request.header("range", format!("bytes={from}-{end}"));
                    if let Some(etag) = etag {
                        request = request.header("if-match", format!("\"{etag}\""));
                    }
                }
                request
            }
            Call::List(token) => {
                let mut action: ListObjectsV2 = bucket.list_objects_v2(Some(credentials));
                action.with_prefix(key);
                if let Some(token) = token {
                    action.with_continuation_token(token);
                }
                agent.get(action.sign(SIGNED_FOR).as_str())
            }
        };
        let object = self.name(key);
        self.check_stop(&object).map_err(Refusal::Final)?;
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let response = request.call().map_err(|error| reply::of_error(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let is_throttled = matches!(response.status().as_u16(), 429 | 503);
        self.0
            .throttled
            .fetch_add(u64::from(is_throttled), Ordering::Relaxed);
        let secrets = [credentials.key(), credentials.secret()];
        Err(reply::of_reply(&object, response, &secrets))
    }

    fn page(&self, prefix: &str, token: Option<&str>) -> Result<ListObjectsV2Response, Refusal> {
        let mut response = self.send(Call::List(token), prefix)?;
        let text = response.body_mut().read_to_string();
        let text = text.map_err(|error| reply::of_error(&error))?;
        // The reader of XML takes what is missing for not there.
        let page = match text.trim_end().ends_with("</ListBucketResult>") {
            true => ListObjectsV2::parse_response(&text).ok(),
            false => None,
        };
        page.ok_or_else(|| Refusal::again("the list is not whole, or not a list"))
    }

    /// Tries until `call` succeeds, fails for good, or patience is at its end.
    fn persist<T>(
        &self,
        object: &str,
        mut call: impl FnMut() -> Result<T, Refusal>,
    ) -> Result<T, S3Error> {
        let mut patience = self.patience();
        loop {
            match call() {
                Ok(found) => return Ok(found),
                Err(refusal) => patience.wait(self, object, refusal)?,
            }
        }
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::of(&self.0.settings)
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.0.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn check_stop(&self, object: &str) -> Result<(), S3Error> {
        if self.0.stop.load(Ordering::Relaxed) {
            return Err(S3Error::Stopped {
                object: object.to_owned(),
            });
        }
        Ok(())
    }
}

/// What is asked of the bucket.
#[derive(Clone, Copy)]
pub(super) enum Call<'a> {
    Head,
    /// A whole object, the rest of the version with an ETag from a byte on, or, without an ETag,
    /// that byte alone.
    Get(Option<(u64, Option<&'a str>)>),
    List(Option<&'a str>),
}
