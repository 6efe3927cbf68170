//! The server: from connections to pages, one request each.
//!
//! It shares its thread with the stream, so nobody may hold it up: a connection has a time within
//! which it asks and takes its answer, and there are only so many at once. Those beyond wait in the
//! kernel's queue.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Health, render};
use crate::live::gauges::Gauges;

const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Between two tries to accept when the machine has no descriptor left.
const PAUSE: Duration = Duration::from_secs(1);

/// A request is a line and a few headers.
const LONGEST_REQUEST: usize = 16 * 1024;

/// What clients may take from a program that has better things to do.
#[derive(Clone, Copy)]
struct Limits {
    connections: usize,
    /// From accepting a connection to the end of its answer.
    patience: Duration,
}

const LIMITS: Limits = Limits {
    connections: 64,
    patience: Duration::from_secs(5),
};

struct Pages {
    gauges: Arc<Gauges>,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
}

/// Answers until `stop` turns true or its sender is gone. Connections end with it, whatever they
/// are doing.
pub async fn serve(
    listener: TcpListener,
    gauges: Arc<Gauges>,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
    stop: watch::Receiver<bool>,
) {
    let pages = Arc::new(Pages { gauges, health });
    serve_within(LIMITS, listener, pages, stop).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    pages: Arc<Pages>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        never = accept(limits, listener, pages) => match never {},
        _ = stop.wait_for(|is_stopped| *is_stopped) => {}
    }
}

