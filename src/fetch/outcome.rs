//! Outcome: what a fetch brought, what is missing and why.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::flow::FlowCounts;
use crate::providers::massive::Fetched;
use crate::store::Table;

/// What a fetch came to. Parts simply merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By table: sessions stored now, summed over tickers, and their rows.
    pub stored: BTreeMap<Table, Stored>,
    /// By table: sessions that were there already.
    pub cached: BTreeMap<Table, u64>,
    /// Sessions of the period or its warm-up that are not there, by table and reason.
    pub gaps: BTreeMap<(Table, String), BTreeMap<String, BTreeSet<NaiveDate>>>,
    /// What one should know and is no gap.
    pub notes: BTreeSet<String>,
    pub flow: FlowCounts,
    /// Prints and rows that were left out before they reached the flow rules, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// The first of the rows that could not be read, as they are named to people.
    pub bad_rows: Vec<String>,
    pub bad_row_count: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub sessions: u64,
    pub rows: u64,
}

/// Bad rows that are named one by one.
const NAMED: usize = 20;

impl Outcome {
    /// Nothing but a note.
    pub(super) fn noted(note: String) -> Outcome {
        Outcome {
            notes: BTreeSet::from([note]),
            ..Outcome::default()
        }
    }

    pub(super) fn stored(&mut self, table: Table, sessions: u64, rows: u64) {
        let stored = self.stored.entry(table).or_default();
        stored.sessions += sessions;
        stored.rows += rows;
    }

    pub(super) fn gap(
        &mut self,
        table: Table,
        ticker: &str,
        dates: impl IntoIterator<Item = NaiveDate>,
        reason: impl Into<String>,
    ) {
        let tickers = self.gaps.entry((table, reason.into())).or_default();
        tickers.entry(ticker.to_owned()).or_default().extend(dates);
    }

    pub(super) fn dropped(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.dropped.entry(reason).or_default() += count;
        }
    }

    /// What was no row of an answer.
    pub(super) fn account<T>(&mut self, fetched: &Fetched<T>) {
        self.bad_rows(fetched.bad_rows.iter().map(ToString::to_string));
        self.bad_row_count += fetched.bad - fetched.bad_rows.len() as u64;
        self.dropped("repeated_at_page_border", fetched.repeats);
    }

    /// Names rows that could not be read.
    pub fn bad_rows(&mut self, rows: impl IntoIterator<Item = String>) {
        for row in rows {
            self.bad_row_count += 1;
            if self.bad_rows.len() < NAMED {
                self.bad_rows.push(row);
            }
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_nothing(&self) -> bool {
        self.stored.is_empty() && !self.has_gaps() && self.notes.is_empty()
    }

    /// Whether anything that was asked for is not there: sessions, or rows that could not be read.
    pub fn has_gaps(&self) -> bool {
        !self.gaps.is_empty() || self.bad_row_count > 0
    }

    pub fn merge(&mut self, other: Outcome) {
        for (table, Stored { sessions, rows }) in other.stored {
            self.stored(table, sessions, rows);
        }
        for (table, sessions) in other.cached {
            *self.cached.entry(table).or_default() += sessions;
        }
        for ((table, reason), tickers) in other.gaps {
            for (ticker, dates) in tickers {
                self.gap(table, &ticker, dates, reason.clone());
            }
        }
        self.notes.extend(other.notes);
        self.flow.add(&other.flow);
        for (reason, count) in other.dropped {
            self.dropped(reason, count);
        }
        let named = other.bad_rows.len() as u64;
        self.bad_rows(other.bad_rows);
        self.bad_row_count += other.bad_row_count - named;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut whole = Outcome::default();
        for part in 0..3 {
            let mut outcome = Outcome::default();
            outcome.stored(Table::Flow, 1, 10);
            outcome.gap(Table::OpenInterest, "SPY", [], "not in the plan");
            outcome.bad_rows((0..15).map(|row| format!("{part}:{row}")));
            whole.merge(outcome);
        }
        assert_eq!(
            whole.stored[&Table::Flow],
            Stored {
                sessions: 3,
                rows: 30
            }
        );
        assert_eq!(whole.gaps.len(), 1);
        assert_eq!((whole.bad_rows.len(), whole.bad_row_count), (20, 45));
    }
}
