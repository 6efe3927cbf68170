//! Signed URLs, AWS Signature Version 4: says whether a request was signed with the one key there is.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::NaiveDateTime;

use super::super::http::Request;
use super::sha256::{hex, hmac, sha256};
use super::{ACCESS_DENIED, Refused};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Refuses a request without a signature, by an unknown key, signed with another secret, or too old.
pub fn check(request: &Request, key_id: &str, secret: &str) -> Result<(), Refused> {
    let param = |name| request.param(name).ok_or(ACCESS_DENIED);
    if param("X-Amz-Algorithm")? != ALGORITHM {
        return Err(ACCESS_DENIED);
    }
    let (id, scope) = param("X-Amz-Credential")?
        .split_once('/')
        .ok_or(ACCESS_DENIED)?;
    if id != key_id {
        return Err((403, "InvalidAccessKeyId"));
    }
    let date = param("X-Amz-Date")?;
    let expires: i64 = param("X-Amz-Expires")?.parse().map_err(|_| ACCESS_DENIED)?;
    let signed_at = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ");
    let signed_at = signed_at.map_err(|_| ACCESS_DENIED)?.and_utc().timestamp();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs() as i64);
    if now > signed_at + expires {
        return Err(ACCESS_DENIED);
    }
    // The scope is date/region/service/aws4_request; any region will do.
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes()).to_vec();
    }
    let canonical = canonical(request, param("X-Amz-SignedHeaders")?);
    let digest = hex(&sha256(canonical.as_bytes()));
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{digest}");
    match hex(&hmac(&key, to_sign.as_bytes())) == param("X-Amz-Signature")? {
        true => Ok(()),
        false => Err((403, "SignatureDoesNotMatch")),
    }
}

/// The request in the one form that both sides can write down.
fn canonical(request: &Request, signed_headers: &str) -> String {
    let pairs = request.query.iter();
    let mut query: Vec<(String, String)> = pairs
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    query.sort_unstable();
    let query: Vec<String> = query.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let headers = signed_headers.split(';');
    let headers = headers.map(|name| format!("{name}:{}\n", request.header(name)));
    format!(
        "{}\n{}\n{}\n{}\n{signed_headers}\nUNSIGNED-PAYLOAD",
        request.method,
        request.raw_path,
        query.join("&"),
        headers.collect::<String>(),
    )
}

/// Every byte but those which RFC 3986 calls unreserved.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
