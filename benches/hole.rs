//! How long a hole in the prints stops `flowlab live`, and how many questions it takes: the program
//! itself, listening to the stand-in, which breaks the connection off in the middle of the day.
//!
//! `cargo bench --bench hole -- [CONTRACTS PER TICKER] [REQUESTS PER SECOND] [chains|none]`. With `none` the
//! vendor has no chains and every contract is asked for, as it was before there were any.

mod arguments;
#[path = "../tests/standin/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "tests use all of it, the bench a part and none of its own tests"
)]
mod standin;
#[path = "../tests/synthetic_world.rs"]
mod synthetic_world;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use flowlab::time::{Calendar, exchange_midnight};
use standin::log::Logged;
use standin::world::{CallPut, Contract};
use standin::ws::faults::{SocketFault, Trouble};
use standin::ws::{Feed, Stream};
use standin::{Family, Options, Server, World};

const TICKERS: [&str; 5] = ["AAPL", "NVDA", "QQQ", "SPY", "TSLA"];
const DAY: NaiveDate = NaiveDate::from_ymd_opt(2025, 7, 1).expect("a date");
/// Event time per second, before the first print and from then on.
const MORNING_PACE: f64 = 3_000.0;
const PACE: f64 = 10.0;
/// Of an answer of REST.
const LATENCY: Duration = Duration::from_millis(30);
const CLOSED: &str = "option prints ";

fn main() {
    let args = arguments::given();
    let number = |place, usual: usize| arguments::number(&args, place, usual);
    let (contracts, rate) = (number(0, 1_000), number(1, 50));
    let has_chains = args.get(2).is_none_or(|text| text == "chains");
    let world = Arc::new(world(contracts));
    let listed = world.contracts();
    let listed = listed.filter(|(_, _, contract)| contract.is_listed_on(DAY));
    println!("{} contracts are listed", listed.count());
    let stream = Stream {
        days: vec![DAY],
        waits_for_return: true,
        pace: MORNING_PACE,
        ..Stream::default()
    };
    let server = Server::start(
        world,
        Options {
            not_entitled: match has_chains {
                true => Vec::new(),
                false => vec![Family::Snapshot],
            },
            latency: LATENCY,
            stream: Some(stream),
            ..Options::default()
        },
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::start(folder.path(), &server, rate);
    let sockets = server.sockets();
    let first = exchange_midnight(DAY).plus_minutes(9 * 60 + 29).ns();
    while sockets.now() < first {
        std::thread::sleep(Duration::from_millis(1));
    }
    sockets.set_pace(PACE);
    program.until(CLOSED);
    std::thread::sleep(Duration::from_secs(30));
    let before = server.requests().len();
    let reset = SocketFault::on(Feed::Options, Trouble::Reset);
    sockets.inject(reset);
    program.until("lost the options feed");
    program.until("the options feed is up");
    let up = Instant::now();
    program.until(CLOSED);
    let took = up.elapsed();
    let asked = server.requests().split_off(before);
    let count = |is_one: fn(&&Logged) -> bool| asked.iter().filter(is_one).count();
    println!(
        "closed {:.1} s after the feed was back: {} questions for chains, {} for prints",
        took.as_secs_f64(),
        count(|one| one.path.starts_with("/v3/snapshot/")),
        count(|one| is_of_the_hole(one)),
    );
}

/// Up to the end of the day; whoever is only looked at again is not asked that far.
fn is_of_the_hole(request: &Logged) -> bool {
    let ends = exchange_midnight(DAY.succ_opt().expect("a day")).ns();
    let to = format!("timestamp.lt={ends}");
    request.path.starts_with("/v3/trades/") && request.query.split('&').any(|part| part == to)
}

/// A day's market, and as many contracts more on each ticker that do not trade.
fn world(more: usize) -> World {
    let recipe = synthetic_world::Recipe {
        tickers: &TICKERS,
        start: DAY,
        sessions: 1,
        warmup_sessions: 2,
        events_per_day: 2_000,
        seed: 1,
    };
    let mut world = recipe.world(&Calendar::shipped());
    for ticker in TICKERS {
        let stock = world.stocks.get_mut(ticker).expect("a ticker of the world");
        stock.contracts.retain(|_, contract| {
            contract.quotes.clear();
            contract.listed = DAY;
            !contract.prints.is_empty()
        });
        for number in 0..more {
            let strike = 5_000 + number;
            let contract = Contract {
                root: ticker.to_owned(),
                call_put: CallPut::Call,
                strike: strike as f64,
                expiration: NaiveDate::from_ymd_opt(2027, 1, 15).expect("a date"),
                shares: 100,
                listed: DAY,
                delisted: DAY,
                prints: BTreeMap::new(),
                quotes: BTreeMap::new(),
                open_interest: BTreeMap::new(),
            };
            let symbol = format!("O:{ticker}270115C{:08}", strike * 1_000);
            stock.contracts.insert(symbol, contract);
        }
    }
    world
}

struct Program {
    child: Child,
    said: Receiver<String>,
}

impl Program {
    fn start(folder: &std::path::Path, server: &Server, rate: usize) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowlab"));
        let tickers = TICKERS.join(",");
        let day = DAY.to_string();
        command.args(["live", "--source", "massive", "--dry-run", "-v"]);
        command.args(["--day", &day, "--tickers", &tickers]);
        let sockets = server.sockets();
        for set in [
            format!("massive.rest_url={}", server.rest_url()),
            format!("massive.options_socket_url={}", sockets.url(Feed::Options)),
            format!("massive.stocks_socket_url={}", sockets.url(Feed::Stocks)),
            format!("massive.max_requests_per_second={rate}"),
            "live.quotes=none".to_owned(),
            "live.quiet_seconds=60".to_owned(),
            "live.reconnect_first_seconds=0.5".to_owned(),
            "swing.memory_sessions=1".to_owned(),
        ] {
            command.args(["--set", &set]);
        }
        let key = Options::default().api_key;
        let command = command
            .current_dir(folder)
            .env("POLYGON_MASSIVE_KEY", key)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stderr = child.stderr.take().expect("it is piped");
        let (tell, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Program { child, said }
    }

    /// Waits for a line that contains `text`.
    fn until(&self, text: &str) {
        for line in &self.said {
            if line.contains(text) {
                println!("  {line}");
                return;
            }
        }
        panic!("it ended before it said {text:?}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
