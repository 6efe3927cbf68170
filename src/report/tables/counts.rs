//! The run's counts as a table: what was read, what became a signal, and where the rest stopped.

use std::collections::BTreeMap;

use super::super::table::{Cell, Column, Table};
use crate::strategies::{Gate, Kind};

/// First parts of the names, in the order in which an event meets them; others come after.
const SECTIONS: [&str; 4] = ["events_read", "signals", "rejected", "missing_context"];

/// `None` when nothing was counted.
pub(super) fn table(counts: &BTreeMap<String, u64>) -> Option<Table> {
    if counts.is_empty() {
        return None;
    }
    let columns = [
        Column::text("count", "count"),
        Column::text("reason", "of"),
        Column::number("n", "n"),
    ];
    let mut table = Table::new(columns.to_vec())
        .named("counts")
        .titled("Counts of the run");
    let mut ordered: Vec<(&String, &u64)> = counts.iter().collect();
    ordered.sort_by_key(|(name, _)| order(name));
    for (name, n) in ordered {
        let (section, reason) = match name.split_once('.') {
            Some((section, reason)) => (section, Cell::text(reason)),
            None => (name.as_str(), Cell::blank()),
        };
        table.push(vec![Cell::text(section), reason, Cell::count(*n)]);
    }
    Some(table)
}

/// Part by part: a rank for what is known (kinds and gates in the order in which they are asked),
/// then the name.
fn order(name: &str) -> Vec<(usize, &str)> {
    let rank = |part: &str| {
        let section = SECTIONS.iter().position(|known| *known == part);
        let kind = || Kind::parse(part).map(|kind| kind as usize);
        let gate = || Gate::parse(part).map(|gate| gate as usize);
        section.or_else(kind).or_else(gate).unwrap_or(usize::MAX)
    };
    name.split('.').map(|part| (rank(part), part)).collect()
}
