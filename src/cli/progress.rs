//! Progress: how far the work is, drawn to stderr by a thread that only watches.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Session;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How far some work has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Parts done, of those the bar was made for.
    pub done: u64,
    /// Rows handled.
    pub rows: u64,
}

/// Runs `work` while a bar on stderr shows `done` of `parts`, rows per second and the time left.
pub fn watch<T: Send>(
    session: &Session,
    parts: u64,
    what: &str,
    look: impl Fn() -> Progress + Sync,
    work: impl FnOnce() -> T + Send,
) -> T {
    if session.global.quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let bar = ProgressBar::with_draw_target(Some(parts), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{msg} [{bar:24}] {pos}/{len} tickers, {prefix}, {eta} left");
    bar.set_style(style.expect("the template is tested").progress_chars("=> "));
    bar.set_message(what.to_owned());
    let is_done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| draw(&bar, &look, &is_done));
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        result
    });
    bar.finish_and_clear();
    result
}

fn draw(bar: &ProgressBar, look: &impl Fn() -> Progress, is_done: &AtomicBool) {
    let started = Instant::now();
    while !is_done.load(Ordering::Relaxed) {
        let Progress { done, rows } = look();
        let per_second = rows as f64 / started.elapsed().as_secs_f64().max(1e-3);
        bar.set_prefix(format!(
            "{} events, {} events/s",
            HumanCount(rows),
            HumanCount(per_second as u64)
        ));
        bar.set_position(done);
        std::thread::sleep(LOOK_EVERY);
    }
}
