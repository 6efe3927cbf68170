//! The journal: what a stream was told and what became of its alerts, a line each, so that a killed
//! process can go on where it stood.
//!
//! Lines are only ever appended. The desk is a pure function of its inputs, so the inputs are all that
//! has to be kept of it: memories, positions and signals are computed again. What cannot be computed
//! is which alerts have left the house:
//!
//! ```text
//!   queued ── sending ── sent          killed before `sending`: sent at the next start
//!                    ╰── dead          killed after it: nobody knows, sent again and marked
//! ```
//!
//! A source that can be read again (a replay) keeps its alerts here and not its inputs.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::Input;
use super::deliver::Outbox;
use crate::time::Ts;

/// Raised when a line's meaning changes.
const FORMAT_VERSION: u32 = 1;

/// What a run is of: a journal goes on with the same alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub format: u32,
    /// Of the config as resolved, without what only says how a stream is run.
    pub rules: String,
    /// As the command line named it: `replay data 2025-02-03 to 2025-03-14`.
    pub source: String,
    pub tickers: Vec<String>,
    /// Signals from here on are alerts; those before it came before anybody listened.
    pub alerts_from: Ts,
    /// First exchange day of the run.
    pub start: chrono::NaiveDate,
}

impl Opening {
    pub fn new(
        rules: String,
        source: String,
        tickers: Vec<String>,
        alerts_from: Ts,
        start: chrono::NaiveDate,
    ) -> Opening {
        Opening {
            format: FORMAT_VERSION,
            rules,
            source,
            tickers,
            alerts_from,
            start,
        }
    }

    /// Whether a run with this opening may go on where one with `other` stood.
    fn continues(&self, other: &Opening) -> bool {
        let same = |a: &Opening| {
            (
                a.format,
                a.rules.clone(),
                a.source.clone(),
                a.tickers.clone(),
            )
        };
        same(self) == same(other)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Open(Opening),
    Told(Input),
    /// Told when its day was over: nobody listened, so what comes of it is no news.
    CaughtUp(Input),
    /// Alerts go to this channel too, of signals from then on.
    Channel {
        name: String,
        from: Ts,
    },
    Queued {
        channel: String,
        id: String,
    },
    Sending {
        channel: String,
        ids: Vec<String>,
    },
    NotSent {
        channel: String,
        ids: Vec<String>,
    },
    Sent {
        channel: String,
        ids: Vec<String>,
    },
    Dead {
        channel: String,
        ids: Vec<String>,
    },
    /// The source has come to its end.
    Finished,
}

/// [`Line::Told`] and [`Line::CaughtUp`] of an input that somebody else has.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ToldLine<'a> {
    Told(&'a Input),
    CaughtUp(&'a Input),
}

/// When an input was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// As it happened, or as soon as it could be had.
    Live,
    /// On a later day.
    Afterwards,
}

/// What became of an alert, as far as anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Queued,
    Sending,
    Settled,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not a line of a journal ({reason})", .path.display())]
    BadLine {
        path: PathBuf,
        line: usize,
        reason: String,
    },
    #[error("{} is of another run: {was}, not {wanted}", .path.display())]
    OtherRun {
        path: PathBuf,
        was: String,
        wanted: String,
    },
    #[error("{} is in use by another process", .path.display())]
    InUse { path: PathBuf },
}

impl JournalError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            JournalError::Io { .. } => None,
            JournalError::BadLine { .. } | JournalError::OtherRun { .. } => Some(
                "`--fresh` sets the old state aside and begins anew; another --state-dir keeps both",
            ),
            JournalError::InUse { .. } => {
                Some("one process per --state-dir: stop the other, or choose another folder")
            }
        }
    }
}

/// What an earlier process left.
#[derive(Debug)]
pub struct Recovered {
    pub opening: Opening,
    pub fates: HashMap<(String, String), Fate>,
    /// Channels that alerts went to, and from when on.
    pub channels: HashMap<String, Ts>,
    pub is_new: bool,
    /// Whether the source had come to its end.
    pub is_finished: bool,
}

