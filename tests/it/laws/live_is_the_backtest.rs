//! 4. Live is the backtest: what a replay writes is what a backtest of the same period writes, to the
//! byte, and what it logs on its way is the same again. Killed processes are in `live::delivery`.

use std::path::Path;

use chrono::NaiveDate;
use flowlab::context::Splits;
use flowlab::flow::FlowDetail;
use flowlab::providers::synthetic::{self, Event, TickerSession};
use flowlab::store::{Arrival, FlowTable, Store, Table};
use flowlab::time::Calendar;

use crate::desk::Desk;
use crate::live::{assert_logged, assert_same_run, only_folder};
use crate::market::{self, Ticker, day};

/// Gates so low that all three kinds speak often, with every memory in use.
const TALKATIVE: &str = "--set scalp.min_premium=20000 --set scalp.min_strength=4 \
    --set scalp.min_rvol=0.8 --set scalp.cooldown_minutes=7 --set day_trade.min_premium=10000 \
    --set day_trade.min_strength=3 --set day_trade.min_rvol=0.7 \
    --set scoring.weights.sweep_cluster=1 --set swing.min_premium=15000 \
    --set swing.min_strength=2 --set swing.persistent_multiple=2 --set tickers.overrides={}";

/// Runs both over what `desk` has, and compares everything they leave. Returns the backtest's folder.
fn compare(desk: &Desk, arguments: &str) -> std::path::PathBuf {
    let backtest = desk.run(&format!("backtest --runs-dir backtest {arguments}"));
    let live = desk.run(&format!(
        "live -q --runs-dir live --state-dir state {arguments}"
    ));
    assert_eq!(live.code, backtest.code, "{arguments}: {}", live.stderr);
    assert!(
        matches!(live.code, Some(0 | 3)),
        "{arguments}: {}",
        live.stderr
    );
    let expected = only_folder(&desk.path("backtest"));
    assert_same_run(&only_folder(&desk.path("live")), &expected);
    assert_logged(&desk.path("state"), &expected);
    expected
}

/// Rows of a table of the run in `folder`.
fn rows(folder: &Path, table: &str) -> usize {
    let text = std::fs::read_to_string(folder.join(table)).expect("a table");
    text.lines().count() - 1
}

#[test]
fn a_replay_of_the_sample_writes_the_backtests_bytes() {
    let desk = Desk::empty();
    let folder = compare(&desk, "");
    assert!(rows(&folder, "signals.csv") > 500);
}

/// The market around Thanksgiving with all that goes wrong with data.
fn spoiled() -> Vec<Ticker> {
    let mut tickers = market::thanksgiving();
    for (place, ticker) in tickers.iter_mut().enumerate() {
        for (number, session) in ticker.sessions.iter_mut().enumerate() {
            let open = session.session.open;
            match (place + number) % 6 {
                // A halt in the morning, one over the opening, one into the close.
                0 => session
                    .bars
                    .retain(|bar| !bar_is_within(bar.ts, open, 40..75)),
                1 => session
                    .bars
                    .retain(|bar| !bar_is_within(bar.ts, open, 0..20)),
                2 => session
                    .bars
                    .retain(|bar| !bar_is_within(bar.ts, open, 360..400)),
                // One minute in seven.
                3 => session
                    .bars
                    .retain(|bar| bar.ts.ns() / 60_000_000_000 % 7 != 0),
                _ => {}
            }
        }
    }
    let session = |ticker: &mut Ticker, date: &str, spoil: &dyn Fn(&mut TickerSession)| {
        let sessions = ticker.sessions.iter_mut();
        sessions
            .filter(|s| s.session.date == day(date))
            .for_each(spoil);
    };
    // Days without bars, without flow, without a daily bar.
    session(&mut tickers[0], "2025-11-20", &|s| s.bars.clear());
    session(&mut tickers[1], "2025-11-21", &|s| s.has_flow = false);
    tickers[2].daily.retain(|bar| bar.date != day("2025-11-19"));
    tickers
}

