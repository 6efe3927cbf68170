//! The program as a user meets it: the binary in a folder of its own, its output and exit code.
//!
//! Every test begins with a copy of one small synthetic market, made once. Messages are golden, with
//! run names and seconds replaced.

mod data;
mod disk;
mod files;
mod lean;
mod output;
mod usage;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use expect_test::Expect;
use tempfile::TempDir;

/// SPY and TSLA over two weeks, cached with their warm-up.
const MARKET: &str = "fetch --provider synthetic --tickers SPY,TSLA --start 2025-11-10 --sessions 10 \
                      --events-per-day 60 --data-dir data";

/// A working folder that nothing else looks into.
struct Desk {
    folder: TempDir,
}

/// What a command left behind.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn empty() -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Desk { folder }
    }

    /// A desk with the market in `data`.
    fn with_market() -> Desk {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the desk is writable");
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowlab"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().expect("it starts");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: self.normal(&String::from_utf8(output.stderr).expect("UTF-8")),
        }
    }

    /// Without the desk's path, run names and seconds.
    fn normal(&self, text: &str) -> String {
        let text = text.replace(&format!("{}/", self.folder.path().display()), "");
        let mut lines = Vec::new();
        for line in text.lines() {
            let mut line = line.to_owned();
            if let Some(at) = line.find("v1.0-") {
                line.replace_range(at + 5..at + 15, "#");
            }
            if let Some((before, after)) = line.split_once(" warm-up) in ") {
                let (_, after) = after.split_once(';').expect("the summary goes on");
                line = format!("{before} warm-up) in #;{after}");
            }
            lines.push(line + "\n");
        }
        lines.concat()
    }

    /// Runs what must fail: nothing on stdout, the message on stderr, nothing left behind.
    fn fails(&self, arguments: &str, code: i32, message: &Expect) {
        let ran = self.run(arguments);
        message.assert_eq(&ran.stderr);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(code), ""),
            "{arguments}"
        );
        self.holds_nothing_half_written();
    }

    /// Neither a run nor a temporary file of one, of a table or of anything else.
    fn holds_nothing_half_written(&self) {
        assert_eq!(self.runs(), [] as [PathBuf; 0], "no run was finished");
        self.holds_no_temporary_file();
    }

    fn holds_no_temporary_file(&self) {
        for file in files_below(self.folder.path()) {
            let inside = file.strip_prefix(self.folder.path()).expect("found below");
            let is_temporary = |name: &str| name.starts_with(".tmp") || name.starts_with(".old");
            assert!(
                !inside
                    .iter()
                    .any(|part| is_temporary(&part.to_string_lossy())),
                "{} was left behind",
                inside.display()
            );
        }
    }

    /// Everything in `runs`, finished or not.
    fn runs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("runs")).into_iter().flatten();
        entries
            .map(|entry| entry.expect("readable").path())
            .collect()
    }

    fn only_run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
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

/// Every file below `folder`, in order of path.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}
