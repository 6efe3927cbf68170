//! Prints: from intents, the price path and the chain to finished flow events.
//!
//! An intent looks at the price, finds its contract, sees a quote around the Black-Scholes value and
//! trades at, through or inside it. Every event is one that the aggregation would have finished:
//! its quote tells the side it carries.

use rand::RngExt;
use rand_distr::Exp1;

use super::Event;
use super::chain::{Aim, Chain, Pick, implied_vol};
use super::edge::{Features, Informed, MIN_MINUTES_LEFT};
use super::intent::{Clock, Form, Intent, Moments, Touch};
use super::params::{Listing, Profile};
use super::path::{SessionPath, cents};
use super::pricing::RATE;
use super::random::{Stream, chance};
use super::sessions::Day;
use crate::flow::{CallPut, MULTIPLIER, Side, SideQuality, SideSource, black_scholes};
use crate::time::{SECOND_NS, Ts};

/// How long a listener waits before knowing that an event is complete.
const WINDOW_NS: i64 = SECOND_NS / 4;
const MS_NS: i64 = 1_000_000;
/// With less time than this to the close nobody is informed, and sweeps may look as they like.
const WARY_MS: i64 = MIN_MINUTES_LEFT as i64 * 60_000;
/// Contracts of one print that make a block.
pub(super) const BLOCK_CONTRACTS: i64 = 500;
/// An ordinary order is never larger than this many contracts.
const MOST_CONTRACTS: f64 = 30_000.0;
/// Below this mid an implied volatility says nothing.
const SOLVABLE_MID: f64 = 0.03;

/// One session of one ticker, ready for its prints.
pub(super) struct Floor<'a> {
    pub day: &'a Day,
    pub profile: &'a Profile,
    pub path: &'a SessionPath,
    pub chain: &'a Chain,
    pub informed: &'a [Informed],
    pub annual_vol: f64,
    pub min_notional: f64,
}

/// What a session's prints came to.
pub(super) struct Printed {
    pub events: Vec<Event>,
    pub below_floor: u64,
    /// Contracts traded, in the order of the listing.
    pub volumes: Vec<i64>,
}

/// A moment of the session and the price at it.
#[derive(Clone, Copy)]
struct Moment {
    ts: Ts,
    spot: f64,
    is_extended: bool,
}

/// The quote an event met.
#[derive(Clone, Copy)]
struct Market {
    bid: f64,
    ask: f64,
    tick: f64,
}

