use std::time::Duration;

use super::super::Options;
use super::super::faults::{ErrorBody, Fault, Kind, NoRows, Refusal, Spoil};
use super::super::log::Origin;
use super::{agent, column, get, json, start};

#[test]
fn faults_of_paging_lead_astray_as_told() {
    let path = "/v3/trades/O:XYZ251010C00020000?timestamp=2025-10-06&order=asc&limit=2";
    let check = |kind, expected: &str| {
        let server = start(Options::default());
        server.inject(Fault::on("/v3/trades", kind));
        assert_eq!(column(&server, path, "size").join(" "), expected);
        assert!(!server.requests()[0].faults.is_empty());
    };
    check(Kind::RepeatedPage, "40 40 40 40 5");
    check(Kind::RepeatedRow, "40 40 40 5");
    check(Kind::EmptyPage(NoRows::Null), "40 40 5");
    check(Kind::NextIsThis, "40 40 40 40 5");
    check(Kind::NextIsFirst, "40 40 40 40 5");
    check(Kind::SwappedRows, "40 40 5");
    check(Kind::BadRow(Spoil::ZeroSize), "40 0 40 5");
    check(Kind::UnknownFields, "40 40 5");
    let server = start(Options::default());
    server.inject(Fault::on("/v3/trades", Kind::NextElsewhere));
    let next = json(&server, path)["next_url"].to_string();
    assert!(next.contains(server.elsewhere_url()), "{next}");
}

#[test]
fn faults_of_delivery_break_the_body() {
    let path = "/v3/trades/O:XYZ251010C00020000";
    let key = format!("Bearer {}", Options::default().api_key);
    for kind in [
        Kind::Cut { after: 40 },
        Kind::TruncatedGzip { missing: 8 },
        Kind::NoAnswer,
    ] {
        let server = start(Options::default());
        server.inject(Fault::on(path, kind.clone()));
        let url = format!("{}{path}", server.rest_url());
        let call = || agent().get(&url).header("Authorization", &key).call();
        let read = call().and_then(|mut response| response.body_mut().read_to_string());
        assert!(read.is_err(), "{kind:?}: {read:?}");
        let read = call().and_then(|mut response| response.body_mut().read_to_string());
        assert!(read.is_ok(), "{kind:?} strikes once: {read:?}");
    }
    let server = start(Options::default());
    let every = Duration::from_millis(1);
    server.inject(Fault::on(path, Kind::Dribble { bytes: 10, every }));
    server.inject(Fault::on(path, Kind::retry_after(7)).skip(1));
    assert_eq!(get(&server, path).0, 200);
    assert_eq!(get(&server, path).0, 429);
}

#[test]
fn replaced_answers_look_like_the_real_ones() {
    let path = "/v3/reference/conditions";
    let check = |kind: Kind, status: u16, text: &str| {
        let server = start(Options::default());
        server.inject(Fault::on(path, kind).times(1));
        let (got, body) = get(&server, path);
        assert_eq!(got, status, "{body}");
        assert!(body.contains(text), "{body}");
        assert_eq!(get(&server, path).0, 200);
    };
    let status = |body| Kind::Status {
        status: 503,
        body,
        retry_after: None,
    };
    check(Kind::status(429), 429, "\"error\":\"You've exceeded");
    check(status(ErrorBody::Message), 503, "\"message\":\"Something");
    check(status(ErrorBody::Html), 503, "<html>");
    check(status(ErrorBody::Empty), 503, "");
    check(Kind::WrongKey, 401, "Unknown API Key");
    check(Kind::NotEntitled(Refusal::Timeframe), 403, "timeframe");
    check(
        Kind::NotEntitled(Refusal::BeforeEndOfDay),
        403,
        "end of day",
    );
    check(
        Kind::NotEntitled(Refusal::PlanAsError),
        403,
        "\"error\":\"You are not",
    );
    check(
        Kind::NotEntitled(Refusal::Plan),
        403,
        "\"message\":\"You are not",
    );
    check(Kind::RedirectElsewhere, 302, "");
    check(Kind::HalfJson, 200, "{");
    check(Kind::Delayed, 200, "\"status\":\"DELAYED\"");
    check(Kind::NumericRequestId, 200, "\"request_id\":");
    check(Kind::EmptyPage(NoRows::Absent), 200, "next_url");
    check(Kind::EmptyPage(NoRows::Empty), 200, "\"results\":[]");
}

#[test]
fn an_additional_row_is_spoiled_in_one_field() {
    let path = "/v3/trades/O:XYZ251010C00020000?timestamp=2025-10-06&order=asc";
    for (spoil, expected) in [
        (Spoil::MissingPrice, "6.35 null 6.35 6.25"),
        (Spoil::TextPrice, "6.35 1.25 or so 6.35 6.25"),
        (Spoil::NegativePrice, "6.35 -1.25 6.35 6.25"),
        (Spoil::ZeroPrice, "6.35 0 6.35 6.25"),
    ] {
        let server = start(Options::default());
        server.inject(Fault::on("", Kind::BadRow(spoil)).always());
        assert_eq!(column(&server, path, "price").join(" "), expected);
        server.clear_faults();
        assert_eq!(column(&server, path, "price").len(), 3);
    }
    let server = start(Options::default());
    server.inject(Fault::on("", Kind::SwappedRows));
    assert_eq!(column(&server, path, "size").join(" "), "40 5 40");
}

#[test]
fn a_stalled_body_says_nothing_more_and_the_log_knows_how_far_it_came() {
    let server = start(Options::default());
    server.inject(Fault::on("", Kind::Stall { after: 30 }));
    let key = format!("Bearer {}", Options::default().api_key);
    let call = agent()
        .get(format!(
            "{}/v3/reference/conditions?apiKey=x",
            server.rest_url()
        ))
        .config()
        .timeout_global(Some(Duration::from_millis(100)))
        .build()
        .header("Authorization", key)
        .call();
    let read = call.and_then(|mut response| response.body_mut().read_to_string());
    assert!(read.is_err());
    let entry = server.requests().remove(0);
    assert_eq!(entry.target(), "rest /v3/reference/conditions");
    assert_eq!(
        (entry.origin, entry.bytes, entry.status),
        (Origin::Rest, 30, 200)
    );
    assert_eq!((entry.method.as_str(), entry.range.as_str()), ("GET", ""));
    assert!(entry.authorization && entry.secret_in_query);
}

#[test]
fn the_clock_decides_what_has_happened() {
    let server = start(Options::default());
    let path = "/v3/trades/O:XYZ251010C00020000";
    assert_eq!(column(&server, path, "size").len(), 9);
    // 09:30:05 in New York on Tuesday.
    server.set_now(1_759_843_805_000_000_000);
    assert_eq!(column(&server, path, "size").len(), 5);
    let grouped = "/v2/aggs/grouped/locale/us/market/stocks/2025-10-07";
    assert!(get(&server, grouped).1.contains("before end of day"));
}
