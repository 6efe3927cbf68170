//! `live --source massive` against the stand-in's sockets: whatever happens on the way, what comes of
//! a day is what a backtest of the same day, fetched afterwards, has.

mod chains;
mod losses;
mod missed;
mod parity;
mod refusals;
mod rows;
mod stage;
mod tape;

use std::sync::{Arc, OnceLock};

use flowlab::time::{Calendar, exchange_midnight};

use crate::fetch::Desk;
use crate::market;
use crate::standin::{Options, Server, World};
use crate::synthetic_world::Recipe;
use rows::{Rows, rows_of_run};
use stage::SET;

const TICKERS: [&str; 3] = ["QQQ", "SPY", "TSLA"];
const DAY: &str = "2025-07-01";
const NEXT_DAY: &str = "2025-07-02";

/// Contracts that are listed and do not trade: they are asked for in every hole.
const SILENT_CONTRACTS: usize = 2;

/// Three tickers with flow on two days, and bars on as many before as memories need.
fn world() -> Arc<World> {
    static MADE: OnceLock<Arc<World>> = OnceLock::new();
    Arc::clone(MADE.get_or_init(|| world_with_flow_to(NEXT_DAY)))
}

/// Flow begins on [`DAY`].
fn world_with_flow_to(last: &str) -> Arc<World> {
    let recipe = Recipe {
        tickers: &TICKERS,
        start: market::day(DAY),
        sessions: 8,
        warmup_sessions: 6,
        events_per_day: 60,
        seed: 11,
    };
    let mut world = recipe.world(&Calendar::shipped());
    let last = market::day(last);
    for stock in world.stocks.values_mut() {
        let mut silent = 0;
        stock.contracts.retain(|_, contract| {
            contract.prints.retain(|date, _| *date <= last);
            silent += usize::from(contract.prints.is_empty());
            !contract.prints.is_empty() || silent <= SILENT_CONTRACTS
        });
    }
    Arc::new(world)
}

/// Minute bars that the stream has to tell of the run's tickers.
fn bars_of(date: &str) -> usize {
    let date = market::day(date);
    let world = world();
    let bars = |ticker: &&str| world.stocks[*ticker].minute_bars[&date].len();
    TICKERS.iter().map(bars).sum()
}

/// What a backtest of a fetched period has.
fn backtest_with(world: &World, options: Options, start: &str, end: &str) -> Rows {
    let mut world = World::clone(world);
    // The stream is over by then.
    world.now = exchange_midnight(market::day(end))
        .plus_minutes(22 * 60)
        .ns();
    let (server, desk) = (Server::start(Arc::new(world), options), Desk::new());
    let tickers = TICKERS.join(",");
    let set: String = SET.iter().map(|set| format!(" --set {set}")).collect();
    let period = format!("--start {start} --end {end} --tickers {tickers}{set}");
    desk.works(&server, &format!("fetch {period} --source rest"));
    desk.works(&server, &format!("backtest {period}"));
    rows_of_run(&desk.path("runs"))
}

fn backtest_of(start: &str, end: &str) -> Rows {
    backtest_with(&world(), Options::default(), start, end)
}

fn backtest() -> &'static Rows {
    static MADE: OnceLock<Rows> = OnceLock::new();
    MADE.get_or_init(|| backtest_of(DAY, DAY))
}
