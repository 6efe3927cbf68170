//! The program listening to the stand-in, in a folder of its own, to be watched, killed and started
//! again.

use std::cell::Cell;
use std::fs::File;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowlab::time::{Ts, exchange_midnight};

use super::rows::{Row, Rows, as_told, rows, rows_of_run, sorted};
use super::{TICKERS, bars_of, world};
use crate::fetch::{Desk, Ran};
use crate::market;
use crate::standin::ws::faults::Plan;
use crate::standin::ws::{Feed, Stream};
use crate::standin::{Options, Server, World};

/// Gates so low that all kinds speak often, ways back so short that a day is warm at once, waits so
/// short that nobody notices, and patience with a machine that has other things to do.
pub const SET: [&str; 21] = [
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
    "swing.memory_sessions=1",
    "swing.max_hold_minutes=1440",
    "tickers.overrides={}",
    "context.rvol_sessions=3",
    "context.rvol_min_sessions=2",
    "massive.concurrency=4",
    "live.quiet_seconds=4",
    "live.bar_wait_seconds=60",
    "live.reconnect_first_seconds=0.02",
    "live.reconnect_longest_seconds=0.1",
];

/// How a line of the journal begins of what was told when its day was over.
const AFTERWARDS: &str = "{\"caught_up\":{\"";

/// So long nothing may take, on any machine.
const LONGEST: Duration = Duration::from_secs(240);

/// A day in a few seconds. Any faster, REST would be at the end of it before the first question, and
/// its answer would make up for whatever the sockets do.
pub const PACE: f64 = 20_000.0;

/// Stands still while nobody listens.
pub fn stream(date: &str, plan: Plan) -> Stream {
    Stream {
        days: vec![market::day(date)],
        waits_for_return: true,
        pace: PACE,
        plan,
        ..Stream::default()
    }
}

/// A server, and a folder for the program.
pub struct Stage {
    pub desk: Desk,
    pub server: Server,
    world: Arc<World>,
    pub date: &'static str,
    /// How often it was started.
    lives: Cell<usize>,
}

/// What the journal says was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub events: usize,
    pub bars: usize,
    pub overs: usize,
    pub gaps: usize,
    /// How many of all that when its day was over.
    pub afterwards: usize,
}

impl Stage {
    pub fn new(date: &'static str, stream: Stream) -> Stage {
        Stage::with_options(
            date,
            Options {
                stream: Some(stream),
                ..Options::default()
            },
        )
    }

    pub fn with_options(date: &'static str, options: Options) -> Stage {
        Stage::in_world(world(), date, options)
    }

    pub fn in_world(world: Arc<World>, date: &'static str, options: Options) -> Stage {
        Stage {
            desk: Desk::new(),
            server: Server::start(world.clone(), options),
            world,
            date,
            lives: Cell::new(0),
        }
    }

    /// The same folder, listening to another day.
    pub fn next(self, date: &'static str, stream: Stream) -> Stage {
        let options = Options {
            stream: Some(stream),
            ..Options::default()
        };
        self.next_with_options(date, options)
    }

    pub fn next_with_options(self, date: &'static str, options: Options) -> Stage {
        Stage {
            desk: self.desk,
            server: Server::start(self.world.clone(), options),
            world: self.world,
            date,
            lives: self.lives,
        }
    }

