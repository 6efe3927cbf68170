//! Services on this machine: each takes what its documentation says it takes, refuses all else, and
//! remembers what it accepted.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// The one chat that the stand-in for Telegram knows.
pub const CHAT: i64 = -100_123;
pub const TOKEN: &str = "123456:AAF-not_a_real_token";
pub const DISCORD: &str = "api/webhooks/42/discord-secret-path";
pub const SLACK: &str = "services/T0/B0/slack-secret-path";
pub const WEBHOOK: &str = "hooks/webhook-secret-path";

/// What a service does with a message.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// What its documentation says.
    Documented,
    /// The same after a while.
    Slow(Duration),
    /// 429, with this many seconds to wait.
    TooFast(&'static str),
    /// 500.
    Broken,
    /// Accepts it and hangs up without a word.
    HangUp,
    /// Accepts it and never says so.
    Silence,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub head: String,
    pub body: Value,
}

pub struct Service {
    pub port: u16,
    accepted: Arc<Mutex<Vec<Received>>>,
    refused: Arc<Mutex<Vec<Received>>>,
}

impl Service {
    pub fn start() -> Service {
        Service::that(|| Reply::Documented)
    }

    /// Goes through `script`, then does as documented.
    pub fn with(script: &[Reply]) -> Service {
        let mut script = VecDeque::from(script.to_vec());
        Service::that(move || script.pop_front().unwrap_or(Reply::Documented))
    }

    /// Asks for each message what to do with it.
    pub fn that(mut reply: impl FnMut() -> Reply + Send + 'static) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let refused = Arc::new(Mutex::new(Vec::new()));
        let (taken, turned_away) = (accepted.clone(), refused.clone());
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                // Nothing whole came: the sender was killed.
                let Some(received) = read(&stream) else {
                    continue;
                };
                let reply = reply();
                if let Reply::Slow(time) = reply {
                    std::thread::sleep(time);
                }
                let (status, headers, answer) = match reply {
                    Reply::TooFast(seconds) => too_fast(seconds),
                    Reply::Broken => (500, String::new(), "oops".to_owned()),
                    _ => documented(&received),
                };
                let kept = match status {
                    200..300 => &taken,
                    _ => &turned_away,
                };
                kept.lock().expect("no holder panics").push(received);
                match reply {
                    Reply::HangUp => {}
                    Reply::Silence => silent.push(stream),
                    // Whoever was killed does not listen.
                    _ => drop(write!(
                        stream,
                        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n{answer}",
                        answer.len()
                    )),
                }
            }
        });
        Service {
            port,
            accepted,
            refused,
        }
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// What people got, in order.
    pub fn accepted(&self) -> Vec<Received> {
        self.accepted.lock().expect("no holder panics").clone()
    }

    /// What was turned away: troubles of the script, and what no service takes.
    pub fn refused(&self) -> Vec<Received> {
        self.refused.lock().expect("no holder panics").clone()
    }
}

impl Received {
    /// What a person reads.
    pub fn text(&self) -> String {
        let text = self.body.get("text").or(self.body.get("content"));
        let text = text
            .and_then(Value::as_str)
            .expect("every message has a text");
        // As its readers see it.
        match self.path.split('/').nth(1) {
            Some("api") => text.replace('\\', ""),
            Some("services") => {
                let plain = text.replace("&lt;", "<").replace("&gt;", ">");
                plain.replace("&amp;", "&")
            }
            _ => text.to_owned(),
        }
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        match reader.read_line(&mut head) {
            Ok(0) | Err(_) => return None,
            Ok(2) => break,
            Ok(_) => {}
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse().ok())?
    });
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        path: head.strip_prefix("POST ")?.split(' ').next()?.to_owned(),
        body: serde_json::from_slice(&body).ok()?,
        head,
    })
}

type Answer = (u16, String, String);

fn too_fast(seconds: &str) -> Answer {
    let body = json!({
        "ok": false,
        "error_code": 429,
        "description": "Too Many Requests",
        "parameters": { "retry_after": seconds.parse::<i64>().unwrap_or_default() },
        "retry_after": seconds.parse::<f64>().unwrap_or_default(),
    });
    (429, format!("Retry-After: {seconds}\r\n"), body.to_string())
}

/// What the service that `received` went to says to it.
fn documented(received: &Received) -> Answer {
    let Received { path, head, body } = received;
    let is_json = head
        .to_ascii_lowercase()
        .contains("content-type: application/json");
    let length = |field: &str| {
        let text = body[field].as_str().unwrap_or_default();
        text.encode_utf16().count()
    };
    let has_only = |names: &[&str]| {
        let fields = body.as_object().into_iter().flatten();
        fields
            .into_iter()
            .all(|(name, _)| names.contains(&name.as_str()))
    };
    let plain = |status, body: Value| (status, String::new(), body.to_string());
    if !is_json {
        return plain(415, json!("JSON is what is spoken here"));
    }
    if *path == format!("/bot{TOKEN}/sendMessage") {
        let is_good = has_only(&["chat_id", "text", "link_preview_options"])
            && (1..=4_096).contains(&length("text"));
        return match (body["chat_id"] == CHAT, is_good) {
            (true, true) => plain(200, json!({"ok": true, "result": {"message_id": 7}})),
            (false, _) => plain(
                400,
                json!({"ok": false, "error_code": 400, "description": "Bad Request: chat not found"}),
            ),
            _ => plain(
                400,
                json!({"ok": false, "error_code": 400, "description": "Bad Request: message is wrong"}),
            ),
        };
    }
    if *path == format!("/{DISCORD}?wait=true") {
        let is_good = has_only(&["content", "allowed_mentions"])
            && body["allowed_mentions"] == json!({"parse": []})
            && (1..=2_000).contains(&length("content"));
        return match is_good {
            true => plain(200, json!({"id": "1", "type": 0})),
            false => plain(400, json!({"code": 50035, "message": "Invalid Form Body"})),
        };
    }
    if *path == format!("/{SLACK}") {
        let is_good =
            has_only(&["text", "mrkdwn", "unfurl_links"]) && (1..=4_000).contains(&length("text"));
        return match is_good {
            true => (200, String::new(), "ok".to_owned()),
            false => (400, String::new(), "invalid_payload".to_owned()),
        };
    }
    if *path == format!("/{WEBHOOK}") {
        let names = ["kind", "ids", "channel", "maybe_repeat", "text"];
        let has_key = head.to_ascii_lowercase().contains("idempotency-key: ");
        return match has_key && has_only(&names) && names.iter().all(|n| body.get(n).is_some()) {
            true => (202, String::new(), String::new()),
            false => plain(422, json!("no such fields")),
        };
    }
    plain(
        404,
        json!({"ok": false, "error_code": 404, "description": "Not Found"}),
    )
}
