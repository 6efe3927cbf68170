//! Merging: one contract's prints in the order of the tape, in; flow events, out.
//!
//! Prints of one side, each within the window of the one before, are one event. A listener knows that
//! it is complete when the window has passed after the last of them:
//!
//! ```text
//!   A 10 ask      B 20 ask                                C 5 ask
//!   .000 ───────── .200 ──────────────────── .450 ───────── .500 ────
//!   ╰── 200 ms ────╯╰──────── window ────────╯              a new event
//!                   ts                       available_at
//! ```
//!
//! A cancel acts from its own time on. Before `available_at` it takes its print out of the event; at
//! that instant or later the event stands as it was known, and carries the cancel as a note. The
//! decision falls when the event is complete, so a chain that still grows may yet overtake a cancel.

use super::volume::Volume;
use super::{
    Aggressor, Class, FlowCounts, Print, Quote, Rules, Side, SideQuality, SideSource, Sight,
    TickTest, aggressor,
};
use crate::flow::MULTIPLIER;
use crate::time::Ts;

/// A finished event, as far as the tape of its contract tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// Time of the last print that stands.
    pub ts: Ts,
    /// The last print received, cancelled or not, and the window after it.
    pub available_at: Ts,
    /// Rank of the last standing print among the ticker's prints of the same `ts`.
    pub seq: u32,
    /// Size-weighted average.
    pub price: f64,
    pub contracts: i64,
    /// Dollars.
    pub notional: f64,
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    pub side: Side,
    pub side_source: SideSource,
    pub side_quality: SideQuality,
    pub is_aggressive: bool,
    pub is_sweep: bool,
    pub has_iso: bool,
    pub is_block: bool,
    pub is_multi_leg: bool,
    pub is_extended: bool,
    pub prints: u32,
    pub exchanges: u32,
    /// The contract's volume up to and including this event, as known at `available_at`.
    pub volume: i64,
    /// Distinct codes of the prints that stand.
    pub conditions: Vec<i16>,
    pub cancelled_at: Option<Ts>,
    pub cancelled_contracts: i64,
    /// Place of the last standing print among all that the contract's tape was given.
    pub last_print: u32,
}

/// What the tape of a contract tells next.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Event(Merged),
    /// An event that is out already lost some of its contracts.
    Cancelled {
        ts: Ts,
        seq: u32,
        at: Ts,
        contracts: i64,
    },
}

/// One contract's day as it unfolds.
#[derive(Debug, Default)]
pub struct ContractTape {
    /// Every print received that a cancel could mean.
    received: Vec<Received>,
    /// Chains that may still grow, in the order they began.
    open: Vec<Chain>,
    /// Key of each event that is out, and whether it reached the floor.
    out: Vec<Option<(Ts, u32)>>,
    tick: TickTest,
    volume: Volume,
    /// Emptied chains, kept for their allocation.
    spare: Vec<Vec<Member>>,
    pub counts: FlowCounts,
}

/// A print that was received, as a later cancel looks for it.
#[derive(Clone, Copy, Debug)]
struct Received {
    price: f64,
    size: i64,
    exchange: u16,
    counts: bool,
    stands: bool,
    place: Place,
}

/// Where a print went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Into no event.
    None,
    /// Into a chain that is open.
    Open,
    /// Into the event of this number.
    Event(u32),
}

#[derive(Debug)]
struct Chain {
    key: ChainKey,
    last_received: Ts,
    members: Vec<Member>,
}

/// What prints must share to be one event. A cross shares with nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChainKey {
    side: Side,
    is_multi_leg: bool,
    is_cross: bool,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    print: Print,
    class: Class,
    seq: u32,
    /// Its number among the contract's prints that a cancel could mean.
    number: u32,
    /// Its place among all prints the tape was given.
    place: u32,
    sided: Aggressor,
    quote: Option<Quote>,
    /// The contract's volume, this print included.
    volume: i64,
    cancelled_at: Option<Ts>,
    is_cancelled_later: bool,
}

