//! This morning's open interest: recorded before the open, known to the day that follows.

use std::collections::BTreeMap;

use expect_test::expect;
use flowlab::fetch::Source::Rest;
use flowlab::fetch::{self, Morning, Outcome, Progress};
use flowlab::store::Table;
use flowlab::time::{Calendar, Ts};

use super::{Ask, Desk, SET, differing, options, world};
use crate::standin::{Family, Options, Server};

const DAY: (&str, &str) = ("2025-07-02", "2025-07-02");
/// Half past eight in New York.
const MORNING: &str = "2025-07-02T12:30:00Z";

fn at(time: &str) -> Ts {
    Ts::parse_rfc3339(time).expect("a time")
}

fn record(server: &Server, desk: &Desk) -> Outcome {
    let now = at(MORNING);
    let morning = Morning::at(now, &Calendar::shipped()).expect("before the open");
    let ask = Ask {
        period: DAY,
        now,
        ..Ask::of(Rest)
    };
    let recorded = ask.with_job(server, &desk.path("data"), |job| {
        fetch::record(job, morning, &Progress::default()).map_err(|ended| ended.error)
    });
    recorded.expect("nothing disturbs it")
}

fn fetch_day(server: &Server, desk: &Desk) -> Outcome {
    let ask = Ask {
        period: DAY,
        ..Ask::of(Rest)
    };
    let outcome = ask.fetch(server, &desk.path("data"));
    outcome.expect("nothing disturbs it")
}

/// The column `name` of a table in CSV.
fn column(text: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let place = header.iter().position(|column| column == name);
    let place = place.expect("the column is there");
    let rows = reader
        .records()
        .map(|row| row.expect("a row")[place].to_owned());
    rows.collect()
}

#[test]
fn a_chain_of_the_morning_is_what_its_day_knows() {
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    server.set_now(at(MORNING).ns());
    let recorded = record(&server, &desk);
    assert_eq!(recorded.gaps, BTreeMap::new());
    assert_eq!(recorded.stored[&Table::OpenInterest].sessions, 2);
    let told = desk.works(&server, "data export --table oi --tickers TSLA --quiet");
    let (dates, times) = (
        column(&told.stdout, "date"),
        column(&told.stdout, "captured_at"),
    );
    assert!(!dates.is_empty());
    assert!(dates.iter().all(|date| date == "2025-07-01"), "{dates:?}");
    assert!(
        times.iter().all(|t| t.starts_with("2025-07-02T12:30:00")),
        "{times:?}"
    );

    // The plan has no open interest of past days, so what is known is what was recorded.
    let without = Options {
        not_entitled: vec![Family::OpenInterest],
        ..options()
    };
    let server = Server::start(world(), without);
    let outcome = fetch_day(&server, &desk);
    assert_eq!((outcome.gaps, outcome.notes.len()), (BTreeMap::new(), 0));
    let with_history = Desk::new();
    fetch_day(&Server::start(world(), options()), &with_history);
    let differing = differing(&desk.cache(), &with_history.cache());
    assert_eq!(
        differing,
        ["oi/SPY/2025-07.parquet", "oi/TSLA/2025-07.parquet"]
    );

    let set: String = SET.iter().map(|set| format!(" --set {set}")).collect();
    let gates = "--set scalp.min_premium=10000 --set scalp.min_strength=0 --set scalp.min_rvol=null \
                 --set general.missing_context=pass --set tickers.overrides={}";
    let backtest = format!("backtest --start 2025-07-02 --end 2025-07-02 {gates}{set}");
    desk.works(&server, &backtest);
    let runs = std::fs::read_dir(desk.path("runs")).expect("it ran");
    let run = runs.flatten().next().expect("one run").path();
    let signals = std::fs::read_to_string(run.join("signals.csv")).expect("it was written");
    let known = column(&signals, "open_interest");
    assert!(!known.is_empty());
    assert!(known.iter().all(|figure| !figure.is_empty()), "{known:?}");
}

#[test]
fn a_chain_without_figures_is_a_gap() {
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    // Nobody has listed anything yet.
    server.set_now(at("2025-06-20T12:30:00Z").ns());
    let recorded = record(&server, &desk);
    let reasons: Vec<&str> = recorded.gaps.keys().map(|(_, why)| why.as_str()).collect();
    assert_eq!(reasons, ["the chain shows no open interest"]);
}

#[test]
fn after_the_open_a_chain_is_not_recorded() {
    let calendar = Calendar::shipped();
    let late = Morning::at(at("2025-07-02T13:30:00Z"), &calendar);
    expect![[
        "the session of 2025-07-02 opened at 2025-07-02T13:30:00Z: what a chain shows now was not known before it"
    ]]
    .assert_eq(&late.expect_err("the open is over").to_string());
    let now = chrono::Utc::now().timestamp_nanos_opt();
    let now = Ts::from_ns(now.expect("the calendar ends before nanoseconds do"));
    let Err(why) = Morning::at(now, &calendar) else {
        eprintln!("skipped: right now a chain may be recorded");
        return;
    };
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    let ran = desk.run(&server, "fetch --what oi --tickers SPY");
    let hint =
        "run it between 07:00 in New York and the open of a session; past sessions need --start";
    assert_eq!(ran.stderr, format!("error: {why}\nhint: {hint}\n"));
    assert_eq!((ran.code, server.requests().len()), (Some(2), 0));
}
