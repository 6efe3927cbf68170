//! Periods: from the dates of a command line and what the cache has to the days of a run.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::failure::Failure;
use super::{Session, dates};
use crate::config::Config;
use crate::engine::{self, Gaps, Period};
use crate::store::{Store, Table};
use crate::time::Calendar;

/// The period of `--start` and `--end`, or what the cache has where they are not given.
pub fn of(
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    store: &Store,
    calendar: &Calendar,
    config: &Config,
    tickers: &[String],
) -> anyhow::Result<Period> {
    let period = match (start, end) {
        (Some(start), Some(end)) => Period { start, end },
        (start, end) => {
            let sessions = flow_sessions(store, tickers)?;
            let cached = engine::default_period(store, calendar, config, tickers)?;
            let (Some(cached), Some(first)) = (cached, sessions.first()) else {
                let message = format!("{}: no sessions of flow in the cache", store.name());
                return Err(Failure::failed(message)
                    .hint("bring some in with `flowlab fetch` or `flowlab import`")
                    .into());
            };
            // An early --end leaves no room for a warm start; then it starts as early as it can.
            let is_early = end.is_some_and(|end| end < cached.start);
            let default_start = if is_early { *first } else { cached.start };
            let period = Period {
                start: start.unwrap_or(default_start),
                end: end.unwrap_or(cached.end),
            };
            if period.start > period.end {
                let what = match (start, end) {
                    (Some(start), _) => format!("from {start} on"),
                    _ => format!("up to {}", period.end),
                };
                return Err(no_flow(store, &what, &sessions).into());
            }
            period
        }
    };
    dates::whole(calendar, period.start, period.end)?;
    Ok(period)
}

/// Every session that any of `tickers` has flow of.
pub fn flow_sessions(store: &Store, tickers: &[String]) -> anyhow::Result<BTreeSet<NaiveDate>> {
    let mut sessions = BTreeSet::new();
    for ticker in tickers {
        let files = store.probe(Table::Flow, ticker)?;
        sessions.extend(files.into_iter().flat_map(|file| file.footer.sessions));
    }
    Ok(sessions)
}

/// The failure of a period without flow.
pub fn no_flow(store: &Store, when: &str, sessions: &BTreeSet<NaiveDate>) -> Failure {
    let failure = Failure::failed(format!("no flow {when} in {}", store.name()));
    match (sessions.first(), sessions.last()) {
        (Some(first), Some(last)) => failure.hint(format!(
            "there are {} sessions from {first} to {last} for these tickers",
            sessions.len()
        )),
        _ => failure.hint("bring some in with `flowlab fetch` or `flowlab import`"),
    }
}

const GAP_LINES: usize = 12;

/// Names what a run missed.
pub fn say_gaps(session: &Session, gaps: &Gaps) {
    let lines = gaps.lines();
    for line in lines.iter().take(GAP_LINES) {
        session.say(&format!("gap: {line}"));
    }
    if lines.len() > GAP_LINES {
        session.say(&format!(
            "gap: and {} more, all in manifest.json",
            lines.len() - GAP_LINES
        ));
    }
}