impl ContractTape {
    /// Takes the next print, which is not earlier than the one before. `seq` is its rank among the
    /// ticker's prints of the same time. What became known meanwhile is appended to `changes`.
    pub fn push(
        &mut self,
        print: &Print,
        seq: u32,
        sight: &Sight,
        rules: &Rules,
        changes: &mut Vec<Change>,
    ) {
        self.advance(print.ts, rules, changes);
        self.counts.read += 1;
        let class = Class::of(print.conditions);
        self.counts.condition_unknown += u64::from(class.is_unknown);
        if print.correction != 0 {
            self.counts.corrected += 1;
            return;
        }
        if class.is_cancel {
            return self.cancel(print, changes);
        }
        let number = self.received.len() as u32;
        if class.counts {
            self.volume.add(print.size);
        }
        self.received.push(Received {
            price: print.price,
            size: print.size,
            exchange: print.exchange,
            counts: class.counts,
            stands: true,
            place: Place::None,
        });
        if class.is_late {
            self.counts.late += 1;
        } else if class.is_compression {
            self.counts.compressions += 1;
        } else {
            let tick = self.tick.push(print.price);
            let member = Member {
                print: *print,
                class,
                seq,
                number,
                place: (self.counts.read - 1) as u32,
                sided: sided(print, class, sight, tick),
                quote: sight.quote,
                volume: sight.volume.unwrap_or(self.volume.now()),
                is_cancelled_later: sight.is_cancelled_later,
                cancelled_at: None,
            };
            self.received[number as usize].place = Place::Open;
            self.join(member);
        }
    }

    /// Every event that is complete before `now`; at its `available_at` a print may still join.
    pub fn advance(&mut self, now: Ts, rules: &Rules, changes: &mut Vec<Change>) {
        let mut index = 0;
        while let Some(chain) = self.open.get(index) {
            if chain.last_received.plus_ns(rules.window_ns()) < now {
                let chain = self.open.remove(index);
                self.close(chain, rules, changes);
            } else {
                index += 1;
            }
        }
    }

    /// The day is over: everything is complete.
    pub fn finish(&mut self, rules: &Rules, changes: &mut Vec<Change>) {
        self.advance(Ts::MAX, rules, changes);
    }

    /// When the first event that is not complete yet may be: it is told when time has gone beyond.
    pub fn next_complete(&self, rules: &Rules) -> Option<Ts> {
        let complete = |chain: &Chain| chain.last_received.plus_ns(rules.window_ns());
        self.open.iter().map(complete).min()
    }

    /// Whether some event is not complete yet.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Forgets the contract and keeps the room it took.
    pub fn clear(&mut self) {
        debug_assert!(self.open.is_empty(), "a day is finished before the next");
        self.received.clear();
        self.out.clear();
        self.tick = TickTest::default();
        self.volume = Volume::default();
        self.counts = FlowCounts::default();
    }

    fn join(&mut self, member: Member) {
        let key = ChainKey {
            side: member.sided.side,
            is_multi_leg: member.class.is_multi_leg,
            is_cross: member.class.is_cross,
        };
        let ts = member.print.ts;
        // Whatever is still open is within the window.
        let chain = self.open.iter_mut().find(|chain| chain.key == key);
        if let Some(chain) = chain.filter(|_| !key.is_cross) {
            chain.members.push(member);
            chain.last_received = ts;
            return;
        }
        let mut members = self.spare.pop().unwrap_or_default();
        members.push(member);
        self.open.push(Chain {
            key,
            last_received: ts,
            members,
        });
    }

    fn cancel(&mut self, print: &Print, changes: &mut Vec<Change>) {
        self.counts.cancels += 1;
        let is_meant = |other: &Received| {
            other.stands
                && other.exchange == print.exchange
                && other.price == print.price
                && other.size == print.size
        };
        let Some(number) = self.received.iter().rposition(is_meant) else {
            self.counts.unmatched_cancels += 1;
            return;
        };
        let meant = &mut self.received[number];
        meant.stands = false;
        if meant.counts {
            let seen = self.received.len() as u32;
            let size = print.size;
            self.volume.cancel(number as u32, size, print.ts, seen);
        }
        match self.received[number].place {
            Place::None => {}
            Place::Open => {
                let members = self.open.iter_mut().flat_map(|chain| &mut chain.members);
                let member = members.into_iter().find(|m| m.number == number as u32);
                member
                    .expect("a print is open while its chain is")
                    .cancelled_at = Some(print.ts);
            }
            Place::Event(event) => {
                if let Some((ts, seq)) = self.out[event as usize] {
                    changes.push(Change::Cancelled {
                        ts,
                        seq,
                        at: print.ts,
                        contracts: print.size,
                    });
                }
            }
        }
    }

    fn close(&mut self, mut chain: Chain, rules: &Rules, changes: &mut Vec<Change>) {
        let available_at = chain.last_received.plus_ns(rules.window_ns());
        let event = Place::Event(self.out.len() as u32);
        for member in &chain.members {
            self.received[member.number as usize].place = event;
        }
        let was = chain.members.len();
        // At equality the event stands.
        let stands = |m: &Member| m.cancelled_at.is_none_or(|at| at >= available_at);
        chain.members.retain(stands);
        self.counts.cancelled_in_time += (was - chain.members.len()) as u64;
        self.counts.merged += chain.members.len() as u64;
        let kept = merged(&chain.members, available_at, &self.volume, rules);
        let kept = kept.inspect(|_| self.counts.events += 1);
        let kept = kept.filter(|event| {
            let is_kept = event.notional >= rules.min_notional;
            self.counts.below_floor += u64::from(!is_kept);
            is_kept
        });
        self.out
            .push(kept.as_ref().map(|event| (event.ts, event.seq)));
        changes.extend(kept.map(Change::Event));
        chain.members.clear();
        self.spare.push(chain.members);
    }
}

