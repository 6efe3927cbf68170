//! Heartbeat: from the gauges and the clock to a few words on how the stream does.
//!
//! ```text
//!  Gauges, now ──beat──▶ Beat ──words──▶ a line for the log, a message for a channel
//!                         └──serde─────▶ fields for a structured log
//! ```
//!
//! Counts run from the start of the stream, and what came since the beat before stands behind them.
//! One message says how much there was and whether it is still going on.

mod words;

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use super::{Feed, Gauges};
use crate::strategies::Kind;
use crate::time::{SECOND_NS, Ts};

/// Remembers the last beat, and nothing else.
#[derive(Debug)]
pub struct Heartbeat {
    /// Those the source has; of others nothing is expected.
    feeds: Vec<Feed>,
    totals: Totals,
    at: Instant,
}

/// How the stream does at one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beat {
    pub feeds_down: Vec<Feed>,
    /// Connected, but nothing comes.
    pub feeds_stale: Vec<Feed>,
    pub events: Grown,
    /// Since the last beat; `None` when no time has passed.
    pub events_per_minute: Option<f64>,
    /// `None` before the first event.
    pub last_event_age_seconds: Option<f64>,
    pub signals: BTreeMap<Kind, Grown>,
    pub open_positions: i64,
    pub drops: Grown,
    pub reconnects: Grown,
    pub gaps_left: Grown,
    pub late_prints: Grown,
    pub alerts_dead: Grown,
    pub alerts_waiting: i64,
}

/// A count that only grows, and by how much it did since the last beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grown {
    pub total: u64,
    pub since_last: u64,
}

/// The counts of one beat, kept for the next.
#[derive(Clone, Copy, Debug)]
struct Totals {
    events: u64,
    signals: [u64; Kind::ALL.len()],
    drops: u64,
    reconnects: u64,
    gaps_left: u64,
    late_prints: u64,
    alerts_dead: u64,
}

impl Heartbeat {
    /// The first beat counts from here: what `gauges` already hold came before it.
    pub fn new(feeds: Vec<Feed>, gauges: &Gauges, now_instant: Instant) -> Heartbeat {
        Heartbeat {
            feeds,
            totals: Totals::of(gauges),
            at: now_instant,
        }
    }

    /// `now` is the wall's clock, as the time of the last event is; the rate is measured by
    /// `now_instant`, which nobody can put back.
    pub fn beat(&mut self, gauges: &Gauges, now: Ts, now_instant: Instant) -> Beat {
        let before = std::mem::replace(&mut self.totals, Totals::of(gauges));
        let minutes = now_instant.saturating_duration_since(self.at).as_secs_f64() / 60.0;
        self.at = now_instant;

        let grown = |count: fn(&Totals) -> u64| Grown::between(count(&before), count(&self.totals));
        let events = grown(|totals| totals.events);
        Beat {
            feeds_down: self.feeds_that(|feed| is_down(gauges, feed)),
            feeds_stale: self.feeds_that(|feed| is_stale(gauges, feed)),
            events,
            events_per_minute: (minutes > 0.0).then(|| events.since_last as f64 / minutes),
            last_event_age_seconds: last_event_age_seconds(gauges, now),
            signals: self.signals_since(&before),
            open_positions: gauges.open_positions.get(),
            drops: grown(|totals| totals.drops),
            reconnects: grown(|totals| totals.reconnects),
            gaps_left: grown(|totals| totals.gaps_left),
            late_prints: grown(|totals| totals.late_prints),
            alerts_dead: grown(|totals| totals.alerts_dead),
            alerts_waiting: gauges.alerts_waiting.get(),
        }
    }

    fn feeds_that(&self, wanted: impl Fn(Feed) -> bool) -> Vec<Feed> {
        let feeds = self.feeds.iter().copied();
        feeds.filter(|feed| wanted(*feed)).collect()
    }

    fn signals_since(&self, before: &Totals) -> BTreeMap<Kind, Grown> {
        let counts = before.signals.iter().zip(&self.totals.signals);
        let grown = counts.map(|(before, now)| Grown::between(*before, *now));
        Kind::ALL.iter().copied().zip(grown).collect()
    }
}

fn is_down(gauges: &Gauges, feed: Feed) -> bool {
    !gauges.is_up[feed as usize].is_on()
}

/// A feed that is down is silent too, and one word for it is enough.
fn is_stale(gauges: &Gauges, feed: Feed) -> bool {
    !is_down(gauges, feed) && gauges.is_stale[feed as usize].is_on()
}

/// Never negative, even after somebody has put the clock back.
fn last_event_age_seconds(gauges: &Gauges, now: Ts) -> Option<f64> {
    let last = gauges.last_event_at.get();
    (last != 0).then(|| now.ns_since(Ts::from_ns(last)).max(0) as f64 / SECOND_NS as f64)
}

