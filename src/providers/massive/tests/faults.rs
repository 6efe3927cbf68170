//! Failures of the way and refusals of the vendor: what is tried again, and what is told.

use std::sync::atomic::Ordering;

use super::*;

/// The error of a script, and how many requests it took.
fn error_of(script: Vec<Reply>) -> (MassiveError, usize) {
    let server = Server::start(|_| script);
    let error = trades(&massive(&server)).expect_err("the script holds no answer");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    (error, server.requests().len())
}

#[test]
fn a_redirect_is_not_followed_and_its_query_is_not_told() {
    let other = Server::start(|_| vec![Reply::ok(&page(&[2], None))]);
    let to = format!("{}v3?apiKey={KEY}", other.url);
    let server = Server::start(|_| vec![Reply::new(302, "").header("Location", to)]);
    let error = trades(&massive(&server)).unwrap_err();
    let expected = other.url.as_str().trim_end_matches('/');
    match &error {
        MassiveError::Redirected { to, .. } => assert_eq!(to, expected),
        other => panic!("{other}"),
    }
    assert!(!format!("{error:?}").contains(KEY));
    assert!(other.requests().is_empty());
}

#[test]
fn whatever_passes_is_tried_again_until_the_answer_comes() {
    let good = page(&[1], None);
    let said = r#"{"status":"ERROR","error":"You've exceeded the maximum requests per minute"}"#;
    for (name, bad) in [
        ("429", Reply::new(429, "")),
        ("429 in words", Reply::new(429, said)),
        (
            "429 with a wait",
            Reply::new(429, said).header("Retry-After", "0"),
        ),
        ("500", Reply::new(500, "<html>oops</html>")),
        ("502", Reply::new(502, "")),
        ("503", Reply::new(503, "").header("Retry-After", "0")),
        ("reset mid-body", Reply::ok(&good).reset_after(20)),
        ("reset before the body", Reply::ok(&good).reset_after(0)),
        (
            "reset in a gzip body",
            Reply::ok(&good).gzip().reset_after(30),
        ),
        ("truncated gzip", Reply::ok(&good).gzip().truncated(12)),
        (
            "gzip without its trailer",
            Reply::ok(&good).gzip().truncated(8),
        ),
        (
            "bad gzip",
            Reply::ok(&good).header("Content-Encoding", "gzip"),
        ),
        ("truncated json", Reply::ok(&good).truncated(5)),
        ("empty body", Reply::ok("")),
    ] {
        let server = Server::start(|_| vec![bad.clone(), bad, Reply::ok(&good)]);
        let massive = massive(&server);
        assert_eq!(sizes(&massive), [1], "{name}");
        let traffic = massive.traffic();
        assert_eq!((traffic.calls, traffic.retries), (3, 2), "{name}");
        let refused = if name.starts_with("429") { 2 } else { 0 };
        assert_eq!(traffic.refused, refused, "{name}");
    }
}

#[test]
fn a_body_that_drips_is_given_up_and_asked_for_again() {
    let good = page(&[1], None);
    let server = Server::start(|_| {
        vec![
            Reply::ok(&good).dripping(Duration::from_millis(20)),
            Reply::ok(&good),
            Reply::ok(&good),
            Reply::ok(&good),
        ]
    });
    let mut settings = quick();
    settings.timeouts.call = Duration::from_millis(500);
    let massive = with(&server, settings, Arc::default());
    assert_eq!(sizes(&massive), [1]);
    assert!(massive.traffic().retries > 0);
}

