//! Recordings: everything a stream was told, a line of JSON each, to be told again another day.
//!
//! A frame is kept as its text, so whatever the vendor sent is there, read or not; answers of REST and the
//! state of the connections stand between the frames in the order in which they came.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::errands::Answer;
use super::inbox::{Message, Moment};
use super::poll::Polled;
use super::{Feed, Frame, Link};
use crate::time::Ts;

#[derive(Serialize, Deserialize)]
struct Line {
    /// When it came, by the clock of the machine that recorded it.
    at: Ts,
    #[serde(flatten)]
    told: Told,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Frame {
        feed: Feed,
        text: String,
        dropped_before: u32,
    },
    Link {
        feed: Feed,
        /// Why it is down; up without.
        down: Option<String>,
    },
    Answer(Answer),
    Polled(Polled),
    Moment(Moment),
}

#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("cannot use the recording {}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not a line of a recording ({reason})", .path.display())]
    BadLine {
        path: PathBuf,
        line: usize,
        reason: String,
    },
}

/// A recording in the making.
pub struct Recorder {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Recorder {
    /// Goes on with `path`, or begins it. A line that a kill tore is removed.
    pub fn open(path: &Path) -> Result<Recorder, RecordingError> {
        let open = || {
            let mut options = std::fs::OpenOptions::new();
            let options = options.read(true).write(true).create(true).truncate(false);
            let mut file = options.open(path)?;
            let whole = whole_lines(&mut file)?;
            file.set_len(whole)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|source| RecordingError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Recorder {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
        })
    }

    /// Records what came at `at`.
    pub fn record(&mut self, at: Ts, message: &Message) -> Result<(), RecordingError> {
        let told = match message {
            Message::Frame(frame) => Told::Frame {
                feed: frame.feed,
                text: String::from_utf8_lossy(&frame.text).into_owned(),
                dropped_before: frame.dropped_before,
            },
            Message::Link(feed, link) => Told::Link {
                feed: *feed,
                down: match link {
                    Link::Up => None,
                    Link::Down(reason) | Link::Refused(reason) => Some(reason.clone()),
                },
            },
            Message::Answer(answer) => Told::Answer(answer.clone()),
            Message::Polled(polled) => Told::Polled(polled.clone()),
            Message::Moment(moment) => Told::Moment(*moment),
        };
        let line = Line { at, told };
        let written = serde_json::to_writer(&mut self.file, &line).map_err(io::Error::from);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| RecordingError::Io {
            path: self.path.clone(),
            source,
        })
    }

    pub fn flush(&mut self) -> Result<(), RecordingError> {
        self.file.flush().map_err(|source| RecordingError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

/// Where the last line ends that is whole.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const PIECE: u64 = 64 << 10;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        piece.resize((end - start) as usize, 0);
        file.read_exact(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// A recording, read again: when each message came, and what it was.
pub struct Recording {
    path: PathBuf,
    lines: io::Lines<BufReader<File>>,
    number: usize,
}

impl Recording {
    pub fn open(path: &Path) -> Result<Recording, RecordingError> {
        let file = File::open(path).map_err(|source| RecordingError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Recording {
            path: path.to_owned(),
            lines: BufReader::with_capacity(1 << 20, file).lines(),
            number: 0,
        })
    }

    /// The next message; `None` at the end.
    pub fn next_message(&mut self) -> Result<Option<(Ts, Message)>, RecordingError> {
        let Some(text) = self.lines.next() else {
            return Ok(None);
        };
        let text = text.map_err(|source| RecordingError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.number += 1;
        let line: Line = serde_json::from_str(&text).map_err(|e| RecordingError::BadLine {
            path: self.path.clone(),
            line: self.number,
            reason: e.to_string(),
        })?;
        let message = match line.told {
            Told::Frame {
                feed,
                text,
                dropped_before,
            } => Message::Frame(Frame {
                feed,
                received: Instant::now(),
                text: Bytes::from(text),
                dropped_before,
            }),
            Told::Link { feed, down } => Message::Link(feed, down.map_or(Link::Up, Link::Down)),
            Told::Answer(answer) => Message::Answer(answer),
            Told::Polled(polled) => Message::Polled(polled),
            Told::Moment(moment) => Message::Moment(moment),
        };
        Ok(Some((line.at, message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_removed_before_more_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        let up = |feed| Message::Link(feed, Link::Up);
        let mut recorder = Recorder::open(&path).unwrap();
        recorder.record(Ts::from_ns(1), &up(Feed::Options)).unwrap();
        recorder.flush().unwrap();
        let mut torn = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        torn.write_all(b"{\"at\":2,\"link\"").unwrap();
        let mut recorder = Recorder::open(&path).unwrap();
        recorder.record(Ts::from_ns(3), &up(Feed::Stocks)).unwrap();
        recorder.flush().unwrap();
        let mut recording = Recording::open(&path).unwrap();
        let mut times = Vec::new();
        while let Some((at, _)) = recording.next_message().unwrap() {
            times.push(at.ns());
        }
        assert_eq!(times, [1, 3]);
    }

    #[test]
    fn a_recording_from_before_chains_were_asked_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        let lines = [
            r#"{"at":1,"moment":{"asked":{"feed":"options","hole":2,"to":9,"questions":1}}}"#,
            r#"{"at":2,"answer":{"prints":{"hole":2,"symbol":"TSLA250711C00300000","prints":{"Ok":[]}}}}"#,
            r#"{"at":3,"moment":"quiet"}"#,
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let mut recording = Recording::open(&path).unwrap();
        let mut told = Vec::new();
        while let Some((_, message)) = recording.next_message().unwrap() {
            told.push(message);
        }
        let asked = Moment::Asked {
            feed: Feed::Options,
            hole: 2,
            to: Ts::from_ns(9),
            questions: 1,
        };
        assert!(matches!(told[0], Message::Moment(moment) if moment == asked));
        assert!(matches!(
            told[1],
            Message::Answer(Answer::Prints { hole: 2, .. })
        ));
        assert!(matches!(told[2], Message::Moment(Moment::Quiet)));
    }
}
