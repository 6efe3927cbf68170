//! A bucket for the tests of this folder: a server on this machine that answers as a test tells it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::*;
use crate::config::secret::{FlatFileKeys, Secret};

pub(super) const KEY_ID: &str = "AKIAEXAMPLEEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI-not-a-real-one";
pub(super) const KEY: &str = "us_options_opra/trades_v1/2026/10/2026-10-14.csv.gz";

pub(super) fn keys() -> FlatFileKeys {
    FlatFileKeys {
        access_key_id: Secret::new(KEY_ID),
        secret_access_key: Secret::new(SECRET),
    }
}

/// What the server does with a request.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Bytes of the body that are sent before the connection is closed.
    cut: Option<usize>,
    /// The connection stays open for so long after the cut.
    pub hang: Duration,
}

pub(super) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
        cut: None,
        hang: Duration::ZERO,
    }
}

impl Reply {
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub fn cut(mut self, at: usize) -> Reply {
        self.cut = Some(at);
        self
    }
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><StringToSign>AWS4 {KEY_ID}</StringToSign></Error>"
    );
    reply(status, body)
}

/// The whole object, or the part the request asks for.
pub(super) fn object(request: &str, etag: &str, bytes: &[u8]) -> Reply {
    let from = request.lines().find_map(|line| {
        let range = line.strip_prefix("range: bytes=")?;
        range.strip_suffix('-')?.parse::<usize>().ok()
    });
    let whole = |status, part: &[u8]| reply(status, part).header("ETag", format!("\"{etag}\""));
    match from {
        None => whole(200, bytes),
        Some(_) if !request.contains(&format!("if-match: \"{etag}\"")) => {
            error(412, "PreconditionFailed", "").header("ETag", format!("\"{etag}\""))
        }
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            whole(206, &bytes[from..]).header("Content-Range", range)
        }
    }
}

pub(super) struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `answer` gets the number of the request and its head in lower case except for the first line.
    pub fn start(mut answer: impl FnMut(usize, &str) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (seen, over) = (requests.clone(), is_over.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                let head = read_head(&stream);
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(head.clone());
                send(&stream, &head, answer(number, &head));
            }
        });
        Server {
            address,
            requests,
            is_over,
            thread: Some(thread),
        }
    }

    pub fn files(&self) -> FlatFiles {
        self.files_until(Arc::new(AtomicBool::new(false)))
    }

    pub fn files_until(&self, stop: Arc<AtomicBool>) -> FlatFiles {
        let settings = S3Settings {
            endpoint: format!("http://{}", self.address).parse().unwrap(),
            stall_timeout: Duration::from_millis(300),
            tries: 3,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(4),
            ..S3Settings::default()
        };
        FlatFiles::new(settings, &keys(), stop).unwrap()
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        match head.is_empty() {
            true => head += &line,
            false => head += &line.to_lowercase(),
        }
        head.push('\n');
    }
    head
}

fn send(mut stream: &TcpStream, request: &str, reply: Reply) {
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    head += &format!("Content-Length: {}\r\n", reply.body.len());
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let sent = match request.starts_with("HEAD") {
        true => 0,
        false => reply.cut.unwrap_or(reply.body.len()),
    };
    // The client may have gone away by now.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(&reply.body[..sent]);
    thread::sleep(reply.hang);
    let _ = stream.shutdown(Shutdown::Both);
}

/// Bytes that are all different from their neighbours, so that no two parts can be confused.
pub(super) fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n * 7 + n / 251) as u8).collect()
}

/// Reads a file to its end.
pub(super) fn read(files: &FlatFiles) -> Result<Vec<u8>, S3Error> {
    let mut download = files.get(KEY)?;
    let mut found = Vec::new();
    match download.read_to_end(&mut found) {
        Ok(_) => Ok(found),
        Err(error) => Err(error.downcast::<S3Error>().unwrap()),
    }
}

/// No text that a person may see holds a secret or an address.
pub(super) fn check_discreet(error: &S3Error) {
    let text = format!("{error} {error:?} {:?}", error.hint());
    for secret in [KEY_ID, SECRET, "X-Amz", "127.0.0.1", "http://"] {
        assert!(!text.contains(secret), "{text}");
    }
}

pub(super) fn fails(server: &Server) -> S3Error {
    let error = read(&server.files()).unwrap_err();
    check_discreet(&error);
    error
}
