//! A zip file, opened once: from its path to the text of the files inside.

use std::fs;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::folder::LeanError;

/// LEAN keeps a zip per day, a few megabytes, so its bytes are held while it is read.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<Cursor<Vec<u8>>>,
}

impl Archive {
    /// `None` when there is no such file.
    pub fn open_if_present(path: &Path) -> Result<Option<Archive>, LeanError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(LeanError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|source| LeanError::CorruptZip {
            path: path.to_owned(),
            source,
        })?;
        Ok(Some(Archive {
            path: path.to_owned(),
            zip,
        }))
    }

    /// The files inside, in order of name.
    pub fn names(&self) -> Result<Vec<String>, LeanError> {
        let corrupt = |source| LeanError::CorruptZip {
            path: self.path.clone(),
            source,
        };
        let mut names = Vec::with_capacity(self.zip.len());
        for name in self.zip.file_names() {
            let name = name.map_err(corrupt)?.into_owned();
            if !name.ends_with('/') {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The text of one file; `None` when it is not in the zip. A damaged one is an error. Bytes
    /// that are not text become fields that do not parse.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, LeanError> {
        let damaged = |source| LeanError::CorruptEntry {
            path: self.path.clone(),
            entry: name.to_owned(),
            source,
        };
        let mut entry = match self.zip.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(source) => return Err(damaged(source.into())),
        };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        Ok(Some(text))
    }

    /// How messages call a file inside.
    pub fn label(&self, name: &str) -> String {
        format!("{}/{name}", self.path.display())
    }

    /// The text and label of the one file of a zip that holds a single series. It is called
    /// `name`, or else it is the only one there.
    pub fn single(mut self, name: &str) -> Result<(String, String), LeanError> {
        let names = self.names()?;
        let found = names
            .iter()
            .find(|n| *n == name)
            .or(match names.as_slice() {
                [only] => Some(only),
                _ => None,
            });
        let missing = || LeanError::MissingEntry {
            path: self.path.clone(),
            entry: name.to_owned(),
        };
        let found = found.ok_or_else(missing)?;
        let text = self
            .text(found)?
            .expect("the name comes from the zip itself");
        Ok((text, self.label(found)))
    }
}
