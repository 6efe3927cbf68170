//! Pace: from the count of events, looked at now and then, to events per minute.

use std::collections::VecDeque;
use std::time::Duration;

/// The stretch that the figure speaks of.
const WINDOW: Duration = Duration::from_secs(60);
/// Below this a rate is chance.
const LEAST: Duration = Duration::from_secs(1);

/// Looks at a count over the last minute, oldest first.
#[derive(Debug, Default)]
pub struct Pace {
    looks: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Remembers that the count stood at `events` after `running_for`.
    pub fn look(&mut self, running_for: Duration, events: u64) {
        let is_early = |last: &(Duration, u64)| running_for < last.0 + LEAST;
        if self.looks.back().is_some_and(is_early) {
            return;
        }
        self.looks.push_back((running_for, events));
        // One look is kept from before the window, so that the figure always covers all of it.
        while self.looks.len() > 2 && running_for.saturating_sub(self.looks[1].0) >= WINDOW {
            self.looks.pop_front();
        }
    }

    /// `None` until there is a second to speak of.
    pub fn per_minute(&self) -> Option<u64> {
        let (&(from, before), &(to, after)) = (self.looks.front()?, self.looks.back()?);
        let seconds = to.saturating_sub(from).as_secs_f64();
        (seconds > 0.0).then(|| (after.saturating_sub(before) as f64 * 60.0 / seconds) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(looks: &[(u64, u64)]) -> Pace {
        let mut pace = Pace::default();
        for &(seconds, events) in looks {
            pace.look(Duration::from_secs(seconds), events);
        }
        pace
    }

    #[test]
    fn one_look_makes_no_rate() {
        assert_eq!(pace(&[]).per_minute(), None);
        assert_eq!(pace(&[(5, 100)]).per_minute(), None);
    }

    #[test]
    fn a_young_stream_is_scaled_up_to_a_minute() {
        assert_eq!(pace(&[(0, 0), (10, 50)]).per_minute(), Some(300));
    }

    #[test]
    fn only_the_last_minute_counts() {
        assert_eq!(
            pace(&[(0, 0), (60, 6_000), (90, 6_000), (120, 6_010)]).per_minute(),
            Some(10)
        );
    }
}
