//! The exchange day of an instant, for rows that mostly stay in one: the zone tables are slow to ask.

use chrono::NaiveDate;

use crate::time::{Ts, exchange_midnight};

/// The day at hand.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeDay {
    date: NaiveDate,
    from: Ts,
    to: Ts,
}

impl Default for ExchangeDay {
    fn default() -> ExchangeDay {
        ExchangeDay {
            date: NaiveDate::default(),
            from: Ts::MAX,
            to: Ts::MIN,
        }
    }
}

impl ExchangeDay {
    /// The date in New York at `ts`, which lies between 1970 and 2261.
    pub fn date_of(&mut self, ts: Ts) -> NaiveDate {
        if ts < self.from || ts >= self.to {
            let date = ts.exchange_date();
            let next = date.succ_opt().expect("the calendar ends before time does");
            *self = ExchangeDay {
                date,
                from: exchange_midnight(date),
                to: exchange_midnight(next),
            };
        }
        self.date
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_new_york() {
        let mut day = ExchangeDay::default();
        for (ts, date) in [
            ("2025-03-14T13:30:00Z", "2025-03-14"),
            ("2025-03-15T03:59:59Z", "2025-03-14"),
            ("2025-03-15T04:00:00Z", "2025-03-15"),
            ("2025-03-09T05:00:00Z", "2025-03-09"),
            ("2025-03-09T04:59:59Z", "2025-03-08"),
            ("1970-01-01T00:00:00Z", "1969-12-31"),
        ] {
            let found = day.date_of(Ts::parse_rfc3339(ts).unwrap());
            assert_eq!(found.to_string(), date, "{ts}");
        }
    }
}
