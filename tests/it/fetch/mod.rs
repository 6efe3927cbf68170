//! `fetch` against the stand-in server: what comes into the cache, whatever happens on the way.

mod desk;
mod disk;
mod faults;
mod kill;
mod morning;
mod replaced;
mod universe;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use flowlab::config::secret::{FlatFileKeys, Secret};
use flowlab::fetch::{self, FetchError, Job, Outcome, Plan, Progress, Source, What};
use flowlab::providers::massive::flat::{FlatFiles, S3Settings};
use flowlab::providers::massive::{Massive, Pacing, Retries, Settings, Timeouts};
use flowlab::store::Store;
use flowlab::time::{Calendar, Ts};
use url::Url;

pub use desk::{Desk, Ran};

use crate::market;
use crate::standin::{Options, Server, World};
use crate::synthetic_world::Recipe;

/// The last session of June and the first of July 2025, so that two files of each monthly table are
/// written.
const PERIOD: (&str, &str) = ("2025-06-30", "2025-07-01");
/// The last session with option prints.
const LAST_FLOW: &str = "2025-07-02";
const TICKERS: [&str; 2] = ["SPY", "TSLA"];

/// Noon in New York two days after the period: as long as this process fetches, it is now.
const NOW: &str = "2025-07-03T16:00:00Z";

/// Short ways back and ahead, so that a fetch is a few hundred calls.
const SET: [&str; 6] = [
    "context.rvol_sessions=3",
    "context.rvol_min_sessions=2",
    "swing.memory_sessions=1",
    "swing.max_hold_minutes=1440",
    "massive.concurrency=4",
    "massive.max_requests_per_second=5000",
];

/// Of the bars every so many are kept: it is their pages that matter here.
const EVERY_MINUTE_BAR: usize = 15;
const DAILY_BARS: usize = 60;
/// Contracts that are listed and do not trade.
const SILENT_CONTRACTS: usize = 2;
/// Small enough for several pages of bars, and two of the busiest contract's prints.
const PAGE_CAP: usize = 16;

/// Three tickers that trade options on three sessions, and stocks for as long as trades of the last
/// may be held.
pub fn world() -> Arc<World> {
    static MADE: OnceLock<Arc<World>> = OnceLock::new();
    let make = || {
        let recipe = Recipe {
            tickers: &["SPY", "QQQ", "TSLA"],
            start: market::day(PERIOD.0),
            sessions: 8,
            warmup_sessions: 5,
            events_per_day: 12,
            seed: 7,
        };
        let mut world = recipe.world(&Calendar::shipped());
        thin_out(&mut world);
        Arc::new(world)
    };
    Arc::clone(MADE.get_or_init(make))
}

fn thin_out(world: &mut World) {
    let last = market::day(LAST_FLOW);
    for stock in world.stocks.values_mut() {
        for bars in stock.minute_bars.values_mut() {
            *bars = bars.iter().step_by(EVERY_MINUTE_BAR).copied().collect();
        }
        while stock.daily_bars.len() > DAILY_BARS {
            stock.daily_bars.pop_first();
        }
        let mut silent = 0;
        stock.contracts.retain(|_, contract| {
            contract.prints.retain(|date, _| *date <= last);
            silent += usize::from(contract.prints.is_empty());
            !contract.prints.is_empty() || silent <= SILENT_CONTRACTS
        });
    }
}

pub fn options() -> Options {
    Options {
        page_cap: PAGE_CAP,
        ..Options::default()
    }
}

/// Every file of a cache by its path inside, but for the lock.
pub type Cache = BTreeMap<String, Vec<u8>>;

pub fn cache(folder: &Path) -> Cache {
    let mut files = Cache::new();
    collect(folder, folder, &mut files);
    files.remove(".lock");
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Cache) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let inside = path.strip_prefix(root).expect("found below");
            let bytes = std::fs::read(&path).expect("a readable file");
            files.insert(inside.display().to_string(), bytes);
        }
    }
}

/// The paths that only one of the two has, or that differ.
fn differing(one: &Cache, other: &Cache) -> Vec<String> {
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differs = |path: &&String| one.get(*path) != other.get(*path);
    paths.into_iter().filter(differs).cloned().collect()
}

/// What a killed writer may leave, and nobody else.
fn half_written(cache: &Cache) -> Vec<&String> {
    let is_temporary = |path: &&String| path.split('/').any(|part| part.starts_with(".tmp"));
    cache.keys().filter(is_temporary).collect()
}

