//! A morning small enough to print: rows for the board, figures for the gauges.

use std::time::Duration;

use crate::flow::{CallPut, Side};
use crate::live::screen::Status;
use crate::live::{Board, ContractName, Feed, Gauges, PositionRow, SignalRow, TapeRow};
use crate::strategies::{Direction, Kind};
use crate::time::Ts;

fn ts(text: &str) -> Ts {
    Ts::parse_rfc3339(text).unwrap()
}

fn contract(ticker: &str, call_put: CallPut, strike: f64, expiry: &str) -> ContractName {
    ContractName {
        ticker: ticker.into(),
        call_put,
        strike,
        expiry: expiry.parse().unwrap(),
    }
}

/// Three events, two signals and two positions, among them all that is awkward to print.
pub fn board() -> Board {
    let mut board = Board::default();
    let sweep = TapeRow {
        ts: ts("2025-02-20T15:32:04.250Z"),
        contract: contract("TSLA", CallPut::Call, 245.0, "2025-02-21"),
        contracts: 1_250,
        price: 3.2,
        notional: 400_000.0,
        side: Side::Buy,
        is_sweep: true,
        is_aggressive: true,
        spot: Some(241.37),
    };
    let index = TapeRow {
        ts: ts("2025-02-20T15:32:05Z"),
        contract: contract("SPXW", CallPut::Put, 5_812.5, "2026-12-18"),
        contracts: 120_000,
        price: 1_204.5,
        notional: 14_454_000_000.0,
        side: Side::Unknown,
        is_sweep: false,
        is_aggressive: false,
        spot: Some(5_842.11),
    };
    let odd = TapeRow {
        ts: ts("2025-02-20T15:32:06Z"),
        contract: contract("電気VERYLONG", CallPut::Put, 17.5, "2025-03-21"),
        contracts: 40,
        price: 0.05,
        notional: 200.0,
        side: Side::Sell,
        is_sweep: false,
        is_aggressive: true,
        spot: None,
    };
    for row in [sweep, index, odd] {
        board.show_event(row);
    }
    for (kind, direction, strength, tags) in [
        (
            Kind::Scalp,
            Direction::Bullish,
            7.5,
            "SIZE|SWEEP|AGGRESSIVE",
        ),
        (
            Kind::DayTrade,
            Direction::Bearish,
            10.0,
            "SIZE|SWEEP|AGGRESSIVE|VOL>OI|TREND_CONFIRMED",
        ),
    ] {
        board.show_signal(SignalRow {
            available_at: ts("2025-02-20T15:32:04.750Z"),
            kind,
            direction,
            contract: contract("TSLA", CallPut::Call, 245.0, "2025-02-21"),
            strength,
            notional: 400_000.0,
            tags: tags.into(),
        });
    }
    for (kind, direction, opened_at, mark, pnl_pct) in [
        (
            Kind::Swing,
            Direction::Bearish,
            "2025-02-19T19:00:00Z",
            248.85,
            -3.1,
        ),
        (
            Kind::DayTrade,
            Direction::Bullish,
            "2025-02-20T15:32:04.750Z",
            270.94,
            12.25,
        ),
    ] {
        board.positions.push(PositionRow {
            kind,
            direction,
            contract: contract("TSLA", CallPut::Call, 245.0, "2025-02-21"),
            opened_at: ts(opened_at),
            entry_price: 241.37,
            mark,
            pnl_pct,
            tp_pct: 15.0,
            sl_pct: 5.0,
        });
    }
    board
}

/// What a busy morning leaves in the gauges.
pub fn busy() -> Gauges {
    let gauges = Gauges::default();
    gauges.is_up[Feed::Options as usize].set(true);
    gauges.is_up[Feed::Stocks as usize].set(true);
    gauges.is_stale[Feed::Stocks as usize].set(true);
    gauges.events.add(12_345);
    gauges.prints.add(1_234_567);
    gauges.signals_of(Kind::Scalp).add(3);
    gauges.signals_of(Kind::Swing).add(1);
    gauges.open_positions.set(2);
    gauges.trades_closed.add(7);
    gauges.last_event_at.set(now().plus_ns(-400_000_000).ns());
    gauges.event_lag_ns.set(1_240_000);
    gauges.queue_depth.set(17);
    gauges.dropped_frames.add(2);
    gauges.reconnects[Feed::Options as usize].add(1);
    gauges.gaps_closed.add(1);
    gauges.late_prints.add(5);
    gauges.clock_skew_ns.set(-2_000_000_000);
    gauges.alerts_sent.add(4);
    gauges.alerts_waiting.set(1);
    gauges.last_alert_at.set(now().plus_seconds(-75).ns());
    gauges
}

fn now() -> Ts {
    ts("2025-02-20T15:32:06.5Z")
}

/// Two feeds, two hours after the start.
pub fn status<'a>(gauges: &'a Gauges) -> Status<'a> {
    Status {
        source: "massive, 42 tickers".into(),
        feeds: Feed::ALL,
        gauges,
        stream_ts: Some(ts("2025-02-20T15:32:06Z")),
        now: now(),
        running_for: Duration::from_secs(7_500),
        is_finished: false,
        notice: None,
        is_coloured: true,
    }
}
