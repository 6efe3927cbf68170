//! Rows: from the text of one CSV file to typed rows, with every line that is not one counted.
//!
//! LEAN quotes nothing and writes no headers, so a line is split at its commas. That keeps line
//! numbers exact and costs no allocation per line.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::America::New_York;

use crate::time::Ts;

/// Prices are stored in ten-thousandths of a dollar.
pub(super) const PRICE_SCALE: f64 = 10_000.0;

/// The name under which bad rows are counted.
pub(super) const BAD_ROW: &str = "bad_row";

const MS_PER_MINUTE: u32 = 60_000;

/// A row that was left out, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// The file, for a zip followed by the file inside it.
    pub file: String,
    pub line: u64,
    pub reason: RowFault,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RowFault {
    #[error("{got} columns, expected {expected}")]
    Columns { got: usize, expected: &'static str },
    #[error("column {column}: got {got:?}, expected {expected}")]
    Field {
        column: &'static str,
        got: String,
        expected: &'static str,
    },
    #[error(
        "the file's name does not say which contract it is about: got {got:?}, expected {expected:?}"
    )]
    EntryName { got: String, expected: String },
}

/// Rows of one or several files; `read` is always `rows` plus everything in `dropped`.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported<T> {
    pub rows: Vec<T>,
    pub read: u64,
    pub dropped: BTreeMap<&'static str, u64>,
    pub bad_rows: Vec<BadRow>,
}

impl<T> Default for Imported<T> {
    fn default() -> Imported<T> {
        Imported {
            rows: Vec::new(),
            read: 0,
            dropped: BTreeMap::new(),
            bad_rows: Vec::new(),
        }
    }
}

/// What a line that could be read turned out to be.
pub(super) enum Line<T> {
    Row(T),
    /// Not a row, for the reason it is counted under.
    Drop(&'static str),
}

impl<T> Imported<T> {
    /// Shows every line of `text` to `parse` and keeps the account. Empty lines are not rows.
    pub(super) fn read_lines(
        &mut self,
        file: &str,
        text: &str,
        mut parse: impl FnMut(&str) -> Result<Line<T>, RowFault>,
    ) {
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            self.read += 1;
            match parse(line) {
                Ok(Line::Row(row)) => self.rows.push(row),
                Ok(Line::Drop(reason)) => *self.dropped.entry(reason).or_default() += 1,
                Err(reason) => {
                    *self.dropped.entry(BAD_ROW).or_default() += 1;
                    self.bad_rows.push(BadRow {
                        file: file.to_owned(),
                        line: index as u64 + 1,
                        reason,
                    });
                }
            }
        }
    }
}

/// The fields of a line with exactly `N` columns.
pub(super) fn columns<'a, const N: usize>(
    line: &'a str,
    expected: &'static str,
) -> Result<[&'a str; N], RowFault> {
    let mut fields = [""; N];
    let mut count = 0;
    for part in line.split(',') {
        if let Some(field) = fields.get_mut(count) {
            *field = part.trim();
        }
        count += 1;
    }
    if count == N {
        Ok(fields)
    } else {
        Err(RowFault::Columns {
            got: count,
            expected,
        })
    }
}

/// The fault of one field.
pub(super) fn fault(column: &'static str, got: &str, expected: &'static str) -> RowFault {
    RowFault::Field {
        column,
        got: got.to_owned(),
        expected,
    }
}

/// A finite number, zero or more.
pub(super) fn number(column: &'static str, text: &str) -> Result<f64, RowFault> {
    let parsed = text
        .parse::<f64>()
        .ok()
        .filter(|n| n.is_finite() && *n >= 0.0);
    parsed.ok_or_else(|| fault(column, text, "a number, zero or more"))
}

/// A whole number, zero or more.
pub(super) fn whole(column: &'static str, text: &str) -> Result<i64, RowFault> {
    // LEAN writes decimals, so a count may come as `28.0`.
    let digits = text
        .split_once('.')
        .filter(|(_, rest)| rest.bytes().all(|b| b == b'0'))
        .map_or(text, |(whole, _)| whole);
    let parsed = digits.parse::<i64>().ok().filter(|n| *n >= 0);
    parsed.ok_or_else(|| fault(column, text, "a whole number, zero or more"))
}

/// The instant `text` milliseconds after midnight on the clocks of New York. On the two days a
/// year that do not have 24 hours this is not midnight plus a duration: 09:30 stays 09:30.
pub(super) fn instant(date: NaiveDate, text: &str) -> Result<Ts, RowFault> {
    let bad = || fault("ms", text, "milliseconds since midnight in New York");
    let ms: u32 = text.parse().map_err(|_| bad())?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(ms / 1000, ms % 1000 * 1_000_000)
        .ok_or_else(bad)?;
    // An hour that the clocks repeat is taken the first time, one they skip does not exist.
    let local = New_York
        .from_local_datetime(&date.and_time(time))
        .earliest()
        .ok_or_else(bad)?;
    local.timestamp_nanos_opt().map(Ts::from_ns).ok_or_else(bad)
}

