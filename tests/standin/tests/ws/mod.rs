//! The sockets, read by a plain client.

/// Whatever can go wrong does, when told or planned.
mod faults;
/// Key, subscriptions, statuses.
mod protocol;
/// What is told, and when.
mod stream;

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, connect};

use super::super::new_york;
use super::super::world::Print;
use super::super::ws::{Feed, Stream};
use super::super::{Options, Server, World};

const XYZ_CALL: &str = "O:XYZ251010C00020000";

fn tuesday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 10, 7).expect("a date")
}

/// Tuesday, as fast as it can be read.
fn fast() -> Stream {
    Stream {
        days: vec![tuesday()],
        pace: f64::INFINITY,
        ..Stream::default()
    }
}

fn start(stream: Stream) -> Server {
    start_with(World::tiny(), stream)
}

fn start_with(world: World, stream: Stream) -> Server {
    let options = Options {
        stream: Some(stream),
        ..Options::default()
    };
    Server::start(Arc::new(world), options)
}

/// On Tuesday, `count` prints of one contract, ten milliseconds apart and two in each; their sizes
/// count from 1.
fn busy(count: i64) -> World {
    let mut world = World::tiny();
    let stock = world.stocks.get_mut("XYZ").expect("a ticker of the world");
    let contract = stock.contracts.get_mut(XYZ_CALL).expect("its contract");
    let print = |number: i64| Print {
        ts: new_york::at(tuesday(), 10, 0) + (5 + number / 2 * 10) * 1_000_000,
        price: 6.35,
        size: number + 1,
        exchange: 312,
        conditions: Vec::new(),
        correction: 0,
    };
    let prints = (0..count).map(print).collect();
    contract.prints.insert(tuesday(), prints);
    world
}

struct Client(WebSocket<MaybeTlsStream<TcpStream>>);

impl Client {
    fn connect(server: &Server, feed: Feed) -> Result<Client, Error> {
        let (socket, _) = connect(server.sockets().url(feed))?;
        Ok(Client(socket))
    }

    /// With the right key, and the greetings read.
    fn enter(server: &Server, feed: Feed) -> Client {
        let mut client = Client::connect(server, feed).expect("the door is open");
        assert_eq!(client.status(), "connected: Connected Successfully");
        client.ask("auth", &Options::default().api_key);
        assert_eq!(client.status(), "auth_success: authenticated");
        client
    }

    /// Subscribed to items that are all confirmed.
    fn subscribed(server: &Server, feed: Feed, items: &str) -> Client {
        let mut client = Client::enter(server, feed);
        client.ask("subscribe", items);
        for item in items.split(',') {
            let confirmed = format!("success: subscribed to: {item}");
            assert_eq!(client.status(), confirmed);
        }
        client
    }

    fn ask(&mut self, action: &str, params: &str) {
        let text = json!({"action": action, "params": params}).to_string();
        self.0.send(Message::text(text)).expect("the server reads");
    }

    /// The next frame, which has to be a single status.
    fn status(&mut self) -> String {
        let message = self.0.read().expect("a frame");
        let text = message.to_text().expect("a text frame");
        let frame: Value = serde_json::from_str(text).expect("the frame is JSON");
        assert_eq!(frame.as_array().map(Vec::len), Some(1), "{text}");
        assert_eq!(frame[0]["ev"], "status", "{text}");
        let text = |field: &str| frame[0][field].as_str().expect("a text").to_owned();
        format!("{}: {}", text("status"), text("message"))
    }

    /// What comes until the stream is done, or the connection over: texts as they are.
    fn frames(&mut self, server: &Server) -> Vec<String> {
        let mut frames = Vec::new();
        let mut is_pinged = false;
        self.patience(Some(Duration::from_millis(20)));
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => frames.push(text.to_string()),
                Ok(Message::Binary(bytes)) => frames.push(format!("binary {}", bytes.len())),
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(0, |frame| u16::from(frame.code));
                    frames.push(format!("close {code}"));
                }
                Ok(Message::Pong(_)) => return frames,
                Ok(_) => {}
                Err(Error::Io(error)) if is_timeout(&error) => {
                    // The answer to a ping comes after all that waits.
                    if server.sockets().stream_done() && !is_pinged {
                        is_pinged = true;
                        let ping = Message::Ping(Default::default());
                        self.0.send(ping).expect("the connection is open");
                    }
                }
                Err(Error::ConnectionClosed) => return frames,
                Err(error) => {
                    frames.push(format!("lost: {error}"));
                    return frames;
                }
            }
        }
    }

    /// The messages of [`Client::frames`], each of which is good.
    fn messages(&mut self, server: &Server) -> Vec<Value> {
        let frames = self.frames(server);
        frames.iter().flat_map(|frame| parse(frame)).collect()
    }

    fn patience(&mut self, patience: Option<Duration>) {
        let MaybeTlsStream::Plain(stream) = self.0.get_ref() else {
            panic!("the stand-in speaks plainly");
        };
        stream.set_read_timeout(patience).expect("an open socket");
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn parse(frame: &str) -> Vec<Value> {
    serde_json::from_str(frame).unwrap_or_else(|error| panic!("{error}: {frame}"))
}

/// One field of many messages.
fn field(messages: &[Value], name: &str) -> String {
    let texts: Vec<String> = messages.iter().map(|m| m[name].to_string()).collect();
    texts.join(" ").replace('"', "")
}

/// Waits for what must come, however slow the machine is.
fn until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(300), "it never came");
        thread::sleep(Duration::from_millis(1));
    }
}
