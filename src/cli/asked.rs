//! Asked: what a command over the cache is to work on, from its arguments, the config and the cache.

use chrono::NaiveDate;

use super::{Session, dates, period, universe, writable_folder};
use crate::config::Config;
use crate::engine::{Job, Period};
use crate::store::Store;
use crate::time::Calendar;

/// Everything a [`Job`] is of.
pub struct Asked {
    pub config: Config,
    pub calendar: Calendar,
    pub store: Store,
    pub tickers: Vec<String>,
    pub period: Period,
}

impl Asked {
    /// Fails where nothing can be computed, or its run could not be written.
    pub fn of(
        session: &Session,
        tickers: &[String],
        start: Option<NaiveDate>,
        end: Option<NaiveDate>,
    ) -> anyhow::Result<Asked> {
        let config = session.config()?;
        let calendar = Calendar::shipped();
        dates::check(&calendar, start, end)?;
        let store = session.store()?;
        let tickers = universe::tickers(tickers, &config, &store)?;
        let period = period::of(start, end, &store, &calendar, &config, &tickers)?;
        writable_folder(&session.global.runs_dir, "--runs-dir")?;
        Ok(Asked {
            config,
            calendar,
            store,
            tickers,
            period,
        })
    }

    pub fn job(&self) -> Job<'_> {
        Job {
            store: &self.store,
            calendar: &self.calendar,
            config: &self.config,
            tickers: &self.tickers,
            period: self.period,
        }
    }
}
