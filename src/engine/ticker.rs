//! One ticker, one event at a time: the only place where an event becomes a signal.

use super::counts::Counts;
use crate::config::Config;
use crate::context::Context;
use crate::flow::FlowEvent;
use crate::strategies::{self, Decision, Direction, Gate, Kind, Rules, Signal, Strategy};
use crate::time::Ts;

/// What came of the events shown so far.
#[derive(Default)]
pub struct Outcomes {
    pub signals: Vec<Signal>,
    pub counts: Counts,
}

/// All that one ticker remembers from one event to the next.
pub struct TickerState {
    experiment_id: String,
    include_multi_leg: bool,
    min_notional: f64,
    modes: Vec<Mode>,
}

struct Mode {
    kind: Kind,
    rules: Rules,
    strategy: Box<dyn Strategy>,
    /// By direction: session and time of the last signal.
    last_signal: [Option<(u32, Ts)>; Direction::ALL.len()],
}

impl TickerState {
    pub fn new(config: &Config, ticker: &str) -> TickerState {
        let mode = |kind: &Kind| {
            let rules = Rules {
                mode: config.mode(ticker, *kind),
                weights: config.weights.clone(),
                direction: config.general.direction,
                missing_context: config.general.missing_context,
            };
            Mode {
                kind: *kind,
                strategy: strategies::new(*kind, &rules),
                rules,
                last_signal: Default::default(),
            }
        };
        TickerState {
            experiment_id: config.experiment_id.clone(),
            include_multi_leg: config.general.include_multi_leg,
            min_notional: config.flow.min_notional,
            modes: Kind::ALL.iter().map(mode).collect(),
        }
    }

    /// Shows one event to every strategy.
    pub fn step(&mut self, event: &FlowEvent, ctx: &Context, out: &mut Outcomes) {
        out.counts.events_read += 1;
        if let Some(reason) = self.unfit(event, ctx, &mut out.counts) {
            *reason += 1;
            return;
        }
        out.counts.candidates += 1;
        for mode in &mut self.modes {
            let verdict = mode.strategy.evaluate(event, ctx, &mode.rules);
            match verdict.and_then(|decision| mode.emit(decision, event, ctx, &mut out.counts)) {
                Ok(decision) => {
                    out.counts.signal(mode.kind);
                    out.signals.push(Signal::new(
                        &self.experiment_id,
                        mode.kind,
                        event,
                        ctx,
                        &mode.rules,
                        &decision,
                    ));
                }
                Err(gate) => out.counts.rejected(mode.kind, gate),
            }
        }
    }

    /// The counter of the reason for which `event` is not shown to any strategy, if there is one.
    fn unfit<'c>(
        &self,
        event: &FlowEvent,
        ctx: &Context,
        counts: &'c mut Counts,
    ) -> Option<&'c mut u64> {
        if ctx.dte < 0 {
            Some(&mut counts.expired_contract)
        } else if !event.underlying_price.is_none_or(is_amount) || !is_amount(event.notional) {
            Some(&mut counts.bad_price)
        } else if event.notional < self.min_notional {
            Some(&mut counts.below_floor)
        } else if event.is_multi_leg && !self.include_multi_leg {
            Some(&mut counts.multi_leg)
        } else {
            None
        }
    }
}

/// Dollars that can be: NaN is none, and neither is zero.
fn is_amount(dollars: f64) -> bool {
    dollars > 0.0
}

impl Mode {
    /// The last questions, which all modes share: strong enough, and not a repeat.
    fn emit(
        &mut self,
        decision: Decision,
        event: &FlowEvent,
        ctx: &Context,
        counts: &mut Counts,
    ) -> Result<Decision, Gate> {
        counts.missing(
            self.kind,
            decision.trend_is_missing,
            decision.level_is_missing,
        );
        if decision.strength < self.rules.mode.min_strength {
            return Err(Gate::Strength);
        }
        let last = &mut self.last_signal[decision.direction as usize];
        let cooldown = i64::from(self.rules.mode.cooldown_minutes);
        if let Some((session, at)) = *last
            && session == ctx.arrival_session
            && event.available_at < at.plus_minutes(cooldown)
        {
            return Err(Gate::Cooldown);
        }
        *last = Some((ctx.arrival_session, event.available_at));
        Ok(decision)
    }
}
