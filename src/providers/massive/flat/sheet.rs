//! The sheet: from blocks of CSV to rows of the columns one asked for, in the order one asked.
//!
//! Columns are found by the names in the header, whatever their order and whatever else is there. A
//! row is a line. A line without a quote is split at its commas; one with a quote is read by the `csv`
//! crate, which knows the rules, and a quoted field that runs on into the next line is a bad row.

use std::io::Read;

use super::blocks::{Block, Blocks};
use super::error::{FlatFileError, RowFault};
use crate::providers::words::{first_place, places_of, word_at};

/// A row: its line, counted from one, and its fields unless it has more or fewer than the header.
pub(super) struct Row<'a, const N: usize> {
    pub line: u64,
    pub fields: Result<[&'a [u8]; N], RowFault>,
}

pub(super) struct Sheet<const N: usize> {
    pub file: String,
    blocks: Blocks,
    block: Block,
    /// Where the next line begins in the block.
    at: usize,
    /// Where the line before it began.
    before: usize,
    line: u64,
    /// Where in a row the columns stand.
    places: [usize; N],
    /// Where the fields of a row begin, of as many as the header has, and where a next one would.
    starts: Vec<usize>,
    quoted: csv::ByteRecord,
}

impl<const N: usize> Sheet<N> {
    /// Reads the header. Fails when one of `names` is not in it.
    pub fn open(
        input: impl Read + Send + 'static,
        file: &str,
        names: &[&'static str; N],
    ) -> Result<Sheet<N>, FlatFileError> {
        let broken = |error| FlatFileError::reading(file, error);
        let mut sheet = Sheet {
            file: file.to_owned(),
            blocks: Blocks::of(input).map_err(broken)?,
            block: Block::default(),
            at: 0,
            before: 0,
            line: 0,
            places: [0; N],
            starts: Vec::new(),
            quoted: csv::ByteRecord::new(),
        };
        let mut header = Vec::new();
        if sheet.find_line()? {
            let (start, end, _) = sheet.split();
            header = sheet.block.bytes()[start..end].to_vec();
        }
        let header = header.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&header);
        read_quoted(header, &mut sheet.quoted);
        let mut present: Vec<String> = Vec::new();
        for name in &sheet.quoted {
            present.push(String::from_utf8_lossy(name).trim().to_owned());
        }
        for (place, name) in sheet.places.iter_mut().zip(names) {
            let found = present.iter().position(|present| present == name);
            *place = found.ok_or_else(|| FlatFileError::MissingColumn {
                file: file.to_owned(),
                column: name,
                present: present.join(","),
            })?;
        }
        sheet.starts = vec![0; present.len() + 1];
        Ok(sheet)
    }

    /// The next row. Lines with nothing on them are not rows.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Row<'_, N>>, FlatFileError> {
        let (start, end, split) = loop {
            if !self.find_line()? {
                return Ok(None);
            }
            let (start, end, split) = self.split();
            if start < end {
                break (start, end, split);
            }
        };
        let bytes = self.block.bytes();
        let expected = self.starts.len() - 1;
        let got = match split {
            Split::Plain { fields } => fields,
            Split::Quoted => {
                read_quoted(&bytes[start..end], &mut self.quoted);
                self.quoted.len()
            }
        };
        let fields = if got != expected {
            Err(RowFault::Columns { got, expected })
        } else if let Split::Quoted = split {
            Ok(self.places.map(|place| &self.quoted[place]))
        } else {
            let mut fields: [&[u8]; N] = [&[]; N];
            for (field, place) in fields.iter_mut().zip(&self.places) {
                *field = &bytes[self.starts[*place]..self.starts[*place + 1] - 1];
            }
            Ok(fields)
        };
        Ok(Some(Row {
            line: self.line,
            fields,
        }))
    }

    /// Lets the last row be read again. Once: the one before it may lie in another block.
    pub fn unread(&mut self) {
        self.at = self.before;
        self.line -= 1;
    }

    /// Passes over the rows of this block that follow and have `first` in the first column asked for,
    /// and says how many. It looks at nothing else in them, and only when that column comes first.
    pub fn pass_over(&mut self, first: &[u8]) -> u64 {
        let mut passed = 0;
        if self.places.first() != Some(&0) {
            return passed;
        }
        let bytes = self.block.bytes();
        while self.at < self.block.len() {
            let rest = &bytes[self.at..];
            if !rest.starts_with(first) || rest[first.len()] != b',' {
                break;
            }
            let mut at = self.at + first.len();
            self.at = loop {
                match places_of(b'\n', word_at(bytes, at)) {
                    0 => at += 8,
                    ends => break at + first_place(ends) + 1,
                }
            };
            passed += 1;
        }
        self.line += passed;
        passed
    }

    /// Whether there is another line; gets the next block when this one is read.
    #[inline]
    fn find_line(&mut self) -> Result<bool, FlatFileError> {
        if self.at < self.block.len() {
            return Ok(true);
        }
        let more = self.blocks.next(&mut self.block);
        let more = more.map_err(|error| FlatFileError::reading(&self.file, error))?;
        if more {
            self.at = 0;
        }
        Ok(more)
    }

    /// Notes where the fields of the line at `at` begin and goes behind it. Returns where its text
    /// begins and ends. A block ends with a line, so there is an end to be found.
    #[inline]
    fn split(&mut self) -> (usize, usize, Split) {
        let bytes = self.block.bytes();
        let start = self.at;
        let (mut at, mut commas, mut quotes) = (start, 0, 0);
        if let Some(first) = self.starts.first_mut() {
            *first = start;
        }
        let newline = loop {
            let word = word_at(bytes, at);
            let newlines = places_of(b'\n', word);
            // Everything before the first newline.
            let before = newlines.wrapping_sub(1) & !newlines;
            let mut found = places_of(b',', word) & before;
            quotes |= places_of(b'"', word) & before;
            while found != 0 {
                commas += 1;
                if let Some(next) = self.starts.get_mut(commas) {
                    *next = at + first_place(found) + 1;
                }
                found &= found - 1;
            }
            if newlines != 0 {
                break at + first_place(newlines);
            }
            at += 8;
        };
        let is_crlf = newline > start && bytes[newline - 1] == b'\r';
        let end = newline - usize::from(is_crlf);
        if let Some(next) = self.starts.get_mut(commas + 1) {
            *next = end + 1;
        }
        self.before = start;
        self.at = newline + 1;
        self.line += 1;
        let split = match quotes {
            0 => Split::Plain { fields: commas + 1 },
            _ => Split::Quoted,
        };
        (start, end, split)
    }
}

