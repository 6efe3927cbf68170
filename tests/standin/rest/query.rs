//! Parameters of a call: from the query, or from the cursor in which the first page's query lives on.

use chrono::{Days, NaiveDate};
use url::form_urlencoded;

use super::super::http::Request;
use super::super::new_york;
use super::refused::Refused;

/// A column and whether it descends.
pub type Order = (String, bool);

#[derive(Debug, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    /// Where the page begins.
    pub cursor: Cursor,
}

/// A place in a list. Cursors of one place may differ in `version`, which means nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    pub offset: usize,
    pub version: usize,
}

impl Params {
    /// A cursor replaces every other parameter.
    pub fn of(request: &Request) -> Result<Params, Refused> {
        let Some(cursor) = request.param("cursor") else {
            let pairs = request.query.iter();
            return Ok(Params {
                pairs: pairs
                    .filter(|(name, _)| name != "apiKey")
                    .cloned()
                    .collect(),
                cursor: Cursor::default(),
            });
        };
        let open = || {
            let bytes: Option<Vec<u8>> = cursor
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                .collect();
            let mut pairs: Vec<(String, String)> =
                form_urlencoded::parse(&bytes?).into_owned().collect();
            let version = pairs.pop()?.1.parse().ok()?;
            let offset = pairs.pop()?.1.parse().ok()?;
            let cursor = Cursor { offset, version };
            Some(Params { pairs, cursor })
        };
        open().ok_or_else(|| Refused::parameter("cursor", cursor))
    }

    /// The text of a cursor to `place` in the same list: opaque, as the vendor's are.
    pub fn seal(&self, place: Cursor) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(&self.pairs);
        text.append_pair("offset", &place.offset.to_string());
        text.append_pair("version", &place.version.to_string());
        let text = text.finish();
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// A parameter as `parse` reads it, or `default` when it is not there.
    pub fn parsed<T>(
        &self,
        name: &str,
        default: T,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Refused> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => parse(text).ok_or_else(|| Refused::parameter(name, text)),
        }
    }

    pub fn limit(&self, default: usize, max: usize) -> Result<usize, Refused> {
        self.parsed("limit", default, |text| {
            text.parse().ok().filter(|limit| (1..=max).contains(limit))
        })
    }

    /// Whether rows of a list by time descend: `order` with its default.
    pub fn descends(&self, default: bool) -> Result<bool, Refused> {
        self.parsed("order", default, direction)
    }

    /// `sort=col` with `order=asc|desc`, the form of `/v3`.
    pub fn order_v3(&self, columns: &[&str], default: (&str, bool)) -> Result<Order, Refused> {
        let known = |text: &str| columns.contains(&text).then(|| text.to_owned());
        let column = self.parsed("sort", default.0.to_owned(), known)?;
        Ok((column, self.descends(default.1)?))
    }

    /// `sort=col.asc,other.desc`, the form of `/options/v1` and `/stocks/v1`.
    pub fn order_v1(&self, columns: &[&str], default: &str) -> Result<Vec<Order>, Refused> {
        let text = self.get("sort").unwrap_or(default);
        let order = text.split(',').map(|item| {
            let (column, way) = item.split_once('.').unwrap_or((item, "asc"));
            let is_known = columns.contains(&column);
            Some((column.to_owned(), direction(way)?)).filter(|_| is_known)
        });
        let order: Option<Vec<Order>> = order.collect();
        order.ok_or_else(|| Refused::parameter("sort", text))
    }

    /// Every condition on `field`: `field`, `.gt .gte .lt .lte`, `.any_of`.
    pub fn filter<'p, T: PartialOrd>(
        &'p self,
        field: &str,
        parse: impl Fn(&'p str) -> Option<T>,
    ) -> Result<Filter<T>, Refused> {
        let mut filter = Filter(Vec::new());
        for (name, text) in &self.pairs {
            let Some(suffix) = name.strip_prefix(field) else {
                continue;
            };
            let test = match suffix {
                "" | ".any_of" => Test::AnyOf,
                ".gt" => Test::Above,
                ".gte" => Test::From,
                ".lt" => Test::Below,
                ".lte" => Test::To,
                _ => continue,
            };
            let values: Option<Vec<T>> = match suffix {
                ".any_of" => text.split(',').map(&parse).collect(),
                _ => parse(text).map(|value| vec![value]),
            };
            let values = values.ok_or_else(|| Refused::parameter(name, text))?;
            filter.0.push((test, values));
        }
        Ok(filter)
    }

    /// First and last instant that pass the conditions on `field`, given in ns or as a day in New
    /// York, which is all of its instants. Nothing before 1970 or after `now`.
    pub fn instants(&self, field: &str, now: i64) -> Result<(i64, i64), Refused> {
        let (mut first, mut last) = (0, now);
        for (name, text) in &self.pairs {
            let Some(suffix) = name.strip_prefix(field) else {
                continue;
            };
            let span = instant_span(text).ok_or_else(|| Refused::parameter(name, text));
            let (begins, ends) = match suffix {
                "" | ".gt" | ".gte" | ".lt" | ".lte" => span?,
                _ => continue,
            };
            match suffix {
                "" => (first, last) = (first.max(begins), last.min(ends)),
                ".gt" => first = first.max(ends.saturating_add(1)),
                ".gte" => first = first.max(begins),
                ".lt" => last = last.min(begins.saturating_sub(1)),
                _ => last = last.min(ends),
            }
        }
        Ok((first, last))
    }
}

/// First and last ns of a day, or the one instant that is given as a number.
fn instant_span(text: &str) -> Option<(i64, i64)> {
    if let Ok(ns) = text.parse::<i64>() {
        return Some((ns, ns));
    }
    let date = date(text)?;
    let next = date.checked_add_days(Days::new(1))?;
    Some((new_york::midnight(date), new_york::midnight(next) - 1))
}

/// A date of the years that a count of ns can hold.
pub fn date(text: &str) -> Option<NaiveDate> {
    let year: i32 = text.get(..4)?.parse().ok()?;
    text.parse().ok().filter(|_| (1970..2200).contains(&year))
}

fn direction(text: &str) -> Option<bool> {
    match text {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    }
}

#[derive(Debug)]
enum Test {
    AnyOf,
    Above,
    From,
    Below,
    To,
}

/// Conditions on one field, all of which must hold.
#[derive(Debug)]
pub struct Filter<T>(Vec<(Test, Vec<T>)>);

impl<T: PartialOrd> Filter<T> {
    pub fn admits(&self, value: &T) -> bool {
        self.0.iter().all(|(test, values)| {
            values.iter().any(|bound| match test {
                Test::AnyOf => bound == value,
                Test::Above => value > bound,
                Test::From => value >= bound,
                Test::Below => value < bound,
                Test::To => value <= bound,
            })
        })
    }
}
