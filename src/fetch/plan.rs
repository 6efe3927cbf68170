//! The plan: from what is wanted and what the store covers to the units that are missing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Job, What};
use crate::engine::{DAILY_WARMUP, Reach, Span};
use crate::store::{Month, Store, StoreError, Table};
use crate::time::{Session, Ts};

/// The regime is read off these, whatever is traded.
const PROXIES: [&str; 2] = ["SPY", "QQQ"];

/// Bars of a session that has just ended are still corrected.
const SETTLE_MINUTES: i64 = 20;

/// The units a fetch has to bring. Everything else is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Tickers whose splits have not been asked for up to the end of the period, and that end.
    pub splits: Vec<(String, BTreeSet<NaiveDate>)>,
    /// Per ticker the sessions whose daily bar is missing.
    pub daily: Vec<(String, BTreeSet<NaiveDate>)>,
    /// Per ticker and month the sessions whose minute bars are missing.
    pub minutes: Vec<(String, BTreeSet<NaiveDate>)>,
    /// Per ticker and session: the closing open interest that is missing.
    pub open_interest: Vec<(String, BTreeSet<NaiveDate>)>,
    /// Per session the tickers whose flow is missing.
    pub flow: BTreeMap<NaiveDate, Vec<String>>,
    /// By table: sessions that are there, summed over tickers.
    pub cached: BTreeMap<Table, u64>,
    /// Sessions of the period that are not over.
    pub not_over: BTreeSet<NaiveDate>,
}

impl Plan {
    pub fn of(job: &Job) -> Result<Plan, StoreError> {
        let mut plan = Plan::default();
        let calendar = job.calendar;
        let reach = Reach::of(job.config, &job.tickers);
        let span = Span::new(calendar, job.config, &reach, job.period);
        let is_over = |session: &&Session| is_over(session, job.now);
        let dates = |from, to| -> BTreeSet<NaiveDate> {
            let sessions = calendar.between(from, to).iter().filter(is_over);
            sessions.map(|session| session.date).collect()
        };
        let period = calendar.between(job.period.start, job.period.end).iter();
        plan.not_over = period
            .filter(|session| !is_over(session))
            .map(|session| session.date)
            .collect();
        let flow = dates(span.flow_from, job.period.end);
        let minutes = dates(span.bars_from, span.bars_to);
        let daily_from = calendar.sessions_before(span.flow_from, DAILY_WARMUP);
        let daily = dates(daily_from, span.bars_to);
        for ticker in &job.tickers {
            if job.what.contains(&What::Splits) {
                plan.splits(job, ticker, &daily)?;
            }
            if job.what.contains(&What::Oi) {
                // What an event of a session may know is the close of the one before.
                let before = |date: &NaiveDate| calendar.sessions_before(*date, 1);
                // Whoever listens to a session that is not over wants them too.
                let sessions = flow.iter().chain(&plan.not_over);
                let wanted = sessions.map(before).collect();
                for date in plan.missing(job, Table::OpenInterest, ticker, wanted)? {
                    let session = (ticker.clone(), BTreeSet::from([date]));
                    plan.open_interest.push(session);
                }
            }
            if job.what.contains(&What::Flow) {
                for date in plan.missing(job, Table::Flow, ticker, flow.clone())? {
                    plan.flow.entry(date).or_default().push(ticker.clone());
                }
            }
        }
        if job.what.contains(&What::Bars) {
            let proxies = PROXIES.map(str::to_owned).into_iter();
            let tickers: BTreeSet<String> = job.tickers.iter().cloned().chain(proxies).collect();
            for ticker in tickers {
                plan.bars(job, &ticker, &daily, &minutes)?;
            }
        }
        Ok(plan)
    }

    fn splits(
        &mut self,
        job: &Job,
        ticker: &str,
        sessions: &BTreeSet<NaiveDate>,
    ) -> Result<(), StoreError> {
        let Some(end) = sessions.last() else {
            return Ok(());
        };
        let asked = covered(job, Table::Splits, ticker)?;
        if asked.last().is_none_or(|asked| asked < end) {
            self.splits
                .push((ticker.to_owned(), BTreeSet::from([*end])));
        } else {
            *self.cached.entry(Table::Splits).or_default() += 1;
        }
        Ok(())
    }

    fn bars(
        &mut self,
        job: &Job,
        ticker: &str,
        daily: &BTreeSet<NaiveDate>,
        minutes: &BTreeSet<NaiveDate>,
    ) -> Result<(), StoreError> {
        let missing = self.missing(job, Table::Bars1d, ticker, daily.clone())?;
        if !missing.is_empty() {
            self.daily.push((ticker.to_owned(), missing));
        }
        let mut months: BTreeMap<Month, BTreeSet<NaiveDate>> = BTreeMap::new();
        for date in self.missing(job, Table::Bars1m, ticker, minutes.clone())? {
            months.entry(Month::of(date)).or_default().insert(date);
        }
        let months = months.into_values().map(|dates| (ticker.to_owned(), dates));
        self.minutes.extend(months);
        Ok(())
    }

    fn missing(
        &mut self,
        job: &Job,
        table: Table,
        ticker: &str,
        mut wanted: BTreeSet<NaiveDate>,
    ) -> Result<BTreeSet<NaiveDate>, StoreError> {
        let all = wanted.len();
        let covered = covered(job, table, ticker)?;
        wanted.retain(|date| !covered.contains(date));
        *self.cached.entry(table).or_default() += (all - wanted.len()) as u64;
        Ok(wanted)
    }
}

fn covered(job: &Job, table: Table, ticker: &str) -> Result<BTreeSet<NaiveDate>, StoreError> {
    if job.refresh {
        return Ok(BTreeSet::new());
    }
    let store: &Store = job.store;
    store.covered(table, ticker, job.config.flow.min_notional)
}

/// Whether all of a session can be asked for, extended hours included.
pub(super) fn is_over(session: &Session, now: Ts) -> bool {
    now >= settled_at(session)
}

/// When all of a session can be asked for.
pub fn settled_at(session: &Session) -> Ts {
    // The last print of extended hours comes a quarter of an hour after the close, the last bar of a
    // stock at eight in the evening.
    let bars_end = session.day_start().plus_minutes(20 * 60);
    bars_end.plus_minutes(SETTLE_MINUTES)
}
