//! From raw prints to flow events, a second time: every print is judged by looking through all the
//! others, in the order of the spec's sentences. Nothing here is fast and nothing is shared with the
//! code it checks but the plain types of its input and its columns.

use std::collections::BTreeSet;

use flowlab::flow::{Print, Quote, Side, SideQuality, SideSource, TimedQuote};
use flowlab::time::Ts;

/// The settings under `flow:` that the rules speak of, and the day's regular session.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub sweep_window_ms: i64,
    pub sweep_min_exchanges: usize,
    pub block_min_contracts: i64,
    pub max_quote_age_seconds: i64,
    pub min_notional: f64,
    /// Open and close; `None` on a day without a session.
    pub session: Option<(Ts, Ts)>,
}

impl Rules {
    fn window_ns(&self) -> i64 {
        self.sweep_window_ms * 1_000_000
    }

    fn max_quote_age_ns(&self) -> i64 {
        self.max_quote_age_seconds * 1_000_000_000
    }
}

/// The columns of an event that follow from prints and quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub ts: Ts,
    pub available_at: Ts,
    pub seq: u32,
    pub price: f64,
    pub contracts: i64,
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
    pub volume: i64,
    pub conditions: Vec<i16>,
    pub cancelled_at: Option<Ts>,
    pub cancelled_contracts: i64,
}

/// What became of the prints that are in no event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub void: u64,
    pub late: u64,
    pub compressions: u64,
    pub cancels: u64,
    pub unmatched_cancels: u64,
    pub below_floor: u64,
}

/// What a print is to its tape; the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// "A non-zero `correction` voids its own print."
    Void,
    Cancel,
    /// "never start or join an event and have no side, nor do compressions"
    Late,
    Compression,
    /// Starts or joins an event.
    Flow,
}

pub fn kind(print: &Print) -> Kind {
    if print.correction != 0 {
        Kind::Void
    } else if has(print, &[201, 203, 205, 207]) {
        Kind::Cancel
    } else if has(print, &[202, 204, 206, 208]) {
        Kind::Late
    } else if has(print, &[247]) {
        Kind::Compression
    } else {
        Kind::Flow
    }
}

/// "`volume` accumulates over every print that the table counts": all but 201 to 207.
pub fn counts_as_volume(print: &Print) -> bool {
    kind(print) != Kind::Void && !has(print, &[201, 202, 203, 204, 205, 206, 207])
}

fn has(print: &Print, codes: &[i16]) -> bool {
    print.conditions.iter().any(|code| codes.contains(&code))
}

fn is_iso(print: &Print) -> bool {
    has(print, &[219, 228, 230])
}

fn is_cross(print: &Print) -> bool {
    has(print, &[229, 230, 234, 241])
}

fn is_auction_or_floor(print: &Print) -> bool {
    has(print, &[210, 227, 228, 233, 237, 238, 244]) || has(print, &[231, 235, 239, 242, 245, 246])
}

fn is_multi_leg(print: &Print) -> bool {
    (232..=246).any(|code| has(print, &[code]))
}

/// Events of a ticker's day, sorted by `(ts, seq)`, each with the contract it is of. `tape` names the
/// contract of every print by its place in `quotes`.
pub fn ticker_events(
    tape: &[(usize, Print)],
    quotes: &[Vec<TimedQuote>],
    rules: &Rules,
) -> (Vec<(usize, Event)>, Counts) {
    let mut events = Vec::new();
    let mut counts = Counts::default();
    for (contract, quotes) in quotes.iter().enumerate() {
        // "order of the last print in SIP order among a ticker's events of the same ts"
        let received: Vec<(u32, Print)> = tape
            .iter()
            .enumerate()
            .filter(|(_, (of, _))| *of == contract)
            .map(|(place, (_, print))| (rank(tape, place), *print))
            .collect();
        let day = Day {
            seqs: received.iter().map(|(seq, _)| *seq).collect(),
            prints: received.iter().map(|(_, print)| *print).collect(),
            quotes,
            rules,
        };
        for event in day.events(&mut counts) {
            events.push((contract, event));
        }
    }
    events.sort_by_key(|(_, event)| (event.ts, event.seq));
    (events, counts)
}

