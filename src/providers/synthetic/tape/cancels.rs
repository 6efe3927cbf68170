//! Cancels: which prints of a contract's finished day are taken back, and when.
//!
//! A cancel repeats the exchange, price and size of the print it means, so only prints that are the one
//! of their kind that day are cancelled: there is no doubt which one was meant.

use std::collections::BTreeMap;

use super::contract::Origin;
use super::level::whole_cents;
use super::{MS_NS, TruthEvent};
use crate::flow::{Class, Codes, Print};
use crate::providers::synthetic::random::{Stream, chance, log_uniform};
use crate::time::{SECOND_NS, Ts};

/// Share of small prints that are cancelled: some at once, some minutes later.
const SMALL: f64 = 0.03;
const SMALL_AFTER_SECONDS: (f64, f64) = (0.05, 600.0);
/// Share of the events' prints that are cancelled, once the event has long been known.
const OF_EVENTS: f64 = 0.004;
const EVENT_AFTER_SECONDS: (f64, f64) = (1.0, 1_800.0);

/// The cancels of `prints`, which ascend in time, up to `end`. Those that hit an event are noted in its
/// truth.
pub(super) fn cancels(
    prints: &[(Print, Origin)],
    truth: &mut [TruthEvent],
    end: Ts,
    rng: &mut Stream,
) -> Vec<Print> {
    let kind = |print: &Print| (print.exchange, whole_cents(print.price), print.size);
    let mut alike: BTreeMap<(u16, i64, i64), u32> = BTreeMap::new();
    for (print, _) in prints {
        *alike.entry(kind(print)).or_default() += 1;
    }
    let mut cancels = Vec::new();
    for (place, (print, origin)) in prints.iter().enumerate() {
        let (share, after, since) = match origin {
            Origin::Small => (SMALL, SMALL_AFTER_SECONDS, print.ts),
            Origin::Event(event) => (OF_EVENTS, EVENT_AFTER_SECONDS, truth[*event].ts),
        };
        let is_cancelled = chance(rng, share);
        let seconds = log_uniform(rng, after.0, after.1);
        let wait_ms = (seconds * (SECOND_NS / MS_NS) as f64) as i64;
        let at = since.plus_ns(wait_ms * MS_NS);
        let stands = print.correction == 0 && Class::of(print.conditions).counts;
        if !is_cancelled || !stands || at >= end || alike[&kind(print)] > 1 {
            continue;
        }
        let is_last = prints.get(place + 1).is_none_or(|(next, _)| at < next.ts);
        cancels.push(Print {
            ts: at,
            conditions: Codes::one(if is_last { 203 } else { 201 }),
            ..*print
        });
        if let Origin::Event(event) = origin {
            let event = &mut truth[*event];
            event.cancelled_at = Some(event.cancelled_at.map_or(at, |first| first.min(at)));
            event.cancelled_contracts += print.size;
        }
    }
    cancels
}
