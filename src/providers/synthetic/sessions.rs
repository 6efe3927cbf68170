//! Which sessions a market has and what is made of each: daily bars only, minute bars, or flow too;
//! and the two incidents that befall a ticker in the period of the flow.

use std::ops::Range;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rand::RngExt;

use super::params::{Listing, Params};
use super::random::{Purpose, stream};
use super::{Split, SyntheticError};
use crate::time::{Calendar, Session, Ts};

/// Calendar days ahead for which options are listed.
pub(super) const LISTED_DAYS: u64 = 95;
const FULL_MINUTES: usize = 390;
const SPLIT_RATIO: f64 = 4.0;

/// How finely a session is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Daily,
    Minutes,
    Flow,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub session: Session,
    pub grain: Grain,
}

impl Day {
    /// A session of which only the daily bar is kept is walked in quarter hours.
    pub(super) fn minutes_per_step(&self) -> usize {
        if self.grain == Grain::Daily { 15 } else { 1 }
    }

    pub(super) fn steps(&self) -> usize {
        self.session.minutes() / self.minutes_per_step()
    }

    /// Steps of a full session: a half day gets its part of a day's variance, not all of it.
    pub(super) fn full_steps(&self) -> f64 {
        (FULL_MINUTES / self.minutes_per_step()) as f64
    }
}

/// The sessions of a market, oldest first.
pub(super) fn days(params: &Params, calendar: &Calendar) -> Result<Vec<Day>, SyntheticError> {
    let all = calendar.all();
    let first_flow = calendar.first_index_from(params.start);
    if first_flow + params.sessions > all.len() {
        let missing = first_flow + params.sessions - all.len();
        return Err(SyntheticError::OutsideCalendar {
            start: params.start,
            sessions: params.sessions,
            missing,
        });
    }
    let first_minutes = first_flow.saturating_sub(params.warmup_sessions);
    let first = first_flow
        .saturating_sub(params.daily_warmup)
        .min(first_minutes);
    let grain = |index| match index {
        i if i < first_minutes => Grain::Daily,
        i if i < first_flow => Grain::Minutes,
        _ => Grain::Flow,
    };
    Ok((first..first_flow + params.sessions)
        .map(|i| Day {
            session: all[i],
            grain: grain(i),
        })
        .collect())
}

/// A session on which options may expire.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExpiryDay {
    pub date: NaiveDate,
    pub close: Ts,
    ends_week: bool,
    is_monthly: bool,
}

impl ExpiryDay {
    /// Whether a ticker has options expiring here that are already listed on `today`.
    pub(super) fn is_listed(&self, today: NaiveDate, listing: Listing) -> bool {
        let ahead = (self.date - today).num_days();
        let weeks_out = if listing == Listing::Weekly { 35 } else { 56 };
        let by_class = match listing {
            Listing::Daily => ahead <= 9,
            Listing::MondayWednesdayFriday => {
                ahead <= 11
                    && matches!(
                        self.date.weekday(),
                        Weekday::Mon | Weekday::Wed | Weekday::Fri
                    )
            }
            Listing::Weekly => false,
        };
        let farthest = if self.is_monthly {
            LISTED_DAYS as i64
        } else {
            weeks_out
        };
        ahead >= 0 && (by_class || (self.ends_week && ahead <= farthest))
    }
}

/// The sessions on which something may expire, from the first minute bar to the farthest listing.
/// A Friday without a session hands its expiry to the session before.
pub(super) fn expiry_days(days: &[Day], calendar: &Calendar) -> Vec<ExpiryDay> {
    let Some(from) = days.iter().find(|d| d.grain != Grain::Daily) else {
        return Vec::new();
    };
    let last = days[days.len() - 1].session.date;
    let sessions = calendar.between(from.session.date, last + Days::new(LISTED_DAYS));
    let next_week = |i: usize| sessions.get(i + 1).map(|s| s.date.iso_week());
    let describe = |(i, session): (usize, &Session)| {
        let date = session.date;
        let to_friday = 4 - date.weekday().num_days_from_monday().min(4);
        let friday = date + Days::new(u64::from(to_friday));
        let ends_week = next_week(i).map_or(to_friday == 0, |week| week != date.iso_week());
        let is_monthly = ends_week && (15..=21).contains(&friday.day());
        ExpiryDay {
            date,
            close: session.close,
            ends_week,
            is_monthly,
        }
    };
    sessions.iter().enumerate().map(describe).collect()
}

/// What happens to a ticker once in the period: trading halts, or its shares split.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidents {
    pub halt: Option<(NaiveDate, Range<usize>)>,
    pub split: Option<Split>,
}

impl Incidents {
    /// The fourth ticker is halted in the middle of the period, the fifth splits 4:1 there (the
    /// last one when there are fewer); a period under ten sessions has no split.
    pub(super) fn of(ticker: &str, params: &Params, days: &[Day]) -> Incidents {
        let flow: Vec<&Day> = days.iter().filter(|d| d.grain == Grain::Flow).collect();
        let is_nth = |n: usize| {
            let last = params.tickers.len().saturating_sub(1);
            params.tickers.get(n.min(last)).is_some_and(|t| t == ticker)
        };
        let halt = flow.get(flow.len() / 2).filter(|_| is_nth(3)).map(|day| {
            let mut rng = stream(params.seed, ticker, Purpose::Halt, day.session.date);
            let start = rng.random_range(60..day.session.minutes() - 90);
            (day.session.date, start..start + rng.random_range(20..=30))
        });
        let split = flow
            .get(flow.len() / 2)
            .filter(|_| flow.len() >= 10 && is_nth(4));
        let split = split.map(|day| Split {
            ex_date: day.session.date,
            ratio: SPLIT_RATIO,
        });
        Incidents { halt, split }
    }

    pub(super) fn halt_on(&self, date: NaiveDate) -> Range<usize> {
        self.halt
            .as_ref()
            .filter(|(day, _)| *day == date)
            .map_or(0..0, |(_, minutes)| minutes.clone())
    }
}
