//! Law 1. Cutting the input at any instant (bars that end after it, events available after it)
//! leaves exactly the full run's signals up to it; scrambling what comes after changes none of them.

use flowlab::providers::synthetic::Event;
use flowlab::store::{DailyBar, MinuteBar};
use flowlab::strategies::{Kind, Signal};
use flowlab::time::{Calendar, SECOND_NS, Ts};

use crate::market::{self, Ticker, assert_rows, talkative};

const START: &str = "2025-11-10";
const END: &str = "2025-12-02";

/// Whether the session of a daily bar is over at `t`.
fn is_over(bar: &DailyBar, calendar: &Calendar, t: Ts) -> bool {
    calendar
        .session_on(bar.date)
        .is_none_or(|session| session.close <= t)
}

fn has_ended(bar: &MinuteBar, t: Ts) -> bool {
    bar.ts.plus_minutes(1) <= t
}

/// What a listener could have stored by `t`.
fn cut(tickers: &[Ticker], t: Ts) -> Vec<Ticker> {
    let calendar = Calendar::shipped();
    let mut tickers = tickers.to_vec();
    for ticker in &mut tickers {
        ticker.daily.retain(|bar| is_over(bar, &calendar, t));
        ticker
            .splits
            .retain(|split| split.ex_date <= t.exchange_date());
        ticker
            .sessions
            .retain(|session| session.session.day_start() <= t);
        for session in &mut ticker.sessions {
            session.bars.retain(|bar| has_ended(bar, t));
            session.events.retain(|event| event.available_at <= t);
        }
    }
    tickers
}

/// The same past, and after `t` another world: prices tripled, volumes and sizes changed, sides
/// swapped, every third bar and every fourth event gone.
fn scramble(tickers: &[Ticker], t: Ts) -> Vec<Ticker> {
    let calendar = Calendar::shipped();
    let mut tickers = tickers.to_vec();
    for ticker in &mut tickers {
        for bar in &mut ticker.daily {
            if !is_over(bar, &calendar, t) {
                (bar.high, bar.low, bar.close) = (bar.high * 3.0, bar.low / 3.0, bar.close * 2.0);
            }
        }
        for split in &mut ticker.splits {
            if split.ex_date > t.exchange_date() {
                split.ratio = 7.0;
            }
        }
        for session in &mut ticker.sessions {
            let mut place = 0;
            session.bars.retain_mut(|bar| {
                place += usize::from(!has_ended(bar, t));
                scramble_bar(bar, t);
                has_ended(bar, t) || place % 3 != 0
            });
            let mut place = 0;
            session.events.retain_mut(|event| {
                place += usize::from(event.available_at > t);
                scramble_event(event, t);
                event.available_at <= t || place % 4 != 0
            });
        }
    }
    tickers
}

fn scramble_bar(bar: &mut MinuteBar, t: Ts) {
    if !has_ended(bar, t) {
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price *= 3.0;
        }
        bar.vwap = None;
        bar.volume *= 100.0;
    }
}

fn scramble_event(event: &mut Event, t: Ts) {
    if event.available_at > t {
        event.notional *= 50.0;
        event.is_sweep = true;
        event.is_aggressive = true;
        event.underlying_price = event.underlying_price.map(|price| price * 3.0);
    }
}

/// Instants at which something is about to be known: between an event and its arrival, at an
/// arrival to the nanosecond, on bar ends, around opens, closes and the opening range.
fn instants(signals: &[Signal]) -> Vec<Ts> {
    let calendar = Calendar::shipped();
    let mut instants = Vec::new();
    let step = signals.len() / 9;
    for (number, signal) in signals.iter().step_by(step.max(1)).enumerate() {
        let arrival = signal.available_at;
        instants.push(match number % 3 {
            0 => arrival,
            1 => arrival.plus_ns(-1),
            _ => Ts::from_ns(arrival.ns() - arrival.ns().rem_euclid(60 * SECOND_NS)),
        });
    }
    // The split's first morning, the half day's close, the day after the halt.
    let on = |date: &str| *calendar.session_on(market::day(date)).expect("a session");
    instants.push(on("2025-11-18").open.plus_minutes(15));
    instants.push(on("2025-11-18").open.plus_minutes(211).plus_ns(-1));
    instants.push(on("2025-11-28").close);
    instants.push(on("2025-12-01").open.plus_minutes(31));
    // Inside the opening range, whose extremes are still to come.
    for date in ["2025-11-17", "2025-11-21", "2025-12-02"] {
        instants.push(on(date).open.plus_minutes(13));
    }
    instants
}

fn up_to(signals: &[Signal], t: Ts) -> Vec<Signal> {
    let known = signals.iter().filter(|signal| signal.available_at <= t);
    known.cloned().collect()
}

#[test]
fn cutting_or_scrambling_the_future_changes_no_signal_before_it() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let period = market::period(START, END);
    let full = market::run_all(&tickers, &config, period).signals;
    for kind in Kind::ALL {
        let count = full.iter().filter(|signal| signal.kind == *kind).count();
        assert!(count > 40, "only {count} {kind} signals would prove little");
    }
    for t in instants(&full) {
        let expected = up_to(&full, t);
        let cut = market::run_all(&cut(&tickers, t), &config, period).signals;
        assert_rows(&format!("cut at {t}"), &cut, &expected);
        let scrambled = market::run_all(&scramble(&tickers, t), &config, period).signals;
        assert_rows(
            &format!("scrambled after {t}"),
            &up_to(&scrambled, t),
            &expected,
        );
    }
}

#[test]
fn a_trade_knows_nothing_of_the_bars_after_its_exit() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let period = market::period(START, "2025-11-20");
    let full = market::run_all(&tickers, &config, period);
    let t = Calendar::shipped()
        .session_on(market::day("2025-11-20"))
        .expect("a session")
        .open
        .plus_minutes(100);
    let scrambled = market::run_all(&scramble(&tickers, t), &config, period);
    let closed_by_t = |trades: &[flowlab::paper::Trade]| {
        let closed = trades
            .iter()
            .filter(|trade| trade.closed_at.is_some_and(|at| at < t));
        closed.cloned().collect::<Vec<_>>()
    };
    let expected = closed_by_t(&full.trades);
    assert!(
        expected.len() > 100,
        "{} trades prove little",
        expected.len()
    );
    assert_rows("trades", &closed_by_t(&scrambled.trades), &expected);
}