impl Floor<'_> {
    /// Prints a session of about `events` events. The two streams are kept apart: `intents` draws the
    /// same numbers whatever the price does.
    pub(super) fn print(
        &self,
        events: f64,
        contracts: usize,
        intents: &mut Stream,
        fills: &mut Stream,
    ) -> Printed {
        let ordinary = (events - self.informed.len() as f64).max(0.0);
        let clock = Clock::new(self.path.regular.len(), ordinary, self.path.halt.clone());
        let events = Vec::with_capacity((events * 1.2) as usize + 16);
        let mut printed = Printed {
            events,
            below_floor: 0,
            volumes: vec![0; contracts],
        };
        let mut moments = Moments::new();
        let today = self.day.session.date;
        let (mut last, mut seq) = (Ts::MIN, 0);
        for minute in clock.minutes() {
            clock.draw(minute, self.informed, &mut moments, intents);
            for &(offset_ms, informed) in &moments {
                let moment = self.moment(minute, offset_ms);
                let intent = match informed {
                    Some(position) => {
                        Intent::informed(&self.informed[position], self.chain, today, intents)
                    }
                    None => Intent::ordinary(intents, self.milliseconds_left(moment.ts) < WARY_MS),
                };
                seq = if moment.ts == last { seq + 1 } else { 0 };
                last = moment.ts;
                let event = self.event(intent, &moment, seq, fills);
                self.record(event, &mut printed, fills);
            }
        }
        printed
    }

    fn milliseconds_left(&self, ts: Ts) -> i64 {
        self.day.session.close.ns_since(ts) / MS_NS
    }

    fn moment(&self, minute: usize, offset_ms: u32) -> Moment {
        let regular = &self.path.regular;
        let piece = regular
            .get(minute)
            .unwrap_or_else(|| &self.path.post[minute - regular.len()]);
        let since_open = minute as i64 * 60_000 + i64::from(offset_ms);
        Moment {
            ts: self.day.session.open.plus_ns(since_open * MS_NS),
            spot: cents(piece.price_at(f64::from(offset_ms) / 60_000.0)),
            is_extended: minute >= regular.len(),
        }
    }

    fn record(&self, mut event: Event, printed: &mut Printed, rng: &mut Stream) {
        // Between two events of a contract there were prints too small to be kept.
        let unseen = (9.0 * rng.sample::<f64, _>(Exp1)) as i64;
        let volume = &mut printed.volumes[event.contract as usize];
        *volume += event.contracts + unseen;
        event.volume = *volume;
        if event.notional < self.min_notional {
            printed.below_floor += 1;
        } else {
            printed.events.push(event);
        }
    }

    /// Fills an intent. An ordinary event that came out with all features of an informed one is
    /// filled again as a single print, so that the features keep their meaning.
    fn event(&self, intent: Intent, moment: &Moment, seq: u32, rng: &mut Stream) -> Event {
        let (pick, value) = self.contract(&intent, moment);
        let event = self.fill(intent, moment, &pick, value, rng);
        let features = Features {
            is_sweep: event.is_sweep,
            is_aggressive: event.is_aggressive,
            is_multi_leg: event.is_multi_leg,
            notional: event.notional,
            dte: pick.dte,
            milliseconds_left: self.milliseconds_left(moment.ts),
        };
        let event = match features.are_informed() && !intent.is_informed {
            true => self.fill(intent.made_single(), moment, &pick, value, rng),
            false => event,
        };
        debug_assert!(
            features.are_informed() || !intent.is_informed,
            "an informed event shows all its features"
        );
        Event { seq, ..event }
    }

    /// The contract an intent chooses and what it is worth; one near the money when the choice is
    /// worth next to nothing.
    fn contract(&self, intent: &Intent, moment: &Moment) -> (Pick, Worth) {
        let mut aim = Aim {
            date: self.day.session.date,
            ts: moment.ts,
            spot: moment.spot,
            annual_vol: self.annual_vol,
            call_put: intent.call_put,
            dte: intent.dte,
            deviations: intent.deviations,
        };
        let pick = self.chain.pick(&aim);
        let worth = self.worth(intent.call_put, moment.spot, &pick);
        if worth.mid >= 0.06 {
            return (pick, worth);
        }
        aim.deviations = -0.3;
        let pick = self.chain.pick(&aim);
        (pick, self.worth(intent.call_put, moment.spot, &pick))
    }

    fn worth(&self, call_put: CallPut, spot: f64, pick: &Pick) -> Worth {
        let iv = implied_vol(self.annual_vol, spot, pick);
        let value = black_scholes(call_put, spot, pick.strike, pick.years, iv, RATE);
        Worth {
            mid: value.price,
            delta: value.delta,
            iv,
        }
    }

    fn fill(
        &self,
        intent: Intent,
        moment: &Moment,
        pick: &Pick,
        worth: Worth,
        rng: &mut Stream,
    ) -> Event {
        let market = self.market(worth.mid, intent.touch, rng);
        let wanted = intent.notional / (MULTIPLIER * market.touched(intent.side));
        let contracts = match intent.is_informed {
            // Never rounded down: its dollars are one of its features.
            true => wanted.ceil() as i64,
            false => contracts(wanted, intent.form, rng),
        };
        let contracts = contracts.max(i64::from(intent.exchanges));
        let price = market.price(&intent, contracts, rng);
        let is_aggressive = matches!(intent.touch, Touch::At | Touch::Through);
        let (side_source, side_quality) = quality(&intent, is_aggressive);
        let is_solvable = worth.mid >= SOLVABLE_MID;
        let to_four = |x: f64| Some((x * 1e4).round() / 1e4).filter(|_| is_solvable);
        Event {
            ts: moment.ts,
            available_at: moment.ts.plus_ns(WINDOW_NS),
            seq: 0,
            contract: pick.index as u32,
            price,
            contracts,
            notional: price * contracts as f64 * MULTIPLIER,
            bid: market.bid,
            ask: market.ask,
            side: intent.side,
            side_source,
            side_quality,
            is_aggressive,
            is_sweep: intent.is_sweep(),
            has_iso: matches!(intent.form, Form::Sweep { is_iso: true }),
            is_block: contracts >= BLOCK_CONTRACTS && intent.prints == 1 && !intent.is_sweep(),
            is_multi_leg: intent.form == Form::MultiLeg,
            is_extended: moment.is_extended,
            prints: intent.prints.min(contracts as u32).max(1),
            exchanges: intent.exchanges,
            volume: 0,
            iv: to_four(worth.iv),
            delta: to_four(worth.delta),
            underlying_price: Some(moment.spot).filter(|_| !chance(rng, 0.01)),
            condition: intent.condition,
        }
    }

    /// A quote around `mid` on the contract's grid. Prices inside it need room for a cent on either
    /// side of the middle.
    fn market(&self, mid: f64, touch: Touch, rng: &mut Stream) -> Market {
        let in_pennies = self.profile.listing == Listing::Daily
            || (mid < 3.0 && self.profile.listing == Listing::MondayWednesdayFriday);
        let tick = if in_pennies { 0.01 } else { 0.05 };
        let least = if matches!(touch, Touch::Inside | Touch::Cross) {
            0.04
        } else {
            tick
        };
        let width = (mid * self.profile.spread * (0.6 + 0.8 * rng.random::<f64>())).max(least);
        // Ticks are counted whole, so that the same quote is always the same number.
        let per_dollar = (1.0 / tick).round();
        let bid = ((mid - width / 2.0) * per_dollar).round().max(1.0);
        let ask = bid + (width * per_dollar).round().max(1.0);
        Market {
            bid: bid / per_dollar,
            ask: ask / per_dollar,
            tick,
        }
    }
}