/// How a line is to be read.
enum Split {
    Plain { fields: usize },
    Quoted,
}

fn read_quoted(line: &[u8], record: &mut csv::ByteRecord) {
    record.clear();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .buffer_capacity(line.len().max(1))
        .from_reader(line);
    let read = reader.read_byte_record(record);
    read.expect("bytes in memory are read as they are, one record of any length");
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Every row as `line: first|second`, a bad one as its fault.
    fn rows(text: &'static str) -> Vec<String> {
        let mut sheet = Sheet::open(Cursor::new(text), "f.csv", &["b", "a"]).unwrap();
        let mut rows = Vec::new();
        while let Some(Row { line, fields }) = sheet.next().unwrap() {
            rows.push(match fields {
                Ok(fields) => {
                    let fields = fields.map(|field| String::from_utf8_lossy(field).into_owned());
                    format!("{line}: {}", fields.join("|"))
                }
                Err(fault) => format!("{line}: {fault}"),
            });
        }
        rows
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        assert_eq!(rows("a,b\n1,2\n"), ["2: 2|1"]);
        assert_eq!(rows("b,x,a\n1,2,3\n"), ["2: 1|3"]);
        assert_eq!(rows("x,a,y,b,z\n1,22,333,4444,55555\n"), ["2: 4444|22"]);
        assert_eq!(rows("\u{feff}\"a\", b \n1,2\n"), ["2: 2|1"]);
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let open = |text| {
            Sheet::open(Cursor::new(text), "f.csv", &["b", "a"])
                .err()
                .unwrap()
        };
        assert_eq!(
            open("a,c\n").to_string(),
            "f.csv: no column b, there is a,c"
        );
        assert_eq!(open("").to_string(), "f.csv: no column b, there is nothing");
    }

    #[test]
    fn lines_end_in_every_way_and_empty_ones_are_not_rows() {
        assert_eq!(
            rows("a,b\r\n1,2\r\n\r\n3,4\n\n5,6"),
            ["2: 2|1", "4: 4|3", "6: 6|5"]
        );
        assert_eq!(rows("a,b\n,\n"), ["2: |"]);
        assert_eq!(rows("a,b\n"), Vec::<String>::new());
    }

    #[test]
    fn quotes_are_read_by_the_rules() {
        assert_eq!(rows("a,b\n\"1,2\",3\n"), ["2: 3|1,2"]);
        assert_eq!(rows("a,b\n1,\"say \"\"x\"\"\"\r\n"), ["2: say \"x\"|1"]);
        assert_eq!(rows("a,b\n\"1\",\"2\"\n3,4\n"), ["2: 2|1", "3: 4|3"]);
    }

    #[test]
    fn a_row_with_more_or_fewer_columns_is_bad_and_the_next_one_is_not() {
        assert_eq!(
            rows("a,b\n1\n1,2,3\n\"1,2\"\n3,\"4\n5,6\n"),
            [
                "2: 1 columns, expected 2",
                "3: 3 columns, expected 2",
                "4: 1 columns, expected 2",
                "5: 4|3",
                "6: 6|5",
            ]
        );
    }

    #[test]
    fn a_row_can_be_read_again_and_rows_of_a_kind_passed_over() {
        let text = "b,a\nk,1\nk,2\nkk,3\nk,4\n";
        let mut sheet = Sheet::open(Cursor::new(text), "f.csv", &["b", "a"]).unwrap();
        let next = |sheet: &mut Sheet<2>| {
            let row = sheet.next().unwrap().unwrap();
            (row.line, row.fields.unwrap()[1].to_vec())
        };
        assert_eq!(next(&mut sheet), (2, b"1".to_vec()));
        sheet.unread();
        assert_eq!(next(&mut sheet), (2, b"1".to_vec()));
        assert_eq!(sheet.pass_over(b"k"), 1);
        assert_eq!(next(&mut sheet), (4, b"3".to_vec()));
        assert_eq!(sheet.pass_over(b"kk"), 0);
        assert_eq!(sheet.pass_over(b"k"), 1);
        assert!(sheet.next().unwrap().is_none());
    }
}
