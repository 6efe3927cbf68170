//! Scalp: the short alert, of VWAP, the fast trends and pressure on a level.

use std::cmp::Ordering;

use super::{Story, against_vwap, breaks_level, call_put, tags, tone, trend_agrees};
use crate::strategies::{Direction, Signal};

pub(super) fn story(signal: &Signal) -> Story {
    let way = match signal.direction {
        Direction::Bullish => "upside",
        Direction::Bearish => "downside",
    };
    Story {
        horizon: "intraday",
        intent: format!(
            "{} {} flow; size looks like {}; tags: {}",
            tone(signal, "aggressive"),
            call_put(signal),
            money(signal),
            tags(signal)
        ),
        setting: "Price / Microstructure",
        structure: format!(
            "Microstructure: {}; trend 1m/5m {}; level pressure={}",
            vwap(signal),
            trends(signal),
            if breaks_level(signal) { "yes" } else { "no" }
        ),
        claim: "Why this matters",
        why: format!(
            "sweep/aggression + VWAP/momentum alignment suggest tape control; \
             favors a fast {way} continuation instead of noise"
        ),
        caution: "Risk & timing",
        risk: "invalidate on VWAP or trigger loss; suited for a 5–20 min scalp with tight stops",
    }
}

/// Only a volume that outgrew what was open can be new; where nobody knows what was open, it is not
/// called new.
fn money(signal: &Signal) -> &'static str {
    match signal.open_interest {
        Some(open_interest) if signal.volume >= 2 * open_interest => "new money",
        _ => "roll/reload",
    }
}

/// On the trade's side of VWAP the price is carried by it, anywhere else the trade is against it.
fn vwap(signal: &Signal) -> &'static str {
    match (against_vwap(&signal.context), signal.direction) {
        (Some(Ordering::Greater), Direction::Bullish)
        | (Some(Ordering::Less), Direction::Bearish) => "pushing off VWAP",
        (Some(_), _) => "fighting VWAP",
        (None, _) => "VWAP n/a",
    }
}

fn trends(signal: &Signal) -> &'static str {
    let context = &signal.context;
    let agrees = |trend| trend_agrees(trend, signal.direction);
    if agrees(context.trend_1m) && agrees(context.trend_5m) {
        "aligned"
    } else {
        "mixed"
    }
}
