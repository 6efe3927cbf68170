//! Metrics: from `--metrics 127.0.0.1:9090` to a small HTTP server that shows the gauges to
//! Prometheus and says to a supervisor whether the stream is well.
//!
//! ```text
//!  GET /metrics   every gauge, text exposition 0.0.4
//!  GET /healthz   200 {"status":"ok"}, or 503 {"status":"wrong","reason":"options feed is down"}
//! ```
//!
//! Whoever can reach the port can read it, so it is this machine's own unless an address is typed
//! in full.

mod exposition;
mod server;

pub use exposition::render;
pub use server::serve;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

/// How the stream is, in one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Fine,
    /// What is wrong, as a person would want to read it.
    Wrong(String),
}

#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error(
        "{got} is no address to listen on, expected a port or an address with a port, such as 127.0.0.1:9090"
    )]
    NoAddress { got: String },
    #[error("cannot listen on {address}")]
    Bind {
        address: SocketAddr,
        source: io::Error,
    },
}

/// What `text` means: an address with its port as typed; a port alone (`9090`, `:9090`) is one of
/// this machine's own.
pub fn address(text: &str) -> Result<SocketAddr, MetricsError> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text
        .strip_prefix("localhost:")
        .or_else(|| text.strip_prefix(':'))
        .unwrap_or(text);
    // Put together as text, because a number by itself may have a sign and an address's port may not.
    format!("{}:{port}", Ipv4Addr::LOCALHOST)
        .parse()
        .map_err(|_| MetricsError::NoAddress {
            got: text.to_owned(),
        })
}

/// Takes the port, so that one that is taken is known before the stream begins.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, MetricsError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| MetricsError::Bind { address, source })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_port_alone_is_this_machines_own() {
        for text in ["9090", ":9090", "localhost:9090", "127.0.0.1:9090"] {
            assert_eq!(address(text).unwrap().to_string(), "127.0.0.1:9090");
        }
    }

    #[test]
    fn other_machines_get_in_only_through_an_address_typed_in_full() {
        for text in [
            "0.0.0.0:9090",
            "192.168.1.7:9090",
            "[::]:9090",
            "[::1]:9090",
        ] {
            assert_eq!(address(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in [
            "",
            ":",
            "+9090",
            "65536",
            "127.0.0.1",
            "*:9090",
            "::9090",
            "host:9090",
            "9090:1",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        expect!["127.0.0.1 is no address to listen on, expected a port or an address with a port, such as 127.0.0.1:9090"]
            .assert_eq(&address("127.0.0.1").unwrap_err().to_string());
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let first = bind(address("0").unwrap()).await.unwrap();
        let taken = first.local_addr().unwrap();
        let error = bind(taken).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {taken}"));
    }
}
