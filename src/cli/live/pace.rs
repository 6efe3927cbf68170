//! Pace: when the next thing of a replay is due, by the clock of whoever watches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Speed;
use crate::time::Ts;

/// Longer silences are not waited out: nights, weekends, holidays.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How long nobody looks whether it is time to stop.
pub const LOOK_FOR_STOP: Duration = Duration::from_millis(50);

/// When the next input is due.
pub struct Pace {
    speed: Speed,
    /// Stream time of the last input, and when it was due.
    last: Option<(Ts, Instant)>,
}

impl Pace {
    pub fn new(speed: Speed) -> Pace {
        Pace { speed, last: None }
    }

    /// Whether it waits at all.
    pub fn is_real(&self) -> bool {
        self.speed != Speed::Max
    }

    /// Waits until `at` is due; false when it was told to stop.
    pub fn wait(&mut self, at: Ts, stop: &AtomicBool) -> bool {
        let now = Instant::now();
        let due = match (self.speed, self.last) {
            (Speed::Times(times), Some((last, due))) => {
                let silence = Duration::from_nanos(at.ns_since(last).max(0) as u64);
                due + silence.min(LONGEST_SILENCE).div_f64(times)
            }
            _ => now,
        };
        self.last = Some((at, due));
        while !stop.load(Ordering::Relaxed) {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LOOK_FOR_STOP));
        }
        false
    }

    /// When the last input was told, at a pace that has any meaning.
    pub fn told(&self) -> Option<Instant> {
        let (_, due) = self.last.filter(|_| self.is_real())?;
        Some(due)
    }
}
