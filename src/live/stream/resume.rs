//! Resuming: what an earlier process told, so that it is not told again.
//!
//! On the day itself anything new is told. Afterwards, when the cache tells what nobody heard, only what
//! lies behind all that was told: what was lost before has been said to be, and a desk goes forward.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use crate::live::event::Input;
use crate::time::Ts;

/// What was told.
#[derive(Default)]
pub struct Resume {
    events: HashSet<(String, Ts, u32)>,
    /// Of the last event of a ticker in the order of arrival.
    events_to: HashMap<String, (Ts, Ts, u32)>,
    cancels: HashSet<(String, Ts, u32, Ts)>,
    bars: HashMap<String, Ts>,
    proxy_bars: HashMap<String, Ts>,
    overs: HashSet<(String, NaiveDate)>,
}

impl Resume {
    /// Takes note of an input that was told, when it is of `date`.
    pub fn see(&mut self, input: &Input, date: NaiveDate) {
        // A cancel may come days after what it cancels.
        if input.date() == Some(date) || matches!(input, Input::Cancelled(_)) {
            self.is_new(input);
        }
    }

    /// Whether `input` lies behind everything that was told; from now on it was told too.
    pub fn is_left(&mut self, input: &Input) -> bool {
        let is_behind = match input {
            Input::Event(event) => {
                let last = self.events_to.get(&event.ticker);
                last.is_none_or(|last| (event.available_at, event.ts, event.seq) > *last)
            }
            Input::Bar { ticker, bar } => {
                let session = (ticker.clone(), bar.ts.exchange_date());
                !bar.is_regular || !self.overs.contains(&session)
            }
            _ => true,
        };
        is_behind && self.is_new(input)
    }

    /// Whether nobody was told `input` yet; from now on somebody was.
    pub fn is_new(&mut self, input: &Input) -> bool {
        let is_later = |ends: &mut HashMap<String, Ts>, ticker: &String, ts: Ts| {
            let last = ends.entry(ticker.clone()).or_insert(Ts::MIN);
            let is_later = ts > *last;
            *last = ts.max(*last);
            is_later
        };
        match input {
            Input::Bar { ticker, bar } => is_later(&mut self.bars, ticker, bar.ts),
            Input::ProxyBar { ticker, bar } => is_later(&mut self.proxy_bars, ticker, bar.ts),
            Input::SessionOver { ticker, date } => self.overs.insert((ticker.clone(), *date)),
            Input::Event(event) => {
                let place = (event.available_at, event.ts, event.seq);
                let last = self.events_to.entry(event.ticker.clone());
                let last = last.or_insert(place);
                *last = place.max(*last);
                self.events
                    .insert((event.ticker.clone(), event.ts, event.seq))
            }
            Input::Cancelled(cancel) => {
                self.cancels
                    .insert((cancel.ticker.clone(), cancel.ts, cancel.seq, cancel.at))
            }
            Input::Gap(_) => true,
        }
    }
}
