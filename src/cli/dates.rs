//! Dates of a command line, held against the exchange's calendar.

use chrono::{Datelike, NaiveDate};

use super::failure::Failure;
use crate::time::Calendar;

/// Fails on a date the calendar does not know, and on a period that ends before it starts.
pub fn check(
    calendar: &Calendar,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
) -> anyhow::Result<()> {
    for (option, date) in [("--start", start), ("--end", end)] {
        let Some(date) = date else { continue };
        calendar.check_range(date).map_err(|e| {
            Failure::usage(format!("{option}: {e}")).hint("choose a day that it covers")
        })?;
    }
    match (start, end) {
        (Some(start), Some(end)) if start > end => Err(Failure::usage(format!(
            "--start {start} lies after --end {end}"
        ))
        .hint("swap the two")
        .into()),
        _ => Ok(()),
    }
}

/// Fails on a period in which the exchange never opens.
pub fn whole(calendar: &Calendar, start: NaiveDate, end: NaiveDate) -> anyhow::Result<()> {
    if !calendar.between(start, end).is_empty() {
        return Ok(());
    }
    let day = |date: NaiveDate| format!("{}, {date}", date.weekday());
    let message = if start == end {
        format!("the exchange does not open on {}", day(start))
    } else {
        format!(
            "the exchange does not open from {} to {}",
            day(start),
            day(end)
        )
    };
    let next = calendar.all().get(calendar.first_index_from(start));
    let failure = Failure::usage(message);
    Err(match next {
        Some(next) => failure.hint(format!("the next session is {}", day(next.date))),
        None => failure,
    }
    .into())
}
