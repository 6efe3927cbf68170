//! The planted edge: which flow knows something, and what the price then does.
//!
//! **Who is informed.** A sweep (`is_sweep`) that is aggressive (`is_aggressive`), not multi-leg, of at
//! least 50 000 dollars, on a contract with `dte` ≤ 2, printed in the regular session with at least
//! 40 minutes to its close. Every event with these features is informed and no other is; each
//! ticker has two to six of them in a full session (at most one for every 32 minutes, none while its
//! nearest expiry is more than two days away), so that at most one is at work at a time.
//!
//! **What follows.** With `edge_pct` = X, direction d (+1 for a bought call or a sold put, −1 for a
//! bought put or a sold call) and an event printed at `ts` within minute e:
//!
//! ```text
//!             ts   available_at = ts + 250 ms
//!  ───────────┼─────┼──┬───────────────────────────────────────┬──────────▶
//!   minute e  │ jump   │ minutes e+1 … e+30                    │ martingale again,
//!             │ X/2 %  │ drift, X % in all, even in log price  │ nothing given back
//! ```
//!
//! Right after `ts` the price is multiplied by 1 + d·X/200: already gone when the event becomes
//! available. Then each of the 30 minutes adds ln(1 + d·X/100)/30 to the log price. Both are put on
//! top of a martingale. Hence the mean over informed events of d·(close/open − 1), from the open of
//! the first minute bar that starts at or after `available_at` to the close of the bar that ends 30
//! minutes later, is X % before costs. Entering at the event's own price earns
//! about X/2 more, and nobody can do that.
//!
//! With X = 0 the same events exist, with the same times, sides and features, and know nothing.
//! Directions are fair coins, independent across events and tickers. Prints of all other kinds
//! choose theirs without looking at the price, so they earn nothing, except what follows from being
//! filtered by a trend that an informed event has set going.

use std::ops::Range;

use rand::RngExt;

use super::random::{Stream, chance};

pub(super) const MIN_NOTIONAL: f64 = 50_000.0;
pub(super) const MAX_DTE: i64 = 2;
pub(super) const MIN_MINUTES_LEFT: usize = 40;
pub(super) const DRIFT_MINUTES: usize = 30;

/// An informed event uses its own minute and the thirty after it; one more keeps neighbours apart.
const SPACING: usize = DRIFT_MINUTES + 2;
/// No informed event in the first minutes: nothing is known of the day yet.
const FIRST_MINUTE: usize = 5;
/// Offsets stay below the minute's last 300 ms, so the event is available within its minute.
const LAST_OFFSET_MS: u32 = 59_700;

/// One informed event before it has a contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Informed {
    pub minute: usize,
    pub offset_ms: u32,
    pub is_bullish: bool,
    pub is_call: bool,
}

impl Informed {
    fn sign(&self) -> f64 {
        if self.is_bullish { 1.0 } else { -1.0 }
    }

    /// What the price is multiplied by right after the event.
    pub(super) fn jump(&self, edge_pct: f64) -> f64 {
        1.0 + self.sign() * edge_pct / 200.0
    }

    /// What each minute of [`Informed::drift_minutes`] adds to the log price.
    pub(super) fn drift_per_minute(&self, edge_pct: f64) -> f64 {
        (1.0 + self.sign() * edge_pct / 100.0).ln() / DRIFT_MINUTES as f64
    }

    pub(super) fn drift_minutes(&self) -> Range<usize> {
        self.minute + 1..self.minute + 1 + DRIFT_MINUTES
    }

    /// The event's minute and its drift: the bars a test of the edge needs, so none is missing.
    pub(super) fn window(&self) -> Range<usize> {
        self.minute..self.drift_minutes().end
    }
}

/// Chooses the informed events of a session of `minutes` minutes, earliest first. Those that would
/// run into the `halt` are left out.
pub(super) fn choose(
    rng: &mut Stream,
    minutes: usize,
    is_busy: bool,
    halt: &Range<usize>,
) -> Vec<Informed> {
    let wanted = if is_busy {
        rng.random_range(4..=6)
    } else {
        rng.random_range(2..=4)
    };
    let count = (wanted * minutes).div_ceil(390);
    let last = minutes - MIN_MINUTES_LEFT - 1;
    let room = last - FIRST_MINUTE - (count - 1) * SPACING;
    let mut starts: Vec<usize> = (0..count).map(|_| rng.random_range(0..=room)).collect();
    starts.sort_unstable();
    let informed = starts.iter().enumerate().map(|(i, start)| Informed {
        minute: FIRST_MINUTE + start + i * SPACING,
        offset_ms: rng.random_range(0..LAST_OFFSET_MS),
        is_bullish: chance(rng, 0.5),
        is_call: chance(rng, 0.6),
    });
    informed
        .filter(|i| i.window().end <= halt.start || halt.end <= i.minute)
        .collect()
}

/// The visible features of an event that decide whether it is informed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    pub is_sweep: bool,
    pub is_aggressive: bool,
    pub is_multi_leg: bool,
    pub notional: f64,
    pub dte: i64,
    /// From the event to the close; negative after it.
    pub milliseconds_left: i64,
}

impl Features {
    pub(super) fn are_informed(&self) -> bool {
        self.is_sweep
            && self.is_aggressive
            && !self.is_multi_leg
            && self.notional >= MIN_NOTIONAL
            && self.dte <= MAX_DTE
            && self.milliseconds_left >= MIN_MINUTES_LEFT as i64 * 60_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::random::character;

    #[test]
    fn informed_windows_neither_overlap_nor_run_past_the_close() {
        let mut rng = character("edge");
        for round in 0..2_000 {
            let minutes = if round % 5 == 0 { 210 } else { 390 };
            let chosen = choose(&mut rng, minutes, round % 2 == 0, &(100..125));
            assert!(chosen.windows(2).all(|w| w[0].window().end <= w[1].minute));
            assert!(chosen.iter().all(|i| i.minute + MIN_MINUTES_LEFT < minutes));
            assert!(
                chosen
                    .iter()
                    .all(|i| i.window().end <= 100 || i.minute >= 125)
            );
        }
    }

    #[test]
    fn jump_and_drift_give_simple_returns_of_the_stated_size() {
        let event = |is_bullish| Informed {
            minute: 9,
            offset_ms: 0,
            is_bullish,
            is_call: true,
        };
        for (is_bullish, total) in [(true, 1.006_f64), (false, 0.994)] {
            let drift = (30.0 * event(is_bullish).drift_per_minute(0.6)).exp();
            assert!((drift - total).abs() < 1e-12);
            assert_eq!(event(is_bullish).drift_minutes(), 10..40);
            assert_eq!(event(is_bullish).jump(0.0), 1.0);
        }
    }
}
