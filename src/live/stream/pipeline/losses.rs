//! Losses: what is missing is asked for, and what stays missing is said.

use std::collections::BTreeSet;
use std::time::Instant;

use super::super::holes::{Closed, Hole};
use super::super::new_york;
use super::super::order::{Numbered, Taken};
use super::super::second_look::Span;
use super::{BARS, Pipeline, StreamError};
use crate::engine::PROXIES;
use crate::flow::Print;
use crate::live::errands::{Answer, Errand, Errands};
use crate::live::event::{Gap, Input};
use crate::live::inbox::Moment;
use crate::live::{Feed, Link};
use crate::store::MinuteBar;
use crate::time::Ts;

impl Pipeline<'_> {
    pub(super) fn moment(&mut self, moment: Moment) -> Result<(), StreamError> {
        match moment {
            Moment::Quiet => self.complete(),
            Moment::Asked {
                feed,
                hole: number,
                to,
                questions,
            } => {
                let hole = self.hole(feed);
                if hole.unasked().is_none() {
                    // The process that was recorded was another one from here on.
                    self.lost(feed);
                }
                let hole = self.hole(feed);
                hole.name(number);
                hole.ask(to, questions);
                if feed == Feed::Stocks {
                    self.bars_to = to;
                }
                Ok(())
            }
            Moment::AskedOn { hole, questions } => {
                self.asked_on(hole, questions);
                Ok(())
            }
        }
    }

    pub(super) fn hole(&mut self, feed: Feed) -> &mut Hole {
        match feed {
            Feed::Options => &mut self.prints,
            Feed::Stocks => &mut self.bars,
        }
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.errands.as_ref().is_some_and(Errands::are_recorded)
    }

    pub(super) fn link(&mut self, feed: Feed, link: Link) -> Result<(), StreamError> {
        let was_up = std::mem::replace(&mut self.is_up[feed as usize], link == Link::Up);
        match link {
            Link::Up => {
                log::info!("the {feed} feed is up");
                self.last_frame = Instant::now();
            }
            Link::Down(reason) => {
                if was_up {
                    log::warn!("lost the {feed} feed: {reason}; connecting again");
                } else {
                    log::info!("no {feed} feed yet: {reason}");
                }
                self.lost(feed);
            }
            Link::Refused(reason) => return Err(StreamError::Refused { feed, reason }),
        }
        Ok(())
    }

    /// Something of `feed` is missing from here on.
    pub(super) fn lost(&mut self, feed: Feed) {
        match feed {
            Feed::Options => {
                self.prints.open(self.order.heard_to());
                self.order.hold();
                self.second_look.ask_anew();
            }
            Feed::Stocks => {
                let day_start = self.session.day_start();
                self.bars.open(self.newest_bar().max(day_start));
                self.gate.hold();
            }
        }
    }

    /// A contract that may be asked for.
    pub(super) fn list(&mut self, symbol: String) {
        if let Some(ticker) = self.tape.whose(&symbol) {
            self.listed[ticker].insert(symbol);
        }
    }

    pub(super) fn list_what_was_heard_of(&mut self) {
        let Pipeline { tape, listed, .. } = self;
        for (symbol, ticker) in tape.symbols() {
            if !listed[ticker].contains(symbol) {
                listed[ticker].insert(symbol.to_owned());
            }
        }
    }

    /// Asks for all of what was lost up to `to`, and for whatever REST has beyond: what was lost may be
    /// later than what comes first.
    pub(super) fn ask_for_prints(&mut self, to: Ts) {
        if self.is_recorded() {
            return;
        }
        let from = self.prints.unasked().expect("somebody looked before");
        self.list_what_was_heard_of();
        let listed = self.listed.iter().map(BTreeSet::len).sum();
        let questions = self.errands.as_ref().map_or(0, |_| listed);
        let hole = self.asked(Feed::Options, to, questions);
        let ends = self.day_ends();
        if let Some(errands) = &self.errands {
            for symbol in self.listed.iter().flatten() {
                errands.ask(Errand::Prints {
                    hole,
                    symbol: symbol.clone(),
                    from,
                    to: ends,
                });
            }
        }
    }

    /// Asks for the bars that end by `to`.
    pub(super) fn ask_for_bars(&mut self, to: Ts) {
        if self.is_recorded() {
            return;
        }
        self.bars_to = to;
        let questions = self.errands.as_ref().map_or(0, |_| self.places.len());
        let hole = self.asked(Feed::Stocks, to, questions);
        if let Some(errands) = &self.errands {
            for ticker in self.places.keys() {
                errands.ask(Errand::Bars {
                    hole,
                    ticker: ticker.clone(),
                    date: self.session.date,
                });
            }
        }
    }

    pub(super) fn asked(&mut self, feed: Feed, to: Ts, questions: usize) -> u64 {
        let hole = self.hole(feed).ask(to, questions);
        self.moments.push(Moment::Asked {
            feed,
            hole,
            to,
            questions,
        });
        hole
    }

    pub(super) fn answer(&mut self, answer: Answer) -> Result<(), StreamError> {
        match answer {
            Answer::Sights { symbol, sights } => {
                // A recording may know more contracts than the run.
                if let Some(contract) = self.tape.number(&symbol) {
                    self.sights(contract, sights)?;
                }
            }
            // Several threads may have asked before one of them knew.
            Answer::NoQuotes { .. } if !self.tape.asks_for_quotes() => {}
            Answer::NoQuotes { message } => {
                log::warn!("no quotes, so sides are by tick test from here on: {message}");
                self.tape.give_up_quotes();
            }
            Answer::Prints {
                hole,
                symbol,
                prints,
            } if self.prints.is_asked(hole) => {
                let failed = match prints {
                    Ok(prints) => self.backfill(&symbol, prints, hole),
                    Err(reason) => self.failed(&symbol, &reason),
                };
                self.prints.answered(failed);
            }
            Answer::Bars { hole, ticker, bars } if self.bars.is_asked(hole) => {
                let failed = match bars {
                    Ok(bars) => self.backfill_bars(&ticker, bars),
                    Err(reason) => {
                        log::warn!("minute bars of {ticker} cannot be had again: {reason}");
                        Some(ticker)
                    }
                };
                self.bars.answered(failed);
            }
            Answer::Chain {
                hole,
                ticker,
                quiet,
            } if self.prints.is_asked(hole) => self.chain(hole, &ticker, quiet),
            Answer::Check {
                symbol,
                from,
                to,
                prints,
            } => self.check(&symbol, Span { from, to }, prints),
            // Of a hole that has grown since.
            Answer::Prints { .. } | Answer::Bars { .. } | Answer::Chain { .. } => {}
        }
        Ok(())
    }

    pub(super) fn backfill(
        &mut self,
        symbol: &str,
        prints: Vec<Print>,
        hole: u64,
    ) -> Option<String> {
        let contract = self.tape.number(symbol)?;
        for print in prints {
            let numbered = Numbered { contract, print };
            if self.order.rest(numbered, hole) == Taken::Late {
                self.late(&numbered);
            }
        }
        None
    }

    pub(super) fn failed(&mut self, symbol: &str, reason: &str) -> Option<String> {
        log::warn!("prints of {symbol} cannot be had again: {reason}");
        let contract = self.tape.number(symbol)?;
        Some(self.tickers[self.tape.ticker_of(contract)].clone())
    }

    /// Bars of minutes that had ended when they were asked for; a later one may not be whole.
    pub(super) fn backfill_bars(&mut self, ticker: &str, bars: Vec<MinuteBar>) -> Option<String> {
        for bar in bars {
            if bar.ts.plus_minutes(1) <= self.bars_to {
                self.bar(ticker, bar);
            }
        }
        None
    }

    pub(super) fn tell_of(&mut self, closed: Closed, what: &str) {
        let Closed { from, to, failed } = closed;
        let when = format!("{what} {} to {}", new_york(from), new_york(to));
        let is_blind = self.errands.is_none() && to > from;
        if failed.is_empty() && !is_blind {
            self.gauges.gaps_closed.add(1);
            log::info!("{when} are complete");
            return;
        }
        self.gap(from, to, what, failed);
    }

    /// `what` is missing of `failed`, of all when none is named, and stays so.
    pub(super) fn gap(&mut self, from: Ts, to: Ts, what: &str, failed: Vec<String>) {
        let when = format!("{what} {} to {}", new_york(from), new_york(to));
        log::error!("{when} are missing and stay so: {}", failed.join(", "));
        // What a proxy lacks, the regime of all lacks.
        let is_everybodys = failed.iter().any(|name| PROXIES.contains(&name.as_str()));
        let tickers = match what == BARS && is_everybodys {
            true => Vec::new(),
            false => failed,
        };
        self.inputs.push(Input::Gap(Gap {
            from,
            to,
            tickers,
            what: when,
        }));
    }
}
