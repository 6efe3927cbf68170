//! Errors of the REST side. None of them holds the key: paths come without secrets, and what a server
//! says is cleaned before it gets here.

/// Why a call gave no answer. Callers branch on the kind.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MassiveError {
    #[error("the key is not accepted: {message}")]
    WrongKey { message: String },
    /// `is_timeframe`: the endpoint is part of the plan, the dates asked for are not.
    #[error("{path}: the plan does not include this: {message}")]
    NotEntitled {
        path: String,
        message: String,
        is_timeframe: bool,
    },
    #[error("{path}: the day is not over yet: {message}")]
    TooEarly { path: String, message: String },
    #[error("{path}: not found: {message}")]
    NotFound { path: String, message: String },
    #[error("{path}: the vendor refuses the request: {message}")]
    BadRequest { path: String, message: String },
    #[error("{path}: unexpected status {status}: {message}")]
    Unexpected {
        path: String,
        status: u16,
        message: String,
    },
    #[error("{path}: no answer after {tries} tries, at last: {last}")]
    Exhausted {
        path: String,
        tries: usize,
        last: Passing,
    },
    #[error("{path}: redirected to {to}, which is not followed")]
    Redirected { path: String, to: String },
    #[error("{path}: the next page is on {got}, expected {expected}")]
    ForeignOrigin {
        path: String,
        expected: String,
        got: String,
    },
    #[error("{path}: page {page} would be one already read")]
    CursorLoop { path: String, page: usize },
    #[error("{path}: more than {pages} pages")]
    TooManyPages { path: String, pages: usize },
    #[error("{path}: the answer cannot be read: {what}")]
    Malformed { path: String, what: String },
    #[error("the rest url is {got}, expected {expected}")]
    BadUrl { got: String, expected: &'static str },
    #[error("stopped")]
    Stopped,
}

/// A failure that may pass: the call is tried again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Passing {
    #[error("status {status}{}{message}", if message.is_empty() { "" } else { ": " })]
    Status { status: u16, message: String },
    #[error("the connection failed: {what}")]
    Connection { what: String },
    #[error("out of time: {phase}")]
    TimedOut { phase: String },
    #[error("the answer broke off: {what}")]
    BrokenOff { what: String },
}

impl MassiveError {
    /// What one could do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            MassiveError::WrongKey { .. } => Some(
                "the key of the vendor's dashboard goes into POLYGON_MASSIVE_KEY; the flat-file keys are others",
            ),
            MassiveError::NotEntitled {
                is_timeframe: true, ..
            } => Some("ask for later dates, or for a plan that reaches further back"),
            MassiveError::NotEntitled { .. } => {
                Some("`flowlab fetch --plan` lists what the plan includes")
            }
            MassiveError::TooEarly { .. } => Some("ask again after the close"),
            MassiveError::NotFound { .. } | MassiveError::BadRequest { .. } => {
                Some("check the ticker and the dates")
            }
            MassiveError::Exhausted {
                last: Passing::Status { status: 429, .. },
                ..
            } => Some("wait a minute, or ask for fewer requests per second"),
            MassiveError::Exhausted { .. } => {
                Some("the same command continues where this one ended")
            }
            MassiveError::Redirected { .. } | MassiveError::ForeignOrigin { .. } => {
                Some("the key goes to the configured rest url only; is that the vendor's?")
            }
            MassiveError::BadUrl { .. } => Some("for example: https://api.massive.com"),
            MassiveError::CursorLoop { .. }
            | MassiveError::TooManyPages { .. }
            | MassiveError::Malformed { .. }
            | MassiveError::Unexpected { .. } => {
                Some("a fault of the server or a change of its interface: try again later")
            }
            MassiveError::Stopped => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_words_is_only_a_status() {
        let bare = Passing::Status {
            status: 429,
            message: String::new(),
        };
        assert_eq!(bare.to_string(), "status 429");
        let last = Passing::Status {
            status: 503,
            message: "busy".to_owned(),
        };
        let error = MassiveError::Exhausted {
            path: "/v3/trades/O:A".to_owned(),
            tries: 6,
            last,
        };
        assert_eq!(
            error.to_string(),
            "/v3/trades/O:A: no answer after 6 tries, at last: status 503: busy"
        );
    }
}
