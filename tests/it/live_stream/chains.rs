//! A hole asks the chains first, and then for those contracts that are not quiet by them; whoever was
//! spared is looked at again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowlab::time::exchange_midnight;

use super::rows::sorted;
use super::stage::{Listener, Stage, stream};
use super::{DAY, TICKERS, backtest, world};
use crate::market;
use crate::standin::faults::{Fault, Kind};
use crate::standin::world::{CallPut, Contract, Print};
use crate::standin::ws::faults::{Absence, Plan, SocketFault, Trouble};
use crate::standin::ws::{Feed, Stream};
use crate::standin::{Family, Options, World};

const CHAIN: &str = "/v3/snapshot/options/";

/// The world, with as many contracts more on each ticker, which are listed on the day and do not trade.
fn crowded(more: usize) -> Arc<World> {
    let mut world = World::clone(&world());
    let day = market::day(DAY);
    for ticker in TICKERS {
        let stock = world.stocks.get_mut(ticker).expect("a ticker of the world");
        for number in 0..more {
            let strike = 5_000 + number;
            let contract = Contract {
                root: ticker.to_owned(),
                call_put: CallPut::Call,
                strike: strike as f64,
                expiration: market::day("2027-01-15"),
                shares: 100,
                listed: day,
                delisted: day,
                prints: BTreeMap::new(),
                quotes: BTreeMap::new(),
                open_interest: BTreeMap::new(),
            };
            let symbol = format!("O:{ticker}270115C{:08}", strike * 1_000);
            stock.contracts.insert(symbol, contract);
        }
    }
    Arc::new(world)
}

fn listed(world: &World) -> usize {
    let day = market::day(DAY);
    let contracts = world.contracts();
    contracts
        .filter(|(_, _, contract)| contract.is_listed_on(day))
        .count()
}

/// For how many contracts each hole asked, by where it begins: up to the end of the day.
fn asked_for(stage: &Stage) -> BTreeMap<String, usize> {
    let ends = exchange_midnight(market::day(DAY).succ_opt().expect("a day")).ns();
    let to = format!("timestamp.lt={ends}");
    let mut asked = BTreeMap::new();
    for request in stage.server.requests() {
        let mut query = request.query.split('&');
        let from = query
            .clone()
            .find(|part| part.starts_with("timestamp.gte="));
        if request.path.starts_with("/v3/trades/") && query.any(|part| part == to) {
            *asked
                .entry(from.expect("a beginning").to_owned())
                .or_default() += 1;
        }
    }
    asked
}

fn options(stream: Stream) -> Options {
    Options {
        stream: Some(stream),
        ..Options::default()
    }
}

fn noon() -> i64 {
    let midnight = exchange_midnight(market::day(DAY));
    midnight.plus_minutes(12 * 60).ns()
}

/// Waits for noon, when every ticker has traded.
fn until_noon(live: &mut Listener) {
    live.until("noon", |stage| stage.server.sockets().now() >= noon());
}

fn befalls(stage: &Stage, trouble: Trouble) {
    let fault = SocketFault::on(Feed::Options, trouble);
    stage.server.sockets().inject(fault);
}

#[test]
fn a_hole_asks_for_few_of_the_contracts_that_are_listed() {
    let world = crowded(1_000);
    let stage = Stage::in_world(world.clone(), DAY, options(stream(DAY, Plan::default())));
    let mut live = stage.listen("");
    until_noon(&mut live);
    befalls(&stage, Trouble::Reset);
    live.until_told(backtest());
    live.interrupt();
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
    let mut asked = asked_for(&stage);
    // When the first print comes, other tickers may have none that their chains could tell.
    let midnight = exchange_midnight(market::day(DAY)).ns();
    asked.remove(&format!("timestamp.gte={midnight}"));
    assert!(!asked.is_empty(), "{}", stage.said());
    for (from, count) in asked {
        assert!(count < listed(&world) / 8, "{count} {from}");
    }
}

