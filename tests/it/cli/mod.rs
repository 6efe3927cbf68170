//! Commands over the cache and runs: what they print, and what they leave behind. Messages are golden.

mod data;
mod disk;
mod files;
mod lean;
mod output;
mod usage;

use std::path::{Path, PathBuf};

use expect_test::Expect;

use crate::desk::Desk;

impl Desk {
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
        for file in files_below(self.root()) {
            let inside = file.strip_prefix(self.root()).expect("found below");
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
