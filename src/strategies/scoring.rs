//! Scoring: from an event that passed its gates, and a strategy's evidence, to tags and a strength.

use super::{Decision, Direction, Rules, Setup};
use crate::context::{Context, Trend};
use crate::flow::{FlowEvent, text_enum};
use serde::{Deserialize, Serialize};

/// The highest strength there is.
pub const MAX_STRENGTH: f64 = 10.0;

text_enum! {
    /// What spoke for a signal, in the order in which tags are listed.
    Tag {
        Size = "SIZE",
        Sweep = "SWEEP",
        Aggressive = "AGGRESSIVE",
        VolOi = "VOL>OI",
        TrendConfirmed = "TREND_CONFIRMED",
        LevelBreak = "LEVEL_BREAK",
        SweepCluster = "SWEEP_CLUSTER",
        FreshMoney = "FRESH_MONEY",
        Breakout = "BREAKOUT",
        PersistentBuyer = "PERSISTENT_BUYER",
    }
}

/// A set of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags(u16);

impl Tags {
    pub fn insert_if(&mut self, tag: Tag, given: bool) {
        if given {
            self.0 |= 1 << tag as u16;
        }
    }

    pub fn contains(self, tag: Tag) -> bool {
        self.0 & (1 << tag as u16) != 0
    }

    /// The tags of the set, in their listing order.
    pub fn iter(self) -> impl Iterator<Item = Tag> {
        Tag::ALL
            .iter()
            .copied()
            .filter(move |tag| self.contains(*tag))
    }
}

/// `SIZE|SWEEP`; empty for no tags.
impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.iter().map(Tag::as_str).collect();
        f.write_str(&names.join("|"))
    }
}

/// What a strategy adds to the facts that all share. `None` is "nobody could know".
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    pub trend_aligned: Option<bool>,
    pub breaking: Option<bool>,
    pub sweep_cluster: bool,
    /// Volume above open interest is fresh money, when the strategy says so.
    pub names_fresh_money: bool,
    /// A level break is a breakout, when the strategy says so.
    pub names_breakout: bool,
    pub persistent_buyer: bool,
    pub persistent_notional: Option<f64>,
}

/// Tags and strength. Whether the strength is enough is asked by whoever shows the events.
pub fn score(event: &FlowEvent, setup: Setup, evidence: Evidence, rules: &Rules) -> Decision {
    let vol_oi = event
        .open_interest
        .is_some_and(|oi| event.volume >= 2 * oi.max(1));
    let breaking = evidence.breaking == Some(true);
    let weights = &rules.weights;
    let mut tags = Tags::default();
    let mut sum = 0.0;
    for (tag, given, weight) in [
        (
            Tag::Size,
            event.notional >= rules.mode.min_premium,
            weights.size,
        ),
        (Tag::Sweep, event.is_sweep, weights.sweep),
        (Tag::Aggressive, event.is_aggressive, weights.aggressive),
        (Tag::VolOi, vol_oi, weights.vol_oi),
        (
            Tag::TrendConfirmed,
            evidence.trend_aligned == Some(true),
            weights.trend_confirmed,
        ),
        (Tag::LevelBreak, breaking, weights.level_break),
        (
            Tag::SweepCluster,
            evidence.sweep_cluster,
            weights.sweep_cluster,
        ),
        (Tag::FreshMoney, vol_oi && evidence.names_fresh_money, 0.0),
        (Tag::Breakout, breaking && evidence.names_breakout, 0.0),
        (Tag::PersistentBuyer, evidence.persistent_buyer, 0.0),
    ] {
        tags.insert_if(tag, given);
        sum += if given { weight } else { 0.0 };
    }
    Decision {
        direction: setup.direction,
        strength: sum.min(MAX_STRENGTH),
        tags,
        persistent_notional: evidence.persistent_notional,
        trend_is_missing: evidence.trend_aligned.is_none(),
        level_is_missing: evidence.breaking.is_none(),
    }
}

/// Whether `trend` points in `direction`; `None` when it is unknown.
pub fn agrees(trend: Option<Trend>, direction: Direction) -> Option<bool> {
    let wanted = match direction {
        Direction::Bullish => Trend::Up,
        Direction::Bearish => Trend::Down,
    };
    Some(trend? == wanted)
}

/// Whether a level is breaking in `direction`; `None` when no level is known.
pub fn breaking(ctx: &Context, direction: Direction) -> Option<bool> {
    match direction {
        Direction::Bullish => ctx.breaking_up,
        Direction::Bearish => ctx.breaking_down,
    }
}

/// Both hold. One that is known to fail settles it, whatever the other.
pub fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
