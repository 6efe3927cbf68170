//! Endpoints: the address asked and the rows read, one test each.

use super::*;

#[test]
fn minute_bars_are_asked_for_month_by_month() {
    let bar =
        |t: i64| format!(r#"{{"t":{t},"o":1,"h":2,"l":0.5,"c":1.5,"v":10.5,"n":3,"new":[]}}"#);
    let server = Server::start(|_| {
        vec![
            Reply::ok(&body(&[bar(1_738_333_800_000), bar(1)], None)),
            Reply::ok(r#"{"status":"OK","resultsCount":0}"#),
        ]
    });
    let fetched = massive(&server)
        .minute_bars("BRK.B", day("2025-01-31"), day("2025-02-02"))
        .unwrap();
    let expected = TimedBar {
        ts: Ts::parse_rfc3339("2025-01-31T14:30:00Z").unwrap(),
        open: 1.0,
        high: 2.0,
        low: 0.5,
        close: 1.5,
        volume: 10.5,
        vwap: None,
        trades: Some(3),
    };
    assert_eq!(fetched.rows, [expected]);
    assert_eq!((fetched.bad, fetched.calls), (1, 2));
    let targets: Vec<String> = server.requests().into_iter().map(|r| r.target).collect();
    let query = "?adjusted=false&sort=asc&limit=50000";
    assert_eq!(
        targets,
        [
            format!("/v2/aggs/ticker/BRK.B/range/1/minute/1738299600000/1738385999999{query}"),
            format!("/v2/aggs/ticker/BRK.B/range/1/minute/1738386000000/1738558799999{query}"),
        ]
    );
}

#[test]
fn a_daily_bar_has_the_date_of_new_york() {
    let bar = r#"{"t":1738299600000,"o":1,"h":2,"l":0.5,"c":1.5,"v":10}"#.to_owned();
    let server = Server::start(|_| vec![Reply::ok(&body(&[bar], None))]);
    let fetched = massive(&server)
        .daily_bars("AAPL", day("2025-01-31"), day("2025-01-31"))
        .unwrap();
    assert_eq!(fetched.rows[0].date, day("2025-01-31"));
}

#[test]
fn a_grouped_day_has_a_row_per_stock() {
    let rows = [
        r#"{"T":"NVDA","v":181223344.0,"vw":188.1,"o":1,"h":1,"l":1,"c":189.11,"t":1}"#.to_owned(),
        r#"{"T":"KIMpL","v":0.5,"c":25,"vw":0}"#.to_owned(),
        r#"{"v":1,"c":25}"#.to_owned(),
        r#"{"T":"X","v":0,"c":25}"#.to_owned(),
    ];
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let fetched = massive(&server).grouped_day(day("2026-10-14")).unwrap();
    let told: Vec<_> = fetched
        .rows
        .iter()
        .map(|bar| (bar.ticker.as_str(), bar.volume, bar.vwap))
        .collect();
    assert_eq!(
        told,
        [("NVDA", 181_223_344.0, Some(188.1)), ("KIMpL", 0.5, None)]
    );
    assert_eq!(fetched.bad, 2);
}

#[test]
fn splits_come_from_the_old_endpoint_when_the_new_one_is_not_there() {
    let split = |date: &str, from: i32, to: i32, ticker: &str| {
        format!(
            r#"{{"ticker":"{ticker}","execution_date":"{date}","split_from":{from},"split_to":{to},"adjustment_type":"new"}}"#
        )
    };
    let rows = [
        split("2024-06-10", 1, 10, "NVDA"),
        split("2021-07-20", 1, 4, "NVDA"),
        split("2021-07-20", 1, 4, "AMD"),
        split("2021-07-21", 0, 4, "NVDA"),
    ];
    let server = Server::start(|_| {
        vec![
            Reply::new(404, "404 page not found"),
            Reply::ok(&body(&rows, None)),
        ]
    });
    let fetched = massive(&server).splits("NVDA").unwrap();
    let expected = [("2021-07-20", 4.0), ("2024-06-10", 10.0)].map(|(date, ratio)| SplitRow {
        ex_date: day(date),
        ratio,
    });
    assert_eq!(fetched.rows, expected);
    assert_eq!(fetched.bad, 2);
    let targets: Vec<String> = server.requests().into_iter().map(|r| r.target).collect();
    assert_eq!(
        targets,
        [
            "/stocks/v1/splits?ticker=NVDA&sort=execution_date.asc&limit=5000",
            "/v3/reference/splits?ticker=NVDA&limit=1000"
        ]
    );
}

#[test]
fn contracts_are_those_of_the_day_with_what_they_deliver() {
    let contract = |symbol: &str, shares: i32, more: &str| {
        format!(
            r#"{{"ticker":"{symbol}","underlying_ticker":"AMCR","shares_per_contract":{shares}{more}}}"#
        )
    };
    let rows = [
        contract("O:AMCR261120C00010000", 100, ""),
        contract(
            "O:AMCR1261120C00010000",
            20,
            r#","additional_underlyings":[{"amount":7,"type":"currency","underlying":"USD"}]"#,
        ),
        contract("O:AAPL211022C000150000", 100, ""),
    ];
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let date = day("2026-10-14");
    let fetched = massive(&server).contracts("I:SPX", date, date).unwrap();
    let told: Vec<_> = fetched
        .rows
        .iter()
        .map(|row| {
            (
                row.contract.as_str(),
                row.shares_per_contract,
                row.has_additional_underlyings,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("AMCR261120C00010000", 100.0, false),
            ("AMCR1261120C00010000", 20.0, true)
        ]
    );
    assert_eq!(fetched.bad_rows[0].got, "\"O:AAPL211022C000150000\"");
    assert_eq!(
        server.requests()[0].target,
        "/v3/reference/options/contracts?underlying_ticker=SPX&as_of=2026-10-14&expiration_date.gte=2026-10-14&order=asc&sort=ticker&limit=1000"
    );
}

#[test]
fn quotes_are_read_backwards_until_there_are_enough() {
    let quote = |ts: i64, sequence: i64, more: &str| {
        format!(r#"{{"sip_timestamp":{ts},"sequence_number":{sequence}{more}}}"#)
    };
    let server = Server::start(|url| {
        let next = |cursor| format!("{url}/v3/quotes/x?cursor={cursor}");
        let both = r#","bid_price":1.5,"ask_price":1.75"#;
        vec![
            Reply::ok(&body(
                &[
                    quote(1900, 9, both),
                    quote(1800, 7, r#","bid_price":-1"#),
                    quote(1700, 5, r#","ask_price":2,"bid_price":null"#),
                    quote(1700, 6, both),
                ],
                Some(&next("b")),
            )),
            Reply::ok(&body(
                &[quote(1400, 2, both), quote(1300, 1, both)],
                Some(&next("c")),
            )),
        ]
    });
    let massive = massive(&server);
    let [from, to, enough] = [1000, 2000, 1500].map(Ts::from_ns);
    let fetched = massive.quotes_back(CONTRACT, from, to, enough).unwrap();
    let told: Vec<_> = fetched
        .rows
        .iter()
        .map(|timed| (timed.ts.ns(), timed.quote.bid, timed.quote.ask))
        .collect();
    assert_eq!(
        told,
        [
            (1400, 1.5, 1.75),
            (1700, 0.0, 2.0),
            (1700, 1.5, 1.75),
            (1900, 1.5, 1.75)
        ]
    );
    assert_eq!((fetched.bad, fetched.calls), (1, 2));
}

#[test]
fn an_endpoint_that_refuses_the_limit_is_asked_without_one() {
    let row = |date: &str, ticker: &str| {
        format!(r#"{{"ticker":"O:{ticker}261120C00410000","date":"{date}","open_interest":15422}}"#)
    };
    let rows = [
        row("2026-10-13", "TSLA"),
        row("2026-10-14", "TSLA"),
        row("2026-10-13", "TSLAX"),
    ];
    let server = Server::start(|_| {
        vec![
            Reply::new(400, r#"{"error":"limit"}"#),
            Reply::ok(&body(&rows, None)),
        ]
    });
    let date = day("2026-10-13");
    let fetched = massive(&server).open_interest("TSLA", date).unwrap();
    let expected = OpenInterestRow {
        date,
        contract: CONTRACT.to_owned(),
        open_interest: 15422,
    };
    assert_eq!((fetched.rows, fetched.bad), (vec![expected], 2));
    let targets: Vec<String> = server.requests().into_iter().map(|r| r.target).collect();
    assert_eq!(
        targets,
        [
            "/options/v1/open-interest?root=TSLA&date=2026-10-13&limit=1000",
            "/options/v1/open-interest?root=TSLA&date=2026-10-13"
        ]
    );
}

#[test]
fn a_snapshot_row_needs_a_contract_and_nothing_else() {
    let rows = [
        r#"{"details":{"ticker":"O:TSLA261120C00410000"},"open_interest":0}"#,
        r#"{"details":{"ticker":"O:TSLA261120P00410000"},"greeks":null}"#,
        r#"{"ticker":"X","error":"NOT_FOUND","message":"Ticker not found."}"#,
    ]
    .map(str::to_owned);
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let fetched = massive(&server).chain_snapshot("TSLA").unwrap();
    let told: Vec<_> = fetched.rows.iter().map(|row| row.open_interest).collect();
    assert_eq!(told, [Some(0), None]);
    assert_eq!(fetched.bad_rows[0].column, "details");
}

#[test]
fn a_snapshot_says_when_a_contract_last_traded_or_that_nobody_knows() {
    let last = |trade: &str, day: &str| {
        let row = format!(
            r#"{{"details":{{"ticker":"O:TSLA261120C00410000"}},"last_trade":{trade},"day":{day}}}"#
        );
        let server =
            Server::start(move |_| vec![Reply::ok(&body(std::slice::from_ref(&row), None))]);
        massive(&server).chain_snapshot("TSLA").unwrap().rows[0].last_trade
    };
    let at = LastTrade::At(Ts::from_ns(1_792_007_998_123_000_000));
    for (trade, day, expected) in [
        (
            r#"{"sip_timestamp":1792007998123000000,"timeframe":"REAL-TIME"}"#,
            "{}",
            at,
        ),
        (r#"{"sip_timestamp":1792007998123000000}"#, "{}", at),
        // A quarter of an hour behind.
        (
            r#"{"sip_timestamp":1792007998123000000,"timeframe":"DELAYED"}"#,
            "{}",
            LastTrade::Unknown,
        ),
        (r#"{"sip_timestamp":"today"}"#, "{}", LastTrade::Unknown),
        ("{}", "{}", LastTrade::Unknown),
        ("7", "{}", LastTrade::Unknown),
        ("null", "{}", LastTrade::Never),
        ("null", "null", LastTrade::Never),
        ("null", r#"{"volume":0.0}"#, LastTrade::Never),
        ("null", r#"{"volume":3}"#, LastTrade::Unknown),
        ("null", r#"{"volume":"3"}"#, LastTrade::Unknown),
        ("null", "[]", LastTrade::Unknown),
    ] {
        assert_eq!(last(trade, day), expected, "{trade} {day}");
    }
}

#[test]
fn unusual_trades_are_taken_whatever_their_flags_look_like() {
    let row = |more: &str| {
        format!(
            r#"{{"ticker":"O:{CONTRACT}","price":4.85,"size":1200,"exchange":312,"sip_timestamp":1500{more}}}"#
        )
    };
    let rows = [
        row(r#","flags":["size",7]"#),
        row(r#","flags":"iso""#),
        row(""),
    ];
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let fetched = massive(&server)
        .unusual_trades("TSLA", Ts::from_ns(1000), Ts::from_ns(2000))
        .unwrap();
    let flags: Vec<_> = fetched
        .rows
        .iter()
        .map(|trade| trade.flags.join(","))
        .collect();
    assert_eq!(flags, ["size", "iso", ""]);
    assert_eq!(
        server.requests()[0].target,
        "/options/v1/unusual-trades?ticker.gte=O%3ATSLA&ticker.lt=O%3ATSLA%3A&sip_timestamp.gte=1000&sip_timestamp.lt=2000&limit=1000"
    );
}

#[test]
fn conditions_say_whether_they_count_as_volume() {
    let row = |id: &str, rules: &str| format!(r#"{{"id":{id},"name":"x","update_rules":{rules}}}"#);
    let rows = [
        row(
            "232",
            r#"{"consolidated":{"updates_volume":true},"market_center":{}}"#,
        ),
        row("\"201\"", r#"{"consolidated":{"updates_volume":false}}"#),
        row("300", "null"),
    ];
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let fetched = massive(&server).conditions().unwrap();
    let told: Vec<_> = fetched
        .rows
        .iter()
        .map(|row| (row.id, row.updates_volume))
        .collect();
    assert_eq!(told, [(232, Some(true)), (201, Some(false)), (300, None)]);
}

#[test]
fn entitlements_are_what_each_endpoint_answers() {
    let no = r#"{"status":"NOT_AUTHORIZED","message":"upgrade"}"#;
    let server = Server::start(|_| {
        vec![
            Reply::ok(r#"{"status":"DELAYED"}"#),
            Reply::new(403, r#"{"message":"before end of day"}"#),
            Reply::ok(&body(&[], None)),
            Reply::ok(&body(&[], None)),
            Reply::new(403, no),
            Reply::ok(no),
            Reply::new(404, "404 page not found"),
            Reply::new(403, no),
        ]
    });
    let got = massive(&server)
        .entitlements("TSLA", day("2026-10-14"))
        .unwrap();
    let refused = Access::NotEntitled("upgrade".to_owned());
    assert!(matches!(&got.open_interest, Access::Unknown(why) if why.contains("not found")));
    let expected = Entitlements {
        bars: Access::Entitled,
        grouped: Access::Entitled,
        contracts: Access::Entitled,
        trades: Access::Entitled,
        quotes: refused.clone(),
        snapshot: refused.clone(),
        open_interest: got.open_interest.clone(),
        unusual_trades: refused,
    };
    assert_eq!(got, expected);

    let server = Server::start(|_| vec![Reply::new(401, r#"{"error":"Unknown API Key"}"#)]);
    let wrong = massive(&server).entitlements("TSLA", day("2026-10-14"));
    assert!(matches!(wrong, Err(MassiveError::WrongKey { .. })));
}
