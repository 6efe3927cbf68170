//! Cells for people: rounded, with a dash where there is nothing to say.

use std::fmt;

use super::super::table::{Audience, Cell, Column, Table};

const DASH: &str = "–";

/// The columns people see, with their place in the table's rows.
pub(super) fn columns(table: &Table) -> Vec<(usize, &Column)> {
    table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.audience != Audience::Machines)
        .collect()
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Empty => f.write_str(DASH),
            Cell::EmptyBecause(text) | Cell::Text(text) => f.write_str(text),
            Cell::Bool(value) => f.write_str(if *value { "yes" } else { "no" }),
            Cell::Int(value) => f.write_str(&grouped(*value)),
            Cell::Float { value, decimals } => f.write_str(&fixed(*value, *decimals)),
            Cell::Signed { value, decimals } => f.write_str(&signed(*value, *decimals)),
            Cell::Percent { value, decimals } => write!(f, "{} %", fixed(*value, *decimals)),
            Cell::Interval {
                low,
                high,
                decimals,
            } => write!(f, "{}–{}", fixed(*low, *decimals), fixed(*high, *decimals)),
            Cell::Ratio { wins, n } => write!(f, "{wins}/{n}"),
            Cell::Duration { seconds } => f.write_str(&duration(*seconds)),
        }
    }
}

/// Never `-0.00`: what rounds to zero has no sign.
fn fixed(value: f64, decimals: u8) -> String {
    let text = format!("{value:.*}", usize::from(decimals));
    let is_zero = !text.contains(|c| ('1'..='9').contains(&c));
    if is_zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

fn signed(value: f64, decimals: u8) -> String {
    let text = fixed(value, decimals);
    let is_gain = value > 0.0 && text.contains(|c| ('1'..='9').contains(&c));
    if is_gain { format!("+{text}") } else { text }
}

/// `1,234,567`.
fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// In the largest unit that leaves at least one of it, two digits of it where there is a choice:
/// `45s`, `24m`, `6.5h`, `14h`, `3.2d` of calendar time. Each limit lies where the smaller unit
/// would round up to one of the next.
fn duration(seconds: f64) -> String {
    let (minutes, hours, days) = (seconds / 60.0, seconds / 3600.0, seconds / 86_400.0);
    let two_digits = |value: f64| {
        if value < 9.95 {
            format!("{value:.1}")
        } else {
            format!("{value:.0}")
        }
    };
    if seconds < 59.5 {
        format!("{seconds:.0}s")
    } else if minutes < 59.5 {
        format!("{minutes:.0}m")
    } else if hours < 23.5 {
        format!("{}h", two_digits(hours))
    } else {
        format!("{}d", two_digits(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        let text = |value| Cell::Signed { value, decimals: 2 }.to_string();
        assert_eq!(text(0.004), "0.00");
        assert_eq!(text(-0.004), "0.00");
        assert_eq!(text(0.4), "+0.40");
        assert_eq!(text(-0.4), "-0.40");
        assert_eq!(
            Cell::Float {
                value: -0.001,
                decimals: 1
            }
            .to_string(),
            "0.0"
        );
    }

    #[test]
    fn a_duration_never_reads_sixty_of_a_unit() {
        for (seconds, text) in [
            (0.0, "0s"),
            (59.4, "59s"),
            (59.9, "1m"),
            (3569.0, "59m"),
            (3590.0, "1.0h"),
            (35_900.0, "10h"),
            (86_300.0, "1.0d"),
            (276_480.0, "3.2d"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds} s");
        }
    }

    #[test]
    fn large_counts_are_grouped_by_thousands() {
        let texts = [0, 999, 1_000, 12_345, -1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "-1,234,567"]);
    }
}
