//! Swing: flow that keeps coming back to a contract over sessions, with the daily trend behind it.

use super::memory::ChainMemory;
use super::scoring::{self, agrees, breaking};
use super::{Evidence, Rules, Strategy, Verdict, gates};
use crate::config::MemoryConfig;
use crate::context::Context;
use crate::flow::FlowEvent;

/// It remembers each contract's notional by direction over the last sessions.
pub struct Swing {
    chains: ChainMemory,
    persistent_multiple: f64,
}

impl Swing {
    pub fn new(rules: &Rules) -> Swing {
        let none = MemoryConfig {
            memory_sessions: 0,
            persistent_multiple: f64::INFINITY,
        };
        let memory = rules.mode.memory.unwrap_or(none);
        Swing {
            chains: ChainMemory::new(memory),
            persistent_multiple: memory.persistent_multiple,
        }
    }
}

impl Strategy for Swing {
    fn evaluate(&mut self, event: &FlowEvent, ctx: &Context, rules: &Rules) -> Verdict {
        let setup = gates::event_gates(event, ctx, rules)?;
        // An event counts towards its chain once size and expiry fit, wherever the market stands.
        let persistent_notional = self.chains.add(event, ctx.session, setup.direction);
        gates::market_gates(ctx, rules)?;
        let evidence = Evidence {
            trend_aligned: agrees(ctx.trend_daily, setup.direction),
            breaking: breaking(ctx, setup.direction),
            persistent_buyer: persistent_notional
                >= self.persistent_multiple * rules.mode.min_premium,
            persistent_notional: Some(persistent_notional),
            ..Evidence::default()
        };
        Ok(scoring::score(event, setup, evidence, rules))
    }
}
