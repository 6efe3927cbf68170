//! The flat files over S3: list, head and get of a bucket, by signed URLs.

/// What the files hold.
mod files;
/// SHA-256, as far as signatures need it.
mod sha256;
/// Who may ask.
mod signature;

use std::fmt::Write;
use std::ops::Range;

use chrono::DateTime;

use super::Family;
use super::faults::Kind;
use super::http::{Request, Response};
use super::server::Shared;
pub(super) use files::Files;
use files::{File, Object};

/// An error as S3 words it: its status and its code.
type Refused = (u16, &'static str);

const NO_SUCH_KEY: Refused = (404, "NoSuchKey");
const ACCESS_DENIED: Refused = (403, "AccessDenied");

pub(super) fn respond(shared: &Shared, request: &Request, kinds: &[Kind]) -> Response {
    answer(shared, request, kinds).unwrap_or_else(|(status, code)| xml_error(status, code))
}

/// The usual error of a status.
pub(super) fn error(status: u16) -> Response {
    let code = match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "SlowDown",
        _ => "ServiceUnavailable",
    };
    xml_error(status, code)
}

fn xml_error(status: u16, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>This is {code}.</Message><RequestId>e0</RequestId></Error>"
    );
    Response::new(status, "application/xml", body)
}

fn answer(shared: &Shared, request: &Request, kinds: &[Kind]) -> Result<Response, Refused> {
    let options = &shared.options;
    if kinds.contains(&Kind::WrongKey) {
        return Err((403, "InvalidAccessKeyId"));
    }
    signature::check(request, &options.s3_key_id, &options.s3_secret)?;
    if kinds
        .iter()
        .any(|kind| matches!(kind, Kind::NotEntitled(_)))
    {
        return Err(ACCESS_DENIED);
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err((405, "MethodNotAllowed"));
    }
    let path = request.path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != options.bucket {
        return Err((404, "NoSuchBucket"));
    }
    if key.is_empty() {
        return list(shared, request);
    }
    if kinds.contains(&Kind::Reissued) {
        shared.files.reissue(key);
    }
    let file = File::parse(key).ok_or(NO_SUCH_KEY)?;
    let is_before = options.history_start.is_some_and(|start| file.date < start);
    if options.not_entitled.contains(&Family::FlatFiles) || is_before {
        return Err(ACCESS_DENIED);
    }
    if !file.is_published(&shared.world, shared.now()) {
        return Err(NO_SUCH_KEY);
    }
    get(request, &shared.files.object(&shared.world, &file, kinds))
}

fn get(request: &Request, object: &Object) -> Result<Response, Refused> {
    let wanted = request.header("if-match").trim_matches('"');
    if !wanted.is_empty() && wanted != "*" && wanted != object.etag {
        return Err((412, "PreconditionFailed"));
    }
    let size = object.bytes.len();
    let range = match request.header("range") {
        "" => None,
        text => Some(byte_range(text, size).ok_or((416, "InvalidRange"))?),
    };
    let modified = DateTime::from_timestamp_nanos(object.modified);
    let modified = modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = Response {
        status: 200,
        headers: vec![("Content-Type", "application/gzip".to_owned())],
        body: object.bytes.clone(),
        range: 0..size,
    }
    .with("ETag", format!("\"{}\"", object.etag))
    .with("Last-Modified", modified)
    .with("Accept-Ranges", "bytes");
    if let Some(range) = range {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        response = response.with("Content-Range", part);
        response.status = 206;
        response.range = range;
    }
    Ok(response)
}

/// Reads `bytes=a-b`, `bytes=a-` and `bytes=-n`; `None` when nothing of it is there.
fn byte_range(text: &str, size: usize) -> Option<Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first, last) {
        ("", count) => size.saturating_sub(count.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => first.parse().ok()?..size.min(last.parse::<usize>().ok()?.checked_add(1)?),
    };
    Some(range).filter(|range| !range.is_empty())
}

/// `ListObjectsV2`. A file is listed from the moment it is published, within the plan or not.
fn list(shared: &Shared, request: &Request) -> Result<Response, Refused> {
    let prefix = request.param("prefix").unwrap_or_default();
    let after = match request.param("continuation-token") {
        Some(token) => token
            .strip_prefix("after:")
            .ok_or((400, "InvalidArgument"))?,
        None => request.param("start-after").unwrap_or_default(),
    };
    let max_keys = match request.param("max-keys") {
        Some(text) => text.parse().map_err(|_| (400, "InvalidArgument"))?,
        None => 1_000,
    };
    let max_keys = usize::min(max_keys, 1_000).min(shared.options.page_cap);
    let mut files = File::published(&shared.world, shared.now());
    files.retain(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let is_truncated = files.len() > max_keys;
    files.truncate(max_keys);
    let mut body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{}</Name><Prefix>{prefix}</Prefix><KeyCount>{}</KeyCount>\
         <MaxKeys>{max_keys}</MaxKeys><IsTruncated>{is_truncated}</IsTruncated>",
        shared.options.bucket,
        files.len(),
    );
    for (key, file) in &files {
        let object = shared.files.object(&shared.world, file, &[]);
        let modified = DateTime::from_timestamp_nanos(object.modified);
        write!(
            body,
            "<Contents><Key>{key}</Key><LastModified>{}</LastModified>\
             <ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            modified.format("%Y-%m-%dT%H:%M:%S.000Z"),
            object.etag,
            object.bytes.len(),
        )
        .expect("a String takes every character");
    }
    if let Some((last, _)) = files.last().filter(|_| is_truncated) {
        body += &format!("<NextContinuationToken>after:{last}</NextContinuationToken>");
    }
    body += "</ListBucketResult>";
    Ok(Response::new(200, "application/xml", body))
}
