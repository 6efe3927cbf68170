//! Splits: from a factor file to the dates on which one share became several.
//!
//! A row's factors hold for every date up to and including its own. Where the split factor changes
//! from one row to the next, the split fell between the first row's date and the session after it:
//!
//! ```text
//!  20140606,0.9011818,0.03571430,645.57     up to 2014-06-06 a share was 1/28 of today's
//!  20140806,0.9011818,0.25,94.97            after it, 1/4: 7 for 1, ex on 2014-06-09
//! ```

use chrono::NaiveDate;

use super::Split;
use super::rows::{Imported, Line, RowFault, fault};
use crate::time::Calendar;

/// The largest term of a ratio's smaller side that is looked for, as the 2 of 3:2.
const MAX_TERM: u32 = 10;

/// Factors are rounded when stored, so a ratio this near to a fraction is that fraction.
const TOLERANCE: f64 = 1e-3;

/// Two factors nearer than this differ by rounding only.
const NOISE: f64 = 1e-5;

#[derive(Clone, Copy)]
struct Factor {
    last_date: NaiveDate,
    split_factor: f64,
}

pub(super) fn splits(file: &str, text: &str, calendar: &Calendar) -> Imported<Split> {
    let mut found = Imported::default();
    let mut previous: Option<Factor> = None;
    found.read_lines(file, text, |line| {
        let factor = factor(line)?;
        if previous.is_some_and(|earlier| earlier.last_date >= factor.last_date) {
            return Err(fault("date", line, "a later date than the line before"));
        }
        let Some(earlier) = previous.replace(factor) else {
            return Ok(Line::Drop("no_split"));
        };
        let ratio = factor.split_factor / earlier.split_factor;
        if (ratio - 1.0).abs() < NOISE {
            return Ok(Line::Drop("no_split"));
        }
        let ex_date = next_session(earlier.last_date, calendar);
        Ok(Line::Row(Split {
            ex_date,
            ratio: as_fraction(ratio),
        }))
    });
    found
}

/// Date, price factor, split factor; the reference price after them is missing in old files.
fn factor(line: &str) -> Result<Factor, RowFault> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[date, _, split_factor, ..] = fields.as_slice() else {
        return Err(RowFault::Columns {
            got: fields.len(),
            expected: "4: date,price factor,split factor,reference price",
        });
    };
    let last_date =
        NaiveDate::parse_from_str(date, "%Y%m%d").map_err(|_| fault("date", date, "YYYYMMDD"))?;
    let parsed = split_factor
        .parse::<f64>()
        .ok()
        .filter(|n| n.is_finite() && *n > 0.0);
    let split_factor =
        parsed.ok_or_else(|| fault("split factor", split_factor, "a number above zero"))?;
    Ok(Factor {
        last_date,
        split_factor,
    })
}

/// The session after `date`. Where the calendar does not reach, the day after: it separates the
/// same bars, because none lies between the two.
fn next_session(date: NaiveDate, calendar: &Calendar) -> NaiveDate {
    let tomorrow = date.succ_opt().unwrap_or(date);
    if calendar.check_range(tomorrow).is_err() {
        return tomorrow;
    }
    calendar
        .all()
        .get(calendar.first_index_from(tomorrow))
        .map_or(tomorrow, |session| session.date)
}

/// The simplest fraction near `ratio`, or `ratio` itself when none is simple, as for a spin-off.
fn as_fraction(ratio: f64) -> f64 {
    let fraction = |large: f64| {
        (1..=MAX_TERM).map(f64::from).find_map(|term| {
            let other = (large * term).round();
            ((other / term - large).abs() <= TOLERANCE * large && other != term)
                .then_some((other, term))
        })
    };
    // A reverse split is the fraction upside down: 1 for 30 has a large term below.
    if ratio >= 1.0 {
        fraction(ratio).map_or(ratio, |(many, one)| many / one)
    } else {
        fraction(1.0 / ratio).map_or(ratio, |(many, one)| one / many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, f64)]) {
        let found = splits("aapl.csv", text, &Calendar::shipped());
        let seen: Vec<(String, f64)> = found
            .rows
            .iter()
            .map(|s| (s.ex_date.to_string(), s.ratio))
            .collect();
        let expected: Vec<(String, f64)> = expected
            .iter()
            .map(|(d, r)| ((*d).to_owned(), *r))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(
            found.read,
            found.rows.len() as u64 + found.dropped.values().sum::<u64>()
        );
    }

    #[test]
    fn a_change_of_split_factor_is_a_split_at_the_next_session() {
        let rows = "20140507,0.89,0.03571430,592.33\n20140606,0.90,0.03571430,645.57\n20140806,0.90,0.25,94.97\n\
                    20200828,0.99,0.25,499.23\n20501231,1,1,0\n";
        check(rows, &[("2014-06-09", 7.0), ("2020-08-31", 4.0)]);
    }

    #[test]
    fn ratios_are_fractions_when_they_are_near_one() {
        check(
            "20140606,1,0.66667,1\n20501231,1,1,0\n",
            &[("2014-06-09", 1.5)],
        );
        check(
            "20140606,1,30,1\n20501231,1,1,0\n",
            &[("2014-06-09", 1.0 / 30.0)],
        );
        check(
            "20140606,1,1.0384231,1\n20501231,1,1,0\n",
            &[("2014-06-09", 1.0 / 1.0384231)],
        );
        check("20140606,1,0.99999999,1\n20501231,1,1,0\n", &[]);
    }

    #[test]
    fn before_the_calendar_the_day_after_separates_the_same_bars() {
        check(
            "20050225,1,0.5,88.97\n20501231,1,1,0\n",
            &[("2005-02-26", 2.0)],
        );
    }

    #[test]
    fn a_bad_factor_row_is_named_and_the_rest_goes_on() {
        let found = splits(
            "aapl.csv",
            "20140606,1,0.5\n20140607,1,zero\n20140101,1,1\n20150101,1\n20501231,1,1\n",
            &Calendar::shipped(),
        );
        assert_eq!(found.rows.len(), 1);
        assert_eq!(
            found.bad_rows.iter().map(|b| b.line).collect::<Vec<_>>(),
            [2, 3, 4]
        );
    }
}
