//! A server that follows a script: one step for each connection, in their order.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};
use url::Url;

/// What to do with one connection.
pub type Step = Box<dyn FnOnce(Peer) + Send>;

pub struct Server {
    pub url: Url,
    /// What clients said, a line each.
    pub heard: Receiver<String>,
    thread: JoinHandle<()>,
}

/// The client as the server sees it.
pub struct Peer {
    tcp: TcpStream,
    socket: Option<WebSocket<TcpStream>>,
    heard: Sender<String>,
}

pub fn step(step: impl FnOnce(Peer) + Send + 'static) -> Step {
    Box::new(step)
}

impl Server {
    pub fn start(script: Vec<Step>) -> Server {
        Server::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    pub fn on(listener: TcpListener, script: Vec<Step>) -> Server {
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = channel();
        let thread = std::thread::spawn(move || {
            for step in script {
                let (tcp, _) = listener.accept().unwrap();
                step(Peer {
                    tcp,
                    socket: None,
                    heard: tell.clone(),
                });
            }
        });
        Server {
            url: Url::parse(&format!("ws://127.0.0.1:{port}/options")).unwrap(),
            heard,
            thread,
        }
    }

    /// All that clients said, once the script is over.
    pub fn end(self) -> Vec<String> {
        self.thread.join().unwrap();
        self.heard.try_iter().collect()
    }
}

impl Peer {
    /// An answer to the handshake that is none.
    pub fn answer(mut self, status: &str) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.tcp.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        self.tcp.write_all(answer.as_bytes()).unwrap();
    }

    /// Talks before it listens, and not as it should.
    pub fn blurt(mut self) {
        self.tcp.write_all(b"220 good morning\r\n").unwrap();
        self.tcp.shutdown(Shutdown::Write).unwrap();
        self.tcp.read_to_end(&mut Vec::new()).ok();
    }

    /// The handshake, the greeting, and the key heard.
    pub fn greet(&mut self) {
        self.socket = Some(accept(self.tcp.try_clone().unwrap()).unwrap());
        self.status("connected", "Connected Successfully");
        self.hear();
    }

    /// As far as a client with a good key gets, with each of `subscriptions` calls confirmed.
    pub fn welcome(&mut self, subscriptions: usize) {
        self.greet();
        self.status("auth_success", "authenticated");
        for _ in 0..subscriptions {
            self.confirm();
        }
    }

    /// A subscription heard and confirmed, item by item.
    pub fn confirm(&mut self) {
        let line = self.hear().expect("a subscription");
        let asked: serde_json::Value = serde_json::from_str(&line).unwrap();
        for item in asked["params"].as_str().unwrap().split(',') {
            self.status("success", &format!("subscribed to: {item}"));
        }
    }

    pub fn status(&mut self, status: &str, message: &str) {
        self.say(&format!(
            r#"[{{"ev":"status","status":"{status}","message":"{message}"}}]"#
        ));
    }

    pub fn say(&mut self, text: &str) {
        self.send(Message::text(text));
    }

    pub fn send(&mut self, message: Message) {
        // The client may have left on what was said before.
        self.socket.as_mut().unwrap().send(message).ok();
    }

    /// The next text of the client; `None` when it closes. Pings are answered on the way.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            let line = match self.socket.as_mut().unwrap().read() {
                Ok(Message::Text(text)) => text.to_string(),
                Ok(Message::Ping(_)) => "ping".to_owned(),
                Ok(Message::Close(frame)) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    self.note(format!("close {code:?}"));
                    return None;
                }
                Ok(_) => continue,
                Err(_) => return None,
            };
            self.note(line.clone());
            return Some(line);
        }
    }

    /// Until the client is gone.
    pub fn stay(mut self) {
        while self.hear().is_some() {}
        // What is still to be sent is the answer to its close.
        self.socket.unwrap().flush().ok();
    }

    pub fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        self.socket.as_mut().unwrap().close(Some(frame)).ok();
        self.stay();
    }

    /// Gone without a word.
    pub fn vanish(self) {
        self.tcp.shutdown(Shutdown::Both).unwrap();
    }

    fn note(&self, line: String) {
        self.heard.send(line).ok();
    }
}
