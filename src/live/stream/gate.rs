//! The gate of bars: which minutes of a ticker are known, so that an event is not shown a context that
//! lacks one.
//!
//! A minute without trades has no bar, and nobody says so. It is known to be empty when a later minute
//! of any ticker is there, or when it was waited for long enough.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::time::Ts;

/// Up to when bars are known.
pub struct Gate {
    wait: Duration,
    /// By ticker: the end of its last bar.
    ends: Vec<Ts>,
    /// The end of the last bar of any.
    newest: Ts,
    /// Waited for in vain.
    given_up: Ts,
    waited_since: BTreeMap<Ts, Instant>,
    /// What is known while a hole in the bars is open.
    held_at: Option<Vec<Ts>>,
}

impl Gate {
    pub fn new(tickers: usize, wait: Duration) -> Gate {
        Gate {
            wait,
            ends: vec![Ts::MIN; tickers],
            newest: Ts::MIN,
            given_up: Ts::MIN,
            waited_since: BTreeMap::new(),
            held_at: None,
        }
    }

    /// The ticker's bar that ends at `end` is there; says whether it is later than all before.
    pub fn bar(&mut self, ticker: usize, end: Ts) -> bool {
        let is_later = end > self.ends[ticker];
        self.ends[ticker] = self.ends[ticker].max(end);
        self.newest = self.newest.max(end);
        is_later
    }

    /// The end of the last bar of any ticker.
    pub fn newest(&self) -> Ts {
        self.newest
    }

    /// The stream of bars broke off: what comes now may have holes before it.
    pub fn hold(&mut self) {
        if self.held_at.is_none() {
            let known = (0..self.ends.len()).map(|ticker| self.known_to(ticker));
            self.held_at = Some(known.collect());
        }
    }

    pub fn let_go(&mut self) {
        self.held_at = None;
    }

    /// Nothing will come any more.
    pub fn all_known(&mut self) {
        self.given_up = self.newest;
    }

    pub fn is_held(&self) -> bool {
        self.held_at.is_some()
    }

    /// Up to when the ticker's bars are known.
    pub fn known_to(&self, ticker: usize) -> Ts {
        if let Some(held_at) = &self.held_at {
            return held_at[ticker];
        }
        // The bars of a minute come together, those of the next one after them.
        let complete = match self.newest {
            Ts::MIN => Ts::MIN,
            newest => newest.plus_minutes(-1),
        };
        self.ends[ticker].max(complete).max(self.given_up)
    }

    /// Up to when the ticker's bars have come, with nothing given up.
    pub fn came_to(&self, ticker: usize) -> Ts {
        match (&self.held_at, self.newest) {
            (Some(_), _) | (None, Ts::MIN) => Ts::MIN,
            (None, newest) => self.ends[ticker].max(newest.plus_minutes(-1)),
        }
    }

    /// Somebody waits for these minutes: notes since when, and gives up the ones that were waited for
    /// long enough. Returns those.
    pub fn wait_for(&mut self, minutes: impl IntoIterator<Item = Ts>, now: Instant) -> Vec<Ts> {
        if self.is_held() {
            return Vec::new();
        }
        let wanted: Vec<Ts> = minutes.into_iter().collect();
        self.waited_since
            .retain(|minute, _| wanted.contains(minute));
        let mut given_up = Vec::new();
        for minute in wanted {
            let since = *self.waited_since.entry(minute).or_insert(now);
            if now.duration_since(since) >= self.wait {
                self.waited_since.remove(&minute);
                self.given_up = self.given_up.max(minute);
                given_up.push(minute);
            }
        }
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Ts {
        Ts::from_ns(0).plus_minutes(n)
    }

    #[test]
    fn a_minute_is_known_when_its_bar_or_a_later_one_of_anybody_is_there() {
        let mut gate = Gate::new(2, Duration::from_secs(2));
        gate.bar(0, minute(5));
        assert_eq!((gate.known_to(0), gate.known_to(1)), (minute(5), minute(4)));
        gate.bar(0, minute(6));
        assert_eq!(gate.known_to(1), minute(5));
    }

    #[test]
    fn a_minute_is_not_waited_for_for_ever() {
        let mut gate = Gate::new(1, Duration::from_secs(2));
        let start = Instant::now();
        assert!(gate.wait_for([minute(5)], start).is_empty());
        assert!(
            gate.wait_for([minute(5)], start + Duration::from_secs(1))
                .is_empty()
        );
        let given_up = gate.wait_for([minute(5)], start + Duration::from_secs(2));
        assert_eq!(given_up, [minute(5)]);
        assert_eq!(gate.known_to(0), minute(5));
    }

    #[test]
    fn while_a_hole_is_open_nothing_more_is_known_and_nobody_gives_up() {
        let mut gate = Gate::new(1, Duration::ZERO);
        gate.bar(0, minute(5));
        gate.hold();
        gate.bar(0, minute(9));
        assert_eq!(gate.known_to(0), minute(5));
        assert!(gate.wait_for([minute(9)], Instant::now()).is_empty());
        gate.let_go();
        assert_eq!(gate.known_to(0), minute(9));
    }
}
