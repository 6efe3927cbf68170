//! Faults: what a test wants to go wrong, and when.
//!
//! A fault watches for requests whose origin, path and query contain `on`. It lets `skip` of them
//! pass and then strikes `times` in a row. Several faults may strike the same request; each counts
//! for itself.
//!
//! ```text
//! Fault::on("/v3/trades/O:ABC", Kind::Cut { after: 100 }).skip(1).times(2)
//!   request   1     2     3     4
//!             ok    cut   cut   ok
//! ```

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Fault {
    /// Part of `rest /path?query` or `s3 /path?query`, decoded; the empty text means every request.
    pub on: String,
    pub skip: usize,
    pub times: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    // In place of the answer.
    /// An error of the given status. `retry_after` is the header as it stands.
    Status {
        status: u16,
        body: ErrorBody,
        retry_after: Option<String>,
    },
    /// The key is unknown: 401, from S3 403 `InvalidAccessKeyId`.
    WrongKey,
    NotEntitled(Refusal),
    /// 302 to the same path on another origin.
    RedirectElsewhere,
    /// The connection is closed without a word.
    NoAnswer,

    // The right answer, badly delivered.
    /// The connection ends after so many bytes of the body, although more were promised.
    Cut {
        after: usize,
    },
    /// The gzip body lacks its last bytes, and `Content-Length` agrees with what is left.
    TruncatedGzip {
        missing: usize,
    },
    /// So many bytes at a time, with a pause before each.
    Dribble {
        bytes: usize,
        every: Duration,
    },
    /// So many bytes, then nothing more, with the connection open.
    Stall {
        after: usize,
    },
    /// The last half of the JSON is not there, and `Content-Length` agrees with what is left.
    HalfJson,

    // The right answer of another time.
    /// The answer is as of so long ago.
    Behind(Duration),

    // Paging. The data stay complete: whoever follows wisely gets every row once.
    /// The next page is this one again, under a new cursor.
    RepeatedPage,
    /// The next page begins with the last row of this one.
    RepeatedRow,
    /// A page without rows whose `next_url` leads to the rows.
    EmptyPage(NoRows),
    /// `next_url` is this very page, by the URL that was asked.
    NextIsThis,
    /// `next_url` is the first page again.
    NextIsFirst,
    /// `next_url` is right but for its origin.
    NextElsewhere,

    // Rows. In flat files too, where noted; a struck file differs from the others, as its ETag says.
    /// One more row in the middle, spoiled. In flat files too. (A quote without a price, or with
    /// zero, is not spoiled: it lacks a side.)
    BadRow(Spoil),
    /// Fields nobody knows, in the rows and around them. Flat files get a column, in first place.
    UnknownFields,
    /// The first two neighbours of different times change places. In flat files too: two of one
    /// ticker.
    SwappedRows,
    /// `request_id` is a number.
    NumericRequestId,
    /// `status` is `DELAYED`, which is no error.
    Delayed,

    /// From this request on the flat file has another content: one size has changed.
    Reissued,
}

/// The forms in which errors come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// JSON with the text under `error`; XML from S3.
    Error,
    /// JSON with the text under `message`; XML from S3.
    Message,
    Html,
    Empty,
}

/// The forms of 403; S3 knows one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The plan lacks these data.
    Plan,
    /// The plan does not reach back that far.
    Timeframe,
    /// The day asked for has not ended.
    BeforeEndOfDay,
    /// As `Plan`, with the text under `error` and the status `ERROR`.
    PlanAsError,
}

/// How a page without rows says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRows {
    Absent,
    Null,
    Empty,
}

/// What is wrong with an additional row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    MissingPrice,
    TextPrice,
    NegativePrice,
    ZeroPrice,
    ZeroSize,
}

impl Fault {
    /// Strikes once, at the first request that contains `on`.
    pub fn on(on: &str, kind: Kind) -> Fault {
        Fault {
            on: on.to_owned(),
            skip: 0,
            times: 1,
            kind,
        }
    }

    pub fn skip(self, skip: usize) -> Fault {
        Fault { skip, ..self }
    }

    pub fn times(self, times: usize) -> Fault {
        Fault { times, ..self }
    }

    pub fn always(self) -> Fault {
        self.times(usize::MAX)
    }
}

impl Kind {
    /// An error with its text where it usually is, and no `Retry-After`.
    pub fn status(status: u16) -> Kind {
        Kind::Status {
            status,
            body: ErrorBody::Error,
            retry_after: None,
        }
    }

    /// 429 with `Retry-After` in seconds.
    pub fn retry_after(seconds: u32) -> Kind {
        Kind::Status {
            status: 429,
            body: ErrorBody::Error,
            retry_after: Some(seconds.to_string()),
        }
    }
}

/// The faults of a server, each with the number of requests it has seen.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Fault, usize)>);

impl Faults {
    pub fn inject(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What strikes the request described by `target`, in order of injection.
    pub fn strike(&mut self, target: &str) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for (fault, seen) in &mut self.0 {
            if !target.contains(&fault.on) {
                continue;
            }
            *seen += 1;
            if *seen > fault.skip && *seen - fault.skip <= fault.times {
                kinds.push(fault.kind.clone());
            }
        }
        kinds
    }
}
