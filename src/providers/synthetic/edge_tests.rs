//! The edge as a pipeline would measure it: from events and bars alone, it has exactly the size that
//! was asked for, and nothing else earns anything.

use super::tests::{market, sessions, small};
use super::*;
use crate::flow::{CallPut, Side};
use crate::time::{MINUTE_NS, Ts};

/// +1 for flow that expects a rise.
fn sign(event: &Event, session: &TickerSession) -> f64 {
    let bought = event.side != Side::Sell;
    let is_call = session.contracts[event.contract as usize].call_put == CallPut::Call;
    if bought == is_call { 1.0 } else { -1.0 }
}

fn is_informed(event: &Event, session: &TickerSession) -> bool {
    let expiry = session.contracts[event.contract as usize].expiry;
    event.is_sweep
        && event.is_aggressive
        && !event.is_multi_leg
        && event.notional >= 50_000.0
        && (expiry - session.session.date).num_days() <= 2
        && session.session.close.ns_since(event.ts) >= 40 * MINUTE_NS
}

#[test]
fn a_market_with_the_edge_and_one_without_share_their_events() {
    let with = sessions(small(21), "SPY");
    let without = sessions(
        Params {
            edge_pct: 0.0,
            ..small(21)
        },
        "SPY",
    );
    let intents = |all: &[TickerSession]| -> Vec<(Ts, f64)> {
        let informed = |s: &TickerSession| -> Vec<(Ts, f64)> {
            s.events
                .iter()
                .filter(|e| is_informed(e, s))
                .map(|e| (e.ts, sign(e, s)))
                .collect()
        };
        all.iter().flat_map(informed).collect()
    };
    assert_eq!(intents(&with), intents(&without));
    assert!(intents(&with).len() > 30);
    // Where the price has no say, every single event agrees; the floor is what it has a say in.
    let open = |edge_pct| {
        sessions(
            Params {
                edge_pct,
                min_notional: 0.0,
                ..small(21)
            },
            "SPY",
        )
    };
    let key = |e: &Event| {
        (
            e.ts,
            e.seq,
            e.side,
            e.is_aggressive,
            e.is_multi_leg,
            e.condition,
        )
    };
    for (a, b) in open(0.6).iter().zip(&open(0.0)) {
        assert_eq!(
            a.events.iter().map(key).collect::<Vec<_>>(),
            b.events.iter().map(key).collect::<Vec<_>>()
        );
    }
}

/// Signed simple returns, percent, of the events `wanted`: from the open of the first bar at or after
/// `available_at` (or from the event's own price) to the close 30 minutes later.
fn returns(
    all: &[TickerSession],
    from_event: bool,
    wanted: fn(&Event, &TickerSession) -> bool,
) -> Vec<f64> {
    let mut found = Vec::new();
    for session in all {
        for event in session
            .events
            .iter()
            .filter(|e| e.is_aggressive && wanted(e, session))
        {
            let entry = session
                .bars
                .iter()
                .find(|b| b.is_regular && b.ts >= event.available_at);
            let Some(entry) = entry else { continue };
            let exit_start = entry.ts.plus_minutes(29);
            let Some(exit) = session
                .bars
                .iter()
                .find(|b| b.is_regular && b.ts == exit_start)
            else {
                continue;
            };
            let price = if from_event {
                event.underlying_price.unwrap_or(entry.open)
            } else {
                entry.open
            };
            found.push(sign(event, session) * (exit.close / price - 1.0) * 100.0);
        }
    }
    found
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (var / n).sqrt())
}

/// Several tickers, seeds and months of few events each.
fn many(edge_pct: f64) -> Vec<TickerSession> {
    let start = "2025-02-03".parse().unwrap();
    let of_seed = |seed| {
        let mut params = Params::new(seed, default_tickers(8), start, 60);
        (
            params.daily_warmup,
            params.warmup_sessions,
            params.events_per_day,
        ) = (10, 0, 60);
        params.edge_pct = edge_pct;
        let made = market(params.clone());
        params
            .tickers
            .iter()
            .flat_map(|t| made.ticker(t).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    (1..=3).flat_map(of_seed).collect()
}

#[test]
fn informed_events_earn_the_planted_edge_and_no_other_event_earns_anything() {
    let all = many(0.6);
    let (mean, error) = mean_and_error(&returns(&all, false, is_informed));
    assert!(
        (mean - 0.6).abs() < 4.0 * error && error < 0.03,
        "{mean} ± {error}"
    );
    // A leaky pipeline finds half as much again.
    let (leaky, error) = mean_and_error(&returns(&all, true, is_informed));
    assert!(
        (leaky - 0.9).abs() < 4.0 * error + 0.01,
        "{leaky} ± {error}"
    );
    let (rest, error) = mean_and_error(&returns(&all, false, |e, s| !is_informed(e, s)));
    assert!(rest.abs() < 4.0 * error, "{rest} ± {error}");
}

#[test]
fn without_the_edge_the_same_events_earn_nothing() {
    let all = many(0.0);
    for from_event in [false, true] {
        let (mean, error) = mean_and_error(&returns(&all, from_event, is_informed));
        assert!(mean.abs() < 4.0 * error && error < 0.03, "{mean} ± {error}");
    }
}
