//! Days: how many rows each session has beside the ticker's others, and which have suspiciously few
//! or many.

use chrono::NaiveDate;

use super::findings::{Finding, Severity};
use super::{Table, Verified};
use crate::time::Calendar;

/// Below this share of the median a day is suspicious,
const FEW: f64 = 0.2;
/// and above this multiple.
const MANY: f64 = 5.0;
/// A median says something from so many sessions on,
const MIN_SESSIONS: usize = 5;
/// and from so many rows on: of five events, one is no news.
const MIN_MEDIAN: f64 = 20.0;

/// Rows of a session in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub rows: u64,
    /// Minute bars only: those of the regular session.
    pub regular: u64,
}

/// Adds what is odd about the sessions of a ticker's files of `table`.
pub(super) fn look_at(table: Table, files: &mut [Verified], calendar: &Calendar) {
    let usual = match table {
        // Of these every session has one row, or hardly any has.
        Table::Bars1d | Table::Splits => None,
        _ => median(files.iter().flat_map(|file| {
            let days = file.days.iter();
            days.map(|(date, day)| day.rows as f64 / share(*date, calendar))
        })),
    };
    for file in files {
        let mut doubts = Vec::new();
        for (date, day) in &file.days {
            if let Some(usual) = usual {
                doubts.extend(few_or_many(*date, *day, usual * share(*date, calendar)));
            }
            if table == Table::Bars1m
                && let Some(session) = calendar.session_on(*date)
            {
                let minutes = session.minutes() as u64;
                file.minutes_without_bar += minutes.saturating_sub(day.regular);
                if 2 * day.regular < minutes {
                    doubts.push(doubt(
                        format!("fewer than half the regular minutes on {date}"),
                        day.regular.to_string(),
                        format!("up to {minutes}"),
                    ));
                }
            }
        }
        file.findings.extend(doubts);
    }
}

/// The part of a full session that the exchange is open on `date`.
fn share(date: NaiveDate, calendar: &Calendar) -> f64 {
    const FULL_MINUTES: f64 = 390.0;
    let session = calendar.session_on(date);
    session.map_or(1.0, |session| session.minutes() as f64 / FULL_MINUTES)
}

fn few_or_many(date: NaiveDate, day: Day, usual: f64) -> Option<Finding> {
    let rows = day.rows as f64;
    let what = match () {
        () if rows < FEW * usual => "few",
        () if rows > MANY * usual => "many",
        () => return None,
    };
    let problem = format!("suspiciously {what} rows on {date}");
    Some(doubt(
        problem,
        day.rows.to_string(),
        format!("about {usual:.0}, the median"),
    ))
}

fn doubt(problem: String, got: String, expected: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        problem,
        row: None,
        rows: 0,
        got,
        expected,
    }
}

/// `None` when it would not say much.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let median = *values.get(values.len() / 2)?;
    (values.len() >= MIN_SESSIONS && median >= MIN_MEDIAN).then_some(median)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    /// Rows and regular minutes by day of November 2025, whose 28th closes early.
    fn check(table: Table, days: &[(u32, u64, u64)], expected: &[&str]) {
        let date = |day: u32| NaiveDate::from_ymd_opt(2025, 11, day).unwrap();
        let days: BTreeMap<NaiveDate, Day> = days
            .iter()
            .map(|(day, rows, regular)| {
                let (rows, regular) = (*rows, *regular);
                (date(*day), Day { rows, regular })
            })
            .collect();
        let mut files = vec![Verified {
            path: PathBuf::from("file"),
            rows: 0,
            is_sealed: true,
            minutes_without_bar: 0,
            findings: Vec::new(),
            days,
        }];
        look_at(table, &mut files, &Calendar::shipped());
        let found: Vec<String> = files[0]
            .findings
            .iter()
            .map(|f| format!("{}: {}, not {}", f.problem, f.got, f.expected))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_day_far_from_the_median_is_suspicious() {
        check(
            Table::Flow,
            &[
                (3, 100, 0),
                (4, 110, 0),
                (5, 19, 0),
                (6, 90, 0),
                (7, 551, 0),
            ],
            &[
                "suspiciously few rows on 2025-11-05: 19, not about 100, the median",
                "suspiciously many rows on 2025-11-07: 551, not about 100, the median",
            ],
        );
    }

    #[test]
    fn an_early_close_may_have_fewer_rows() {
        let days = [(3, 100, 0), (4, 100, 0), (5, 100, 0), (6, 100, 0)];
        check(Table::Flow, &[&days[..], &[(28, 11, 0)]].concat(), &[]);
        check(
            Table::Flow,
            &[&days[..], &[(28, 10, 0)]].concat(),
            &["suspiciously few rows on 2025-11-28: 10, not about 54, the median"],
        );
    }

    #[test]
    fn few_sessions_or_few_rows_have_no_median_to_speak_of() {
        check(Table::Flow, &[(3, 100, 0), (4, 0, 0), (5, 100, 0)], &[]);
        let days = [(3, 9, 0), (4, 1, 0), (5, 8, 0), (6, 9, 0), (7, 9, 0)];
        check(Table::Flow, &days, &[]);
    }

    #[test]
    fn a_session_with_less_than_half_its_minutes_is_suspicious() {
        check(
            Table::Bars1m,
            &[(26, 500, 195), (28, 300, 104)],
            &["fewer than half the regular minutes on 2025-11-28: 104, not up to 210"],
        );
    }
}
