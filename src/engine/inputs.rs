//! Inputs: what a run read, so that it can be named without reading it twice.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use xxhash_rust::xxh3::Xxh3;

use crate::store::Footer;

/// Ticker, hash of a file's rows, and the sessions the file covers, for an empty session and a missing
/// one have the same rows. In order, and each once, whoever read it how often.
#[derive(Default)]
pub struct Inputs(BTreeSet<(String, String, Vec<NaiveDate>)>);

impl Inputs {
    pub fn add<'a>(&mut self, ticker: &str, footers: impl IntoIterator<Item = &'a Footer>) {
        self.0.extend(footers.into_iter().map(|footer| {
            let sessions = footer.sessions.iter().copied().collect();
            (ticker.to_owned(), footer.content.clone(), sessions)
        }));
    }

    pub fn hash(&self) -> String {
        let mut hash = Xxh3::new();
        for (ticker, content, sessions) in &self.0 {
            hash.update(ticker.as_bytes());
            hash.update(content.as_bytes());
            for date in sessions {
                hash.update(&date.num_days_from_ce().to_le_bytes());
            }
        }
        format!("{:032x}", hash.digest128())
    }
}
