//! A conversation with one client: handshake, key, subscriptions in; statuses and frames out.

use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, accept_hdr};

use super::Feed;
use super::faults::{Moment, Trouble};
use super::hub::Hub;
use super::line::{Ending, Line};
use super::wire;

/// How long a client is not listened to while nothing is said to it.
const PAUSE: Duration = Duration::from_millis(2);
/// For a handshake, and for the answer to a close frame.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request of a client.
#[derive(Deserialize)]
struct Asked {
    action: String,
    #[serde(default)]
    params: String,
}

/// A thread per connection, until the hub stops.
pub(super) fn listen(hub: &Arc<Hub>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if hub.is_stopping() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(second) = stream.try_clone() else {
            continue;
        };
        let hub = Arc::clone(hub);
        let number = hub.arrive(second);
        thread::spawn(move || {
            // An error here is a client that went away.
            receive(&hub, stream, number).ok();
            if let Some(stream) = hub.leave(number) {
                stream.shutdown(Shutdown::Both).ok();
            }
        });
    }
}

fn receive(hub: &Arc<Hub>, stream: TcpStream, number: u64) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    // While the server is gone clients meet a closed door or a proxy that says so.
    if hub.is_gone() && number.is_multiple_of(2) {
        for feed in Feed::ALL {
            hub.counts(feed).turned_away += 1;
        }
        return reset(hub, number, stream);
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut feed = None;
    let door = Door {
        hub,
        feed: &mut feed,
    };
    let socket = match accept_hdr(stream, door) {
        Ok(socket) => socket,
        Err(HandshakeError::Failure(error)) => return Err(error),
        Err(HandshakeError::Interrupted(_)) => return Ok(()),
    };
    socket.get_ref().set_read_timeout(None)?;
    let feed = feed.expect("the handshake succeeded");
    hub.counts(feed).connections += 1;
    let line = Arc::new(Line::new(number, feed));
    let conversation = Conversation {
        hub,
        socket,
        line: Arc::clone(&line),
        since: Instant::now(),
        is_in: false,
    };
    let ended = conversation.run();
    // Whoever waits for room in the queue waits in vain.
    line.end(Ending::Cut);
    ended
}

/// Where it is decided who comes in, and on which feed.
struct Door<'a> {
    hub: &'a Hub,
    feed: &'a mut Option<Feed>,
}

impl Callback for Door<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let path = request.uri().path();
        let asked = Feed::ALL.into_iter().find(|feed| feed.path() == path);
        let asked = asked.ok_or_else(|| refusal(404))?;
        if self.hub.is_gone() {
            self.hub.counts(asked).turned_away += 1;
            return Err(refusal(503));
        }
        *self.feed = Some(asked);
        Ok(response)
    }
}

fn refusal(status: u16) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status.try_into().expect("a status of HTTP");
    response
}

/// Closes the connection so that the other side sees a reset, not an end.
fn reset(hub: &Hub, number: u64, stream: TcpStream) -> Result<(), Error> {
    TcpSocket::from_std_stream(stream).set_zero_linger()?;
    // The last handle sends the reset.
    drop(hub.leave(number));
    Ok(())
}

struct Conversation<'a> {
    hub: &'a Arc<Hub>,
    socket: WebSocket<TcpStream>,
    line: Arc<Line>,
    since: Instant,
    /// Whether the key was right.
    is_in: bool,
}

impl Conversation<'_> {
    fn run(mut self) -> Result<(), Error> {
        self.line
            .say(wire::status("connected", "Connected Successfully"));
        while !self.hub.is_stopping() {
            let (waiting, ending) = self.line.take(PAUSE);
            match ending {
                Some(Ending::Cut) => return Ok(()),
                Some(Ending::Reset) => return self.reset(),
                Some(Ending::Silence) => return self.fall_silent(),
                Some(Ending::Close { .. }) | None => {}
            }
            for message in waiting {
                self.socket.write(message)?;
            }
            self.socket.flush()?;
            if let Some(Ending::Close {
                last_words,
                code,
                reason,
            }) = ending
            {
                return self.part(last_words, code, reason);
            }
            for text in self.heard()? {
                self.answer(&text);
            }
            if !self.is_in && self.since.elapsed() > self.hub.stream.auth_timeout {
                self.line.end(no_auth());
            }
        }
        Ok(())
    }

    /// What the client said, without waiting for more. Pings are answered on the way.
    fn heard(&mut self) -> Result<Vec<String>, Error> {
        self.socket.get_ref().set_nonblocking(true)?;
        let mut texts = Vec::new();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => texts.push(text.to_string()),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.socket.get_ref().set_nonblocking(false)?;
        Ok(texts)
    }

    /// What is not understood, or said too early, gets no answer.
    fn answer(&mut self, text: &str) {
        let Ok(asked) = serde_json::from_str::<Asked>(text) else {
            return;
        };
        match asked.action.as_str() {
            "auth" => self.authenticate(&asked.params),
            "subscribe" if self.is_in => {
                let is_refused = |item: &str| !self.strikes(Moment::Item(item)).is_empty();
                let taken = self.line.subscribe(&asked.params, is_refused);
                self.hub.counts(self.line.feed).subscriptions += taken;
            }
            "unsubscribe" if self.is_in => self.line.unsubscribe(&asked.params),
            _ => {}
        }
    }

    fn authenticate(&mut self, key: &str) {
        self.hub.counts(self.line.feed).auth_attempts += 1;
        let troubles = self.strikes(Moment::Auth);
        if troubles.contains(&Trouble::AuthTimeout) {
            self.line.end(no_auth());
        } else if key != self.hub.api_key || troubles.contains(&Trouble::AuthFailed) {
            let failed = Ending::told("auth_failed", "authentication failed", 1000);
            self.line.end(failed);
        } else {
            self.line.say(wire::status("auth_success", "authenticated"));
            if !self.is_in {
                self.is_in = true;
                self.hub.enter(&self.line);
            }
        }
    }

    fn strikes(&self, moment: Moment) -> Vec<Trouble> {
        let mut agenda = self.hub.agenda();
        agenda.strike(self.line.feed, moment, self.hub.now())
    }

    fn reset(self) -> Result<(), Error> {
        let number = self.line.number;
        let stream = self.socket.get_ref().try_clone()?;
        drop(self.socket);
        reset(self.hub, number, stream)
    }

    /// Stays until the client gives up, and says nothing.
    fn fall_silent(self) -> Result<(), Error> {
        // Kept aside, so that a stopping server still finds it.
        let mut stream = self.socket.get_ref().try_clone()?;
        stream.set_read_timeout(Some(Duration::from_millis(20)))?;
        self.hub.forget(&self.line);
        while !self.hub.is_stopping() {
            match stream.read(&mut [0; 4_096]) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Says why, closes, and waits a while for the client to do the same: a stream that is closed with
    /// something unread would be reset, and the last words lost.
    fn part(
        mut self,
        last_words: Option<String>,
        code: u16,
        reason: &'static str,
    ) -> Result<(), Error> {
        if let Some(text) = last_words {
            self.socket.send(Message::text(text))?;
        }
        self.hub.forget(&self.line);
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.socket.close(Some(frame))?;
        self.socket.get_ref().set_read_timeout(Some(PATIENCE))?;
        while self.socket.read().is_ok() {}
        Ok(())
    }
}

fn no_auth() -> Ending {
    Ending::told("auth_timeout", "No authentication request received.", 1000)
}
