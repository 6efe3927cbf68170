//! Samples: for each kind one signal, to try a channel with and to hold the texts still.
//!
//! They are made up. What an alert prints is given and not derived: the distances and the swing's
//! notional do not follow from the other figures.

use crate::context::{Context, RegimeTrend, RegimeVolatility, Trend};
use crate::flow::{CallPut, Contract, FlowDetail, Side, SideQuality, SideSource};
use crate::strategies::{Direction, Kind, Signal, Tag, Tags};
use crate::time::Ts;

/// The sample of `kind`. Its `signal_id` is 0: it belongs to no run.
pub fn sample(kind: Kind) -> Signal {
    match kind {
        Kind::Scalp => scalp(),
        Kind::DayTrade => day_trade(),
        Kind::Swing => swing(),
    }
}

fn scalp() -> Signal {
    Signal {
        strength: 7.9,
        tags: of(&[Tag::Sweep, Tag::Aggressive, Tag::VolOi]),
        notional: 185_000.0,
        is_sweep: true,
        volume: 5000,
        open_interest: Some(2200),
        detail: Some(detail(1000, 1.85)),
        context: Context {
            dte: 1,
            spot: Some(243.40),
            otm_pct: Some(0.8),
            vwap: Some(242.10),
            trend_1m: Some(Trend::Up),
            trend_5m: Some(Trend::Up),
            breaking_up: Some(true),
            regime_trend: RegimeTrend::Up,
            regime_volatility: RegimeVolatility::High,
            ..Context::UNKNOWN
        },
        ..bought(Kind::Scalp, "TSLA250221C00245000", "2025-02-20T15:12:34Z")
    }
}

fn day_trade() -> Signal {
    Signal {
        strength: 8.3,
        tags: of(&[Tag::Aggressive, Tag::VolOi, Tag::LevelBreak]),
        notional: 120_000.0,
        volume: 12_000,
        open_interest: Some(4500),
        detail: Some(detail(500, 2.40)),
        context: Context {
            dte: 12,
            spot: Some(138.20),
            otm_pct: Some(1.3),
            vwap: Some(139.05),
            rvol: Some(1.8),
            breaking_down: Some(true),
            regime_trend: RegimeTrend::Down,
            regime_volatility: RegimeVolatility::Elevated,
            ..Context::UNKNOWN
        },
        ..bought(Kind::DayTrade, "AMD250314P00135000", "2025-03-03T16:05:12Z")
    }
}

fn swing() -> Signal {
    Signal {
        strength: 9.2,
        tags: of(&[Tag::Aggressive, Tag::PersistentBuyer]),
        persistent_notional: Some(6_300_000.0),
        notional: 6_300_000.0,
        volume: 20_000,
        open_interest: Some(8000),
        detail: Some(detail(750, 9.40)),
        context: Context {
            dte: 35,
            spot: Some(384.20),
            otm_pct: Some(4.1),
            vwap: Some(382.75),
            rvol: Some(1.2),
            trend_daily: Some(Trend::Up),
            breaking_up: Some(true),
            regime_trend: RegimeTrend::Up,
            regime_volatility: RegimeVolatility::Medium,
            ..Context::UNKNOWN
        },
        ..bought(Kind::Swing, "META250418C00400000", "2025-03-14T17:18:45Z")
    }
}

/// A contract bought at the ask, at `ts`, with everything else still to be filled in.
fn bought(kind: Kind, symbol: &str, ts: &str) -> Signal {
    let contract = Contract::parse(symbol).expect("the samples' symbols are well formed");
    let ts = Ts::parse_rfc3339(ts).expect("the samples' instants are well formed");
    Signal {
        signal_id: 0,
        kind,
        direction: match contract.call_put {
            CallPut::Call => Direction::Bullish,
            CallPut::Put => Direction::Bearish,
        },
        strength: 0.0,
        tags: Tags::default(),
        rules: String::new(),
        persistent_notional: None,
        ts,
        available_at: ts,
        seq: 0,
        ticker: contract.root,
        contract: symbol.to_owned(),
        call_put: contract.call_put,
        strike: contract.strike,
        expiry: contract.expiry,
        notional: 0.0,
        side: Side::Buy,
        is_aggressive: true,
        is_sweep: false,
        is_multi_leg: false,
        volume: 0,
        open_interest: None,
        underlying_price: None,
        detail: None,
        context: Context::UNKNOWN,
    }
}

fn detail(contracts: i64, price: f64) -> FlowDetail {
    FlowDetail {
        price,
        contracts,
        bid: None,
        ask: Some(price),
        side_source: SideSource::Quote,
        side_quality: SideQuality::Firm,
        has_iso: false,
        is_block: false,
        is_extended: false,
        prints: 1,
        exchanges: 1,
        iv: None,
        delta: None,
        conditions: Vec::new(),
        cancelled_at: None,
        cancelled_contracts: 0,
        source: "sample".to_owned(),
    }
}

fn of(given: &[Tag]) -> Tags {
    let mut tags = Tags::default();
    for tag in given {
        tags.insert_if(*tag, true);
    }
    tags
}
