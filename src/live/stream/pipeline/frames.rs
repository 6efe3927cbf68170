//! Frames: from what a feed says to prints in their order and bars at the gate.

use super::super::holes::Hole;
use super::super::new_york;
use super::super::order::{Numbered, Taken};
use super::{MS_NS, Pipeline, StreamError};
use crate::engine::PROXIES;
use crate::flow::Print;
use crate::live::event::{Gap, Input};
use crate::live::massive::{Wire, WireBar, WireTrade, read};
use crate::live::poll::Polled;
use crate::live::{Feed, Frame, wall_clock};
use crate::store::MinuteBar;
use crate::time::{Session, Ts};

impl Pipeline<'_> {
    pub(super) fn frame(&mut self, frame: &Frame) {
        let feed = frame.feed;
        if frame.dropped_before > 0 {
            let dropped = frame.dropped_before;
            log::warn!("{dropped} frames of the {feed} feed found the queue full; asking REST");
            self.lost(feed);
        }
        let (mut first, mut last) = (None, Ts::MIN);
        let (known, mut newest_bar) = (self.newest_bar(), Ts::MIN);
        let result = read(&frame.text, |wire| match wire {
            Wire::Trade(trade) => {
                first.get_or_insert(trade.ts);
                last = last.max(trade.ts);
                self.trade(&trade);
            }
            Wire::Bar(bar) => {
                newest_bar = newest_bar.max(bar.start.plus_minutes(1));
                self.bar(bar.ticker, minute_bar(&bar, &self.session));
            }
            Wire::Quote(_) => {}
        });
        let lost = match result {
            Ok(read) => {
                self.gauges.malformed.add(read.bad);
                self.gauges.unknown_messages.add(read.unknown);
                let is_ours = read
                    .whose
                    .iter()
                    .any(|whose| self.is_ours(whose.as_deref()));
                let fault = read.first_fault.filter(|_| is_ours);
                fault.map(|fault| fault.to_string())
            }
            Err(malformed) => {
                self.gauges.malformed.add(1 + malformed.read.bad);
                Some(malformed.to_string())
            }
        };
        if let Some(fault) = lost {
            log::warn!("a message of the {feed} feed cannot be read ({fault}); asking REST");
            self.lost(feed);
        }
        if let Some(first) = first {
            self.skew(last);
            if self.prints.unasked().is_some() && self.is_up[Feed::Options as usize] {
                // Whatever comes later comes by the stream.
                self.ask_for_chains(first.plus_ns(self.waits.reorder_ns + MS_NS));
            }
        }
        // A bar says that those before it are whole. One that was told before says nothing.
        let is_news = newest_bar > known && self.is_up[Feed::Stocks as usize];
        if is_news && self.bars.unasked().is_some() {
            self.ask_for_bars(newest_bar);
        }
    }

    /// Whether a message that cannot be read concerns the run, as one does that does not say whose it
    /// is. The market's others may be as bad as they like.
    pub(super) fn is_ours(&mut self, whose: Option<&str>) -> bool {
        whose.is_none_or(|name| self.places.contains_key(name) || self.tape.number(name).is_some())
    }

    /// A round of asking: everything from midnight to its end is there, so there are no holes.
    pub(super) fn polled(&mut self, polled: Polled) -> Result<(), StreamError> {
        self.prints = Hole::default();
        self.second_look.ask_anew();
        self.bars = Hole::default();
        self.order.let_go();
        self.bars_are_whole();
        // Of two rounds that have something in common the later has it all.
        let round = polled.to.ns().cast_unsigned();
        for (symbol, print) in polled.prints {
            if let Some(contract) = self.tape.number(&symbol) {
                self.gauges.prints.add(1);
                self.order.rest(Numbered { contract, print }, round);
            }
        }
        for (ticker, bar) in polled.bars {
            self.bar(&ticker, bar);
        }
        self.settle(Some(polled.to))
    }

    pub(super) fn trade(&mut self, trade: &WireTrade) {
        if self.is_of_day(trade.ts) {
            self.order.hear(trade.ts);
        }
        let Some(contract) = self.tape.number(trade.sym) else {
            return;
        };
        if !self.is_of_day(trade.ts) {
            return;
        }
        self.gauges.prints.add(1);
        let print = Print {
            ts: trade.ts,
            price: trade.price,
            size: trade.size,
            exchange: trade.exchange,
            conditions: trade.conditions,
            correction: 0,
        };
        let numbered = Numbered { contract, print };
        match self.order.stream(numbered, trade.sequence) {
            Taken::Waits => {}
            Taken::Repeat => self.gauges.duplicates.add(1),
            Taken::Late => self.late(&numbered),
        }
    }

    /// A print that came when its time was settled.
    pub(super) fn late(&mut self, numbered: &Numbered) {
        self.second_look.told(numbered);
        self.mark_too_late(numbered, "live.reorder_ms waits longer");
    }

    /// Its event is told without it.
    pub(super) fn mark_too_late(&mut self, numbered: &Numbered, why: &str) {
        let Numbered { contract, print } = numbered;
        self.gauges.late_prints.add(1);
        let ticker = self.tape.ticker_of(*contract);
        if self.too_late.insert(ticker) {
            let what = format!("option prints came too late from {} on", new_york(print.ts));
            log::warn!("{}: {what}; {why}", self.tickers[ticker]);
            self.inputs.push(Input::Gap(Gap {
                from: print.ts,
                to: print.ts,
                tickers: vec![self.tickers[ticker].clone()],
                what,
            }));
        }
    }

    pub(super) fn bar(&mut self, ticker: &str, bar: MinuteBar) {
        let Some(place) = self.places.get(ticker).copied() else {
            return;
        };
        if !self.is_of_day(bar.ts) {
            return;
        }
        if self.gate.is_held() {
            // In order of time, after those that REST has.
            self.later_bars
                .entry((bar.ts.plus_minutes(1), place))
                .or_insert(bar);
        } else {
            self.next_bar(place, bar);
        }
    }

    pub(super) fn next_bar(&mut self, place: usize, bar: MinuteBar) {
        if !self.gate.bar(place, bar.ts.plus_minutes(1)) {
            return;
        }
        if let Some(proxy) = self.proxies.iter().position(|proxy| *proxy == place) {
            let ticker = PROXIES[proxy].to_owned();
            self.inputs.push(Input::ProxyBar { ticker, bar });
        }
        if place < self.tickers.len() {
            self.tape.bar(place, bar);
        }
    }

    /// The end of the last bar that came.
    pub(super) fn newest_bar(&self) -> Ts {
        let later = self.later_bars.last_key_value();
        later.map_or(self.gate.newest(), |((end, _), _)| {
            self.gate.newest().max(*end)
        })
    }

    /// No hole lies before the bars that came any more.
    pub(super) fn bars_are_whole(&mut self) {
        self.gate.let_go();
        for ((_, place), bar) in std::mem::take(&mut self.later_bars) {
            self.next_bar(place, bar);
        }
    }

    pub(super) fn is_of_day(&self, ts: Ts) -> bool {
        let start = self.session.day_start();
        // A day of 25 hours is none of a session; nothing trades around midnight.
        (start..start.plus_minutes(24 * 60)).contains(&ts)
    }

    pub(super) fn skew(&self, stream: Ts) {
        let skew = stream.ns_since(wall_clock());
        self.gauges.clock_skew_ns.set(skew);
    }
}

fn minute_bar(bar: &WireBar, session: &Session) -> MinuteBar {
    MinuteBar {
        ts: bar.start,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        vwap: bar.vwap,
        trades: None,
        is_regular: session.contains(bar.start),
    }
}