#[test]
fn tries_are_bounded_and_the_last_failure_is_told() {
    let busy = Reply::new(503, r#"{"message":"busy"}"#);
    let (error, requests) = error_of(vec![busy; 9]);
    assert_eq!(requests, 4);
    let expected = "/v3/trades/O:TSLA261120C00410000?timestamp.gte=1000&timestamp.lt=2000&order=asc&sort=timestamp&limit=50000: no answer after 4 tries, at last: status 503: busy";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn nobody_at_home_is_a_connection_that_failed() {
    let massive = Massive::new(quick(), Secret::new(KEY), Arc::default()).unwrap();
    let error = trades(&massive).unwrap_err();
    let MassiveError::Exhausted { last, .. } = &error else {
        panic!("{error}");
    };
    assert!(matches!(last, Passing::Connection { .. }), "{error}");
}

#[test]
fn refusals_are_told_apart_and_not_tried_again() {
    let entitled = r#"{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}"#;
    let variant =
        r#"{"status":"ERROR","request_id":"a","error":"You are not entitled to this data."}"#;
    let timeframe = r#"{"message":"Your plan doesn't include this data timeframe."}"#;
    let early = r#"{"message":"Attempted to request today's data before end of day."}"#;
    let echo = format!(r#"{{"error":"Unknown API Key {KEY}"}}"#);
    for (status, body, expected) in [
        (400, r#"{"error":"bad limit"}"#, "BadRequest bad limit"),
        (401, echo.as_str(), "WrongKey Unknown API Key (key)"),
        (
            403,
            entitled,
            "NotEntitled false You are not entitled to this data.",
        ),
        (
            403,
            variant,
            "NotEntitled false You are not entitled to this data.",
        ),
        (
            403,
            timeframe,
            "NotEntitled true Your plan doesn't include this data timeframe.",
        ),
        (
            403,
            early,
            "TooEarly Attempted to request today's data before end of day.",
        ),
        (404, "404 page not found", "NotFound 404 page not found"),
        (418, "", "Unexpected 418 "),
        (
            200,
            entitled,
            "NotEntitled false You are not entitled to this data.",
        ),
        (
            200,
            "<html>hello</html>",
            "Malformed not JSON at line 1, column 1",
        ),
        (
            200,
            r#"{"results":{}}"#,
            "Malformed not the JSON expected at line 1, column 11",
        ),
        (
            200,
            r#"{"results":[],"next_url":7}"#,
            "Malformed next_url is 7",
        ),
    ] {
        let (error, requests) = error_of(vec![Reply::new(status, body)]);
        assert_eq!(requests, 1, "{expected}");
        let got = match &error {
            MassiveError::BadRequest { message, .. } => format!("BadRequest {message}"),
            MassiveError::WrongKey { message } => format!("WrongKey {message}"),
            MassiveError::NotEntitled {
                message,
                is_timeframe,
                ..
            } => {
                format!("NotEntitled {is_timeframe} {message}")
            }
            MassiveError::TooEarly { message, .. } => format!("TooEarly {message}"),
            MassiveError::NotFound { message, .. } => format!("NotFound {message}"),
            MassiveError::Unexpected {
                status, message, ..
            } => {
                format!("Unexpected {status} {message}")
            }
            MassiveError::Malformed { what, .. } => format!("Malformed {what}"),
            other => format!("{other:?}"),
        };
        assert_eq!(got, expected);
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_wait_ends_when_the_caller_wants_to_stop() {
    let server = Server::start(|_| vec![Reply::new(429, "").header("Retry-After", "100")]);
    let stop = Arc::new(AtomicBool::new(false));
    let massive = with(&server, quick(), Arc::clone(&stop));
    let error = std::thread::scope(|scope| {
        let fetch = scope.spawn(|| trades(&massive).unwrap_err());
        while massive.traffic().refused == 0 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        fetch.join().unwrap()
    });
    assert_eq!(error, MassiveError::Stopped);
    assert_eq!(trades(&massive), Err(MassiveError::Stopped));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_key_that_no_header_can_carry_is_refused_before_any_call() {
    for key in ["", "two words", "line\n", "clé"] {
        let made = Massive::new(quick(), Secret::new(key), Arc::default());
        assert!(matches!(made, Err(MassiveError::WrongKey { .. })), "{key}");
    }
}

#[test]
fn a_body_is_not_read_on_when_the_caller_wants_to_stop() {
    let dripping = Reply::ok(&page(&[1; 100], None)).dripping(Duration::from_millis(5));
    let server = Server::start(|_| vec![dripping]);
    let stop = Arc::new(AtomicBool::new(false));
    let massive = with(&server, quick(), Arc::clone(&stop));
    let error = std::thread::scope(|scope| {
        let fetch = scope.spawn(|| trades(&massive).unwrap_err());
        while massive.traffic().bytes == 0 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        fetch.join().unwrap()
    });
    assert_eq!(error, MassiveError::Stopped);
    assert_eq!(server.requests().len(), 1);
}
