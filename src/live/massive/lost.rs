//! Why a connection ended, in words for people, and whether another one makes sense.
//!
//! Texts of the server pass through [`shown`]: whatever it quotes, the key is not in there.

use std::time::Duration;

use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::config::secret::Secret;

/// Characters of the server's own words that are passed on.
const SHOWN: usize = 160;

#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Lost {
    #[error("cannot connect to {host}: {what}")]
    NoConnection { host: String, what: String },
    #[error("the server answered the handshake with status {status}")]
    Handshake { status: u16 },
    #[error("no {what} within {after:?}")]
    Late { what: &'static str, after: Duration },
    #[error("the connection broke: {what}")]
    Broken { what: String },
    #[error("the server closed the connection: {what}")]
    Closed { what: String },
    #[error("nothing was heard for {after:?}, not even an answer to a ping")]
    Dead { after: Duration },
    #[error("no data for {after:?} while the session is open")]
    Silent { after: Duration },
    #[error("the server got no key in time")]
    AuthTimeout,
    #[error("the server reports an error: {message}")]
    Reported { message: String },
    #[error("another process uses the key: {message}")]
    Busy { message: String },

    #[error("the server refuses the connection with status {status}")]
    Forbidden { status: u16 },
    #[error("the server does not accept the key")]
    AuthFailed,
    #[error("the plan does not include {subscription}")]
    NotAuthorized { subscription: String },
    #[error("the address is not one of a websocket")]
    BadAddress,

    #[error("nobody takes the messages")]
    Unread,
}

impl Lost {
    /// Whether the next try would end the same way.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Lost::Forbidden { .. }
                | Lost::AuthFailed
                | Lost::NotAuthorized { .. }
                | Lost::BadAddress
        )
    }

    /// What went wrong before there was a connection.
    pub fn before(error: Error, host: &str) -> Lost {
        match error {
            Error::Http(response) => match response.status().as_u16() {
                status @ (401 | 403) => Lost::Forbidden { status },
                status => Lost::Handshake { status },
            },
            Error::Url(_) => Lost::BadAddress,
            error => Lost::NoConnection {
                host: host.to_owned(),
                what: what(error),
            },
        }
    }

    pub fn broken(error: Error) -> Lost {
        Lost::Broken { what: what(error) }
    }

    pub fn closed(frame: Option<CloseFrame>, key: &Secret) -> Lost {
        let what = match frame {
            Some(frame) => {
                let reason = shown(&frame.reason, key);
                let code = u16::from(frame.code);
                format!("{code} {reason}").trim_end().to_owned()
            }
            None => "no reason given".to_owned(),
        };
        Lost::Closed { what }
    }
}

/// Of the library's text what is about the world.
fn what(error: Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            "it ended without a close".to_owned()
        }
        Error::Protocol(error) => error.to_string(),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            format!("a frame of {size} bytes, at most {max_size} are taken")
        }
        error => error.to_string(),
    }
}

/// Words of the server, short and on one line.
pub(super) fn shown(text: &str, key: &Secret) -> String {
    let text = match key.expose() {
        "" => text.to_owned(),
        key => text.replace(key, ".."),
    };
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(SHOWN).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_server_are_short_on_one_line_and_without_the_key() {
        let key = Secret::new("k3y");
        assert_eq!(
            shown("no such\nkey: k3y, k3y ", &key),
            "no such key: .., .."
        );
        assert_eq!(shown(&"x".repeat(1000), &key).len(), SHOWN);
        assert_eq!(shown("as it is", &Secret::new("")), "as it is");
    }
}
