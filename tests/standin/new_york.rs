//! Clock time in New York, by the rule in force since 2007: summer time from the second Sunday of
//! March to the first Sunday of November, changing at 02:00. Written out here so that what is served
//! does not lean on the code under test.

use chrono::{DateTime, Datelike, Days, NaiveDate};

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// The instant at which `date` begins.
pub fn midnight(date: NaiveDate) -> i64 {
    let utc = date.signed_duration_since(NaiveDate::default()).num_days() * DAY_NS;
    // Clocks change after midnight: the day of the change still begins in the old time.
    let (start, end) = summer(date.year());
    let behind = if start < date && date <= end { 4 } else { 5 };
    utc + behind * HOUR_NS
}

/// The instant at which clocks show `hour:minute` on `date`; `hour` is 3 or later, when the change of
/// clocks is over.
pub fn at(date: NaiveDate, hour: i64, minute: i64) -> i64 {
    midnight_by_the_clocks_of_noon(date) + hour * HOUR_NS + minute * HOUR_NS / 60
}

/// The date which clocks show at `ts`.
pub fn date(ts: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_nanos(ts).date_naive();
    let before = utc.checked_sub_days(Days::new(1)).unwrap_or(utc);
    if ts < midnight(utc) { before } else { utc }
}

/// RFC 3339 with New York's offset, to the second.
pub fn rfc3339(ts: i64) -> String {
    let day = date(ts);
    let utc_midnight = day.signed_duration_since(NaiveDate::default()).num_days() * DAY_NS;
    let behind = (midnight_by_the_clocks_of_noon(day) - utc_midnight) / HOUR_NS;
    let local = DateTime::from_timestamp_nanos(ts - behind * HOUR_NS);
    format!("{}-0{behind}:00", local.format("%Y-%m-%dT%H:%M:%S"))
}

/// Midnight of `date` on clocks set to the time which holds at noon: an hour off on two days a year.
fn midnight_by_the_clocks_of_noon(date: NaiveDate) -> i64 {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    midnight(next) - DAY_NS
}

/// The days on which summer time begins and ends in `year`.
fn summer(year: i32) -> (NaiveDate, NaiveDate) {
    let sunday = |month, count: u64| {
        let first = NaiveDate::from_ymd_opt(year, month, 1).expect("every year has the month");
        let wait = (7 - u64::from(first.weekday().num_days_from_sunday())) % 7;
        first + Days::new(wait + 7 * (count - 1))
    };
    (sunday(3, 2), sunday(11, 1))
}
