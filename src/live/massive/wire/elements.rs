//! Elements: from a JSON array, which may be broken, to its elements, told apart by brackets and quotes
//! alone.

use std::ops::Range;

/// What stands between the commas of an array, good or bad.
pub(super) struct Elements<'a> {
    frame: &'a [u8],
    at: usize,
    is_open: bool,
}

impl<'a> Elements<'a> {
    /// `None` when `frame` does not begin an array.
    pub fn of(frame: &'a [u8]) -> Option<Elements<'a>> {
        let first = frame.iter().position(|byte| !byte.is_ascii_whitespace())?;
        (frame[first] == b'[').then_some(Elements {
            frame,
            at: first + 1,
            is_open: true,
        })
    }

    /// Where it stopped, and whether that is the end of the array with nothing behind it.
    pub fn end(&self) -> (usize, bool) {
        let is_blank = self.frame[self.at..].trim_ascii().is_empty();
        (self.at, !self.is_open && is_blank)
    }

    /// The end of the element that begins at `self.at`: a comma or bracket of its own level.
    fn length(&self) -> Option<usize> {
        let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
        self.frame[self.at..].iter().position(|byte| {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = in_text,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b'[' | b'{' => depth += 1,
                b',' | b']' if depth == 0 => return true,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            false
        })
    }
}

/// Stops at the end of the array, or before an element that is cut off.
impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if !self.is_open {
            return None;
        }
        let element = self.at..self.at + self.length()?;
        self.is_open = self.frame[element.end] == b',';
        self.at = element.end + 1;
        Some(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(frame: &str, expected: &[&str], is_whole: bool) {
        let mut elements = Elements::of(frame.as_bytes()).expect("an array");
        let found: Vec<&str> = elements
            .by_ref()
            .map(|element| frame[element].trim())
            .collect();
        assert_eq!(found, expected, "{frame}");
        assert_eq!(elements.end().1, is_whole, "{frame}");
    }

    #[test]
    fn commas_and_brackets_inside_texts_and_objects_end_nothing() {
        check(
            r#" [{"a":"],\"}["}, [1,{"b":2}] ,NaN] "#,
            &[r#"{"a":"],\"}["}"#, r#"[1,{"b":2}]"#, "NaN"],
            true,
        );
    }

    #[test]
    fn an_array_that_is_cut_off_or_goes_on_is_not_whole() {
        check(r#"[{"a":1},{"b":"#, &[r#"{"a":1}"#], false);
        check(r#"[{"a":1}][2]"#, &[r#"{"a":1}"#], false);
        check(r#"[{"a":"1}]"#, &[], false);
        assert!(Elements::of(b"{}").is_none());
        assert!(Elements::of(b" ").is_none());
    }
}
