//! RVOL: today's volume so far against the same minute of the sessions before.

use super::columns::ContextSettings;
use super::grid::{FULL_SESSION_MINUTES, FullSessions, same_minute_mean};
use super::sessions::SessionFacts;
use crate::store::Bars;
use crate::time::{Calendar, MINUTE_NS};

/// What today's cumulative volume is measured against, in shares before the first split.
pub struct Baseline {
    /// Position in the calendar of the first session.
    first: usize,
    full: FullSessions,
    mean: Vec<f64>,
}

impl Baseline {
    /// One pass over the bars; a session without bars is left out of the means, a missing minute
    /// counts as no volume.
    pub fn new(
        bars: &Bars,
        facts: &[SessionFacts],
        calendar: &Calendar,
        settings: &ContextSettings,
    ) -> Baseline {
        let full = FullSessions::of(facts, calendar);
        let mut cells = vec![f64::NAN; full.count * FULL_SESSION_MINUTES];
        for (offset, fact) in facts.iter().enumerate() {
            let Some(place) = full.place(offset).filter(|_| !fact.rows.is_empty()) else {
                continue;
            };
            let open = calendar.all()[fact.index].open.ns();
            let cells = &mut cells[place * FULL_SESSION_MINUTES..][..FULL_SESSION_MINUTES];
            let mut row = fact.rows.start;
            let mut sum = 0.0;
            for (minute, cell) in cells.iter_mut().enumerate() {
                if row < fact.rows.end && bars.ts[row] == open + minute as i64 * MINUTE_NS {
                    sum += bars.volume[row] / fact.scale;
                    row += 1;
                }
                *cell = sum;
            }
        }
        let mean = same_minute_mean(&cells, settings.rvol_sessions, settings.rvol_min_sessions);
        Baseline {
            first: facts.first().map_or(0, |fact| fact.index),
            full,
            mean,
        }
    }

    /// RVOL of the calendar's session `index` after `minute` minutes, with `volume` shares (in the
    /// session's own basis, `scale`) traded; null with too few sessions to compare with.
    pub fn rvol(&self, index: usize, minute: usize, volume: f64, scale: f64) -> Option<f64> {
        let offset = index.checked_sub(self.first)?;
        let mean = self.mean[self.full.mean_index(offset, minute)?];
        // NaN, too few sessions, is not above zero either.
        (mean > 0.0).then(|| volume / scale / mean)
    }
}
