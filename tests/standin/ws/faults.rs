//! Faults of the sockets: those that a test injects one by one, and those that a plan brings of itself.
//!
//! An injected fault watches one feed. What it counts depends on its kind: requests to authenticate,
//! requests for one item, or frames of data that a client would get. It lets `skip` of them pass and
//! then strikes `times` in a row.
//!
//! ```text
//! SocketFault::on(Feed::Options, Trouble::Reset).skip(2)
//!   frame     1     2     3
//!             told  told  the connection is reset instead
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Feed;

#[derive(Clone, Debug)]
pub struct SocketFault {
    feed: Feed,
    skip: usize,
    times: usize,
    trouble: Trouble,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    // In answer to a key that is right.
    AuthFailed,
    AuthTimeout,

    // In answer to a subscription to this item, such as `T.*`.
    NotAuthorized(String),

    // In place of a frame, which is lost.
    /// The connection is reset, with whatever was still under way.
    Reset,
    /// A close frame with this code.
    Close(u16),
    /// The socket stays open and never says anything again, not even in answer to a ping.
    Silence,
    /// A close frame that calls the client slow.
    SlowConsumer,
    /// As if another process used the key.
    MaxConnections,
    /// All connections are reset and none is let in for a while.
    Gone(Absence),

    // The frame comes, spoiled.
    /// Its first half only.
    BrokenJson,
    /// A field of one message is of another type; the others are good.
    WrongType,

    // The frame comes whole, with more.
    /// Begins with a message of a kind that nobody knows.
    UnknownEvent,
    /// A binary frame goes before.
    Binary,
}

/// How long the server is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Absence {
    /// By the clock of the stream.
    EventTime(Duration),
    /// By the clock on the wall.
    WallTime(Duration),
}

/// What a fault waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment<'a> {
    Auth,
    Item(&'a str),
    Frame,
}

impl Trouble {
    fn strikes_at(&self, moment: Moment) -> bool {
        match self {
            Trouble::AuthFailed | Trouble::AuthTimeout => moment == Moment::Auth,
            Trouble::NotAuthorized(item) => moment == Moment::Item(item),
            _ => moment == Moment::Frame,
        }
    }
}

impl SocketFault {
    /// Strikes once, at the first opportunity.
    pub fn on(feed: Feed, trouble: Trouble) -> SocketFault {
        SocketFault {
            feed,
            skip: 0,
            times: 1,
            trouble,
        }
    }

    pub fn skip(self, skip: usize) -> SocketFault {
        SocketFault { skip, ..self }
    }

    pub fn times(self, times: usize) -> SocketFault {
        SocketFault { times, ..self }
    }
}

/// Faults that come of themselves: the same seed gives the same, at the same instants of event time.
///
/// Pairs are options and stocks, in this order, and counts are those of one session. What is due while
/// nobody listens strikes the next who does, one fault a frame.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub seed: u64,
    pub disconnects: [usize; 2],
    /// The ways in which connections end, drawn at random; resets when there are none.
    pub partings: Vec<Trouble>,
    /// Frames that are spoiled, or to which something foreign is added.
    pub spoiled_frames: [usize; 2],
    /// Share of frames that come again after one to four others.
    pub repeated_frames: f64,
    /// Share of prints and quotes that are held back, and for how many milliseconds of event time at
    /// most. Bars never are.
    pub held_back: f64,
    pub held_back_ms: i64,
    /// Added to every time in a message.
    pub skew_ms: i64,
}

impl Plan {
    /// Random numbers of a day, for one purpose.
    pub(super) fn random(&self, day: i64, purpose: u64) -> Pcg64Mcg {
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ day.cast_unsigned();
        Pcg64Mcg::seed_from_u64(seed.wrapping_add(purpose))
    }

    /// What strikes a feed on which something is told at each of `instants`, in order of time. The
    /// instants are drawn from these, so that faults gather where prints do.
    fn draw(&self, feed: Feed, instants: &[i64]) -> VecDeque<(i64, Trouble)> {
        const SPOILS: [Trouble; 4] = [
            Trouble::BrokenJson,
            Trouble::WrongType,
            Trouble::UnknownEvent,
            Trouble::Binary,
        ];
        let Some(first) = instants.first() else {
            return VecDeque::new();
        };
        let mut random = self.random(*first, feed as u64);
        let mut instant = || instants[random.random_range(0..instants.len())];
        let ends = (0..self.disconnects[feed as usize]).map(|_| (instant(), true));
        let ends: Vec<(i64, bool)> = ends.collect();
        let spoils = (0..self.spoiled_frames[feed as usize]).map(|_| (instant(), false));
        let mut drawn: Vec<(i64, bool)> = ends.into_iter().chain(spoils).collect();
        drawn.sort_by_key(|(ts, _)| *ts);
        let resets = [Trouble::Reset];
        let partings = match self.partings.as_slice() {
            [] => &resets,
            partings => partings,
        };
        let troubles = drawn.into_iter().map(|(ts, is_end)| {
            let kinds = if is_end { partings } else { &SPOILS };
            (ts, kinds[random.random_range(0..kinds.len())].clone())
        });
        troubles.collect()
    }
}

/// Everything that is still to go wrong.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// Each with the number of opportunities it has seen.
    injected: Vec<(SocketFault, usize)>,
    planned: [VecDeque<(i64, Trouble)>; 2],
}

impl Agenda {
    pub fn inject(&mut self, fault: SocketFault) {
        self.injected.push((fault, 0));
    }

    /// Takes up what `plan` has for a session and a feed.
    pub fn plan(&mut self, plan: &Plan, feed: Feed, instants: &[i64]) {
        self.planned[feed as usize].extend(plan.draw(feed, instants));
    }

    /// What strikes a client of `feed` now.
    pub fn strike(&mut self, feed: Feed, moment: Moment, now: i64) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for (fault, seen) in &mut self.injected {
            if fault.feed != feed || !fault.trouble.strikes_at(moment) {
                continue;
            }
            *seen += 1;
            if *seen > fault.skip && *seen - fault.skip <= fault.times {
                troubles.push(fault.trouble.clone());
            }
        }
        let planned = &mut self.planned[feed as usize];
        // One at a time: a connection ends once.
        if moment == Moment::Frame && planned.front().is_some_and(|(ts, _)| *ts <= now) {
            troubles.extend(planned.pop_front().map(|(_, trouble)| trouble));
        }
        troubles
    }
}
