//! Open interest: of past sessions where the plan has it, of this morning from the chain.
//!
//! ```text
//!   session W            night        morning of X                    X
//!   ─────── close │ ─────────────── │ figures of W appear ──── open │ events of X see W
//! ```
//!
//! A chain only ever says "now", so it is recorded before the open of X, as the figures of W with the
//! time they were asked for, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::outcome::Outcome;
use super::{FetchError, Job};
use crate::providers::massive::MassiveError;
use crate::providers::roots;
use crate::store::{Arrival, OpenInterest, OpenInterestTable, Table};
use crate::time::{Calendar, Session, Ts};

const HISTORY: &str = "massive/open-interest";
const CHAIN: &str = "massive/chain";

/// Figures of the night's run are on the tape by half past six in the morning.
const PUBLISHED_MINUTES: i64 = 7 * 60;

/// Closing figures of past sessions.
pub(super) fn history(
    job: &Job,
    ticker: &str,
    dates: &BTreeSet<NaiveDate>,
) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    for date in dates {
        let mut figures = BTreeMap::new();
        let mut refused = None;
        for root in roots::of(ticker) {
            let fetched = match job.massive.open_interest(root, *date) {
                // One of several roots may not be there; all of them mean that it is unknown.
                Err(error @ MassiveError::NotFound { .. }) => {
                    refused = Some(error);
                    continue;
                }
                fetched => fetched?,
            };
            outcome.account(&fetched);
            let rows = fetched.rows.into_iter();
            figures.extend(rows.map(|row| (row.contract, row.open_interest)));
        }
        match (figures.is_empty(), refused) {
            (true, Some(error)) => return Err(error.into()),
            (true, None) => {
                let reason = "the vendor has no figures of this session";
                outcome.gap(Table::OpenInterest, ticker, [*date], reason);
            }
            (false, _) => put(job, ticker, *date, figures, None, HISTORY, &mut outcome)?,
        }
    }
    Ok(outcome)
}

/// The session whose closing figures a chain shows at `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Morning {
    /// The session that is about to open.
    pub session: NaiveDate,
    /// The one whose close the figures are.
    pub figures_of: NaiveDate,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBeforeOpen {
    #[error("the exchange does not open on {date}")]
    NoSession { date: NaiveDate },
    #[error("the figures of the last session are not out before {from}")]
    TooEarly { from: Ts },
    #[error(
        "the session of {date} opened at {open}: what a chain shows now was not known before it"
    )]
    TooLate { date: NaiveDate, open: Ts },
}

impl Morning {
    /// Between the publication of the figures and the open, or why not.
    pub fn at(now: Ts, calendar: &Calendar) -> Result<Morning, NotBeforeOpen> {
        let date = now.exchange_date();
        let session: &Session = calendar
            .session_on(date)
            .ok_or(NotBeforeOpen::NoSession { date })?;
        let from = session.day_start().plus_minutes(PUBLISHED_MINUTES);
        if now < from {
            return Err(NotBeforeOpen::TooEarly { from });
        }
        let open = session.open;
        if now >= open {
            return Err(NotBeforeOpen::TooLate { date, open });
        }
        Ok(Morning {
            session: date,
            figures_of: calendar.sessions_before(date, 1),
        })
    }
}

/// Stores the chain of one ticker as it is shown this morning.
pub(super) fn record(job: &Job, ticker: &str, morning: Morning) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    let date = morning.figures_of;
    let fetched = job.massive.chain_snapshot(ticker)?;
    // The moment the last of it was asked for: what came before was known by then as well.
    let captured_at = (job.clock)();
    if Morning::at(captured_at, job.calendar) != Ok(morning) {
        let reason = "the session has opened";
        outcome.gap(Table::OpenInterest, ticker, [date], reason);
        return Ok(outcome);
    }
    outcome.account(&fetched);
    let rows = fetched.rows.into_iter();
    let figures: BTreeMap<String, i64> = rows
        .filter_map(|row| Some((row.contract, row.open_interest?)))
        .collect();
    if figures.is_empty() {
        let reason = "the chain shows no open interest";
        outcome.gap(Table::OpenInterest, ticker, [date], reason);
        return Ok(outcome);
    }
    put(
        job,
        ticker,
        date,
        figures,
        Some(job.now),
        CHAIN,
        &mut outcome,
    )?;
    Ok(outcome)
}

fn put(
    job: &Job,
    ticker: &str,
    date: NaiveDate,
    figures: BTreeMap<String, i64>,
    captured_at: Option<Ts>,
    source: &str,
    outcome: &mut Outcome,
) -> Result<(), FetchError> {
    let rows: Vec<OpenInterest> = figures
        .into_iter()
        .map(|(contract, open_interest)| OpenInterest {
            date,
            contract,
            open_interest,
            captured_at,
        })
        .collect();
    outcome.stored(Table::OpenInterest, 1, rows.len() as u64);
    job.store.put(Arrival {
        table: Table::OpenInterest,
        ticker,
        sessions: vec![(date, OpenInterestTable::batch(&rows))],
        source,
        min_notional: None,
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<Morning, NotBeforeOpen> {
        let now = Ts::parse_rfc3339(text).expect("a time");
        Morning::at(now, &Calendar::shipped())
    }

    #[test]
    fn a_chain_of_the_morning_shows_the_close_of_the_session_before() {
        // Monday, half past eight in New York.
        let morning = at("2025-06-09T12:30:00Z").expect("before the open");
        assert_eq!(morning.session.to_string(), "2025-06-09");
        assert_eq!(morning.figures_of.to_string(), "2025-06-06");
    }

    #[test]
    fn at_any_other_time_a_chain_is_not_recorded() {
        for (time, told) in [
            (
                "2025-06-08T12:30:00Z",
                "the exchange does not open on 2025-06-08",
            ),
            (
                "2025-06-09T08:00:00Z",
                "the figures of the last session are not out before 2025-06-09T11:00:00Z",
            ),
            (
                "2025-06-09T13:30:00Z",
                "the session of 2025-06-09 opened at 2025-06-09T13:30:00Z: what a chain shows now was not known before it",
            ),
        ] {
            assert_eq!(at(time).expect_err(time).to_string(), told);
        }
    }
}
