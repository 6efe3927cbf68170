//! Figures: from numbers, instants and contracts to the few characters a column has for them.
//!
//! A number that is cut reads as another number, so each of these gets coarser before it gets longer.

use chrono_tz::America::New_York;

use crate::live::ContractName;
use crate::report::Cell;
use crate::time::Ts;

/// From here on a contract shows the year of its expiry instead of the day.
const FAR_DAYS: i64 = 300;

/// `12,345`.
pub fn count(value: u64) -> String {
    Cell::Int(i64::try_from(value).unwrap_or(i64::MAX)).to_string()
}

/// `$950`, `$45.3K`, `$1.2M`.
pub fn dollars(value: f64) -> String {
    format!("${}", short(value))
}

/// Contracts of an event: exact up to six characters.
pub fn size(contracts: i64) -> String {
    if contracts < 100_000 {
        Cell::Int(contracts).to_string()
    } else {
        short(contracts as f64)
    }
}

/// At most seven characters up to ten million dollars.
pub fn price(value: f64) -> String {
    let decimals = match value {
        v if v < 9_999.995 => 2,
        v if v < 99_999.95 => 1,
        _ => 0,
    };
    Cell::Float { value, decimals }.to_string()
}

/// `+12.3%`, from a thousand on without a decimal.
pub fn gain(value: f64) -> String {
    let decimals = if value.abs() < 999.95 { 1 } else { 0 };
    format!("{}%", Cell::Signed { value, decimals })
}

/// Take profit and stop loss as configured: `+15/-10`.
pub fn barriers(tp_pct: f64, sl_pct: f64) -> String {
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    format!("+{}/-{}", rounded(tp_pct), rounded(sl_pct))
}

/// `245C 02-21`; a contract that is far from expiry as of `seen` reads `245C Jan'27`.
pub fn contract(name: &ContractName, seen: Ts) -> String {
    let days_left = name
        .expiry
        .signed_duration_since(seen.exchange_date())
        .num_days();
    let expiry = if days_left < FAR_DAYS {
        name.expiry.format("%m-%d")
    } else {
        name.expiry.format("%b'%y")
    };
    format!("{}{} {expiry}", name.strike, name.call_put)
}

/// The time of day in New York.
pub fn clock(ts: Ts) -> String {
    in_new_york(ts, "%H:%M:%S")
}

/// When a position was opened: the time of day, or the date when that was not `today`'s.
pub fn since(opened_at: Ts, today: Option<Ts>) -> String {
    let is_today = today.is_none_or(|now| now.exchange_date() == opened_at.exchange_date());
    in_new_york(opened_at, if is_today { "%H:%M" } else { "%m-%d" })
}

/// How long ago: `0.4s`, `45s`, `24m`.
pub fn age(ns: i64) -> String {
    let seconds = ns.max(0) as f64 / 1e9;
    if seconds < 9.95 {
        format!("{seconds:.1}s")
    } else {
        Cell::Duration { seconds }.to_string()
    }
}

/// How long something took: `0.4ms`, `12ms`, `1.2s`.
pub fn lag(ns: i64) -> String {
    let milliseconds = ns.max(0) as f64 / 1e6;
    if milliseconds < 9.95 {
        format!("{milliseconds:.1}ms")
    } else if milliseconds < 999.5 {
        format!("{milliseconds:.0}ms")
    } else {
        age(ns)
    }
}

fn in_new_york(ts: Ts, pattern: &str) -> String {
    let local = ts.to_utc().with_timezone(&New_York);
    local.format(pattern).to_string()
}

/// Three digits and a letter. Each limit lies where the smaller unit would round up to the next.
fn short(value: f64) -> String {
    for (unit, letter) in [(1e9, 'B'), (1e6, 'M'), (1e3, 'K')] {
        let scaled = value / unit;
        if scaled >= 99.95 {
            return format!("{scaled:.0}{letter}");
        }
        if scaled >= 0.9995 {
            return format!("{scaled:.1}{letter}");
        }
    }
    format!("{value:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::CallPut;

    fn ts(text: &str) -> Ts {
        Ts::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn dollars_never_read_a_thousand_of_a_unit() {
        for (value, text) in [
            (0.0, "$0"),
            (950.0, "$950"),
            (999.6, "$1.0K"),
            (45_321.0, "$45.3K"),
            (99_960.0, "$100K"),
            (999_400.0, "$999K"),
            (999_600.0, "$1.0M"),
            (1_234_567.0, "$1.2M"),
            (2_500_000_000.0, "$2.5B"),
        ] {
            assert_eq!(dollars(value), text);
        }
    }

    #[test]
    fn a_price_keeps_to_seven_characters() {
        for (value, text) in [
            (0.05, "0.05"),
            (5_812.34, "5812.34"),
            (9_999.999, "10000.0"),
            (99_999.99, "100000"),
            (621_500.0, "621500"),
        ] {
            assert_eq!(price(value), text);
        }
    }

    #[test]
    fn a_gain_has_its_sign_and_keeps_to_seven_characters() {
        for (value, text) in [
            (12.34, "+12.3%"),
            (-0.04, "0.0%"),
            (-100.0, "-100.0%"),
            (1_234.5, "+1234%"),
        ] {
            assert_eq!(gain(value), text);
        }
    }

    #[test]
    fn sizes_are_exact_while_there_is_room() {
        assert_eq!(size(99_999), "99,999");
        assert_eq!(size(100_000), "100K");
    }

    #[test]
    fn a_contract_a_year_away_says_the_year() {
        let name = |expiry: &str| ContractName {
            ticker: "TSLA".into(),
            call_put: CallPut::Call,
            strike: 242.5,
            expiry: expiry.parse().unwrap(),
        };
        let seen = ts("2025-02-20T15:00:00Z");
        assert_eq!(contract(&name("2025-02-21"), seen), "242.5C 02-21");
        assert_eq!(contract(&name("2026-01-16"), seen), "242.5C Jan'26");
    }

    #[test]
    fn time_is_new_yorks_in_summer_and_in_winter() {
        assert_eq!(clock(ts("2025-01-15T14:30:05Z")), "09:30:05");
        assert_eq!(clock(ts("2025-07-15T13:30:05Z")), "09:30:05");
    }

    #[test]
    fn a_position_of_yesterday_shows_its_date() {
        let opened_at = ts("2025-03-13T15:04:00Z");
        assert_eq!(since(opened_at, Some(ts("2025-03-13T19:00:00Z"))), "11:04");
        assert_eq!(since(opened_at, Some(ts("2025-03-14T14:00:00Z"))), "03-13");
        assert_eq!(since(opened_at, None), "11:04");
    }

    #[test]
    fn ages_and_lags_take_the_unit_that_fits() {
        assert_eq!(age(-5), "0.0s");
        assert_eq!(age(440_000_000), "0.4s");
        assert_eq!(age(45_000_000_000), "45s");
        assert_eq!(lag(350_000), "0.3ms");
        assert_eq!(lag(12_000_000), "12ms");
        assert_eq!(lag(999_600_000), "1.0s");
    }

    #[test]
    fn barriers_read_as_they_were_configured() {
        assert_eq!(barriers(15.0, 10.0), "+15/-10");
        assert_eq!(barriers(0.35, 0.1 + 0.2), "+0.35/-0.3");
    }
}
