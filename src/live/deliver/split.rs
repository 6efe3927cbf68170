//! Splitting: from a text that is too long for a service to parts that are not, numbered, in order.
//!
//! A part ends at a blank line, else at a line, else at a space, and never inside a number: `1,000` that
//! arrives as `1,0` would be another trade.

/// Begins a message that may have been delivered before.
pub(super) const REPEAT: &str = "Possibly a repeat";
/// The longest number of a part.
const NUMBER: &str = "(9999/9999)\n";

/// The parts of `text`, each of which has room for [`marked`] within `longest`, where every character
/// takes as many `units` as the service counts for it.
pub(super) fn parts(text: &str, longest: usize, units: impl Fn(char) -> usize) -> Vec<String> {
    let measure = |text: &str| text.chars().map(&units).sum::<usize>();
    let room = longest.saturating_sub(measure(&marked("")));
    if measure(text) <= room {
        return vec![text.to_owned()];
    }
    let pieces = pieces(text, room.saturating_sub(measure(NUMBER)), &units);
    let count = pieces.len();
    let numbered = |(index, piece)| format!("({}/{count})\n{piece}", index + 1);
    pieces.into_iter().enumerate().map(numbered).collect()
}

/// `part` with a first line that says what it may be.
pub(super) fn marked(part: &str) -> String {
    format!("{REPEAT}: an earlier try was not confirmed\n{part}")
}

fn pieces<'a>(text: &'a str, room: usize, units: &impl Fn(char) -> usize) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let fits = fitting(rest, room, units);
        let end = if fits == rest.len() {
            fits
        } else {
            cut(rest, fits)
        };
        let (piece, after) = rest.split_at(end);
        if !piece.trim().is_empty() {
            pieces.push(piece.trim_end());
        }
        // The indentation of a line belongs to it, the space between two words to nobody.
        rest = match after.strip_prefix(' ') {
            Some(words) if !piece.ends_with('\n') => words,
            _ => after.trim_start_matches('\n'),
        };
    }
    pieces
}

/// How many bytes of `text` fit into `room`; one character always does.
fn fitting(text: &str, room: usize, units: &impl Fn(char) -> usize) -> usize {
    let mut used = 0;
    let mut fits = text.char_indices().map(|(start, c)| {
        used += units(c);
        (start, used)
    });
    let too_long = fits.find(|(start, used)| *used > room && *start > 0);
    too_long.map_or(text.len(), |(start, _)| start)
}

/// Where to cut `text`, at most after `fits` bytes. A finer cut is better than a part that is half empty.
fn cut(text: &str, fits: usize) -> usize {
    // What follows the part may be the very line end or space that it is cut at.
    let next = text[fits..].chars().next().map_or(0, char::len_utf8);
    let window = &text[..fits + next];
    let ends =
        ["\n\n", "\n", " "].map(|end| window.rfind(end).filter(|at| (1..=fits).contains(at)));
    let roomy = ends.into_iter().flatten().find(|at| *at >= fits / 2);
    roomy
        .or(ends.into_iter().flatten().max())
        .unwrap_or_else(|| before_a_number(text, fits))
}

/// `end`, or the beginning of the number it lies in, unless nothing else fits.
fn before_a_number(text: &str, end: usize) -> usize {
    let is_of_a_number = |c: char| c.is_ascii_digit() || ",.$%:/-+".contains(c);
    if !text[end..].starts_with(is_of_a_number) {
        return end;
    }
    match text[..end].trim_end_matches(is_of_a_number).len() {
        0 => end,
        begin => begin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_up(text: &str, room: usize) -> Vec<&str> {
        pieces(text, room, &char::len_utf16)
    }

    #[test]
    fn a_part_ends_at_a_blank_line_else_at_a_line_else_at_a_space() {
        for (text, room, expected) in [
            ("aa\n\nbb\ncc", 8, vec!["aa\n\nbb", "cc"]),
            ("aaaa\n\nbb\ncc", 9, vec!["aaaa", "bb\ncc"]),
            ("aaaa bb\ncc dd", 11, vec!["aaaa bb", "cc dd"]),
            ("aaaa bb cc", 9, vec!["aaaa bb", "cc"]),
            ("aaaa\n  bb", 6, vec!["aaaa", "  bb"]),
            ("aaaa bbbb", 4, vec!["aaaa", "bbbb"]),
            ("a\n\n\n\n\n\n", 2, vec!["a"]),
            ("aaaaaa", 4, vec!["aaaa", "aa"]),
        ] {
            assert_eq!(cut_up(text, room), expected, "{text:?} in {room}");
        }
    }

    #[test]
    fn no_number_is_ever_cut() {
        let number = "-$1,234,567.89%";
        for word in ["", "n", "Notional=", "Notional is "] {
            let text = format!("{word}{number}");
            for room in number.len()..text.len() {
                let pieces = cut_up(&text, room);
                assert!(
                    pieces.iter().any(|piece| piece.contains(number)),
                    "{pieces:?}"
                );
            }
        }
    }

    #[test]
    fn parts_fit_are_numbered_and_lose_nothing_but_white_space() {
        let line = "12 ⚡ SCALP CALL 🚀 – TSLA $1,000.50 × 245C 02-21-2025\n";
        let text = line.repeat(40) + &"x".repeat(700) + "\n\n" + &line.repeat(40);
        for longest in [200, 555, 2_000, 4_096] {
            let parts = parts(&text, longest, char::len_utf16);
            let mut joined = String::new();
            for (index, part) in parts.iter().enumerate() {
                assert!(marked(part).encode_utf16().count() <= longest);
                let number = format!("({}/{})\n", index + 1, parts.len());
                joined += part.strip_prefix(&number).unwrap();
            }
            let words = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(words(&joined), words(&text));
        }
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        assert_eq!(parts("", 4_096, char::len_utf16), [""]);
        assert_eq!(parts(" a\n", usize::MAX, char::len_utf16), [" a\n"]);
    }
}
