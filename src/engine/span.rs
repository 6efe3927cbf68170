//! Span: from a period to all that a run of it has to read before and after.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::NaiveDate;

use crate::config::Config;
use crate::store::{Store, StoreError, Table};
use crate::strategies::Kind;
use crate::time::Calendar;

/// The exchange days of a run, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

/// The dates a run reads, counted back from its period.
pub struct Span {
    /// Minute bars from here on; the sessions before the period hold enough full ones.
    pub bars_from: NaiveDate,
    /// Flow from here on.
    pub flow_from: NaiveDate,
    /// Bars up to here: trades opened on the last day are followed to their end.
    pub bars_to: NaiveDate,
    /// The calendar's sessions from `bars_from` to `bars_to`.
    pub sessions: Range<usize>,
}

/// How far a run's rules reach beyond its period.
pub struct Reach {
    /// Sessions of chain memory, today included.
    memory_sessions: usize,
    hold_minutes: u64,
}

impl Reach {
    pub fn of(config: &Config, tickers: &[String]) -> Reach {
        let mut reach = Reach {
            memory_sessions: 1,
            hold_minutes: 0,
        };
        let special = config.overridden_tickers();
        let is_special = |ticker: &&String| special.contains(&ticker.as_str());
        // All tickers without overrides have the same modes, so one of them speaks for them.
        let usual = tickers.iter().find(|ticker| !is_special(ticker));
        for ticker in tickers.iter().filter(is_special).chain(usual) {
            for kind in Kind::ALL {
                let mode = config.mode(ticker, *kind);
                let memory = mode
                    .memory
                    .map_or(1, |memory| memory.memory_sessions as usize);
                reach.memory_sessions = reach.memory_sessions.max(memory);
                reach.hold_minutes = reach.hold_minutes.max(mode.max_hold_minutes.into());
            }
        }
        reach
    }
}

impl Span {
    pub fn new(calendar: &Calendar, config: &Config, reach: &Reach, period: Period) -> Span {
        let Period { start, end } = period;
        let flow_from = calendar.sessions_before(start, reach.memory_sessions - 1);
        // Warm-up flow is evaluated in full, so its context is warm as well.
        let rvol_sessions = config.context.rvol_sessions as usize;
        let bars_from = calendar.full_sessions_before(flow_from, rvol_sessions);
        // A hold that ends on a weekend or a holiday ends with the next session.
        let days = reach.hold_minutes / (24 * 60) + 7;
        // "For ever" is a hold too, and ends with the calendar.
        let last = calendar
            .all()
            .last()
            .map_or(end, |session| session.date)
            .max(end);
        let bars_to = end
            .checked_add_days(chrono::Days::new(days))
            .map_or(last, |to| to.min(last));
        let after = bars_to.succ_opt().unwrap_or(bars_to);
        let sessions = calendar.first_index_from(bars_from)..calendar.first_index_from(after);
        Span {
            bars_from,
            flow_from,
            bars_to,
            sessions,
        }
    }
}

/// The period a run has when none is asked for: from the first session with flow that has its whole
/// warm-up in the cache (or simply the first) to the last one with flow.
pub fn default_period(
    store: &Store,
    calendar: &Calendar,
    config: &Config,
    tickers: &[String],
) -> Result<Option<Period>, StoreError> {
    let (mut flow, mut bars) = (BTreeSet::new(), BTreeSet::new());
    for ticker in tickers {
        for (table, dates) in [(Table::Flow, &mut flow), (Table::Bars1m, &mut bars)] {
            dates.extend(
                store
                    .probe(table, ticker)?
                    .into_iter()
                    .flat_map(|file| file.footer.sessions),
            );
        }
    }
    let (Some(first), Some(end)) = (flow.first().copied(), flow.last().copied()) else {
        return Ok(None);
    };
    let reach = Reach::of(config, tickers);
    let is_warm = |start: &NaiveDate| {
        let span = Span::new(calendar, config, &reach, Period { start: *start, end });
        let reaches =
            |dates: &BTreeSet<NaiveDate>, from| dates.first().is_some_and(|first| *first <= from);
        reaches(&flow, span.flow_from) && reaches(&bars, span.bars_from)
    };
    let start = flow.iter().copied().find(is_warm).unwrap_or(first);
    Ok(Some(Period { start, end }))
}