async fn accept(limits: Limits, listener: TcpListener, pages: Arc<Pages>) -> Infallible {
    // Dropped with this future, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= limits.connections {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(answer_one(stream, pages.clone(), limits.patience));
            }
            Err(error) => {
                log::warn!("metrics: cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One request and its answer. A client that asks nonsense, leaves or is too slow is its own affair.
async fn answer_one(stream: TcpStream, pages: Arc<Pages>, patience: Duration) {
    let service = service_fn(|request: Request<_>| {
        let response = pages.answer(request.method(), request.uri().path());
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), service);
    // Headers that trickle in and answers that are not read run against the same clock.
    let _ = tokio::time::timeout(patience, connection).await;
}

impl Pages {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let page = match path {
            "/metrics" => Pages::metrics,
            "/healthz" => Pages::healthz,
            _ => return response(StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
        };
        if method == Method::GET {
            return page(self);
        }
        let mut refusal = response(
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "only GET is answered here\n".to_owned(),
        );
        refusal
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
        refusal
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        response(StatusCode::OK, EXPOSITION, render(&self.gauges))
    }

    fn healthz(&self) -> Response<Full<Bytes>> {
        let (status, body) = match (self.health)() {
            Health::Fine => (StatusCode::OK, json!({ "status": "ok" })),
            Health::Wrong(reason) => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({ "status": "wrong", "reason": reason }),
            ),
        };
        response(status, JSON, format!("{body}\n"))
    }
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::thread::{self, JoinHandle};

    use super::*;

    /// A server on a thread of its own, as the stream's runtime would run it.
    struct Running {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        thread: JoinHandle<()>,
    }

    fn start(limits: Limits, health: Health) -> Running {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let gauges = Arc::new(Gauges::default());
        gauges.events.add(48_210);
        let health = Arc::new(move || health.clone());
        let pages = Arc::new(Pages { gauges, health });
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                // Spawned, because the program spawns it: this also holds that it may be.
                tokio::spawn(serve_within(limits, listener, pages, stopped))
                    .await
                    .unwrap();
            });
        });
        Running {
            address,
            stop,
            thread,
        }
    }

    impl Running {
        fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).unwrap()
        }

        fn ask(&self, method_and_path: &str) -> String {
            ask(self.address, method_and_path)
        }

        fn stop(self) {
            self.stop.send(true).unwrap();
            self.thread.join().unwrap();
        }
    }

    /// The whole answer; the server closes behind it.
    fn ask(address: SocketAddr, method_and_path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method_and_path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn metrics_are_a_page_of_text() {
        let server = start(LIMITS, Health::Fine);
        let answer = server.ask("GET /metrics?x=1");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        assert!(answer.contains("\nflowlab_events_total 48210\n"));
        server.stop();
    }

    #[test]
    fn health_is_a_status_and_a_reason() {
        let server = start(LIMITS, Health::Fine);
        let answer = server.ask("GET /healthz");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.ends_with("\r\n\r\n{\"status\":\"ok\"}\n"),
            "{answer}"
        );
        server.stop();

        let server = start(LIMITS, Health::Wrong("options feed is down".to_owned()));
        let answer = server.ask("GET /healthz");
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(
            answer
                .ends_with("\r\n\r\n{\"status\":\"wrong\",\"reason\":\"options feed is down\"}\n")
        );
        server.stop();
    }

    #[test]
    fn what_is_not_there_is_not_found_and_only_get_is_answered() {
        let server = start(LIMITS, Health::Fine);
        for path in ["/", "/metrics/", "//metrics", "/../metrics"] {
            let answer = server.ask(&format!("GET {path}"));
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{path}");
        }
        for method in ["POST", "DELETE", "OPTIONS", "HEAD"] {
            let answer = server.ask(&format!("{method} /metrics"));
            assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
            assert!(answer.contains("allow: GET\r\n"), "{answer}");
        }
        server.stop();
    }

    #[test]
    fn many_ask_at_once_and_each_is_answered() {
        let server = start(LIMITS, Health::Fine);
        let address = server.address;
        let clients: Vec<_> = (0..2 * LIMITS.connections)
            .map(|_| thread::spawn(move || ask(address, "GET /metrics")))
            .collect();
        for client in clients {
            let answer = client.join().unwrap();
            assert!(answer.ends_with('\n') && answer.contains("flowlab_clock_skew_seconds 0"));
        }
        server.stop();
    }

    #[test]
    fn a_client_that_stalls_holds_up_no_other() {
        let patient = Limits {
            patience: Duration::from_secs(3600),
            ..LIMITS
        };
        let server = start(patient, Health::Fine);
        let silent = server.connect();
        let mut slow = server.connect();
        slow.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
        assert!(server.ask("GET /healthz").contains("200 OK"));
        // Nor the end.
        server.stop();
        drop((silent, slow));
    }

    #[test]
    fn a_client_that_stalls_is_cut_off_and_makes_room() {
        let strict = Limits {
            connections: 1,
            patience: Duration::from_millis(500),
        };
        let server = start(strict, Health::Fine);
        let mut slow = server.connect();
        slow.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
        let mut answer = Vec::new();
        // Closed or reset, as the kernel likes; what matters is that it ends without an answer.
        let _ = slow.read_to_end(&mut answer);
        assert_eq!(answer, b"");

        let mut silent = server.connect();
        assert!(server.ask("GET /healthz").contains("200 OK"));
        let _ = silent.read_to_end(&mut answer);
        assert_eq!(answer, b"");
        server.stop();
    }

    #[test]
    fn nonsense_and_endless_headers_end_their_own_connection_only() {
        let server = start(LIMITS, Health::Fine);
        let mut nonsense = server.connect();
        nonsense.write_all(b"\x16\x03\x01 hello\r\n\r\n").unwrap();
        let _ = nonsense.read_to_end(&mut Vec::new());
        let mut endless = server.connect();
        let header = [b'a'; 1024];
        endless.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
        while endless.write_all(&header).is_ok() {}
        assert!(server.ask("GET /metrics").contains("200 OK"));
        server.stop();
    }

    #[test]
    fn it_ends_when_nobody_is_left_to_stop_it() {
        let Running { stop, thread, .. } = start(LIMITS, Health::Fine);
        drop(stop);
        thread.join().unwrap();
    }
}
