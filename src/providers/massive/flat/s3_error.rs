//! What can go wrong between here and the vendor's bucket. No error carries an address, for a signed
//! address is as good as the key.

use std::io;

/// `object` is the bucket and the key or prefix in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    #[error("{object} is not there")]
    NotFound { object: String },
    #[error("{object}: the plan does not include it{}", said(message))]
    NotEntitled { object: String, message: String },
    #[error("the flat files' keys are not accepted: {code}")]
    WrongKey { code: String },
    #[error("{object}: this machine's clock differs from the server's")]
    ClockSkew { object: String },
    #[error("{object}: no answer worth having in {tries} tries, the last: {last}")]
    Exhausted {
        object: String,
        tries: usize,
        last: String,
    },
    #[error("{object} was replaced while it was read: ETag was {expected}, is {got}")]
    Reissued {
        object: String,
        expected: String,
        got: String,
    },
    #[error("{object}: the server sends elsewhere, to {host}")]
    Redirected { object: String, host: String },
    #[error("{object}: refused with status {status} {code}{}", said(message))]
    Refused {
        object: String,
        status: u16,
        code: String,
        message: String,
    },
    #[error("{object}: the answer makes no sense: {what}")]
    Malformed { object: String, what: String },
    #[error("{endpoint} is no address of a bucket: {reason}")]
    Endpoint { endpoint: String, reason: String },
    #[error("stopped while reading {object}")]
    Stopped { object: String },
}

fn said(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

impl S3Error {
    /// What one could do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            S3Error::NotFound { .. } => {
                "a day's file is out by about 11:00 in New York on the next day; \
                 there is none for weekends and holidays"
            }
            S3Error::NotEntitled { .. } => {
                "flat files, and how many years of them, depend on the plan; \
                 the vendor's dashboard says what is in it"
            }
            S3Error::WrongKey { .. } => {
                "flat files have their own pair of keys, which is not the API key: \
                 MASSIVE_S3_ACCESS_KEY_ID and MASSIVE_S3_SECRET_ACCESS_KEY"
            }
            S3Error::ClockSkew { .. } => "set this machine's clock, signatures carry its time",
            S3Error::Exhausted { .. } => "the next run continues where this one ended",
            S3Error::Reissued { .. } => "the vendor has issued the file anew; read it again",
            S3Error::Redirected { .. } | S3Error::Endpoint { .. } => {
                "the endpoint is scheme and host without the bucket, \
                 such as https://files.massive.com"
            }
            S3Error::Refused { .. } | S3Error::Malformed { .. } | S3Error::Stopped { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }

    /// Wraps it for a reader of bytes; the other end finds it inside.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }
}
