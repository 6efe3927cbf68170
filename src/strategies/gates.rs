//! Gates: the questions every mode asks first, in a fixed order. The first that fails is counted.

use std::fmt::Write;

use super::{Direction, Kind, Rules};
use crate::config::MissingContext;
use crate::context::Context;
use crate::flow::{FlowEvent, text_enum};
use serde::{Deserialize, Serialize};

text_enum! {
    /// Why an event gave no signal. A `missing_…` gate needed a value that nobody could know.
    Gate {
        Enabled = "enabled",
        Dte = "dte",
        Premium = "premium",
        Otm = "otm",
        MissingSpot = "missing_spot",
        Rvol = "rvol",
        MissingRvol = "missing_rvol",
        Level = "level",
        MissingLevel = "missing_level",
        Strength = "strength",
        Cooldown = "cooldown",
    }
}

impl Gate {
    /// Whether the event was stopped by what could not be known rather than by what was known.
    pub const fn is_missing_context(self) -> bool {
        matches!(
            self,
            Gate::MissingSpot | Gate::MissingRvol | Gate::MissingLevel
        )
    }
}

/// An event that passed the gates all modes share.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub direction: Direction,
}

/// Enabled, dte, premium: what the event alone can answer.
pub fn event_gates(event: &FlowEvent, ctx: &Context, rules: &Rules) -> Result<Setup, Gate> {
    let mode = &rules.mode;
    if !mode.enabled {
        return Err(Gate::Enabled);
    }
    if ctx.dte < mode.min_dte || ctx.dte > mode.max_dte {
        return Err(Gate::Dte);
    }
    if event.notional < mode.min_premium {
        return Err(Gate::Premium);
    }
    Ok(Setup {
        direction: Direction::of(event, rules.direction),
    })
}

/// Otm, rvol: what needs the market.
pub fn market_gates(ctx: &Context, rules: &Rules) -> Result<(), Gate> {
    let near = ctx.otm_pct.map(|otm_pct| otm_pct <= rules.mode.max_otm_pct);
    require(near, rules, Gate::Otm, Gate::MissingSpot)?;
    if let Some(min_rvol) = rules.mode.min_rvol {
        let busy = ctx.rvol.map(|rvol| rvol >= min_rvol);
        require(busy, rules, Gate::Rvol, Gate::MissingRvol)?;
    }
    Ok(())
}

/// Passes on `Some(true)`; an unknown answer passes or rejects as the config says.
pub fn require(
    answer: Option<bool>,
    rules: &Rules,
    failed: Gate,
    missing: Gate,
) -> Result<(), Gate> {
    match answer {
        Some(true) => Ok(()),
        Some(false) => Err(failed),
        None if rules.missing_context == MissingContext::Pass => Ok(()),
        None => Err(missing),
    }
}

/// The gates a signal passed, each with what it had and what it needed, or that this was unknown.
pub fn passed(
    event: &FlowEvent,
    ctx: &Context,
    rules: &Rules,
    kind: Kind,
    strength: f64,
) -> String {
    let mode = &rules.mode;
    let mut text = String::with_capacity(160);
    let mut write = |part: std::fmt::Arguments| text.write_fmt(part).expect("into a string");
    write(format_args!(
        "dte {} in {}..{}",
        ctx.dte, mode.min_dte, mode.max_dte
    ));
    write(format_args!(
        "; notional {} >= {}",
        event.notional, mode.min_premium
    ));
    match ctx.otm_pct {
        Some(otm_pct) => write(format_args!(
            "; otm_pct {otm_pct:.2} <= {}",
            mode.max_otm_pct
        )),
        None => write(format_args!("; otm_pct unknown")),
    }
    match (mode.min_rvol, ctx.rvol) {
        (Some(min_rvol), Some(rvol)) => write(format_args!("; rvol {rvol:.2} >= {min_rvol}")),
        (Some(_), None) => write(format_args!("; rvol unknown")),
        (None, _) => {}
    }
    if kind == Kind::DayTrade {
        write(format_args!("; level break"));
    }
    write(format_args!(
        "; strength {strength} >= {}",
        mode.min_strength
    ));
    text
}
