//! Keys are sent to the vendor and otherwise stay where they are: no message, no log and no file has
//! them, however a fetch ends.

use crate::fetch::{Desk, options, small_fetch, world};
use crate::standin::faults::{ErrorBody, Fault, Kind, Refusal};
use crate::standin::{Options, Server};

/// Characters that addresses and shells take for something else.
fn odd_keys() -> Options {
    Options {
        api_key: "k+3/y=%26&odd?#~'\"<>".to_owned(),
        s3_key_id: "ID+with+odd=%41&signs".to_owned(),
        s3_secret: "a/secret+with=%2B&odd signs".to_owned(),
        ..options()
    }
}

/// `text` as an address has it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Everything that must not be read anywhere.
fn secrets() -> Vec<String> {
    let Options {
        api_key,
        s3_key_id,
        s3_secret,
        ..
    } = odd_keys();
    let mut secrets = vec![
        "X-Amz-Signature".to_owned(),
        "X-Amz-Credential".to_owned(),
        "Bearer".to_owned(),
    ];
    for key in [api_key, s3_key_id, s3_secret] {
        secrets.push(encoded(&key));
        secrets.push(format!("{key:?}").trim_matches('"').to_owned());
        secrets.push(key);
    }
    secrets
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    let secret = secret.as_bytes();
    bytes.windows(secret.len()).any(|part| part == secret)
}

/// Fetches with everything said that can be, and reads it all.
fn keeps(source: &str, code: i32, server: &Server, desk: &Desk) {
    let ran = desk.run(server, &format!("-vv {}", small_fetch(source)));
    assert_eq!(
        ran.code,
        Some(code),
        "{source}: {}{}",
        ran.stdout,
        ran.stderr
    );
    let mut places = desk.cache();
    places.insert("stdout".to_owned(), ran.stdout.into_bytes());
    places.insert("stderr".to_owned(), ran.stderr.into_bytes());
    for (place, bytes) in &places {
        for secret in secrets() {
            assert!(!holds(bytes, &secret), "{source}: {secret} is in {place}");
        }
    }
}

fn with_fault(source: &str, code: i32, fault: Fault) {
    let (server, desk) = (
        Server::start(world(), odd_keys()),
        Desk::with_keys_of(odd_keys()),
    );
    server.inject(fault);
    keeps(source, code, &server, &desk);
    let struck = server.requests().iter().any(|r| !r.faults.is_empty());
    assert!(struck, "the fault struck");
    assert!(server.requests_elsewhere().is_empty());
}

const TRADES: &str = "rest /v3/trades/O:TSLA";
const FILE: &str = "s3 /flatfiles/";

#[test]
fn no_key_is_told_when_all_goes_well() {
    for source in ["rest", "flat"] {
        let (server, desk) = (
            Server::start(world(), odd_keys()),
            Desk::with_keys_of(odd_keys()),
        );
        keeps(source, 0, &server, &desk);
        let mut rest = server.requests().into_iter();
        assert!(
            rest.any(|request| request.authorization),
            "the key was sent"
        );
    }
}

#[test]
fn no_key_is_told_when_it_is_refused() {
    // The server has others.
    let desk = || Desk::with_keys_of(odd_keys());
    keeps("rest", 1, &Server::start(world(), options()), &desk());
    let its_key = Options {
        api_key: odd_keys().api_key,
        ..options()
    };
    keeps("flat", 1, &Server::start(world(), its_key), &desk());
    with_fault("flat", 1, Fault::on(FILE, Kind::WrongKey).always());
}

#[test]
fn no_key_is_told_when_a_server_leads_astray() {
    with_fault("rest", 3, Fault::on(TRADES, Kind::NextElsewhere).always());
    with_fault(
        "rest",
        3,
        Fault::on(TRADES, Kind::RedirectElsewhere).always(),
    );
    with_fault("flat", 3, Fault::on(FILE, Kind::RedirectElsewhere).always());
}

#[test]
fn no_key_is_told_when_a_server_is_out_of_order() {
    let html = Kind::Status {
        status: 502,
        body: ErrorBody::Html,
        retry_after: None,
    };
    for kind in [
        Kind::status(500),
        html,
        Kind::NoAnswer,
        Kind::Cut { after: 20 },
    ] {
        with_fault("rest", 0, Fault::on(TRADES, kind.clone()));
        with_fault("flat", 0, Fault::on(FILE, kind));
    }
    let refused = Kind::NotEntitled(Refusal::Plan);
    with_fault("flat", 3, Fault::on(FILE, refused).always());
}
