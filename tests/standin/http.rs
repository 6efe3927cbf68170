//! HTTP/1.1 as far as a client of the vendor needs it: a request line with headers in, a body with
//! its length or in chunks out, faults of delivery included.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use super::faults::Kind;

/// More than any honest head of a request has.
const MAX_HEAD: u64 = 64 * 1024;
const BLOCK: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Request {
    pub method: String,
    /// As it was sent, still encoded.
    pub raw_path: String,
    /// Decoded.
    pub path: String,
    /// Decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    /// The next request of a connection; `None` when the client has left or speaks no HTTP.
    pub fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
        let mut head = reader.by_ref().take(MAX_HEAD);
        let mut line = String::new();
        head.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let Ok(url) = Url::parse("http://stand-in").and_then(|base| base.join(target)) else {
            return Ok(None);
        };
        let mut request = Request {
            method: method.to_owned(),
            raw_path: url.path().to_owned(),
            path: decode(url.path()),
            query: url.query_pairs().into_owned().collect(),
            headers: BTreeMap::new(),
        };
        loop {
            let mut line = String::new();
            if head.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                let name = name.trim().to_ascii_lowercase();
                request.headers.insert(name, value.trim().to_owned());
            }
        }
        let length = request.header("content-length").parse().unwrap_or(0);
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        Ok(Some(request))
    }

    /// The value of a header, empty when it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The first value of a parameter of the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }
}

/// Turns `%3A` into `:`. A `%` that begins nothing stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Arc<Vec<u8>>,
    /// The part of `body` that is sent.
    pub range: Range<usize>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let body = Arc::new(body.into());
        Response {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            range: 0..body.len(),
            body,
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name, value.into()));
        self
    }

    fn replace_body(&mut self, body: Vec<u8>) {
        self.range = 0..body.len();
        self.body = Arc::new(body);
    }

    /// Spoils the body or packs it, as `kinds` and the client want it.
    pub fn encode(&mut self, kinds: &[Kind], accepts_gzip: bool) {
        let is_json = self
            .headers
            .iter()
            .any(|(_, value)| value == "application/json");
        if is_json && kinds.contains(&Kind::HalfJson) {
            self.range.end /= 2;
        }
        let missing = kinds.iter().find_map(|kind| match kind {
            Kind::TruncatedGzip { missing } => Some(*missing),
            _ => None,
        });
        if is_json && (accepts_gzip || missing.is_some()) {
            self.replace_body(gzip(&self.body[self.range.clone()]));
            self.headers.push(("Content-Encoding", "gzip".to_owned()));
        }
        if let Some(missing) = missing {
            let shorter = self.range.end.saturating_sub(missing);
            self.range.end = shorter.max(self.range.start);
        }
    }
}

/// The same bytes for the same content, at any time and on any machine.
pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}

/// How a response goes over the wire.
pub(super) struct Delivery<'a> {
    pub kinds: &'a [Kind],
    pub is_head: bool,
    pub chunked: bool,
    pub stopping: &'a AtomicBool,
}

impl Delivery<'_> {
    /// Sends `response`; `count` hears of body bytes before they go out, and of the negative number
    /// when they could not. False when the connection cannot be used again.
    pub fn send(
        &self,
        stream: &mut TcpStream,
        response: &Response,
        mut count: impl FnMut(i64),
    ) -> io::Result<bool> {
        let chunked = self.chunked && response.status == 200 && !self.is_head;
        let mut head = format!("HTTP/1.1 {} Stand-In\r\n", response.status);
        for (name, value) in &response.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &match chunked {
            true => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
            false => format!("Content-Length: {}\r\n\r\n", response.range.len()),
        };
        stream.write_all(head.as_bytes())?;
        if self.is_head {
            return Ok(true);
        }
        let body = &response.body[response.range.clone()];
        let (mut end, mut block, mut pause, mut stall) = (body.len(), BLOCK, None, false);
        for kind in self.kinds {
            match kind {
                Kind::Cut { after } => end = end.min(*after).min(body.len().saturating_sub(1)),
                Kind::Stall { after } => {
                    end = end.min(*after).min(body.len().saturating_sub(1));
                    stall = true;
                }
                Kind::Dribble { bytes, every } => {
                    (block, pause) = ((*bytes).max(1), Some(*every));
                }
                _ => {}
            }
        }
        for block in body[..end].chunks(block) {
            if let Some(pause) = pause {
                self.sleep(pause);
            }
            count(block.len() as i64);
            let sent = match chunked {
                true => write_chunk(stream, block),
                false => stream.write_all(block),
            };
            if let Err(error) = sent {
                count(-(block.len() as i64));
                return Err(error);
            }
        }
        while stall && !self.stopping.load(Ordering::Relaxed) && is_open(stream)? {
            thread::sleep(Duration::from_millis(5));
        }
        let is_whole = end == body.len();
        if is_whole && chunked {
            stream.write_all(b"0\r\n\r\n")?;
        }
        Ok(is_whole)
    }

    /// Sleeps in slices, so that a stopping server is not held up.
    pub fn sleep(&self, mut time: Duration) {
        while !time.is_zero() && !self.stopping.load(Ordering::Relaxed) {
            let slice = time.min(Duration::from_millis(20));
            thread::sleep(slice);
            time -= slice;
        }
    }
}

fn write_chunk(stream: &mut TcpStream, block: &[u8]) -> io::Result<()> {
    let mut chunk = format!("{:x}\r\n", block.len()).into_bytes();
    chunk.extend_from_slice(block);
    chunk.extend_from_slice(b"\r\n");
    stream.write_all(&chunk)
}

/// False once the client has closed its side.
fn is_open(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let open = match stream.peek(&mut [0]) {
        Ok(read) => read > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    };
    stream.set_nonblocking(false)?;
    Ok(open)
}