/// The side of one print, no better known than its kind allows.
fn sided(print: &Print, class: Class, sight: &Sight, tick: Side) -> Aggressor {
    if class.is_cross {
        // Both sides were found before the print: there was no aggressor.
        return Aggressor {
            side: Side::Unknown,
            source: SideSource::None,
            quality: SideQuality::None,
            is_aggressive: false,
        };
    }
    let mut sided = aggressor(print.price, sight.quote, !sight.is_ambiguous, tick);
    match sight.side {
        Some(side) if side == sided.side && sided.source == SideSource::Quote => {
            sided.source = SideSource::Provider;
        }
        Some(Side::Unknown) | None => {}
        // The provider knows something that the quote it shows does not tell.
        Some(side) => {
            sided = Aggressor {
                side,
                source: SideSource::Provider,
                quality: SideQuality::Weak,
                is_aggressive: false,
            };
        }
    }
    if (class.is_auction || class.is_floor) && sided.quality == SideQuality::Firm {
        sided.quality = SideQuality::Weak;
    }
    sided
}

/// The event of the prints that stand; `None` when none does.
fn merged(standing: &[Member], available_at: Ts, volume: &Volume, rules: &Rules) -> Option<Merged> {
    let (first, last) = (standing.first()?, standing.last()?);
    let mut contracts = 0;
    let (mut paid, mut aggressive, mut largest) = (0.0, 0, 0);
    let mut exchanges = Vec::new();
    let mut conditions = Vec::new();
    let (mut quality, mut source) = (SideQuality::Firm, first.sided.source);
    let (mut has_iso, mut is_extended) = (false, !rules.is_regular(last.print.ts));
    let (mut cancelled_at, mut cancelled_contracts) = (None::<Ts>, 0);
    for member in standing {
        let Member { print, sided, .. } = member;
        contracts += print.size;
        paid += print.price * print.size as f64;
        largest = largest.max(print.size);
        if sided.is_aggressive {
            aggressive += print.size;
        }
        // The enum is in order of quality, best first.
        quality = quality.max(sided.quality);
        if sided.source == SideSource::Tick {
            source = SideSource::Tick;
        }
        has_iso |= member.class.is_iso;
        is_extended |= member.class.is_extended;
        if !exchanges.contains(&print.exchange) {
            exchanges.push(print.exchange);
        }
        for code in print.conditions.iter() {
            if !conditions.contains(&code) {
                conditions.push(code);
            }
        }
        if let Some(at) = member.cancelled_at {
            cancelled_at = Some(cancelled_at.map_or(at, |first| first.min(at)));
        }
        if member.cancelled_at.is_some() || member.is_cancelled_later {
            cancelled_contracts += print.size;
        }
    }
    let is_sweep = has_iso || exchanges.len() as u32 >= rules.sweep_min_exchanges;
    let price = match standing {
        [only] => only.print.price,
        _ => paid / contracts as f64,
    };
    let shown = |side: fn(&Quote) -> f64| first.quote.as_ref().map(side).filter(|p| *p > 0.0);
    Some(Merged {
        ts: last.print.ts,
        available_at,
        seq: last.seq,
        price,
        contracts,
        notional: whole_hundredths_of_a_cent(paid * MULTIPLIER),
        bid: shown(|quote| quote.bid),
        ask: shown(|quote| quote.ask),
        side: first.sided.side,
        side_source: source,
        side_quality: quality,
        is_aggressive: 2 * aggressive >= contracts,
        is_sweep,
        has_iso,
        is_block: largest >= rules.block_min_contracts && !is_sweep,
        is_multi_leg: first.class.is_multi_leg,
        is_extended,
        prints: standing.len() as u32,
        exchanges: exchanges.len() as u32,
        volume: last.volume - volume.cancelled_since(last.number, available_at),
        conditions,
        cancelled_at,
        cancelled_contracts,
        last_print: last.place,
    })
}

/// Prices have at most four decimals, so a notional of exactly the floor must come out as exactly that.
fn whole_hundredths_of_a_cent(dollars: f64) -> f64 {
    (dollars * 1e4).round() / 1e4
}
