//! Objects: the files of the bucket by key and version.

use chrono::NaiveDate;
use ureq::Body;
use ureq::http::Response;

use super::reply;
use super::s3_error::S3Error;

/// A file of the bucket and the version of it: the vendor replaces files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// Without quotes.
    pub etag: String,
    /// Bytes as stored; unknown when the server hides the length.
    pub size: Option<u64>,
}

impl Object {
    /// The version that `response` speaks of; `object` names it in messages.
    pub(super) fn of(
        key: &str,
        object: &str,
        response: &Response<Body>,
    ) -> Result<Object, S3Error> {
        let headers = response.headers();
        let length = reply::header(headers, "content-length");
        Ok(Object {
            key: key.to_owned(),
            etag: reply::etag(headers).ok_or_else(|| S3Error::Malformed {
                object: object.to_owned(),
                what: "it has no ETag".to_owned(),
            })?,
            size: length.and_then(|length| length.trim().parse().ok()),
        })
    }
}

/// The key of a day's file: `us_options_opra/trades_v1/2026/10/2026-10-14.csv.gz`.
pub fn day_key(prefix: &str, date: NaiveDate) -> String {
    format!("{prefix}/{}", date.format("%Y/%m/%Y-%m-%d.csv.gz"))
}
