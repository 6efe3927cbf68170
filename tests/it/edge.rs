//! The planted edge, end to end: a synthetic market in which some flow knows something, and a
//! pipeline that must find exactly what was planted, and nothing where nothing was.
//!
//! Trades overlap: tickers share a market, and signals of one morning share its bars. Errors are
//! therefore those of whole days, not of single trades.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use flowlab::config::Config;
use flowlab::paper::{Outcome, Trade};
use flowlab::providers::synthetic::{self, Params};
use flowlab::strategies::{Kind, Signal};
use flowlab::time::{Calendar, MINUTE_NS};

use crate::market::{self, Results, Ticker, config, day};

const START: &str = "2025-03-03";
const SESSIONS: usize = 45;

/// Ten tickers, two quiet months.
fn tickers(seed: u64, edge_pct: f64) -> Vec<Ticker> {
    let tickers = synthetic::default_tickers(10);
    let mut params = Params::new(seed, tickers, day(START), SESSIONS);
    params.events_per_day = 60;
    params.edge_pct = edge_pct;
    market::make(&params)
}

fn run(tickers: &[Ticker], config: &Config) -> Results {
    let last = &tickers[0].sessions[tickers[0].sessions.len() - 1];
    let period = flowlab::engine::Period {
        start: day(START),
        end: last.session.date,
    };
    market::run_all(tickers, config, period)
}

/// Barriers that nothing reaches and gates that stop no informed event: every scalp is held for
/// half an hour.
fn held_for_half_an_hour(extra: &[&str]) -> Config {
    let set = [
        "tickers.overrides={}",
        "scalp.tp_pct=50",
        "scalp.sl_pct=50",
        "scalp.max_hold_minutes=30",
        "scalp.min_rvol=null",
        "scalp.max_otm_pct=100",
        "scalp.min_strength=0",
        "day_trade.enabled=false",
        "swing.enabled=false",
        "paper.slippage_bps=0",
    ];
    config(&[&set, extra].concat())
}

/// Trades by signal, with the signal.
fn pairs(results: &Results) -> Vec<(&Signal, &Trade)> {
    let trades: BTreeMap<u64, &Trade> = results.trades.iter().map(|t| (t.signal_id, t)).collect();
    let pair = |signal| -> Option<(&Signal, &Trade)> {
        let signal: &Signal = signal;
        Some((signal, *trades.get(&signal.signal_id)?))
    };
    results.signals.iter().filter_map(pair).collect()
}

/// Gross P&L, by day, of aggressive sweeps with at least 40 minutes to the close.
fn informed(results: &Results) -> Vec<(NaiveDate, f64)> {
    let calendar = Calendar::shipped();
    let mut found = Vec::new();
    for (signal, trade) in pairs(results) {
        let date = signal.ts.exchange_date();
        let Some(session) = calendar.session_on(date) else {
            continue;
        };
        let is_early = session.close.ns_since(signal.ts) >= 40 * MINUTE_NS;
        if signal.is_sweep && signal.is_aggressive && is_early {
            assert_eq!(trade.outcome, Outcome::Timeout, "{trade:#?}");
            found.push((date, trade.pnl_pct_gross));
        }
    }
    found
}

/// Mean, and its standard error when the trades of a day stand or fall together.
fn mean_and_error<Day: Ord + Copy>(values: &[(Day, f64)]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / n;
    let mut days: BTreeMap<Day, f64> = BTreeMap::new();
    for (day, value) in values {
        *days.entry(*day).or_default() += value - mean;
    }
    let variance: f64 = days.values().map(|sum| sum * sum).sum();
    (mean, variance.sqrt() / n)
}

