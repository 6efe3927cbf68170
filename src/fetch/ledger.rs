//! The ledger: which version of a flat file the flow of a session was made of, ticker by ticker.
//!
//! The vendor replaces files, mostly within days. What was read is kept by ETag, so that a later
//! fetch can ask whether it still is what is there. An entry is written before the flow is put in its
//! place and settled after it: one that is found unsettled belongs to a fetch that was killed between
//! the two, and counts as changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::FetchError;
use crate::providers::massive::flat::Object;
use crate::store::write_whole;
use crate::time::Ts;

const NAME: &str = "flat_files.json";

/// Files older than this are taken to be final.
const UNSETTLED_DAYS: u64 = 10;

#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    files: BTreeMap<NaiveDate, Vec<Version>>,
}

/// One version of a day's file, and whose flow was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    etag: String,
    bytes: Option<u64>,
    tickers: BTreeSet<String>,
    /// Tickers whose flow may not have been put in its place.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pending: BTreeSet<String>,
}

impl Ledger {
    pub fn open(data_dir: &Path) -> Result<Ledger, FetchError> {
        let path = data_dir.join(NAME);
        let files = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| FetchError::Ledger {
                path: path.clone(),
                problem: e.to_string(),
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(FetchError::file(&path, e)),
        };
        Ok(Ledger { path, files })
    }

    /// Notes that the flow of `tickers` on `date` is about to be that of `object`.
    pub fn begin(
        &mut self,
        date: NaiveDate,
        object: &Object,
        tickers: &BTreeSet<String>,
    ) -> Result<(), FetchError> {
        let versions = self.files.entry(date).or_default();
        for version in versions.iter_mut() {
            version.tickers.retain(|ticker| !tickers.contains(ticker));
            version.pending.retain(|ticker| !tickers.contains(ticker));
        }
        match versions
            .iter_mut()
            .find(|version| version.etag == object.etag)
        {
            Some(version) => version.pending.extend(tickers.iter().cloned()),
            None => versions.push(Version {
                etag: object.etag.clone(),
                bytes: object.size,
                tickers: BTreeSet::new(),
                pending: tickers.clone(),
            }),
        }
        versions.retain(|version| !version.tickers.is_empty() || !version.pending.is_empty());
        versions.sort_by(|a, b| a.etag.cmp(&b.etag));
        self.write()
    }

    /// Notes that all of it is in its place.
    pub fn settle(&mut self, date: NaiveDate) -> Result<(), FetchError> {
        for version in self.files.get_mut(&date).into_iter().flatten() {
            let pending = std::mem::take(&mut version.pending);
            version.tickers.extend(pending);
        }
        self.write()
    }

    fn write(&self) -> Result<(), FetchError> {
        write_whole(&self.path, |file| {
            serde_json::to_writer_pretty(&mut *file, &self.files)?;
            writeln!(file)
        })?;
        Ok(())
    }

    /// The days whose file may have been replaced since it was read for one of `tickers`.
    pub fn to_check(&self, tickers: &[String], now: Ts) -> Vec<NaiveDate> {
        let today = now.exchange_date();
        let from = today.checked_sub_days(Days::new(UNSETTLED_DAYS));
        let days = self.files.range(from.unwrap_or(today)..);
        let concerns = |versions: &&Vec<Version>| {
            let mut known = versions.iter().flat_map(|version| &version.tickers);
            known.any(|ticker| tickers.contains(ticker))
        };
        days.filter(|(_, versions)| concerns(versions))
            .map(|(date, _)| *date)
            .collect()
    }

    /// Those of `tickers` whose flow on `date` was made of another version than `etag`.
    pub fn made_of_another(&self, date: NaiveDate, tickers: &[String], etag: &str) -> Vec<String> {
        let versions = self.files.get(&date).into_iter().flatten();
        let others = versions.filter(|version| version.etag != etag);
        let others: BTreeSet<&String> = others.flat_map(|version| &version.tickers).collect();
        let made = tickers.iter().filter(|ticker| others.contains(ticker));
        made.cloned().collect()
    }

    /// By day, those of `tickers` that a killed fetch was about to put in place.
    pub fn unsettled(&self, tickers: &[String]) -> BTreeMap<NaiveDate, Vec<String>> {
        let mut unsettled: BTreeMap<NaiveDate, Vec<String>> = BTreeMap::new();
        for (date, versions) in &self.files {
            let pending = versions.iter().flat_map(|version| &version.pending);
            for ticker in pending.filter(|ticker| tickers.contains(ticker)) {
                unsettled.entry(*date).or_default().push(ticker.clone());
            }
        }
        unsettled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(etag: &str) -> Object {
        Object {
            key: "day".to_owned(),
            etag: etag.to_owned(),
            size: Some(1),
        }
    }

    fn set(tickers: &[&str]) -> BTreeSet<String> {
        tickers.iter().map(|ticker| (*ticker).to_owned()).collect()
    }

    #[test]
    fn a_later_version_is_known_of_those_it_was_read_for() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let date: NaiveDate = "2025-06-06".parse().expect("a date");
        let mut ledger = Ledger::open(folder.path()).expect("there is none yet");
        ledger
            .begin(date, &object("a"), &set(&["SPY", "TSLA"]))
            .expect("room");
        let tickers = ["SPY".to_owned(), "TSLA".to_owned()];
        assert_eq!(ledger.unsettled(&tickers)[&date], tickers);
        ledger.settle(date).expect("room");
        ledger
            .begin(date, &object("b"), &set(&["TSLA"]))
            .expect("room");
        ledger.settle(date).expect("room");
        let ledger = Ledger::open(folder.path()).expect("it was written");
        assert_eq!(ledger.made_of_another(date, &tickers, "b"), ["SPY"]);
        assert_eq!(ledger.made_of_another(date, &tickers, "c"), tickers);
        assert!(ledger.unsettled(&tickers).is_empty());
    }
}
