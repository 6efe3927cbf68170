//! Settings: where the flat files are and how patient one is with the server.

use std::time::Duration;

use url::Url;

/// What of the configuration the bucket needs.
#[derive(Clone, Debug, PartialEq)]
pub struct S3Settings {
    pub endpoint: Url,
    pub bucket: String,
    pub region: String,
    pub connect_timeout: Duration,
    /// A connection without a byte for so long is broken.
    pub stall_timeout: Duration,
    /// Tries for one call, or for the next megabyte of a file.
    pub tries: usize,
    /// Waits double from the first to the longest, with jitter on top.
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

impl Default for S3Settings {
    fn default() -> S3Settings {
        S3Settings {
            endpoint: Url::parse("https://files.massive.com").expect("it is an address"),
            bucket: "flatfiles".to_owned(),
            region: "us-east-1".to_owned(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(20),
            tries: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
        }
    }
}
