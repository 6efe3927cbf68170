//! One connection: from an address to frames in the inbox, and at last to why it ended.
//!
//! ```text
//! open ─ greeting ─ key ─ accepted ─ subscribe, confirmed ─ subscribe, confirmed ─ up ─ frames … lost
//! ```
//!
//! Reading never waits for whoever uses the frames, and nothing but the key's own message holds the key.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, WebSocketConfig, frame::coding::CloseCode,
};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::{Host, Url};

use super::lost::{Lost, shown};
use super::reconnect::{Line, OFFER_EVERY, SocketSettings};
use super::silence::Silence;
use super::wire::{Status, items_of, said};

/// The vendor's own client accepts a megabyte.
const LARGEST_FRAME: usize = 16 << 20;
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The handshake done, nothing said yet.
pub(super) async fn open(settings: &SocketSettings) -> Result<Stream, Lost> {
    let after = settings.patience.connect;
    let what = "connection";
    let opening = timeout(after, handshake(&settings.url));
    opening.await.unwrap_or(Err(Lost::Late { what, after }))
}

async fn handshake(url: &Url) -> Result<Stream, Lost> {
    // Another crate may bring a second one in, and then none would be chosen by itself.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let ring = rustls::crypto::ring::default_provider();
        ring.install_default()
            .unwrap_or_else(|_| log::debug!("another thread was first"));
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(Lost::BadAddress);
    };
    let tcp = match host {
        Host::Domain(name) => TcpStream::connect((name, port)).await,
        Host::Ipv4(ip) => TcpStream::connect((ip, port)).await,
        Host::Ipv6(ip) => TcpStream::connect((ip, port)).await,
    };
    // The address may hold more than the host, which nobody needs to see.
    let shown = format!("{host}:{port}");
    let tcp = tcp.map_err(|error| Lost::before(error.into(), &shown))?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let stream = client_async_tls_with_config(url.as_str(), tcp, Some(limits), None).await;
    match stream {
        Ok((stream, _)) => Ok(stream),
        Err(error) => Err(Lost::before(error, &shown)),
    }
}

/// Says goodbye, and waits a moment for the answer.
pub(super) async fn close(mut stream: Stream) {
    let goodbye = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::from_static(""),
    };
    let closing = async {
        if stream.close(Some(goodbye)).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    if timeout(CLOSE_WITHIN, closing).await.is_err() {
        log::debug!("the server did not answer the close");
    }
}

/// A connection after its handshake.
pub(super) struct Connection<'l, O> {
    line: &'l mut Line<O>,
    stream: &'l mut Stream,
    /// By the frame read last; the next one to heed is at the end.
    said: Vec<Status>,
    /// The subscription whose answer is awaited.
    asked: Option<String>,
    unconfirmed: BTreeSet<String>,
    /// The last sign of life.
    heard: Instant,
    next_ping: Instant,
    silence: Silence,
}

