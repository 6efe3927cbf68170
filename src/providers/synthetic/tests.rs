//! What the whole market promises: the same seed the same market, prices and chains that hang
//! together. What it promises of the edge is in `edge_tests`.

use std::collections::BTreeMap;

use super::*;
use crate::flow::{CallPut, Contract, Quote, Side, aggressor};
use crate::time::{MINUTE_NS, SECOND_NS, Ts};

pub(super) fn market(params: Params) -> Market {
    Market::new(params, &Calendar::shipped()).unwrap()
}

/// Sixteen sessions around Thanksgiving 2025: a holiday, a half day.
pub(super) fn small(seed: u64) -> Params {
    let mut params = Params::new(seed, default_tickers(6), "2025-11-14".parse().unwrap(), 16);
    params.daily_warmup = 60;
    params.warmup_sessions = 2;
    params
}

pub(super) fn sessions(params: Params, ticker: &str) -> Vec<TickerSession> {
    market(params).ticker(ticker).collect()
}

#[test]
fn the_same_seed_gives_the_same_market_in_any_order_of_tickers() {
    let all = market(small(7));
    let later: Vec<TickerSession> = all.ticker("AMD").collect();
    let _ = all.ticker("SPY").count();
    assert_eq!(all.ticker("AMD").collect::<Vec<_>>(), later);
    assert_eq!(sessions(small(7), "AMD"), later);
    assert_ne!(sessions(small(8), "AMD"), later);
}

#[test]
fn a_longer_run_leaves_the_sessions_of_a_shorter_one_as_they_were() {
    let of_length = |count| {
        sessions(
            Params {
                sessions: count,
                ..small(7)
            },
            "SPY",
        )
    };
    let (long, short) = (of_length(120), of_length(5));
    assert_eq!(long[..short.len()], short);
}

#[test]
fn bars_are_sane_in_cents_and_in_order() {
    for ticker in ["SPY", "TSLA", "T003"] {
        for session in sessions(small(3), ticker) {
            assert!(session.bars.is_sorted_by(|a, b| a.ts < b.ts));
            for bar in &session.bars {
                assert!(
                    0.0 < bar.low && bar.low <= bar.open.min(bar.close),
                    "{bar:?}"
                );
                assert!(bar.open.max(bar.close) <= bar.high, "{bar:?}");
                assert!(
                    bar.vwap
                        .is_some_and(|vwap| bar.low <= vwap && vwap <= bar.high),
                    "{bar:?}"
                );
                assert!(bar.volume >= 1.0 && bar.trades >= Some(1));
                assert!((bar.close * 100.0 - (bar.close * 100.0).round()).abs() < 1e-6);
                assert_eq!(bar.is_regular, session.session.contains(bar.ts), "{bar:?}");
            }
        }
    }
}

#[test]
fn half_days_are_short_and_holidays_absent() {
    let all = sessions(small(3), "SPY");
    let minutes: BTreeMap<String, usize> = all
        .iter()
        .map(|s| {
            (
                s.session.date.to_string(),
                s.bars.iter().filter(|b| b.is_regular).count(),
            )
        })
        .collect();
    assert_eq!(minutes["2025-11-26"], 390);
    assert!(!minutes.contains_key("2025-11-27"));
    assert_eq!(minutes["2025-11-28"], 210);
}

#[test]
fn the_first_bar_moves_with_daylight_saving_time() {
    let params = Params {
        start: "2025-03-06".parse().unwrap(),
        ..small(3)
    };
    let all = sessions(params, "SPY");
    let first = |date: &str| {
        let session = all
            .iter()
            .find(|s| s.session.date.to_string() == date)
            .unwrap();
        session
            .bars
            .iter()
            .find(|b| b.is_regular)
            .unwrap()
            .ts
            .to_string()
    };
    assert_eq!(first("2025-03-07"), "2025-03-07T14:30:00Z");
    assert_eq!(first("2025-03-10"), "2025-03-10T13:30:00Z");
}

