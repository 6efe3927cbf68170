//! A stream, however it came, has the signals and trades of the backtest of its day.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::stage::{Stage, Told, stream};
use super::{DAY, NEXT_DAY, backtest, backtest_of};
use crate::standin::ws::faults::{Plan, Trouble};
use crate::standin::ws::{Feed, Stream};

/// A hundred connections break off; what comes may come twice or out of order.
fn broken() -> Plan {
    Plan {
        seed: 5,
        disconnects: [70, 30],
        partings: vec![
            Trouble::Reset,
            Trouble::Close(1011),
            Trouble::Close(1001),
            Trouble::SlowConsumer,
        ],
        repeated_frames: 0.2,
        held_back: 0.3,
        held_back_ms: 40,
        ..Plan::default()
    }
}

fn spoiled() -> Plan {
    Plan {
        seed: 6,
        spoiled_frames: [40, 20],
        ..broken()
    }
}

fn a_whole_day(plan: Plan) -> Stage {
    let stage = Stage::new(DAY, stream(DAY, plan));
    let mut live = stage.listen("");
    live.until_told(backtest());
    live.interrupt();
    stage
}

#[test]
fn an_undisturbed_stream_is_the_backtest() {
    let expected = backtest();
    assert!(expected.signals.len() > 30, "{}", expected.signals.len());
    assert!(expected.trades.len() > 20, "{}", expected.trades.len());
    let stage = a_whole_day(Plan::default());
    stage.has_come_to(expected);
    assert_eq!(stage.told().gaps, 0);
}

#[test]
fn a_hundred_disconnects_repeats_and_prints_out_of_order_change_nothing() {
    let stage = a_whole_day(broken());
    let sockets = stage.server.sockets();
    let ended: Vec<u64> = Feed::ALL.map(|feed| sockets.counts(feed).ended).to_vec();
    assert_eq!(ended, [70, 30]);
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
}

#[test]
fn messages_that_cannot_be_read_are_asked_for_again() {
    let stage = a_whole_day(spoiled());
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
    let sockets = stage.server.sockets();
    assert!(
        Feed::ALL
            .iter()
            .all(|feed| sockets.counts(*feed).spoiled > 0)
    );
}

#[test]
fn a_stream_killed_again_and_again_is_the_backtest() {
    const KILLS: usize = 6;
    let expected = backtest();
    // Slow enough to be killed on the way.
    let stage = Stage::new(
        DAY,
        Stream {
            pace: 8_000.0,
            ..stream(DAY, broken())
        },
    );
    let mut random = Pcg64Mcg::seed_from_u64(8);
    let lines = |told: Told| told.events + told.bars;
    // The stream is ahead of what was told: the last kill has to come well before the end.
    let all = (expected.events + super::bars_of(DAY)) * 3 / 4;
    for kill in 0..KILLS {
        // Somewhere in the next part of the day, and then a moment later.
        let from = all * kill / KILLS;
        let at = random.random_range(from..from + all / KILLS);
        let mut live = stage.listen("");
        live.until("progress", |stage| lines(stage.told()) >= at);
        std::thread::sleep(std::time::Duration::from_millis(random.random_range(0..30)));
        live.kill();
        assert!(!stage.server.sockets().stream_done(), "killed on the way");
    }
    let mut live = stage.listen("");
    live.until_told(expected);
    live.interrupt();
    stage.has_come_to(expected);
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
}

#[test]
fn a_recording_of_a_faulty_day_told_again_is_the_backtest() {
    let stage = Stage::new(DAY, stream(DAY, spoiled()));
    let mut live = stage.listen("--record day.ndjson");
    live.until_told(backtest());
    live.interrupt();
    stage.has_come_to(backtest());
    std::fs::rename(stage.desk.path("runs"), stage.desk.path("first")).expect("a folder");
    let again = stage.again("--recording day.ndjson");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let run = stage.run();
    crate::market::assert_rows("signals", &run.signals, &backtest().signals);
    crate::market::assert_rows("trades", &run.trades, &backtest().trades);
}

#[test]
fn two_days_with_a_restart_between_are_one_run() {
    let expected = backtest_of(DAY, NEXT_DAY);
    let stage = a_whole_day(Plan::default());
    std::fs::rename(stage.desk.path("runs"), stage.desk.path("first")).expect("a folder");
    let stage = stage.next(NEXT_DAY, stream(NEXT_DAY, Plan::default()));
    let first = stage.told();
    let mut live = stage.listen("");
    let bars = first.bars + super::bars_of(NEXT_DAY);
    live.until("the end of the second day", |stage| {
        let told = stage.told();
        stage.server.sockets().stream_done()
            && told.events >= expected.events
            && told.bars >= bars
            && told.overs >= 2 * first.overs
    });
    live.interrupt();
    stage.has_come_to(&expected);
}
