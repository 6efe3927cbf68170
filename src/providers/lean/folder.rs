//! The folder: from a path to what LEAN data is there (tickers, dates), and from there to rows.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::archive::Archive;
use super::{DailyBar, FlowDay, FlowSettings, Imported, MinuteBar, OpenInterest, Split};
use super::{equity, factor, open_interest, option};
use crate::time::{Calendar, CalendarError};

const OPTION_TRADES: &str = "_trade_american.zip";
const EQUITY_TRADES: &str = "_trade.zip";

#[derive(Debug, thiserror::Error)]
pub enum LeanError {
    #[error("{} is not a LEAN data folder: neither equity/usa nor option/usa is in it", path.display())]
    NotAFolder { path: PathBuf, present: Vec<String> },
    #[error("no data for {ticker} in {}", path.display())]
    UnknownTicker {
        ticker: String,
        path: PathBuf,
        known: Vec<String>,
    },
    #[error("{} does not exist", path.display())]
    MissingFile { path: PathBuf, present: Vec<String> },
    #[error("cannot read {}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is not a zip file or damaged", path.display())]
    CorruptZip {
        path: PathBuf,
        source: zip::result::ZipError,
    },
    #[error("{}: the file {entry} inside is damaged", path.display())]
    CorruptEntry {
        path: PathBuf,
        entry: String,
        source: std::io::Error,
    },
    #[error("{} holds no file {entry}", path.display())]
    MissingEntry { path: PathBuf, entry: String },
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    #[error("the calendar knows no session before {date}, so its open interest has no date")]
    NoSessionBefore { date: NaiveDate },
}

impl LeanError {
    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        let there_is = |names: &[String]| match names {
            [] => "there is nothing in it".to_owned(),
            few if few.len() <= 12 => format!("there is {}", few.join(", ")),
            many => format!(
                "there are {} from {} to {}",
                many.len(),
                many[0],
                many[many.len() - 1]
            ),
        };
        match self {
            LeanError::NotAFolder { present, .. } => Some(format!(
                "give the folder that LEAN calls Data; {}",
                there_is(present)
            )),
            LeanError::UnknownTicker { known, .. } => Some(there_is(known)),
            LeanError::MissingFile { present, .. } => Some(there_is(present)),
            LeanError::CorruptZip { .. } | LeanError::CorruptEntry { .. } => {
                Some("get the file again".to_owned())
            }
            _ => None,
        }
    }
}

/// A LEAN data folder. Tickers are spelled as in the tables, `AAPL`; case does not matter.
#[derive(Clone, Debug)]
pub struct LeanFolder {
    root: PathBuf,
}

impl LeanFolder {
    /// Fails when `path` is not the folder that holds `equity/usa` or `option/usa`.
    pub fn open(path: impl AsRef<Path>) -> Result<LeanFolder, LeanError> {
        let root = path.as_ref().to_owned();
        if root.join("equity/usa").is_dir() || root.join("option/usa").is_dir() {
            return Ok(LeanFolder { root });
        }
        let present = names_in(&root)?;
        Err(LeanError::NotAFolder {
            path: root,
            present,
        })
    }

    /// Every ticker with options, minute bars or daily bars, in order.
    pub fn tickers(&self) -> Result<Vec<String>, LeanError> {
        let mut tickers = BTreeSet::new();
        for (folder, ending) in [
            ("option/usa/minute", ""),
            ("equity/usa/minute", ""),
            ("equity/usa/daily", ".zip"),
        ] {
            let names = names_in(&self.root.join(folder))?;
            tickers.extend(
                names
                    .iter()
                    .filter_map(|n| n.strip_suffix(ending))
                    .map(str::to_ascii_uppercase),
            );
        }
        Ok(tickers.into_iter().collect())
    }

    /// The days with option trades, in order; none when the ticker has other data only.
    pub fn option_dates(&self, ticker: &str) -> Result<Vec<NaiveDate>, LeanError> {
        self.dates(ticker, &self.option_folder(ticker), OPTION_TRADES)
    }

    /// The days with minute bars, in order.
    pub fn equity_dates(&self, ticker: &str) -> Result<Vec<NaiveDate>, LeanError> {
        self.dates(ticker, &self.minute_folder(ticker), EQUITY_TRADES)
    }

    pub fn has_daily(&self, ticker: &str) -> bool {
        self.daily_path(ticker).is_file()
    }

    pub fn has_factor_file(&self, ticker: &str) -> bool {
        self.factor_path(ticker).is_file()
    }

    /// The raw minute bars of one day, pre- and post-market included.
    pub fn read_minute_bars(
        &self,
        ticker: &str,
        date: NaiveDate,
        calendar: &Calendar,
    ) -> Result<Imported<MinuteBar>, LeanError> {
        let archive = self.archive(
            ticker,
            &self
                .minute_folder(ticker)
                .join(day_file(date, EQUITY_TRADES)),
        )?;
        equity::read_minute_bars(archive, ticker, date, calendar)
    }