#[test]
fn tickers_move_with_spy_and_volume_crowds_into_open_and_close() {
    let params = Params {
        edge_pct: 0.0,
        ..small(3)
    };
    let (spy, amd) = (sessions(params.clone(), "SPY"), sessions(params, "AMD"));
    let moves = |all: &[TickerSession]| -> Vec<f64> {
        let bars = all
            .iter()
            .flat_map(|s| s.bars.iter().filter(|b| b.is_regular));
        bars.map(|b| (b.close / b.open).ln()).collect()
    };
    let (a, b) = (moves(&spy), moves(&amd));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    assert!((0.3..0.8).contains(&correlation), "{correlation}");
    let volume = |from: i64, to: i64| -> f64 {
        let of_session = |s: &TickerSession| -> f64 {
            let inside = s
                .bars
                .iter()
                .filter(|b| b.is_regular && (from..to).contains(&s.session.minute_at(b.ts)));
            inside.map(|b| b.volume).sum()
        };
        spy.iter()
            .filter(|s| s.session.minutes() == 390)
            .map(of_session)
            .sum()
    };
    assert!(volume(0, 30) > 1.5 * volume(180, 210) && volume(360, 390) > 1.3 * volume(180, 210));
}

#[test]
fn one_ticker_is_halted_once() {
    let all = sessions(small(3), "TSLA");
    let holes: Vec<(String, usize)> = all
        .iter()
        .map(|s| {
            (
                s.session.date.to_string(),
                s.session.minutes() - s.bars.iter().filter(|b| b.is_regular).count(),
            )
        })
        .filter(|(_, holes)| *holes > 0)
        .collect();
    assert_eq!(holes.len(), 1, "{holes:?}");
    assert!((20..=30).contains(&holes[0].1), "{holes:?}");
}

#[test]
fn a_split_changes_prices_volumes_and_symbols_but_not_what_is_owned() {
    let made = market(small(3));
    let ticker = made.ticker("NVDA");
    let split = ticker.splits[0];
    assert_eq!(split.ratio, 4.0);
    let all: Vec<TickerSession> = ticker.collect();
    let at = all
        .iter()
        .position(|s| s.session.date == split.ex_date)
        .unwrap();
    let (before, after) = (all[at - 1].daily.unwrap(), all[at].daily.unwrap());
    assert!(
        (before.close / after.open / 4.0 - 1.0).abs() < 0.15,
        "{before:?} {after:?}"
    );
    assert!(after.volume > before.volume);
    // Whatever was listed the evening before and has not expired is listed at a quarter of its strike.
    let today: Vec<&ListedContract> = all[at].contracts.iter().collect();
    for old in all[at - 1]
        .contracts
        .iter()
        .filter(|c| c.expiry >= split.ex_date)
    {
        let is_heir = |new: &&&ListedContract| {
            (new.expiry, new.call_put) == (old.expiry, old.call_put)
                && (new.strike * 4.0 - old.strike).abs() < 0.003
        };
        assert!(today.iter().find(is_heir).is_some(), "{}", old.symbol);
    }
    let spot = after.open;
    assert!(today.iter().any(|c| (c.strike / spot - 1.0).abs() < 0.02));
}

#[test]
fn daily_bars_continue_into_the_minutes() {
    let made = market(small(5));
    let mut ticker = made.ticker("AMD");
    let last = *ticker.daily.last().unwrap();
    assert_eq!(ticker.daily.len(), 58);
    let first = ticker.next().unwrap().daily.unwrap();
    assert!(
        last.date < first.date && (first.open / last.close - 1.0).abs() < 0.2,
        "{last:?} {first:?}"
    );
}

#[test]
fn events_are_sorted_consistent_and_priced_inside_the_bar() {
    for ticker in ["SPY", "NVDA", "T001"] {
        for session in sessions(small(11), ticker).iter().filter(|s| s.has_flow) {
            assert!(
                session
                    .events
                    .is_sorted_by(|a, b| (a.ts, a.seq) < (b.ts, b.seq))
            );
            let bars: BTreeMap<Ts, &MinuteBar> = session.bars.iter().map(|b| (b.ts, b)).collect();
            for event in &session.events {
                check_event(event, session, &bars);
            }
        }
    }
}

