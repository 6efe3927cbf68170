//! CSV: from the text of a file to rows of cells.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;

use super::cells::Cell;
use super::columns::{Column, Places};
use super::error::TablesError;
use crate::providers::account::RowFault;
use crate::store::Table;

/// Shows every row of the file to `each` with its line, cells in the order of `columns`. Returns the
/// columns nobody knows. A file may be
/// gzipped, whatever its name says.
pub(super) fn each_row(
    path: &Path,
    table: Table,
    columns: &[Column],
    mut each: impl FnMut(u64, Result<&[Cell], RowFault>),
) -> Result<BTreeSet<String>, TablesError> {
    let io = |source| TablesError::Io {
        path: path.to_owned(),
        source,
    };
    let failed = |error: ::csv::Error| io(std::io::Error::from(error));
    let stream = open(path).map_err(io)?;
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(stream);
    let header = reader.byte_headers().map_err(failed)?;
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    let places = Places::of(path, table, columns, &names)?;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let line = record.position().map_or(0, |position| position.line());
        let (got, expected) = (record.len(), names.len());
        if got != expected {
            each(line, Err(RowFault::Columns { got, expected }));
            continue;
        }
        let cells: Result<Vec<Cell>, RowFault> = columns
            .iter()
            .zip(&places.places)
            .map(|(column, place)| {
                place.map_or(Ok(Cell::Null), |place| cell(column, &record[place]))
            })
            .collect();
        match cells {
            Ok(cells) => each(line, Ok(&cells)),
            Err(fault) => each(line, Err(fault)),
        }
    }
    Ok(places.unknown)
}

fn cell<'a>(column: &Column, bytes: &'a [u8]) -> Result<Cell<'a>, RowFault> {
    let cell = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| column.kind.parse(text));
    cell.ok_or_else(|| {
        let got = String::from_utf8_lossy(bytes).into_owned();
        column.fault(got, column.kind.expected())
    })
}

fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(2).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(match start.as_slice() {
        [0x1f, 0x8b] => Box::new(MultiGzDecoder::new(std::io::BufReader::new(file))),
        _ => Box::new(file),
    })
}
