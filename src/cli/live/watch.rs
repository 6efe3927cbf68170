//! Watching: signals to stop, a screen, and the metrics page around a pipeline that knows of none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::Args;
use crate::cli::failure::Failure;
use crate::cli::log::Quiet;
use crate::cli::{Color, Session};
use crate::live::metrics::{self, Health};
use crate::live::screen::{self, Status};
use crate::live::{Board, Feed, Gauges, wall_clock};
use crate::time::Ts;

/// What there is to see of a run.
pub struct Watched {
    /// As people call it: `replay data 2025-02-03 to 2025-03-14, 60x`.
    pub source: String,
    pub feeds: &'static [Feed],
    pub gauges: Arc<Gauges>,
    pub board: Arc<Mutex<Board>>,
}

/// Whoever asks to end waits no longer than this.
const PATIENCE: Duration = Duration::from_millis(4500);

/// A flag that rises when somebody presses Ctrl-C or the system asks to end. Should something hang then,
/// the process ends all the same: its state survives worse.
pub fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            return;
        }
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            log::warn!(
                "something hangs and is not waited for; the next start goes on from the state"
            );
            std::process::exit(0);
        });
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    Ok(stop)
}

/// Runs `pipeline` while whoever wants to watches. It is to end soon after `stop` rises, which a q on
/// the screen does too. With a screen, what it left is shown until then.
pub fn while_watched<T: Send>(
    session: &Session,
    args: &Args,
    watched: &Watched,
    stop: &AtomicBool,
    pipeline: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let _page = match &args.metrics {
        None => None,
        Some(address) => Some(Page::open(session, address, watched)?),
    };
    if !args.tui {
        return pipeline();
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let quiet = Quiet::begin();
        let work = scope.spawn(|| {
            let result = pipeline();
            is_over.store(true, Ordering::Relaxed);
            result
        });
        let started = Instant::now();
        let is_coloured = match session.global.color {
            Color::Auto => std::env::var_os("NO_COLOR").is_none(),
            Color::Always => true,
            Color::Never => false,
        };
        let view = || Status {
            source: watched.source.clone(),
            feeds: watched.feeds,
            gauges: &watched.gauges,
            stream_ts: Some(watched.gauges.last_event_ts.get())
                .filter(|ns| *ns > 0)
                .map(Ts::from_ns),
            now: wall_clock(),
            running_for: started.elapsed(),
            is_finished: is_over.load(Ordering::Relaxed),
            notice: Quiet::last(),
            is_coloured,
        };
        let shown = screen::run(&watched.board, view, || stop.load(Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
        let result = work.join().expect("the pipeline does not panic");
        drop(quiet);
        shown.map_err(|e| Failure::failed(format!("cannot show a screen: {e}")))?;
        result
    })
}

/// The metrics page, served until it is dropped.
struct Page {
    stop: tokio::sync::watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Page {
    fn open(session: &Session, address: &str, watched: &Watched) -> anyhow::Result<Page> {
        let address =
            metrics::address(address).map_err(|e| Failure::usage(format!("--metrics: {e}")))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the metrics page")?;
        let listener = runtime.block_on(metrics::bind(address))?;
        let at = listener
            .local_addr()
            .context("cannot start the metrics page")?;
        session.say(&format!("metrics at http://{at}/metrics"));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let gauges = watched.gauges.clone();
        let health = health(watched);
        let serve = move || {
            runtime.block_on(metrics::serve(listener, gauges, health, stopped));
        };
        let thread = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(serve);
        Ok(Page {
            stop,
            thread: Some(thread.context("cannot start the metrics page")?),
        })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Fine unless a feed that should be there is not.
fn health(watched: &Watched) -> Arc<dyn Fn() -> Health + Send + Sync> {
    let gauges = watched.gauges.clone();
    let feeds = watched.feeds;
    Arc::new(move || {
        if gauges.is_resting.is_on() {
            return Health::Fine;
        }
        for feed in feeds {
            if !gauges.is_up[*feed as usize].is_on() {
                return Health::Wrong(format!("{feed} feed is down"));
            }
            if gauges.is_stale[*feed as usize].is_on() {
                return Health::Wrong(format!("{feed} feed is stale"));
            }
        }
        Health::Fine
    })
}