impl<'l, O: Fn() -> bool> Connection<'l, O> {
    pub fn new(line: &'l mut Line<O>, stream: &'l mut Stream) -> Connection<'l, O> {
        let now = Instant::now();
        Connection {
            said: Vec::new(),
            asked: None,
            unconfirmed: BTreeSet::new(),
            heard: now,
            next_ping: now + line.settings.patience.ping_every,
            silence: Silence::new(line.settings.stale_after, now),
            line,
            stream,
        }
    }

    pub async fn live(mut self) -> Lost {
        match self.talk().await {
            Err(lost) => lost,
            Ok(never) => match never {},
        }
    }

    async fn talk(&mut self) -> Result<Infallible, Lost> {
        self.expect(Status::Connected, "greeting").await?;
        let key = self.line.settings.key.expose();
        self.ask(json!({"action": "auth", "params": key})).await?;
        self.expect(Status::Authenticated, "answer to the key")
            .await?;
        for subscription in self.line.settings.subscriptions.clone() {
            self.subscribe(subscription).await?;
        }
        self.line.up();
        loop {
            if let Some(status) = self.next_status(None).await? {
                self.heed(status)?;
            }
        }
    }

    async fn expect(&mut self, expected: Status, what: &'static str) -> Result<(), Lost> {
        let after = self.line.settings.patience.connect;
        let until = Instant::now() + after;
        loop {
            match self.next_status(Some(until)).await? {
                Some(status) if status == expected => return Ok(()),
                Some(status) => self.heed(status)?,
                None => return Err(Lost::Late { what, after }),
            }
        }
    }

    /// Returns once all of it is confirmed, or the patience for that is over.
    async fn subscribe(&mut self, subscription: String) -> Result<(), Lost> {
        let items = items_of(&subscription).map(str::to_owned);
        self.unconfirmed.extend(items);
        self.ask(json!({"action": "subscribe", "params": subscription}))
            .await?;
        let until = Instant::now() + self.line.settings.patience.confirm;
        self.asked = Some(subscription.clone());
        while items_of(&subscription).any(|item| self.unconfirmed.contains(item)) {
            match self.next_status(Some(until)).await? {
                Some(status) => self.heed(status)?,
                None => break,
            }
        }
        self.asked = None;
        Ok(())
    }

    /// What any status means at any time.
    fn heed(&mut self, status: Status) -> Result<(), Lost> {
        let feed = self.line.feed;
        let key = &self.line.settings.key;
        match status {
            Status::Connected | Status::Authenticated => {}
            Status::Subscribed(items) => self.unconfirmed.retain(|item| !items.contains(item)),
            Status::AuthFailed => return Err(Lost::AuthFailed),
            Status::AuthTimeout => return Err(Lost::AuthTimeout),
            Status::MaxConnections(message) => {
                let message = shown(&message, key);
                return Err(Lost::Busy { message });
            }
            Status::Error(message) => {
                let is_refusal = message.to_ascii_lowercase().contains("not authorized");
                let message = shown(&message, key);
                if is_refusal && let Some(subscription) = self.suspect() {
                    return Err(Lost::NotAuthorized { subscription });
                }
                if !self.line.is_up() {
                    return Err(Lost::Reported { message });
                }
                log::warn!("{feed} feed: the server reports an error: {message}");
            }
            Status::Other(message) => {
                log::debug!("{feed} feed: the server says: {}", shown(&message, key));
            }
        }
        Ok(())
    }

    /// Whatever a refusal that names nothing can be about.
    fn suspect(&self) -> Option<String> {
        let unconfirmed = || {
            let items: Vec<&str> = self.unconfirmed.iter().map(String::as_str).collect();
            (!items.is_empty()).then(|| items.join(","))
        };
        let subscription = self.asked.clone().or_else(unconfirmed)?;
        Some(shown(&subscription, &self.line.settings.key))
    }

    /// Reads until the server says something about the connection; `None` when `until` came first.
    /// What it streams goes to the inbox on the way.
    async fn next_status(&mut self, until: Option<Instant>) -> Result<Option<Status>, Lost> {
        loop {
            if let Some(status) = self.said.pop() {
                return Ok(Some(status));
            }
            let wake = self.wake(until);
            match timeout_at(wake, self.stream.next()).await {
                Ok(Some(Ok(message))) => self.hear(message)?,
                Ok(Some(Err(error))) => return Err(Lost::broken(error)),
                Ok(None) => return Err(Lost::closed(None, &self.line.settings.key)),
                Err(_) => self.check()?,
            }
            // Also while frames follow each other without a pause.
            let now = Instant::now();
            if now >= self.next_ping {
                self.next_ping = now + self.line.settings.patience.ping_every;
                self.send(Message::Ping(Bytes::new())).await?;
            }
            if self.said.is_empty() && until.is_some_and(|until| now >= until) {
                return Ok(None);
            }
        }
    }

    /// The next time at which something has to be done if nothing comes.
    fn wake(&self, until: Option<Instant>) -> Instant {
        let dead = self.heard + self.line.settings.patience.dead_after;
        let mut wake = dead.min(self.next_ping).min(self.silence.next_check());
        if let Some(until) = until {
            wake = wake.min(until);
        }
        if self.line.out.is_keeping() {
            wake = wake.min(Instant::now() + OFFER_EVERY);
        }
        wake
    }

    fn hear(&mut self, message: Message) -> Result<(), Lost> {
        let now = Instant::now();
        self.heard = now;
        match message {
            Message::Text(text) => self.take(text, now),
            Message::Binary(_) => {
                self.line.gauges.malformed.add(1);
                Ok(())
            }
            Message::Close(frame) => Err(Lost::closed(frame, &self.line.settings.key)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn take(&mut self, text: Utf8Bytes, now: Instant) -> Result<(), Lost> {
        let said = said(&text);
        self.said = said.statuses;
        self.said.reverse();
        if !said.has_data {
            return Ok(());
        }
        let Line {
            feed, gauges, out, ..
        } = &mut *self.line;
        self.silence.broken(now);
        gauges.is_stale[*feed as usize].set(false);
        gauges.frames.add(1);
        out.frame(*feed, now.into_std(), text.into());
        if out.is_closed() {
            return Err(Lost::Unread);
        }
        Ok(())
    }

    /// Nothing came for a while: is that still as it should be?
    fn check(&mut self) -> Result<(), Lost> {
        let line = &mut *self.line;
        line.out.hand_over();
        if line.out.is_closed() {
            return Err(Lost::Unread);
        }
        let now = Instant::now();
        let after = line.settings.patience.dead_after;
        if now >= self.heard + after {
            return Err(Lost::Dead { after });
        }
        if now >= self.silence.next_check() {
            let is_open = (line.is_open)();
            let is_stale = self.silence.check(now, is_open);
            let gauge = &line.gauges.is_stale[line.feed as usize];
            gauge.set(is_stale || (is_open && gauge.is_on()));
            if is_stale {
                let after = line.settings.stale_after;
                return Err(Lost::Silent { after });
            }
        }
        Ok(())
    }

    async fn ask(&mut self, what: serde_json::Value) -> Result<(), Lost> {
        self.send(Message::text(what.to_string())).await
    }

    /// A few bytes now and then: if the server does not take them, it does not live.
    async fn send(&mut self, message: Message) -> Result<(), Lost> {
        let after = self.line.settings.patience.dead_after;
        match timeout(after, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(Lost::broken),
            Err(_) => Err(Lost::Dead { after }),
        }
    }
}
