//! Day trade: flow that arrives as the price leaves a level, with the 15-minute trend behind it.

use super::memory::RecentSweeps;
use super::scoring::{self, agrees, both, breaking};
use super::{Direction, Evidence, Gate, Rules, Strategy, Verdict, gates};
use crate::context::Context;
use crate::flow::FlowEvent;

/// It remembers the sweeps of the last quarter of an hour.
#[derive(Default)]
pub struct DayTrade {
    sweeps: RecentSweeps,
}

impl Strategy for DayTrade {
    fn evaluate(&mut self, event: &FlowEvent, ctx: &Context, rules: &Rules) -> Verdict {
        // Every sweep counts towards a cluster, also one that no gate lets through.
        self.sweeps
            .see(event, Direction::of(event, rules.direction));
        let setup = gates::event_gates(event, ctx, rules)?;
        gates::market_gates(ctx, rules)?;
        let breaking = breaking(ctx, setup.direction);
        gates::require(breaking, rules, Gate::Level, Gate::MissingLevel)?;
        let evidence = Evidence {
            trend_aligned: both(agrees(ctx.trend_15m, setup.direction), breaking),
            breaking,
            sweep_cluster: self.sweeps.clusters_at(event, setup.direction),
            names_breakout: true,
            ..Evidence::default()
        };
        Ok(scoring::score(event, setup, evidence, rules))
    }
}
