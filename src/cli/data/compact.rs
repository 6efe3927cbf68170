//! `flowlab data compact`: files written again as the store writes them now, leftovers taken away.

use rayon::prelude::*;

use super::{Session, Status, cache, counted, print_or_say};
use crate::report::{Cell, Column, Table};
use crate::store::{Compacted, Entry, Leftover, StoreError, Table as StoreTable};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let store = cache(session)?;
    let leftovers = store.leftovers()?;
    // Nobody else writes from here on, and the leftovers are gone.
    let _lock = (!args.dry_run).then(|| store.lock()).transpose()?;
    let mut entries: Vec<(StoreTable, Entry)> = Vec::new();
    for table in StoreTable::ALL {
        entries.extend(store.files(table)?.into_iter().map(|entry| (table, entry)));
    }
    // All are looked at before the first is written again.
    let found: Result<Vec<Option<(StoreTable, Compacted)>>, StoreError> = entries
        .par_iter()
        .with_max_len(1)
        .map(|(table, entry)| {
            let file = store.needs_compacting(*table, entry)?;
            Ok(file.map(|file| (*table, file)))
        })
        .collect();
    let mut files: Vec<(StoreTable, Compacted)> = found?.into_iter().flatten().collect();
    if !args.dry_run {
        let written: Result<Vec<(StoreTable, Compacted)>, StoreError> = files
            .into_par_iter()
            .with_max_len(1)
            .map(|(table, file)| Ok((table, store.compact(table, file)?)))
            .collect();
        files = written?;
    }
    let title = match args.dry_run {
        true => format!("To be compacted in {}", store.name()),
        false => format!("Compacted in {}", store.name()),
    };
    let table = table(&files, &leftovers, args.dry_run).titled(title);
    let nothing = format!(
        "Nothing to do: {} in {} as they would be written now, no leftovers.",
        counted(entries.len(), "file"),
        store.name()
    );
    print_or_say(session, table, &nothing)
}

fn table(files: &[(StoreTable, Compacted)], leftovers: &[Leftover], is_dry: bool) -> Table {
    let columns = [
        Column::text("file", "file"),
        Column::text("reason", "reason"),
        Column::number("bytes_before", "bytes before"),
        Column::number("bytes_after", "bytes after"),
    ];
    let mut table = Table::new(columns.to_vec());
    let (mut before, mut after) = (0, 0);
    let bytes = |n: Option<u64>| n.map_or_else(Cell::blank, Cell::count);
    for (_, file) in files {
        before += file.bytes_before;
        after += file.bytes_after.unwrap_or(0);
        table.push(vec![
            Cell::text(file.path.display().to_string()),
            Cell::text(&file.reason),
            Cell::count(file.bytes_before),
            bytes(file.bytes_after),
        ]);
    }
    for leftover in leftovers {
        before += leftover.bytes;
        table.push(vec![
            Cell::text(leftover.path.display().to_string()),
            Cell::text("left behind unfinished"),
            Cell::count(leftover.bytes),
            bytes((!is_dry).then_some(0)),
        ]);
    }
    if table.rows.len() > 1 {
        table.push_total(vec![
            Cell::text("Total"),
            Cell::blank(),
            Cell::count(before),
            bytes((!is_dry).then_some(after)),
        ]);
    }
    table
}
