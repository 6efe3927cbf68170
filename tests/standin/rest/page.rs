//! Pages: from a list to the part of it that goes out, with the URL of the next part, and the
//! envelope around it. Faults of paging and of rows strike here.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::super::faults::{Kind, NoRows, Spoil};
use super::super::http::Response;
use super::Call;
use super::query::{Cursor, Order};
use super::refused::Refused;

pub enum Answer {
    Page(Page),
    /// One object under `results`.
    Object(Value),
    /// No envelope.
    Bare(Value),
}

pub struct Page {
    rows: Vec<Value>,
    next_url: Option<String>,
    /// What else stands beside the rows.
    pub beside: Map<String, Value>,
    /// No `results` when there are no rows, as some endpoints do.
    pub omits_empty: bool,
    no_rows: Option<NoRows>,
}

impl Page {
    /// Everything at once: some endpoints know no pages.
    pub fn whole(rows: Vec<Value>) -> Page {
        Page {
            rows,
            next_url: None,
            beside: Map::new(),
            omits_empty: false,
            no_rows: None,
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Call<'_> {
    /// The page of `list` at the call's cursor, `limit` rows at most; only these are rendered.
    pub fn page<T>(&self, list: &[T], limit: usize, render: impl Fn(&T) -> Value) -> Page {
        let here = self.params.cursor;
        let begins = here.offset.min(list.len());
        let ends = list
            .len()
            .min(begins + limit.min(self.shared.options.page_cap));
        let again = Cursor {
            version: here.version + 1,
            ..here
        };
        let to = |offset| Cursor { offset, version: 0 };
        let mut next = (ends < list.len()).then(|| to(ends));
        let mut rows = &list[begins..ends];
        let (mut is_this, mut is_elsewhere, mut no_rows) = (false, false, None);
        for kind in self.kinds {
            match kind {
                Kind::RepeatedPage => next = Some(again),
                Kind::RepeatedRow if ends > begins + 1 => next = Some(to(ends - 1)),
                Kind::NextIsFirst => next = Some(to(0)),
                Kind::NextIsThis => is_this = true,
                Kind::NextElsewhere => {
                    next = next.or(Some(again));
                    is_elsewhere = true;
                }
                Kind::EmptyPage(way) => {
                    (rows, next) = (&[], Some(again));
                    no_rows = Some(*way);
                }
                _ => {}
            }
        }
        let base = match is_elsewhere {
            true => self.shared.elsewhere_url(),
            false => self.shared.rest_url(),
        };
        let path = &self.request.raw_path;
        let url = |place| format!("{base}{path}?cursor={}", self.params.seal(place));
        Page {
            rows: rows.iter().map(render).collect(),
            next_url: match is_this {
                true => Some(self.this_url()),
                false => next.map(url),
            },
            beside: Map::new(),
            omits_empty: false,
            no_rows,
        }
    }

    /// A page of rows that are values already, sorted by `order` before they are cut.
    pub fn sorted_page(
        &self,
        mut rows: Vec<Value>,
        order: &[Order],
        limits: (usize, usize),
    ) -> Result<Answer, Refused> {
        let limit = self.params.limit(limits.0, limits.1)?;
        rows.sort_by(|a, b| {
            let mut columns = order.iter().map(|(column, descends)| {
                let ordering = compare(&a[column], &b[column]);
                if *descends {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
            columns
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        Ok(Answer::Page(self.page(&rows, limit, Value::clone)))
    }

    /// The URL that was asked, without the key.
    fn this_url(&self) -> String {
        let query = self
            .request
            .query
            .iter()
            .filter(|(name, _)| name != "apiKey");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let base = self.shared.rest_url();
        format!("{base}{}?{query}", self.request.raw_path)
    }

    pub fn wrap(&self, answer: Answer) -> Response {
        let mut top = Map::new();
        top.insert("status".into(), "OK".into());
        let id = xxh3_64(format!("{:?}{:?}", self.request.path, self.request.query).as_bytes());
        top.insert("request_id".into(), format!("{id:016x}").into());
        match answer {
            Answer::Bare(value) => {
                return Response::new(200, "application/json", value.to_string());
            }
            Answer::Object(value) => {
                top.insert("results".into(), value);
            }
            Answer::Page(mut page) => {
                top.append(&mut page.beside);
                self.spoil_rows(&mut page.rows);
                match page.no_rows {
                    Some(NoRows::Absent) => {}
                    None if page.omits_empty && page.rows.is_empty() => {}
                    Some(NoRows::Null) => {
                        top.insert("results".into(), Value::Null);
                    }
                    Some(NoRows::Empty) | None => {
                        top.insert("results".into(), Value::Array(page.rows));
                    }
                }
                if let Some(url) = page.next_url {
                    top.insert("next_url".into(), url.into());
                }
            }
        }
        for kind in self.kinds {
            match kind {
                Kind::NumericRequestId => top.insert("request_id".into(), (id >> 12).into()),
                Kind::Delayed => top.insert("status".into(), "DELAYED".into()),
                Kind::UnknownFields => top.insert("novelty".into(), json!({"of": ["the", 1]})),
                _ => None,
            };
        }
        Response::new(200, "application/json", Value::Object(top).to_string())
    }

    fn spoil_rows(&self, rows: &mut Vec<Value>) {
        for kind in self.kinds {
            let middle = rows.len() / 2;
            match kind {
                Kind::BadRow(spoil) => {
                    if let Some(mut row) = rows.get(middle).cloned() {
                        spoil_row(&mut row, *spoil);
                        rows.insert(middle, row);
                    }
                }
                Kind::SwappedRows => {
                    let time = |row: &Value| ["sip_timestamp", "t"].map(|name| row[name].as_i64());
                    let mut pairs = 1..rows.len();
                    if let Some(at) = pairs.find(|at| time(&rows[at - 1]) != time(&rows[*at])) {
                        rows.swap(at - 1, at);
                    }
                }
                Kind::UnknownFields => {
                    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                        row.insert("novelty".into(), json!({"of": [null, 0.5]}));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Numbers by value, everything else as text.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.as_str().cmp(&b.as_str()),
    }
}

/// Spoils the field of `row` that is its price or its size, whatever it is called there.
fn spoil_row(row: &mut Value, spoil: Spoil) {
    let Some(row) = row.as_object_mut() else {
        return;
    };
    let names = match spoil {
        Spoil::ZeroSize => ["size", "v", "bid_size", "open_interest"],
        _ => ["price", "c", "bid_price", "strike_price"],
    };
    let Some(name) = names.into_iter().find(|name| row.contains_key(*name)) else {
        return;
    };
    let value = match spoil {
        Spoil::MissingPrice => {
            row.remove(name);
            return;
        }
        Spoil::TextPrice => json!("1.25 or so"),
        Spoil::NegativePrice => json!(-1.25),
        Spoil::ZeroPrice | Spoil::ZeroSize => json!(0),
    };
    row.insert(name.to_owned(), value);
}
