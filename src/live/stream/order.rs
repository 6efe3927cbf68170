//! Order: prints as they arrive, perhaps twice, perhaps late, in; prints in the order of their time,
//! each once, out.
//!
//! ```text
//!   settled ────────────┤ watermark        newest ├
//!   ── ── ── ── ── ── ──┤── ── wait ── ── ── ── ──┤        W = newest − reorder
//!                       │                         │
//!             a late print has missed it          a hole holds W back until REST has filled it
//! ```
//!
//! Within one millisecond a contract's prints keep the order of their sequence numbers, which is also
//! the order in which REST lists them, and contracts go by symbol: the numbers that prints are given
//! are then those that a day fetched later gives them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::flow::{Codes, Print};
use crate::time::Ts;

/// Names of settled prints are kept this long, and so many of them in any case, to tell a repeat from
/// a print that came too late.
const REMEMBERED_NS: i64 = 2_000_000_000;
const REMEMBERED: usize = 50_000;

/// A print of a contract that is known by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbered {
    pub contract: u32,
    pub print: Print,
}

/// Where a print came from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    /// With the sequence number of the tape.
    Stream(i64),
    /// In the order of REST's answer, one of those to the hole of this number.
    Rest(u64),
}

/// What came of a print that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Waits,
    Repeat,
    /// Its time had been settled without it.
    Late,
}

/// Prints on their way into the order of time.
pub struct Order {
    reorder_ns: i64,
    /// Everything before this is settled.
    watermark: Ts,
    newest: Ts,
    /// A hole lies before this: the watermark does not go beyond.
    is_held: bool,
    /// While it is held: contracts of which a print at or after the hole's beginning is known.
    heard: HashSet<u32>,
    waiting: BTreeMap<Ts, Vec<(Numbered, Origin)>>,
    settled: VecDeque<(Ts, Names)>,
    remembered: usize,
    /// Up to when was heard, and up to when was settled all the same, the last time nothing came.
    silence: Option<(Ts, Ts)>,
}

/// By what the settled prints of an instant are known again.
#[derive(Default)]
struct Names {
    /// Those of the stream, told or known from REST before: contract and sequence number.
    numbers: Vec<(u32, i64)>,
    /// Those that REST had, whose numbers nobody knows.
    looks: Vec<Looks>,
}

impl Names {
    fn len(&self) -> usize {
        self.numbers.len() + self.looks.len()
    }

    fn contracts(&self) -> impl Iterator<Item = u32> {
        let numbers = self.numbers.iter().map(|(contract, _)| *contract);
        numbers.chain(self.looks.iter().map(|looks| looks.0))
    }
}

impl Order {
    /// Everything before `watermark` is settled already.
    pub fn new(reorder_ns: i64, watermark: Ts) -> Order {
        Order {
            reorder_ns,
            watermark,
            newest: watermark,
            is_held: false,
            heard: HashSet::new(),
            waiting: BTreeMap::new(),
            settled: VecDeque::new(),
            remembered: 0,
            silence: None,
        }
    }

    /// Everything before it is settled.
    pub fn watermark(&self) -> Ts {
        self.watermark
    }

    /// Keeps the watermark where it is until [`Order::let_go`].
    pub fn hold(&mut self) {
        if self.is_held {
            return;
        }
        self.is_held = true;
        // REST may have been ahead of a silence that was none.
        let from = self.heard_to();
        let settled = self.settled.iter().rev();
        let settled = settled.take_while(|(ts, _)| *ts >= from);
        let settled = settled.flat_map(|(_, names)| names.contracts());
        let waiting = self.waiting.values().flatten();
        let waiting = waiting.map(|(numbered, _)| numbered.contract);
        self.heard = settled.chain(waiting).collect();
    }

    /// Whether a print of `contract` is known that lies in the hole or after it.
    pub fn has_heard(&self, contract: u32) -> bool {
        self.heard.contains(&contract)
    }

    pub fn is_held(&self) -> bool {
        self.is_held
    }

    pub fn let_go(&mut self) {
        self.is_held = false;
        self.heard.clear();
    }

    /// Somebody's print of `ts` was heard: time has come that far.
    pub fn hear(&mut self, ts: Ts) {
        self.newest = self.newest.max(ts);
    }

    /// Where a loss begins that is noticed now: a silence may have been taken for the end of what was
    /// under way.
    pub fn heard_to(&self) -> Ts {
        match self.silence {
            Some((heard, until)) if until == self.watermark => heard.plus_ns(1),
            _ => self.watermark,
        }
    }

    /// A print of the stream.
    pub fn stream(&mut self, numbered: Numbered, sequence: i64) -> Taken {
        let ts = numbered.print.ts;
        if ts < self.watermark {
            return match self.was_settled(&numbered, sequence) {
                true => Taken::Repeat,
                false => Taken::Late,
            };
        }
        self.newest = self.newest.max(ts);
        self.wait(numbered, Origin::Stream(sequence))
    }

    /// A print of the backfill of `hole`, in the order of the answer; one that is settled is known.
    /// REST may be ahead of the stream, and of one contract more than of another: that says nothing of
    /// how far time has come.
    pub fn rest(&mut self, numbered: Numbered, hole: u64) -> Taken {
        let ts = numbered.print.ts;
        if ts < self.watermark {
            // What was settled is known, but for a silence that was none.
            let was_silent = |(heard, until): (Ts, Ts)| ts > heard && ts < until;
            return match self.silence.is_some_and(was_silent) {
                true => Taken::Late,
                false => Taken::Repeat,
            };
        }
        self.wait(numbered, Origin::Rest(hole))
    }

