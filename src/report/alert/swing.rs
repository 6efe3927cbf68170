//! Swing: the deep dive, of the daily trend, structure and what the chain remembers.

use super::{Story, breaks_level, closing_rvol, dollars, tags, tone, trend_agrees, vwap_posture};
use crate::context::RegimeTrend;
use crate::strategies::{Direction, Signal};

pub(super) fn story(signal: &Signal) -> Story {
    let context = &signal.context;
    let trend = if trend_agrees(context.trend_daily, signal.direction) {
        "aligned"
    } else {
        "mixed"
    };
    let structure = if breaks_level(signal) {
        "breakout/pullback"
    } else {
        "accumulating near value"
    };
    let prevailing = prevailing(signal);
    Story {
        horizon: "swing",
        intent: format!(
            "{} flow; DTE/OTM consistent with positioning; tags: {}; {}",
            tone(signal, "persistent"),
            tags(signal),
            cluster(signal)
        ),
        setting: "Price / Structure (HTF)",
        structure: format!(
            "HTF posture: daily trend {trend}; structure {structure}; level posture={}{}",
            vwap_posture(context, "supportive", "near supply"),
            closing_rvol(context)
        ),
        claim: "Why this is a good swing alert",
        why: format!(
            "size + repetition at HTF structure implies institutional participation; \
             aligns with the prevailing {prevailing} in current regime and supports an \
             accumulation thesis rather than short-term noise"
        ),
        caution: "Risk & plan",
        risk: "invalidate on break of recent swing pivot/HTF level; holding window on the order \
               of days to weeks; informational context, not advice",
    }
}

fn cluster(signal: &Signal) -> String {
    match signal.persistent_notional {
        Some(notional) => format!("Cluster notional ≈ {}", dollars(notional)),
        None => "notional sized for a swing idea".to_owned(),
    }
}

/// A trade against the market's trend, or without one, lives on a return to the mean.
fn prevailing(signal: &Signal) -> &'static str {
    match (signal.context.regime_trend, signal.direction) {
        (RegimeTrend::Up, Direction::Bullish) | (RegimeTrend::Down, Direction::Bearish) => "trend",
        _ => "range/mean reversion",
    }
}
