//! Lists, versions and refusals, asked of a bucket on this machine.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;

use super::bucket::*;
use super::s3::Call;
use super::*;

#[test]
fn a_file_comes_whole_with_its_version() {
    let server = Server::start(|_, request| object(request, "v1", &bytes(100_000)));
    let files = server.files();
    let mut download = files.get(KEY).unwrap();
    let expected = Object {
        key: KEY.into(),
        etag: "v1".into(),
        size: Some(100_000),
    };
    assert_eq!(*download.object(), expected);
    let mut found = Vec::new();
    download.read_to_end(&mut found).unwrap();
    assert_eq!(found, bytes(100_000));
    assert_eq!(files.head(KEY).unwrap(), expected);
    let traffic = files.traffic();
    assert_eq!(
        (traffic.calls, traffic.bytes, traffic.retries),
        (2, 100_000, 0)
    );
    let request = &server.requests()[0];
    let path = format!("GET /flatfiles/{KEY}?X-Amz-Algorithm=AWS4-HMAC-SHA256&");
    assert!(request.starts_with(&path), "{request}");
    assert!(request.contains("accept-encoding: identity"), "{request}");
    assert!(!request.contains(SECRET));
    assert!(!format!("{files:?}").contains(KEY_ID));
}

#[test]
fn a_days_key_has_year_and_month() {
    let date = "2026-10-14".parse().unwrap();
    assert_eq!(day_key("us_options_opra/trades_v1", date), KEY);
}

#[test]
fn a_list_is_read_page_by_page() {
    let page = |keys: &[&str], next: &str| {
        let contents: String = keys
            .iter()
            .map(|key| {
                format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-10-15T15:00:00.000Z</LastModified>\
                     <ETag>&quot;e-{key}&quot;</ETag><Size>7</Size>\
                     <StorageClass>STANDARD</StorageClass></Contents>"
                )
            })
            .collect();
        let more = match next {
            "" => "<IsTruncated>false</IsTruncated>".to_owned(),
            next => format!(
                "<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>"
            ),
        };
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{contents}{more}</ListBucketResult>"
        );
        reply(200, text)
    };
    let server = Server::start(move |number, request| match number {
        0 => page(&["a", "b"], "t1"),
        // Cut short once.
        1 => {
            let mut whole = page(&["c"], "");
            whole.body.truncate(150);
            whole
        }
        _ if request.contains("continuation-token=t1") => page(&["c"], ""),
        _ => panic!("{request}"),
    });
    let found = server.files().list("x/").unwrap();
    let keys: Vec<String> = found
        .iter()
        .map(|o| format!("{} {}", o.key, o.etag))
        .collect();
    assert_eq!(keys, ["a e-a", "b e-b", "c e-c"]);
    assert_eq!(found[0].size, Some(7));
    assert!(server.requests()[0].contains("prefix=x%2F"));

    let endless = Server::start(move |_, _| page(&["a"], "again"));
    let error = endless.files().list("x/").unwrap_err();
    assert_eq!(
        error.to_string(),
        "flatfiles/x/: the answer makes no sense: the list has no end"
    );
}

#[test]
fn refusals_are_told_apart() {
    let kind = |status, code: &'static str, message: &'static str| {
        fails(&Server::start(move |_, _| error(status, code, message)))
    };
    let object = format!("flatfiles/{KEY}");
    assert_eq!(
        kind(404, "NoSuchKey", "The specified key does not exist."),
        S3Error::NotFound {
            object: object.clone()
        }
    );
    assert_eq!(
        kind(
            403,
            "AccessDenied",
            &format!("not in the plan of {}", "x").leak()[..]
        ),
        S3Error::NotEntitled {
            object: object.clone(),
            message: "not in the plan of x".into()
        }
    );
    for code in ["InvalidAccessKeyId", "SignatureDoesNotMatch"] {
        let message = "AKIAEXAMPLEEXAMPLE https://h/?X-Amz-Credential=AKIAEXAMPLEEXAMPLE";
        assert_eq!(
            kind(403, code, message),
            S3Error::WrongKey { code: code.into() }
        );
    }
    assert_eq!(
        kind(403, "RequestTimeTooSkewed", ""),
        S3Error::ClockSkew {
            object: object.clone()
        }
    );
    let message = "AKIAEXAMPLEEXAMPLE asked";
    assert_eq!(
        kind(400, "Odd", message).to_string(),
        format!("{object}: refused with status 400 Odd: *** asked")
    );
    assert!(matches!(
        kind(404, "NoSuchBucket", ""),
        S3Error::Refused { .. }
    ));
}

#[test]
fn a_refused_head_is_asked_again_for_the_reason() {
    let server = Server::start(|_, _| error(403, "SignatureDoesNotMatch", ""));
    let found = server.files().head(KEY).unwrap_err();
    assert!(matches!(found, S3Error::WrongKey { .. }));
    assert!(server.requests()[1].contains("range: bytes=0-0"));
    let server = Server::start(|_, _| error(403, "AccessDenied", "no"));
    let found = server.files().head(KEY).unwrap_err();
    assert!(matches!(found, S3Error::NotEntitled { message, .. } if message == "no"));
    let server = Server::start(|_, _| error(404, "", ""));
    assert!(matches!(
        server.files().head(KEY),
        Err(S3Error::NotFound { .. })
    ));
}

#[test]
fn a_redirect_is_not_followed_and_the_host_is_named() {
    let to = "https://elsewhere.example/flatfiles?X-Amz-Signature=1";
    let server = Server::start(move |_, _| reply(301, "").header("Location", to));
    let error = fails(&server);
    assert_eq!(
        error.to_string(),
        format!("flatfiles/{KEY}: the server sends elsewhere, to elsewhere.example")
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::start(|number, request| match number {
        0 => error(429, "", "").header("Retry-After", "0"),
        1 => error(503, "SlowDown", ""),
        _ => object(request, "v1", b"abc"),
    });
    let files = server.files();
    assert_eq!(read(&files).unwrap(), b"abc");
    let traffic = files.traffic();
    assert_eq!((traffic.retries, traffic.throttled), (2, 2));
}

#[test]
fn patience_ends() {
    let server = Server::start(|_, _| error(500, "InternalError", ""));
    assert_eq!(
        fails(&server).to_string(),
        format!(
            "flatfiles/{KEY}: no answer worth having in 3 tries, the last: status 500 InternalError"
        )
    );
    assert_eq!(server.requests().len(), 3);
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let mut nobody = Server::start(|_, _| reply(200, ""));
    let here = std::mem::replace(&mut nobody.address, address);
    let found = read(&nobody.files()).unwrap_err();
    nobody.address = here;
    check_discreet(&found);
    assert!(matches!(found, S3Error::Exhausted { tries: 3, .. }));
}

#[test]
fn an_address_is_not_shown_by_any_call() {
    let server = Server::start(|_, _| reply(200, "no etag"));
    let files = server.files();
    for call in [Call::Head, Call::Get(None)] {
        files.send(call, KEY).unwrap();
    }
    check_discreet(&fails(&server));
    check_discreet(&files.head(KEY).unwrap_err());
    let bad = S3Settings {
        endpoint: "ftp://user:word@h/".parse().unwrap(),
        ..S3Settings::default()
    };
    let error = FlatFiles::new(bad, &keys(), Arc::default()).unwrap_err();
    assert!(!error.to_string().contains("word"), "{error}");
}
