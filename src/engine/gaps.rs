//! Gaps: what a run would have liked to read and did not find.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Sessions missing from the cache, by ticker. Parts of a run simply merge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Sessions of the period without flow: never fetched, which is not the same as empty.
    pub flow: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of the period without minute bars.
    pub bars: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of minute bars before the period that its context looks back on.
    pub warmup_bars: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Sessions of flow before the period that chain memory looks back on.
    pub warmup_flow: BTreeMap<String, BTreeSet<NaiveDate>>,
    /// Neither of the tickers the regime is read off has a minute bar.
    pub regime: bool,
    /// Tickers with fewer daily bars before the period than the daily trend wants, and how many.
    pub warmup_daily: BTreeMap<String, usize>,
}

impl Gaps {
    /// Whether the period itself is incomplete. A short warm-up leaves context unknown, which the
    /// run counts; a missing session leaves out trades.
    pub fn in_period(&self) -> bool {
        !self.flow.is_empty() || !self.bars.is_empty()
    }

    pub fn merge(&mut self, other: Gaps) {
        self.flow.extend(other.flow);
        self.bars.extend(other.bars);
        self.regime |= other.regime;
        self.warmup_bars.extend(other.warmup_bars);
        self.warmup_flow.extend(other.warmup_flow);
        self.warmup_daily.extend(other.warmup_daily);
    }

    /// One line per ticker and kind of gap.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.regime {
            lines.push("SPY, QQQ: no minute bars, so the regime is unknown".to_owned());
        }
        for (what, gaps) in [
            ("no flow for", &self.flow),
            ("no minute bars for", &self.bars),
            ("warm-up without minute bars for", &self.warmup_bars),
            ("warm-up without flow for", &self.warmup_flow),
        ] {
            lines.extend(
                gaps.iter()
                    .map(|(ticker, dates)| format!("{ticker}: {what} {}", days(dates))),
            );
        }
        lines.extend(self.warmup_daily.iter().map(|(ticker, have)| {
            format!(
                "{ticker}: warm-up has {have} daily bars of {}",
                super::DAILY_WARMUP
            )
        }));
        lines
    }
}

/// `2025-03-14`, or `12 sessions, 2025-03-03 to 2025-03-18`.
fn days(dates: &BTreeSet<NaiveDate>) -> String {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return "nothing".to_owned();
    };
    match dates.len() {
        1..=3 => dates
            .iter()
            .map(NaiveDate::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        count => format!("{count} sessions, {first} to {last}"),
    }
}
