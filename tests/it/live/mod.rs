//! `flowlab live` as a process: a replay of a small market, alerts to services on this machine, state
//! that survives.

mod channels;
mod delivered;
mod delivery;
mod living;
mod logged;
mod process;
mod service;
mod state;

pub use living::{Living, wait_for};
pub use logged::assert_logged;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use flowlab::report::alert;
use flowlab::store::Store;
use flowlab::strategies::Signal;
use tempfile::TempDir;

use crate::market;

/// SPY and TSLA over two weeks, cached with their warm-up: 34 signals.
const MARKET: &str = "fetch --provider synthetic --tickers SPY,TSLA --start 2025-11-10 --sessions 10 \
                      --events-per-day 60 --data-dir data";
const PERIOD: &str = "--start 2025-11-10 --end 2025-11-21";

/// A working folder that nothing else looks into.
pub struct Desk {
    folder: TempDir,
    /// Variables that channels are made of.
    pub variables: Vec<(&'static str, String)>,
}

/// What a command left behind.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn empty() -> Desk {
        Desk {
            folder: tempfile::tempdir().expect("a temporary folder"),
            variables: Vec::new(),
        }
    }

    /// A desk with the market in `data`.
    pub fn with_market() -> Desk {
        static MADE: OnceLock<Desk> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let desk = Desk::empty();
            let fetched = desk.run(MARKET);
            assert_eq!(fetched.code, Some(0), "{}", fetched.stderr);
            desk
        });
        let desk = Desk::empty();
        copy(&made.path("data"), &desk.path("data"));
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name));
        text.unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the desk is writable");
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowlab"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            // For the dead letters of a run without a state.
            .env("TMPDIR", self.folder.path())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Starts a command, whose output goes to files.
    pub fn start(&self, arguments: &str) -> Living {
        let number = (0..).find(|n| !self.path(&format!("{n}.out")).exists());
        let number = number.expect("some number is free");
        let file = |kind| self.path(&format!("{number}.{kind}"));
        let create = |path: &Path| File::create(path).expect("the desk is writable");
        let (stdout, stderr) = (file("out"), file("err"));
        let mut command = self.command(arguments);
        command.stdout(create(&stdout)).stderr(create(&stderr));
        Living {
            child: command.spawn().expect("it starts"),
            stdout,
            stderr,
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &str) -> Ran {
        let mut living = self.start(arguments);
        let status = living.end();
        Ran {
            code: status.code(),
            stdout: living.stdout(),
            stderr: self.normal(&living.stderr()),
        }
    }

    /// Runs `flowlab live` over the market.
    pub fn live(&self, arguments: &str) -> Ran {
        self.run(&live(arguments))
    }

    /// Runs `flowlab live` over the market, which must go well.
    pub fn lives(&self, arguments: &str) -> Ran {
        let ran = self.live(arguments);
        assert_eq!(ran.code, Some(0), "{arguments}: {}", ran.stderr);
        ran
    }

    /// Without the desk's path and the names of runs and configs.
    pub fn normal(&self, text: &str) -> String {
        let mut text = text.replace(&format!("{}/", self.folder.path().display()), "");
        for (before, length) in [("v1.0-", 10), ("config ", 10)] {
            let mut from = 0;
            while let Some(found) = text[from..].find(before) {
                from += found + before.len();
                let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
                if text.get(from..from + length).is_some_and(is_name) {
                    text.replace_range(from..from + length, "#");
                }
            }
        }
        text
    }

    /// The signals of the market in the order in which they are told.
    pub fn signals(&self) -> Vec<Signal> {
        let store = Store::folder(self.path("data"));
        let tickers = ["SPY", "TSLA"].map(str::to_owned);
        let period = market::period("2025-11-10", "2025-11-21");
        let mut signals = market::run(&store, &market::config(&[]), &tickers, period).signals;
        signals.sort_by(|a, b| {
            let when = |s: &Signal| (s.available_at, s.ticker.clone(), s.ts, s.seq);
            when(a).cmp(&when(b))
        });
        signals
    }

    /// Runs the backtest of the market into `expected`, and returns that run's folder.
    pub fn backtest(&self, set: &str) -> PathBuf {
        let arguments = format!("backtest {PERIOD} --data-dir data --runs-dir expected {set}");
        let ran = self.run(&arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        only_folder(&self.path("expected"))
    }
}

/// `flowlab live` over the market.
pub fn live(arguments: &str) -> String {
    format!("live {PERIOD} --data-dir data {arguments}")
}

/// What people are sent of `signals`.
pub fn texts(signals: &[Signal]) -> Vec<String> {
    signals.iter().map(alert::alert).collect()
}
/// The one folder in `folder` that is no temporary one.
pub fn only_folder(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().expect("an entry has a name");
        !name.to_string_lossy().starts_with('.')
    };
    let kept: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_kept).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    kept[0].clone()
}

/// Fails unless both run folders have the same name and files, to the byte.
pub fn assert_same_run(got: &Path, expected: &Path) {
    assert_eq!(got.file_name(), expected.file_name());
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(got), names(expected));
    for name in names(got) {
        let bytes = |folder: &Path| std::fs::read(folder.join(&name)).expect("a file");
        assert!(bytes(got) == bytes(expected), "{} differs", name.display());
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