    /// Begins to listen; `more` are further arguments.
    pub fn listen(&self, more: &str) -> Listener<'_> {
        self.lives.set(self.lives.get() + 1);
        let arguments = format!(
            "live --source massive --day {} --tickers {} --state-dir state --dry-run {more}",
            self.date,
            TICKERS.join(",")
        );
        let sockets = self.server.sockets();
        let mut command = self.desk.command(&self.server, &arguments);
        for feed in Feed::ALL {
            let name = format!("{feed:?}").to_lowercase();
            let url = format!("massive.{name}_socket_url={}", sockets.url(feed));
            command.args(["--set", &url]);
        }
        for set in SET {
            command.args(["--set", set]);
        }
        let open = |name: &str| {
            let mut options = File::options();
            let file = options.create(true).append(true).open(self.desk.path(name));
            file.expect("a file of ours")
        };
        command.stdout(open("stdout")).stderr(open("stderr"));
        Listener {
            stage: self,
            child: command.spawn().expect("it starts"),
        }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.desk.path("stderr")).unwrap_or_default()
    }

    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.desk.path("stdout")).unwrap_or_default()
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.desk.path("state/journal.ndjson")).unwrap_or_default()
    }

    pub fn told(&self) -> Told {
        let mut told = Told::default();
        for line in self.journal().lines() {
            let live = line.strip_prefix("{\"told\":{\"");
            let afterwards = line.strip_prefix(AFTERWARDS);
            told.afterwards += usize::from(afterwards.is_some());
            let Some(rest) = live.or(afterwards) else {
                continue;
            };
            match rest.split('"').next() {
                Some("event") => told.events += 1,
                Some("bar") => told.bars += 1,
                Some("session_over") => told.overs += 1,
                Some("gap") => told.gaps += 1,
                _ => {}
            }
        }
        told
    }

    /// Time and contract of the events that were told when their day was over.
    pub fn events_told_afterwards(&self) -> Vec<(String, String)> {
        let journal = self.journal();
        let lines = journal.lines().filter(|line| line.starts_with(AFTERWARDS));
        let events = lines.filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let event = line["caught_up"].get("event")?;
            let ts = Ts::from_ns(event["ts"].as_i64().expect("a time"));
            let contract = event["contract"].as_str().expect("text");
            Some((ts.to_string(), contract.to_owned()))
        });
        events.collect()
    }

    /// The journal as if a kill had come when `afterwards` inputs had been told afterwards.
    pub fn forget_but(&self, afterwards: usize) {
        let journal = self.journal();
        let mut seen = 0;
        let is_kept = |line: &&str| {
            seen += usize::from(line.starts_with(AFTERWARDS));
            seen <= afterwards
        };
        let kept: Vec<&str> = journal.split_inclusive('\n').take_while(is_kept).collect();
        assert!(kept.concat().len() < journal.len(), "it was further");
        let path = self.desk.path("state/journal.ndjson");
        std::fs::write(path, kept.concat()).expect("a file of ours");
    }

    /// Whether an event of that day was told.
    pub fn has_heard_of(&self, date: &str) -> bool {
        let begins = exchange_midnight(market::day(date)).ns();
        let journal = self.journal();
        let mut lines = journal.lines();
        lines.any(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let ts = line["told"]["event"]["ts"].as_i64();
            ts.is_some_and(|ts| ts >= begins)
        })
    }

    /// How many alerts there are to go out.
    pub fn queued(&self) -> usize {
        let journal = self.journal();
        let lines = journal.lines();
        lines
            .filter(|line| line.starts_with("{\"queued\":"))
            .count()
    }

    /// Ids of alerts that went out, as often as they did.
    pub fn sent(&self) -> Vec<String> {
        let journal = self.journal();
        let lines = journal
            .lines()
            .filter(|line| line.starts_with("{\"sent\":"));
        let ids = lines.flat_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let ids = line["sent"]["ids"].as_array().expect("ids").clone();
            ids.into_iter()
                .map(|id| id.as_str().expect("text").to_owned())
        });
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    }

    pub fn logged(&self, name: &str) -> Vec<Row> {
        rows(&self.desk.path("state").join(name))
    }

    /// Tells a recording to a run without a state.
    pub fn again(&self, arguments: &str) -> Ran {
        let arguments = format!(
            "live --source recording --day {} --tickers {} {arguments}",
            self.date,
            TICKERS.join(",")
        );
        let set: String = SET.iter().map(|set| format!(" --set {set}")).collect();
        self.desk.run(&self.server, &(arguments + &set))
    }

    pub fn run(&self) -> Rows {
        rows_of_run(&self.desk.path("runs"))
    }

    /// Everything of `expected` came, each row once, and every signal left the house once.
    pub fn has_come_to(&self, expected: &Rows) {
        let logged = self.has_rows_of(expected);
        let mut ids: Vec<String> = logged.iter().map(|row| row["signal_id"].clone()).collect();
        ids.sort();
        assert_eq!(self.sent(), ids, "every alert leaves once");
    }

    /// Everything of `expected` came, each row once. Returns the signals as they were logged.
    pub fn has_rows_of(&self, expected: &Rows) -> Vec<Row> {
        let run = self.run();
        market::assert_rows("signals", &run.signals, &expected.signals);
        market::assert_rows("trades", &run.trades, &expected.trades);
        let logged = sorted(as_told(self.logged("signals_log.csv")));
        let signals = sorted(as_told(expected.signals.clone()));
        market::assert_rows("logged", &logged, &signals);
        logged
    }
}

/// The running program. It is killed when nobody holds it any more.
pub struct Listener<'s> {
    stage: &'s Stage,
    child: Child,
}

impl Listener<'_> {
    /// Waits until `is_so`; fails when the program ends before.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Stage) -> bool) {
        let begun = Instant::now();
        while !is_so(self.stage) {
            let ended = self.child.try_wait().expect("it is ours");
            let is_late = begun.elapsed() > LONGEST;
            if ended.is_some() || is_late {
                let said = self.stage.said();
                let told = self.stage.told();
                panic!("{what} did not happen ({ended:?}): {told:?}\n{said}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that `expected` is made of was told.
    pub fn until_told(&mut self, expected: &Rows) {
        let bars = bars_of(self.stage.date);
        self.until("the end", |stage| {
            let told = stage.told();
            // Whoever warms up listens to Ctrl-C.
            stage.said().matches("warming up").count() == stage.lives.get()
                && stage.server.sockets().stream_done()
                && told.events >= expected.events
                && told.bars >= bars
                && told.overs >= TICKERS.len()
                // What has not gone out by Ctrl-C waits for the next start.
                && stage.sent().len() >= expected.signals.len()
        });
    }

    pub fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// As Ctrl-C does; it ends well.
    pub fn interrupt(self) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(sent.expect("kill is there").success());
        let stage = self.stage;
        let status = self.ends();
        assert_eq!(status.code(), Some(0), "{}", stage.said());
    }

    /// Waits for it to end by itself.
    pub fn ends(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status;
            }
            assert!(
                begun.elapsed() < LONGEST,
                "it does not end\n{}",
                self.stage.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