fn rank(tape: &[(usize, Print)], place: usize) -> u32 {
    let ts = tape[place].1.ts;
    let same = tape[..place].iter().filter(|(_, print)| print.ts == ts);
    same.count() as u32
}

/// Events of one contract that is alone on its tape.
pub fn contract_events(
    prints: &[Print],
    quotes: &[TimedQuote],
    rules: &Rules,
) -> (Vec<Event>, Counts) {
    let tape: Vec<(usize, Print)> = prints.iter().map(|print| (0, *print)).collect();
    let (events, counts) = ticker_events(&tape, &[quotes.to_vec()], rules);
    (events.into_iter().map(|(_, event)| event).collect(), counts)
}

/// Side, source, quality and aggressiveness of one print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judged {
    side: Side,
    source: SideSource,
    quality: SideQuality,
    is_aggressive: bool,
}

/// One contract's day: all that was received, `seqs` beside `prints`.
struct Day<'a> {
    prints: Vec<Print>,
    seqs: Vec<u32>,
    quotes: &'a [TimedQuote],
    rules: &'a Rules,
}

impl Day<'_> {
    fn events(&self, counts: &mut Counts) -> Vec<Event> {
        let judged: Vec<Judged> = (0..self.prints.len()).map(|i| self.judge(i)).collect();
        let cancels = self.cancels(counts);
        for print in &self.prints {
            match kind(print) {
                Kind::Void => counts.void += 1,
                Kind::Cancel => counts.cancels += 1,
                Kind::Late => counts.late += 1,
                Kind::Compression => counts.compressions += 1,
                Kind::Flow => {}
            }
        }
        let mut events = Vec::new();
        for chain in self.chains(&judged) {
            let Some(event) = self.event(&chain, &judged, &cancels) else {
                continue;
            };
            // "Events with notional < flow.min_notional are then dropped"
            if event.notional < self.rules.min_notional {
                counts.below_floor += 1;
            } else {
                events.push(event);
            }
        }
        events
    }

    /// "the last with ts ≤ print"
    fn quote(&self, i: usize) -> Option<&TimedQuote> {
        let ts = self.prints[i].ts;
        self.quotes.iter().rev().find(|quote| quote.ts <= ts)
    }

    /// Not "older than `flow.max_quote_age_seconds`".
    fn is_fresh(&self, i: usize, quote: &TimedQuote) -> bool {
        self.prints[i].ts.ns_since(quote.ts) <= self.rules.max_quote_age_ns()
    }

    /// What `quote` says of print `i`: side, aggressive, and whether it was the quote that said it.
    fn answer(&self, i: usize, quote: Option<&TimedQuote>) -> (Side, bool, bool) {
        let print = &self.prints[i];
        if let Some(TimedQuote { quote, .. }) = quote.filter(|quote| self.is_fresh(i, quote)) {
            let (price, bid, ask) = (exact(print.price), exact(quote.bid), exact(quote.ask));
            // "crossed, locked, zero": "unusable when the ask is 0 or both are"
            if ask > 0 && bid < ask {
                if price >= ask {
                    return (Side::Buy, true, true);
                }
                if price <= bid {
                    return (Side::Sell, true, true);
                }
                if 2 * price > bid + ask {
                    return (Side::Buy, false, true);
                }
                if 2 * price < bid + ask {
                    return (Side::Sell, false, true);
                }
            }
        }
        (self.tick_test(i), false, false)
    }

    /// "tick test against the contract's previous different price", "over all valid prints of the day"
    fn tick_test(&self, i: usize) -> Side {
        let price = exact(self.prints[i].price);
        let before = self.prints[..i].iter().rev();
        let mut different = before
            .filter(|print| kind(print) == Kind::Flow)
            .map(|print| exact(print.price))
            .filter(|before| *before != price);
        match different.next() {
            Some(before) if price > before => Side::Buy,
            Some(_) => Side::Sell,
            None => Side::Unknown,
        }
    }

    fn judge(&self, i: usize) -> Judged {
        let print = &self.prints[i];
        let unknown = Judged {
            side: Side::Unknown,
            source: SideSource::None,
            quality: SideQuality::None,
            is_aggressive: false,
        };
        // "Crosses (229, 230, 234, 241): side UNKNOWN"; late prints and the like have no side.
        if kind(print) != Kind::Flow || is_cross(print) {
            return unknown;
        }
        let (side, is_aggressive, by_quote) = self.answer(i, self.quote(i));
        if side == Side::Unknown {
            return unknown;
        }
        let firm = by_quote
            && is_aggressive
            && !is_auction_or_floor(print)
            && !self.is_ambiguous(i, (side, is_aggressive));
        Judged {
            side,
            source: if by_quote {
                SideSource::Quote
            } else {
                SideSource::Tick
            },
            quality: if firm {
                SideQuality::Firm
            } else {
                SideQuality::Weak
            },
            is_aggressive,
        }
    }

    /// "a quote that shares the print's millisecond and would change the answer": any of those that
    /// may have been the last before the print could have been the one that it met.
    fn is_ambiguous(&self, i: usize, answer: (Side, bool)) -> bool {
        let start = self.prints[i].ts.ns().div_euclid(1_000_000) * 1_000_000;
        let before = self.quotes.iter().rev().find(|q| q.ts.ns() < start);
        let within = self
            .quotes
            .iter()
            .filter(|q| start <= q.ts.ns() && q.ts.ns() < start + 1_000_000);
        let mut rivals = within.map(Some).chain([before]);
        rivals.any(|rival| {
            let (side, is_aggressive, _) = self.answer(i, rival);
            (side, is_aggressive) != answer
        })
    }

    /// For every print the time of the cancel that took it: "match latest earlier print of same
    /// ticker, exchange, price, size", of those that still stand.
    fn cancels(&self, counts: &mut Counts) -> Vec<Option<Ts>> {
        let mut cancelled_at: Vec<Option<Ts>> = vec![None; self.prints.len()];
        for (place, cancel) in self.prints.iter().enumerate() {
            if kind(cancel) != Kind::Cancel {
                continue;
            }
            let meant = (0..place).rev().find(|i| {
                let print = &self.prints[*i];
                !matches!(kind(print), Kind::Void | Kind::Cancel)
                    && cancelled_at[*i].is_none()
                    && print.exchange == cancel.exchange
                    && exact(print.price) == exact(cancel.price)
                    && print.size == cancel.size
            });
            match meant {
                Some(i) => cancelled_at[i] = Some(cancel.ts),
                None => counts.unmatched_cancels += 1,
            }
        }
        cancelled_at
    }

    /// "Prints of one contract and one side, each within flow.sweep_window_ms of the one before".
    /// Cancels play no part: "the wait runs from the last print received, cancelled or not".
    fn chains(&self, judged: &[Judged]) -> Vec<Vec<usize>> {
        let mut chains: Vec<Vec<usize>> = Vec::new();
        for (i, print) in self.prints.iter().enumerate() {
            if kind(print) != Kind::Flow {
                continue;
            }
            // "an opposite print in between does not break a chain", nor does anything else.
            let is_alike = |other: &usize| {
                !is_cross(print)
                    && !is_cross(&self.prints[*other])
                    && judged[*other].side == judged[i].side
                    && is_multi_leg(&self.prints[*other]) == is_multi_leg(print)
            };
            let chain = chains.iter_mut().find(|chain| {
                let last = chain.last().expect("a chain has prints");
                // "exactly the window apart still joins"
                is_alike(last) && print.ts.ns_since(self.prints[*last].ts) <= self.rules.window_ns()
            });
            match chain {
                Some(chain) => chain.push(i),
                None => chains.push(vec![i]),
            }
        }
        chains
    }

    /// The event of a chain, `None` when none of its prints stands.
    fn event(&self, chain: &[usize], judged: &[Judged], cancels: &[Option<Ts>]) -> Option<Event> {
        let rules = self.rules;
        let received_last = *chain.last().expect("a chain has prints");
        let available_at = self.prints[received_last].ts.plus_ns(rules.window_ns());
        // "a print cancelled before its event became available does not count"; "at equality the
        // event stands".
        let in_time = |i: usize| cancels[i].is_some_and(|cancel| cancel < available_at);
        let standing: Vec<usize> = chain.iter().copied().filter(|i| !in_time(*i)).collect();
        let (first, last) = (*standing.first()?, *standing.last()?);
        let prints: Vec<&Print> = standing.iter().map(|i| &self.prints[*i]).collect();
        let size_where = |holds: &dyn Fn(usize) -> bool| -> i64 {
            let some = standing.iter().filter(|i| holds(**i));
            some.map(|i| self.prints[*i].size).sum()
        };

        let contracts = size_where(&|_| true);
        let ten_thousandths: i64 = prints.iter().map(|p| exact(p.price) * p.size).sum();
        let exchanges: BTreeSet<u16> = prints.iter().map(|p| p.exchange).collect();
        let has_iso = prints.iter().any(|p| is_iso(p));
        let is_sweep = has_iso || exchanges.len() >= rules.sweep_min_exchanges;
        let has_block = prints.iter().any(|p| p.size >= rules.block_min_contracts);
        let ts = self.prints[last].ts;
        let is_regular = rules
            .session
            .is_some_and(|(open, close)| open <= ts && ts < close);
        let mut conditions = Vec::new();
        for code in prints.iter().flat_map(|p| p.conditions.iter()) {
            if !conditions.contains(&code) {
                conditions.push(code);
            }
        }
        let qualities = standing.iter().map(|i| judged[*i].quality);
        let sources = standing.iter().map(|i| judged[*i].source);
        let by_tick = sources.clone().any(|source| source == SideSource::Tick);
        // Crossed, locked or one-sided it is shown as it is; one too old is not known any more.
        let quote = self.quote(first).filter(|q| self.is_fresh(first, q));
        let quote: Option<Quote> = quote.map(|timed| timed.quote);
        let later = |i: &&usize| cancels[**i].is_some_and(|cancel| cancel >= available_at);
        let volume = (0..=last)
            .filter(|i| counts_as_volume(&self.prints[*i]) && !in_time(*i))
            .map(|i| self.prints[i].size)
            .sum();

        Some(Event {
            ts,
            available_at,
            seq: self.seqs[last],
            price: ten_thousandths as f64 / 10_000.0 / contracts as f64,
            contracts,
            notional: ten_thousandths as f64 / 100.0,
            bid: quote.map(|quote| quote.bid).filter(|bid| *bid != 0.0),
            ask: quote.map(|quote| quote.ask).filter(|ask| *ask != 0.0),
            side: judged[first].side,
            side_source: if by_tick {
                SideSource::Tick
            } else {
                judged[first].source
            },
            // Firm, weak, none: in this order the weakest is the greatest.
            side_quality: qualities.max().expect("some print stands"),
            // "when prints holding at least half its size are"
            is_aggressive: 2 * size_where(&|i| judged[i].is_aggressive) >= contracts,
            is_sweep,
            has_iso,
            is_block: has_block && !is_sweep,
            is_multi_leg: is_multi_leg(prints[0]),
            is_extended: prints.iter().any(|p| has(p, &[248])) || !is_regular,
            prints: prints.len() as u32,
            exchanges: exchanges.len() as u32,
            volume,
            conditions,
            cancelled_at: standing
                .iter()
                .filter(later)
                .filter_map(|i| cancels[*i])
                .min(),
            cancelled_contracts: size_where(&|i| later(&&i)),
        })
    }
}

/// Dollars in ten-thousandths, the finest step of the tape: sums and halves of these are exact.
fn exact(dollars: f64) -> i64 {
    (dollars * 10_000.0).round() as i64
}
