//! Words: from a beat to what people read of it.
//!
//! ```text
//!  heartbeat: stocks feed is stale; events 48,210 at 812 a minute, the last 2s ago; … drops 2 (+1), …
//! ```
//!
//! What is wrong with a feed comes first; what rarely happens is only said when it did.

use std::fmt;

use super::{Beat, Grown};
use crate::report::Cell;

impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Cell::count(self.total))?;
        if self.since_last > 0 {
            write!(f, " (+{})", Cell::count(self.since_last))?;
        }
        Ok(())
    }
}

impl Beat {
    /// A short message for a channel, one thing a line; what is wrong stands in the first, where a
    /// phone shows it.
    pub fn text(&self) -> String {
        let mut lines = vec!["flowlab heartbeat".to_owned()];
        if let Some(trouble) = self.trouble() {
            lines[0] += &format!(": {trouble}");
        }
        lines.extend(self.figures());
        lines.join("\n")
    }

    fn trouble(&self) -> Option<String> {
        let down = self.feeds_down.iter();
        let stale = self.feeds_stale.iter();
        let words: Vec<String> = down
            .map(|feed| format!("{feed} feed is down"))
            .chain(stale.map(|feed| format!("{feed} feed is stale")))
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// What is always said, then what is only worth saying when it is not nought.
    fn figures(&self) -> Vec<String> {
        let mut figures = vec![
            self.events_figure(),
            self.signals_figure(),
            format!("open positions {}", Cell::Int(self.open_positions)),
            format!("drops {}, reconnects {}", self.drops, self.reconnects),
        ];
        let rare = [
            ("gaps left open", self.gaps_left),
            ("late prints", self.late_prints),
            ("dead letters", self.alerts_dead),
        ];
        let rare = rare.iter().filter(|(_, count)| count.total > 0);
        figures.extend(rare.map(|(name, count)| format!("{name} {count}")));
        if self.alerts_waiting > 0 {
            figures.push(format!("alerts waiting {}", Cell::Int(self.alerts_waiting)));
        }
        figures
    }

    fn events_figure(&self) -> String {
        let mut text = format!("events {}", Cell::count(self.events.total));
        if let Some(rate) = self.events_per_minute {
            text += &format!(" at {} a minute", whole_unless_small(rate));
        }
        if let Some(age) = self.last_event_age_seconds {
            text += &format!(", the last {} ago", Cell::duration(Some(age)));
        }
        text
    }

    fn signals_figure(&self) -> String {
        let signals = self.signals.iter();
        let signals: Vec<_> = signals
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        format!("signals {}", signals.join(", "))
    }
}

/// A tenth of an event a minute is something in a quiet hour and noise in a busy one.
fn whole_unless_small(rate: f64) -> Cell {
    if rate > 0.0 && rate < 9.95 {
        Cell::float(Some(rate), 1)
    } else {
        Cell::count(rate.round() as u64)
    }
}

/// One line for the log.
impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("heartbeat: ")?;
        if let Some(trouble) = self.trouble() {
            write!(f, "{trouble}; ")?;
        }
        f.write_str(&self.figures().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::live::Feed;
    use crate::strategies::Kind;

    fn grown(total: u64, since_last: u64) -> Grown {
        Grown { total, since_last }
    }

    /// Nothing has happened yet, and nothing is wrong.
    fn quiet() -> Beat {
        Beat {
            feeds_down: Vec::new(),
            feeds_stale: Vec::new(),
            events: Grown::default(),
            events_per_minute: None,
            last_event_age_seconds: None,
            signals: Kind::ALL
                .iter()
                .map(|kind| (*kind, Grown::default()))
                .collect(),
            open_positions: 0,
            drops: Grown::default(),
            reconnects: Grown::default(),
            gaps_left: Grown::default(),
            late_prints: Grown::default(),
            alerts_dead: Grown::default(),
            alerts_waiting: 0,
        }
    }

    fn busy() -> Beat {
        let mut busy = Beat {
            events: grown(48_210, 4_060),
            events_per_minute: Some(812.0),
            last_event_age_seconds: Some(2.0),
            open_positions: 4,
            drops: grown(2, 0),
            reconnects: grown(1, 1),
            ..quiet()
        };
        busy.signals.insert(Kind::Scalp, grown(12, 1));
        busy.signals.insert(Kind::DayTrade, grown(3, 0));
        busy
    }

    fn check(beat: &Beat, line: Expect) {
        line.assert_eq(&beat.to_string());
    }

    #[test]
    fn a_line_says_how_much_there_was_and_what_is_new() {
        check(
            &busy(),
            expect![
                "heartbeat: events 48,210 at 812 a minute, the last 2s ago; signals SCALP 12 (+1), DAY_TRADE 3, SWING 0; open positions 4; drops 2, reconnects 1 (+1)"
            ],
        );
    }

    #[test]
    fn a_channel_gets_the_same_line_by_line() {
        expect![[r#"
            flowlab heartbeat
            events 48,210 at 812 a minute, the last 2s ago
            signals SCALP 12 (+1), DAY_TRADE 3, SWING 0
            open positions 4
            drops 2, reconnects 1 (+1)"#]]
        .assert_eq(&busy().text());
    }

    #[test]
    fn before_the_first_event_there_is_no_last_one() {
        check(
            &quiet(),
            expect![
                "heartbeat: events 0; signals SCALP 0, DAY_TRADE 0, SWING 0; open positions 0; drops 0, reconnects 0"
            ],
        );
    }

    #[test]
    fn a_feed_that_is_down_or_stale_is_said_first() {
        let beat = Beat {
            feeds_down: vec![Feed::Options],
            feeds_stale: vec![Feed::Stocks],
            ..quiet()
        };
        check(
            &beat,
            expect![
                "heartbeat: options feed is down, stocks feed is stale; events 0; signals SCALP 0, DAY_TRADE 0, SWING 0; open positions 0; drops 0, reconnects 0"
            ],
        );
        let text = beat.text();
        expect!["flowlab heartbeat: options feed is down, stocks feed is stale"]
            .assert_eq(text.lines().next().unwrap());
    }

    #[test]
    fn what_rarely_happens_is_said_when_it_did() {
        let beat = Beat {
            gaps_left: grown(1, 1),
            late_prints: grown(1_200, 0),
            alerts_dead: grown(2, 2),
            alerts_waiting: 5,
            ..quiet()
        };
        check(
            &beat,
            expect![
                "heartbeat: events 0; signals SCALP 0, DAY_TRADE 0, SWING 0; open positions 0; drops 0, reconnects 0; gaps left open 1 (+1); late prints 1,200; dead letters 2 (+2); alerts waiting 5"
            ],
        );
    }

    #[test]
    fn a_slow_stream_has_tenths_of_an_event_a_minute() {
        let line = |rate| {
            let beat = Beat {
                events_per_minute: Some(rate),
                ..quiet()
            };
            beat.events_figure()
        };
        assert_eq!(line(0.0), "events 0 at 0 a minute");
        assert_eq!(line(0.5), "events 0 at 0.5 a minute");
        assert_eq!(line(9.96), "events 0 at 10 a minute");
        assert_eq!(line(12_345.6), "events 0 at 12,346 a minute");
    }
}
