//! Strategies: from one event, its context and a mode's config to a signal, or to the gate that
//! stopped it.
//!
//! A strategy is a pure function of those three and of its own memory. It knows no file, no socket,
//! no clock and no randomness, so the backtest, the live stream and a cluster call the same one.
//! A fourth strategy is one new file and one line in [`new`].

mod day_trade;
pub mod gates;
mod memory;
mod scalp;
mod scoring;
mod signal;
mod swing;

pub use gates::{Gate, Setup};
pub use scoring::{Evidence, Tag, Tags, agrees, breaking};
pub use signal::Signal;

use serde::{Deserialize, Serialize};

use crate::config::{DirectionRule, MissingContext, ModeConfig, Weights};
use crate::context::Context;
use crate::flow::{CallPut, FlowEvent, Side, text_enum};

text_enum! {
    /// The three strategies, and the kinds of the signals they give.
    Kind { Scalp = "SCALP", DayTrade = "DAY_TRADE", Swing = "SWING" }
}

text_enum! {
    Direction { Bullish = "BULLISH", Bearish = "BEARISH" }
}

impl Direction {
    /// +1 for bullish, −1 for bearish: the sign of a gain when the price rises.
    pub const fn sign(self) -> f64 {
        match self {
            Direction::Bullish => 1.0,
            Direction::Bearish => -1.0,
        }
    }

    /// The direction of an event: by side (an unknown side counts as bought) or by type alone.
    pub fn of(event: &FlowEvent, rule: DirectionRule) -> Direction {
        let bought = rule == DirectionRule::ByType || event.side != Side::Sell;
        match (event.call_put, bought) {
            (CallPut::Call, true) | (CallPut::Put, false) => Direction::Bullish,
            (CallPut::Put, true) | (CallPut::Call, false) => Direction::Bearish,
        }
    }
}

/// What a strategy may read besides the event and its context.
#[derive(Clone, Debug)]
pub struct Rules {
    pub mode: ModeConfig,
    pub weights: Weights,
    pub direction: DirectionRule,
    pub missing_context: MissingContext,
}

/// What a strategy decided, before the parts that every signal shares are added.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub direction: Direction,
    pub strength: f64,
    pub tags: Tags,
    /// Swing only: the chain memory of this contract and direction, dollars.
    pub persistent_notional: Option<f64>,
    /// The tag for the trend could not be given because nobody could know it.
    pub trend_is_missing: bool,
    /// Likewise the tag for a level break.
    pub level_is_missing: bool,
}

/// A decision, or the gate that stopped the event.
pub type Verdict = Result<Decision, Gate>;

/// One strategy for one ticker; `self` is its memory and nothing else.
pub trait Strategy: Send {
    fn evaluate(&mut self, event: &FlowEvent, ctx: &Context, rules: &Rules) -> Verdict;
}

/// The strategy behind `kind`, with an empty memory.
pub fn new(kind: Kind, rules: &Rules) -> Box<dyn Strategy> {
    match kind {
        Kind::Scalp => Box::new(scalp::Scalp),
        Kind::DayTrade => Box::<day_trade::DayTrade>::default(),
        Kind::Swing => Box::new(swing::Swing::new(rules)),
    }
}