    fn wait(&mut self, numbered: Numbered, origin: Origin) -> Taken {
        if self.is_held {
            self.heard.insert(numbered.contract);
        }
        let bucket = self.waiting.entry(numbered.print.ts).or_default();
        bucket.push((numbered, origin));
        Taken::Waits
    }

    /// A print that an earlier process settled; they come in order.
    pub fn recall(&mut self, numbered: &Numbered) {
        let ts = numbered.print.ts;
        if self.settled.back().is_none_or(|(last, _)| *last < ts) {
            self.settled.push_back((ts, Names::default()));
        }
        let (_, names) = self.settled.back_mut().expect("one was begun above");
        names.looks.push(looks(numbered));
        self.remembered += 1;
        self.forget();
    }

    /// The latest time of all that waits or was told.
    pub fn latest(&self) -> Ts {
        let waiting = self.waiting.last_key_value();
        waiting.map_or(self.newest, |(ts, _)| self.newest.max(*ts))
    }

    /// Time has come to `now`, as far as anybody can tell from the stream: settles what may be.
    /// `symbol` names a contract. Returns how many repeats there were.
    pub fn settle<'s>(
        &mut self,
        symbol: impl Fn(u32) -> &'s str,
        each: impl FnMut(&Numbered),
    ) -> u64 {
        self.settle_before(self.newest.plus_ns(-self.reorder_ns), symbol, each)
    }

    /// Settles everything before `until`, unless a hole holds it back.
    pub fn settle_before<'s>(
        &mut self,
        until: Ts,
        symbol: impl Fn(u32) -> &'s str,
        mut each: impl FnMut(&Numbered),
    ) -> u64 {
        if self.is_held || until <= self.watermark {
            return 0;
        }
        self.watermark = until;
        if until > self.newest {
            self.silence = Some((self.newest, until));
        }
        let mut repeats = 0;
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() < until
        {
            let (ts, bucket) = entry.remove_entry();
            let before = bucket.len();
            let (prints, names) = in_order(bucket, &symbol);
            repeats += (before - prints.len()) as u64;
            prints.iter().for_each(&mut each);
            self.remembered += names.len();
            self.settled.push_back((ts, names));
        }
        self.forget();
        repeats
    }

    fn forget(&mut self) {
        let forgotten = self.watermark.plus_ns(-REMEMBERED_NS);
        while let Some((ts, names)) = self.settled.front()
            && *ts < forgotten
            && self.remembered - names.len() >= REMEMBERED
        {
            self.remembered -= names.len();
            self.settled.pop_front();
        }
    }

    fn was_settled(&self, numbered: &Numbered, sequence: i64) -> bool {
        let place = self
            .settled
            .binary_search_by_key(&numbered.print.ts, |(ts, _)| *ts);
        place.is_ok_and(|place| {
            let names = &self.settled[place].1;
            names.numbers.contains(&(numbered.contract, sequence))
                || names.looks.contains(&looks(numbered))
        })
    }
}

/// One instant's prints, by symbol and sequence, each once; and by what they are known again.
fn in_order<'s>(
    mut bucket: Vec<(Numbered, Origin)>,
    symbol: &impl Fn(u32) -> &'s str,
) -> (Vec<Numbered>, Names) {
    let mut names = Names::default();
    // Of REST's answers to several holes the last has what the others have.
    let mut last: HashMap<u32, u64> = HashMap::new();
    for (numbered, origin) in &bucket {
        match origin {
            Origin::Stream(sequence) => names.numbers.push((numbered.contract, *sequence)),
            Origin::Rest(hole) => {
                let last = last.entry(numbered.contract).or_insert(*hole);
                *last = (*last).max(*hole);
            }
        }
    }
    bucket.retain(|(numbered, origin)| match origin {
        Origin::Stream(_) => true,
        Origin::Rest(hole) => last.get(&numbered.contract) == Some(hole),
    });
    // Stable: REST's stay in their order, and before those of the stream.
    bucket.sort_by(|(a, from_a), (b, from_b)| {
        let sequence = |origin: &Origin| match origin {
            Origin::Rest(_) => i64::MIN,
            Origin::Stream(sequence) => *sequence,
        };
        let by_symbol = || symbol(a.contract).cmp(symbol(b.contract));
        let same = (a.contract == b.contract).then_some(std::cmp::Ordering::Equal);
        same.unwrap_or_else(by_symbol)
            .then(sequence(from_a).cmp(&sequence(from_b)))
    });
    // The same number twice is the same print.
    bucket.dedup_by(|(b, from_b), (a, from_a)| {
        a.contract == b.contract && matches!(from_a, Origin::Stream(_)) && from_a == from_b
    });
    // REST knows no numbers: of prints that look alike there are as many as the longer list has.
    let mut known: HashMap<Looks, u32> = HashMap::new();
    for (numbered, _) in bucket
        .iter()
        .filter(|(_, from)| matches!(from, Origin::Rest(_)))
    {
        names.looks.push(looks(numbered));
        *known.entry(looks(numbered)).or_default() += 1;
    }
    bucket.retain(|(numbered, origin)| {
        matches!(origin, Origin::Rest(_))
            || match known.get_mut(&looks(numbered)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    false
                }
                _ => true,
            }
    });
    let prints = bucket.into_iter().map(|(numbered, _)| numbered).collect();
    (prints, names)
}

/// What two reports of one print have in common, beside their time.
type Looks = (u32, u64, i64, u16, Codes);

fn looks(numbered: &Numbered) -> Looks {
    let Numbered { contract, print } = numbered;
    (
        *contract,
        print.price.to_bits(),
        print.size,
        print.exchange,
        print.conditions,
    )
}

#[cfg(test)]
mod tests;