/// From noon on, one after the other of TSLA's contracts that do not trade before has one small print.
fn waking(world: &World, every: Duration) -> World {
    let mut world = world.clone();
    let tsla = world.stocks.get_mut("TSLA").expect("a ticker of the world");
    let silent = tsla.contracts.values_mut();
    let silent = silent.filter(|contract| contract.prints.is_empty());
    for (number, contract) in (0..).zip(silent) {
        let print = Print {
            ts: noon() + number * i64::try_from(every.as_nanos()).expect("not long"),
            price: 0.05,
            size: 1,
            exchange: 302,
            conditions: vec![209],
            correction: 0,
        };
        contract.prints.insert(market::day(DAY), vec![print]);
    }
    world
}

#[test]
fn a_print_that_rest_has_before_the_stream_has_told_it_is_not_missed() {
    let world = waking(&crowded(1_000), Duration::from_millis(100));
    let brisk = Stream {
        pace: 1_000.0,
        ..stream(DAY, Plan::default())
    };
    let stage = Stage::in_world(Arc::new(world), DAY, options(brisk));
    // What is told is told five seconds after REST has it.
    let mut live = stage.listen("-v --set live.reorder_ms=5000");
    until_noon(&mut live);
    stage.server.sockets().set_pace(10.0);
    befalls(&stage, Trouble::Reset);
    live.until("the second look", |stage| {
        let said = stage.said();
        let after = said.split_once("lost the options feed");
        let after = after.and_then(|(_, after)| after.split_once("quiet by their chains"));
        after.is_some_and(|(_, after)| after.contains("looked at again: "))
    });
    live.interrupt();
    let said = stage.said();
    assert!(!said.contains("were missed"), "{said}");
    assert_eq!(stage.told().gaps, 0, "{said}");
}

#[test]
fn a_quiet_contract_that_cannot_be_looked_at_again_is_said_and_no_gap() {
    let slow = Stream {
        pace: 5_000.0,
        ..stream(DAY, Plan::default())
    };
    let stage = Stage::in_world(crowded(1), DAY, options(slow));
    let mut live = stage.listen("");
    until_noon(&mut live);
    let silent = Fault::on("/v3/trades/O:TSLA270115C05000000", Kind::status(400));
    stage.server.inject(silent.always());
    befalls(&stage, Trouble::Reset);
    live.until_told(backtest());
    live.until("the second look", |stage| {
        stage.said().contains("could not be looked at again")
    });
    live.interrupt();
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
}

#[test]
fn a_plan_without_chains_asks_for_every_contract_and_says_so_once() {
    let plan = Plan {
        seed: 9,
        disconnects: [12, 4],
        ..Plan::default()
    };
    let options = Options {
        not_entitled: vec![Family::Snapshot],
        ..options(stream(DAY, plan))
    };
    let stage = Stage::with_options(DAY, options);
    let mut live = stage.listen("");
    live.until_told(backtest());
    live.interrupt();
    stage.has_come_to(backtest());
    assert_eq!(stage.told().gaps, 0, "{}", stage.said());
    let said = stage.said();
    let count = said.matches("does not say which contracts traded").count();
    assert_eq!(count, 1, "{said}");
    let most = asked_for(&stage).into_values().max();
    assert!(most >= Some(listed(&world())), "{most:?}");
}

/// Contract, time, price and size, and how often.
type Prints = BTreeMap<(String, i64, u64, i64), usize>;

fn prints_of_the_day() -> Prints {
    let mut prints = Prints::new();
    let (world, day) = (world(), market::day(DAY));
    for (_, symbol, contract) in world.contracts() {
        let stand = contract.prints.get(&day).into_iter().flatten();
        for print in stand.filter(|print| print.correction == 0) {
            let symbol = symbol.trim_start_matches("O:").to_owned();
            let key = (symbol, print.ts, print.price.to_bits(), print.size);
            *prints.entry(key).or_default() += 1;
        }
    }
    prints
}

