//! Dead letters: what could not be delivered, one JSON object per line, to be read by people and scripts.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::json;

use super::DeliverError;
use crate::live::wall_clock;

pub(super) struct DeadLetters {
    path: PathBuf,
    /// One line at a time, whichever channel it comes from.
    turn: Mutex<()>,
}

impl DeadLetters {
    /// The file itself appears with the first letter.
    pub fn new(path: PathBuf) -> Result<DeadLetters, DeliverError> {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        match folder {
            Ok(()) if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            folder => folder,
        }
        .map_err(|source| DeliverError::DeadLetters {
            path: path.clone(),
            source,
        })?;
        let turn = Mutex::new(());
        Ok(DeadLetters { path, turn })
    }

    /// Returns once the line is on disk.
    pub fn append(&self, channel: &str, ids: &[&str], reason: &str, text: &str) -> io::Result<()> {
        let _turn = self.turn.lock().expect("nothing panics while it writes");
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)?;
        let mut line = json!({
            "at": wall_clock().to_string(),
            "channel": channel,
            "ids": ids,
            "reason": reason,
            "text": text,
        })
        .to_string();
        line.push('\n');
        if ends_within_a_line(&mut file)? {
            line.insert(0, '\n');
        }
        file.write_all(line.as_bytes())?;
        file.sync_data()
    }
}

/// A killed process may have left half a line.
fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_after_half_a_line_stands_on_its_own_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept/dead.ndjson");
        let letters = DeadLetters::new(path.clone()).unwrap();
        letters.append("c", &["1"], "r", "a\nb").unwrap();
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"at").unwrap();
        letters.append("c", &["2", "3"], "r", "t").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(first["text"], "a\nb");
        assert_eq!(lines[1], "{\"at");
        let last: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!(last["ids"], json!(["2", "3"]));
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_is_said_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            DeadLetters::new(folder.path().to_owned()),
            Err(DeliverError::DeadLetters { .. })
        ));
    }
}
