//! A small synthetic market in memory, for tests to cut, scramble and spoil before it goes into a
//! store of its own.

use flowlab::config::{Config, Sources};
use flowlab::engine::{self, Counts, EngineError, Gaps, Job, Meter, Period};
use flowlab::paper::Trade;
use flowlab::providers::synthetic::{self, Market, Params, TickerSession};
use flowlab::store::{
    Arrival, BarTable, DailyBar, DailyTable, FlowTable, Split, SplitTable, Store, Table,
};
use flowlab::strategies::Signal;
use flowlab::time::Calendar;

use chrono::NaiveDate;
use tempfile::TempDir;

/// A run, all of it in memory.
pub struct Results {
    pub signals: Vec<Signal>,
    pub trades: Vec<Trade>,
    pub counts: Counts,
    pub gaps: Gaps,
    pub input_hash: String,
}

/// Runs `job` and keeps everything.
pub fn collect(job: &Job) -> Result<Results, EngineError> {
    let (mut signals, mut trades) = (Vec::new(), Vec::new());
    let summary = engine::run(
        job,
        &Meter::default(),
        |rows| rows,
        |rows| {
            signals.extend(rows.signals);
            trades.extend(rows.trades);
            Ok(())
        },
    )?;
    Ok(Results {
        signals,
        trades,
        counts: summary.counts,
        gaps: summary.gaps,
        input_hash: summary.input_hash,
    })
}

/// One ticker as a provider gives it.
#[derive(Clone)]
pub struct Ticker {
    pub name: String,
    pub sessions: Vec<TickerSession>,
    pub daily: Vec<DailyBar>,
    pub splits: Vec<Split>,
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub fn period(start: &str, end: &str) -> Period {
    Period {
        start: day(start),
        end: day(end),
    }
}

/// The shipped config with `set` on top.
pub fn config(set: &[&str]) -> Config {
    let nowhere = TempDir::new().expect("a folder without a config");
    let sources = Sources {
        file: None,
        search_dir: nowhere.path().to_owned(),
        set: set.iter().map(|argument| (*argument).to_owned()).collect(),
    };
    Config::load(&sources).expect("the settings are valid")
}

/// Gates so low that all three kinds speak often, with every memory in use.
pub fn talkative() -> Config {
    config(&[
        "scalp.min_premium=20000",
        "scalp.min_strength=4",
        "scalp.min_rvol=0.8",
        "scalp.cooldown_minutes=7",
        "day_trade.min_premium=10000",
        "day_trade.min_strength=3",
        "day_trade.min_rvol=0.7",
        "scoring.weights.sweep_cluster=1",
        "swing.min_premium=15000",
        "swing.min_strength=2",
        "swing.persistent_multiple=2",
        "tickers.overrides={}",
    ])
}

/// Makes every ticker of `params`.
pub fn make(params: &Params) -> Vec<Ticker> {
    let market = Market::new(params.clone(), &Calendar::shipped()).expect("the market is sound");
    let ticker = |name: &String| {
        let mut made = market.ticker(name);
        let mut daily = made.daily.clone();
        let splits = made.splits.clone();
        let sessions: Vec<TickerSession> = (&mut made).collect();
        daily.extend(sessions.iter().filter_map(|session| session.daily));
        Ticker {
            name: name.clone(),
            sessions,
            daily,
            splits,
        }
    };
    params.tickers.iter().map(ticker).collect()
}

/// Five tickers around Thanksgiving 2025: TSLA is halted and NVDA splits on 18 November, clocks
/// change on the 2nd (inside the look-back), the 28th is a half day. Flow from 4 November on, warm
/// from the 10th.
pub fn thanksgiving() -> Vec<Ticker> {
    let tickers = synthetic::default_tickers(5);
    let mut params = Params::new(7, tickers, day("2025-11-04"), 20);
    params.events_per_day = 150;
    make(&params)
}

/// A store with `tickers` in it, in a folder that lasts as long as the first half of the pair.
pub fn store(tickers: &[Ticker]) -> (TempDir, Store) {
    let folder = TempDir::new().expect("a folder for the store");
    let store = Store::folder(folder.path());
    for ticker in tickers {
        put(&store, ticker);
    }
    (folder, store)
}

/// Adds `ticker` to what the store has.
pub fn put(store: &Store, ticker: &Ticker) {
    let bars = |session: &TickerSession| {
        let mut table = BarTable::default();
        session.bars.iter().for_each(|bar| table.push(*bar));
        (session.session.date, table.finish(&ticker.name))
    };
    let flow = |session: &TickerSession| {
        let mut table = FlowTable::default();
        session.for_each(|event, detail| table.push(event, detail));
        (session.session.date, table.finish())
    };
    let with_flow = ticker.sessions.iter().filter(|session| session.has_flow);
    for (table, sessions) in [
        (Table::Bars1m, ticker.sessions.iter().map(bars).collect()),
        (Table::Flow, with_flow.map(flow).collect()),
        (
            Table::Bars1d,
            DailyTable::by_session(&ticker.name, &ticker.daily),
        ),
        (
            Table::Splits,
            SplitTable::by_session(&ticker.name, &ticker.splits),
        ),
    ] {
        let arrival = Arrival {
            table,
            ticker: &ticker.name,
            sessions,
            source: synthetic::SOURCE,
            min_notional: (table == Table::Flow).then_some(10_000.0),
        };
        store.put(arrival).expect("the store takes it");
    }
}

pub fn names(tickers: &[Ticker]) -> Vec<String> {
    tickers.iter().map(|ticker| ticker.name.clone()).collect()
}

pub fn run(store: &Store, config: &Config, tickers: &[String], period: Period) -> Results {
    let calendar = Calendar::shipped();
    let job = Job {
        store,
        calendar: &calendar,
        config,
        tickers,
        period,
    };
    collect(&job).expect("the run succeeds")
}

/// Puts `tickers` into a store of their own and runs them all.
pub fn run_all(tickers: &[Ticker], config: &Config, period: Period) -> Results {
    let (_folder, store) = store(tickers);
    run(&store, config, &names(tickers), period)
}

/// Fails on the first row in which `got` and `expected` differ, and shows both.
pub fn assert_rows<T: PartialEq + std::fmt::Debug>(what: &str, got: &[T], expected: &[T]) {
    if let Some(row) = (0..got.len().min(expected.len())).find(|row| got[*row] != expected[*row]) {
        panic!(
            "{what}: row {row} differs\n got {:#?}\n expected {:#?}",
            got[row], expected[row]
        );
    }
    assert_eq!(got.len(), expected.len(), "{what}: number of rows");
}
