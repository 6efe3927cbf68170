//! The running server: listeners, a thread per connection, and the way of a request through them.
//!
//! ```text
//!   read → log → faults that replace the answer → rest or s3 → faults that spoil it → send
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::faults::{ErrorBody, Fault, Faults, Kind};
use super::http::{Delivery, Request, Response};
use super::log::{Log, Logged, Origin};
use super::s3::Files;
use super::world::World;
#[cfg(feature = "live")]
use super::ws::Sockets;
use super::{Options, rest, s3};

/// Runs until it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<JoinHandle<()>>,
    #[cfg(feature = "live")]
    sockets: Option<Sockets>,
}

/// What all connections see.
pub(super) struct Shared {
    pub world: Arc<World>,
    pub options: Options,
    pub now: Arc<AtomicI64>,
    pub files: Files,
    /// When the requests of late were let in, for the rate limit.
    pub admitted: Mutex<VecDeque<Instant>>,
    /// `http://127.0.0.1:port`, without a slash.
    rest_url: String,
    s3_url: String,
    elsewhere_url: String,
    faults: Mutex<Faults>,
    log: Log,
    stopping: AtomicBool,
    connections: Mutex<HashMap<u64, TcpStream>>,
    connection_count: AtomicU64,
}

impl Server {
    /// Listens on three ports of this machine, four with sockets, and returns at once.
    pub fn start(world: Arc<World>, options: Options) -> Server {
        let bind = |port| TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let (rest_port, s3_port) = options.ports.unwrap_or_default();
        let listeners = [bind(rest_port), bind(s3_port), bind(0)];
        let url = |listener: &TcpListener| {
            let address = listener.local_addr().expect("a listener has an address");
            format!("http://{address}")
        };
        let shared = Arc::new(Shared {
            now: Arc::new(AtomicI64::new(world.now)),
            world,
            options,
            files: Files::default(),
            admitted: Mutex::default(),
            rest_url: url(&listeners[0]),
            s3_url: url(&listeners[1]),
            elsewhere_url: url(&listeners[2]),
            faults: Mutex::default(),
            log: Log::default(),
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
            connection_count: AtomicU64::new(0),
        });
        let origins = [Origin::Rest, Origin::S3, Origin::Elsewhere];
        let listen = |(listener, origin): (TcpListener, Origin)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.listen(&listener, origin))
        };
        #[cfg(feature = "live")]
        let sockets = shared.options.stream.as_ref().map(|stream| {
            Sockets::start(&shared.world, &shared.options.api_key, stream, &shared.now)
        });
        Server {
            #[cfg(feature = "live")]
            sockets,
            listeners: listeners.into_iter().zip(origins).map(listen).collect(),
            shared,
        }
    }

    /// The base of the REST API, such as `http://127.0.0.1:41234`.
    pub fn rest_url(&self) -> &str {
        &self.shared.rest_url
    }

    /// The endpoint of the flat files, on another port.
    pub fn s3_url(&self) -> &str {
        &self.shared.s3_url
    }

    /// The origin to which redirects and foreign `next_url`s lead.
    pub fn elsewhere_url(&self) -> &str {
        &self.shared.elsewhere_url
    }

    /// The sockets, for there is a stream.
    #[cfg(feature = "live")]
    pub fn sockets(&self) -> &Sockets {
        self.sockets.as_ref().expect("the options have a stream")
    }

    pub fn inject(&self, fault: Fault) {
        self.shared.faults().inject(fault);
    }

    /// Forgets every fault; files that were re-issued stay so.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Moves the clock of the world.
    pub fn set_now(&self, ts: i64) {
        self.shared.now.store(ts, Ordering::Relaxed);
    }

    /// Gives the flat file of `key`, a path without the bucket, another content and ETag: what a
    /// [`Kind::Reissued`] does.
    pub fn reissue(&self, key: &str) {
        self.shared.files.reissue(key);
    }

    /// Every request so far, in order of arrival, from all three origins.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.log.all()
    }

    /// Those among [`Server::requests`] that came to the foreign origin.
    pub fn requests_elsewhere(&self) -> Vec<Logged> {
        let mut requests = self.requests();
        requests.retain(|request| request.origin == Origin::Elsewhere);
        requests
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for url in [self.rest_url(), self.s3_url(), self.elsewhere_url()] {
            // Wakes the listener, which then sees that it shall stop.
            drop(TcpStream::connect(url.trim_start_matches("http://")));
        }
        for listener in self.listeners.drain(..) {
            listener.join().ok();
        }
        for stream in self.shared.connections().values() {
            // It may have closed by itself.
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Shared {
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    pub fn rest_url(&self) -> &str {
        &self.rest_url
    }

    pub fn elsewhere_url(&self) -> &str {
        &self.elsewhere_url
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().expect("nobody panics while it is held")
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<u64, TcpStream>> {
        let connections = self.connections.lock();
        connections.expect("nobody panics while it is held")
    }

    fn listen(self: &Arc<Shared>, listener: &TcpListener, origin: Origin) {
        for stream in listener.incoming() {
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let Ok(second) = stream.try_clone() else {
                continue;
            };
            let number = self.connection_count.fetch_add(1, Ordering::Relaxed);
            self.connections().insert(number, second);
            let shared = Arc::clone(self);
            thread::spawn(move || {
                // An error here is a client that went away.
                shared.converse(stream, origin).ok();
                if let Some(stream) = shared.connections().remove(&number) {
                    stream.shutdown(Shutdown::Both).ok();
                }
            });
        }
    }

    /// Answers one request after the other until either side has had enough.
    fn converse(&self, mut stream: TcpStream, origin: Origin) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = Request::read(&mut reader)? {
            let mut entry = Logged::of(&request, origin);
            let kinds = self.faults().strike(&entry.target());
            entry.faults.clone_from(&kinds);
            let number = self.log.add(entry);
            let delivery = Delivery {
                kinds: &kinds,
                is_head: request.method == "HEAD",
                chunked: self.options.chunked,
                stopping: &self.stopping,
            };
            delivery.sleep(self.options.latency);
            if kinds.contains(&Kind::NoAnswer) {
                return Ok(());
            }
            let mut response = self.respond(&request, origin, &kinds);
            let gzip = request.header("accept-encoding").contains("gzip");
            response.encode(&kinds, gzip);
            self.log.status(number, response.status);
            let count = |bytes| self.log.count(number, bytes);
            let is_whole = delivery.send(&mut stream, &response, count)?;
            if !is_whole || request.header("connection").eq_ignore_ascii_case("close") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn respond(&self, request: &Request, origin: Origin, kinds: &[Kind]) -> Response {
        for kind in kinds {
            match kind {
                Kind::RedirectElsewhere => {
                    let target = format!("{}{}", self.elsewhere_url, request.raw_path);
                    return Response::new(302, "text/plain", "").with("Location", target);
                }
                Kind::Status {
                    status,
                    body,
                    retry_after,
                } => {
                    let response = refusal(origin, *status, *body);
                    return match retry_after {
                        Some(value) => response.with("Retry-After", value),
                        None => response,
                    };
                }
                _ => {}
            }
        }
        match origin {
            Origin::Rest => rest::respond(self, request, kinds),
            Origin::S3 => s3::respond(self, request, kinds),
            Origin::Elsewhere => Response::new(200, "application/json", "{}"),
        }
    }
}

/// An error out of the blue, in the manner of `origin`.
fn refusal(origin: Origin, status: u16, body: ErrorBody) -> Response {
    let page = format!("<html><body><h1>{status}</h1><p>nginx</p></body></html>");
    match (body, origin) {
        (ErrorBody::Html, _) => Response::new(status, "text/html", page),
        (ErrorBody::Empty, _) => Response::new(status, "text/plain", ""),
        (_, Origin::S3) => s3::error(status),
        (ErrorBody::Error, _) => rest::error(status, "error"),
        (ErrorBody::Message, _) => rest::error(status, "message"),
    }
}
