//! A grid of minutes: full sessions side by side, so that the same minute of the session before is one
//! session back.

use super::sessions::SessionFacts;
use crate::time::Calendar;

/// Minutes of a full session.
pub const FULL_SESSION_MINUTES: usize = 390;

/// Places of the full (not early-close) sessions of a run, oldest first.
#[derive(Clone, Debug)]
pub struct FullSessions {
    /// For each session of the facts: how many full sessions come before it.
    before: Vec<usize>,
    pub count: usize,
}

impl FullSessions {
    pub fn of(facts: &[SessionFacts], calendar: &Calendar) -> FullSessions {
        let mut count = 0;
        let count_before = |fact: &SessionFacts| {
            let before = count;
            count += usize::from(!calendar.all()[fact.index].is_early_close);
            before
        };
        let before = facts.iter().map(count_before).collect();
        FullSessions { before, count }
    }

    /// The place of session `offset` in the grid, when it is a full one.
    pub fn place(&self, offset: usize) -> Option<usize> {
        let next = self.before.get(offset + 1).copied().unwrap_or(self.count);
        (next > self.before[offset]).then_some(self.before[offset])
    }

    /// Index into [`same_minute_mean`]'s result for minute `minute` (1 to 390) of session `offset`:
    /// the mean over the full sessions before it. `None` when there is none.
    pub fn mean_index(&self, offset: usize, minute: usize) -> Option<usize> {
        let last = self.before[offset].checked_sub(1)?;
        let is_minute = (1..=FULL_SESSION_MINUTES).contains(&minute);
        is_minute.then(|| last * FULL_SESSION_MINUTES + minute - 1)
    }
}

/// For each cell of a grid of full sessions: the mean of the same minute over that session and the
/// ones before it, `sessions` in all; NaN where fewer than `at_least` of them are known. Sums run
/// from the latest session back, so that they do not depend on where the grid begins.
pub fn same_minute_mean(cells: &[f64], sessions: u32, at_least: u32) -> Vec<f64> {
    let rows: Vec<&[f64]> = cells.chunks_exact(FULL_SESSION_MINUTES).collect();
    let mut means = Vec::with_capacity(cells.len());
    for last in 0..rows.len() {
        let (mut sum, mut known) = ([0.0; FULL_SESSION_MINUTES], [0.0; FULL_SESSION_MINUTES]);
        for row in rows[..=last].iter().rev().take(sessions as usize) {
            for ((sum, known), cell) in sum.iter_mut().zip(&mut known).zip(*row) {
                let is_known = !cell.is_nan();
                *sum += if is_known { *cell } else { 0.0 };
                *known += f64::from(u8::from(is_known));
            }
        }
        let at_least = f64::from(at_least.max(1));
        let mean = |(sum, known): (f64, f64)| {
            if known >= at_least {
                sum / known
            } else {
                f64::NAN
            }
        };
        means.extend(sum.into_iter().zip(known).map(mean));
    }
    means
}
