//! The queue of one channel: alerts in from the stream, batches out to its thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::{Alert, Before};

pub(super) struct Waiting {
    pub alert: Alert,
    pub before: Before,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// A batch was taken and has not come to its end.
    is_under_way: bool,
    is_closing: bool,
}

impl Queue {
    pub fn push(&self, alert: Alert, before: Before) {
        self.state().waiting.push_back(Waiting { alert, before });
        self.changed.notify_all();
    }

    pub fn close(&self) {
        self.state().is_closing = true;
        self.changed.notify_all();
    }

    pub fn is_idle(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && !state.is_under_way
    }

    /// Waits until there is something to take; false when there is no more taking.
    pub fn wait_for_more(&self) -> bool {
        let state = self
            .changed
            .wait_while(self.state(), |state| {
                state.waiting.is_empty() && !state.is_closing
            })
            .expect("nothing panics while it holds the queue");
        !state.is_closing
    }

    /// Waits until `at`; false when the queue closed before.
    pub fn wait_until(&self, at: Instant) -> bool {
        let left = at.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), left, |state| !state.is_closing)
            .expect("nothing panics while it holds the queue");
        !state.is_closing
    }

    /// The oldest alert, or all of them when more than `digest_above` wait.
    pub fn take(&self, digest_above: usize) -> Vec<Waiting> {
        let mut state = self.state();
        state.is_under_way = true;
        let count = match state.waiting.len() {
            waiting if waiting > digest_above => waiting,
            waiting => waiting.min(1),
        };
        state.waiting.drain(..count).collect()
    }

    /// What was taken has come to its end.
    pub fn done(&self) {
        self.state().is_under_way = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds the queue")
    }
}
