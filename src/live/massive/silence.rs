//! Silence: how long no data has come while the session was open.
//!
//! The session is asked about a few times per limit only, so what is measured may be short of the truth
//! by one such step, and too long by one at the opening.

use std::time::Duration;

use tokio::time::Instant;

/// Steps in which the limit is reached.
const STEPS: u32 = 8;

pub(super) struct Silence {
    limit: Duration,
    /// Open time without data, up to `checked`.
    lasted: Duration,
    checked: Instant,
}

impl Silence {
    pub fn new(limit: Duration, now: Instant) -> Silence {
        Silence {
            limit,
            lasted: Duration::ZERO,
            checked: now,
        }
    }

    pub fn broken(&mut self, now: Instant) {
        self.lasted = Duration::ZERO;
        self.checked = now;
    }

    pub fn next_check(&self) -> Instant {
        self.checked + self.limit / STEPS
    }

    /// Whether the limit has been reached.
    pub fn check(&mut self, now: Instant, is_open: bool) -> bool {
        self.lasted = match is_open {
            true => self.lasted + (now - self.checked),
            false => Duration::ZERO,
        };
        self.checked = now;
        self.lasted >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(80);
    const STEP: Duration = Duration::from_secs(10);

    #[test]
    fn only_silence_of_an_open_session_lasts() {
        let start = Instant::now();
        let mut silence = Silence::new(LIMIT, start);
        for step in 1..100 {
            assert!(!silence.check(start + STEP * step, false));
        }
        for step in 100..107 {
            assert!(!silence.check(start + STEP * step, true), "{step}");
        }
        assert!(silence.check(start + STEP * 107, true));
    }

    #[test]
    fn data_breaks_it() {
        let start = Instant::now();
        let mut silence = Silence::new(LIMIT, start);
        assert!(!silence.check(start + STEP * 7, true));
        silence.broken(start + STEP * 8);
        assert_eq!(silence.next_check(), start + STEP * 9);
        assert!(!silence.check(start + STEP * 15, true));
        assert!(silence.check(start + STEP * 16, true));
    }
}
