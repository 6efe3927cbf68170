//! How fast a flat file of option trades is read, and imported as flow of all its tickers, next to what `gzip -dc FILE | wc -l` takes for the
//! same file in the same run.
//!
//! `cargo bench --bench flat_file_day -- [PRINTS] [RUNS]`. Writes to a temporary folder, which it
//! removes; with FLAT_FILE set, it writes there and takes the file that is there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use flowlab::config::{Config, Sources};
use flowlab::fetch::{Desk, FetchError, Listed, MarketDay, Outcome, Wanted, read_market_day};
use flowlab::flow::{Print, Rules, Sight};
use flowlab::providers::massive::flat::Trades;
use flowlab::store::Store;
use flowlab::time::Calendar;

mod arguments;
#[path = "flat_file_day/generate.rs"]
mod generate;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = arguments::given();
    let number = |place, usual: u64| arguments::number(&args, place, usual);
    let (prints, runs) = (number(0, 12_000_000), number(1, 5));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = std::env::var_os("FLAT_FILE")
        .map_or_else(|| folder.path().join("2026-10-14.csv.gz"), PathBuf::from);
    if !path.exists() {
        generate::write_day(&path, prints).expect("the day can be written");
    }
    let bytes = path.metadata().expect("the day was written").len();
    println!("{:.1} MB compressed", bytes as f64 / 1e6);
    println!("run   gzip | wc s  read s  ratio  one root s  ratio  import s  ratio  peak MB");
    let (mut ratios, mut caches) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        let baseline = seconds(|| count_lines(&path));
        let all = seconds(|| read(&path, |_| true));
        let one = seconds(|| read(&path, |root| root == "MMM"));
        let cache = tempfile::tempdir().expect("a temporary folder");
        let import = seconds(|| import(&path, cache.path()));
        // Kept: file systems are slow to make files right after others were removed.
        caches.push(cache);
        println!(
            "{run:>3} {baseline:>14.2} {all:>7.2} {:>6.2} {one:>11.2} {:>6.2} {import:>9.2} {:>6.2} {:>8}",
            all / baseline,
            one / baseline,
            import / baseline,
            peak_megabytes(),
        );
        ratios.push(import / baseline);
    }
    println!("median ratio of the import {:.2}", median(&mut ratios));
}

/// All of it: prints, events, files of five thousand tickers in their places, durably.
fn import(path: &Path, cache: &Path) {
    let (store, calendar) = (Store::folder(cache), Calendar::shipped());
    let sources = Sources {
        file: None,
        search_dir: cache.to_owned(),
        set: Vec::new(),
    };
    let config = Config::load(&sources).expect("the shipped config is valid");
    let no_quotes = |contracts: &[(Listed, &[Print])], _: &Rules, _: &mut Outcome| {
        Ok::<Vec<Vec<Sight>>, FetchError>(vec![Vec::new(); contracts.len()])
    };
    let desk = Desk {
        store: Some(&store),
        calendar: &calendar,
        config: &config,
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        sights: &no_quotes,
    };
    let file = File::open(path).expect("the day was written");
    let day = read_market_day(&desk, file, "day", generate::DATE, Wanted::All);
    let outcome = day.and_then(MarketDay::commit).expect("the file is whole");
    assert!(outcome.flow.events > 0, "prints come to events");
}

/// The most memory this process had so far.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn count_lines(path: &Path) {
    let counted = Command::new("sh")
        .args(["-c", "gzip -dc \"$1\" | wc -l", "sh"])
        .arg(path)
        .output()
        .expect("gzip and wc are there");
    assert!(counted.status.success(), "gzip reads the file");
}

fn read(path: &Path, wants: fn(&str) -> bool) {
    let file = File::open(path).expect("the day was written");
    let mut trades =
        Trades::open(file, "day", generate::DATE, wants).expect("the header is the vendor's");
    let mut notional = 0.0;
    while let Some(group) = trades.next_contract().expect("the file is whole") {
        for print in group.prints {
            notional += print.price * print.size as f64;
        }
    }
    let counts = trades.counts();
    assert!(counts.bad.is_empty(), "every row is good");
    std::hint::black_box((notional, counts.rows));
}
