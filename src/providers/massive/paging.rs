//! Paging: from the first address to the rows of all pages, each exactly once.
//!
//! A link that was followed before is a loop. A page may repeat the rows around the border to the
//! page before it, up to the whole of it. So the longest run of rows that both ends one page and
//! begins the next is dropped and counted; inside a page equal rows stay, because two equal prints
//! in one millisecond do happen.
//!
//! ```text
//!  page 1   a b c d d
//!  page 2       d d e      "d d" ends one and begins the other: dropped, 2 repeats
//! ```
//!
//! Rows are compared with all their fields, sequence numbers included. Old prints have none: two
//! genuine equal ones which a border happens to part look like a repeat. So what was dropped is told,
//! and whoever can ask more closely does (see `trades`).

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use url::Url;

use super::answer;
use super::client::Client;
use super::origin::shown;
use super::row::Row;
use super::wire::{Cell, Envelope, Fault};
use super::{Fetched, MassiveError};

const MAX_PAGES: usize = 10_000;
/// So many pages in a row that only repeat the one before are a loop under ever new cursors.
const MAX_REPEATED: usize = 100;

/// All pages, and what was taken for a repeat at their borders.
pub(super) struct Pages<T> {
    pub fetched: Fetched<T>,
    pub borders: Vec<Border<T>>,
}

pub(super) struct Border<T> {
    /// How many rows came before it.
    pub at: usize,
    pub dropped: Vec<T>,
}

impl Client {
    /// All pages from `first` on, each row read by `read`.
    pub fn all<W, T>(
        &self,
        first: Url,
        read: impl Fn(&W) -> Result<T, Fault>,
    ) -> Result<Fetched<T>, MassiveError>
    where
        W: DeserializeOwned + PartialEq,
    {
        Ok(self.pages(first, read, |_| false)?.fetched)
    }

    /// As [`Client::all`], but asks for no page after one with a row that is `enough`, and tells what
    /// it dropped.
    pub fn pages<W, T>(
        &self,
        first: Url,
        read: impl Fn(&W) -> Result<T, Fault>,
        enough: impl Fn(&T) -> bool,
    ) -> Result<Pages<T>, MassiveError>
    where
        W: DeserializeOwned + PartialEq,
    {
        let path = shown(&first);
        let mut fetched = Fetched::default();
        let mut borders = Vec::new();
        let mut seen = HashSet::from([first.to_string()]);
        let mut url = first;
        let mut before: Vec<Row<W>> = Vec::new();
        let mut received = 0;
        let mut repeated_pages = 0;
        loop {
            let page: Envelope<Vec<Row<W>>> = self.get(&url)?;
            fetched.calls += 1;
            let next_url = page.next_url.clone();
            let rows = self.results(page, &path)?;
            let repeated = overlap(&before, &rows);
            fetched.repeats += repeated as u64;
            repeated_pages = if 0 < repeated && repeated == rows.len() {
                repeated_pages + 1
            } else {
                0
            };
            let known = fetched.rows.len();
            if repeated > 0 {
                let objects = rows[..repeated].iter().map(|row| row.object("row"));
                borders.push(Border {
                    at: known,
                    dropped: objects.filter_map(|row| read(row.ok()?).ok()).collect(),
                });
            }
            for (row, number) in rows.iter().zip(received..).skip(repeated) {
                match row.object("row").and_then(&read) {
                    Ok(row) => fetched.rows.push(row),
                    Err(fault) => fetched.drop_row(&path, number, fault),
                }
            }
            received += rows.len() as u64;
            if fetched.rows[known..].iter().any(&enough) {
                return Ok(Pages { fetched, borders });
            }
            if !rows.is_empty() {
                before = rows;
            }
            url = match &next_url {
                Cell::Missing => return Ok(Pages { fetched, borders }),
                Cell::Text(text) if text.is_empty() => return Ok(Pages { fetched, borders }),
                Cell::Text(text) => self.base().next(text, &path)?,
                other => {
                    let what = format!("next_url is {other}");
                    return Err(MassiveError::Malformed { path, what });
                }
            };
            let page = fetched.calls as usize + 1;
            if !seen.insert(url.to_string()) || repeated_pages > MAX_REPEATED {
                return Err(MassiveError::CursorLoop { path, page });
            }
            if page > MAX_PAGES {
                let pages = MAX_PAGES;
                return Err(MassiveError::TooManyPages { path, pages });
            }
        }
    }

    /// The rows; none when `results` is missing, unless the answer says that this is an error.
    fn results<W>(
        &self,
        page: Envelope<Vec<Row<W>>>,
        path: &str,
    ) -> Result<Vec<Row<W>>, MassiveError> {
        if let Some(rows) = page.results {
            return Ok(rows);
        }
        let words: Vec<&str> = [&page.error, &page.message]
            .into_iter()
            .filter_map(Cell::text)
            .collect();
        let status = page.status.text().unwrap_or_default();
        match answer::error_inside(path, status, self.clean(&words.join(": "))) {
            Some(error) => Err(error),
            None => Ok(Vec::new()),
        }
    }
}

/// The largest `k` for which the first `k` of `page` are the last `k` of `before`. One pass over
/// each: `border[i]` is the same question asked of the first `i + 1` rows of the page alone.
fn overlap<T: PartialEq>(before: &[T], page: &[T]) -> usize {
    let tail = &before[before.len().saturating_sub(page.len())..];
    let mut border = vec![0; page.len()];
    let mut matched = 0;
    for index in 1..page.len() {
        matched = extend(page, &border, matched, &page[index]);
        border[index] = matched;
    }
    tail.iter()
        .fold(0, |matched, row| extend(page, &border, matched, row))
}

/// How many rows of the page the run that ended with `matched` of them matches with `row` added.
fn extend<T: PartialEq>(page: &[T], border: &[usize], mut matched: usize, row: &T) -> usize {
    while matched > 0 && (matched == page.len() || page[matched] != *row) {
        matched = border[matched - 1];
    }
    matched + usize::from(page.get(matched).is_some_and(|next| next == row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_around_the_border_is_a_repeat() {
        for (before, page, expected) in [
            ("abcdd", "dde", 2),
            ("abcd", "abcd", 4),
            ("abcd", "efgh", 0),
            ("abab", "abab", 4),
            ("xabab", "ababc", 4),
            ("aab", "aaab", 0),
            ("baa", "aaab", 2),
            ("aaaa", "aa", 2),
            ("a", "aaaa", 1),
            ("", "ab", 0),
            ("ab", "", 0),
            ("abcabd", "abcabe", 0),
            ("zabcab", "abcabe", 5),
        ] {
            let got = overlap(before.as_bytes(), page.as_bytes());
            assert_eq!(got, expected, "{before} | {page}");
        }
    }

    #[test]
    fn the_overlap_is_what_trying_every_length_finds() {
        let naive = |before: &[u8], page: &[u8]| {
            (0..=before.len().min(page.len()))
                .rev()
                .find(|k| before[before.len() - k..] == page[..*k])
                .unwrap()
        };
        // Every pair of texts of up to six of two letters.
        let texts: Vec<Vec<u8>> = (0..7)
            .flat_map(|len| {
                (0..1_u32 << len).map(move |bits| (0..len).map(|i| (bits >> i & 1) as u8).collect())
            })
            .collect();
        for before in &texts {
            for page in &texts {
                assert_eq!(
                    overlap(before, page),
                    naive(before, page),
                    "{before:?} {page:?}"
                );
            }
        }
    }
}
