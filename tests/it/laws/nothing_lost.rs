//! Law 5. Every row is counted under a signal or under a reason, every missing session is named, and
//! a session in which nothing happened is not a gap.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowlab::providers::synthetic::{Event, ListedContract, TickerSession};
use flowlab::strategies::Kind;

use crate::market::{self, Ticker, config, day, talkative};

/// The first session of `ticker` on `date`.
fn session<'a>(ticker: &'a mut Ticker, date: &str) -> &'a mut TickerSession {
    let found = ticker
        .sessions
        .iter_mut()
        .find(|session| session.session.date == day(date));
    found.expect("the session was made")
}

/// Gives `event` a contract that expired a month before its day.
fn expire(session: &mut TickerSession, event: usize) {
    let expired = ListedContract {
        symbol: Arc::from("AAPL251017C00225000"),
        call_put: flowlab::flow::CallPut::Call,
        strike: 225.0,
        expiry: day("2025-10-17"),
        open_interest: None,
    };
    session.events[event].contract = session.contracts.len() as u32;
    session.contracts.push(expired);
}

fn rows_of(tickers: &[Ticker], from: &str, to: &str) -> u64 {
    let inside = |session: &&TickerSession| {
        session.has_flow && day(from) <= session.session.date && session.session.date <= day(to)
    };
    let rows = |ticker: &Ticker| -> usize {
        let sessions = ticker.sessions.iter().filter(inside);
        sessions.map(|session| session.events.len()).sum()
    };
    tickers.iter().map(rows).sum::<usize>() as u64
}

#[test]
fn counts_add_up_to_the_rows_in_the_files() {
    let tickers = market::thanksgiving();
    let results = market::run_all(
        &tickers,
        &talkative(),
        market::period("2025-11-10", "2025-12-02"),
    );
    let counts = &results.counts;
    assert!(counts.balance(), "{counts:?}");
    assert_eq!(
        counts.events_read,
        rows_of(&tickers, "2025-11-10", "2025-12-02")
    );
    assert_eq!(
        counts.warmup_events,
        rows_of(&tickers, "2025-11-04", "2025-11-09")
    );
    let named = counts.named();
    for kind in Kind::ALL {
        let of_kind = results.signals.iter().filter(|s| s.kind == *kind).count();
        assert_eq!(counts.signals(*kind), of_kind as u64);
        let traded = results.trades.iter().filter(|t| t.kind == *kind).count();
        assert_eq!(counts.trades(*kind), traded as u64);
        let no_entry = named[&format!("no_entry.{kind}")];
        assert_eq!(counts.signals(*kind), traded as u64 + no_entry);
        let prefix = format!("rejected.{kind}.");
        let rejected = named.iter().filter(|(name, _)| name.starts_with(&prefix));
        let rejected: u64 = rejected.map(|(_, count)| count).sum();
        assert_eq!(of_kind as u64 + rejected, counts.candidates);
    }
}

#[test]
fn every_row_that_is_not_shown_has_its_reason() {
    let mut tickers = market::thanksgiving();
    tickers.retain(|ticker| ticker.name == "AAPL" || ticker.name == "SPY");
    for ticker in &mut tickers {
        for session in &mut ticker.sessions {
            session
                .events
                .iter_mut()
                .for_each(|event| event.is_multi_leg = false);
        }
    }
    let aapl = tickers.iter_mut().find(|ticker| ticker.name == "AAPL");
    let monday = session(aapl.expect("AAPL is there"), "2025-11-17");
    let spoil: [fn(&mut Event); 5] = [
        |event| event.is_multi_leg = true,
        |event| event.notional = 9_999.99,
        |event| event.underlying_price = Some(0.0),
        |event| event.notional = f64::NAN,
        |event| event.underlying_price = Some(f64::NAN),
    ];
    for (place, spoil) in spoil.iter().enumerate() {
        spoil(&mut monday.events[10 + place]);
    }
    expire(monday, 20);
    expire(monday, 21);
    let results = market::run_all(
        &tickers,
        &talkative(),
        market::period("2025-11-17", "2025-11-18"),
    );
    let named = results.counts.named();
    let expected = [
        ("multi_leg", 1),
        ("below_floor", 1),
        ("bad_rows.bad_price", 3),
        ("bad_rows.expired_contract", 2),
    ];
    for (name, count) in expected {
        assert_eq!(named[name], count, "{name}");
    }
    assert_eq!(results.counts.candidates, results.counts.events_read - 7);
    assert!(results.counts.balance());
}

#[test]
fn spreads_are_shown_when_they_are_asked_for() {
    let mut tickers = market::thanksgiving();
    tickers.truncate(2);
    let period = market::period("2025-11-17", "2025-11-18");
    let without = market::run_all(&tickers, &config(&[]), period).counts;
    assert!(without.multi_leg > 0);
    let with = market::run_all(
        &tickers,
        &config(&["general.include_multi_leg=true"]),
        period,
    );
    assert_eq!(with.counts.multi_leg, 0);
    assert_eq!(
        with.counts.candidates,
        without.candidates + without.multi_leg
    );
}

#[test]
fn missing_sessions_are_named_and_empty_ones_are_not() {
    let mut tickers = market::thanksgiving();
    tickers.truncate(3);
    let gone = |ticker: &mut Ticker, date: &str| {
        ticker.sessions.retain(|s| s.session.date != day(date));
    };
    gone(&mut tickers[0], "2025-11-13");
    gone(&mut tickers[0], "2025-10-15");
    gone(&mut tickers[1], "2025-11-11");
    session(&mut tickers[2], "2025-11-13").events.clear();
    session(&mut tickers[2], "2025-11-14").bars.clear();
    let results = market::run_all(
        &tickers,
        &talkative(),
        market::period("2025-11-12", "2025-11-17"),
    );
    let dates = |dates: &[&str]| dates.iter().map(|date| day(date)).collect();
    let by_ticker =
        |ticker: &Ticker, gaps: &[&str]| BTreeMap::from([(ticker.name.clone(), dates(gaps))]);
    let gaps = &results.gaps;
    assert_eq!(gaps.flow, by_ticker(&tickers[0], &["2025-11-13"]));
    assert_eq!(gaps.bars, by_ticker(&tickers[0], &["2025-11-13"]));
    assert_eq!(
        gaps.warmup_bars[&tickers[0].name],
        dates(&["2025-10-15"]),
        "20 full sessions before the memory's first"
    );
    assert_eq!(gaps.warmup_flow, by_ticker(&tickers[1], &["2025-11-11"]));
    assert!(gaps.in_period());
    assert!(results.counts.balance());
    let line = format!("no flow for 2025-11-13: {}", tickers[0].name);
    assert!(gaps.lines().contains(&line), "{:?}", gaps.lines());
}

#[test]
fn a_run_below_the_floor_of_the_data_is_refused() {
    let mut tickers = market::thanksgiving();
    tickers.truncate(1);
    let (_folder, store) = market::store(&tickers);
    let calendar = flowlab::time::Calendar::shipped();
    let config = config(&["scalp.min_premium=5000", "flow.min_notional=5000"]);
    let job = flowlab::engine::Job {
        store: &store,
        calendar: &calendar,
        config: &config,
        tickers: &market::names(&tickers),
        period: market::period("2025-11-17", "2025-11-18"),
    };
    let error = market::collect(&job);
    let error = error.err().expect("it is refused").to_string();
    assert!(error.contains("below 10000 dollars"), "{error}");
}
