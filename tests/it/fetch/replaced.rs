//! Files that the vendor replaces: before, while and after they are read.

use std::path::Path;

use flowlab::fetch::Source::{Auto, Flat};
use flowlab::fetch::{Outcome, Source};
use flowlab::store::{Store, Table};
use tempfile::TempDir;

use super::{Ask, Cache, cache, differing, options, undisturbed, world};
use crate::standin::Server;
use crate::standin::faults::{Fault, Kind};

const DAY: &str = "2025-06-30";
const KEY: &str = "us_options_opra/trades_v1/2025/06/2025-06-30.csv.gz";
const LEDGER: &str = "flat_files.json";

fn start() -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (Server::start(world(), options()), folder)
}

fn fetch(server: &Server, folder: &TempDir, source: Source) -> Outcome {
    let outcome = Ask::of(source).fetch(server, folder.path());
    let outcome = outcome.expect("the fetch goes to its end");
    assert!(!outcome.has_gaps(), "{:?}", outcome.gaps);
    outcome
}

/// The cache of whoever only ever saw the version after so many that were replaced.
fn of_version_after(replaced: usize) -> Cache {
    let (server, folder) = start();
    (0..replaced).for_each(|_| server.reissue(KEY));
    fetch(&server, &folder, Flat);
    let made = cache(folder.path());
    let changed = differing(&made, undisturbed(Flat));
    assert!(
        changed.len() > 1,
        "the versions differ in flow: {changed:?}"
    );
    made
}

fn same(folder: &TempDir, expected: &Cache) {
    let differing = differing(&cache(folder.path()), expected);
    assert!(differing.is_empty(), "{differing:?}");
}

/// Downloads of the day's file that were begun or gone on with.
fn downloads(server: &Server) -> usize {
    let requests = server.requests();
    let of_file = |path: &str| path.ends_with(KEY);
    let gets = requests
        .iter()
        .filter(|r| r.method == "GET" && of_file(&r.path));
    gets.count()
}

#[test]
fn a_file_replaced_while_it_is_read_is_begun_again() {
    let (server, folder) = start();
    server.inject(Fault::on(KEY, Kind::Cut { after: 400 }));
    server.inject(Fault::on(KEY, Kind::Reissued).skip(1));
    fetch(&server, &folder, Flat);
    assert_eq!(downloads(&server), 3, "cut, refused, whole");
    same(&folder, &of_version_after(1));
}

#[test]
fn a_file_replaced_again_and_again_is_a_gap() {
    let (server, folder) = start();
    server.inject(Fault::on(KEY, Kind::Cut { after: 400 }).always());
    server.inject(Fault::on(KEY, Kind::Reissued).always());
    let outcome = Ask::of(Flat).fetch(&server, folder.path());
    let outcome = outcome.expect("it goes on with the next session");
    let reasons: Vec<&str> = outcome.gaps.keys().map(|(_, why)| why.as_str()).collect();
    assert!(
        matches!(reasons[..], [reason] if reason.contains("was replaced while it was read")),
        "{reasons:?}"
    );
}

#[test]
fn a_file_replaced_later_is_noticed_and_read_again() {
    let second = of_version_after(1);
    for source in [Flat, Auto] {
        let (server, folder) = start();
        fetch(&server, &folder, Flat);
        same(&folder, undisturbed(Flat));
        let before = server.requests().len();
        fetch(&server, &folder, source);
        let asked = &server.requests()[before..];
        assert!(asked.iter().all(|request| request.method == "HEAD"));
        server.reissue(KEY);
        let outcome = fetch(&server, &folder, source);
        let note = "the vendor has replaced its file of 2025-06-30, so that day is read again";
        assert!(outcome.notes.contains(note), "{:?}", outcome.notes);
        same(&folder, &second);
        let before = downloads(&server);
        fetch(&server, &folder, source);
        assert_eq!(downloads(&server), before, "once is enough");
    }
}

#[test]
fn a_file_replaced_between_the_look_and_the_download_is_the_last_one() {
    let (server, folder) = start();
    fetch(&server, &folder, Flat);
    server.reissue(KEY);
    // The first request for it is the look whether it is another.
    server.inject(Fault::on(KEY, Kind::Reissued).skip(1));
    fetch(&server, &folder, Flat);
    same(&folder, &of_version_after(2));
    let before = downloads(&server);
    fetch(&server, &folder, Flat);
    assert_eq!(downloads(&server), before, "the ledger has what was read");
}

#[test]
fn a_replaced_file_is_noticed_ticker_by_ticker() {
    let (server, folder) = start();
    fetch(&server, &folder, Flat);
    server.reissue(KEY);
    // It is a print of SPY that has changed.
    let without = Ask {
        tickers: &["TSLA"],
        ..Ask::of(Flat)
    };
    let second = of_version_after(1);
    let outcome = without.fetch(&server, folder.path());
    assert_eq!(outcome.expect("nothing disturbs it").notes.len(), 1);
    let differing = differing(&cache(folder.path()), &second);
    assert_eq!(differing, [LEDGER, "flow/SPY/2025-06.parquet"]);
    // The other one is of the first version still, and the ledger knows.
    fetch(&server, &folder, Flat);
    same(&folder, &second);
}

/// As a kill between the first and the last file of a session leaves it.
fn interrupt(folder: &Path) {
    let path = folder.join(LEDGER);
    let text = std::fs::read(&path).expect("it was written");
    let mut ledger: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let version = &mut ledger[DAY][0];
    version["tickers"] = serde_json::json!(["SPY"]);
    version["pending"] = serde_json::json!(["TSLA"]);
    std::fs::write(&path, ledger.to_string()).expect("it can be written");
}

#[test]
fn a_session_put_in_place_in_part_is_read_again() {
    for is_there in [true, false] {
        let (server, folder) = start();
        fetch(&server, &folder, Flat);
        interrupt(folder.path());
        if !is_there {
            let file = folder.path().join("flow/TSLA/2025-06.parquet");
            std::fs::remove_file(file).expect("it is there");
        }
        let before = downloads(&server);
        fetch(&server, &folder, Flat);
        assert_eq!(downloads(&server), before + 1);
        same(&folder, undisturbed(Flat));
        let store = Store::folder(folder.path());
        assert_eq!(
            store.tickers(Table::Flow).expect("readable"),
            ["SPY", "TSLA"]
        );
    }
}
