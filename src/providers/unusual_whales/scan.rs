//! Scan: from the bytes of whole lines to records, eight bytes at a time.
//!
//! Commas, line ends and quotes are all that divides a CSV. A word of eight bytes says at once which of
//! its bytes are one of them, so the bytes in between are not looked at one by one.

use super::columns::{Columns, Field, SKIPPED};
use crate::providers::account::RowFault;

/// One line cut into the fields that are read.
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    /// Start and end per field; the last is where columns go that are not read.
    spans: [(u32, u32); Field::COUNT + 1],
    has_quotes: bool,
}

impl<'a> Record<'a> {
    /// The text of a field, empty when its column is not in the file.
    pub fn get(&self, field: Field) -> &'a [u8] {
        let (start, end) = self.spans[field as usize];
        let text = &self.bytes[start as usize..end as usize];
        match text {
            [b'"', inner @ .., b'"'] if self.has_quotes => inner,
            _ => text,
        }
    }
}

/// Shows every line of `bytes` that is not blank to `each`, with its number from 1. Returns how many
/// lines there are. `bytes` is less than four gigabytes.
pub(super) fn scan<'a>(
    bytes: &'a [u8],
    columns: &Columns,
    mut each: impl FnMut(u64, Result<&Record<'a>, RowFault>),
) -> u64 {
    let expected = columns.fields.len();
    let mut record = Record {
        bytes,
        spans: [(0, 0); Field::COUNT + 1],
        has_quotes: false,
    };
    let mut line = Line::default();
    let mut lines = 0;
    let mut end_line = |line: &mut Line, record: &mut Record<'a>, end: usize| {
        lines += 1;
        let text = &bytes[line.start..end];
        let end = end - usize::from(text.ends_with(b"\r"));
        let is_blank = text.len() < expected && text.trim_ascii().is_empty();
        if !is_blank {
            record.end_field(line, columns, end);
            each(lines, line.check(expected).map(|()| &*record));
        }
        record.has_quotes = false;
    };
    for_each_mark(bytes, |place, mark| match mark {
        b',' if line.is_quoted => {}
        b',' => record.end_field(&mut line, columns, place),
        b'\n' => {
            end_line(&mut line, &mut record, place);
            line = Line::at(place + 1);
        }
        _ => {
            line.is_quoted = !line.is_quoted;
            record.has_quotes = true;
        }
    });
    if line.start < bytes.len() {
        end_line(&mut line, &mut record, bytes.len());
    }
    lines
}

/// Where the scan stands in a line.
#[derive(Default)]
struct Line {
    start: usize,
    field_start: usize,
    column: usize,
    is_quoted: bool,
}

impl Line {
    fn at(start: usize) -> Line {
        Line {
            start,
            field_start: start,
            ..Line::default()
        }
    }

    fn check(&self, expected: usize) -> Result<(), RowFault> {
        if self.is_quoted {
            return Err(RowFault::OpenQuote);
        }
        if self.column != expected {
            let got = self.column;
            return Err(RowFault::Columns { got, expected });
        }
        Ok(())
    }
}

impl Record<'_> {
    fn end_field(&mut self, line: &mut Line, columns: &Columns, end: usize) {
        let field = columns.fields.get(line.column).unwrap_or(&SKIPPED);
        self.spans[usize::from(*field)] = (line.field_start as u32, end as u32);
        line.column += 1;
        line.field_start = end + 1;
    }
}

/// Shows every comma, line end and quote to `each`, with its place.
fn for_each_mark(bytes: &[u8], mut each: impl FnMut(usize, u8)) {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let value = u64::from_le_bytes(*word);
        let mut marks = equal(value, b',') | equal(value, b'\n') | equal(value, b'"');
        while marks != 0 {
            let byte = (marks.trailing_zeros() / 8) as usize;
            each(index * 8 + byte, word[byte & 7]);
            marks &= marks - 1;
        }
    }
    let start = bytes.len() - rest.len();
    for (byte, mark) in rest.iter().enumerate() {
        if matches!(mark, b',' | b'\n' | b'"') {
            each(start + byte, *mark);
        }
    }
}

/// The highest bit of every byte of `word` that equals `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    let differs = word ^ u64::from_le_bytes([byte; 8]);
    // Adding carries into the highest bit of a byte unless its lower bits are all zero.
    !(((differs & LOW) + LOW) | differs | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        let columns = Columns::of("x", b"price,note,executed_at,size,option_chain_id").unwrap();
        let mut rows = Vec::new();
        scan(text.as_bytes(), &columns, |line, record| {
            let row = match record {
                Ok(record) => [Field::Price, Field::ExecutedAt, Field::Size, Field::Chain]
                    .map(|field| String::from_utf8(record.get(field).to_vec()).unwrap())
                    .join("|"),
                Err(fault) => fault.to_string(),
            };
            rows.push(format!("{line}: {row}"));
        });
        rows
    }

    #[test]
    fn lines_are_cut_at_commas_outside_of_quotes() {
        let text = "1,n,2,3,4\r\n\n5,\"a,\"\"b\"\",c\",6,\"7\",8\n,,,,\n9,n,10,11,12";
        assert_eq!(
            rows(text),
            ["1: 1|2|3|4", "3: 5|6|7|8", "4: |||", "5: 9|10|11|12"]
        );
    }

    #[test]
    fn a_line_end_ends_a_quoted_field_and_spoils_its_row() {
        assert_eq!(
            rows("1,\"n,2,3,4\n5,n\",6,7,8\n9,n,10,11,12\n"),
            [
                "1: a quoted field does not end in its line",
                "2: a quoted field does not end in its line",
                "3: 9|10|11|12"
            ]
        );
    }

    #[test]
    fn a_row_with_too_few_or_too_many_columns_is_bad() {
        assert_eq!(
            rows("1,n,2,3\n1,n,2,3,4,5\n"),
            ["1: 4 columns, expected 5", "2: 6 columns, expected 5"]
        );
    }

    #[test]
    fn marks_are_found_wherever_they_stand_in_a_word() {
        let neighbours = [
            b'+', b',', b'-', b'\t', b'\n', 0x0b, b'!', b'"', b'#', 0, 0x80, 0xac, 0xff,
        ];
        let mut state = 1u32;
        let bytes: Vec<u8> = (0..10_001)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                neighbours[(state >> 16) as usize % neighbours.len()]
            })
            .collect();
        let mut found = Vec::new();
        for_each_mark(&bytes, |place, mark| {
            assert_eq!(bytes[place], mark);
            found.push(place);
        });
        let is_mark = |place: &usize| matches!(bytes[*place], b',' | b'\n' | b'"');
        let expected: Vec<usize> = (0..bytes.len()).filter(is_mark).collect();
        assert_eq!(found, expected);
    }
}
