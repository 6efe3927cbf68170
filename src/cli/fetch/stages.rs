//! Stages: how far a fetch is, on stderr: a bar per stage and one for all of it on a terminal, a line
//! now and then elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget,
    ProgressStyle,
};

use super::super::Session;
use crate::fetch::{Job, Progress, Reached, Stage};

const LOOK_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Runs `work` while somebody shows how far it is.
pub fn watch<T: Send>(
    session: &Session,
    job: &Job,
    progress: &Progress,
    work: impl FnOnce() -> T + Send,
) -> T {
    if session.global.quiet {
        return work();
    }
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| match std::io::stderr().is_terminal() {
            true => bars(job, progress, &is_done),
            false => lines(session, job, progress, &is_done),
        });
        // Also when the work panics: nobody would end the watching otherwise.
        let _done = SetOnDrop(&is_done);
        work()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Bytes and calls of both ways to the vendor.
fn traffic(job: &Job) -> (u64, u64) {
    let rest = job.massive.traffic();
    let flat = job.flat.map(|flat| flat.traffic()).unwrap_or_default();
    (rest.bytes + flat.bytes, rest.calls + flat.calls)
}

fn all(progress: &Progress) -> Reached {
    let mut all = Reached::default();
    for stage in Stage::ALL {
        let Reached { done, total, rows } = progress.reached(stage);
        all.done += done;
        all.total += total;
        all.rows += rows;
    }
    all
}

fn bars(job: &Job, progress: &Progress, is_done: &AtomicBool) {
    let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let style = |template: &str| {
        let style = ProgressStyle::with_template(template).expect("the template is tested");
        style.progress_chars("=> ")
    };
    let stages: Vec<(Stage, ProgressBar)> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let bar = screen.add(ProgressBar::new(0));
            bar.set_style(style("{msg:13} [{bar:24}] {pos}/{len}, {prefix}"));
            bar.set_message(stage.name());
            (stage, bar)
        })
        .collect();
    let whole = screen.add(ProgressBar::new(0));
    whole.set_style(style("{msg:13} [{bar:24}] {pos}/{len}, {prefix}"));
    whole.set_message("all");
    let started = Instant::now();
    let mut clock = StageClock::default();
    while !is_done.load(Ordering::Relaxed) {
        for (stage, bar) in &stages {
            let Reached { done, total, rows } = progress.reached(*stage);
            bar.set_length(total);
            bar.set_position(done);
            bar.set_prefix(format!("{} rows", HumanCount(rows)));
        }
        let Reached { done, total, .. } = all(progress);
        let (bytes, calls) = traffic(job);
        let seconds = started.elapsed().as_secs_f64().max(1e-3);
        whole.set_length(total);
        whole.set_position(done);
        let left = clock.left(progress);
        whole.set_prefix(format!(
            "{} calls, {}, {}/s, {left} left",
            HumanCount(calls),
            HumanBytes(bytes),
            HumanBytes((bytes as f64 / seconds) as u64)
        ));
        std::thread::sleep(LOOK_EVERY);
    }
    let _ = screen.clear();
}

/// How long the stage at hand still takes, by how long it took so far. A unit of another stage is of
/// another size, so they are not thrown together; flow, the longest, comes last.
#[derive(Default)]
struct StageClock(Option<(Stage, Instant)>);

impl StageClock {
    fn left(&mut self, progress: &Progress) -> String {
        let Some(stage) = under_way(progress) else {
            return "nothing".to_owned();
        };
        let (_, since) = match self.0 {
            Some(known) if known.0 == stage => known,
            _ => *self.0.insert((stage, Instant::now())),
        };
        let Reached { done, total, .. } = progress.reached(stage);
        if done == 0 {
            return "?".to_owned();
        }
        let left = since.elapsed().as_secs_f64() / done as f64 * (total - done) as f64;
        HumanDuration(Duration::from_secs_f64(left)).to_string()
    }
}

/// The first stage that is not done.
fn under_way(progress: &Progress) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| {
        let reached = progress.reached(*stage);
        reached.done < reached.total
    })
}

fn lines(session: &Session, job: &Job, progress: &Progress, is_done: &AtomicBool) {
    let mut last = Instant::now();
    let mut clock = StageClock::default();
    while !is_done.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_EVERY);
        let left = clock.left(progress);
        if last.elapsed() < LINE_EVERY {
            continue;
        }
        last = Instant::now();
        let Some(stage) = under_way(progress) else {
            continue;
        };
        let Reached { done, total, .. } = progress.reached(stage);
        let whole = all(progress);
        let (bytes, calls) = traffic(job);
        session.say(&format!(
            "{} {done}/{total}, in all {}/{}, {} calls, {}, {left} left",
            stage.name(),
            whole.done,
            whole.total,
            HumanCount(calls),
            HumanBytes(bytes),
        ));
    }
}