#[derive(Clone, Copy)]
struct Worth {
    mid: f64,
    delta: f64,
    iv: f64,
}

impl Market {
    fn touched(&self, side: Side) -> f64 {
        match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
            Side::Unknown => (self.bid + self.ask) / 2.0,
        }
    }

    /// The price an event gets; size-weighted where part of it walked one tick through the quote.
    fn price(&self, intent: &Intent, contracts: i64, rng: &mut Stream) -> f64 {
        let u = rng.random::<f64>();
        match (intent.touch, intent.side) {
            (Touch::Cross, _) | (_, Side::Unknown) => cents((self.bid + self.ask) / 2.0),
            (Touch::At, side) => self.touched(side),
            (Touch::Through, side) => {
                // At most half of it, and never to a price of zero or below.
                let part = if intent.prints == 1 {
                    1.0
                } else {
                    (u * 0.5 * contracts as f64).floor() / contracts as f64
                };
                match side {
                    Side::Buy => self.ask + self.tick * part,
                    _ if self.bid > 1.5 * self.tick => self.bid - self.tick * part,
                    _ => self.bid,
                }
            }
            (Touch::Inside, side) => {
                let cents_wide = ((self.ask - self.bid) * 100.0).round();
                // The first whole cent beyond the middle, and at random up to one short of the far quote.
                let nearest = (cents_wide / 2.0).floor() + 1.0;
                let steps = nearest + (u * (cents_wide - nearest)).floor();
                let inside = if side == Side::Buy {
                    self.bid * 100.0 + steps
                } else {
                    self.ask * 100.0 - steps
                };
                inside.round() / 100.0
            }
        }
    }
}

/// People like round sizes, except where a sweep takes what it finds.
fn contracts(wanted: f64, form: Form, rng: &mut Stream) -> i64 {
    let wanted = wanted.clamp(1.0, MOST_CONTRACTS);
    let is_rounded = chance(rng, 0.5) && !matches!(form, Form::Sweep { .. });
    let step = match wanted {
        w if !is_rounded || w < 20.0 => 1.0,
        w if w < 100.0 => 5.0,
        w if w < 500.0 => 25.0,
        _ => 100.0,
    };
    ((wanted / step).round() * step) as i64
}

/// How well the quote knows the side: firmly at or through it, weakly inside it or in an auction.
fn quality(intent: &Intent, is_aggressive: bool) -> (SideSource, SideQuality) {
    match intent.condition {
        _ if intent.side == Side::Unknown => (SideSource::None, SideQuality::None),
        227 | 228 | 233 | 238 => (SideSource::Quote, SideQuality::Weak),
        _ if is_aggressive => (SideSource::Quote, SideQuality::Firm),
        _ => (SideSource::Quote, SideQuality::Weak),
    }
}