    /// All raw daily bars.
    pub fn read_daily(&self, ticker: &str) -> Result<Imported<DailyBar>, LeanError> {
        equity::read_daily(self.archive(ticker, &self.daily_path(ticker))?, ticker)
    }

    /// The splits the factor file implies. Its rows that begin none are counted as `no_split`.
    pub fn splits(&self, ticker: &str, calendar: &Calendar) -> Result<Imported<Split>, LeanError> {
        let path = self.factor_path(ticker);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(factor::splits(&path.display().to_string(), &text, calendar)),
            Err(source) if source.kind() == ErrorKind::NotFound => {
                Err(self.missing(ticker, &path)?)
            }
            Err(source) => Err(LeanError::Io { path, source }),
        }
    }

    /// The open interest published on the morning of `date`, under the session whose closing figure
    /// it is. `None` when no file was kept.
    pub fn read_open_interest(
        &self,
        ticker: &str,
        date: NaiveDate,
        calendar: &Calendar,
    ) -> Result<Option<Imported<OpenInterest>>, LeanError> {
        self.known(ticker)?;
        let path = self
            .option_folder(ticker)
            .join(day_file(date, "_openinterest_american.zip"));
        let Some(archive) = Archive::open_if_present(&path)? else {
            return Ok(None);
        };
        open_interest::read_open_interest(archive, ticker, date, calendar).map(Some)
    }

    /// The flow of one day. `bars` are the ticker's minute bars around it, in order of time; an
    /// event without one before it has no `underlying_price`.
    pub fn read_flow(
        &self,
        ticker: &str,
        date: NaiveDate,
        bars: &[MinuteBar],
        settings: &FlowSettings,
        calendar: &Calendar,
    ) -> Result<FlowDay, LeanError> {
        let folder = self.option_folder(ticker);
        let files = option::Files {
            trades: self.archive(ticker, &folder.join(day_file(date, OPTION_TRADES)))?,
            quotes: Archive::open_if_present(&folder.join(day_file(date, "_quote_american.zip")))?,
            open_interest: self.read_open_interest(ticker, date, calendar)?,
        };
        option::read_flow(files, ticker, date, bars, settings, calendar)
    }

    fn option_folder(&self, ticker: &str) -> PathBuf {
        self.root
            .join("option/usa/minute")
            .join(ticker.to_ascii_lowercase())
    }

    fn minute_folder(&self, ticker: &str) -> PathBuf {
        self.root
            .join("equity/usa/minute")
            .join(ticker.to_ascii_lowercase())
    }

    fn daily_path(&self, ticker: &str) -> PathBuf {
        self.root
            .join("equity/usa/daily")
            .join(format!("{}.zip", ticker.to_ascii_lowercase()))
    }

    fn factor_path(&self, ticker: &str) -> PathBuf {
        self.root
            .join("equity/usa/factor_files")
            .join(format!("{}.csv", ticker.to_ascii_lowercase()))
    }

    fn dates(
        &self,
        ticker: &str,
        folder: &Path,
        ending: &str,
    ) -> Result<Vec<NaiveDate>, LeanError> {
        self.known(ticker)?;
        let names = names_in(folder)?;
        let date =
            |name: &String| NaiveDate::parse_from_str(name.strip_suffix(ending)?, "%Y%m%d").ok();
        Ok(names.iter().filter_map(date).collect())
    }

    /// Fails on a ticker with no data at all.
    fn known(&self, ticker: &str) -> Result<(), LeanError> {
        let known = self.tickers()?;
        if known.contains(&ticker.to_ascii_uppercase()) {
            return Ok(());
        }
        Err(LeanError::UnknownTicker {
            ticker: ticker.to_ascii_uppercase(),
            path: self.root.clone(),
            known,
        })
    }

    fn archive(&self, ticker: &str, path: &Path) -> Result<Archive, LeanError> {
        match Archive::open_if_present(path)? {
            Some(archive) => Ok(archive),
            None => Err(self.missing(ticker, path)?),
        }
    }

    /// The error for a file that is not there, with what is there instead.
    fn missing(&self, ticker: &str, path: &Path) -> Result<LeanError, LeanError> {
        self.known(ticker)?;
        let present = path.parent().map_or(Ok(Vec::new()), names_in)?;
        Ok(LeanError::MissingFile {
            path: path.to_owned(),
            present,
        })
    }
}

fn day_file(date: NaiveDate, ending: &str) -> String {
    format!("{}{ending}", date.format("%Y%m%d"))
}

/// The names in a folder, in order; none when it does not exist.
fn names_in(folder: &Path) -> Result<Vec<String>, LeanError> {
    let failed = |source| LeanError::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source)
            if matches!(
                source.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(source) => return Err(failed(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry
            .map_err(failed)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
