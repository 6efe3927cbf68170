//! Pace: how soon the next message may go, from when those before it went.
//!
//! What a limit belongs to, a bot, a chat, a webhook, is a window here, shared by all channels it
//! serves. Instants come in as arguments.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::Limit;

/// Shared by all channels.
#[derive(Default)]
pub(super) struct Pace(Mutex<Vec<Window>>);

/// Stands for a window in [`Pace`].
pub(super) type WindowId = usize;

struct Window {
    /// May hold a secret: it is compared and never shown.
    key: String,
    limits: Vec<Limit>,
    /// When the latest messages went, as many as the largest limit counts.
    went: VecDeque<Instant>,
    /// The service has asked for silence until then.
    held_until: Option<Instant>,
}

impl Window {
    /// `None`: at once.
    fn free_at(&self, now: Instant) -> Option<Instant> {
        let by_limit = self.limits.iter().filter_map(|limit| {
            let first = self.went.len().checked_sub(limit.messages)?;
            Some(*self.went.get(first)? + limit.per)
        });
        by_limit.chain(self.held_until).max().filter(|at| *at > now)
    }

    fn take(&mut self, now: Instant) {
        self.went.push_back(now);
        let counted = self.limits.iter().map(|limit| limit.messages).max();
        while self.went.len() > counted.unwrap_or_default() {
            self.went.pop_front();
        }
    }
}

impl Pace {
    /// The window of `key`, opened when there is none yet.
    pub fn window(&self, key: String, limits: &[Limit]) -> WindowId {
        let mut windows = self.windows();
        if let Some(known) = windows.iter().position(|window| window.key == key) {
            return known;
        }
        windows.push(Window {
            key,
            limits: limits.to_vec(),
            went: VecDeque::new(),
            held_until: None,
        });
        windows.len() - 1
    }

    /// When all of `ids` are free; `None`: now.
    pub fn free_at(&self, ids: &[WindowId], now: Instant) -> Option<Instant> {
        let windows = self.windows();
        ids.iter().filter_map(|id| windows[*id].free_at(now)).max()
    }

    /// Takes the right to send one message now, or says when to ask again.
    pub fn take(&self, ids: &[WindowId], now: Instant) -> Result<(), Instant> {
        let mut windows = self.windows();
        match ids.iter().filter_map(|id| windows[*id].free_at(now)).max() {
            Some(at) => Err(at),
            None => {
                for id in ids {
                    windows[*id].take(now);
                }
                Ok(())
            }
        }
    }

    /// Nothing goes through `id` before `until`.
    pub fn hold(&self, id: WindowId, until: Instant) {
        let window = &mut self.windows()[id];
        window.held_until = window.held_until.max(Some(until));
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Window>> {
        self.0
            .lock()
            .expect("nothing panics while it holds the pace")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Sends `messages` as fast as allowed and says after how many milliseconds each went.
    fn went(pace: &Pace, ids: &[WindowId], begun: Instant, messages: usize) -> Vec<u128> {
        let mut now = begun;
        (0..messages)
            .map(|_| {
                while let Err(at) = pace.take(ids, now) {
                    now = at;
                }
                now.duration_since(begun).as_millis()
            })
            .collect()
    }

    #[test]
    fn all_limits_of_a_window_hold_over_any_stretch_of_time() {
        let pace = Pace::default();
        let id = pace.window("w".to_owned(), &[Limit::new(2, 2), Limit::new(5, 60)]);
        assert_eq!(
            went(&pace, &[id], Instant::now(), 7),
            [0, 0, 2_000, 2_000, 4_000, 60_000, 60_000]
        );
    }

    #[test]
    fn chats_of_one_bot_share_its_limit_and_keep_their_own() {
        let pace = Pace::default();
        let bot = pace.window("bot".to_owned(), &[Limit::new(3, 1)]);
        assert_eq!(pace.window("bot".to_owned(), &[]), bot);
        let chats = ["a", "b"].map(|key| pace.window(key.to_owned(), &[Limit::new(2, 5)]));
        let begun = Instant::now();
        assert_eq!(went(&pace, &[chats[0], bot], begun, 3), [0, 0, 5_000]);
        assert_eq!(went(&pace, &[chats[1], bot], begun, 1), [1_000]);
    }

    #[test]
    fn a_hold_is_kept_even_without_limits() {
        let pace = Pace::default();
        let id = pace.window("w".to_owned(), &[]);
        let now = Instant::now();
        assert_eq!(pace.free_at(&[id], now), None);
        pace.hold(id, now + Duration::from_secs(9));
        pace.hold(id, now + Duration::from_secs(3));
        assert_eq!(went(&pace, &[id], now, 2), [9_000, 9_000]);
    }
}
