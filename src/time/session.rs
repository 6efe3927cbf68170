//! The exchange calendar: from a table of sessions to "which session is this, which came before".

use chrono::NaiveDate;
use serde::Deserialize;

use super::ts::{MINUTE_NS, Ts, exchange_midnight};

/// The table compiled into the binary: every US equity session from 2014 to 2027.
const SHIPPED: &str = include_str!("../../data/market-calendar.csv");

/// One regular session of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub date: NaiveDate,
    pub open: Ts,
    pub close: Ts,
    pub is_early_close: bool,
}

impl Session {
    /// Length of the session in minutes: 390, or 210 on an early close.
    pub fn minutes(&self) -> usize {
        (self.close.ns_since(self.open) / MINUTE_NS) as usize
    }

    /// Whole minutes since the open at `t`: negative before it, not capped after the close.
    pub fn minute_at(&self, t: Ts) -> i64 {
        t.ns_since(self.open).div_euclid(MINUTE_NS)
    }

    pub fn contains(&self, t: Ts) -> bool {
        self.open <= t && t < self.close
    }

    /// The instant the exchange day begins: midnight in New York.
    pub fn day_start(&self) -> Ts {
        exchange_midnight(self.date)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    #[error("calendar line {line}: {reason}")]
    BadLine { line: usize, reason: String },
    #[error("{date} lies outside the calendar, which covers {first} to {last}")]
    OutOfRange {
        date: NaiveDate,
        first: NaiveDate,
        last: NaiveDate,
    },
}

/// Sessions in order of date, no date twice.
#[derive(Clone, Debug)]
pub struct Calendar {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Line {
    date: NaiveDate,
    open_utc: String,
    close_utc: String,
    is_early_close: bool,
}

impl Calendar {
    /// The shipped calendar, 2014 to 2027.
    pub fn shipped() -> Calendar {
        Calendar::parse(SHIPPED).expect("the shipped calendar is tested")
    }

    /// Reads `date,open_utc,close_utc,is_early_close`. Fails on a line that does not parse, is out of
    /// order, or describes a session that is not made of whole quarter hours (bars of 5 and 15
    /// minutes must tile it).
    pub fn parse(text: &str) -> Result<Calendar, CalendarError> {
        let mut sessions: Vec<Session> = Vec::new();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for (index, line) in reader.deserialize::<Line>().enumerate() {
            let bad = |reason: String| CalendarError::BadLine {
                line: index + 2,
                reason,
            };
            let line = line.map_err(|e| bad(e.to_string()))?;
            let instant = |text: &str| {
                Ts::parse_rfc3339(text)
                    .ok_or_else(|| bad(format!("{text} is not an RFC 3339 time")))
            };
            let session = Session {
                date: line.date,
                open: instant(&line.open_utc)?,
                close: instant(&line.close_utc)?,
                is_early_close: line.is_early_close,
            };
            if session.open >= session.close {
                return Err(bad("a session opens before it closes".into()));
            }
            if session.close.ns_since(session.open) % (15 * MINUTE_NS) != 0 {
                return Err(bad("a session lasts whole quarter hours".into()));
            }
            if sessions
                .last()
                .is_some_and(|last| last.date >= session.date)
            {
                return Err(bad("dates must ascend".into()));
            }
            sessions.push(session);
        }
        Ok(Calendar { sessions })
    }

    pub fn all(&self) -> &[Session] {
        &self.sessions
    }

    /// The session of `date`, if the exchange opens that day.
    pub fn session_on(&self, date: NaiveDate) -> Option<&Session> {
        self.index_on(date).map(|index| &self.sessions[index])
    }

    /// Position of the session of `date` in [`Calendar::all`].
    pub fn index_on(&self, date: NaiveDate) -> Option<usize> {
        self.sessions.binary_search_by_key(&date, |s| s.date).ok()
    }

    /// Position of the first session on or after `date`; the length of the calendar when none is.
    pub fn first_index_from(&self, date: NaiveDate) -> usize {
        self.sessions.partition_point(|s| s.date < date)
    }

    /// The sessions from `start` to `end`, both included.
    pub fn between(&self, start: NaiveDate, end: NaiveDate) -> &[Session] {
        let from = self.first_index_from(start);
        let to = self.sessions.partition_point(|s| s.date <= end);
        &self.sessions[from..to.max(from)]
    }

    /// Date of the session `count` sessions before the first one on or after `date`; the
    /// calendar's first date when it does not reach back that far.
    pub fn sessions_before(&self, date: NaiveDate, count: usize) -> NaiveDate {
        let index = self.first_index_from(date).saturating_sub(count);
        self.sessions.get(index).map_or(date, |s| s.date)
    }

    /// Date of the session from which on exactly `count` full (not early-close) sessions precede
    /// `date`.
    pub fn full_sessions_before(&self, date: NaiveDate, count: usize) -> NaiveDate {
        let before = &self.sessions[..self.first_index_from(date)];
        let full = before.iter().rev().filter(|s| !s.is_early_close);
        full.take(count).last().map_or(date, |s| s.date)
    }

    /// Fails when `date` lies before the first or after the last session known.
    pub fn check_range(&self, date: NaiveDate) -> Result<(), CalendarError> {
        let (first, last) = (
            self.sessions[0].date,
            self.sessions[self.sessions.len() - 1].date,
        );
        if date < first || date > last {
            return Err(CalendarError::OutOfRange { date, first, last });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_shipped_calendar_knows_half_days_holidays_and_daylight_saving() {
        let calendar = Calendar::shipped();
        assert_eq!(
            calendar.session_on(day("2025-11-28")).unwrap().minutes(),
            210
        );
        assert!(calendar.session_on(day("2025-11-27")).is_none());
        assert_eq!(
            calendar
                .session_on(day("2025-10-31"))
                .unwrap()
                .open
                .to_string(),
            "2025-10-31T13:30:00Z"
        );
        assert_eq!(
            calendar
                .session_on(day("2025-11-03"))
                .unwrap()
                .open
                .to_string(),
            "2025-11-03T14:30:00Z"
        );
    }

    #[test]
    fn full_sessions_are_counted_without_early_closes() {
        let calendar = Calendar::shipped();
        // 2025-11-28 is an early close, so two full sessions before 12-01 reach back to the 25th.
        assert_eq!(
            calendar.full_sessions_before(day("2025-12-01"), 2),
            day("2025-11-25")
        );
        assert_eq!(
            calendar.sessions_before(day("2025-12-01"), 2),
            day("2025-11-26")
        );
    }

    #[test]
    fn a_calendar_out_of_order_is_refused_by_line() {
        let text = "date,open_utc,close_utc,is_early_close\n\
                    2025-03-14,2025-03-14T13:30:00Z,2025-03-14T20:00:00Z,false\n\
                    2025-03-13,2025-03-13T13:30:00Z,2025-03-13T20:00:00Z,false\n";
        let error = Calendar::parse(text).unwrap_err().to_string();
        assert_eq!(error, "calendar line 3: dates must ascend");
    }

    #[test]
    fn minutes_are_counted_from_the_open_and_are_negative_before_it() {
        let session = *Calendar::shipped().session_on(day("2025-03-14")).unwrap();
        assert_eq!(session.minute_at(session.open), 0);
        assert_eq!(session.minute_at(session.open.plus_ns(-1)), -1);
        assert_eq!(session.minute_at(session.close), 390);
    }
}
