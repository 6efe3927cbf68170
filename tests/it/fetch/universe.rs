//! `--universe top:N`: the largest as of the session before the period.

use expect_test::expect;

use super::{Desk, options, world};
use crate::market::day;
use crate::standin::{Family, Options, Server};

const FETCH: &str = "fetch --universe top:2 --start 2025-06-30 --end 2025-07-01 --what splits";

/// The tickers by volume of `date`, largest first.
fn ranked(date: &str) -> Vec<String> {
    let world = world();
    let volume = |ticker: &String| world.stocks[ticker].daily_bars[&day(date)].volume;
    let mut tickers: Vec<String> = world.stocks.keys().cloned().collect();
    tickers.sort_by(|a, b| volume(b).total_cmp(&volume(a)));
    tickers
}

fn asked_about(server: &Server, path: &str) -> Vec<String> {
    let requests = server.requests();
    let asked = requests.iter().filter(|request| request.path == path);
    let ticker = |query: &str| {
        let mut pairs = query.split('&');
        pairs.find_map(|pair| Some(pair.strip_prefix("ticker=")?.to_owned()))
    };
    let mut tickers: Vec<String> = asked.filter_map(|request| ticker(&request.query)).collect();
    tickers.sort();
    tickers
}

#[test]
fn tickers_are_ranked_as_of_the_session_before_the_period() {
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    let told = desk.works(&server, FETCH).stderr;
    assert!(
        told.starts_with("the 2 tickers of most volume on 2025-06-27\n"),
        "{told}"
    );
    let ranked = ranked("2025-06-27");
    let mut expected = ranked[..2].to_vec();
    expected.sort();
    assert_eq!(asked_about(&server, "/stocks/v1/splits"), expected);
    let file = desk.path("data/universe/2025-06-27.csv");
    let stored = std::fs::read_to_string(&file).expect("it is stored with its date");
    let lines: Vec<&str> = stored.lines().collect();
    assert_eq!((lines[0], lines.len()), ("rank,ticker,volume", 4));
    assert!(
        lines[1].starts_with(&format!("1,{},", ranked[0])),
        "{stored}"
    );

    // Once ranked, the vendor is not asked again.
    let grouped = "/v2/aggs/grouped/locale/us/market/stocks/2025-06-27";
    let count = || {
        server
            .requests()
            .iter()
            .filter(|r| r.path == grouped)
            .count()
    };
    assert_eq!(count(), 1);
    desk.works(&server, FETCH);
    assert_eq!(count(), 1);
}

#[test]
fn without_market_days_the_list_falls_back_aloud() {
    let without = Options {
        not_entitled: vec![Family::Grouped],
        ..options()
    };
    let (server, desk) = (Server::start(world(), without), Desk::new());
    let told = desk
        .works(&server, &format!("{FETCH} --set universe.tickers=[TSLA]"))
        .stderr;
    expect![[r#"
        no ranking by volume: /v2/aggs/grouped/locale/us/market/stocks/2025-06-27?adjusted=false: the plan does not include this: You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing
        so these are the tickers of the config's universe
    "#]]
    .assert_eq(&told);
    assert_eq!(asked_about(&server, "/stocks/v1/splits"), ["TSLA"]);
    assert!(!desk.path("data/universe").exists());

    let told = desk
        .works(
            &server,
            &format!("{FETCH} --plan --set universe.tickers=[]"),
        )
        .stderr;
    let last = told.lines().nth(1).unwrap_or_default();
    assert!(
        last.starts_with("no tickers were named, so these are 20 of the busiest: SPY, QQQ, "),
        "{told}"
    );
}
