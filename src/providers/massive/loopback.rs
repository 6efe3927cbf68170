//! A server for the tests of this folder: scripted answers on this machine's own loopback.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

/// One answer of the script.
#[derive(Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How much of the body is sent before the connection is closed.
    sent: usize,
    /// A wait between single bytes.
    drip: Option<Duration>,
}

impl Reply {
    pub fn new(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            sent: usize::MAX,
            drip: None,
        }
    }

    pub fn ok(body: &str) -> Reply {
        Reply::new(200, body)
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub fn gzip(mut self) -> Reply {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    /// The body and its announced length are both cut: the transfer is whole, the content is not.
    pub fn truncated(mut self, by: usize) -> Reply {
        self.body.truncate(self.body.len() - by);
        self
    }

    /// The connection closes after `sent` bytes of a longer body.
    pub fn reset_after(mut self, sent: usize) -> Reply {
        self.sent = sent;
        self
    }

    pub fn dripping(mut self, wait: Duration) -> Reply {
        self.drip = Some(wait);
        self
    }

    /// Whoever asked may have gone: that is no error here.
    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!(
            "HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        let body = &self.body[..self.sent.min(self.body.len())];
        match self.drip {
            None => stream.write_all(body)?,
            Some(wait) => {
                for byte in body {
                    stream.write_all(&[*byte])?;
                    std::thread::sleep(wait);
                }
            }
        }
        stream.shutdown(Shutdown::Both)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Path and query.
    pub target: String,
    pub authorization: Option<String>,
}

/// Answers in the order of its script, and with 599 beyond its end.
pub(super) struct Server {
    pub url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(script: impl FnOnce(&str) -> Vec<Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(VecDeque::from(script(&address))));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || answer(stream, &script, &log));
            }
        });
        Server {
            url: Url::parse(&address).unwrap(),
            requests,
        }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<VecDeque<Reply>>, log: &Mutex<Vec<Request>>) {
    let lines: Vec<String> = BufReader::new(&stream)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let Some(target) = lines.first().and_then(|line| line.split(' ').nth(1)) else {
        return;
    };
    let authorization = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization")
            .then(|| value.to_owned())
    });
    log.lock().unwrap().push(Request {
        target: target.to_owned(),
        authorization,
    });
    let reply = script.lock().unwrap().pop_front();
    let reply = reply.unwrap_or_else(|| Reply::new(599, "the script is over"));
    let _ = reply.send(&mut stream);
}
