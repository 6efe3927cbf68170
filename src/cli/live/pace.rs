//! Pace: when the next thing of a replay is due, by the clock of whoever watches.

use std::time::{Duration, Instant};

use super::Speed;
use crate::time::Ts;

/// Longer silences are not waited out.
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

    /// Makes `at` the moment that is due next.
    pub fn turn_to(&mut self, at: Ts) {
        let due = match (self.speed, self.last) {
            (Speed::Times(times), Some((last, due))) => {
                let silence = Duration::from_nanos(at.ns_since(last).max(0) as u64);
                due + silence.min(LONGEST_SILENCE).div_f64(times)
            }
            _ => Instant::now(),
        };
        self.last = Some((at, due));
    }

    /// Nobody waits for what happens at `at`.
    pub fn pass_by(&mut self, at: Ts) {
        self.last = Some((at, Instant::now()));
    }

    /// Waits for a moment, if what is next is not due yet; says whether it was not.
    pub fn waits(&self) -> bool {
        let due = self.last.map(|(_, due)| due);
        let left = due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        });
        std::thread::sleep(left.min(LOOK_FOR_STOP));
        !left.is_zero()
    }

    /// When the last input was told, at a pace that has any meaning.
    pub fn told(&self) -> Option<Instant> {
        let (_, due) = self.last.filter(|_| self.is_real())?;
        Some(due)
    }
}
