//! Keys: from the terminal to a channel, read by a thread that does nothing else.
//!
//! A read of a terminal that hangs up (a lost ssh connection) may never return. In a thread of its own it
//! keeps nobody from stopping in good order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};

/// How long the thread may outlive its use.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub struct Keys {
    events: Receiver<io::Result<Event>>,
    is_over: Arc<AtomicBool>,
}

impl Keys {
    pub fn listen() -> io::Result<Keys> {
        let (sender, events) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        thread::Builder::new()
            .name("keys".into())
            .spawn(move || read(&sender, &until))?;
        Ok(Keys { events, is_over })
    }

    /// The next key or change of size; `None` when none came for `patience`.
    pub fn next(&self, patience: Duration) -> io::Result<Option<Event>> {
        match self.events.recv_timeout(patience) {
            Ok(event) => event.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("the terminal gives no more keys"))
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn read(sender: &Sender<io::Result<Event>>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let event = match event::poll(LOOK_EVERY) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let is_last = event.is_err();
        if sender.send(event).is_err() || is_last {
            return;
        }
    }
}
