use std::time::Duration;

use super::super::faults::{Fault, Kind};
use super::super::{Family, Options};
use super::{agent, check, column, get, json, start};

#[test]
fn trades_come_newest_first_and_by_time_when_asked() {
    let path = "/v3/trades/O:XYZ251010C00020000";
    check(&format!("{path}?timestamp=2025-10-06"), "size", "5 40 40");
    check(
        &format!("{path}?timestamp=2025-10-06&order=asc"),
        "size",
        "40 40 5",
    );
    // 09:30:01 and 09:30:11 in New York.
    let (first, last) = (1_759_757_401_000_000_000_i64, 1_759_757_411_000_000_000_i64);
    let between = format!("{path}?timestamp.gte={first}&timestamp.lt={last}");
    check(&between, "sip_timestamp", &format!("{first} {first}"));
    let after = format!("{path}?timestamp.gt={first}&timestamp.lte={last}");
    check(&after, "sip_timestamp", &last.to_string());
    check("/v3/trades/O:NONE251010C00020000", "size", "");
}

#[test]
fn quotes_carry_nanoseconds_and_may_lack_a_side() {
    let path = "/v3/quotes/O:XYZ251010C00020000?timestamp=2025-10-06&order=asc";
    check(path, "bid_price", "6.3 6.25 6.2 6.2");
    check(path, "ask_price", "6.35 6.35 6.3 0");
    let last = format!(
        "{}&timestamp.lte=1759757401000000000&order=desc&limit=1",
        path.replace("&order=asc", "")
    );
    assert!(column(&start(Options::default()), &last, "sip_timestamp")[0].ends_with("482113"));
}

#[test]
fn a_contract_is_listed_as_of_its_days() {
    let path = "/v3/reference/options/contracts?underlying_ticker=ABC";
    check(
        &format!("{path}&as_of=2025-10-06"),
        "ticker",
        "O:ABC251010C00100000",
    );
    let both = "O:ABC251010C00100000 O:ABC251010P00100000";
    check(&format!("{path}&as_of=2025-10-07"), "ticker", both);
    check(
        &format!("{path}&as_of=2025-10-07&contract_type=put"),
        "strike_price",
        "100.0",
    );
    check(path, "ticker", "");
}

#[test]
fn bars_are_raw_only_when_asked() {
    let range = "/v2/aggs/ticker/ABC/range/1/day/2025-10-06/2025-10-08";
    check(
        &format!("{range}?adjusted=false&sort=asc"),
        "o",
        "100.0 103.0 53.0",
    );
    check(range, "o", "50.0 51.5 53.0");
    let minutes = "/v2/aggs/ticker/ABC/range/1/minute/2025-10-07/2025-10-07";
    check(
        &format!("{minutes}?adjusted=false&sort=desc"),
        "c",
        "105.25 104.25 103.25",
    );
    let server = start(Options::default());
    let weekend = json(
        &server,
        "/v2/aggs/ticker/ABC/range/1/day/2025-10-04/2025-10-05",
    );
    assert_eq!(weekend.get("results"), None);
    let grouped = "/v2/aggs/grouped/locale/us/market/stocks/2025-10-06?adjusted=false";
    check(grouped, "T", "ABC XYZ");
    check(grouped, "t", "1759780800000 1759780800000");
}

#[test]
fn open_interest_is_that_of_the_day_before() {
    let day = "/options/v1/open-interest?root=XYZ&date=";
    check(&format!("{day}2025-10-07"), "open_interest", "600");
    check(&format!("{day}2025-10-08"), "open_interest", "");
    check("/v3/snapshot/options/XYZ?limit=250", "open_interest", "600");
    check(
        "/stocks/v1/splits?ticker=ABC",
        "historical_adjustment_factor",
        "0.5",
    );
    check(
        "/v3/reference/splits?ticker=ABC",
        "execution_date",
        "2025-10-08",
    );
    check(
        "/options/v1/unusual-trades?ticker.gte=O:ABC&ticker.lt=O:ABD",
        "size",
        "40 40 2000 40 40",
    );
    let conditions = column(
        &start(Options::default()),
        "/v3/reference/conditions?limit=1000",
        "id",
    );
    assert_eq!(conditions.len(), 33);
}

#[test]
fn a_chain_says_what_traded_last_as_of_the_answer() {
    let path = "/v3/snapshot/options/XYZ";
    let server = start(Options::default());
    let told = || {
        let row = json(&server, path)["results"][0].clone();
        let last = row["last_trade"]["sip_timestamp"].clone();
        (last.as_i64(), row["day"]["volume"].as_i64())
    };
    // 09:30:11 in New York on Wednesday, and on Tuesday.
    let (today, yesterday) = (1_759_930_211_000_000_000, 1_759_843_811_000_000_000);
    assert_eq!(told(), (Some(today), Some(85)));
    let half_past_nine = 1_759_930_205_000_000_000;
    server.set_now(half_past_nine);
    assert_eq!(told(), (Some(today - 10_000_000_000), Some(80)));
    let behind = Kind::Behind(Duration::from_secs(60));
    server.inject(Fault::on(path, behind));
    assert_eq!(told(), (Some(yesterday), None));
    assert_eq!(told().1, Some(80));
}

#[test]
fn refusals_are_worded_as_documented() {
    let options = Options {
        not_entitled: vec![Family::Quotes],
        history_start: "2025-10-07".parse().ok(),
        rate_limit: Some((6, Duration::from_secs(3_600))),
        ..Options::default()
    };
    let server = start(options);
    let refused = |path: &str, status: u16, text: &str| {
        let (got, body) = get(&server, path);
        assert_eq!(got, status, "{path}: {body}");
        assert!(body.contains(text), "{path}: {body}");
    };
    refused(
        "/v3/quotes/O:XYZ251010C00020000",
        403,
        "You are not entitled",
    );
    refused(
        "/v3/trades/O:XYZ251010C00020000?timestamp=2025-10-06",
        403,
        "timeframe",
    );
    refused("/v3/trades/O:XYZ251010C00020000?limit=0", 403, "timeframe");
    refused("/v3/reference/options/contracts?limit=1001", 400, "limit");
    refused("/v3/snapshot/options/NONE", 404, "Ticker not found.");
    refused("/v4/nothing", 404, "page not found");
    refused(
        "/v3/reference/conditions",
        429,
        "maximum requests per minute",
    );
    let request = agent().get(server.rest_url());
    let request = request.header("Accept-Encoding", "identity");
    let mut response = request.call().expect("an answer");
    let body = response.body_mut().read_to_string().expect("a body");
    assert!(body.contains("API Key was not provided"), "{body}");
    assert!(server.requests_elsewhere().is_empty());
    let last = server.requests().pop().expect("it was logged");
    assert_eq!((last.status, last.authorization), (401, false));
    assert_eq!(last.bytes, body.len() as u64);
}
