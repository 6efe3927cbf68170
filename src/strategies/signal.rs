//! A signal as it is recorded: the decision, the event it was made on and the context it was made in.

use std::hash::Hasher;

use chrono::NaiveDate;
use xxhash_rust::xxh3::Xxh3;

use super::{Decision, Direction, Kind, Rules, Tags, gates};
use crate::context::Context;
use crate::flow::{CallPut, FlowDetail, FlowEvent, Side};
use crate::time::Ts;

/// One row of the signals table. `detail` holds the event's columns that no decision looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    pub signal_id: u64,
    pub kind: Kind,
    pub direction: Direction,
    pub strength: f64,
    pub tags: Tags,
    /// The gates this event passed, each with what it had and what it needed.
    pub rules: String,
    pub persistent_notional: Option<f64>,
    pub ts: Ts,
    pub available_at: Ts,
    pub seq: u32,
    pub ticker: String,
    pub contract: String,
    pub call_put: CallPut,
    pub strike: f64,
    pub expiry: NaiveDate,
    pub notional: f64,
    pub side: Side,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub is_multi_leg: bool,
    pub volume: i64,
    pub open_interest: Option<i64>,
    pub underlying_price: Option<f64>,
    pub detail: Option<FlowDetail>,
    pub context: Context,
}

impl Signal {
    /// Records `decision`; the event's other half is filled in by whoever has it.
    pub fn new(
        experiment_id: &str,
        kind: Kind,
        event: &FlowEvent,
        ctx: &Context,
        rules: &Rules,
        decision: &Decision,
    ) -> Signal {
        Signal {
            signal_id: signal_id(experiment_id, kind, event),
            kind,
            direction: decision.direction,
            strength: decision.strength,
            tags: decision.tags,
            rules: gates::passed(event, ctx, rules, kind, decision.strength),
            persistent_notional: decision.persistent_notional,
            ts: event.ts,
            available_at: event.available_at,
            seq: event.seq,
            ticker: event.ticker.to_owned(),
            contract: event.contract.to_owned(),
            call_put: event.call_put,
            strike: event.strike,
            expiry: event.expiry,
            notional: event.notional,
            side: event.side,
            is_aggressive: event.is_aggressive,
            is_sweep: event.is_sweep,
            is_multi_leg: event.is_multi_leg,
            volume: event.volume,
            open_interest: event.open_interest,
            underlying_price: event.underlying_price,
            detail: None,
            context: *ctx,
        }
    }
}

/// A stable name: the same event gives the same signal the same id in every run of an experiment.
fn signal_id(experiment_id: &str, kind: Kind, event: &FlowEvent) -> u64 {
    let mut hash = Xxh3::new();
    for text in [experiment_id, kind.as_str(), event.contract] {
        hash.update(text.as_bytes());
        // A separator, so that no two triples spell the same bytes.
        hash.write_u8(0);
    }
    hash.update(&event.ts.ns().to_le_bytes());
    hash.update(&event.seq.to_le_bytes());
    hash.digest()
}
