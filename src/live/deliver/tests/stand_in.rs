//! A stand-in for all services: goes through a script of troubles, then accepts what the documentation
//! of the service that the path belongs to would let it accept.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};
use url::Url;

use super::Diary;

pub(super) enum Reply {
    Accept,
    /// Status, headers, body.
    Answer(u16, &'static str, String),
    /// Takes the message and never answers.
    Silence,
    /// Takes the message and closes the connection.
    HangUp,
    /// Resets the connection with most of the message unread.
    Reset,
    /// Accepts once the gate is open.
    Behind(Arc<Gate>),
    /// Refuses with everything that was asked for.
    Echo(u16),
}

#[derive(Default)]
pub(super) struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.changed.wait_while(is_open, |is_open| !*is_open));
    }
}

#[derive(Clone, Debug)]
pub(super) struct Received {
    pub target: String,
    /// As they came, one per line.
    pub head: String,
    pub body: Value,
}

pub(super) struct StandIn {
    pub url: Url,
    accepted: Arc<Mutex<Vec<Received>>>,
}

impl StandIn {
    pub fn start(script: Vec<Reply>, diary: Diary) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&accepted);
        let mut script = VecDeque::from(script);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                if matches!(script.front(), Some(Reply::Reset)) {
                    script.pop_front();
                    let _ = stream.read(&mut [0]);
                    continue;
                }
                let Some(received) = read(&stream) else {
                    continue;
                };
                let reply = script.pop_front().unwrap_or(Reply::Accept);
                if matches!(reply, Reply::Silence) {
                    diary.note("silence".to_owned());
                    silent.push(stream);
                } else {
                    let (status, headers, body) = answer(reply, &received);
                    diary.note(format!("answer {status}"));
                    if status == 200 {
                        seen.lock().unwrap().push(received);
                    }
                    let _ = send(&mut stream, status, headers, &body);
                }
            }
        });
        StandIn {
            url: Url::parse(&url).unwrap(),
            accepted,
        }
    }

    /// The messages that arrived, as the service sees it.
    pub fn accepted(&self) -> Vec<Received> {
        self.accepted.lock().unwrap().clone()
    }

    /// The texts of them, in whichever field the service has them.
    pub fn texts(&self) -> Vec<String> {
        let accepted = self.accepted();
        let text = |one: &Received| {
            let text = one.body.get("text").or(one.body.get("content"));
            text.unwrap().as_str().unwrap().to_owned()
        };
        accepted.iter().map(text).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse().ok())?
    });
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        target: head.split(' ').nth(1)?.to_owned(),
        body: serde_json::from_slice(&body).ok()?,
        head,
    })
}

fn answer(reply: Reply, received: &Received) -> (u16, &'static str, String) {
    match reply {
        Reply::Accept => documented(received),
        Reply::Behind(gate) => {
            gate.wait();
            documented(received)
        }
        Reply::Answer(status, headers, body) => (status, headers, body),
        Reply::Echo(status) => (
            status,
            "",
            format!("cannot {} {}", received.target, received.body),
        ),
        // Accepted for all the sender can know.
        Reply::HangUp | Reply::Reset | Reply::Silence => (0, "", String::new()),
    }
}

fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    if status == 0 {
        return Ok(());
    }
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// What the service answers to a request, with its own refusal when that is not as documented.
fn documented(received: &Received) -> (u16, &'static str, String) {
    let path = received.target.as_str();
    let body = &received.body;
    let length = |field: &str| {
        let text = body[field].as_str().unwrap_or_default();
        text.encode_utf16().count()
    };
    let has_only = |names: &[&str]| {
        let fields = body.as_object().unwrap();
        fields.keys().all(|name| names.contains(&name.as_str()))
    };
    if path.starts_with("/bot") {
        let is_good = path.ends_with("/sendMessage")
            && has_only(&["chat_id", "text", "link_preview_options"])
            && (body["chat_id"].is_i64() || body["chat_id"].is_string())
            && (1..=4_096).contains(&length("text"));
        return match is_good {
            true => (
                200,
                "",
                json!({"ok": true, "result": {"message_id": 1}}).to_string(),
            ),
            false => (
                400,
                "",
                json!({"ok": false, "description": "Bad Request"}).to_string(),
            ),
        };
    }
    if path.starts_with("/api/webhooks/") {
        let is_good = path.ends_with("?wait=true")
            && has_only(&["content", "allowed_mentions"])
            && (1..=2_000).contains(&length("content"));
        return match is_good {
            true => (200, "", json!({"id": "1"}).to_string()),
            false => (400, "", json!({"message": "Invalid Form Body"}).to_string()),
        };
    }
    if path.starts_with("/services/") {
        let is_good = has_only(&["text", "mrkdwn", "unfurl_links"]) && length("text") <= 4_000;
        return match is_good {
            true => (200, "", "ok".to_owned()),
            false => (400, "", "invalid_payload".to_owned()),
        };
    }
    (200, "", String::new())
}
