//! A process that is watched, told to end, or killed.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Nothing here takes as long; what does is stuck.
const PATIENCE: Duration = Duration::from_secs(240);

/// A process that may be watched, told to end, or killed.
pub struct Living {
    pub(super) child: Child,
    pub(super) stderr: PathBuf,
}

impl Living {
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).expect("UTF-8")
    }

    /// Waits for the process to end of itself.
    pub fn end(&mut self) -> ExitStatus {
        let ended = self.ends_within(PATIENCE);
        ended.unwrap_or_else(|| panic!("it goes on and on: {}", self.stderr()))
    }

    pub fn ends_within(&mut self, life: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return Some(status);
            }
            if begun.elapsed() >= life {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// As by `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// As by `kill -INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// The rest of the line on stderr that begins with `beginning`, once it is there.
    pub fn says(&mut self, beginning: &str) -> String {
        let begun = Instant::now();
        loop {
            let told = self.stderr();
            let whole = told.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(rest) = whole.lines().find_map(|line| line.strip_prefix(beginning)) {
                return rest.to_owned();
            }
            let is_over = self.child.try_wait().expect("it is ours").is_some();
            assert!(!is_over && begun.elapsed() < PATIENCE, "it says: {told}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
