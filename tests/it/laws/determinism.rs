//! Law 3. The same input and config give the same bytes, whatever the threads, the order of the
//! tickers or the batches they come in.

use std::collections::BTreeMap;
use std::path::Path;

use flowlab::config::Config;
use flowlab::engine::{self, Job, Meter};
use flowlab::manifest::Manifest;
use flowlab::store::{EncodedRows, RunWriter, Store};
use flowlab::strategies::Signal;
use flowlab::time::Calendar;
use rayon::ThreadPoolBuilder;
use tempfile::TempDir;

use crate::market::{self, assert_rows, talkative};

/// Every file of the run's folder by name.
type Folder = BTreeMap<String, Vec<u8>>;

fn read(folder: &Path) -> Folder {
    let entries = std::fs::read_dir(folder).expect("the run was written");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().into_string().expect("a plain name");
        (name, std::fs::read(entry.path()).expect("a readable file"))
    };
    entries.map(file).collect()
}

fn run_folder(store: &Store, config: &Config, tickers: &[String], threads: usize) -> Folder {
    let calendar = Calendar::shipped();
    let job = Job {
        store,
        calendar: &calendar,
        config,
        tickers,
        period: market::period("2025-11-12", "2025-11-21"),
    };
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.expect("a pool of threads");
    pool.install(|| write(&job))
}

/// The run as the command line writes it.
fn write(job: &Job) -> Folder {
    let runs = TempDir::new().expect("a folder for runs");
    let mut writer = RunWriter::new(runs.path()).expect("a run begins");
    let id = &job.config.experiment_id;
    let summary = engine::run(
        job,
        &Meter::default(),
        |rows| EncodedRows::new(&rows.signals, &rows.trades, id),
        |rows| writer.append(&rows),
    );
    let manifest = Manifest::new(job, &summary.expect("the run succeeds"));
    let config = job.config.resolved_yaml();
    let folder = writer.finish(&manifest.run, &config, &manifest.to_json());
    read(&folder.expect("the run is written"))
}

fn assert_same(what: &str, got: &Folder, expected: &Folder) {
    let names = |folder: &Folder| folder.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(got), names(expected), "{what}");
    for (name, bytes) in expected {
        assert!(got[name] == *bytes, "{what}: {name} has other bytes");
    }
}

#[test]
fn the_number_of_threads_cannot_be_seen_in_any_byte() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let (_folder, store) = market::store(&tickers);
    let names = market::names(&tickers);
    let one = run_folder(&store, &config, &names, 1);
    for name in [
        "config.yaml",
        "manifest.json",
        "signals.csv",
        "signals.parquet",
        "trades.csv",
        "trades.parquet",
    ] {
        assert!(one[name].len() > 500, "{name} is as good as empty");
    }
    for threads in [2, 8, 1] {
        let again = run_folder(&store, &config, &names, threads);
        assert_same(&format!("{threads} threads"), &again, &one);
    }
}

#[test]
fn the_order_of_the_tickers_changes_no_table() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let (_folder, store) = market::store(&tickers);
    let mut names = market::names(&tickers);
    let mut forward = run_folder(&store, &config, &names, 2);
    names.reverse();
    let mut backward = run_folder(&store, &config, &names, 2);
    // The manifest lists the universe as it was asked for.
    forward.remove("manifest.json");
    backward.remove("manifest.json");
    assert_same("tickers reversed", &backward, &forward);
}

#[test]
fn the_order_of_arrival_in_the_store_changes_no_byte() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let names = market::names(&tickers);
    let (_whole_folder, whole) = market::store(&tickers);
    // The second half of the sessions is stored first, in a store of its own.
    let (late, mut early) = (tickers.clone(), tickers.clone());
    let (_parts_folder, parts) = market::store(
        &late
            .into_iter()
            .map(|mut ticker| {
                ticker.sessions = ticker.sessions.split_off(ticker.sessions.len() / 2);
                ticker
            })
            .collect::<Vec<_>>(),
    );
    for ticker in &mut early {
        ticker.sessions.truncate(ticker.sessions.len() / 2);
        market::put(&parts, ticker);
    }
    assert_same(
        "stored in two parts",
        &run_folder(&parts, &config, &names, 2),
        &run_folder(&whole, &config, &names, 2),
    );
}

#[test]
fn tickers_run_alone_or_in_batches_give_the_signals_of_the_whole() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let (_folder, store) = market::store(&tickers);
    let names = market::names(&tickers);
    let period = market::period("2025-11-12", "2025-11-21");
    let whole = market::run(&store, &config, &names, period);
    for size in [1, 2] {
        let batches = names.chunks(size);
        let parts = batches.map(|batch| market::run(&store, &config, batch, period));
        let mut signals: Vec<Signal> = parts.flat_map(|part| part.signals).collect();
        signals.sort_by(|a, b| {
            let key = |s: &Signal| (s.ticker.clone(), s.available_at, s.ts, s.seq, s.kind);
            key(a).cmp(&key(b))
        });
        assert_rows(&format!("batches of {size}"), &signals, &whole.signals);
    }
}

#[test]
fn other_input_has_another_hash_also_when_it_is_only_the_markets() {
    let (mut tickers, config) = (market::thanksgiving(), talkative());
    let period = market::period("2025-11-12", "2025-11-14");
    let alone = ["AAPL".to_owned()];
    let (_before, store) = market::store(&tickers);
    let before = market::run(&store, &config, &alone, period);
    // The run is of AAPL alone, but its regime is read off SPY.
    let spy = tickers.iter_mut().find(|ticker| ticker.name == "SPY");
    let spy = spy.expect("SPY is in the market");
    spy.sessions
        .iter_mut()
        .for_each(|session| session.bars.clear());
    let (_after, store) = market::store(&tickers);
    let after = market::run(&store, &config, &alone, period);
    assert_ne!(before.signals, after.signals, "another regime");
    assert_ne!(before.input_hash, after.input_hash);
}

#[test]
fn an_empty_session_and_a_missing_one_have_other_hashes() {
    let (mut tickers, config) = (market::thanksgiving(), talkative());
    let period = market::period("2025-11-12", "2025-11-14");
    tickers[2].sessions.iter_mut().for_each(|session| {
        if session.session.date == market::day("2025-11-13") {
            session.bars.clear();
            session.events.clear();
        }
    });
    let empty = market::run_all(&tickers, &config, period);
    tickers[2]
        .sessions
        .retain(|session| session.session.date != market::day("2025-11-13"));
    let missing = market::run_all(&tickers, &config, period);
    assert_ne!(empty.gaps, missing.gaps);
    assert_ne!(empty.input_hash, missing.input_hash);
}
