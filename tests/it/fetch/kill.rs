//! Killed at any moment, a fetch is gone on with: the cache comes out the same, and nothing that was
//! in it is asked for again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use expect_test::expect;
use flowlab::flow::Contract;
use flowlab::store::{Store, Table};
use flowlab::time::Ts;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Desk, TICKERS, differing, options, small_fetch, world};
use crate::standin::log::{Logged, Origin};
use crate::standin::{Options, Server};

/// Kills by each source unless `FLOWLAB_KILLS` asks for more.
const KILLS: usize = 20;
/// A fetch takes a second or two, and is killed within this.
const LONGEST_LIFE_MS: u64 = 600;

fn kills() -> usize {
    let asked = std::env::var("FLOWLAB_KILLS");
    let asked = asked.map(|text| text.parse::<usize>().expect("a number of kills"));
    asked.map_or(KILLS, |kills| kills.div_ceil(2))
}

fn slow_server() -> Server {
    let options = Options {
        latency: Duration::from_millis(8),
        ..options()
    };
    Server::start(world(), options)
}

/// What the cache has, as far as it decides what may be asked for.
struct Stored {
    covered: BTreeSet<(Table, &'static str, NaiveDate)>,
    /// Sessions and tickers whose flow of a flat file was put in place to its end.
    files: BTreeSet<(NaiveDate, String)>,
}

impl Stored {
    fn read(folder: &Path) -> Stored {
        let store = Store::folder(folder);
        let mut covered = BTreeSet::new();
        for table in Table::ALL {
            for ticker in ["QQQ", "SPY", "TSLA"] {
                let dates = store.covered(table, ticker, f64::INFINITY);
                let dates = dates.expect("every file is whole");
                covered.extend(dates.into_iter().map(|date| (table, ticker, date)));
            }
        }
        let ledger = std::fs::read(folder.join("flat_files.json")).unwrap_or(b"{}".to_vec());
        let ledger: serde_json::Value = serde_json::from_slice(&ledger).expect("JSON");
        let mut files = BTreeSet::new();
        for (date, versions) in ledger.as_object().expect("an object") {
            let date: NaiveDate = date.parse().expect("a date");
            let versions = versions.as_array().into_iter().flatten();
            let tickers = versions.flat_map(|v| v["tickers"].as_array().into_iter().flatten());
            let tickers = tickers.filter_map(|ticker| ticker.as_str());
            files.extend(tickers.map(|ticker| (date, ticker.to_owned())));
        }
        Stored { covered, files }
    }

    fn has(&self, table: Table, ticker: &str, from: NaiveDate, to: NaiveDate) -> bool {
        let covered = self.covered.iter();
        covered
            .filter(|(of, name, _)| (*of, *name) == (table, ticker))
            .any(|(_, _, date)| (from..=to).contains(date))
    }

    /// Whether the answer to `request` was there before it was asked.
    fn answers(&self, request: &Logged, by_file: bool) -> bool {
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        let flow = |ticker: &str, date: NaiveDate| {
            let is_whole = !by_file || self.files.contains(&(date, ticker.to_owned()));
            is_whole && self.has(Table::Flow, ticker, date, date)
        };
        match (request.origin, path.as_slice()) {
            (Origin::Rest, ["v2", "aggs", "ticker", ticker, "range", "1", span, from, to]) => {
                let table = match *span {
                    "minute" => Table::Bars1m,
                    _ => Table::Bars1d,
                };
                self.has(table, ticker, of_ms(from), of_ms(to))
            }
            (Origin::Rest, ["stocks", "v1", "splits"]) => {
                let ever = (NaiveDate::MIN, NaiveDate::MAX);
                self.has(Table::Splits, param(request, "ticker"), ever.0, ever.1)
            }
            (Origin::Rest, ["options", "v1", "open-interest"]) => {
                let date = param(request, "date").parse().expect("a date");
                self.has(Table::OpenInterest, param(request, "root"), date, date)
            }
            (Origin::Rest, ["v3", "reference", "options", "contracts"]) => {
                let date = param(request, "as_of").parse().expect("a date");
                flow(param(request, "underlying_ticker"), date)
            }
            // A table that is looked at whenever there are prints to come.
            (Origin::Rest, ["v3", "reference", "conditions"]) => false,
            (Origin::Rest, ["options", "v1", "unusual-trades"]) => {
                let from = param(request, "sip_timestamp.gte");
                let from = from.parse().expect("a time");
                let root = param(request, "ticker.gte").trim_start_matches("O:");
                flow(root, Ts::from_ns(from).exchange_date())
            }
            (Origin::Rest, ["v3", "trades" | "quotes", symbol]) => {
                let contract = symbol.trim_start_matches("O:");
                let contract = Contract::parse(contract).expect("a symbol");
                let from = param(request, "timestamp.gte").parse().expect("a time");
                flow(&contract.root, Ts::from_ns(from).exchange_date())
            }
            (Origin::S3, [.., name]) => {
                let date = name.trim_end_matches(".csv.gz").parse().expect("a date");
                TICKERS.iter().all(|ticker| flow(ticker, date))
            }
            _ => panic!("an unexpected request: {}", request.target()),
        }
    }
}

fn param<'a>(request: &'a Logged, name: &str) -> &'a str {
    let mut pairs = request.query.split('&').filter_map(|p| p.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found.expect("the parameter is there").1
}