#[test]
fn a_backtest_earns_the_planted_edge_and_cheating_earns_more() {
    let tickers = tickers(1, 0.6);
    let values = informed(&run(&tickers, &held_for_half_an_hour(&[])));
    let (mean, error) = mean_and_error(&values);
    assert!(values.len() > 800 && error < 0.03, "{mean} ± {error}");
    assert!((mean - 0.6).abs() < 1.96 * error, "{mean} ± {error}");
    // At the event's own price the jump right after it is earned too, which nobody could.
    let leaky = held_for_half_an_hour(&["paper.entry=event_price"]);
    let (leaky, error) = mean_and_error(&informed(&run(&tickers, &leaky)));
    assert!(leaky > 0.6 + 5.0 * error, "{leaky} ± {error}");
    assert!((leaky - 0.9).abs() < 4.0 * error, "{leaky} ± {error}");
}

#[test]
fn without_an_edge_the_same_trades_earn_nothing_however_they_enter() {
    let tickers = tickers(2, 0.0);
    for entry in ["next_bar_open", "event_price"] {
        let config = held_for_half_an_hour(&[&format!("paper.entry={entry}")]);
        let values = informed(&run(&tickers, &config));
        let (mean, error) = mean_and_error(&values);
        assert!(values.len() > 800 && error < 0.03, "{mean} ± {error}");
        assert!(mean.abs() < 1.96 * error, "{entry}: {mean} ± {error}");
    }
}

/// Gates low enough for a few hundred trades of each kind.
fn no_edge() -> Config {
    config(&[
        "tickers.overrides={}",
        "paper.slippage_bps=0",
        "scalp.min_strength=2",
        "day_trade.min_strength=2",
        "day_trade.min_premium=20000",
        "swing.min_strength=2",
        "swing.min_premium=50000",
        // What is still open at the end would be missing from one side only.
        "swing.tp_pct=3",
        "swing.sl_pct=3",
    ])
}

/// Wilson's interval at `n` trades.
fn wilson(p: f64, n: f64) -> (f64, f64) {
    let z = 1.96_f64;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
    (centre - half, centre + half)
}

/// Trades that are worth as much as `n` independent ones: by how much days vary more than their
/// trades would if they had nothing to do with each other.
fn effective<Day: Ord + Copy>(values: &[(Day, f64)]) -> f64 {
    let (mean, error) = mean_and_error(values);
    let n = values.len() as f64;
    let variance = values.iter().map(|(_, v)| (v - mean).powi(2)).sum::<f64>() / n;
    (variance / (error * error)).min(n)
}

#[test]
fn without_an_edge_every_kind_wins_as_often_as_its_payoff_needs() {
    // Four markets: one alone is wrong by chance for one kind in seven.
    let mut trades: Vec<(u64, Trade)> = Vec::new();
    for seed in 3..=6 {
        let results = run(&tickers(seed, 0.0), &no_edge());
        trades.extend(results.trades.into_iter().map(|trade| (seed, trade)));
    }
    for kind in Kind::ALL {
        let closed = trades
            .iter()
            .filter(|(_, trade)| trade.kind == *kind && trade.outcome != Outcome::Open);
        let values: Vec<((u64, NaiveDate), f64)> = closed
            .map(|(seed, trade)| {
                (
                    (*seed, trade.opened_at.exchange_date()),
                    trade.pnl_pct_gross,
                )
            })
            .collect();
        let side = |wins: bool| {
            let side = values.iter().map(|(_, v)| *v);
            let side: Vec<f64> = side.filter(|v| (*v > 0.0) == wins).collect();
            (
                side.len() as f64,
                side.iter().sum::<f64>() / side.len() as f64,
            )
        };
        let ((wins, mean_win), (_, mean_loss)) = (side(true), side(false));
        let needed = 1.0 / (1.0 + mean_win / mean_loss.abs());
        let n = effective(&values);
        let (low, high) = wilson(wins / values.len() as f64, n);
        let told = format!(
            "{kind}: {low:.3} to {high:.3}, needs {needed:.3}, {n:.0} of {}",
            values.len()
        );
        assert!(low <= needed && needed <= high, "{told}");
        assert!(values.len() > 1500 && n > 500.0, "{told}");
    }
}
