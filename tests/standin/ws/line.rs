//! A line to one client: what it subscribed to, the frames that wait for it, and how it shall end.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use super::Feed;
use super::tape::{Channel, Told};
use super::wire;

/// Contracts whose quotes one connection may have.
const QUOTE_CAP: usize = 1_000;

/// How a connection ends.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// At once, with a reset.
    Reset,
    /// At once, but the client does not know.
    Silence,
    /// At once, by the hand that already closed the stream.
    Cut,
    /// After everything that waits, with last words and a close frame.
    Close {
        last_words: Option<String>,
        code: u16,
        reason: &'static str,
    },
}

impl Ending {
    pub fn close(code: u16, reason: &'static str) -> Ending {
        Ending::Close {
            last_words: None,
            code,
            reason,
        }
    }

    /// With a status before the close frame.
    pub fn told(status: &str, message: &str, code: u16) -> Ending {
        Ending::Close {
            last_words: Some(wire::status(status, message)),
            code,
            reason: "",
        }
    }

    pub fn too_many() -> Ending {
        Ending::told(
            "max_connections",
            "Maximum number of websocket connections exceeded. You have reached the connection \
             limit for your account. Please contact support at https://massive.com/contact",
            1008,
        )
    }
}

pub(super) struct Line {
    pub number: u64,
    pub feed: Feed,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wanted: Wanted,
    waiting: VecDeque<Message>,
    ending: Option<Ending>,
}

/// What a client subscribed to.
#[derive(Default)]
struct Wanted {
    /// As it was asked for: `T.*`, `AM.SPY`.
    items: BTreeSet<String>,
    trades: Names,
    quotes: Names,
    minutes: Names,
}

#[derive(Default)]
struct Names {
    all: bool,
    named: HashSet<String>,
}

impl Names {
    fn set(&mut self, name: &str, is_wanted: bool) {
        match (name, is_wanted) {
            ("*", _) => self.all = is_wanted,
            (name, true) => drop(self.named.insert(name.to_owned())),
            (name, false) => drop(self.named.remove(name)),
        }
    }

    fn admit(&self, name: &str) -> bool {
        self.all || self.named.contains(name)
    }
}

impl Wanted {
    fn names(&mut self, channel: &str) -> Option<&mut Names> {
        match channel {
            "T" => Some(&mut self.trades),
            "Q" => Some(&mut self.quotes),
            "AM" => Some(&mut self.minutes),
            // Seconds, which no world has.
            _ => None,
        }
    }

    fn admits(&self, told: &Told) -> bool {
        let names = match told.channel() {
            Channel::Trades => &self.trades,
            Channel::Quotes => &self.quotes,
            Channel::Minutes => &self.minutes,
        };
        names.admit(told.symbol())
    }
}

impl Line {
    pub fn new(number: u64, feed: Feed) -> Line {
        Line {
            number,
            feed,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while it is held")
    }

    pub fn items(&self) -> BTreeSet<String> {
        self.state().wanted.items.clone()
    }

    pub fn is_listening(&self) -> bool {
        let state = self.state();
        state.ending.is_none() && !state.wanted.items.is_empty()
    }

    /// Subscribes to the items of a request, all at once, and answers in the vendor's words: nothing to
    /// a channel that it does not know and to an item that is held already. Returns how many it took.
    pub fn subscribe(&self, items: &str, is_refused: impl Fn(&str) -> bool) -> u64 {
        let mut state = self.state();
        let mut taken = 0;
        for item in items.split(',').map(str::trim) {
            let Some((channel, name)) = self.known(item) else {
                continue;
            };
            let is_over = match (channel, self.feed) {
                ("Q", Feed::Options) => name == "*" || state.wanted.quotes.named.len() >= QUOTE_CAP,
                _ => false,
            };
            if is_refused(item) || is_over {
                state.say(wire::status("error", "not authorized"));
            } else if state.wanted.items.insert(item.to_owned()) {
                if let Some(names) = state.wanted.names(channel) {
                    names.set(name, true);
                }
                state.say(wire::status("success", &format!("subscribed to: {item}")));
                taken += 1;
            }
        }
        self.changed.notify_all();
        taken
    }

    pub fn unsubscribe(&self, items: &str) {
        let mut state = self.state();
        for item in items.split(',').map(str::trim) {
            let Some((channel, name)) = self.known(item) else {
                continue;
            };
            if state.wanted.items.remove(item) {
                if let Some(names) = state.wanted.names(channel) {
                    names.set(name, false);
                }
                state.say(wire::status("success", &format!("unsubscribed to: {item}")));
            }
        }
        self.changed.notify_all();
    }

    /// Channel and name of an item, when the feed has the channel.
    fn known<'i>(&self, item: &'i str) -> Option<(&'i str, &'i str)> {
        let (channel, name) = item.split_once('.')?;
        let is_known = matches!(channel, "T" | "A" | "AM" | "Q") && !name.is_empty();
        is_known.then_some((channel, name))
    }

    /// Those of `told` that the client wants, unless it is about to end.
    pub fn select<'a>(&self, told: &[Told<'a>]) -> Vec<Told<'a>> {
        let state = self.state();
        if state.ending.is_some() {
            return Vec::new();
        }
        let wanted = told.iter().filter(|told| state.wanted.admits(told));
        wanted.copied().collect()
    }

    /// A word in answer to the client, whatever else waits.
    pub fn say(&self, text: String) {
        self.state().say(text);
        self.changed.notify_all();
    }

    /// Puts a frame into the queue; waits while it is full. False when it still was after `patience`.
    pub fn push(&self, message: Message, room: usize, patience: Duration) -> bool {
        let since = Instant::now();
        let mut state = self.state();
        while state.waiting.len() >= room && state.ending.is_none() {
            let Some(left) = patience.checked_sub(since.elapsed()) else {
                return false;
            };
            let waited = self.changed.wait_timeout(state, left);
            (state, _) = waited.expect("nobody panics while it is held");
        }
        state.waiting.push_back(message);
        self.changed.notify_all();
        true
    }

    /// The first ending counts.
    pub fn end(&self, ending: Ending) {
        self.state().ending.get_or_insert(ending);
        self.changed.notify_all();
    }

    /// Everything that waits; when nothing does, what comes within `patience`.
    pub fn take(&self, patience: Duration) -> (VecDeque<Message>, Option<Ending>) {
        let is_idle = |state: &mut State| state.waiting.is_empty() && state.ending.is_none();
        let waited = self
            .changed
            .wait_timeout_while(self.state(), patience, is_idle);
        let (mut state, _) = waited.expect("nobody panics while it is held");
        let taken = std::mem::take(&mut state.waiting);
        self.changed.notify_all();
        (taken, state.ending.clone())
    }
}

impl State {
    fn say(&mut self, text: String) {
        self.waiting.push_back(Message::text(text));
    }
}
