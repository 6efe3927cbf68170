//! Blocks: from a stream of CSV to its columns and blocks of whole lines.

use std::io::Read;
use std::sync::Arc;

use super::columns::Columns;
use super::error::UwError;

/// Small enough to stay in a core's cache from reading to parsing, large enough to be worth handing over.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// One CSV file, after its header was read.
pub(super) struct CsvFile {
    /// As messages call it.
    pub name: String,
    pub columns: Columns,
}

/// Lines that follow each other in a file.
pub(super) struct Block {
    pub file: Arc<CsvFile>,
    /// Whether these are the first lines after the header.
    pub is_first: bool,
    pub bytes: Vec<u8>,
}

/// Cuts `stream` into blocks of at most `block_bytes` and gives them to `send` until it answers false.
/// `spare` lends a vector to fill.
pub(super) fn cut(
    name: String,
    stream: &mut dyn Read,
    block_bytes: usize,
    mut spare: impl FnMut() -> Vec<u8>,
    mut send: impl FnMut(Block) -> bool,
) -> Result<(), UwError> {
    let mut file: Option<Arc<CsvFile>> = None;
    let mut rest = Vec::new();
    loop {
        let mut bytes = spare();
        bytes.clear();
        bytes.reserve(block_bytes);
        bytes.append(&mut rest);
        let room = (block_bytes - bytes.len()) as u64;
        let read = Read::take(&mut *stream, room).read_to_end(&mut bytes);
        let read = read.map_err(|source| UwError::Damaged {
            file: name.clone(),
            source,
        })?;
        let is_last = (read as u64) < room;
        if !is_last {
            let end = bytes.iter().rposition(|byte| *byte == b'\n');
            let end = end.ok_or_else(|| UwError::LongLine {
                file: name.clone(),
                bytes: block_bytes,
            })?;
            rest.extend_from_slice(&bytes[end + 1..]);
            bytes.truncate(end + 1);
        }
        let is_first = file.is_none();
        let file = match &mut file {
            Some(file) => file,
            none => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let header = &bytes[..end.unwrap_or(bytes.len())];
                let columns = Columns::of(&name, header)?;
                bytes.drain(..end.map_or(bytes.len(), |end| end + 1));
                let name = name.clone();
                none.insert(Arc::new(CsvFile { name, columns }))
            }
        };
        let block = Block {
            file: file.clone(),
            is_first,
            bytes,
        };
        if !send(block) || is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str, block_bytes: usize) -> Result<Vec<String>, UwError> {
        let mut blocks = Vec::new();
        cut(
            "x.csv".into(),
            &mut text.as_bytes(),
            block_bytes,
            Vec::new,
            |block| {
                assert_eq!(block.is_first, blocks.is_empty());
                assert_eq!(block.file.columns.fields.len(), 4);
                blocks.push(String::from_utf8(block.bytes).unwrap());
                true
            },
        )?;
        Ok(blocks)
    }

    #[test]
    fn a_block_ends_where_a_line_ends() {
        let header = "executed_at,price,size,option_chain_id\n";
        let lines: String = (0..100).map(|n| format!("{n},b,c,d\n")).collect();
        let text = format!("{header}{lines}last,b,c,d");
        for block_bytes in [40, 41, 47, 64, 1000, 1 << 20] {
            let blocks = blocks(&text, block_bytes).unwrap();
            assert_eq!(blocks.concat(), text[header.len()..], "{block_bytes}");
            let (_, whole) = blocks.split_last().unwrap();
            assert!(
                whole
                    .iter()
                    .all(|block| block.is_empty() || block.ends_with('\n'))
            );
        }
    }

    #[test]
    fn a_file_of_a_header_alone_has_no_rows_and_an_empty_one_no_header() {
        let header = "executed_at,price,size,option_chain_id";
        assert_eq!(blocks(header, 100).unwrap(), [""]);
        assert!(matches!(blocks("", 100), Err(UwError::Empty { .. })));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = format!(
            "executed_at,price,size,option_chain_id\n{}",
            "x".repeat(500)
        );
        let error = blocks(&text, 100).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.csv: a line of more than 100 bytes, which no CSV of this kind has"
        );
    }
}
