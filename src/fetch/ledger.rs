//! The ledger: which version of a flat file the flow of a session was made of.
//!
//! The vendor replaces files, mostly within days. What was read is kept by ETag, so that a later
//! fetch can ask whether it still is what is there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::FetchError;
use crate::engine::Period;
use crate::providers::massive::flat::Object;
use crate::time::Ts;

const NAME: &str = "flat_files.json";

/// Files older than this are taken to be final.
const UNSETTLED_DAYS: u64 = 10;

#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    files: BTreeMap<NaiveDate, Version>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    etag: String,
    bytes: Option<u64>,
}

impl Ledger {
    pub fn open(data_dir: &Path) -> Result<Ledger, FetchError> {
        let path = data_dir.join(NAME);
        let files = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| FetchError::file(&path, std::io::Error::other(e)))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(FetchError::file(&path, e)),
        };
        Ok(Ledger { path, files })
    }

    /// Notes that the flow of `date` was made of `object`.
    pub fn record(&mut self, date: NaiveDate, object: &Object) -> Result<(), FetchError> {
        let version = Version {
            etag: object.etag.clone(),
            bytes: object.size,
        };
        self.files.insert(date, version);
        self.write().map_err(|e| FetchError::file(&self.path, e))
    }

    fn write(&self) -> std::io::Result<()> {
        let folder = self.path.parent().expect("the file lies in a folder");
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &self.files)?;
        writeln!(file)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|e| e.error)?;
        Ok(())
    }

    /// The sessions of `period` whose file may have been replaced, and the version that was read.
    pub fn to_check(&self, period: Period, now: Ts) -> Vec<(NaiveDate, String)> {
        let today = now.exchange_date();
        let from = today.checked_sub_days(Days::new(UNSETTLED_DAYS));
        let from = from.unwrap_or(today).max(period.start);
        let files = self.files.iter();
        files
            .filter(|(date, _)| (from..=period.end).contains(*date))
            .map(|(date, version)| (*date, version.etag.clone()))
            .collect()
    }
}
