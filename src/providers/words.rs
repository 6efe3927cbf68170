//! Words: eight bytes of text looked at in one step.

/// Eight times the same byte.
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The upper bit of every byte of `word` that is `byte`, and no other bit.
#[inline]
pub(super) fn places_of(byte: u8, word: u64) -> u64 {
    let low = each(0x7F);
    let differs = word ^ each(byte);
    !(((differs & low) + low) | differs | low)
}

/// The eight bytes at `at` of a block, whose margin lets it look behind the last line.
#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..].first_chunk().expect("a block has a margin");
    u64::from_le_bytes(*word)
}

/// How many bytes lie before the first of `places`.
#[inline]
pub(super) fn first_place(places: u64) -> usize {
    places.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_byte_itself_is_found_in_a_word() {
        for byte in 0..=255u8 {
            for place in 0..8 {
                let mut text = [b','.wrapping_add(1); 8];
                text[place] = byte;
                let found = places_of(b',', u64::from_le_bytes(text));
                let expected = if byte == b',' { 0x80 << (8 * place) } else { 0 };
                assert_eq!(found, expected);
            }
        }
    }
}
