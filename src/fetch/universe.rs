//! Universe: which tickers to fetch. The largest by volume are those of the day before the period:
//! whoever ranks by a later day has picked the stocks that were about to be busy.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::FetchError;
use crate::providers::massive::{Massive, MassiveError};
use crate::providers::roots;
use crate::store::{StoreError, UNIVERSE, write_whole};
use crate::time::Calendar;

/// When neither the vendor nor the config names tickers: the underlyings whose options trade most.
pub const BUILT_IN: [&str; 20] = [
    "SPY", "QQQ", "TSLA", "NVDA", "AAPL", "AMZN", "META", "MSFT", "AMD", "GOOGL", "IWM", "PLTR",
    "NFLX", "COIN", "MSTR", "BAC", "INTC", "BABA", "SOFI", "F",
];

/// Ranks beyond this are not kept: nobody fetches the flow of that many.
const KEPT: usize = 5000;

/// Tickers by volume of one session, largest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    pub as_of: NaiveDate,
    pub tickers: Vec<String>,
}

impl Ranking {
    /// As of the session before `start`: from the file of an earlier fetch, else from the vendor.
    /// Volumes are those reported that day, not adjusted for later splits. With `keep` the ranking is
    /// stored with its date.
    pub fn before(
        start: NaiveDate,
        calendar: &Calendar,
        massive: &Massive,
        data_dir: &Path,
        keep: bool,
    ) -> Result<Ranking, FetchError> {
        let as_of = calendar.sessions_before(start, 1);
        let path = path(data_dir, as_of);
        if path.exists() {
            let tickers = read(&path)?;
            return Ok(Ranking { as_of, tickers });
        }
        let fetched = massive.grouped_day(as_of)?;
        let mut volumes: BTreeMap<String, f64> = BTreeMap::new();
        // Preferred shares with a small letter in their name have no options worth a rank.
        for row in fetched
            .rows
            .into_iter()
            .filter(|row| roots::is_ticker(&row.ticker))
        {
            volumes.insert(row.ticker, row.volume);
        }
        let mut ranked: Vec<(String, f64)> = volumes.into_iter().collect();
        // Stable, so that equal volumes stay in the order of the alphabet.
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(KEPT);
        if ranked.is_empty() {
            let message = "no volumes of that day".to_owned();
            let path = format!("grouped day {as_of}");
            return Err(MassiveError::NotFound { path, message }.into());
        }
        if keep {
            write(&path, &ranked)?;
        }
        let tickers = ranked.into_iter().map(|(ticker, _)| ticker).collect();
        Ok(Ranking { as_of, tickers })
    }
}

fn path(data_dir: &Path, as_of: NaiveDate) -> PathBuf {
    data_dir.join(UNIVERSE).join(format!("{as_of}.csv"))
}

/// Rank, ticker and volume.
fn write(path: &Path, ranked: &[(String, f64)]) -> Result<(), StoreError> {
    write_whole(path, |file| {
        let mut out = BufWriter::new(file);
        writeln!(out, "rank,ticker,volume")?;
        for (rank, (ticker, volume)) in ranked.iter().enumerate() {
            writeln!(out, "{},{ticker},{volume}", rank + 1)?;
        }
        out.flush()
    })
}

fn read(path: &Path) -> Result<Vec<String>, FetchError> {
    let bad = |e: csv::Error| FetchError::file(path, std::io::Error::other(e));
    let mut reader = csv::Reader::from_path(path).map_err(bad)?;
    let mut tickers = Vec::new();
    for row in reader.records() {
        let row = row.map_err(bad)?;
        tickers.push(row.get(1).unwrap_or_default().to_owned());
    }
    Ok(tickers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranking_is_read_back_in_its_order() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = path(
            folder.path(),
            NaiveDate::from_ymd_opt(2025, 6, 6).expect("a date"),
        );
        let ranked = [("NVDA".to_owned(), 2e8), ("BRK.B".to_owned(), 1.5)];
        write(&path, &ranked).expect("there is room");
        assert_eq!(read(&path).expect("it was written"), ["NVDA", "BRK.B"]);
    }
}
