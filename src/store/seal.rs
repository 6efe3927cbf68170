//! The seal: a hash of a file's footer, kept inside that footer.
//!
//! The content hash covers the rows. It stands in the footer, which also says which sessions the
//! file covers and from which floor on, and how to decode the rows. The seal covers the footer: 32
//! digits, all zero while they are computed. Together the two leave no byte of a file out.
//!
//! ```text
//! PAR1 rows rows rows │ footer … flowlab.footer 3f0c… … │ length PAR1
//! └─ flowlab.content ─┘└──────── flowlab.footer, with its own digits at zero ──────┘
//! ```
//!
//! The seal is looked for in the bytes and checked before they are decoded, so that a decoder meets
//! no footer but the one that was written.

use std::fs::File;
use std::io::Write;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The key under which the seal stands in the footer.
pub const KEY: &str = "flowlab.footer";

/// What stands there until the footer is known.
pub const UNSET: &str = "00000000000000000000000000000000";

/// Between the key and its value: the field's type and the value's length, a byte each.
const BETWEEN: usize = 2;

/// Length of the footer and the four letters every Parquet file ends with.
const TRAILER: usize = 8;

/// What the end of a file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    Whole,
    /// The footer is not the one that was written.
    Broken,
    /// There is none: another program wrote the file, or it is not Parquet at all.
    Missing,
}

/// Checks the footer of `input` without decoding it.
pub fn check<R: ChunkReader>(input: &R) -> parquet::errors::Result<Seal> {
    let Some(footer) = footer(input)? else {
        return Ok(Seal::Missing);
    };
    Ok(match value_at(&footer) {
        None => Seal::Missing,
        Some(at) if of(&footer, at).as_bytes() == &footer[at..at + UNSET.len()] => Seal::Whole,
        Some(_) => Seal::Broken,
    })
}

/// Where the footer of `input` begins: the end of everything the content hash can cover.
pub fn footer_start<R: ChunkReader>(input: &R) -> parquet::errors::Result<Option<u64>> {
    Ok(footer(input)?.map(|footer| Length::len(input) - footer.len() as u64))
}

/// The footer with its trailer, when the file ends as a Parquet file does.
fn footer<R: ChunkReader>(input: &R) -> parquet::errors::Result<Option<Bytes>> {
    let length = Length::len(input);
    let Some(trailer_at) = length.checked_sub(TRAILER as u64) else {
        return Ok(None);
    };
    let trailer = input.get_bytes(trailer_at, TRAILER)?;
    let (size, letters) = trailer.split_at(4);
    let size = u32::from_le_bytes(size.try_into().expect("four bytes were split off"));
    match trailer_at.checked_sub(u64::from(size)) {
        Some(start) if letters == b"PAR1" => {
            let footer = input.get_bytes(start, size as usize + TRAILER)?;
            Ok(Some(footer))
        }
        _ => Ok(None),
    }
}

/// Where the digits of the seal stand in `footer`.
fn value_at(footer: &[u8]) -> Option<usize> {
    let key = KEY.as_bytes();
    let found = footer.windows(key.len()).position(|text| text == key)?;
    let at = found + key.len() + BETWEEN;
    (at + UNSET.len() <= footer.len()).then_some(at)
}

/// The seal of `footer`, whose digits stand at `at`, whatever they are.
fn of(footer: &[u8], at: usize) -> String {
    let mut hash = Xxh3::new();
    hash.update(&footer[..at]);
    hash.update(UNSET.as_bytes());
    hash.update(&footer[at + UNSET.len()..]);
    format!("{:032x}", hash.digest128())
}

/// Passes rows on to a file and remembers their hash; keeps the footer back until it is sealed.
pub struct Sealing<'a> {
    file: &'a mut File,
    rows: Xxh3,
    footer: Option<Vec<u8>>,
}

impl<'a> Sealing<'a> {
    pub fn new(file: &'a mut File) -> Sealing<'a> {
        Sealing {
            file,
            rows: Xxh3::new(),
            footer: None,
        }
    }

    /// The hash of the rows. Everything from here on is footer.
    pub fn end_rows(&mut self) -> String {
        self.footer = Some(Vec::new());
        format!("{:032x}", self.rows.digest128())
    }

    /// Seals the footer and writes it.
    pub fn finish(self) -> std::io::Result<()> {
        let mut footer = self.footer.expect("the rows have ended");
        let at = value_at(&footer).expect("the key was written into the footer");
        let seal = of(&footer, at);
        footer[at..at + UNSET.len()].copy_from_slice(seal.as_bytes());
        self.file.write_all(&footer)
    }
}

impl Write for Sealing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(footer) = &mut self.footer {
            return footer.write(bytes);
        }
        let written = self.file.write(bytes)?;
        self.rows.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The hash of the first `length` bytes of `input`, read in a stream; `None` when it is shorter.
pub fn content<R: ChunkReader>(input: &R, length: u64) -> parquet::errors::Result<Option<String>> {
    const AT_ONCE: u64 = 1 << 20;
    if length > Length::len(input) {
        return Ok(None);
    }
    if length <= AT_ONCE {
        let bytes = input.get_bytes(0, length as usize)?;
        return Ok(Some(format!("{:032x}", xxh3_128(&bytes))));
    }
    let mut hash = Xxh3::new();
    let mut at = 0;
    while at < length {
        let part = AT_ONCE.min(length - at);
        hash.update(&input.get_bytes(at, part as usize)?);
        at += part;
    }
    Ok(Some(format!("{:032x}", hash.digest128())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(footer: &[u8]) -> Bytes {
        let mut file = b"PAR1rows".to_vec();
        file.extend(footer);
        file.extend((footer.len() as u32).to_le_bytes());
        file.extend(b"PAR1");
        file.into()
    }

    fn sealed() -> Vec<u8> {
        let footer = [
            b"before flowlab.footer\x18\x20",
            UNSET.as_bytes(),
            b" after",
        ]
        .concat();
        let file = file(&footer);
        let mut sealed = file.to_vec();
        let start = footer_start(&file).unwrap().unwrap() as usize;
        let at = value_at(&file[start..]).unwrap();
        let seal = of(&file[start..], at);
        sealed[start + at..start + at + UNSET.len()].copy_from_slice(seal.as_bytes());
        sealed
    }

    #[test]
    fn a_flipped_bit_of_the_footer_breaks_the_seal_or_takes_it_away() {
        let whole = sealed();
        assert_eq!(check(&Bytes::from(whole.clone())).unwrap(), Seal::Whole);
        for at in 8..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert_ne!(
                    check(&Bytes::from(bytes)).unwrap(),
                    Seal::Whole,
                    "byte {at}"
                );
            }
        }
    }

    #[test]
    fn a_large_file_hashes_in_parts_to_the_same_as_in_one_go() {
        let bytes: Vec<u8> = (0..3_000_000u32)
            .map(|n| (n.wrapping_mul(n) / 7) as u8)
            .collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        for length in [0, 4, 1 << 20, (1 << 20) + 1, 2_999_999] {
            let whole = format!("{:032x}", xxh3_128(&bytes[..length]));
            assert_eq!(content(&file, length as u64).unwrap(), Some(whole));
        }
        assert_eq!(content(&file, 3_000_001).unwrap(), None);
    }

    #[test]
    fn what_is_not_parquet_has_no_seal() {
        for bytes in [&b""[..], b"PAR1", b"strike,expiry\n100,today\n"] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert_eq!(check(&bytes).unwrap(), Seal::Missing);
        }
        assert_eq!(check(&file(b"no key")).unwrap(), Seal::Missing);
    }
}
