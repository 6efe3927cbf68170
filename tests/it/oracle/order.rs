//! Order of arrival: events known in another order than they happened in, across batches and across
//! files, reach the memories by `(available_at, ts, seq)`.

use std::sync::Arc;

use flowlab::flow::{CallPut, Side, SideQuality, SideSource};
use flowlab::providers::synthetic::{Event, ListedContract, TickerSession};
use flowlab::strategies::{Kind, Signal};
use flowlab::time::{Calendar, SECOND_NS, Ts};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::market::{self, Ticker, config, day};

/// More than two of the store's batches.
const EVENTS_A_DAY: i64 = 36_000;

fn event(ts: Ts, delay_ns: i64, seq: u32, notional: f64) -> Event {
    Event {
        ts,
        available_at: ts.plus_ns(delay_ns),
        seq,
        contract: 0,
        price: 1.0,
        contracts: 100,
        notional,
        bid: 0.9,
        ask: 1.0,
        side: Side::Buy,
        side_source: SideSource::Quote,
        side_quality: SideQuality::Firm,
        is_aggressive: true,
        is_sweep: false,
        has_iso: false,
        is_block: false,
        is_multi_leg: false,
        is_extended: false,
        prints: 1,
        exchanges: 1,
        volume: 100,
        iv: None,
        delta: None,
        underlying_price: Some(100.0),
        condition: 209,
    }
}

/// A session full of events, some of them known seconds, minutes or days later; every tenth shares
/// its time with the one before.
fn session(rng: &mut Pcg64Mcg, date: &str) -> TickerSession {
    let session = *Calendar::shipped()
        .session_on(day(date))
        .expect("a session");
    let length = session.close.ns() - session.open.ns();
    let mut events = Vec::new();
    let (mut last, mut seq) = (session.open, 0);
    for number in 0..EVENTS_A_DAY {
        let ts = session
            .open
            .plus_ns(length / EVENTS_A_DAY * (number - number % 10 / 9));
        seq = if ts == last { seq + 1 } else { 0 };
        last = ts;
        let delay = match rng.random_range(0..100) {
            0..50 => 0,
            50..90 => rng.random_range(0..5 * SECOND_NS),
            90..99 => rng.random_range(0..300) * SECOND_NS,
            // Known on another day, in another month's file.
            _ => 4 * 24 * 3600 * SECOND_NS,
        };
        let notional = 15_000.0 + rng.random_range(0..1000) as f64;
        events.push(event(ts, delay, seq, notional));
    }
    TickerSession {
        session,
        has_flow: true,
        ticker: "AAPL".to_owned(),
        bars: Vec::new(),
        daily: None,
        contracts: vec![ListedContract {
            symbol: Arc::from("AAPL251219C00100000"),
            call_put: CallPut::Call,
            strike: 100.0,
            expiry: day("2025-12-19"),
            open_interest: None,
        }],
        events,
        below_floor: 0,
    }
}

#[test]
fn memories_and_cooldowns_follow_the_order_of_arrival() {
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    let days = ["2025-11-26", "2025-11-28", "2025-12-01"];
    let ticker = Ticker {
        name: "AAPL".to_owned(),
        sessions: days.map(|date| session(&mut rng, date)).to_vec(),
        daily: Vec::new(),
        splits: Vec::new(),
    };
    let config = config(&[
        "tickers.overrides={}",
        "day_trade.enabled=false",
        "scalp.min_premium=10000",
        "scalp.max_dte=60",
        "scalp.min_rvol=null",
        "scalp.min_strength=0",
        "scalp.cooldown_minutes=2",
        "swing.min_premium=10000",
        "swing.min_strength=0",
    ]);
    let period = market::period(days[0], days[2]);
    let results = market::run_all(std::slice::from_ref(&ticker), &config, period);

    let mut arrivals: Vec<&Event> = ticker.sessions.iter().flat_map(|s| &s.events).collect();
    arrivals.sort_by_key(|event| (event.available_at, event.ts, event.seq));
    let (mut total, mut last) = (0.0, None);
    let (mut swings, mut scalps) = (Vec::new(), Vec::new());
    for event in arrivals {
        // Three sessions lie within the memory: each event sees all that arrived before it.
        total += event.notional;
        swings.push((event.ts, event.seq, Some(total)));
        let date = event.available_at.exchange_date();
        let is_quiet = last.is_some_and(|(day, at): (_, Ts)| {
            day == date && event.available_at.ns() < at.ns() + 120 * SECOND_NS
        });
        if !is_quiet {
            last = Some((date, event.available_at));
            scalps.push((event.ts, event.seq, None));
        }
    }
    let of_kind = |kind: Kind| {
        let signals = results.signals.iter().filter(move |s| s.kind == kind);
        signals
            .map(|s: &Signal| (s.ts, s.seq, s.persistent_notional))
            .collect::<Vec<_>>()
    };
    market::assert_rows("swings", &of_kind(Kind::Swing), &swings);
    market::assert_rows("scalps", &of_kind(Kind::Scalp), &scalps);
    let late = swings
        .windows(2)
        .filter(|pair| pair[0].0 > pair[1].0)
        .count();
    assert!(late > 10_000, "{late} events out of order prove little");
}
