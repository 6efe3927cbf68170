//! Errors of a fetch, and what they mean for it: whether all of it ends, a stage, or one unit.

use std::path::{Path, PathBuf};

use super::outcome::Outcome;
use crate::providers::massive::MassiveError;
use crate::providers::massive::flat::{FlatFileError, S3Error};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Massive(#[from] MassiveError),
    #[error(transparent)]
    FlatFile(#[from] FlatFileError),
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: not the list of flat files that was written: {problem}", path.display())]
    Ledger { path: PathBuf, problem: String },
    #[error("cannot start {threads} threads: {problem}")]
    Threads { threads: usize, problem: String },
    /// Not in the plan for this date: the unit is done again without.
    #[error("quotes are refused")]
    NoQuotes,
    #[error("{file}: {ticker} comes back after other tickers, expected a file sorted by symbol")]
    NotSorted { file: String, ticker: String },
}

impl From<S3Error> for FetchError {
    fn from(error: S3Error) -> FetchError {
        FetchError::FlatFile(error.into())
    }
}

impl FetchError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> FetchError {
        let path = path.to_owned();
        FetchError::File { path, source }
    }

    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            FetchError::Store(error) => error.hint(),
            FetchError::Massive(error) => error.hint().map(str::to_owned),
            FetchError::FlatFile(error) => error.hint(),
            FetchError::File { .. } | FetchError::NoQuotes => None,
            FetchError::Ledger { path, .. } => Some(format!(
                "remove {}: recent sessions of flat files are then no longer compared with the vendor's",
                path.display()
            )),
            FetchError::Threads { .. } => Some("lower massive.concurrency".to_owned()),
            FetchError::NotSorted { .. } => {
                Some("sort its rows by ticker, as the vendor does".to_owned())
            }
        }
    }

    /// Whether it concerns one unit, so that others may still be had.
    pub fn is_gap(&self) -> bool {
        !self.is_final()
    }

    pub fn is_stop(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::Stopped)
                | FetchError::FlatFile(FlatFileError::Download(S3Error::Stopped { .. }))
        )
    }

    /// Whether every other unit would fail in the same way.
    pub(super) fn is_final(&self) -> bool {
        self.is_stop()
            || matches!(
                self,
                FetchError::Store(_)
                    | FetchError::File { .. }
                    | FetchError::Ledger { .. }
                    | FetchError::Threads { .. }
                    | FetchError::Massive(
                        MassiveError::WrongKey { .. } | MassiveError::BadUrl { .. }
                    )
                    | FetchError::FlatFile(FlatFileError::Download(
                        S3Error::WrongKey { .. }
                            | S3Error::ClockSkew { .. }
                            | S3Error::Endpoint { .. }
                    ))
            )
    }

    /// Whether it is the plan that stands between us and the whole stage.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::NotEntitled {
                is_timeframe: false,
                ..
            }) | FetchError::FlatFile(FlatFileError::Download(S3Error::NotEntitled { .. }))
        )
    }

    /// Whether the vendor has it for others, or not at all.
    pub(super) fn is_plan(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::NotEntitled { .. } | MassiveError::NotFound { .. })
        )
    }

    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            FetchError::Massive(MassiveError::Exhausted { .. })
                | FetchError::FlatFile(FlatFileError::Download(S3Error::Exhausted { .. }))
        )
    }

    /// As the reason of a gap: what units have in common, without what is special to one.
    pub(super) fn reason(&self) -> String {
        match self {
            FetchError::Massive(error) => match error {
                MassiveError::NotEntitled { message, .. } => format!("not in the plan: {message}"),
                MassiveError::TooEarly { message, .. } => format!("too early: {message}"),
                MassiveError::NotFound { message, .. } => format!("not found: {message}"),
                MassiveError::BadRequest { message, .. } => format!("refused: {message}"),
                MassiveError::Unexpected { status, .. } => format!("unexpected status {status}"),
                MassiveError::Exhausted { last, .. } => format!("no answer: {last}"),
                MassiveError::Redirected { to, .. } => {
                    format!("redirected to {to}, which is not followed")
                }
                MassiveError::ForeignOrigin { got, .. } => {
                    format!("its next page is on {got}, which is not followed")
                }
                MassiveError::CursorLoop { .. } => "its pages lead back to themselves".to_owned(),
                MassiveError::TooManyPages { .. } => "its pages have no end".to_owned(),
                MassiveError::Malformed { what, .. } => {
                    format!("the answer cannot be read: {what}")
                }
                other => other.to_string(),
            },
            FetchError::FlatFile(FlatFileError::Download(error)) => match error {
                S3Error::NotFound { .. } => "the vendor has no file of this day yet".to_owned(),
                S3Error::NotEntitled { .. } => "flat files are not in the plan".to_owned(),
                S3Error::Exhausted { last, .. } => format!("no answer: {last}"),
                other => other.to_string(),
            },
            FetchError::FlatFile(FlatFileError::Damaged { .. }) => {
                "the file is damaged or not complete".to_owned()
            }
            other => other.to_string(),
        }
    }
}

/// A fetch that ended early: what it came to until then, and why.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Ended {
    pub outcome: Outcome,
    pub error: FetchError,
}
