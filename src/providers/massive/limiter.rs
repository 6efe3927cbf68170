//! Pace: how soon the next call may go, from what the calls before it were told.
//!
//! All threads share one pace. It starts at the configured maximum, a refusal (429) halves it and
//! makes everybody wait, ten answers in a row raise it by a twentieth of the maximum.
//!
//! The smallest plan allows five calls a minute and says so in its refusal, but larger plans may use
//! the same words for a burst. So words are weighed against what was seen: more than twice the small
//! plan's calls answered within its window prove a larger one, and the refusal counts as any other.
//! Otherwise the pace drops to the small plan's at once. When that happens a second time, after the
//! pace had crept up again, it stays there.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How fast calls may follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// Above zero.
    pub max_per_second: f64,
    /// After a refusal that does not say how long to wait.
    pub pause: Duration,
    /// The smallest plan: this many calls within `small_plan_window`.
    pub small_plan_calls: u32,
    pub small_plan_window: Duration,
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing {
            max_per_second: 50.0,
            pause: Duration::from_secs(1),
            small_plan_calls: 5,
            small_plan_window: Duration::from_secs(60),
        }
    }
}

impl Pacing {
    fn small_rate(&self) -> f64 {
        let small = f64::from(self.small_plan_calls) / self.small_plan_window.as_secs_f64();
        small.min(self.max_per_second)
    }
}

/// Answers in a row that raise the pace once.
const STRETCH: u32 = 10;
/// By how much, as a part of the maximum.
const STEP: f64 = 1.0 / 20.0;
/// A thread that wakes up late may catch up this much.
const CREDIT: Duration = Duration::from_millis(100);

pub(super) struct Limiter {
    pacing: Pacing,
    state: Mutex<State>,
}

struct State {
    per_second: f64,
    /// No call before this.
    next: Instant,
    /// The last time the pace was cut. Refusals of calls sent before it belong to the same burst.
    cut: Option<Instant>,
    answers_in_a_row: u32,
    /// How often the small plan was named and believed.
    told_small: u32,
    /// The latest answers, as many as it takes to prove a larger plan.
    answers: VecDeque<Instant>,
}

impl Limiter {
    pub fn new(pacing: Pacing, now: Instant) -> Limiter {
        debug_assert!(pacing.max_per_second > 0.0, "a pace of zero never calls");
        let state = Mutex::new(State {
            per_second: pacing.max_per_second,
            next: now,
            cut: None,
            answers_in_a_row: 0,
            told_small: 0,
            answers: VecDeque::new(),
        });
        Limiter { pacing, state }
    }

    /// Takes the right to send one call now, or says when to ask again. A refusal meanwhile may
    /// move that, so whoever waited asks again.
    pub fn take(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.state();
        if now < state.next {
            return Err(state.next);
        }
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        state.next = state.next.max(earliest) + Duration::from_secs_f64(1.0 / state.per_second);
        Ok(())
    }

    pub fn answered(&self, now: Instant) {
        let mut state = self.state();
        state.answers.push_back(now);
        if state.answers.len() > self.proof() {
            state.answers.pop_front();
        }
        state.answers_in_a_row += 1;
        if state.answers_in_a_row.is_multiple_of(STRETCH) {
            let ceiling = if state.told_small < 2 {
                self.pacing.max_per_second
            } else {
                self.pacing.small_rate()
            };
            let raised = state.per_second + self.pacing.max_per_second * STEP;
            state.per_second = raised.min(ceiling);
        }
    }

    /// A call that was `sent` came back with 429, with the wait it asked for, if any.
    pub fn refused(
        &self,
        sent: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        names_minutes: bool,
    ) {
        let mut state = self.state();
        let is_small = names_minutes && !self.is_larger(&state, now);
        let pause = retry_after.unwrap_or(if is_small {
            self.pacing.small_plan_window
        } else {
            self.pacing.pause
        });
        state.next = state.next.max(now + pause);
        if state.cut.is_some_and(|cut| sent <= cut) {
            return;
        }
        state.cut = Some(now);
        state.answers_in_a_row = 0;
        if is_small {
            state.told_small += 1;
            state.per_second = self.pacing.small_rate();
        } else {
            state.per_second = (state.per_second / 2.0).max(self.pacing.small_rate());
        }
    }

