//! The socket against a server that misbehaves as the vendor does, and in a few ways of its own.

mod entry;
mod frames;
mod loss;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use self::server::{Peer, Server, Step, step};
use super::{Patience, SocketSettings, run};
use crate::config::secret::Secret;
use crate::live::{Feed, Gauges, Inbox, Link, Message};

const KEY: &str = "k3y-0f-th3-v3nd0r";
const MS: Duration = Duration::from_millis(1);
/// No test waits so long; one that does has failed.
const AT_MOST: Duration = Duration::from_secs(30);

/// A client in its own thread, with short waits where tests wait for them and long ones elsewhere.
struct Client {
    messages: Receiver<Message>,
    gauges: Arc<Gauges>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

struct Setup {
    settings: SocketSettings,
    room: usize,
    /// The session is open as often as it is asked, up to here.
    open_checks: usize,
}

impl Setup {
    fn new(url: &Url) -> Setup {
        Setup {
            settings: SocketSettings {
                url: url.clone(),
                key: Secret::new(KEY),
                subscriptions: vec!["T.*".to_owned()],
                stale_after: AT_MOST,
                patience: Patience {
                    first: MS,
                    longest: 4 * MS,
                    lived_for: AT_MOST,
                    busy_wait: MS,
                    ping_every: AT_MOST,
                    dead_after: AT_MOST,
                    connect: AT_MOST,
                    confirm: AT_MOST,
                },
            },
            room: 100,
            open_checks: usize::MAX,
        }
    }

    fn start(self) -> Client {
        let gauges = Arc::new(Gauges::default());
        let (queue, messages) = sync_channel(self.room);
        let (stop, told) = watch::channel(false);
        let inbox = Inbox::new(queue, Arc::clone(&gauges));
        let shared = Arc::clone(&gauges);
        let thread = std::thread::spawn(move || {
            let asked = AtomicUsize::new(0);
            let is_open = || asked.fetch_add(1, Ordering::Relaxed) < self.open_checks;
            let running = run(Feed::Options, self.settings, inbox, shared, is_open, told);
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(running);
        });
        Client {
            messages,
            gauges,
            stop,
            thread,
        }
    }
}

impl Client {
    fn of(server: &Server) -> Client {
        Setup::new(&server.url).start()
    }

    /// The next message as a line.
    fn next(&self) -> String {
        match self.messages.recv_timeout(AT_MOST).unwrap() {
            Message::Frame(frame) => {
                let text = String::from_utf8_lossy(&frame.text);
                format!("{text} after {}", frame.dropped_before)
            }
            Message::Link(_, Link::Up) => "up".to_owned(),
            Message::Link(_, Link::Down(reason)) => format!("down: {reason}"),
            Message::Link(_, Link::Refused(reason)) => format!("refused: {reason}"),
            Message::Answer(answer) => format!("{answer:?}"),
            Message::Polled(polled) => format!("{polled:?}"),
            Message::Moment(moment) => format!("{moment:?}"),
        }
    }

    #[track_caller]
    fn tells(&self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.next(), *line);
        }
    }

    fn is_up(&self) -> bool {
        self.gauges.is_up[Feed::Options as usize].is_on()
    }

    fn reconnects(&self) -> u64 {
        self.gauges.reconnects[Feed::Options as usize].get()
    }

    /// Ends by itself.
    fn ended(self) {
        self.thread.join().unwrap();
        assert!(!self.gauges.is_up[Feed::Options as usize].is_on());
    }

    fn stop(self) {
        self.stop.send(true).unwrap();
        self.ended();
    }
}

/// A connection on which all goes well until the client leaves.
fn good() -> Step {
    step(|mut peer| {
        peer.welcome(1);
        peer.say("[1]");
        peer.stay();
    })
}

/// What `bad` is told as, and that the next connection is a good one.
#[track_caller]
fn check_retry(bad: impl FnOnce(Peer) + Send + 'static, reason: &str) {
    let server = Server::start(vec![step(bad), good()]);
    let client = Client::of(&server);
    loop {
        match client.next() {
            up if up == "up" => {}
            down => break assert_eq!(down, format!("down: {reason}")),
        }
    }
    client.tells(&["up", "[1] after 0"]);
    client.stop();
    server.end();
}

/// What `bad` is told as, and that there is no second try.
#[track_caller]
fn check_refusal(bad: impl FnOnce(Peer) + Send + 'static, reason: &str) {
    let server = Server::start(vec![step(bad)]);
    let client = Client::of(&server);
    client.tells(&[&format!("refused: {reason}")]);
    client.ended();
    server.end();
}