/// The start of a minute bar: an [`instant`] on a whole minute and later than `previous`, which it
/// then replaces. Bars out of order would give the minutes after them a wrong past.
pub(super) fn minute_start(
    date: NaiveDate,
    text: &str,
    previous: &mut Option<Ts>,
) -> Result<Ts, RowFault> {
    let start = instant(date, text)?;
    if text.parse::<u32>().is_ok_and(|ms| ms % MS_PER_MINUTE != 0) {
        return Err(fault("ms", text, "a whole minute"));
    }
    if previous.is_some_and(|earlier| earlier >= start) {
        return Err(fault("ms", text, "a later minute than the line before"));
    }
    *previous = Some(start);
    Ok(start)
}

/// A bar's prices, still in ten-thousandths, where they are exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ohlc {
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
}

impl Ohlc {
    /// Prices whose high and low enclose the other two.
    pub fn parse([open, high, low, close]: [&str; 4]) -> Result<Ohlc, RowFault> {
        let bar = Ohlc {
            open: number("open", open)?,
            high: number("high", high)?,
            low: number("low", low)?,
            close: number("close", close)?,
        };
        if bar.high < bar.open.max(bar.close) {
            return Err(fault("high", high, "at least the open and the close"));
        }
        if bar.low > bar.open.min(bar.close) {
            return Err(fault("low", low, "at most the open and the close"));
        }
        Ok(bar)
    }

    /// The same, each above zero.
    pub fn parse_positive(fields: [&str; 4]) -> Result<Ohlc, RowFault> {
        let bar = Ohlc::parse(fields)?;
        if bar.low > 0.0 {
            Ok(bar)
        } else {
            Err(fault("low", fields[2], "a price above zero"))
        }
    }

    pub fn dollars(self) -> Ohlc {
        Ohlc {
            open: self.open / PRICE_SCALE,
            high: self.high / PRICE_SCALE,
            low: self.low / PRICE_SCALE,
            close: self.close / PRICE_SCALE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn half_past_nine_stays_half_past_nine_when_the_clocks_change() {
        let open = |date| instant(day(date), "34200000").unwrap().to_string();
        assert_eq!(open("2025-03-07"), "2025-03-07T14:30:00Z");
        assert_eq!(open("2025-03-09"), "2025-03-09T13:30:00Z");
        assert_eq!(open("2025-11-02"), "2025-11-02T14:30:00Z");
        // 02:30 of the day the clocks jump ahead.
        assert!(instant(day("2025-03-09"), "9000000").is_err());
        assert!(instant(day("2025-03-07"), "86400000").is_err());
    }

    #[test]
    fn a_minute_starts_on_the_minute_and_after_the_one_before() {
        let mut previous = None;
        assert!(minute_start(day("2025-03-07"), "34200000", &mut previous).is_ok());
        for (text, expected) in [
            ("34260001", "a whole minute"),
            ("34200000", "a later minute than the line before"),
        ] {
            let fault = minute_start(day("2025-03-07"), text, &mut previous).unwrap_err();
            assert_eq!(
                fault,
                RowFault::Field {
                    column: "ms",
                    got: text.into(),
                    expected
                }
            );
        }
    }

    #[test]
    fn a_line_is_a_row_or_counted() {
        let mut imported = Imported::default();
        imported.read_lines("a.csv", "1\n\n0\r\nx\n1,2\n", |line| {
            let [field] = columns(line, "1")?;
            Ok(if whole("n", field)? == 0 {
                Line::Drop("nothing")
            } else {
                Line::Row(field.to_owned())
            })
        });
        assert_eq!((imported.read, imported.rows), (4, vec!["1".to_owned()]));
        assert_eq!(
            imported.dropped,
            BTreeMap::from([("nothing", 1), (BAD_ROW, 2)])
        );
        let named: Vec<String> = imported
            .bad_rows
            .iter()
            .map(|b| format!("{}:{}: {}", b.file, b.line, b.reason))
            .collect();
        assert_eq!(
            named,
            [
                "a.csv:4: column n: got \"x\", expected a whole number, zero or more",
                "a.csv:5: 2 columns, expected 1"
            ]
        );
    }

    #[test]
    fn high_and_low_enclose_the_bar() {
        assert!(Ohlc::parse(["2", "3", "1", "2"]).is_ok());
        assert!(Ohlc::parse(["2", "1.5", "1", "1"]).is_err());
        assert!(Ohlc::parse(["2", "3", "2.5", "3"]).is_err());
        assert!(Ohlc::parse(["2", "inf", "1", "2"]).is_err());
        assert!(Ohlc::parse_positive(["0", "0", "0", "0"]).is_err());
    }

    #[test]
    fn a_count_may_be_written_as_a_decimal_but_must_be_whole() {
        assert_eq!(whole("n", "28.0"), Ok(28));
        assert!(
            whole("n", "28.5").is_err() && whole("n", "-1").is_err() && whole("n", "").is_err()
        );
    }
}