fn bar_is_within(
    ts: flowlab::time::Ts,
    open: flowlab::time::Ts,
    minutes: std::ops::Range<i64>,
) -> bool {
    minutes.contains(&(ts.ns_since(open).div_euclid(60_000_000_000)))
}

/// A desk with `tickers` in its cache.
fn desk(tickers: &[Ticker]) -> Desk {
    let desk = Desk::empty();
    let store = Store::folder(desk.path("data"));
    tickers
        .iter()
        .for_each(|ticker| market::put(&store, ticker));
    desk
}

#[test]
fn splits_halts_half_days_and_holes_change_nothing_of_it() {
    let desk = desk(&spoiled());
    let period = "--start 2025-11-10 --end 2025-12-01";
    let folder = compare(&desk, &format!("{period} {TALKATIVE}"));
    assert!(rows(&folder, "signals.csv") > 500);
    assert!(rows(&folder, "trades.csv") > 400);
}

#[test]
fn nor_do_other_settings_periods_and_tickers() {
    let tickers = spoiled();
    for (period, settings) in [
        (
            "--start 2025-11-10 --end 2025-11-14",
            "--set paper.entry=event_price --set paper.intrabar=best",
        ),
        (
            "--start 2025-11-17 --end 2025-11-18 --tickers TSLA,NVDA",
            "--set general.missing_context=pass --set paper.flat_at_close=false",
        ),
        (
            // Ends within the hold of most swings, begins right after a weekend.
            "--start 2025-11-24 --end 2025-11-28",
            "--set swing.max_hold_minutes=1440 --set swing.tp_pct=1 --set swing.sl_pct=1 \
             --set general.direction=by_type --set general.include_multi_leg=true",
        ),
        // A proxy alone, and a ticker alone without its proxy in the run.
        ("--start 2025-11-17 --end 2025-11-21 --tickers SPY", ""),
        (
            "--start 2025-11-17 --end 2025-11-21 --tickers AAPL",
            "--set experiment_id=x",
        ),
    ] {
        compare(&desk(&tickers), &format!("{period} {TALKATIVE} {settings}"));
    }
}

#[test]
fn nor_does_a_market_without_proxies() {
    let mut tickers = spoiled();
    tickers.retain(|ticker| !["SPY", "QQQ"].contains(&ticker.name.as_str()));
    compare(
        &desk(&tickers),
        &format!("--start 2025-11-10 --end 2025-11-21 {TALKATIVE}"),
    );
}

/// Like [`desk`], with events whose details `spoil` had its way with.
fn desk_of_events(tickers: &[Ticker], spoil: impl Fn(usize, &mut FlowDetail)) -> Desk {
    let desk = Desk::empty();
    let store = Store::folder(desk.path("data"));
    for ticker in tickers {
        let flow = |session: &TickerSession| {
            let mut table = FlowTable::default();
            let mut number = 0;
            session.for_each(|event, detail| {
                let mut detail = detail.clone();
                spoil(number, &mut detail);
                table.push(event, &detail);
                number += 1;
            });
            (session.session.date, table.finish())
        };
        let with_flow = ticker.sessions.iter().filter(|session| session.has_flow);
        let arrival = Arrival {
            table: Table::Flow,
            ticker: &ticker.name,
            sessions: with_flow.map(flow).collect(),
            source: synthetic::SOURCE,
            min_notional: Some(10_000.0),
        };
        let mut bare = ticker.clone();
        bare.sessions
            .iter_mut()
            .for_each(|session| session.has_flow = false);
        market::put(&store, &bare);
        store.put(arrival).expect("the store takes it");
    }
    desk
}

