//! The book: one ticker's paper positions, shown each regular bar as it ends.
//!
//! The same [`OpenTrade`] as in a backtest lives through the same bars; only that here they come one
//! by one and nobody knows the next.

use crate::config::{ModeConfig, PaperConfig};
use crate::context::Splits;
use crate::paper::{Bar, OpenTrade, Trade, entry};
use crate::store::MinuteBar;
use crate::strategies::Signal;
use crate::time::Session;

/// Signals that wait for their entry bar, and trades that wait for their end.
#[derive(Default)]
pub struct Book {
    waiting: Vec<(Signal, ModeConfig)>,
    open: Vec<OpenTrade>,
    /// The session whose bars are coming in.
    session: Option<Session>,
}

/// What became of a signal.
#[derive(Clone, Debug)]
pub enum Settled {
    Closed(Trade),
    /// No bar was left to enter on; the signal's id.
    NotTaken(u64),
}

impl Book {
    pub fn add(&mut self, signal: Signal, mode: ModeConfig) {
        self.waiting.push((signal, mode));
    }

    /// One regular bar of `session` has ended. Bars come in order.
    pub fn on_bar(
        &mut self,
        bar: &MinuteBar,
        session: &Session,
        paper: &PaperConfig,
        splits: &Splits,
        settled: &mut Vec<Settled>,
    ) {
        if self.session.is_some_and(|last| last.date != session.date) {
            self.close_session(settled);
        }
        self.session = Some(*session);
        let open = &mut self.open;
        self.waiting.retain(|(signal, mode)| {
            if bar.ts < signal.available_at {
                return true;
            }
            match entry(signal, bar.ts, bar.open, paper.entry) {
                Ok(entry) => open.push(OpenTrade::new(signal, entry, mode, paper)),
                Err(_) => settled.push(Settled::NotTaken(signal.signal_id)),
            }
            false
        });
        self.open.retain_mut(|trade| {
            let ratio = trade.ratio_on(session.date, splits);
            let ended = trade.on_bar(&in_basis(bar, ratio));
            settled.extend(ended.clone().map(Settled::Closed));
            ended.is_none()
        });
    }

    /// The session whose bars came in is known up to its close.
    pub fn close_session(&mut self, settled: &mut Vec<Settled>) {
        let Some(session) = self.session.take() else {
            return;
        };
        self.open.retain(|trade| {
            let ended = trade.on_close(session.close);
            settled.extend(ended.clone().map(Settled::Closed));
            ended.is_none()
        });
    }

    /// The session whose bars are coming in.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Open positions as they stand, marked to the last close.
    pub fn positions(&self) -> impl Iterator<Item = Trade> {
        self.open.iter().map(OpenTrade::as_it_stands)
    }

    pub fn open_positions(&self) -> usize {
        self.open.len()
    }
}

fn in_basis(bar: &MinuteBar, ratio: f64) -> Bar {
    Bar {
        start: bar.ts,
        end: bar.ts.plus_minutes(1),
        open: bar.open * ratio,
        high: bar.high * ratio,
        low: bar.low * ratio,
        close: bar.close * ratio,
    }
}