/// What the stage's listener kept of the day: everything that was told in its time.
fn prints_told(stage: &Stage) -> Prints {
    let path = stage.desk.path(&format!("state/prints-{DAY}.ndjson"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut symbols = BTreeMap::new();
    let mut prints = Prints::new();
    for line in text.lines() {
        // It may be cut in the middle of a line.
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let (contract, print) = (&line["c"], &line["p"]);
        if let Some(symbol) = contract[1].as_str() {
            symbols.insert(contract[0].as_u64(), symbol.to_owned());
        }
        if print[1]["correction"] == 0 {
            let key = (
                symbols[&print[0].as_u64()].clone(),
                print[1]["ts"].as_i64().expect("a time"),
                print[1]["price"].as_f64().expect("a price").to_bits(),
                print[1]["size"].as_i64().expect("a size"),
            );
            *prints.entry(key).or_default() += 1;
        }
    }
    prints
}

/// How many prints second looks found, as `said`.
fn missed(said: &str) -> usize {
    let lines = said.lines().filter_map(|line| {
        let (before, _) = line.split_once(" prints were missed")?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    lines.sum()
}

/// A listener who is away for half an hour, with a vendor whose chains are an hour behind.
fn behind() -> Stage {
    let slow = Stream {
        pace: 5_000.0,
        ..stream(DAY, Plan::default())
    };
    let stage = Stage::new(DAY, slow);
    let hour = Kind::Behind(Duration::from_secs(3_600));
    stage.server.inject(Fault::on(CHAIN, hour).always());
    let half_an_hour = Absence::EventTime(Duration::from_secs(1_800));
    let all: usize = prints_of_the_day().into_values().sum();
    let mut live = stage.listen("-v --record day.ndjson");
    until_noon(&mut live);
    befalls(&stage, Trouble::Gone(half_an_hour));
    live.until("the second look", |stage| {
        let told: usize = prints_told(stage).into_values().sum();
        stage.server.sockets().stream_done()
            && stage.told().overs == TICKERS.len()
            && told + missed(&stage.said()) >= all
    });
    live.interrupt();
    stage
}

#[test]
fn what_a_chain_that_is_behind_did_not_know_is_found_by_the_second_look() {
    let stage = behind();
    let said = stage.said();
    let (all, told) = (prints_of_the_day(), prints_told(&stage));
    for (print, count) in &told {
        assert!(
            all.get(print) >= Some(count),
            "{print:?} was told {count} times"
        );
    }
    let untold: usize = all.values().sum::<usize>() - told.values().sum::<usize>();
    assert!(untold > 0, "{said}");
    assert_eq!(missed(&said), untold, "{said}");
    assert!(!said.contains("were not looked at again"), "{said}");
    let marks = said.matches("had not known of it").count();
    assert!((1..=TICKERS.len()).contains(&marks), "{said}");
    assert_eq!(stage.told().gaps, marks);
    let logged = stage.logged("signals_log.csv");
    let is_marked = |rules: &str| rules.contains("; data gap: option prints came too late");
    assert!(logged.iter().any(|row| is_marked(&row["rules"])), "{said}");
}

#[test]
fn a_recording_with_chains_and_second_looks_told_again_is_the_run() {
    let stage = behind();
    std::fs::rename(stage.desk.path("runs"), stage.desk.path("first")).expect("a folder");
    let again = stage.again("-v --recording day.ndjson --state-dir again");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let missed = [missed(&stage.said()), missed(&again.stderr)];
    assert!(missed[0] > 0 && missed[0] == missed[1], "{missed:?}");
    let first = super::rows_of_run(&stage.desk.path("first"));
    let run = stage.run();
    market::assert_rows("signals", &run.signals, &first.signals);
    market::assert_rows("trades", &run.trades, &first.trades);
    let logged = |folder: &str| {
        let path = stage.desk.path(folder).join("signals_log.csv");
        sorted(super::rows::rows(&path))
    };
    market::assert_rows("logged", &logged("again"), &logged("state"));
}
