//! Polling: the vendor's unusual trades, asked for again and again, for those whose plan has no stream.
//!
//! Small legs are missing among them, so a sweep may be seen as a block, and a contract's volume is that
//! of its unusual trades alone: `VOL>OI` speaks less often than it should.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::errands::minute_bars;
use super::inbox::Message;
use super::{Feed, Link, wall_clock};
use crate::engine::PROXIES;
use crate::flow::Print;
use crate::providers::massive::{Massive, MassiveError};
use crate::providers::roots;
use crate::store::MinuteBar;
use crate::time::{Calendar, MINUTE_NS, Session, Ts, exchange_midnight};

/// The vendor's own delay, and some: what is newer may not be complete.
const BEHIND_SECONDS: i64 = 2;
const GLANCE: Duration = Duration::from_millis(50);

/// What one round brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Polled {
    /// By contract, in order of time.
    pub prints: Vec<(String, Print)>,
    pub bars: Vec<(String, MinuteBar)>,
    /// Everything before is there.
    pub to: Ts,
}

/// How a poller goes about it.
pub struct Poller {
    pub massive: Arc<Massive>,
    pub calendar: Arc<Calendar>,
    pub session: Session,
    pub tickers: Vec<String>,
    pub every: Duration,
    /// The most prints taken per round; the next one goes on from there.
    pub most: usize,
    pub stop: Arc<AtomicBool>,
}

impl Poller {
    /// Asks round after round, in a thread of its own, until it is told to stop or nobody listens.
    pub fn start(self, messages: SyncSender<Message>) {
        std::thread::spawn(move || self.run(&messages));
    }

    fn run(&self, messages: &SyncSender<Message>) {
        let mut from = exchange_midnight(self.session.date);
        let mut bars_to = Ts::MIN;
        loop {
            let round = Instant::now();
            match self.round(from, &mut bars_to) {
                Ok(polled) => {
                    from = polled.to;
                    if messages.send(Message::Polled(polled)).is_err() {
                        return;
                    }
                }
                Err(MassiveError::Stopped) => return,
                Err(
                    error @ (MassiveError::NotEntitled { .. }
                    | MassiveError::NotFound { .. }
                    | MassiveError::WrongKey { .. }),
                ) => {
                    let refused = Link::Refused(error.to_string());
                    let _ = messages.send(Message::Link(Feed::Options, refused));
                    return;
                }
                // The next round asks for the same again.
                Err(error) => log::warn!("a round of unusual trades failed: {error}"),
            }
            while round.elapsed() < self.every {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(GLANCE.min(self.every));
            }
        }
    }

    fn round(&self, from: Ts, bars_to: &mut Ts) -> Result<Polled, MassiveError> {
        let end = self.session.day_start().plus_minutes(24 * 60 - 1);
        let now = wall_clock().plus_seconds(-BEHIND_SECONDS).min(end);
        let mut prints = Vec::new();
        if now > from {
            for root in self.tickers.iter().flat_map(|ticker| roots::of(ticker)) {
                let fetched = self.massive.unusual_trades(root, from, now)?;
                let rows = fetched.rows.into_iter();
                prints.extend(rows.map(|row| (row.contract, row.print)));
            }
        }
        prints.sort_by(|(a, one), (b, other)| (one.ts, a).cmp(&(other.ts, b)));
        let mut to = now.max(from);
        if let Some((_, first_left)) = prints.get(self.most) {
            // All of one instant or none of it, but for an instant that alone is too many.
            to = first_left.ts;
            if prints[0].1.ts == to {
                to = to.plus_ns(1);
            }
            prints.retain(|(_, print)| print.ts < to);
        }
        let minute = Ts::from_ns(to.ns().div_euclid(MINUTE_NS) * MINUTE_NS);
        let mut bars = Vec::new();
        if minute > *bars_to {
            let names: BTreeSet<&str> = self
                .tickers
                .iter()
                .map(String::as_str)
                .chain(PROXIES)
                .collect();
            for ticker in names {
                let rows = minute_bars(&self.massive, &self.calendar, ticker, self.session.date)?;
                let ended = rows
                    .into_iter()
                    .filter(|bar| bar.ts.plus_minutes(1) <= minute);
                bars.extend(ended.map(|bar| (ticker.to_owned(), bar)));
            }
            bars.sort_by_key(|(_, bar)| bar.ts);
            *bars_to = minute;
        }
        Ok(Polled { prints, bars, to })
    }
}
