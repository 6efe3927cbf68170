//! One contract of a stream: its prints in order, in; what its tape tells, out, as soon as the quotes
//! that matter are known.
//!
//! Quotes are asked for only where prints can come to an event at the floor, and nobody knows that of
//! a run of prints before it has come to that much:
//!
//! ```text
//!   $2k  $3k │ gap │ $4k  $4k  $3k  $1k …
//!   light: told without quotes   growing ──┤ hot: the run so far is asked for, then what follows it
//! ```

use std::collections::VecDeque;

use crate::fetch::Listed;
use crate::flow::{Change, Class, ContractTape, MULTIPLIER, Print, Rules, Sight};
use crate::time::Ts;

/// A hair of room, as in a fetch, so that rounding never leaves out a run of exactly the floor.
const ROOM: f64 = 0.01;

/// Prints each within the window of the one before.
#[derive(Debug, Default)]
struct Run {
    /// Those that the tape was not given yet, each with its rank among the ticker's of its time.
    prints: VecDeque<(Print, u32)>,
    last: Option<Ts>,
    /// Dollars.
    worth: f64,
    is_over: bool,
}

impl Run {
    fn is_hot(&self, rules: &Rules) -> bool {
        self.worth >= rules.min_notional - ROOM
    }
}

/// A contract's day as a stream tells it.
pub struct StreamContract {
    pub listed: Listed,
    /// Its ticker's number.
    pub ticker: usize,
    tape: ContractTape,
    runs: VecDeque<Run>,
    /// How many prints of the first run were asked for.
    asked: usize,
}

/// Prints whose quotes somebody should ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub symbol: String,
    pub prints: Vec<Print>,
}

impl StreamContract {
    pub fn new(listed: Listed, ticker: usize) -> StreamContract {
        StreamContract {
            listed,
            ticker,
            tape: ContractTape::default(),
            runs: VecDeque::new(),
            asked: 0,
        }
    }

    /// The next print in order of time, to be told without waiting for a quote.
    pub fn push_at_once(
        &mut self,
        print: &Print,
        seq: u32,
        rules: &Rules,
        changes: &mut Vec<Change>,
    ) {
        self.tape.push(print, seq, &Sight::NONE, rules, changes);
    }

    /// The next print in order of time.
    pub fn push(&mut self, print: &Print, seq: u32, rules: &Rules) {
        let continues = self.runs.back().is_some_and(|run| {
            let last = run.last.expect("a run begins with a print");
            !run.is_over && print.ts.ns_since(last) <= rules.window_ns()
        });
        if !continues {
            self.end_run();
            self.runs.push_back(Run::default());
        }
        let run = self.runs.back_mut().expect("one was begun above");
        run.prints.push_back((*print, seq));
        run.last = Some(print.ts);
        if print.correction == 0 && Class::of(print.conditions).is_flow() {
            run.worth += print.price * print.size as f64 * MULTIPLIER;
        }
    }

    fn end_run(&mut self) {
        if let Some(run) = self.runs.back_mut() {
            run.is_over = true;
        }
    }

    /// Everything before `now` has been pushed: gives the tape what can be given, and returns what
    /// quotes are to be asked for.
    pub fn advance(&mut self, now: Ts, rules: &Rules, changes: &mut Vec<Change>) -> Option<Wanted> {
        if let Some(last) = self.runs.back().and_then(|run| run.last)
            && last.plus_ns(rules.window_ns()) < now
        {
            self.end_run();
        }
        let wanted = loop {
            let Some(run) = self.runs.front_mut() else {
                break None;
            };
            if run.is_hot(rules) {
                if run.prints.is_empty() && run.is_over {
                    self.runs.pop_front();
                    continue;
                }
                break self.ask();
            }
            if !run.is_over {
                break None;
            }
            for (print, seq) in run.prints.drain(..) {
                self.tape.push(&print, seq, &Sight::NONE, rules, changes);
            }
            self.runs.pop_front();
        };
        let until = self.first_untold().map_or(now, |first| first.min(now));
        self.tape.advance(until, rules, changes);
        wanted
    }

    /// The prints of the first run that nobody has asked for, unless some are being asked for.
    fn ask(&mut self) -> Option<Wanted> {
        let run = self.runs.front()?;
        if self.asked > 0 || run.prints.is_empty() {
            return None;
        }
        self.asked = run.prints.len();
        Some(Wanted {
            symbol: self.listed.symbol.clone(),
            prints: run.prints.iter().map(|(print, _)| *print).collect(),
        })
    }

    /// What the prints asked for met; nothing at all when that is not to be known.
    pub fn answer(&mut self, sights: &[Sight], rules: &Rules, changes: &mut Vec<Change>) {
        let asked = std::mem::take(&mut self.asked);
        let Some(run) = self.runs.front_mut().filter(|_| asked > 0) else {
            // The question was given up meanwhile.
            return;
        };
        let sights = sights.iter().chain(std::iter::repeat(&Sight::NONE));
        for ((print, seq), sight) in run.prints.drain(..asked).zip(sights) {
            self.tape.push(&print, seq, sight, rules, changes);
        }
    }

    /// How many prints are being asked for.
    pub fn asked(&self) -> usize {
        self.asked
    }

    fn first_untold(&self) -> Option<Ts> {
        let mut prints = self.runs.iter().flat_map(|run| &run.prints);
        prints.next().map(|(print, _)| print.ts)
    }

    /// While quotes are awaited: no event that is not told yet can be available before this.
    pub fn earliest_held(&self, rules: &Rules) -> Option<Ts> {
        // A light run has no event, and what makes it hot is still to come.
        let hot = self.runs.front().filter(|run| run.is_hot(rules))?;
        let (print, _) = hot.prints.front()?;
        let of_print = print.ts.plus_ns(rules.window_ns());
        let of_tape = self.tape.next_complete(rules);
        Some(of_tape.map_or(of_print, |at| at.min(of_print)))
    }

    /// When there is next something to do here, if ever.
    pub fn next_look(&self, rules: &Rules) -> Option<Ts> {
        let hot = self.runs.front().filter(|run| run.is_hot(rules));
        if self.asked == 0 && hot.is_some_and(|run| !run.prints.is_empty()) {
            return Some(Ts::MIN);
        }
        let growing = self.runs.back().filter(|run| !run.is_over);
        let growing = growing.and_then(|run| run.last);
        let growing = growing.map(|last| last.plus_ns(rules.window_ns()));
        let untold = self.first_untold();
        // The tape cannot go beyond what it was not given.
        let complete = self.tape.next_complete(rules);
        let complete = complete.filter(|at| untold.is_none_or(|first| *at < first));
        [growing, complete].into_iter().flatten().min()
    }

    /// Quotes are not to be had: gives the tape everything at once.
    pub fn flush(&mut self, rules: &Rules, changes: &mut Vec<Change>) {
        self.asked = 0;
        for (print, seq) in self.runs.drain(..).flat_map(|run| run.prints) {
            self.tape.push(&print, seq, &Sight::NONE, rules, changes);
        }
    }

    pub fn counts(&self) -> &crate::flow::FlowCounts {
        &self.tape.counts
    }
}