fn of_ms(text: &str) -> NaiveDate {
    let ms: i64 = text.parse().expect("a time");
    Ts::from_ns(ms * 1_000_000).exchange_date()
}

/// The first of each address: later pages have a cursor in place of what was asked for.
fn without_cursor(requests: &[Logged]) -> impl Iterator<Item = &Logged> {
    requests.iter().filter(|r| !r.query.starts_with("cursor="))
}

fn ends_within(child: &mut Child, life: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < life {
        if child.try_wait().expect("it is ours").is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

/// Fetches into fresh caches, killed at random, until so many kills have come together.
fn survives(source: &str, by_file: bool, seed: u64) {
    let command = small_fetch(source);
    let quiet = Server::start(world(), options());
    let desk = Desk::new();
    desk.works(&quiet, &command);
    let expected = desk.cache();
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let (mut killed, mut rounds, mut requests) = (0, 0, 0);
    while killed < kills() {
        let (server, desk) = (slow_server(), Desk::new());
        rounds += 1;
        // On a slow machine no unit may fit into a short life: lives grow until one does.
        let mut longest = LONGEST_LIFE_MS;
        loop {
            let stored = Stored::read(&desk.path("data"));
            let before = server.requests().len();
            let mut child = desk.command(&server, &command).spawn().expect("it starts");
            let life = Duration::from_millis(random.random_range(1..longest));
            let has_ended = ends_within(&mut child, life);
            if !has_ended {
                child.kill().expect("it is ours");
                killed += 1;
                longest += LONGEST_LIFE_MS / 20;
            }
            let output = child.wait_with_output().expect("it is ours");
            for request in without_cursor(&server.requests()[before..]) {
                assert!(
                    !stored.answers(request, by_file),
                    "asked again after kill {killed}: {}",
                    request.target()
                );
            }
            if has_ended {
                let told = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(0), "{told}");
                break;
            }
        }
        let differing = differing(&desk.cache(), &expected);
        assert!(differing.is_empty(), "after kill {killed}: {differing:?}");
        let before = server.requests().len();
        requests += before;
        desk.works(&server, &command);
        assert_eq!(server.requests().len(), before, "everything is there");
        if killed >= kills() {
            everything_is_known(&server, &desk, &command, by_file);
        }
    }
    let once = quiet.requests().len() * rounds;
    eprintln!(
        "{source}: {killed} kills in {rounds} fetches, {requests} requests in place of {once}"
    );
}

/// A refresh asks for nothing but what is there: if it did, no kill would have been told from none.
fn everything_is_known(server: &Server, desk: &Desk, command: &str, by_file: bool) {
    let stored = Stored::read(&desk.path("data"));
    let before = server.requests().len();
    desk.works(server, &format!("{command} --refresh"));
    let requests = server.requests();
    let mut asked = without_cursor(&requests[before..]);
    let is_known = |request: &Logged| stored.answers(request, by_file);
    assert!(asked.all(|request| request.path.ends_with("/conditions") || is_known(request)));
}

#[test]
fn a_killed_fetch_by_rest_goes_on_where_it_was() {
    survives("rest", false, 1);
}

#[test]
fn a_killed_fetch_by_file_goes_on_where_it_was() {
    survives("flat", true, 2);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_a_word_and_it_can_be_gone_on_with() {
    for source in ["rest", "flat"] {
        let command = small_fetch(source);
        let (server, desk) = (slow_server(), Desk::new());
        let child = desk.command(&server, &command).spawn().expect("it starts");
        // It listens before it asks.
        while server.requests().len() < 60 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(sent.expect("kill is there").success());
        let output = child.wait_with_output().expect("it is ours");
        expect![[r#"
            error: stopped; what is stored is whole
            hint: run the same command again to have the rest
        "#]]
        .assert_eq(&String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.starts_with("Ticker sessions in data\n"), "{told}");
        let left = desk.cache();
        assert_eq!(super::half_written(&left), [] as [&String; 0]);
        desk.works(&server, &command);
        let undisturbed = Desk::new();
        undisturbed.works(&Server::start(world(), options()), &command);
        let differing = differing(&desk.cache(), &undisturbed.cache());
        assert!(differing.is_empty(), "{differing:?}");
    }
}
