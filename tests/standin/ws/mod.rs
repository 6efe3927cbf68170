//! The vendor's sockets: sessions of a [`World`] in, two streams of messages out, at any pace and with
//! faults on demand.
//!
//! ```text
//!            clock ──► REST shows what it has passed, and nothing later
//!              │
//!   World ──► tape ──► play ──► a line per client ──► ws://…/options
//!                       ▲       (what it wants)       ws://…/stocks
//!              plan, injected faults
//! ```
//!
//! One clock, in event time, moves both streams. It stands still until the first client has subscribed
//! on every feed of [`Stream::waits_for`]; from then on it waits for nobody, unless told to: whoever is
//! away misses what passes, and nothing is told again. In each step REST is ahead of the sockets, so that what a client
//! has read it can also ask for.
//!
//! Prints of a contract come in their order, as REST lists them, and `q` says which it is. A print that
//! carries a correction is left out, for a message has no field for one. When the last session is over
//! connections stay open and say nothing.
//!
//! Where the vendor's documents are silent: `Q.*` and a quote beyond the cap are answered with
//! `not authorized`, and a reader that stays slow is cut off without a close frame.

/// What a client is told and by whom it is read.
mod conversation;
/// What goes wrong on a socket, and when.
pub mod faults;
/// What all connections see.
mod hub;
/// One client's waiting messages and wishes.
mod line;
/// The clock's steps.
mod play;
/// Sessions as messages in the order of their delivery.
mod tape;
/// Messages as JSON.
mod wire;

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::NaiveDate;

use super::world::World;
use faults::{Absence, Plan, SocketFault};
use hub::Hub;

/// The clusters of the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    Options,
    Stocks,
}

impl Feed {
    pub const ALL: [Feed; 2] = [Feed::Options, Feed::Stocks];

    fn path(self) -> &'static str {
        match self {
            Feed::Options => "/options",
            Feed::Stocks => "/stocks",
        }
    }
}

/// What is streamed, how fast, and how patient the server is.
#[derive(Clone, Debug)]
pub struct Stream {
    /// A free one when it is 0.
    pub port: u16,
    /// The sessions, told one after the other; the nights between them are left out.
    pub days: Vec<NaiveDate>,
    /// Feeds on which somebody has to be subscribed before the clock starts.
    pub waits_for: Vec<Feed>,
    /// The clock also stands while nobody is subscribed on one of these feeds. What was under way when a
    /// client left is lost all the same.
    pub waits_for_return: bool,
    /// Seconds of event time per second; infinite: as fast as clients read.
    pub pace: f64,
    /// Event time between two looks at what is due.
    pub step: Duration,
    /// No frame holds more messages.
    pub frame_messages: usize,
    /// REST and flat files stand where the stream's clock stands.
    pub rest_follows_stream: bool,
    /// So many clients on one feed; when one more comes, the oldest has to go.
    pub connection_limit: usize,
    /// Frames that wait for a client which reads slowly.
    pub buffered_frames: usize,
    /// So long does the clock stand still for a client whose buffer is full; then it is cut off.
    pub slow_limit: Duration,
    /// For a client that does not say who it is.
    pub auth_timeout: Duration,
    /// What goes wrong of itself.
    pub plan: Plan,
}

impl Default for Stream {
    fn default() -> Stream {
        Stream {
            port: 0,
            days: Vec::new(),
            waits_for: Feed::ALL.to_vec(),
            waits_for_return: false,
            pace: 3_000.0,
            step: Duration::from_millis(100),
            frame_messages: 64,
            rest_follows_stream: true,
            connection_limit: 1,
            buffered_frames: 256,
            slow_limit: Duration::from_secs(10),
            auth_timeout: Duration::from_secs(10),
            plan: Plan::default(),
        }
    }
}

/// What a feed has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handshakes that succeeded.
    pub connections: u64,
    /// Handshakes that were refused; connections that were reset before it count for both feeds.
    pub turned_away: u64,
    pub auth_attempts: u64,
    /// Items that were confirmed.
    pub subscriptions: u64,
    /// Frames and messages of data that were handed to connections, repeats included.
    pub frames: u64,
    pub messages: u64,
    /// Messages that were told before.
    pub repeated: u64,
    /// Messages that nobody can read, for they were spoiled.
    pub spoiled: u64,
    /// Connections that were ended by a fault, the plan's or an injected one, or for being slow.
    pub ended: u64,
}

/// The running sockets.
pub struct Sockets {
    hub: Arc<Hub>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Sockets {
    /// Listens on a port of this machine, sets the clock to the start of the first session and returns.
    pub(super) fn start(
        world: &Arc<World>,
        api_key: &str,
        stream: &Stream,
        rest: &Arc<AtomicI64>,
    ) -> Sockets {
        let listener = TcpListener::bind(("127.0.0.1", stream.port)).expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let rest = stream.rest_follows_stream.then(|| Arc::clone(rest));
        let hub = Arc::new(Hub::new(stream.clone(), api_key, rest));
        if let Some(first) = stream.days.first() {
            hub.set_now(tape::span(world, *first).0);
        }
        let (listening, playing) = (Arc::clone(&hub), Arc::clone(&hub));
        let world = Arc::clone(world);
        let threads = vec![
            thread::spawn(move || conversation::listen(&listening, &listener)),
            thread::spawn(move || play::play(&playing, &world)),
        ];
        Sockets {
            hub,
            address,
            threads,
        }
    }

    /// Where a feed is to be had, such as `ws://127.0.0.1:41234/options`.
    pub fn url(&self, feed: Feed) -> String {
        format!("ws://{}{}", self.address, feed.path())
    }

    pub fn inject(&self, fault: SocketFault) {
        self.hub.agenda().inject(fault);
    }

    /// Resets every connection and lets nobody in for a while; the clock goes on.
    pub fn go_away(&self, absence: Absence) {
        self.hub.go_away(absence);
    }

    /// Another pace from now on; at 0 the clock stands.
    pub fn set_pace(&self, pace: f64) {
        self.hub.set_pace(pace);
    }

    /// Where the clock of the stream stands, in ns.
    pub fn now(&self) -> i64 {
        self.hub.now()
    }

    /// Whether everything has been told.
    pub fn stream_done(&self) -> bool {
        self.hub.is_done()
    }

    pub fn counts(&self, feed: Feed) -> Counts {
        *self.hub.counts(feed)
    }

    /// The items to which somebody is subscribed now.
    pub fn subscribed(&self, feed: Feed) -> BTreeSet<String> {
        let lines = self.hub.lines(feed);
        lines.iter().flat_map(|line| line.items()).collect()
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.hub.stop();
        // Wakes the listener, which then sees that it shall stop.
        drop(TcpStream::connect(self.address));
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}
