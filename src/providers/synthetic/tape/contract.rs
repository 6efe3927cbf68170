//! A contract's day: the events of one contract, woven with the quotes they met and what went on between
//! them.
//!
//! ```text
//!        small prints      flicker  met    first … last      answer
//!  ──│──·────·──────·────│────┆──────┃──────╱╱╱╱╱╱╱╱───────────┃──│──·────·──
//!    1 s                1 s                                      1 s
//! ```

use std::sync::Arc;

use super::cancels::cancels;
use super::fill;
use super::level::Level;
use super::small::inside;
use super::{ContractTape, Disturbance, MS_NS, TruthEvent};
use crate::flow::{Class, Print, Quote, TimedQuote};
use crate::providers::synthetic::random::Stream;
use crate::providers::synthetic::{Event, TickerSession};
use crate::time::{SECOND_NS, Ts};

/// Events whose prints are farther apart than this never merge.
const APART_NS: i64 = 300 * MS_NS;
const WINDOW_NS: i64 = SECOND_NS / 4;

/// Where a print comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Small,
    /// The contract's event of this number.
    Event(usize),
}

/// One contract's day while it is being written.
pub(super) struct Writer<'a> {
    pub session: &'a TickerSession,
    pub rng: Stream,
    /// The grid of its quotes, cents.
    pub tick: i64,
    pub prints: Vec<(Print, Origin)>,
    quotes: Vec<TimedQuote>,
}

/// The day of the contract `symbol`, whose `events` ascend and are at least one, and what is true of each.
pub(super) fn write(
    session: &TickerSession,
    symbol: &Arc<str>,
    events: &[&Event],
    rng: Stream,
) -> (ContractTape, Vec<TruthEvent>) {
    let levels: Vec<Level> = events.iter().map(|event| Level::of(event)).collect();
    let mut writer = Writer {
        session,
        rng,
        tick: Level::tick(&levels),
        prints: Vec::new(),
        quotes: Vec::new(),
    };
    let mut truth: Vec<TruthEvent> = Vec::with_capacity(events.len());
    let (mut busy_until, mut unseen, mut volume) = (session.session.open, 0, 0);
    let mut left = levels[0];
    for (number, (event, level)) in events.iter().zip(&levels).enumerate() {
        unseen += event.volume - volume - event.contracts;
        volume = event.volume;
        let before = truth.last().map(|event| event.ts);
        let prints = writer.prints_of(event, before);
        let first = prints[0].ts;
        let mut meeting = writer.meeting(&prints, busy_until);
        unseen = writer.small_prints(
            inside(busy_until, meeting.flicker.min(first)),
            (left, *level),
            unseen,
        );
        if before.is_some_and(|before| first.ns_since(before) <= WINDOW_NS) {
            meeting.disturbance = Disturbance::Crowded;
            truth[number - 1].disturbance = Disturbance::Crowded;
        }
        (busy_until, left) = writer.quote_around(event, *level, &prints, &meeting);
        truth.push(TruthEvent::of(event, symbol, &prints, meeting.disturbance));
        let prints = prints.into_iter();
        writer
            .prints
            .extend(prints.map(|print| (print, Origin::Event(number))));
    }
    let rest = inside(busy_until, session.session.close);
    writer.small_prints(rest, (left, left), unseen);
    let tape = writer.finish(symbol, &mut truth);
    (tape, truth)
}

impl Writer<'_> {
    /// The prints of `event`, in its own part of the day and clear of the event before where it can be.
    fn prints_of(&mut self, event: &Event, before: Option<Ts>) -> Vec<Print> {
        let day = &self.session.session;
        let begin = if event.is_extended {
            day.close
        } else {
            day.open
        };
        let clear = before.map_or(begin, |before| before.plus_ns(APART_NS));
        fill::prints(event, begin.max(clear), &mut self.rng)
    }

    pub(super) fn show(&mut self, ts: Ts, quote: Quote) {
        self.quotes.push(TimedQuote { ts, quote });
    }

    fn finish(mut self, symbol: &Arc<str>, truth: &mut [TruthEvent]) -> ContractTape {
        self.prints.sort_by_key(|(print, _)| print.ts);
        self.quotes.sort_by_key(|quote| quote.ts);
        let close = self.session.session.close;
        let cancels = cancels(&self.prints, truth, close, &mut self.rng);
        let counted = |print: &Print| {
            let counts = Class::of(print.conditions).counts && print.correction == 0;
            if counts { print.size } else { 0 }
        };
        let traded: i64 = self.prints.iter().map(|(print, _)| counted(print)).sum();
        let cancelled: i64 = cancels.iter().map(|print| print.size).sum();
        let mut prints: Vec<Print> = self.prints.into_iter().map(|(print, _)| print).collect();
        prints.extend(cancels);
        prints.sort_by_key(|print| print.ts);
        ContractTape {
            symbol: symbol.clone(),
            prints,
            quotes: self.quotes,
            volume: traded - cancelled,
        }
    }
}
