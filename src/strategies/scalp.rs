//! Scalp: flow close to expiry, with the price on its side of the VWAP and the 5-minute trend behind it.

use super::scoring::{self, agrees, both, breaking};
use super::{Direction, Evidence, Rules, Strategy, Verdict, gates};
use crate::context::Context;
use crate::flow::FlowEvent;

/// It remembers nothing.
pub struct Scalp;

impl Strategy for Scalp {
    fn evaluate(&mut self, event: &FlowEvent, ctx: &Context, rules: &Rules) -> Verdict {
        let setup = gates::event_gates(event, ctx, rules)?;
        gates::market_gates(ctx, rules)?;
        let beyond_vwap = match setup.direction {
            Direction::Bullish => ctx.above_vwap(),
            Direction::Bearish => ctx.below_vwap(),
        };
        let evidence = Evidence {
            trend_aligned: both(beyond_vwap, agrees(ctx.trend_5m, setup.direction)),
            breaking: breaking(ctx, setup.direction),
            names_fresh_money: true,
            ..Evidence::default()
        };
        Ok(scoring::score(event, setup, evidence, rules))
    }
}
