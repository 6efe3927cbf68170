//! The program as it is started by hand: keys in the environment, addresses in the config.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Cache, cache};
use crate::standin::{Options, Server};

/// The program in a folder of its own, with keys in its environment.
pub struct Desk {
    folder: TempDir,
    keys: Options,
}

/// What a command left behind.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with_keys_of(Options::default())
    }

    pub fn with_keys_of(keys: Options) -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Desk { folder, keys }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Addresses and keys go where they come from in earnest: into the config and the environment.
    pub fn command(&self, server: &Server, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowlab"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .env("POLYGON_MASSIVE_KEY", &self.keys.api_key)
            .env("MASSIVE_S3_ACCESS_KEY_ID", &self.keys.s3_key_id)
            .env("MASSIVE_S3_SECRET_ACCESS_KEY", &self.keys.s3_secret)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for set in [
            format!("massive.rest_url={}", server.rest_url()),
            format!("massive.flat_files_url={}", server.s3_url()),
            "massive.max_requests_per_second=5000".to_owned(),
        ] {
            command.args(["--set", &set]);
        }
        command
    }

    pub fn run(&self, server: &Server, arguments: &str) -> Ran {
        let output = self.command(server, arguments).output();
        let output = output.expect("it starts");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// [`Desk::run`] of what must end well.
    pub fn works(&self, server: &Server, arguments: &str) -> Ran {
        let ran = self.run(server, arguments);
        assert_eq!(
            ran.code,
            Some(0),
            "{arguments}: {}{}",
            ran.stdout,
            ran.stderr
        );
        ran
    }

    pub fn cache(&self) -> Cache {
        cache(&self.path("data"))
    }
}