/// An open journal. Shared by the desk's thread and those that deliver.
pub struct Journal {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
    /// Of the lines that were told.
    told: Mutex<Xxh3>,
}

impl Journal {
    /// Opens the journal at `path` for a run with `opening`, or begins it. A line that a kill tore is
    /// removed.
    pub fn open(path: &Path, opening: &Opening) -> Result<(Journal, Recovered), JournalError> {
        let io = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        lock(path, &file)?;
        let mut recovered = Recovered {
            opening: opening.clone(),
            fates: HashMap::new(),
            channels: HashMap::new(),
            is_new: true,
            is_finished: false,
        };
        let mut is_new = true;
        let mut told = Xxh3::new();
        let whole = each_line(path, &file, |line, text| {
            is_new = false;
            if matches!(line, Line::Told(_) | Line::CaughtUp(_)) {
                told.update(text);
            }
            recovered.take(line, opening, path)
        })?;
        file.set_len(whole).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let journal = Journal {
            path: path.to_owned(),
            file: Mutex::new(BufWriter::with_capacity(1 << 18, file)),
            told: Mutex::new(told),
        };
        recovered.is_new = is_new;
        if is_new {
            journal.append(&Line::Open(opening.clone()))?;
            journal.sync()?;
        }
        Ok((journal, recovered))
    }

    /// Keeps every other process from the journal at `path`, if it is there, while the value lives.
    pub fn hold(path: &Path) -> Result<Option<File>, JournalError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(JournalError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        lock(path, &file)?;
        Ok(Some(file))
    }

