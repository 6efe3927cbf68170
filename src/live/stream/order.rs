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

use std::collections::{BTreeMap, HashMap, VecDeque};

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
}

impl Order {
    /// Everything before `watermark` is settled already.
    pub fn new(reorder_ns: i64, watermark: Ts) -> Order {
        Order {
            reorder_ns,
            watermark,
            newest: watermark,
            is_held: false,
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
        self.is_held = true;
    }

    pub fn is_held(&self) -> bool {
        self.is_held
    }

    pub fn let_go(&mut self) {
        self.is_held = false;
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
        let bucket = self.waiting.entry(ts).or_default();
        bucket.push((numbered, Origin::Stream(sequence)));
        Taken::Waits
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
        let bucket = self.waiting.entry(ts).or_default();
        bucket.push((numbered, Origin::Rest(hole)));
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
mod tests {
    use std::collections::BTreeSet;

    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    const MS_NS: i64 = 1_000_000;
    const REORDER_MS: i64 = 50;
    const SYMBOLS: [&str; 3] = ["B", "A", "C"];

    fn symbol(contract: u32) -> &'static str {
        SYMBOLS[contract as usize]
    }

    fn at(ms: i64) -> Ts {
        Ts::from_ns(ms * MS_NS)
    }

    fn print(contract: u32, ms: i64, size: i64) -> Numbered {
        let print = Print {
            ts: at(ms),
            price: 1.0,
            size,
            exchange: 300,
            conditions: Codes::one(209),
            correction: 0,
        };
        Numbered { contract, print }
    }

    fn order() -> Order {
        Order::new(REORDER_MS * MS_NS, at(0))
    }

    fn settled_before(order: &mut Order, ms: i64) -> Vec<(u32, i64)> {
        let mut settled = Vec::new();
        let each = |numbered: &Numbered| settled.push((numbered.contract, numbered.print.size));
        order.settle_before(at(ms), symbol, each);
        settled
    }

    #[test]
    fn prints_of_one_time_go_by_symbol_and_sequence_each_once() {
        let mut order = order();
        for (contract, sequence, size) in [(0, 8, 2), (1, 9, 3), (0, 7, 1), (0, 8, 2)] {
            order.stream(print(contract, 5, size), sequence);
        }
        assert_eq!(settled_before(&mut order, 6), [(1, 3), (0, 1), (0, 2)]);
    }

    #[test]
    fn a_repeat_of_a_print_that_came_by_rest_is_not_late() {
        let mut order = order();
        order.rest(print(0, 5, 1), 1);
        assert_eq!(settled_before(&mut order, 6), [(0, 1)]);
        assert_eq!(order.stream(print(0, 5, 1), 7), Taken::Repeat);
        assert_eq!(order.stream(print(0, 5, 2), 8), Taken::Late);
    }

    #[test]
    fn a_repeat_of_a_print_that_an_earlier_process_settled_is_not_late() {
        let mut order = Order::new(REORDER_MS * MS_NS, at(10));
        order.recall(&print(0, 5, 1));
        assert_eq!(order.stream(print(0, 5, 1), 7), Taken::Repeat);
        assert_eq!(order.stream(print(1, 5, 1), 7), Taken::Late);
    }

    #[test]
    fn what_a_silence_hid_is_late_and_what_was_heard_before_is_not() {
        let mut order = order();
        order.stream(print(0, 100, 1), 1);
        assert_eq!(settled_before(&mut order, 351), [(0, 1)]);
        assert_eq!(order.heard_to(), at(100).plus_ns(1));
        order.stream(print(0, 900, 1), 2);
        assert_eq!(order.rest(print(0, 100, 1), 1), Taken::Repeat);
        assert_eq!(order.rest(print(0, 200, 1), 1), Taken::Late);
        assert_eq!(order.rest(print(0, 400, 1), 1), Taken::Waits);
    }

    #[test]
    fn what_two_holes_have_in_common_comes_once() {
        let mut order = order();
        for hole in [1, 2] {
            order.rest(print(0, 5, 1), hole);
            order.rest(print(0, 5, 1), hole);
        }
        assert_eq!(settled_before(&mut order, 6), [(0, 1), (0, 1)]);
    }

    #[test]
    fn rest_that_is_ahead_does_not_move_time() {
        let mut order = order();
        order.stream(print(0, 100, 1), 1);
        order.rest(print(1, 900, 1), 1);
        order.settle(symbol, |_| {});
        assert_eq!(order.watermark(), at(100 - REORDER_MS));
        assert_eq!(order.stream(print(0, 120, 2), 2), Taken::Waits);
    }

    /// What reaches a listener, in the order of its coming.
    enum Comes {
        Stream(Numbered, i64),
        Down,
        /// The first frame after a loss: REST is asked.
        Asks,
        /// REST's answer for a contract, as of now.
        Answer {
            contract: u32,
            of_loss: usize,
        },
    }

    /// A tape with losses, repeats and prints out of order, and what REST says to it.
    fn deliveries(random: &mut Pcg64Mcg, truth: &[(Numbered, i64)]) -> Vec<(i64, u32, Comes)> {
        let ends = truth.last().map_or(0, |(numbered, _)| ms(numbered)) + 2_000;
        let mut comes = Vec::new();
        let mut cuts: Vec<(i64, i64)> = Vec::new();
        let mut from = 0;
        for _ in 0..random.random_range(0..4) {
            let down = from + random.random_range(1..400);
            let up = down + random.random_range(1..200);
            cuts.push((down, up));
            from = up;
        }
        let is_lost = |ms: i64| cuts.iter().any(|(down, up)| (*down..*up).contains(&ms));
        for (numbered, sequence) in truth {
            let first = ms(numbered) + random.random_range(0..REORDER_MS);
            let again = first + random.random_range(1..300);
            for (at, is_told) in [(first, true), (again, random.random_bool(0.3))] {
                if is_told && !is_lost(at) {
                    comes.push((at, 1, Comes::Stream(*numbered, *sequence)));
                }
            }
        }
        for (loss, (down, up)) in cuts.iter().enumerate() {
            comes.push((*down, 0, Comes::Down));
            let first = comes
                .iter()
                .filter(|(at, _, what)| at >= up && matches!(what, Comes::Stream(..)));
            let first = first.map(|(at, ..)| *at).min().unwrap_or(ends);
            comes.push((first, 2, Comes::Asks));
            for contract in 0..SYMBOLS.len() as u32 {
                let answered = first + random.random_range(0..250);
                comes.push((
                    answered,
                    3,
                    Comes::Answer {
                        contract,
                        of_loss: loss,
                    },
                ));
            }
        }
        comes.sort_by_key(|(at, rank, _)| (*at, *rank));
        comes
    }

    fn ms(numbered: &Numbered) -> i64 {
        numbered.print.ts.ns() / MS_NS
    }

    #[test]
    fn whatever_is_lost_repeated_or_out_of_order_the_tape_comes_out_as_it_was() {
        for seed in 0..3_000 {
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let mut now = 0;
            let mut truth: Vec<(Numbered, i64)> = Vec::new();
            for sequence in 0..random.random_range(1..60) {
                now += [0, 0, 1, 10, 40, 60][random.random_range(0..6)];
                let contract = random.random_range(0..SYMBOLS.len() as u32);
                // Many look alike.
                let size = random.random_range(1..3);
                truth.push((print(contract, now, size), sequence));
            }
            let mut order = order();
            let mut came = Vec::new();
            let (mut losses, mut outstanding): (usize, BTreeSet<u32>) = (0, BTreeSet::new());
            for (at, _, comes) in deliveries(&mut random, &truth) {
                match comes {
                    Comes::Stream(numbered, sequence) => {
                        let taken = order.stream(numbered, sequence);
                        assert_ne!(taken, Taken::Late, "tape {seed} at {at}");
                    }
                    Comes::Down => {
                        losses += 1;
                        order.hold();
                    }
                    Comes::Asks => outstanding = (0..SYMBOLS.len() as u32).collect(),
                    Comes::Answer { contract, of_loss } if of_loss + 1 == losses => {
                        let known = truth.iter().filter(|(numbered, _)| {
                            numbered.contract == contract && ms(numbered) <= at
                        });
                        for (numbered, _) in known {
                            order.rest(*numbered, losses as u64);
                        }
                        outstanding.remove(&contract);
                        if outstanding.is_empty() {
                            order.let_go();
                        }
                    }
                    // To a hole that has grown since.
                    Comes::Answer { .. } => {}
                }
                order.settle(symbol, |numbered| came.push(*numbered));
            }
            order.settle_before(at(i64::MAX / 2 / MS_NS), symbol, |numbered| {
                came.push(*numbered);
            });
            truth.sort_by_key(|(numbered, sequence)| {
                (numbered.print.ts, symbol(numbered.contract), *sequence)
            });
            let truth: Vec<Numbered> = truth.iter().map(|(numbered, _)| *numbered).collect();
            assert_eq!(came, truth, "tape {seed}");
        }
    }
}
