//! The wire: from a frame, a JSON array of mixed messages, to trades, bars and quotes.
//!
//! One pass over the array with borrowed texts. A message that is JSON and makes no sense is counted
//! and costs nothing else. One that is not even JSON stops the pass: from there on the elements are
//! told apart by their brackets and read one at a time, so that only the broken one is lost.

mod elements;
mod fields;
mod judge;
mod status;

use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};

use self::elements::Elements;
use self::fields::Message;
pub(super) use self::status::{Status, items_of, said};
use crate::flow::{Codes, Quote};
use crate::time::Ts;

/// A message that is data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    Trade(WireTrade<'a>),
    Bar(WireBar<'a>),
    Quote(WireQuote<'a>),
}

/// An option print. Whether `sym` is a contract is for the receiver to say, who knows most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireTrade<'a> {
    /// OCC symbol without `O:`.
    pub sym: &'a str,
    /// Dollars per share.
    pub price: f64,
    pub size: i64,
    pub exchange: u16,
    pub conditions: Codes,
    /// Whole milliseconds.
    pub ts: Ts,
    /// Rises per contract and day; 0 when not told.
    pub sequence: i64,
}

/// A minute of a stock. How many trades it had is not told: an average size, rounded, does not give
/// it back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireBar<'a> {
    pub ticker: &'a str,
    pub start: Ts,
    pub end: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Shares.
    pub volume: f64,
    pub vwap: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireQuote<'a> {
    /// OCC symbol without `O:`.
    pub sym: &'a str,
    pub quote: Quote,
    /// Whole milliseconds.
    pub ts: Ts,
    pub sequence: i64,
}

/// What of a frame was no data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Messages that could not be used; what they told is lost.
    pub bad: u64,
    /// Messages of kinds that nobody here reads.
    pub unknown: u64,
    /// What was wrong with the first bad one.
    pub first_fault: Option<Fault>,
    /// Whose the bad ones are, as far as they say; a symbol without its `O:`.
    pub whose: Vec<Option<String>>,
}

/// Why a message cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("{field} of a message {ev} is {got}, expected {expected}")]
    Field {
        ev: &'static str,
        field: &'static str,
        got: String,
        expected: &'static str,
    },
    #[error("a message does not say what it is")]
    NoKind,
    #[error("no message at byte {at} of the frame")]
    NoMessage { at: usize },
}

/// Nobody knows how many messages were lost; `read` is of those before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the frame is not one whole list of messages: it breaks off at byte {at}")]
pub struct Malformed {
    pub at: usize,
    pub read: Read,
}

/// Shows `each` what `frame` holds, in its order, also when the end of it turns out malformed.
/// Statuses of the connection are passed over: the socket has read them.
pub fn read(frame: &[u8], each: impl FnMut(Wire<'_>)) -> Result<Read, Malformed> {
    let mut reader = Reader {
        each,
        seen: 0,
        read: Read::default(),
    };
    let mut json = serde_json::Deserializer::from_slice(frame);
    let whole = json.deserialize_seq(&mut reader).and_then(|()| json.end());
    match whole {
        Ok(()) => Ok(reader.read),
        Err(_) => reader.one_by_one(frame),
    }
}

struct Reader<F> {
    each: F,
    /// Messages taken, good or bad.
    seen: usize,
    read: Read,
}

impl<F: FnMut(Wire<'_>)> Reader<F> {
    fn take(&mut self, message: &Message<'_>) {
        self.seen += 1;
        match judge::wire(message) {
            Ok(Some(wire)) => (self.each)(wire),
            Ok(None) if message.is_status() => {}
            Ok(None) => self.read.unknown += 1,
            Err(fault) => self.lose(fault, message.whose()),
        }
    }

    fn lose(&mut self, fault: Fault, whose: Option<&str>) {
        self.read.bad += 1;
        self.read.whose.push(whose.map(str::to_owned));
        self.read.first_fault.get_or_insert(fault);
    }

    /// Goes on after the messages that the one pass has taken.
    fn one_by_one(mut self, frame: &[u8]) -> Result<Read, Malformed> {
        let Some(mut elements) = Elements::of(frame) else {
            return Err(Malformed {
                at: 0,
                read: self.read,
            });
        };
        for element in elements.by_ref().skip(self.seen) {
            match serde_json::from_slice(&frame[element.clone()]) {
                Ok(message) => self.take(&message),
                Err(_) => self.lose(Fault::NoMessage { at: element.start }, None),
            }
        }
        match elements.end() {
            (_, true) => Ok(self.read),
            (at, false) => Err(Malformed {
                at,
                read: self.read,
            }),
        }
    }
}

impl<'de, F: FnMut(Wire<'_>)> Visitor<'de> for &mut Reader<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(message) = seq.next_element::<Message<'de>>()? {
            self.take(&message);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