    /// Every input that was told, in order.
    pub fn inputs(&self, mut each: impl FnMut(Input, Heard)) -> Result<(), JournalError> {
        let file = File::open(&self.path).map_err(|e| self.io(e))?;
        each_line(&self.path, &file, |line, _| {
            match line {
                Line::Told(input) => each(input, Heard::Live),
                Line::CaughtUp(input) => each(input, Heard::Afterwards),
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Notes an input. It is safe from a kill after [`Journal::flush`], from a power cut after
    /// [`Journal::sync`].
    pub fn told(&self, input: &Input, heard: Heard) -> Result<(), JournalError> {
        let told = match heard {
            Heard::Live => ToldLine::Told(input),
            Heard::Afterwards => ToldLine::CaughtUp(input),
        };
        let mut line = serde_json::to_vec(&told).expect("inputs are plain data");
        line.push(b'\n');
        self.told.lock().expect("no writer panics").update(&line);
        self.lock().write_all(&line).map_err(|e| self.io(e))
    }

    /// Names all that was told so far.
    pub fn input_hash(&self) -> String {
        let told = self.told.lock().expect("no writer panics");
        format!("{:032x}", told.digest128())
    }

    /// Alerts go to this channel too, of signals `from` then on.
    pub fn channel(&self, name: &str, from: Ts) -> Result<(), JournalError> {
        self.append(&Line::Channel {
            name: name.to_owned(),
            from,
        })
    }

    pub fn queued(&self, channel: &str, id: &str) -> Result<(), JournalError> {
        self.append(&Line::Queued {
            channel: channel.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The source has come to its end.
    pub fn finished(&self) -> Result<(), JournalError> {
        self.append(&Line::Finished)?;
        self.sync()
    }

    pub fn flush(&self) -> Result<(), JournalError> {
        self.lock().flush().map_err(|e| self.io(e))
    }

    pub fn sync(&self) -> Result<(), JournalError> {
        self.flush_and_sync().map_err(|e| self.io(e))
    }

    fn flush_and_sync(&self) -> io::Result<()> {
        let file = {
            let mut file = self.lock();
            file.flush()?;
            file.get_ref().try_clone()?
        };
        // Without the lock: nobody has to wait for the disk to append.
        file.sync_data()
    }

    fn append(&self, line: &Line) -> Result<(), JournalError> {
        write_line(&mut *self.lock(), line).map_err(|e| self.io(e))
    }

    fn append_and_sync(&self, line: &Line) -> io::Result<()> {
        write_line(&mut *self.lock(), line)?;
        self.flush_and_sync()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BufWriter<File>> {
        self.file.lock().expect("no writer panics")
    }

    fn io(&self, source: io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Outbox for Journal {
    fn sending(&self, channel: &str, ids: &[&str]) -> io::Result<()> {
        let (channel, ids) = owned(channel, ids);
        self.append_and_sync(&Line::Sending { channel, ids })
    }

    fn sent(&self, channel: &str, ids: &[&str]) -> io::Result<()> {
        let (channel, ids) = owned(channel, ids);
        self.append_and_sync(&Line::Sent { channel, ids })
    }

    fn dead(&self, channel: &str, ids: &[&str], _reason: &str) -> io::Result<()> {
        let (channel, ids) = owned(channel, ids);
        self.append_and_sync(&Line::Dead { channel, ids })
    }

    fn not_sent(&self, channel: &str, ids: &[&str]) -> io::Result<()> {
        let (channel, ids) = owned(channel, ids);
        self.append_and_sync(&Line::NotSent { channel, ids })
    }
}

fn lock(path: &Path, file: &File) -> Result<(), JournalError> {
    file.try_lock().map_err(|_| JournalError::InUse {
        path: path.to_owned(),
    })
}

fn owned(channel: &str, ids: &[&str]) -> (String, Vec<String>) {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    (channel.to_owned(), ids)
}

fn write_line(file: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

impl Recovered {
    fn take(&mut self, line: Line, wanted: &Opening, path: &Path) -> Result<(), JournalError> {
        let mut settle = |channel: &String, ids: Vec<String>, fate| {
            let fates = ids.into_iter().map(|id| ((channel.clone(), id), fate));
            self.fates.extend(fates);
        };
        match line {
            Line::Open(opening) => {
                if !wanted.continues(&opening) {
                    return Err(JournalError::OtherRun {
                        path: path.to_owned(),
                        was: described(&opening, wanted),
                        wanted: described(wanted, &opening),
                    });
                }
                self.opening = opening;
            }
            Line::Told(_) | Line::CaughtUp(_) => {}
            Line::Channel { name, from } => {
                self.channels.insert(name, from);
            }
            Line::Queued { channel, id } => {
                self.fates.entry((channel, id)).or_insert(Fate::Queued);
            }
            Line::Sending { channel, ids } => settle(&channel, ids, Fate::Sending),
            Line::NotSent { channel, ids } => settle(&channel, ids, Fate::Queued),
            Line::Sent { channel, ids } | Line::Dead { channel, ids } => {
                settle(&channel, ids, Fate::Settled);
            }
            Line::Finished => self.is_finished = true,
        }
        Ok(())
    }
}

/// What of an opening differs from another, for people.
fn described(this: &Opening, other: &Opening) -> String {
    if this.source != other.source {
        return this.source.clone();
    }
    if this.tickers != other.tickers {
        return format!("tickers {}", this.tickers.join(","));
    }
    match this.rules == other.rules {
        true => format!("format {}", this.format),
        false => format!("config {}", &this.rules[..this.rules.len().min(10)]),
    }
}

/// Calls `each` for every whole line; returns where the last of them ends.
fn each_line(
    path: &Path,
    file: &File,
    mut each: impl FnMut(Line, &[u8]) -> Result<(), JournalError>,
) -> Result<u64, JournalError> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut whole, mut number) = (0, 0);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text);
        let read = read.map_err(|source| JournalError::Io {
            path: path.to_owned(),
            source,
        })?;
        // What does not end was being written when the process was killed.
        if read == 0 || text.last() != Some(&b'\n') {
            return Ok(whole);
        }
        number += 1;
        let line = serde_json::from_slice(&text).map_err(|e| JournalError::BadLine {
            path: path.to_owned(),
            line: number,
            reason: e.to_string(),
        })?;
        each(line, &text)?;
        whole += read as u64;
    }
}