impl Totals {
    fn of(gauges: &Gauges) -> Totals {
        Totals {
            events: gauges.events.get(),
            signals: gauges.signals.each_ref().map(|count| count.get()),
            drops: gauges.drops(),
            reconnects: gauges.reconnects_in_all(),
            gaps_left: gauges.gaps_left.get(),
            late_prints: gauges.late_prints.get(),
            alerts_dead: gauges.alerts_dead.get(),
        }
    }
}

impl Grown {
    fn between(before: u64, now: u64) -> Grown {
        Grown {
            total: now,
            since_last: now - before,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::*;

    const NOON: Ts = Ts::from_ns(1_741_968_000 * SECOND_NS);
    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    /// A stream with both feeds up.
    fn running() -> Gauges {
        let gauges = Gauges::default();
        for is_up in &gauges.is_up {
            is_up.set(true);
        }
        gauges
    }

    /// A heartbeat of both feeds, and when it began.
    fn heartbeat(gauges: &Gauges) -> (Heartbeat, Instant) {
        let start = Instant::now();
        (Heartbeat::new(Feed::ALL.to_vec(), gauges, start), start)
    }

    /// The second of two beats five minutes apart.
    fn busy_morning() -> Beat {
        let gauges = running();
        let (mut heartbeat, start) = heartbeat(&gauges);
        gauges.events.add(44_150);
        gauges.signals_of(Kind::Scalp).add(11);
        gauges.signals_of(Kind::DayTrade).add(3);
        gauges.dropped_frames.add(2);
        heartbeat.beat(&gauges, NOON, start + FIVE_MINUTES);
        gauges.events.add(4_060);
        gauges.signals_of(Kind::Scalp).add(1);
        gauges.reconnects[Feed::Stocks as usize].add(1);
        gauges.open_positions.set(4);
        gauges.last_event_at.set(NOON.plus_seconds(298).ns());
        heartbeat.beat(&gauges, NOON.plus_seconds(300), start + 2 * FIVE_MINUTES)
    }

    #[test]
    fn a_structured_log_gets_fields() {
        let json = serde_json::to_string_pretty(&busy_morning()).unwrap();
        expect![[r#"
            {
              "feeds_down": [],
              "feeds_stale": [],
              "events": {
                "total": 48210,
                "since_last": 4060
              },
              "events_per_minute": 812.0,
              "last_event_age_seconds": 2.0,
              "signals": {
                "SCALP": {
                  "total": 12,
                  "since_last": 1
                },
                "DAY_TRADE": {
                  "total": 3,
                  "since_last": 0
                },
                "SWING": {
                  "total": 0,
                  "since_last": 0
                }
              },
              "open_positions": 4,
              "drops": {
                "total": 2,
                "since_last": 0
              },
              "reconnects": {
                "total": 1,
                "since_last": 1
              },
              "gaps_left": {
                "total": 0,
                "since_last": 0
              },
              "late_prints": {
                "total": 0,
                "since_last": 0
              },
              "alerts_dead": {
                "total": 0,
                "since_last": 0
              },
              "alerts_waiting": 0
            }"#]]
        .assert_eq(&json);
    }

    #[test]
    fn a_feed_is_down_or_stale_but_not_both() {
        let gauges = running();
        let (mut heartbeat, start) = heartbeat(&gauges);
        gauges.is_up[Feed::Options as usize].set(false);
        gauges.is_stale[Feed::Options as usize].set(true);
        gauges.is_stale[Feed::Stocks as usize].set(true);
        let beat = heartbeat.beat(&gauges, NOON, start);
        assert_eq!(beat.feeds_down, [Feed::Options]);
        assert_eq!(beat.feeds_stale, [Feed::Stocks]);
    }

    #[test]
    fn a_source_without_feeds_has_none_that_are_down() {
        let gauges = Gauges::default();
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Vec::new(), &gauges, start);
        let beat = heartbeat.beat(&gauges, NOON, start);
        assert_eq!(beat.feeds_down, []);
    }

    #[test]
    fn what_was_there_at_the_start_is_not_new() {
        let gauges = running();
        gauges.events.add(500);
        let (mut heartbeat, start) = heartbeat(&gauges);
        gauges.events.add(10);
        let beat = heartbeat.beat(&gauges, NOON, start + FIVE_MINUTES);
        let expected = Grown {
            total: 510,
            since_last: 10,
        };
        assert_eq!(beat.events, expected);
        assert_eq!(beat.events_per_minute, Some(2.0));
    }

    #[test]
    fn without_time_there_is_no_rate() {
        let gauges = running();
        let (mut heartbeat, start) = heartbeat(&gauges);
        gauges.events.add(10);
        assert_eq!(heartbeat.beat(&gauges, NOON, start).events_per_minute, None);
    }

    #[test]
    fn a_clock_that_was_put_back_makes_no_event_come_from_the_future() {
        let gauges = running();
        let (mut heartbeat, start) = heartbeat(&gauges);
        gauges.last_event_at.set(NOON.plus_seconds(3600).ns());
        let beat = heartbeat.beat(&gauges, NOON, start);
        assert_eq!(beat.last_event_age_seconds, Some(0.0));
    }
}
