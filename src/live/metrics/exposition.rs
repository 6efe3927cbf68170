//! Exposition: from the gauges to the text Prometheus reads, format 0.0.4.
//!
//! Base units throughout: seconds, and counts that only grow end in `_total`. Every name is there
//! from the first scrape on, so an alarm on a figure never waits for the figure to appear.

use std::fmt::Display;

use crate::live::Feed;
use crate::live::gauges::{Count, Durations, Gauges, Level, Switch};
use crate::strategies::Kind;
use crate::time::SECOND_NS;

/// All of `gauges` as a page.
///
/// One long function because it is one list: a name, what it means, where it comes from.
pub fn render(gauges: &Gauges) -> String {
    // Taken apart by name: a gauge that is added does not compile until it is shown here.
    let Gauges {
        frames,
        dropped_frames,
        malformed,
        unknown_messages,
        prints,
        duplicates,
        late_prints,
        bars,
        events,
        signals,
        trades_closed,
        reconnects,
        gaps_closed,
        gaps_left,
        alerts_sent,
        alerts_dead,
        is_up,
        is_stale,
        is_resting,
        queue_depth,
        alerts_waiting,
        open_positions,
        last_event_ts,
        last_event_at,
        last_alert_at,
        event_lag_ns,
        event_lags,
        clock_skew_ns,
    } = gauges;
    let mut page = Page::default();

    page.count(
        "frames_total",
        "Messages of the sockets, lines of a recording.",
        frames,
    );
    page.count(
        "dropped_frames_total",
        "Frames that found the queue full; their prints are asked for again.",
        dropped_frames,
    );
    page.count(
        "malformed_messages_total",
        "Messages that could not be read.",
        malformed,
    );
    page.count(
        "unknown_messages_total",
        "Messages of a kind this program does not know.",
        unknown_messages,
    );
    page.count("prints_total", "Option prints of the universe.", prints);
    page.count(
        "duplicate_prints_total",
        "Prints that had been seen before.",
        duplicates,
    );
    page.count(
        "late_prints_total",
        "Prints that came after their time had been settled.",
        late_prints,
    );
    page.count("bars_total", "Bars of the underlyings.", bars);
    page.count(
        "events_total",
        "Flow events shown to the strategies.",
        events,
    );
    page.counts(
        "signals_total",
        "Signals given, by strategy.",
        ("kind", Kind::ALL),
        signals,
    );
    page.count(
        "trades_closed_total",
        "Paper trades that ended.",
        trades_closed,
    );
    page.counts(
        "reconnects_total",
        "Connections made again after one was lost.",
        ("feed", Feed::ALL),
        reconnects,
    );
    page.count(
        "gaps_closed_total",
        "Holes in the stream that were filled.",
        gaps_closed,
    );
    page.count(
        "gaps_left_total",
        "Holes in the stream that could not be filled.",
        gaps_left,
    );
    page.count(
        "alerts_sent_total",
        "Alerts their channel took.",
        alerts_sent,
    );
    page.count(
        "alerts_dead_total",
        "Alerts that could not be delivered and were put aside.",
        alerts_dead,
    );

    page.switches(
        "feed_is_up",
        "1 while connected, authenticated and subscribed.",
        is_up,
    );
    page.switches(
        "feed_is_stale",
        "1 when nothing came for too long while the session was open.",
        is_stale,
    );
    page.switch(
        "is_resting",
        "1 between two sessions, when no feed is held open.",
        is_resting,
    );
    page.level(
        "queue_depth",
        "Frames read and not yet worked off.",
        queue_depth,
    );
    page.level(
        "alerts_waiting",
        "Alerts not yet delivered.",
        alerts_waiting,
    );
    page.level(
        "open_positions",
        "Paper positions that are open.",
        open_positions,
    );
    page.seconds(
        "last_event_timestamp_seconds",
        "Stream time of the last event, 0 before the first.",
        last_event_ts,
    );
    page.seconds(
        "last_decision_timestamp_seconds",
        "When the last event was decided on, 0 before the first.",
        last_event_at,
    );
    page.seconds(
        "last_alert_timestamp_seconds",
        "When the last alert was delivered, 0 before the first.",
        last_alert_at,
    );
    page.seconds(
        "event_lag_seconds",
        "From the frame that completed the last event to its decision.",
        event_lag_ns,
    );
    page.durations(
        "decision_seconds",
        "From the frame that completed an event to its decision, of all events.",
        event_lags,
    );
    page.seconds(
        "clock_skew_seconds",
        "How far the stream's clock is ahead of this machine's.",
        clock_skew_ns,
    );
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn count(&mut self, name: &str, help: &str, count: &Count) {
        self.describe(name, "counter", help);
        self.sample(name, count.get());
    }

    fn counts<L: Display>(
        &mut self,
        name: &str,
        help: &str,
        (label, values): (&str, &[L]),
        counts: &[Count],
    ) {
        self.describe(name, "counter", help);
        for (value, count) in values.iter().zip(counts) {
            self.sample(&format!("{name}{{{label}=\"{value}\"}}"), count.get());
        }
    }

    fn switches(&mut self, name: &str, help: &str, switches: &[Switch]) {
        self.describe(name, "gauge", help);
        for (feed, switch) in Feed::ALL.iter().zip(switches) {
            let sample = format!("{name}{{feed=\"{feed}\"}}");
            self.sample(&sample, u8::from(switch.is_on()));
        }
    }

    fn switch(&mut self, name: &str, help: &str, switch: &Switch) {
        self.describe(name, "gauge", help);
        self.sample(name, u8::from(switch.is_on()));
    }

    fn level(&mut self, name: &str, help: &str, level: &Level) {
        self.describe(name, "gauge", help);
        self.sample(name, level.get());
    }

    /// A level kept in nanoseconds.
    fn seconds(&mut self, name: &str, help: &str, level: &Level) {
        self.describe(name, "gauge", help);
        self.sample(name, in_seconds(level.get()));
    }

    fn durations(&mut self, name: &str, help: &str, durations: &Durations) {
        self.describe(name, "histogram", help);
        let counts = durations.cumulative();
        for (bound, count) in Durations::BOUNDS_NS.iter().zip(counts) {
            let bound = in_seconds(*bound as i64);
            self.sample(&format!("{name}_bucket{{le=\"{bound}\"}}"), count);
        }
        let all = counts[counts.len() - 1];
        self.sample(&format!("{name}_bucket{{le=\"+Inf\"}}"), all);
        self.sample(
            &format!("{name}_sum"),
            in_seconds(durations.sum_ns() as i64),
        );
        self.sample(&format!("{name}_count"), all);
    }

    fn describe(&mut self, name: &str, kind: &str, help: &str) {
        self.text += &format!("# HELP flowlab_{name} {help}\n# TYPE flowlab_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, value: impl Display) {
        self.text += &format!("flowlab_{name} {value}\n");
    }
}

/// Digit by digit: a float has too few of them for a time in nanoseconds.
fn in_seconds(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let (whole, rest) = (ns / SECOND_NS, ns % SECOND_NS);
    let text = format!("{sign}{}.{:09}", whole.abs(), rest.abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;

    #[test]
    fn a_running_stream_as_prometheus_reads_it() {
        let gauges = Gauges::default();
        gauges.frames.add(1_000_000);
        gauges.events.add(48_210);
        gauges.signals_of(Kind::Scalp).add(12);
        gauges.signals_of(Kind::Swing).add(1);
        gauges.reconnects[Feed::Stocks as usize].add(2);
        gauges.is_up[Feed::Options as usize].set(true);
        gauges.is_stale[Feed::Stocks as usize].set(true);
        gauges.queue_depth.set(7);
        gauges.open_positions.set(4);
        gauges.last_event_ts.set(1_741_959_000_250_000_000);
        gauges.last_alert_at.set(1_741_959_001_000_000_000);
        gauges.event_lag_ns.set(850_000);
        gauges.clock_skew_ns.set(-1_500_000_000);
        expect![[r##"
            # HELP flowlab_frames_total Messages of the sockets, lines of a recording.
            # TYPE flowlab_frames_total counter
            flowlab_frames_total 1000000
            # HELP flowlab_dropped_frames_total Frames that found the queue full; their prints are asked for again.
            # TYPE flowlab_dropped_frames_total counter
            flowlab_dropped_frames_total 0
            # HELP flowlab_malformed_messages_total Messages that could not be read.
            # TYPE flowlab_malformed_messages_total counter
            flowlab_malformed_messages_total 0
            # HELP flowlab_unknown_messages_total Messages of a kind this program does not know.
            # TYPE flowlab_unknown_messages_total counter
            flowlab_unknown_messages_total 0
            # HELP flowlab_prints_total Option prints of the universe.
            # TYPE flowlab_prints_total counter
            flowlab_prints_total 0
            # HELP flowlab_duplicate_prints_total Prints that had been seen before.
            # TYPE flowlab_duplicate_prints_total counter
            flowlab_duplicate_prints_total 0
            # HELP flowlab_late_prints_total Prints that came after their time had been settled.
            # TYPE flowlab_late_prints_total counter
            flowlab_late_prints_total 0
            # HELP flowlab_bars_total Bars of the underlyings.
            # TYPE flowlab_bars_total counter
            flowlab_bars_total 0
            # HELP flowlab_events_total Flow events shown to the strategies.
            # TYPE flowlab_events_total counter
            flowlab_events_total 48210
            # HELP flowlab_signals_total Signals given, by strategy.
            # TYPE flowlab_signals_total counter
            flowlab_signals_total{kind="SCALP"} 12
            flowlab_signals_total{kind="DAY_TRADE"} 0
            flowlab_signals_total{kind="SWING"} 1
            # HELP flowlab_trades_closed_total Paper trades that ended.
            # TYPE flowlab_trades_closed_total counter
            flowlab_trades_closed_total 0
            # HELP flowlab_reconnects_total Connections made again after one was lost.
            # TYPE flowlab_reconnects_total counter
            flowlab_reconnects_total{feed="options"} 0
            flowlab_reconnects_total{feed="stocks"} 2
            # HELP flowlab_gaps_closed_total Holes in the stream that were filled.
            # TYPE flowlab_gaps_closed_total counter
            flowlab_gaps_closed_total 0
            # HELP flowlab_gaps_left_total Holes in the stream that could not be filled.
            # TYPE flowlab_gaps_left_total counter
            flowlab_gaps_left_total 0
            # HELP flowlab_alerts_sent_total Alerts their channel took.
            # TYPE flowlab_alerts_sent_total counter
            flowlab_alerts_sent_total 0
            # HELP flowlab_alerts_dead_total Alerts that could not be delivered and were put aside.
            # TYPE flowlab_alerts_dead_total counter
            flowlab_alerts_dead_total 0
            # HELP flowlab_feed_is_up 1 while connected, authenticated and subscribed.
            # TYPE flowlab_feed_is_up gauge
            flowlab_feed_is_up{feed="options"} 1
            flowlab_feed_is_up{feed="stocks"} 0
            # HELP flowlab_feed_is_stale 1 when nothing came for too long while the session was open.
            # TYPE flowlab_feed_is_stale gauge
            flowlab_feed_is_stale{feed="options"} 0
            flowlab_feed_is_stale{feed="stocks"} 1
            # HELP flowlab_is_resting 1 between two sessions, when no feed is held open.
            # TYPE flowlab_is_resting gauge
            flowlab_is_resting 0
            # HELP flowlab_queue_depth Frames read and not yet worked off.
            # TYPE flowlab_queue_depth gauge
            flowlab_queue_depth 7
            # HELP flowlab_alerts_waiting Alerts not yet delivered.
            # TYPE flowlab_alerts_waiting gauge
            flowlab_alerts_waiting 0
            # HELP flowlab_open_positions Paper positions that are open.
            # TYPE flowlab_open_positions gauge
            flowlab_open_positions 4
            # HELP flowlab_last_event_timestamp_seconds Stream time of the last event, 0 before the first.
            # TYPE flowlab_last_event_timestamp_seconds gauge
            flowlab_last_event_timestamp_seconds 1741959000.25
            # HELP flowlab_last_decision_timestamp_seconds When the last event was decided on, 0 before the first.
            # TYPE flowlab_last_decision_timestamp_seconds gauge
            flowlab_last_decision_timestamp_seconds 0
            # HELP flowlab_last_alert_timestamp_seconds When the last alert was delivered, 0 before the first.
            # TYPE flowlab_last_alert_timestamp_seconds gauge
            flowlab_last_alert_timestamp_seconds 1741959001
            # HELP flowlab_event_lag_seconds From the frame that completed the last event to its decision.
            # TYPE flowlab_event_lag_seconds gauge
            flowlab_event_lag_seconds 0.00085
            # HELP flowlab_decision_seconds From the frame that completed an event to its decision, of all events.
            # TYPE flowlab_decision_seconds histogram
            flowlab_decision_seconds_bucket{le="0.0001"} 0
            flowlab_decision_seconds_bucket{le="0.00025"} 0
            flowlab_decision_seconds_bucket{le="0.0005"} 0
            flowlab_decision_seconds_bucket{le="0.001"} 0
            flowlab_decision_seconds_bucket{le="0.002"} 0
            flowlab_decision_seconds_bucket{le="0.003"} 0
            flowlab_decision_seconds_bucket{le="0.004"} 0
            flowlab_decision_seconds_bucket{le="0.005"} 0
            flowlab_decision_seconds_bucket{le="0.01"} 0
            flowlab_decision_seconds_bucket{le="0.025"} 0
            flowlab_decision_seconds_bucket{le="0.05"} 0
            flowlab_decision_seconds_bucket{le="0.1"} 0
            flowlab_decision_seconds_bucket{le="0.5"} 0
            flowlab_decision_seconds_bucket{le="1"} 0
            flowlab_decision_seconds_bucket{le="10"} 0
            flowlab_decision_seconds_bucket{le="60"} 0
            flowlab_decision_seconds_bucket{le="+Inf"} 0
            flowlab_decision_seconds_sum 0
            flowlab_decision_seconds_count 0
            # HELP flowlab_clock_skew_seconds How far the stream's clock is ahead of this machine's.
            # TYPE flowlab_clock_skew_seconds gauge
            flowlab_clock_skew_seconds -1.5
        "##]].assert_eq(&render(&gauges));
    }

    #[test]
    fn nanoseconds_are_seconds_to_the_last_digit() {
        assert_eq!(in_seconds(0), "0");
        assert_eq!(in_seconds(10 * SECOND_NS), "10");
        assert_eq!(in_seconds(-1), "-0.000000001");
        assert_eq!(
            in_seconds(1_741_959_000_123_456_789),
            "1741959000.123456789"
        );
    }

    /// Three lines in order for every name, no name twice, every value a number.
    #[test]
    fn a_name_is_described_once_and_before_its_samples() {
        let page = render(&Gauges::default());
        let mut described = BTreeSet::new();
        let (mut current, mut is_histogram) = ("", false);
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                current = help.split(' ').next().unwrap();
                assert!(described.insert(current), "{current} is described twice");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let expected = match current {
                    "flowlab_decision_seconds" => "histogram",
                    name if name.ends_with("_total") => "counter",
                    _ => "gauge",
                };
                is_histogram = expected == "histogram";
                assert_eq!(kind, format!("{current} {expected}"));
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let name = name.split('{').next().unwrap();
                let parts = ["_bucket", "_sum", "_count"];
                let part = name.strip_prefix(current).unwrap();
                assert!(part.is_empty() != is_histogram, "{line}");
                assert!(part.is_empty() || parts.contains(&part), "{line}");
                assert_eq!(value.parse::<f64>(), Ok(0.0), "{line}");
            }
        }
        assert!(page.ends_with('\n'), "the format wants a last line feed");
    }
}
