//! An instant: nanoseconds since the Unix epoch, UTC, as stored in every table.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::America::New_York;
use serde::{Deserialize, Serialize};

pub const SECOND_NS: i64 = 1_000_000_000;
pub const MINUTE_NS: i64 = 60 * SECOND_NS;

/// Nanoseconds since 1970-01-01T00:00:00Z. Good until the year 2262.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ts(i64);

impl Ts {
    pub const MIN: Ts = Ts(i64::MIN);
    pub const MAX: Ts = Ts(i64::MAX);

    pub const fn from_ns(ns: i64) -> Ts {
        Ts(ns)
    }

    pub const fn ns(self) -> i64 {
        self.0
    }

    pub const fn plus_ns(self, ns: i64) -> Ts {
        Ts(self.0 + ns)
    }

    pub const fn plus_seconds(self, seconds: i64) -> Ts {
        Ts(self.0 + seconds * SECOND_NS)
    }

    /// Ends at the last instant there is: a hold or a pause may be configured to be "for ever".
    pub const fn plus_minutes(self, minutes: i64) -> Ts {
        Ts(self.0.saturating_add(minutes.saturating_mul(MINUTE_NS)))
    }

    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn ns_since(self, earlier: Ts) -> i64 {
        self.0 - earlier.0
    }

    /// Parses RFC 3339, such as `2025-03-14T13:30:00Z`.
    pub fn parse_rfc3339(text: &str) -> Option<Ts> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        parsed.timestamp_nanos_opt().map(Ts)
    }

    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// The calendar date in New York at this instant. Not for hot loops: it asks the zone tables.
    pub fn exchange_date(self) -> NaiveDate {
        New_York
            .from_utc_datetime(&self.to_utc().naive_utc())
            .date_naive()
    }

    /// The hour of the day in New York, 0 to 23.
    pub fn exchange_hour(self) -> u32 {
        New_York
            .from_utc_datetime(&self.to_utc().naive_utc())
            .hour()
    }
}

/// RFC 3339 in UTC with as many digits as needed: `2025-03-14T13:30:00.250Z`. Tables of results hold
/// millions of these, so it is written digit by digit.
impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.to_utc().naive_utc();
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        for (place, width, value) in [
            (0, 4, utc.year() as u32),
            (5, 2, utc.month()),
            (8, 2, utc.day()),
            (11, 2, utc.hour()),
            (14, 2, utc.minute()),
            (17, 2, utc.second()),
            (20, 9, utc.nanosecond()),
        ] {
            let mut rest = value;
            for digit in text[place..place + width].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        // None, thousandths, millionths or all of it.
        let end = match utc.nanosecond() {
            0 => 19,
            ns if ns % 1_000_000 == 0 => 23,
            ns if ns % 1_000 == 0 => 26,
            _ => 29,
        };
        text[end] = b'Z';
        f.pad(std::str::from_utf8(&text[..=end]).expect("digits and signs are text"))
    }
}

/// The instant at which `date` begins in New York. The zone changes its clocks at 02:00, so
/// midnight always exists and is never ambiguous.
pub fn exchange_midnight(date: NaiveDate) -> Ts {
    let local = New_York
        .from_local_datetime(&date.and_time(NaiveTime::MIN))
        .single()
        .expect("New York has exactly one midnight a day");
    Ts(local
        .timestamp_nanos_opt()
        .expect("the date lies between 1678 and 2262"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(text: &str) -> Ts {
        Ts::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_exchange_date_is_new_yorks_not_utcs() {
        assert_eq!(
            ts("2025-03-15T03:59:59Z").exchange_date().to_string(),
            "2025-03-14"
        );
        assert_eq!(
            ts("2025-03-15T04:00:00Z").exchange_date().to_string(),
            "2025-03-15"
        );
        assert_eq!(
            ts("2025-01-15T04:59:59Z").exchange_date().to_string(),
            "2025-01-14"
        );
    }

    #[test]
    fn midnight_moves_with_daylight_saving_time() {
        let midnight = |y, m, d| exchange_midnight(NaiveDate::from_ymd_opt(y, m, d).unwrap());
        assert_eq!(midnight(2025, 3, 9).to_string(), "2025-03-09T05:00:00Z");
        assert_eq!(midnight(2025, 3, 10).to_string(), "2025-03-10T04:00:00Z");
        assert_eq!(midnight(2025, 11, 3).to_string(), "2025-11-03T05:00:00Z");
    }

    #[test]
    fn an_instant_prints_only_the_digits_it_needs() {
        assert_eq!(
            ts("2025-03-14T13:30:00Z").plus_ns(250_000_000).to_string(),
            "2025-03-14T13:30:00.250Z"
        );
        assert_eq!(
            ts("2025-03-14T13:30:00Z").to_string(),
            "2025-03-14T13:30:00Z"
        );
    }
}
