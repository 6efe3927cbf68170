//! The list of requests: what was asked, by whom it was allowed, what went back.

use std::sync::Mutex;

use super::faults::Kind;
use super::http::Request;

/// Which of the three addresses was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Rest,
    S3,
    /// Where redirects and foreign `next_url`s lead. Nobody should come here.
    Elsewhere,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub origin: Origin,
    pub method: String,
    /// Decoded.
    pub path: String,
    /// Decoded and sorted, `a=1&b=2`, without `apiKey` and whatever signs a request.
    pub query: String,
    /// The `Range` header, empty when there was none.
    pub range: String,
    /// Whether an `Authorization` header came with it.
    pub authorization: bool,
    /// Whether a key or a signature came in the query.
    pub secret_in_query: bool,
    /// Zero as long as there is no answer.
    pub status: u16,
    /// Bytes of the body that were handed to the network.
    pub bytes: u64,
    pub faults: Vec<Kind>,
}

impl Logged {
    /// What faults are matched with: `rest /path?query`.
    pub fn target(&self) -> String {
        let origin = match self.origin {
            Origin::Rest => "rest",
            Origin::S3 => "s3",
            Origin::Elsewhere => "elsewhere",
        };
        match self.query.as_str() {
            "" => format!("{origin} {}", self.path),
            query => format!("{origin} {}?{query}", self.path),
        }
    }

    pub(super) fn of(request: &Request, origin: Origin) -> Logged {
        let is_secret = |name: &str| name == "apiKey" || name.starts_with("X-Amz-");
        let pairs = request.query.iter();
        let (secret, open): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| is_secret(name));
        let mut open: Vec<String> = open.iter().map(|(k, v)| format!("{k}={v}")).collect();
        open.sort_unstable();
        Logged {
            origin,
            method: request.method.clone(),
            path: request.path.clone(),
            query: open.join("&"),
            range: request.header("range").to_owned(),
            authorization: request.headers.contains_key("authorization"),
            secret_in_query: !secret.is_empty(),
            status: 0,
            bytes: 0,
            faults: Vec::new(),
        }
    }
}

/// Entries in order of arrival; each is completed while its answer goes out.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<Logged>>);

impl Log {
    /// Returns the number of the entry.
    pub fn add(&self, entry: Logged) -> usize {
        let mut entries = self.0.lock().expect("nobody panics while it is held");
        entries.push(entry);
        entries.len() - 1
    }

    pub fn status(&self, number: usize, status: u16) {
        self.0.lock().expect("nobody panics while it is held")[number].status = status;
    }

    pub fn count(&self, number: usize, bytes: i64) {
        let mut entries = self.0.lock().expect("nobody panics while it is held");
        let entry = &mut entries[number];
        entry.bytes = entry.bytes.saturating_add_signed(bytes);
    }

    pub fn all(&self) -> Vec<Logged> {
        let entries = self.0.lock().expect("nobody panics while it is held");
        entries.clone()
    }
}