    /// A window may begin between two calls, so that twice its calls go through within its length.
    fn proof(&self) -> usize {
        2 * self.pacing.small_plan_calls as usize + 1
    }

    fn is_larger(&self, state: &State, now: Instant) -> bool {
        state.answers.len() == self.proof()
            && now.duration_since(state.answers[0]) < self.pacing.small_plan_window
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds the pace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limiter and a clock that moves when told to.
    struct Bench {
        limiter: Limiter,
        now: Instant,
    }

    impl Bench {
        fn new() -> Bench {
            let now = Instant::now();
            Bench {
                limiter: Limiter::new(Pacing::default(), now),
                now,
            }
        }

        /// Waits as told, sends, and says after how many milliseconds the call went out.
        fn send(&mut self) -> u128 {
            let before = self.now;
            while let Err(at) = self.limiter.take(self.now) {
                self.now = at;
            }
            self.now.duration_since(before).as_millis()
        }

        fn send_and_answer(&mut self, calls: usize) -> Vec<u128> {
            (0..calls)
                .map(|_| {
                    let waited = self.send();
                    self.limiter.answered(self.now);
                    waited
                })
                .collect()
        }

        fn refuse(&mut self, retry_after: Option<u64>, names_minutes: bool) {
            let wait = retry_after.map(Duration::from_secs);
            self.limiter
                .refused(self.now, self.now, wait, names_minutes);
        }

        /// Milliseconds between the next two calls once the credit is used up.
        fn spacing(&mut self) -> u128 {
            self.send();
            self.send()
        }
    }

    #[test]
    fn calls_are_spaced_by_the_maximum() {
        let mut bench = Bench::new();
        assert_eq!(bench.send_and_answer(4), [0, 20, 20, 20]);
    }

    #[test]
    fn a_late_thread_catches_up_a_little_and_not_an_hour() {
        let mut bench = Bench::new();
        bench.now += Duration::from_secs(3600);
        let waits = bench.send_and_answer(8);
        assert_eq!(waits.iter().filter(|wait| **wait == 0).count(), 6);
    }

    #[test]
    fn a_refusal_halves_the_pace_and_makes_everybody_wait() {
        let mut bench = Bench::new();
        bench.send();
        bench.refuse(None, false);
        assert_eq!(bench.send(), 1000);
        assert_eq!(bench.send(), 40);
        bench.refuse(Some(7), false);
        assert_eq!(bench.send(), 7000);
        assert_eq!(bench.send(), 80);
    }

    #[test]
    fn refusals_of_one_burst_cut_once() {
        let mut bench = Bench::new();
        let sent = bench.now;
        for _ in 0..8 {
            bench.limiter.refused(sent, bench.now, None, true);
        }
        bench.limiter.answered(bench.now);
        assert_eq!(bench.limiter.state().told_small, 1);
        bench.send();
        assert_eq!(bench.send(), 12_000);
    }

    #[test]
    fn the_pace_creeps_back_to_the_maximum_and_not_beyond() {
        let mut bench = Bench::new();
        bench.refuse(None, false);
        bench.send_and_answer(10);
        assert_eq!(bench.spacing(), 36);
        bench.send_and_answer(2000);
        assert_eq!(bench.spacing(), 20);
    }

    #[test]
    fn the_small_plan_is_believed_at_once_and_for_good_the_second_time() {
        let mut bench = Bench::new();
        bench.send_and_answer(5);
        bench.refuse(None, true);
        assert_eq!(bench.send(), 60_000);
        assert_eq!(bench.send(), 12_000);
        bench.send_and_answer(10);
        assert!(bench.spacing() < 1000, "it crept up");
        bench.refuse(None, true);
        bench.send_and_answer(200);
        assert_eq!(bench.spacing(), 12_000);
    }

    #[test]
    fn words_about_minutes_are_not_believed_against_more_calls_than_five_a_minute() {
        let mut bench = Bench::new();
        bench.send_and_answer(11);
        bench.refuse(None, true);
        assert_eq!(bench.send(), 1000);
        assert_eq!(bench.send(), 40);
    }
}
