//! Chains: what the snapshots of a ticker's contracts spare a hole, and the second look at what they
//! spared.
//!
//! A chain of thousands of contracts is some twenty questions, and in a short hole few of them trade. So
//! each ticker's chain is asked first, and then for the prints of those contracts alone that are not
//! quiet: that have traded since the hole began, or of which the stream has told something since, or of
//! which the chain says nothing. A chain that cannot be had spares nobody.

use std::collections::HashSet;
use std::mem::discriminant;

use super::super::order::Numbered;
use super::super::second_look::{Round, Span};
use super::Pipeline;
use crate::flow::Print;
use crate::live::Feed;
use crate::live::errands::{Errand, NoChain};
use crate::live::inbox::Moment;
use crate::time::Ts;

impl Pipeline<'_> {
    /// Asks who may have traded in what was lost up to `to`.
    pub(super) fn ask_for_chains(&mut self, to: Ts) {
        if self.is_recorded() {
            return;
        }
        let from = self.prints.unasked().expect("somebody looked before");
        self.list_what_was_heard_of();
        let questions = self.errands.as_ref().map_or(0, |_| self.tickers.len());
        let hole = self.asked(Feed::Options, to, questions);
        if let Some(errands) = &self.errands {
            for ticker in self.tickers {
                let ticker = ticker.clone();
                errands.ask(Errand::Chain { hole, ticker, from });
            }
        }
    }

    /// Asks for the prints of whatever is not `quiet`. A recording knows how many that were.
    pub(super) fn chain(&mut self, hole: u64, ticker: &str, quiet: Result<Vec<String>, NoChain>) {
        let quiet = quiet.unwrap_or_else(|reason| {
            self.say_once(ticker, &reason);
            Vec::new()
        });
        let spared = self.spare(quiet);
        if self.is_recorded() {
            return;
        }
        let questions = self.ask_for_others(hole, ticker, &spared);
        self.moments.push(Moment::AskedOn { hole, questions });
        self.asked_on(hole, questions);
    }

    /// An answer led to so many more.
    pub(super) fn asked_on(&mut self, hole: u64, questions: usize) {
        if self.prints.is_asked(hole) {
            self.prints.asked_on(questions);
            self.prints.answered(None);
        }
    }

    /// Of `quiet`, those that nobody has heard of since the hole began.
    fn spare(&mut self, quiet: Vec<String>) -> HashSet<String> {
        let mut spared = HashSet::new();
        for symbol in quiet {
            if let Some(contract) = self.tape.number(&symbol)
                && !self.order.has_heard(contract)
            {
                self.second_look.spare(contract);
                spared.insert(symbol);
            }
        }
        spared
    }

    fn ask_for_others(&self, hole: u64, ticker: &str, spared: &HashSet<String>) -> usize {
        let place = self.tickers.iter().position(|name| name == ticker);
        let from = self.prints.begun();
        let (Some(place), Some(from), Some(errands)) = (place, from, &self.errands) else {
            return 0;
        };
        let others = self.listed[place].iter();
        let others = others.filter(|symbol| !spared.contains(*symbol));
        let to = self.day_ends();
        let ask = |symbol: &String| {
            errands.ask(Errand::Prints {
                hole,
                symbol: symbol.clone(),
                from,
                to,
            });
        };
        others.map(ask).count()
    }

    fn say_once(&mut self, ticker: &str, reason: &NoChain) {
        let is_said = self.no_chain.contains(&discriminant(reason));
        if !is_said {
            self.no_chain.insert(discriminant(reason));
            log::warn!(
                "the chain of {ticker} does not say which contracts traded ({reason}); all are asked for, \
                 here and wherever that is so"
            );
        }
    }

    /// The hole is closed: whoever was spared in it is looked at again.
    pub(super) fn look_again_at(&mut self, from: Ts, to: Ts) {
        let spared = self.second_look.closed(from, to);
        if spared > 0 {
            log::info!("{spared} contracts were quiet by their chains; they are looked at again");
        }
    }

    /// Asks about whoever was spared, once it can be said what was told.
    pub(super) fn look_again(&mut self) {
        let watermark = self.order.watermark();
        for (contract, Span { from, to }) in self.second_look.ripe(watermark) {
            if let Some(errands) = &self.errands {
                let symbol = self.tape.symbol(contract).to_owned();
                errands.ask(Errand::Check { symbol, from, to });
            }
        }
    }

    /// What REST has of somebody who was spared.
    pub(super) fn check(&mut self, symbol: &str, span: Span, prints: Result<Vec<Print>, String>) {
        // A recording may know more contracts than the run.
        let Some(contract) = self.tape.number(symbol) else {
            return;
        };
        match prints {
            Ok(prints) => {
                for print in self.second_look.answered(contract, span, prints) {
                    let why = "the snapshot of its chain had not known of it";
                    self.mark_too_late(&Numbered { contract, print }, why);
                }
            }
            Err(reason) => self.second_look.failed(contract, span, reason),
        }
        if let Some(round) = self.second_look.round() {
            say(&round);
        }
    }
}

fn say(round: &Round) {
    let Round {
        contracts,
        missed,
        failed,
        reason,
    } = round;
    if *missed > 0 {
        log::warn!("{contracts} quiet contracts were looked at again: {missed} prints were missed");
    } else {
        log::info!("{contracts} quiet contracts were looked at again: nothing was missed");
    }
    if let Some(reason) = reason {
        log::warn!(
            "{failed} of {contracts} quiet contracts could not be looked at again, so what their chains \
             said stands: {reason}"
        );
    }
}
