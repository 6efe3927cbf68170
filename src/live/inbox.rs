//! The inbox: from sources that may not wait to the one queue of the pipeline, which is bounded.
//!
//! A frame that finds the queue full is dropped and counted, and the next one that fits tells of it. What
//! became of a connection is kept until it fits, and nothing overtakes it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::errands::Answer;
use super::poll::Polled;
use super::{Feed, Frame, Gauges, Link};
use crate::time::Ts;

/// What reaches the pipeline.
#[derive(Debug)]
pub enum Message {
    Frame(Frame),
    Link(Feed, Link),
    /// What REST said to a question of the pipeline.
    Answer(Answer),
    /// A round of asking, where there is no stream.
    Polled(Polled),
    /// What an earlier pipeline did of itself, told again by a recording.
    Moment(Moment),
}

/// What a pipeline does because of the time it is: a recording has to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// REST was asked `questions` questions about the hole of this number.
    Asked {
        feed: Feed,
        hole: u64,
        to: Ts,
        questions: usize,
    },
    /// An answer about the hole of prints of this number led to `questions` more.
    AskedOn { hole: u64, questions: usize },
    /// Nothing had come for so long that everything was taken as complete.
    Quiet,
}

/// The way in for one source.
pub struct Inbox {
    queue: SyncSender<Message>,
    gauges: Arc<Gauges>,
    /// Oldest first.
    kept: VecDeque<(Feed, Link)>,
    /// Frames dropped since the last one that fitted.
    dropped: [u32; Feed::ALL.len()],
    is_closed: bool,
}

impl Inbox {
    /// Whoever takes frames out of `queue` takes them off `gauges.queue_depth`.
    pub fn new(queue: SyncSender<Message>, gauges: Arc<Gauges>) -> Inbox {
        Inbox {
            queue,
            gauges,
            kept: VecDeque::new(),
            dropped: [0; Feed::ALL.len()],
            is_closed: false,
        }
    }

    pub fn frame(&mut self, feed: Feed, received: Instant, text: Bytes) {
        self.hand_over();
        let frame = Frame {
            feed,
            received,
            text,
            dropped_before: self.dropped[feed as usize],
        };
        // Counted first, so that the receiver cannot take off what was not put on.
        self.gauges.queue_depth.add(1);
        let is_free = self.kept.is_empty();
        if is_free && self.offer(Message::Frame(frame)).is_ok() {
            self.dropped[feed as usize] = 0;
        } else {
            self.gauges.queue_depth.add(-1);
            self.gauges.dropped_frames.add(1);
            self.dropped[feed as usize] += 1;
        }
    }

    pub fn link(&mut self, feed: Feed, link: Link) {
        self.kept.push_back((feed, link));
        self.hand_over();
    }

    /// Puts what was kept into the queue as far as it fits.
    pub fn hand_over(&mut self) {
        while let Some((feed, link)) = self.kept.pop_front() {
            if let Err(Message::Link(feed, link)) = self.offer(Message::Link(feed, link)) {
                self.kept.push_front((feed, link));
                return;
            }
        }
    }

    /// Whether something waits for room.
    pub fn is_keeping(&self) -> bool {
        !self.kept.is_empty() && !self.is_closed
    }

    /// Whether nobody takes anything out any more.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Fails with `message` when there is no room for it.
    fn offer(&mut self, message: Message) -> Result<(), Message> {
        self.queue.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => message,
            TrySendError::Disconnected(message) => {
                self.is_closed = true;
                message
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    fn inbox(room: usize) -> (Inbox, Receiver<Message>, Arc<Gauges>) {
        let gauges = Arc::new(Gauges::default());
        let (queue, messages) = sync_channel(room);
        (Inbox::new(queue, Arc::clone(&gauges)), messages, gauges)
    }

    fn send(inbox: &mut Inbox, text: &'static str) {
        inbox.frame(
            Feed::Options,
            Instant::now(),
            Bytes::from_static(text.as_bytes()),
        );
    }

    fn line(message: &Message) -> String {
        match message {
            Message::Frame(frame) => format!(
                "{} {} {}",
                frame.feed,
                String::from_utf8_lossy(&frame.text),
                frame.dropped_before
            ),
            Message::Link(feed, link) => format!("{feed} {link:?}"),
            Message::Answer(answer) => format!("{answer:?}"),
            Message::Polled(polled) => format!("{polled:?}"),
            Message::Moment(moment) => format!("{moment:?}"),
        }
    }

    #[test]
    fn the_frame_after_dropped_ones_tells_how_many_there_were() {
        let (mut inbox, messages, gauges) = inbox(1);
        for text in ["a", "b", "c"] {
            send(&mut inbox, text);
        }
        assert_eq!(line(&messages.recv().unwrap()), "options a 0");
        send(&mut inbox, "d");
        assert_eq!(line(&messages.recv().unwrap()), "options d 2");
        send(&mut inbox, "e");
        assert_eq!(line(&messages.recv().unwrap()), "options e 0");
        assert_eq!(gauges.dropped_frames.get(), 2);
        // The receiver takes off what it takes out; here nobody did.
        assert_eq!(gauges.queue_depth.get(), 3);
    }

    #[test]
    fn one_feed_does_not_tell_of_what_the_other_lost() {
        let (mut inbox, messages, _) = inbox(1);
        send(&mut inbox, "a");
        send(&mut inbox, "b");
        messages.recv().unwrap();
        inbox.frame(Feed::Stocks, Instant::now(), Bytes::from_static(b"c"));
        assert_eq!(line(&messages.recv().unwrap()), "stocks c 0");
    }

    #[test]
    fn links_wait_for_room_and_nothing_overtakes_them() {
        let (mut inbox, messages, gauges) = inbox(1);
        send(&mut inbox, "a");
        inbox.link(Feed::Options, Link::Down("x".to_owned()));
        inbox.link(Feed::Options, Link::Up);
        assert!(inbox.is_keeping());
        assert_eq!(line(&messages.recv().unwrap()), "options a 0");
        // There is room, but it is the links' turn.
        send(&mut inbox, "b");
        assert_eq!(line(&messages.recv().unwrap()), "options Down(\"x\")");
        inbox.hand_over();
        assert!(!inbox.is_keeping());
        assert_eq!(line(&messages.recv().unwrap()), "options Up");
        assert_eq!(gauges.dropped_frames.get(), 1);
    }

    #[test]
    fn an_inbox_nobody_reads_is_closed_and_keeps_nothing_waiting() {
        let (mut inbox, messages, _) = inbox(1);
        drop(messages);
        inbox.link(Feed::Options, Link::Up);
        assert!(inbox.is_closed() && !inbox.is_keeping());
    }
}
