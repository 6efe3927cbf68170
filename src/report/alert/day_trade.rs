//! Day trade: the medium alert, of VWAP, the 15-minute trend and the level that breaks.

use super::{Story, breaks_level, closing_rvol, tags, tone, trend_agrees, vwap_posture};
use crate::strategies::{Direction, Signal};

pub(super) fn story(signal: &Signal) -> Story {
    let context = &signal.context;
    let trend = if trend_agrees(context.trend_15m, signal.direction) {
        "aligned"
    } else {
        "uncertain"
    };
    let (level, movement) = if breaks_level(signal) {
        ("break/hold", "continuation")
    } else {
        ("range/pullback", "range expansion/retest")
    };
    let crowd = match signal.direction {
        Direction::Bullish => "buyers",
        Direction::Bearish => "sellers",
    };
    Story {
        horizon: "session",
        intent: format!(
            "{} participation pressing the theme; {}; tags: {}",
            tone(signal, "assertive"),
            volume(signal),
            tags(signal)
        ),
        setting: "Price / Structure",
        structure: format!(
            "VWAP/EMA: {}; 15m trend {trend}; key level={level}{}",
            vwap_posture(context, "supportive", "overhead/drag"),
            closing_rvol(context)
        ),
        claim: "Why this is a good day-trade alert",
        why: format!(
            "flow + intraday structure and regime point to {crowd} control; \
             timing favors {movement} movement rather than random noise"
        ),
        caution: "Risk & execution",
        risk: "invalidate on VWAP/15m trend break or failed level retest; \
               intraday idea (approx. 30–180 minutes if structure holds)",
    }
}

fn volume(signal: &Signal) -> String {
    match signal.open_interest {
        Some(open_interest) => format!("vol vs OI {}/{open_interest}", signal.volume),
        None => format!("vol {}", signal.volume),
    }
}
