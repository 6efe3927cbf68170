//! Numbers and times: from the bytes of a field to a value, most of them without leaving integers.

use chrono::NaiveDate;

use crate::providers::numbers::{decimal, integral};
use crate::time::{SECOND_NS, Ts};

/// A finite number, with a sign or without.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    match text.strip_prefix(b"-") {
        Some([b'-' | b'+', ..]) => None,
        Some(digits) => decimal(digits).map(|number| -number),
        None => decimal(text),
    }
}

/// A whole number that is not negative; `12.0` is one.
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    integral(text)?.try_into().ok()
}

/// What stands for nothing: an empty field, or what other programs write for one.
pub(super) fn is_nothing(text: &[u8]) -> bool {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    text.is_empty() || is("nan") || is("null") || is("none") || is("\\n") || is("nat")
}

/// Reads times; rows of a file are of one day, so the day at hand is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    date: [u8; 10],
    midnight: Option<i64>,
}

impl Clock {
    /// `2025-03-14 13:30:00.123456+00`, `2025-03-14T13:30:00Z` and what lies between: up to nine digits
    /// of a second, an offset of `Z`, `+00`, `+0000` or `+00:00`. `None` without an offset.
    pub fn read(&mut self, text: &[u8]) -> Option<Ts> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        let (clock, rest) = rest.split_first_chunk::<9>()?;
        if !matches!(clock[0], b' ' | b'T' | b't') || clock[3] != b':' || clock[6] != b':' {
            return None;
        }
        let hour = two(clock[1], clock[2])?;
        let minute = two(clock[4], clock[5])?;
        let second = two(clock[7], clock[8])?;
        // Leap seconds are not traded in.
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (nanos, rest) = fraction(rest)?;
        let seconds = hour * 3600 + minute * 60 + second - offset_seconds(rest)?;
        Some(Ts::from_ns(
            self.midnight(date)? + seconds * SECOND_NS + nanos,
        ))
    }

    /// Nanoseconds at which the day begins in UTC.
    fn midnight(&mut self, date: &[u8; 10]) -> Option<i64> {
        if self.date != *date {
            self.date = *date;
            self.midnight = calendar_date(date).and_then(|day| {
                let midnight = day.and_hms_opt(0, 0, 0)?.and_utc();
                midnight.timestamp_nanos_opt()
            });
        }
        self.midnight
    }
}

/// `2025-03-14`.
pub(super) fn calendar_date(text: &[u8]) -> Option<NaiveDate> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = *text else {
        return None;
    };
    let year = two(a, b)? * 100 + two(c, d)?;
    // What nanoseconds since 1970 can say, offsets included.
    if !(1970..2262).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(year as i32, two(e, f)? as u32, two(g, h)? as u32)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Nanoseconds of `.123456`, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some((number * 10i64.pow(9 - count as u32), rest))
}

/// Seconds east of UTC.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (hours, minutes) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [b'+' | b'-', a, b] => (two(a, b)?, 0),
        [b'+' | b'-', a, b, c, d] | [b'+' | b'-', a, b, b':', c, d] => (two(a, b)?, two(c, d)?),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if text[0] == b'-' { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt, SeedableRng};

    use super::*;

    #[test]
    fn a_float_is_what_the_standard_library_reads() {
        let fixed = [
            "0",
            "-0",
            "1",
            "1.",
            ".5",
            "-.5",
            "0.1",
            "0.30",
            "123456.789",
            "0.000001",
            "1e5",
            "-2.5E-3",
            "9007199254740992",
            "9007199254740993",
            "0.45231234567890123",
            "99999999999999999999",
            "1.7976931348623157e308",
            "+1.5",
        ];
        for text in fixed {
            assert_eq!(
                float(text.as_bytes()).map(f64::to_bits),
                text.parse().ok().map(f64::to_bits),
                "{text}"
            );
        }
        let mut random = rand_pcg::Pcg64::seed_from_u64(1);
        for _ in 0..200_000 {
            let digits = random.next_u64() >> random.random_range(0..60);
            let decimals = random.random_range(0..10);
            let text = format!("{:.decimals$}", digits as f64 / 10f64.powi(decimals as i32));
            let expected: f64 = text.parse().unwrap();
            assert_eq!(float(text.as_bytes()), Some(expected), "{text}");
            let text = format!("{digits}.{}", random.random_range(0..1_000_000u32));
            let expected: f64 = text.parse().unwrap();
            assert_eq!(float(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_none() {
        for text in [
            "", "-", ".", "-.", "1.2.3", "abc", "inf", "NaN", "1,5", "--1", "0x10",
        ] {
            assert_eq!(float(text.as_bytes()), None, "{text}");
        }
        for text in ["", "-1", "1.5", "abc", "99999999999999999999", "1e300"] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("12.0", 12),
            ("9007199254740993", 9007199254740993),
        ] {
            assert_eq!(whole(text.as_bytes()), Some(number), "{text}");
        }
    }

    #[test]
    fn a_time_is_read_in_every_form_that_says_its_offset() {
        for (text, expected) in [
            (
                "2025-03-14 13:30:00.123456+00",
                "2025-03-14T13:30:00.123456Z",
            ),
            (
                "2025-03-14 13:30:00.00714+00",
                "2025-03-14T13:30:00.007140Z",
            ),
            ("2025-03-14T13:30:00.123Z", "2025-03-14T13:30:00.123Z"),
            ("2025-03-14T13:30:00Z", "2025-03-14T13:30:00Z"),
            ("2025-03-14 13:30:00+00:00", "2025-03-14T13:30:00Z"),
            ("2025-03-14 09:30:00.5-04", "2025-03-14T13:30:00.500Z"),
            ("2025-03-14 23:30:00-0400", "2025-03-15T03:30:00Z"),
            ("2025-03-14 00:30:00+05:30", "2025-03-13T19:00:00Z"),
            (
                "2024-02-29 13:30:00.123456789+00",
                "2024-02-29T13:30:00.123456789Z",
            ),
        ] {
            let found = Clock::default()
                .read(text.as_bytes())
                .map(|ts| ts.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_or_outside_the_calendar_is_none() {
        let mut clock = Clock::default();
        for text in [
            "2025-03-14 13:30:00",
            "2025-03-14 13:30:00.123456",
            "2025-03-14",
            "2025-02-30 13:30:00+00",
            "2025-03-14 24:00:00+00",
            "2025-03-14 13:60:00+00",
            "2025-03-14 13:30:00.+00",
            "2025-03-14 13:30:00.1234567890+00",
            "2025-03-14 13:30:00+00:00:00",
            "2025-03-14 13:30:00+99",
            "1741959000",
            "14/03/2025 13:30:00+00",
            "0000-00-00 13:30:00+00",
            "",
        ] {
            assert_eq!(clock.read(text.as_bytes()), None, "{text}");
        }
        assert!(
            clock.read(b"2025-03-14 13:30:00+00").is_some(),
            "a bad date is forgotten"
        );
    }
}
