//! The program as a user meets it: the binary in a folder of its own, its output and exit code.
//!
//! Tests that need data begin with a copy of one small synthetic market, made once. What they read of
//! stderr names no run, config, place or second.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// SPY and TSLA over two weeks, cached with their warm-up: 34 signals.
pub const MARKET: &str = "fetch --provider synthetic --tickers SPY,TSLA --start 2025-11-10 --sessions 10 \
                      --events-per-day 60 --data-dir data";

/// A working folder that nothing else looks into.
pub struct Desk {
    folder: TempDir,
    /// Variables of the environment.
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

    /// The folder itself.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name));
        text.unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the desk is writable");
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowlab"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.root())
            .env("RUST_BACKTRACE", "0")
            // For the dead letters of a run without a state.
            .env("TMPDIR", self.root())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().expect("it starts");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: self.normal(&String::from_utf8(output.stderr).expect("UTF-8")),
        }
    }

    /// Without the desk's path, the names of runs and configs, and seconds.
    pub fn normal(&self, text: &str) -> String {
        let mut text = text.replace(&format!("{}/", self.root().display()), "");
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
        if let Some((before, after)) = text.split_once(" warm-up) in ") {
            let (_, after) = after.split_once(';').expect("the summary goes on");
            text = format!("{before} warm-up) in #;{after}");
        }
        text
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
