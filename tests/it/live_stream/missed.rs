//! Sessions that nobody listened to are told afterwards: the run is that of a listener who was there,
//! and nobody is alerted to what is over.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::rows::{Row, Rows};
use super::stage::{Stage, stream};
use super::{DAY, NEXT_DAY, TICKERS, backtest_with, bars_of, world_with_flow_to};
use crate::market;
use crate::standin::ws::Stream;
use crate::standin::ws::faults::Plan;
use crate::standin::{Options, World};

/// A half day.
const THIRD_DAY: &str = "2025-07-03";

fn world() -> Arc<World> {
    static MADE: OnceLock<Arc<World>> = OnceLock::new();
    Arc::clone(MADE.get_or_init(|| world_with_flow_to(THIRD_DAY)))
}

fn expected() -> Rows {
    backtest_with(&world(), Options::default(), DAY, THIRD_DAY)
}

/// Listens to a part of a day, skips one, and begins the third.
fn skipped_a_day() -> Stage {
    let slow = Stream {
        pace: 4_000.0,
        ..stream(DAY, Plan::default())
    };
    let options = Options {
        stream: Some(slow),
        ..Options::default()
    };
    let stage = Stage::in_world(world(), DAY, options);
    let a_part = bars_of(DAY) / 3;
    let mut live = stage.listen("");
    live.until("noon", |stage| stage.told().bars > a_part);
    live.kill();
    assert!(!stage.server.sockets().stream_done(), "killed on the way");
    stage.next(THIRD_DAY, stream(THIRD_DAY, Plan::default()))
}

/// Listens to the third day until everything of all three was told.
fn to_the_end(stage: &Stage, expected: &Rows) {
    let bars: usize = [DAY, NEXT_DAY, THIRD_DAY].map(bars_of).iter().sum();
    let mut live = stage.listen("");
    live.until("the end of the third day", |stage| {
        let told = stage.told();
        stage.server.sockets().stream_done()
            && told.events >= expected.events
            && told.bars >= bars
            && told.overs >= 3 * TICKERS.len()
            && stage.sent().len() >= stage.queued()
    });
    live.interrupt();
}

/// Everything was told once and is as expected; what was told afterwards has left the house nowhere.
fn assert_caught_up(stage: &Stage, expected: &Rows) {
    stage.has_rows_of(expected);
    let told = stage.told();
    assert_eq!(told.events, expected.events, "each event once");
    assert_eq!(told.gaps, 0, "{}", stage.said());
    let late: HashSet<(String, String)> = stage.events_told_afterwards().into_iter().collect();
    let is_late = |row: &&Row| late.contains(&(row["ts"].clone(), row["contract"].clone()));
    let (late, news): (Vec<_>, Vec<_>) = expected.signals.iter().partition(is_late);
    let days: HashSet<&str> = late.iter().map(|row| &row["ts"][..10]).collect();
    assert_eq!(days, HashSet::from([DAY, NEXT_DAY]), "both had signals");
    let mut ids: Vec<String> = news.iter().map(|row| row["signal_id"].clone()).collect();
    ids.sort();
    assert_eq!(stage.sent(), ids);
}

#[test]
fn a_session_that_nobody_listened_to_is_caught_up_with() {
    let expected = expected();
    let stage = skipped_a_day();
    to_the_end(&stage, &expected);
    assert_caught_up(&stage, &expected);
    assert!(
        stage
            .said()
            .contains("catching up with what nobody listened to")
    );
    assert!(stage.said().contains("alerted nowhere"), "{}", stage.said());
}

#[test]
fn whoever_is_killed_while_catching_up_goes_on_with_it() {
    let expected = expected();
    let stage = skipped_a_day();
    for afterwards in [300, 900, 1_500] {
        let mut live = stage.listen("");
        live.until("enough told afterwards", |stage| {
            stage.told().afterwards > afterwards
        });
        live.kill();
        // As if the kill had come sooner.
        stage.forget_but(afterwards);
    }
    to_the_end(&stage, &expected);
    assert_caught_up(&stage, &expected);
}

#[test]
fn time_does_not_go_back() {
    let stage = skipped_a_day();
    let mut live = stage.listen("");
    live.until("the third day", |stage| stage.has_heard_of(THIRD_DAY));
    live.kill();
    let stage = stage.next(NEXT_DAY, stream(NEXT_DAY, Plan::default()));
    let live = stage.listen("");
    assert_eq!(live.ends().code(), Some(1), "{}", stage.said());
    let said = "the state has heard of 2025-07-03; 2025-07-02 is before it";
    assert!(stage.said().contains(said), "{}", stage.said());
}

#[test]
fn what_the_vendor_does_not_have_either_is_a_gap() {
    let stage = skipped_a_day();
    let options = Options {
        history_start: Some(market::day(THIRD_DAY)),
        stream: Some(stream(THIRD_DAY, Plan::default())),
        ..Options::default()
    };
    let stage = stage.next_with_options(THIRD_DAY, options);
    let mut live = stage.listen("");
    live.until("something of the third day", |stage| {
        stage.told().events > 100
    });
    live.interrupt();
    assert!(
        stage.said().contains("minute bars of 2025-07-02"),
        "{}",
        stage.said()
    );
    assert!(stage.told().gaps >= TICKERS.len());
}