fn check_event(event: &Event, session: &TickerSession, bars: &BTreeMap<Ts, &MinuteBar>) {
    let contract = &session.contracts[event.contract as usize];
    assert_eq!(event.notional, event.price * event.contracts as f64 * 100.0);
    assert!(
        event.notional >= 10_000.0 && event.price > 0.0 && event.bid < event.ask,
        "{event:?}"
    );
    assert_eq!(event.available_at.ns_since(event.ts), SECOND_NS / 4);
    assert!(contract.expiry >= session.session.date);
    assert_eq!(
        Contract::parse(&contract.symbol).unwrap().strike,
        contract.strike
    );
    assert!(event.delta.is_none_or(
        |d| (-1.0..=1.0).contains(&d) && (d >= 0.0) == (contract.call_put == CallPut::Call)
    ));
    assert!(event.volume >= event.contracts);
    assert_eq!(event.is_extended, !session.session.contains(event.ts));
    let minute = Ts::from_ns(event.ts.ns().div_euclid(MINUTE_NS) * MINUTE_NS);
    if let (Some(bar), Some(price)) = (bars.get(&minute), event.underlying_price) {
        assert!(bar.low <= price && price <= bar.high, "{price} {bar:?}");
    }
    assert_eq!(
        event.is_block,
        event.contracts >= 500 && event.prints == 1 && !event.is_sweep
    );
    assert!(!event.is_sweep || event.has_iso || event.exchanges >= 2);
    if event.side != Side::Unknown {
        let quote = Quote {
            bid: event.bid,
            ask: event.ask,
        };
        let by_quote = aggressor(event.price, Some(quote), true, Side::Unknown);
        assert_eq!(
            (by_quote.side, by_quote.is_aggressive),
            (event.side, event.is_aggressive),
            "{event:?}"
        );
    }
}

#[test]
fn volume_counts_what_the_floor_hides() {
    let open = sessions(
        Params {
            min_notional: 0.0,
            ..small(4)
        },
        "SPY",
    );
    let floored = sessions(
        Params {
            min_notional: 50_000.0,
            ..small(4)
        },
        "SPY",
    );
    for (all, large) in open.iter().zip(&floored) {
        let kept: Vec<&Event> = all
            .events
            .iter()
            .filter(|e| e.notional >= 50_000.0)
            .collect();
        assert_eq!(kept, large.events.iter().collect::<Vec<_>>());
        assert_eq!(
            all.events.len() as u64,
            large.events.len() as u64 + large.below_floor
        );
    }
}

#[test]
fn the_callback_shows_what_the_event_holds() {
    let all = sessions(small(4), "QQQ");
    let session = all.iter().find(|s| s.has_flow).unwrap();
    let mut shown = 0;
    session.for_each(|flow, detail| {
        let event = &session.events[shown];
        assert_eq!(*detail, event.detail());
        assert_eq!(*flow, session.flow_event(event));
        shown += 1;
    });
    assert_eq!(shown, session.events.len());
}

#[test]
fn senseless_parameters_are_refused() {
    let calendar = Calendar::shipped();
    let refused = |params| Market::new(params, &calendar).err().map(|e| e.to_string());
    let far = "2027-12-01".parse().unwrap();
    assert!(
        refused(Params {
            start: far,
            sessions: 40,
            ..small(1)
        })
        .unwrap()
        .contains("more than the calendar has")
    );
    assert!(
        refused(Params {
            tickers: vec!["BRK.B".into()],
            ..small(1)
        })
        .unwrap()
        .contains("BRK.B")
    );
    assert!(
        refused(Params {
            edge_pct: f64::NAN,
            ..small(1)
        })
        .is_some()
    );
}
