use std::io::Read;
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};

use super::super::faults::{Fault, Kind, Spoil};
use super::super::{Options, Server};
use super::{agent, start};

/// What a signed GET brings: status, ETag, body.
fn s3(
    server: &Server,
    key: &str,
    headers: &[(&str, &str)],
    secret: &str,
) -> (u16, String, Vec<u8>) {
    let (bucket, _) = bucket(server);
    let credentials = Credentials::new(Options::default().s3_key_id, secret);
    let url = bucket
        .get_object(Some(&credentials), key)
        .sign(Duration::from_secs(60));
    let mut request = agent().get(url.as_str());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.call().expect("the server answers");
    let etag = response
        .headers()
        .get("etag")
        .and_then(|etag| etag.to_str().ok());
    let etag = etag.unwrap_or_default().to_owned();
    let body = response.body_mut().read_to_vec().expect("a whole body");
    (response.status().as_u16(), etag, body)
}

fn bucket(server: &Server) -> (Bucket, Credentials) {
    let options = Options::default();
    let url = server.s3_url().parse().expect("a URL");
    let bucket = Bucket::new(url, UrlStyle::Path, options.bucket, "us-east-1");
    let credentials = Credentials::new(options.s3_key_id, options.s3_secret);
    (bucket.expect("a bucket"), credentials)
}

#[test]
fn flat_files_are_listed_signed_ranged_and_reissued() {
    let server = start(Options {
        page_cap: 2,
        ..Options::default()
    });
    let secret = Options::default().s3_secret;
    let key = "us_options_opra/trades_v1/2025/10/2025-10-06.csv.gz";
    let (status, etag, body) = s3(&server, key, &[], &secret);
    assert_eq!(status, 200);
    let mut text = String::new();
    let mut reader = flate2::read::MultiGzDecoder::new(body.as_slice());
    reader.read_to_string(&mut text).expect("gzip");
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 7);
    assert_eq!(
        rows[3],
        "O:ABC251010C00100000,209,0,312,6.25,1759757411000000000,5"
    );

    let range = [("Range", "bytes=10-"), ("If-Match", etag.as_str())];
    let (status, _, rest) = s3(&server, key, &range, &secret);
    assert_eq!((status, rest.as_slice()), (206, &body[10..]));
    assert_eq!(server.requests()[1].bytes, rest.len() as u64);
    let (bucket, credentials) = bucket(&server);
    let url = bucket.head_object(Some(&credentials), key);
    let url = url.sign(Duration::from_secs(60));
    let response = agent().head(url.as_str()).call().expect("an answer");
    let length = response.headers()["content-length"].to_str();
    assert_eq!(length.expect("a number"), body.len().to_string());
    server.inject(Fault::on("s3 ", Kind::Reissued));
    assert_eq!(s3(&server, key, &range, &secret).0, 412);
    assert_ne!(s3(&server, key, &[], &secret).2, body);
    assert_eq!(s3(&server, key, &[], "another secret").0, 403);
    // Not out before the next morning.
    let today = key.replace("2025-10-06", "2025-10-08");
    let (status, _, body) = s3(&server, &today, &[], &secret);
    assert_eq!(status, 404);
    assert!(String::from_utf8_lossy(&body).contains("NoSuchKey"));

    let (mut keys, mut token) = (Vec::new(), None::<String>);
    for _page in 0..3 {
        let mut list = bucket.list_objects_v2(Some(&credentials));
        list.with_prefix("us_stocks_sip/");
        if let Some(token) = token.take() {
            list.with_continuation_token(token);
        }
        let url = list.sign(Duration::from_secs(60));
        let mut response = agent().get(url.as_str()).call().expect("an answer");
        let xml = response.body_mut().read_to_string().expect("a body");
        let page = ListObjectsV2::parse_response(&xml).expect("a list");
        keys.extend(page.contents.into_iter().map(|object| object.key));
        match page.next_continuation_token {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| !request.query.contains("Amz"))
    );
}

#[test]
fn a_spoiled_file_has_its_own_rows_and_etag() {
    let key = "us_stocks_sip/minute_aggs_v1/2025/10/2025-10-06.csv.gz";
    let secret = Options::default().s3_secret;
    let rows = |kind: Option<Kind>| {
        let server = start(Options::default());
        if let Some(kind) = kind {
            server.inject(Fault::on(key, kind));
        } else {
            server.reissue(key);
        }
        let (_, _, body) = s3(&server, key, &[], &secret);
        let mut text = String::new();
        let mut reader = flate2::read::MultiGzDecoder::new(body.as_slice());
        reader.read_to_string(&mut text).expect("gzip");
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let spoiled = rows(Some(Kind::BadRow(Spoil::ZeroPrice)));
    assert_eq!(
        spoiled[4],
        "XYZ,1000,20,0,20.5,19.75,1759757400000000000,10"
    );
    assert_eq!(
        spoiled[5],
        "XYZ,1000,20,20.25,20.5,19.75,1759757400000000000,10"
    );
    assert_eq!(
        rows(None)[4],
        "XYZ,1001,20,20.25,20.5,19.75,1759757400000000000,10"
    );
    assert!(rows(Some(Kind::UnknownFields))[1].starts_with("?,ABC,1000,"));
    let swapped = rows(Some(Kind::SwappedRows));
    assert!(swapped[1].starts_with("ABC,1001,") && swapped[2].starts_with("ABC,1000,"));
}

#[test]
fn a_file_may_break_off_and_be_another_one_when_asked_again() {
    let server = start(Options::default());
    let key = "us_options_opra/trades_v1/2025/10/2025-10-06.csv.gz";
    let (bucket, credentials) = bucket(&server);
    let url = bucket.get_object(Some(&credentials), key);
    let url = url.sign(Duration::from_secs(60));
    server.inject(Fault::on(key, Kind::Cut { after: 20 }));
    server.inject(Fault::on(key, Kind::Reissued).skip(1));
    let mut response = agent().get(url.as_str()).call().expect("an answer");
    let etag = response.headers()["etag"].clone();
    assert!(response.body_mut().read_to_vec().is_err());
    assert_eq!(server.requests()[0].bytes, 20);
    let rest = agent().get(url.as_str()).header("Range", "bytes=20-");
    let response = rest.header("If-Match", etag).call().expect("an answer");
    assert_eq!(response.status().as_u16(), 412);
}
