//! The run's counts as a table: from the events that were read down to the trades, in the order in
//! which an event meets the questions, a column per mode.

use std::collections::BTreeMap;

use super::super::table::{Cell, Column, Table};
use crate::strategies::{Gate, Kind};

/// First parts of the names, in the order in which an event meets them; others come after.
const SECTIONS: [&str; 11] = [
    "events_read",
    "bad_rows",
    "below_floor",
    "multi_leg",
    "candidates",
    "rejected",
    "signals",
    "no_entry",
    "trades",
    "open",
    "missing_context",
];

/// Sections that say something even when all they say is zero.
const ALWAYS: [&str; 4] = ["events_read", "candidates", "signals", "trades"];

const LEGEND: &str = "Every event read is counted once before the modes, and as a candidate once by each mode: as a \
signal or at the first gate that rejected it. Zeros are left out.";

/// A row: section and reason. Kinds are columns.
type Key<'a> = (&'a str, &'a str);

/// What a row has: a figure for all, and one for each kind.
#[derive(Default)]
struct Figures {
    all: Option<u64>,
    kinds: [Option<u64>; Kind::ALL.len()],
}

/// `None` when nothing was counted.
pub(super) fn table(counts: &BTreeMap<String, u64>) -> Option<Table> {
    if counts.is_empty() {
        return None;
    }
    let mut rows: BTreeMap<(usize, usize, Key), Figures> = BTreeMap::new();
    for (name, n) in counts {
        let (key, kind) = split(name);
        let figures = rows.entry(order(key)).or_default();
        match kind {
            Some(kind) => figures.kinds[kind as usize] = Some(*n),
            None => figures.all = Some(*n),
        }
    }
    let mut columns = vec![
        Column::text("count", "count"),
        Column::text("reason", "of"),
        Column::number("n", "events"),
    ];
    columns.extend(
        Kind::ALL
            .iter()
            .map(|kind| Column::number(&kind.as_str().to_ascii_lowercase(), kind.as_str())),
    );
    let mut table = Table::new(columns)
        .named("counts")
        .titled("Counts of the run");
    for ((_, _, (section, reason)), figures) in rows {
        if figures.is_zero() && !ALWAYS.contains(&section) {
            continue;
        }
        let reason = if reason.is_empty() {
            Cell::blank()
        } else {
            Cell::text(reason)
        };
        let mut cells = vec![Cell::text(section), reason];
        cells.extend(figures.cells());
        table.push(cells);
    }
    table.note(LEGEND);
    Some(table)
}

impl Figures {
    fn is_zero(&self) -> bool {
        let all = self.all.iter();
        all.chain(self.kinds.iter().flatten()).all(|n| *n == 0)
    }

    /// A kind that is not named where others are has none.
    fn cells(&self) -> Vec<Cell> {
        let by_kind = self.kinds.iter().any(Option::is_some);
        let kind = |n: &Option<u64>| match by_kind {
            true => Cell::count(n.unwrap_or(0)),
            false => Cell::blank(),
        };
        let all = self.all.map_or_else(Cell::blank, Cell::count);
        std::iter::once(all)
            .chain(self.kinds.iter().map(kind))
            .collect()
    }
}

/// `rejected.SCALP.dte` is a `dte` of section `rejected`, counted by SCALP.
fn split(name: &str) -> (Key<'_>, Option<Kind>) {
    let (section, rest) = name.split_once('.').unwrap_or((name, ""));
    let (first, reason) = rest.split_once('.').unwrap_or((rest, ""));
    match Kind::parse(first) {
        Some(kind) => ((section, reason), Some(kind)),
        None => ((section, rest), None),
    }
}

/// Gates in the order in which they are asked, then by name.
fn order<'a>((section, reason): Key<'a>) -> (usize, usize, Key<'a>) {
    let place = SECTIONS.iter().position(|known| *known == section);
    let gate = Gate::parse(reason).map(|gate| gate as usize);
    (
        place.unwrap_or(usize::MAX),
        gate.unwrap_or(usize::MAX),
        (section, reason),
    )
}
