//! Upkeep: what a run needs again and again beside its inputs: its journal flushed and synced, its
//! positions marked, a sign of life.

use std::time::{Duration, Instant};

use super::heartbeat::Heartbeat;
use super::run::{Run, RunError};
use super::{Feed, Gauges};
use crate::time::Ts;

/// So long an input may be lost to a power cut; the source has it still.
const SYNC_EVERY: Duration = Duration::from_secs(1);
const MARK_EVERY: Duration = Duration::from_millis(250);

/// When what is due.
pub struct Upkeep {
    synced: Instant,
    marked: Instant,
    beaten: Instant,
    beat_every: Duration,
    heartbeat: Heartbeat,
}

impl Upkeep {
    pub fn new(feeds: Vec<Feed>, gauges: &Gauges, beat_every: Duration) -> Upkeep {
        let now = Instant::now();
        Upkeep {
            synced: now,
            marked: now,
            beaten: now,
            beat_every,
            heartbeat: Heartbeat::new(feeds, gauges, now),
        }
    }

    /// Does what is due. Call it whenever the pipeline takes a breath.
    pub fn look(&mut self, run: &mut Run) -> Result<(), RunError> {
        let now = Instant::now();
        let is_due = |last: Instant, every| now.duration_since(last) >= every;
        run.keep(is_due(self.synced, SYNC_EVERY))?;
        if is_due(self.synced, SYNC_EVERY) {
            self.synced = now;
        }
        if is_due(self.marked, MARK_EVERY) {
            run.mark();
            self.marked = now;
        }
        if is_due(self.beaten, self.beat_every) {
            self.beat(run, now);
        }
        Ok(())
    }

    fn beat(&mut self, run: &Run, now: Instant) {
        let wall = wall_clock();
        let beat = self.heartbeat.beat(&run.gauges, wall, now);
        log::info!("{beat}");
        run.beat(format!("heartbeat-{}", wall.ns()), wall, beat.text());
        self.beaten = now;
    }
}

/// What time it is.
pub fn wall_clock() -> Ts {
    let now = chrono::Utc::now().timestamp_nanos_opt();
    Ts::from_ns(now.expect("it is not yet 2262"))
}