/// The command line for [`PERIOD`] and [`TICKERS`].
pub fn small_fetch(source: &str) -> String {
    let (start, end) = PERIOD;
    let tickers = TICKERS.join(",");
    let set: String = SET.iter().map(|set| format!(" --set {set}")).collect();
    format!("fetch --start {start} --end {end} --tickers {tickers} --source {source}{set}")
}

/// A fetch of the small world inside this process, with waits too short to notice.
#[derive(Clone, Copy)]
struct Ask {
    tickers: &'static [&'static str],
    period: (&'static str, &'static str),
    source: Source,
    refresh: bool,
    what_was_named: bool,
    now: Ts,
}

impl Ask {
    fn of(source: Source) -> Ask {
        Ask {
            tickers: &TICKERS,
            period: PERIOD,
            source,
            refresh: false,
            what_was_named: false,
            now: Ts::parse_rfc3339(NOW).expect("a time"),
        }
    }

    fn fetch(self, server: &Server, folder: &Path) -> Result<Outcome, FetchError> {
        self.with_job(server, folder, |job| {
            let plan = Plan::of(job)?;
            fetch::run(job, &plan, &Progress::default()).map_err(|ended| ended.error)
        })
    }

    fn with_job<T>(
        self,
        server: &Server,
        folder: &Path,
        work: impl FnOnce(&Job) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let calendar = Calendar::shipped();
        let config = market::config(&SET);
        let stop = Arc::new(AtomicBool::new(false));
        let massive = massive(server, Arc::clone(&stop))?;
        let flat = flat_files(server, Arc::clone(&stop))?;
        let store = Store::folder(folder);
        let _lock = store.lock()?;
        work(&Job {
            store: &store,
            data_dir: folder,
            calendar: &calendar,
            config: &config,
            massive: &massive,
            flat: (self.source != Source::Rest).then_some(&flat),
            tickers: self.tickers.iter().map(|t| (*t).to_owned()).collect(),
            what: BTreeSet::from([What::Bars, What::Flow, What::Oi, What::Splits]),
            what_was_named: self.what_was_named,
            period: market::period(self.period.0, self.period.1),
            source: self.source,
            quotes: true,
            refresh: self.refresh,
            now: self.now,
            clock: &|| self.now,
            stop: &stop,
            quotes_refused: Mutex::default(),
        })
    }
}

fn massive(server: &Server, stop: Arc<AtomicBool>) -> Result<Massive, FetchError> {
    let mut settings = Settings::new(Url::parse(server.rest_url()).expect("an address"));
    settings.pacing = Pacing {
        max_per_second: 5000.0,
        pause: Duration::from_millis(2),
        small_plan_window: Duration::from_millis(10),
        ..Pacing::default()
    };
    settings.retries = Retries {
        tries: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
    };
    settings.timeouts = Timeouts {
        connect: Duration::from_secs(5),
        read: Duration::from_millis(400),
        call: Duration::from_secs(5),
    };
    let key = Secret::new(Options::default().api_key);
    Ok(Massive::new(settings, key, stop)?)
}

fn flat_files(server: &Server, stop: Arc<AtomicBool>) -> Result<FlatFiles, FetchError> {
    let settings = S3Settings {
        endpoint: Url::parse(server.s3_url()).expect("an address"),
        stall_timeout: Duration::from_millis(400),
        tries: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
        ..S3Settings::default()
    };
    let Options {
        s3_key_id,
        s3_secret,
        ..
    } = Options::default();
    let keys = FlatFileKeys {
        access_key_id: Secret::new(s3_key_id),
        secret_access_key: Secret::new(s3_secret),
    };
    Ok(FlatFiles::new(settings, &keys, stop)?)
}

/// The cache of a fetch that nothing disturbed.
fn undisturbed(source: Source) -> &'static Cache {
    static REST: OnceLock<Cache> = OnceLock::new();
    static FLAT: OnceLock<Cache> = OnceLock::new();
    let made = match source {
        Source::Rest => &REST,
        _ => &FLAT,
    };
    made.get_or_init(|| {
        let server = Server::start(world(), options());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outcome = Ask::of(source).fetch(&server, folder.path());
        let outcome = outcome.expect("nothing disturbs it");
        assert_eq!(outcome.gaps, BTreeMap::new());
        assert_eq!(outcome.bad_row_count, 0, "{:?}", outcome.bad_rows);
        cache(folder.path())
    })
}
