//! Resuming: what an earlier process told, so that it is not told again.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use crate::live::event::Input;
use crate::time::Ts;

/// What was told.
#[derive(Default)]
pub struct Resume {
    events: HashSet<(String, Ts, u32)>,
    cancels: HashSet<(String, Ts, u32, Ts)>,
    bars: HashMap<String, Ts>,
    proxy_bars: HashMap<String, Ts>,
    overs: HashSet<(String, NaiveDate)>,
}

impl Resume {
    /// Takes note of an input that was told, when it is of `date`.
    pub fn see(&mut self, input: &Input, date: NaiveDate) {
        let is_of_day = match input {
            Input::Bar { bar, .. } | Input::ProxyBar { bar, .. } => bar.ts.exchange_date() == date,
            Input::SessionOver { date: of, .. } => *of == date,
            Input::Event(event) => event.ts.exchange_date() == date,
            Input::Cancelled(cancel) => cancel.ts.exchange_date() == date,
            Input::Gap(_) => false,
        };
        if is_of_day {
            self.is_new(input);
        }
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
            Input::Event(event) => self
                .events
                .insert((event.ticker.clone(), event.ts, event.seq)),
            Input::Cancelled(cancel) => {
                self.cancels
                    .insert((cancel.ticker.clone(), cancel.ts, cancel.seq, cancel.at))
            }
            Input::Gap(_) => true,
        }
    }
}
