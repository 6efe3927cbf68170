//! The tape: a session of a world in, messages in the order of their delivery out.
//!
//! Within a millisecond the order is the world's. What the plan holds back is delivered later than it
//! happened, so that others overtake it.

use chrono::NaiveDate;
use rand::RngExt;

use super::super::world::{Bar, DECIMALS_SINCE, Print, Quote, World};
use super::Feed;
use super::faults::Plan;

pub(super) const MS_NS: i64 = 1_000_000;
const MINUTE_NS: i64 = 60_000 * MS_NS;

/// Numbers of prints rise by so much, for the tape's numbers have gaps.
const PRINT_STRIDE: u64 = 7;
/// As REST numbers quotes.
const QUOTE_STRIDE: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Trades,
    Quotes,
    Minutes,
}

/// A message, not yet worded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    Print(&'a str, &'a Print, u64),
    Quote(&'a str, &'a Quote, u64),
    Bar(&'a str, &'a Bar, DaySoFar),
}

/// What a bar says of its day.
#[derive(Clone, Copy, Debug)]
pub(super) struct DaySoFar {
    pub open: f64,
    pub volume: f64,
    pub vwap: f64,
    /// Whether volumes come as decimals too.
    pub has_decimals: bool,
}

impl<'a> Told<'a> {
    pub fn channel(&self) -> Channel {
        match self {
            Told::Print(..) => Channel::Trades,
            Told::Quote(..) => Channel::Quotes,
            Told::Bar(..) => Channel::Minutes,
        }
    }

    pub fn symbol(&self) -> &'a str {
        match self {
            Told::Print(symbol, ..) | Told::Quote(symbol, ..) | Told::Bar(symbol, ..) => symbol,
        }
    }
}

/// The end of a bar's window.
pub(super) fn end(bar: &Bar) -> i64 {
    bar.ts + MINUTE_NS
}

/// Where the clock starts and ends on `date`: a minute around the session and all that happened.
pub(super) fn span(world: &World, date: NaiveDate) -> (i64, i64) {
    let hours = world.sessions.get(&date).expect("a session of the world");
    let (mut begin, mut last) = (hours.open, hours.close);
    let mut reach = |ts: Option<i64>| {
        begin = begin.min(ts.unwrap_or(begin));
        last = last.max(ts.unwrap_or(last));
    };
    for (_, _, contract) in world.contracts() {
        let prints = contract.prints.get(&date).map_or(&[][..], Vec::as_slice);
        reach(prints.first().map(|print| print.ts));
        reach(prints.last().map(|print| print.ts));
    }
    for stock in world.stocks.values() {
        let bars = stock.minute_bars.get(&date).map_or(&[][..], Vec::as_slice);
        reach(bars.first().map(|bar| bar.ts));
        reach(bars.last().map(end));
    }
    (begin - MINUTE_NS, last + MINUTE_NS)
}

/// What is left to tell of a session.
pub(super) struct Tape<'a> {
    /// By feed, each message with the instant of its delivery.
    messages: [Vec<(i64, Told<'a>)>; 2],
    next: [usize; 2],
}

impl<'a> Tape<'a> {
    pub fn of(world: &'a World, date: NaiveDate, plan: &Plan) -> Tape<'a> {
        let mut messages = [ticks(world, date), minutes(world, date)];
        hold_back(&mut messages[Feed::Options as usize], plan);
        for messages in &mut messages {
            // Stable: what shares an instant stays in the world's order.
            messages.sort_by_key(|(ts, _)| *ts);
        }
        Tape {
            messages,
            next: [0, 0],
        }
    }

    /// When something is told on a feed.
    pub fn instants(&self, feed: Feed) -> Vec<i64> {
        let messages = self.messages[feed as usize].iter();
        messages.map(|(ts, _)| *ts).collect()
    }

    /// When the next message is due.
    pub fn next_due(&self) -> Option<i64> {
        let heads = self.messages.iter().zip(self.next);
        let heads = heads.filter_map(|(messages, next)| messages.get(next));
        heads.map(|(ts, _)| *ts).min()
    }

    /// What is due at `now` and was not taken before.
    pub fn due(&mut self, feed: Feed, now: i64) -> Vec<Told<'a>> {
        let rest = &self.messages[feed as usize][self.next[feed as usize]..];
        let due = rest.partition_point(|(ts, _)| *ts <= now);
        self.next[feed as usize] += due;
        rest[..due].iter().map(|(_, told)| *told).collect()
    }
}

fn ticks(world: &World, date: NaiveDate) -> Vec<(i64, Told<'_>)> {
    let mut messages = Vec::new();
    for (_, symbol, contract) in world.contracts() {
        let prints = contract.prints.get(&date).into_iter().flatten();
        for (number, print) in (1..).zip(prints) {
            if print.correction == 0 {
                let told = Told::Print(symbol, print, number * PRINT_STRIDE);
                messages.push((print.ts, told));
            }
        }
        let quotes = contract.quotes.get(&date).into_iter().flatten();
        for (number, quote) in (1..).zip(quotes) {
            messages.push((quote.ts, Told::Quote(symbol, quote, number * QUOTE_STRIDE)));
        }
    }
    messages.sort_by_key(|(ts, _)| *ts);
    messages
}

fn minutes(world: &World, date: NaiveDate) -> Vec<(i64, Told<'_>)> {
    let mut messages = Vec::new();
    let opening = world.sessions.get(&date).map_or(0, |hours| hours.open);
    for (ticker, stock) in &world.stocks {
        let bars = stock.minute_bars.get(&date).map_or(&[][..], Vec::as_slice);
        let regular = bars.iter().find(|bar| bar.ts >= opening);
        let (mut volume, mut dollars) = (0.0, 0.0);
        for bar in bars {
            volume += bar.volume;
            dollars += bar.volume * bar.vwap;
            let day = DaySoFar {
                open: regular
                    .filter(|open| open.ts <= bar.ts)
                    .unwrap_or(&bars[0])
                    .open,
                volume,
                vwap: if volume > 0.0 {
                    dollars / volume
                } else {
                    bar.vwap
                },
                has_decimals: date >= DECIMALS_SINCE,
            };
            messages.push((end(bar), Told::Bar(ticker, bar, day)));
        }
    }
    messages
}

fn hold_back(messages: &mut [(i64, Told)], plan: &Plan) {
    let Some((first, _)) = messages.first() else {
        return;
    };
    let mut random = plan.random(*first, 100);
    for (ts, _) in messages {
        if random.random_bool(plan.held_back) {
            *ts += random.random_range(0..=plan.held_back_ms) * MS_NS;
        }
    }
}
