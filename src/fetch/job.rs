//! The job: what somebody wants fetched, and what a fetch needs to know while it goes on.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;

use super::error::FetchError;
use super::plan::Plan;
use crate::config::Config;
use crate::engine::Period;
use crate::providers::massive::flat::FlatFiles;
use crate::providers::massive::{Massive, MassiveError};
use crate::store::Store;
use crate::time::{Calendar, Ts};

/// More calls than this for one session, and its flat file is the shorter way.
const MANY_CALLS: u64 = 500;

/// What to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum What {
    /// Minute and daily bars, raw
    Bars,
    /// Option prints, as flow events
    Flow,
    /// Open interest of past sessions; without --start, this morning's chain
    Oi,
    /// Stock splits
    Splits,
}

/// Where option prints come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Flat files for many contracts, REST for few
    Auto,
    /// One call per contract and session
    Rest,
    /// One file per session, whatever the tickers
    Flat,
}

/// A fetch as it was asked for.
pub struct Job<'a> {
    pub store: &'a Store,
    pub data_dir: &'a Path,
    pub calendar: &'a Calendar,
    pub config: &'a Config,
    pub massive: &'a Massive,
    /// Only with the keys of the flat files.
    pub flat: Option<&'a FlatFiles>,
    pub tickers: Vec<String>,
    pub what: BTreeSet<What>,
    /// Whether `what` is somebody's explicit wish.
    pub what_was_named: bool,
    pub period: Period,
    pub source: Source,
    /// Whether to ask for quotes at all.
    pub quotes: bool,
    /// Asks again for what is there.
    pub refresh: bool,
    /// When the fetch began.
    pub now: Ts,
    /// What time it is: a chain is stamped with the moment it was asked for.
    pub clock: &'a (dyn Fn() -> Ts + Sync),
    pub stop: &'a AtomicBool,
    pub quotes_refused: Mutex<QuotesRefused>,
}

/// What the vendor has said about quotes that are not in the plan.
#[derive(Debug, Default)]
pub struct QuotesRefused {
    /// Of any date.
    pub(super) always: Option<String>,
    /// Dates the plan does not reach back to.
    pub(super) dates: BTreeSet<NaiveDate>,
}

impl Job<'_> {
    pub(super) fn with_quotes(&self, date: NaiveDate) -> bool {
        let refused = self.quotes_refused.lock().expect("no unit panicked");
        self.quotes && refused.always.is_none() && !refused.dates.contains(&date)
    }

    /// Remembers a refusal. The unit it met is to be done again, all of it without quotes.
    pub(super) fn give_up_quotes(
        &self,
        date: NaiveDate,
        message: &str,
        is_timeframe: bool,
    ) -> FetchError {
        let mut refused = self.quotes_refused.lock().expect("no unit panicked");
        if is_timeframe {
            refused.dates.insert(date);
        } else {
            refused.always.get_or_insert_with(|| message.to_owned());
        }
        FetchError::NoQuotes
    }

    pub(super) fn check_stop(&self) -> Result<(), FetchError> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(MassiveError::Stopped.into()),
            false => Ok(()),
        }
    }

    /// The way to the prints of a session: one file, or a call per contract.
    pub fn resolved_source(&self, plan: &Plan) -> Result<Source, FetchError> {
        let (Some(_), Source::Auto) = (self.flat, self.source) else {
            return Ok(match self.source {
                Source::Auto => Source::Rest,
                chosen => chosen,
            });
        };
        let Some((date, tickers)) = plan.flow.iter().next() else {
            return Ok(Source::Rest);
        };
        let mut calls = 0;
        for ticker in tickers {
            let listed = match self.massive.contracts(ticker, *date, *date) {
                Ok(listed) => listed,
                Err(error) => {
                    let error = FetchError::from(error);
                    // Who cannot list contracts cannot ask for them one by one.
                    return if error.is_final() {
                        Err(error)
                    } else {
                        Ok(Source::Flat)
                    };
                }
            };
            calls += listed.rows.len() as u64 + listed.calls;
            if calls > MANY_CALLS {
                return Ok(Source::Flat);
            }
        }
        Ok(Source::Rest)
    }
}