#[test]
fn cancels_that_come_after_the_decision_are_noted_in_both() {
    let tickers = spoiled();
    let ends = tickers[0].sessions.last().expect("a session").session.close;
    let desk = desk_of_events(&tickers, |number, detail| {
        if number % 3 == 0 {
            // Within the minute, the day, or days later.
            let minutes = [0, 1, 90, 2_000][number / 3 % 4];
            let at = ends.plus_minutes(minutes - 10 * 24 * 60);
            detail.cancelled_at = Some(at);
            detail.cancelled_contracts = 1 + number as i64 % 5;
        }
    });
    let folder = compare(
        &desk,
        &format!("--start 2025-11-10 --end 2025-11-28 {TALKATIVE}"),
    );
    let signals = std::fs::read_to_string(folder.join("signals.csv")).expect("a table");
    assert!(signals.matches("-28T").count() + signals.matches("-25T").count() > 0);
}

#[test]
fn events_that_become_known_late_and_together_keep_their_order() {
    let mut tickers = spoiled();
    let late = |number: usize, event: &mut Event| match number % 11 {
        // Known an hour later, after the close, over the weekend: in another session's window.
        0 => event.available_at = event.available_at.plus_minutes(60),
        1 => event.available_at = event.available_at.plus_minutes(9 * 60),
        2 => event.available_at = event.available_at.plus_minutes(3 * 24 * 60),
        // On a minute, with others.
        3 | 4 => {
            let minute = event.available_at.ns() / 60_000_000_000 + 1;
            event.available_at = flowlab::time::Ts::from_ns(minute * 60_000_000_000);
        }
        _ => {}
    };
    for session in tickers.iter_mut().flat_map(|ticker| &mut ticker.sessions) {
        let events = session.events.iter_mut().enumerate();
        events.for_each(|(number, event)| late(number, event));
    }
    compare(
        &desk(&tickers),
        &format!("--start 2025-11-10 --end 2025-11-28 {TALKATIVE}"),
    );
}

/// What a desk comes to that hears of splits on the morning of a day, or knows them from the start.
fn rows_with_splits_known(store: &Store, known_on: Option<NaiveDate>) -> Vec<String> {
    let (config, calendar) = (market::talkative(), Calendar::shipped());
    let tickers: Vec<String> = ["NVDA", "SPY"].map(str::to_owned).to_vec();
    let period = market::period("2025-11-13", "2025-11-21");
    let replay = flowlab::live::Replay::new(store, &calendar, &config, &tickers, period);
    let mut replay = replay.expect("the cache can be read");
    let mut pasts = replay.pasts();
    let splits: Vec<(String, Splits)> = pasts
        .iter_mut()
        .filter(|_| known_on.is_some())
        .map(|(ticker, past)| (ticker.clone(), std::mem::take(&mut past.splits)))
        .collect();
    let first_session = replay.span().sessions.start;
    let mut desk = flowlab::live::Desk::new(
        &config,
        &calendar,
        &tickers,
        pasts,
        period.start,
        first_session,
    );
    let mut told = Vec::new();
    loop {
        if known_on.is_some_and(|date| replay.next_date() >= date) {
            for (ticker, splits) in &splits {
                desk.learn_splits(ticker, splits.clone());
            }
        }
        let Some(inputs) = replay.next_day().expect("the cache can be read") else {
            break;
        };
        for (_, input) in &inputs {
            desk.take(input, &mut told)
                .expect("the context is computed");
        }
    }
    let rows = |rows: flowlab::engine::TickerRows| {
        let signals = rows.signals.iter().map(|signal| format!("{signal:?}"));
        let trades = rows.trades.iter().map(|trade| format!("{trade:?}"));
        signals.chain(trades).collect::<Vec<_>>()
    };
    desk.rows()
        .into_iter()
        .flat_map(|(of, _)| rows(of))
        .collect()
}

#[test]
fn a_split_heard_of_on_its_morning_is_as_good_as_one_always_known() {
    let market = desk(&market::thanksgiving());
    let store = Store::folder(market.path("data"));
    let known = rows_with_splits_known(&store, None);
    assert!(known.len() > 50, "{}", known.len());
    let on = |date| rows_with_splits_known(&store, Some(day(date)));
    assert!(on("2025-11-18") == known, "heard of on its own day");
    assert!(on("2025-11-19") != known, "a day late is too late");
}
