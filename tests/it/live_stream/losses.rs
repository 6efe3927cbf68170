//! What is lost for good is said, counted, and marked where it matters; what can be had again is not
//! lost.

use std::time::Duration;

use super::rows::{Row, Rows};
use super::stage::{PACE, Stage, stream};
use super::{DAY, backtest, backtest_with, world};
use crate::market;
use crate::standin::faults::{ErrorBody, Fault, Kind};
use crate::standin::ws::faults::{Absence, Plan, SocketFault, Trouble};
use crate::standin::ws::{Feed, Stream};
use crate::standin::{Family, Options};

const MARK: &str = "; data gap: ";

fn whole(stage: Stage, expected: &Rows) -> Stage {
    let mut live = stage.listen("");
    live.until_told(expected);
    live.interrupt();
    stage
}

#[test]
fn two_minutes_without_a_server_are_made_up_for() {
    let stage = Stage::new(DAY, stream(DAY, Plan::default()));
    for skip in [30, 60] {
        let two_minutes = Absence::EventTime(Duration::from_secs(120));
        let fault = SocketFault::on(Feed::Options, Trouble::Gone(two_minutes));
        stage.server.sockets().inject(fault.skip(skip));
    }
    let stage = whole(stage, backtest());
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
}

#[test]
fn a_day_begun_in_the_middle_has_its_morning() {
    let early = Stream {
        waits_for: Vec::new(),
        waits_for_return: false,
        pace: 200_000.0,
        ..stream(DAY, Plan::default())
    };
    let stage = Stage::new(DAY, early);
    let sockets = stage.server.sockets();
    let noon = flowlab::time::exchange_midnight(market::day(DAY)).plus_minutes(12 * 60);
    while sockets.now() < noon.ns() {
        std::thread::sleep(Duration::from_millis(1));
    }
    sockets.set_pace(0.0);
    assert!(!sockets.stream_done());
    let mut live = stage.listen("");
    live.until("both feeds", |stage| {
        let sockets = stage.server.sockets();
        Feed::ALL
            .iter()
            .all(|feed| !sockets.subscribed(*feed).is_empty())
    });
    stage.server.sockets().set_pace(PACE);
    live.until_told(backtest());
    live.interrupt();
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
}

/// Of `expected`, those that carry a mark here; the others are as they should be.
fn marked(logged: &[Row], expected: &[Row]) -> Vec<Row> {
    let mut marked = Vec::new();
    for row in logged {
        let id = &row["signal_id"];
        let twin = expected.iter().find(|other| other["signal_id"] == *id);
        let twin = twin.expect("no signal is new");
        match row["rules"].strip_prefix(twin["rules"].as_str()) {
            Some("") => {}
            Some(mark) if mark.starts_with(MARK) => marked.push(row.clone()),
            _ => panic!("{row:#?}\n{twin:#?}"),
        }
    }
    marked
}

#[test]
fn a_gap_that_rest_cannot_fill_is_said_and_marks_the_signals_after_it() {
    let stage = Stage::with_options(
        DAY,
        Options {
            stream: Some(Stream {
                pace: 5_000.0,
                ..stream(DAY, Plan::default())
            }),
            // A chain would spare the contract.
            not_entitled: vec![Family::Snapshot],
            ..Options::default()
        },
    );
    let world = world();
    let silent = world.stocks["TSLA"].contracts.iter().find(|(_, contract)| {
        let day = market::day(DAY);
        contract.is_listed_on(day) && !contract.prints.contains_key(&day)
    });
    let (symbol, _) = silent.expect("one does not trade");
    let mut live = stage.listen("");
    live.until("a few events", |stage| stage.told().events >= 20);
    stage.server.sockets().set_pace(0.0);
    stage.server.inject(Fault {
        on: format!("/v3/trades/{symbol}"),
        skip: 0,
        times: usize::MAX,
        kind: Kind::Status {
            status: 500,
            body: ErrorBody::Error,
            retry_after: None,
        },
    });
    stage
        .server
        .sockets()
        .inject(SocketFault::on(Feed::Options, Trouble::Reset));
    stage.server.sockets().set_pace(PACE);
    live.until_told(backtest());
    live.interrupt();
    assert_eq!(stage.told().gaps, 1);
    let said = stage.said();
    assert!(said.contains("are missing and stay so: TSLA"), "{said}");
    assert!(
        said.contains(&format!("prints of {} cannot be had again", &symbol[2..])),
        "{said}"
    );
    let logged = stage.logged("signals_log.csv");
    assert_eq!(logged.len(), backtest().signals.len());
    let marked = marked(&logged, &backtest().signals);
    assert!(!marked.is_empty());
    assert!(marked.iter().all(|row| row["ticker"] == "TSLA"));
    let first = marked.iter().map(|row| &row["ts"]).min().expect("some");
    let later = |row: &&Row| row["ticker"] == "TSLA" && row["ts"] >= *first;
    assert_eq!(logged.iter().filter(later).count(), marked.len());
    let alerts = stage.printed().matches("Data gap: option prints ").count();
    assert_eq!(alerts, marked.len());
}

#[test]
fn prints_that_come_too_late_are_counted_and_said() {
    let plan = Plan {
        seed: 3,
        held_back: 0.5,
        held_back_ms: 60_000,
        ..Plan::default()
    };
    let stage = Stage::new(DAY, stream(DAY, plan));
    let mut live = stage.listen("");
    live.until("the end", |stage| {
        stage.server.sockets().stream_done() && stage.told().overs == super::TICKERS.len()
    });
    live.interrupt();
    let said = stage.said();
    let count = said.matches("option prints came too late from").count();
    assert!((1..=super::TICKERS.len()).contains(&count), "{said}");
    assert_eq!(stage.told().gaps, count);
    let logged = stage.logged("signals_log.csv");
    assert!(
        logged
            .iter()
            .any(|row| row["rules"].contains("; data gap: option prints came too late"))
    );
}

#[test]
fn a_plan_without_quotes_tells_sides_by_tick_test_as_a_fetch_does() {
    let options = Options {
        not_entitled: vec![Family::Quotes],
        ..Options::default()
    };
    let expected = backtest_with(&world(), options.clone(), DAY, DAY);
    assert_ne!(expected.signals, backtest().signals);
    let stream = Some(stream(DAY, Plan::default()));
    let stage = Stage::with_options(DAY, Options { stream, ..options });
    let stage = whole(stage, &expected);
    stage.has_come_to(&expected);
    let said = stage.said();
    assert_eq!(
        said.matches("no quotes, so sides are by tick test").count(),
        1,
        "{said}"
    );
}

#[test]
fn a_clock_that_is_an_hour_off_stops_nobody() {
    let plan = Plan {
        skew_ms: 3_600_000,
        ..Plan::default()
    };
    let stage = Stage::new(DAY, stream(DAY, plan));
    let mut live = stage.listen("");
    live.until("the end", |stage| {
        stage.server.sockets().stream_done() && stage.told().overs == super::TICKERS.len()
    });
    live.interrupt();
    assert!(!stage.logged("signals_log.csv").is_empty());
}
