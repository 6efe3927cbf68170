//! The log: what the modules say about their work, to stderr, as text or as JSON, a line each.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use log::{LevelFilter, Record};

use super::Global;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: `warn: …`
    Text,
    /// For programs: an object per line with ts, level, target and message
    Json,
}

/// Lines that are kept while a screen has the terminal.
const KEPT: usize = 200;

/// `None`: straight to stderr.
static KEPT_LINES: Mutex<Option<VecDeque<Vec<u8>>>> = Mutex::new(None);

/// Starts the log. Modules say warnings, and more when asked to.
pub fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    let mut builder = env_logger::Builder::new();
    builder
        .filter_module("flowlab", level)
        .target(env_logger::Target::Pipe(Box::new(Lines)));
    match global.log_format {
        Format::Text => builder.format(|out, record| {
            let level = record.level().as_str().to_lowercase();
            writeln!(out, "{level}: {}", record.args())
        }),
        Format::Json => builder.format(|out, record| writeln!(out, "{}", as_json(record))),
    };
    builder.init();
}

fn as_json(record: &Record) -> serde_json::Value {
    serde_json::json!({
        "ts": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "level": record.level().as_str().to_lowercase(),
        "target": record.target(),
        "message": record.args().to_string(),
    })
}

/// Keeps lines back while a screen has the terminal; they are written when it is dropped.
#[cfg(feature = "live")]
pub struct Quiet(());

#[cfg(feature = "live")]
impl Quiet {
    pub fn begin() -> Quiet {
        *lines() = Some(VecDeque::new());
        Quiet(())
    }

    /// The last line that was kept.
    pub fn last() -> Option<String> {
        let lines = lines();
        let last = lines.as_ref()?.back()?;
        Some(String::from_utf8_lossy(last).trim_end().to_owned())
    }
}

#[cfg(feature = "live")]
impl Drop for Quiet {
    fn drop(&mut self) {
        for line in lines().take().unwrap_or_default() {
            let _ = io::stderr().write_all(&line);
        }
    }
}

fn lines() -> std::sync::MutexGuard<'static, Option<VecDeque<Vec<u8>>>> {
    KEPT_LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where env_logger writes; it writes a whole line at once.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match lines().as_mut() {
            None => io::stderr().write_all(line)?,
            Some(kept) => {
                kept.push_back(line.to_vec());
                if kept.len() > KEPT {
                    kept.pop_front();
                }
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
