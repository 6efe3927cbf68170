//! Upkeep: what a run needs again and again beside its inputs: its journal flushed and synced, its
//! positions marked, a sign of life.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Feed;
use super::heartbeat::Heartbeat;
use super::journal::Journal;
use super::run::{Run, RunError};
use crate::time::Ts;

/// So long an input may be lost to a power cut; the source has it still.
const SYNC_EVERY: Duration = Duration::from_secs(1);
const MARK_EVERY: Duration = Duration::from_millis(250);

/// When what is due.
pub struct Upkeep {
    _syncing: Option<Syncing>,
    marked: Instant,
    beaten: Instant,
    beat_every: Duration,
    heartbeat: Heartbeat,
}

impl Upkeep {
    pub fn new(feeds: Vec<Feed>, run: &Run, beat_every: Duration) -> std::io::Result<Upkeep> {
        let now = Instant::now();
        Ok(Upkeep {
            _syncing: run.files()?.map(Syncing::start),
            marked: now,
            beaten: now,
            beat_every,
            heartbeat: Heartbeat::new(feeds, &run.gauges, now),
        })
    }

    /// Does what is due. Call it whenever the pipeline takes a breath.
    pub fn look(&mut self, run: &mut Run) -> Result<(), RunError> {
        let now = Instant::now();
        let is_due = |last: Instant, every| now.duration_since(last) >= every;
        run.flush()?;
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

/// A thread that makes durable what was written: a disk takes its time, and a decision does not wait
/// for it.
struct Syncing {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncing {
    fn start((journal, logs): (Arc<Journal>, [File; 2])) -> Syncing {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let sync = move || {
            let mut is_said = false;
            while !stopped.load(Ordering::Relaxed) {
                std::thread::park_timeout(SYNC_EVERY);
                let synced = journal.sync().map_err(|e| e.to_string());
                let mut logs = logs.iter();
                let synced = synced.and_then(|()| {
                    logs.try_for_each(File::sync_data)
                        .map_err(|e| e.to_string())
                });
                if let Err(reason) = synced
                    && !std::mem::replace(&mut is_said, true)
                {
                    log::error!("what was written may not survive a power cut: {reason}");
                }
            }
        };
        Syncing {
            stop,
            thread: Some(std::thread::spawn(sync)),
        }
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// What time it is.
pub fn wall_clock() -> Ts {
    let now = chrono::Utc::now().timestamp_nanos_opt();
    Ts::from_ns(now.expect("it is not yet 2262"))
}
