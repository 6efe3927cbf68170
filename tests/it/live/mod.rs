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
use std::process::Stdio;

use flowlab::report::alert;
use flowlab::store::Store;
use flowlab::strategies::Signal;

use crate::desk::{Desk, Ran};
use crate::market;

const PERIOD: &str = "--start 2025-11-10 --end 2025-11-21";

impl Desk {
    /// Starts a command, whose words on stderr go to a file.
    pub fn start(&self, arguments: &str) -> Living {
        let path = |n| self.path(&format!("{n}.err"));
        let stderr = (0..).map(path).find(|path| !path.exists());
        let stderr = stderr.expect("some number is free");
        let mut command = self.command(arguments);
        command.stdout(Stdio::null());
        command.stderr(File::create(&stderr).expect("the desk is writable"));
        Living {
            child: command.spawn().expect("it starts"),
            stderr,
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
