//! Warming up: the session a stream begins with, and a desk whose memories are filled from the cache.

use anyhow::Context as _;
use chrono::NaiveDate;

use crate::config::Config;
use crate::engine::{Gaps, Period};
use crate::live::{Desk, Replay, wall_clock};
use crate::store::Store;
use crate::time::{Calendar, Session, Ts};

/// Bars of a session come until eight in the evening; the day ends after that.
const DAY_ENDS_MINUTES: i64 = 20 * 60 + 10;

/// When nothing more comes of a session's day.
pub fn day_ends(session: &Session) -> Ts {
    session.day_start().plus_minutes(DAY_ENDS_MINUTES)
}

/// The session to begin with: the one asked for or the first after it, else today's, else the next.
pub fn first_day(day: Option<NaiveDate>, calendar: &Calendar) -> anyhow::Result<Session> {
    match day {
        Some(date) => {
            let next = calendar.all().get(calendar.first_index_from(date));
            next.copied().with_context(|| no_session(date))
        }
        None => day_not_over(wall_clock().exchange_date(), calendar),
    }
}

/// The first session from `date` on of which something is still to come.
pub fn day_not_over(date: NaiveDate, calendar: &Calendar) -> anyhow::Result<Session> {
    let now = wall_clock();
    let mut sessions = calendar.all()[calendar.first_index_from(date)..].iter();
    let next = sessions.find(|session| day_ends(session) > now);
    next.copied().with_context(|| no_session(date))
}

fn no_session(date: NaiveDate) -> String {
    format!("the calendar knows no session from {date} on; a later version knows more")
}

/// The desk of a run from `start` on, its memories filled from the cache; what the cache misses of
/// them is put into `gaps`.
pub fn desk<'d>(
    config: &'d Config,
    calendar: &'d Calendar,
    store: &Store,
    tickers: &[String],
    start: NaiveDate,
    gaps: &mut Gaps,
) -> anyhow::Result<Desk<'d>> {
    let period = Period { start, end: start };
    let mut replay =
        Replay::new(store, calendar, config, tickers, period).context("cannot read the warm-up")?;
    let first_session = replay.span().sessions.start;
    let mut pasts = replay.pasts();
    for past in pasts.values_mut() {
        // What was fetched since is of days that the desk is told, now as the first time.
        past.daily.retain(|day| day.date < start);
    }
    let mut desk = Desk::new(config, calendar, tickers, pasts, start, first_session);
    let mut told = Vec::new();
    while replay.next_date() < start
        && let Some(inputs) = replay.next_day().context("cannot read the warm-up")?
    {
        for (_, input) in &inputs {
            desk.take(input, &mut told)?;
        }
    }
    debug_assert!(told.is_empty(), "warm-up is reported nowhere");
    *gaps = replay.summary().0;
    // The day itself is still to come.
    gaps.flow.clear();
    gaps.bars.clear();
    Ok(desk)
}
