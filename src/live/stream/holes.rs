//! Holes: what a stream missed while it was away, from the loss to the last answer that fills it.
//!
//! ```text
//!   lost ──── up again ──── first print: now it is known up to when ──── asked ──── all answers: closed
//!                                                      chains first, then ╯ whatever is not quiet
//! ```

use std::collections::BTreeSet;

use crate::time::Ts;

/// What is missing of one feed.
#[derive(Debug, Default)]
pub struct Hole {
    state: State,
    /// Names the questions of the hole at hand.
    number: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    None,
    /// Its end is not known yet.
    Open { from: Ts },
    Asked {
        from: Ts,
        to: Ts,
        outstanding: usize,
        /// Tickers for which the answer was no.
        failed: BTreeSet<String>,
    },
}

/// A hole that has all its answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    pub from: Ts,
    pub to: Ts,
    /// Tickers of which it could not be filled.
    pub failed: Vec<String>,
}

impl Hole {
    /// Something was lost after `from`. Questions under way do not answer for it.
    pub fn open(&mut self, from: Ts) {
        let from = match &self.state {
            State::None => from,
            State::Open { from: before } | State::Asked { from: before, .. } => from.min(*before),
        };
        self.number += 1;
        self.state = State::Open { from };
    }

    /// Where it begins, while it is there.
    pub fn begun(&self) -> Option<Ts> {
        match self.state {
            State::None => None,
            State::Open { from } | State::Asked { from, .. } => Some(from),
        }
    }

    /// Where it begins, while nobody has asked yet.
    pub fn unasked(&self) -> Option<Ts> {
        match self.state {
            State::Open { from } => Some(from),
            _ => None,
        }
    }

    /// An earlier run named its questions by `number`; its answers are to be told again.
    pub fn name(&mut self, number: u64) {
        self.number = number;
    }

    /// `questions` were asked for what lies before `to`. Returns what they are to be named.
    pub fn ask(&mut self, to: Ts, questions: usize) -> u64 {
        let State::Open { from } = self.state else {
            debug_assert!(false, "an open hole is asked for");
            return self.number;
        };
        self.state = State::Asked {
            from,
            to,
            outstanding: questions,
            failed: BTreeSet::new(),
        };
        self.number
    }

    /// Whether an answer named `number` is to the hole at hand.
    pub fn is_asked(&self, number: u64) -> bool {
        number == self.number && matches!(self.state, State::Asked { .. })
    }

    /// Because of an answer, as many more questions were asked.
    pub fn asked_on(&mut self, questions: usize) {
        if let State::Asked { outstanding, .. } = &mut self.state {
            *outstanding += questions;
        }
    }

    /// An answer came; `failed` names the ticker it was no for.
    pub fn answered(&mut self, failed: Option<String>) {
        if let State::Asked {
            outstanding,
            failed: all,
            ..
        } = &mut self.state
        {
            *outstanding -= 1;
            all.extend(failed);
        }
    }

    /// The hole, once all its answers are there; after that it is none.
    pub fn closed(&mut self) -> Option<Closed> {
        let State::Asked {
            from,
            to,
            outstanding: 0,
            failed,
        } = &mut self.state
        else {
            return None;
        };
        let closed = Closed {
            from: *from,
            to: *to,
            failed: std::mem::take(failed).into_iter().collect(),
        };
        self.state = State::None;
        Some(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Ts {
        Ts::from_ns(0).plus_seconds(seconds)
    }

    #[test]
    fn a_hole_closes_with_its_last_answer() {
        let mut hole = Hole::default();
        hole.open(at(10));
        let number = hole.ask(at(20), 2);
        hole.answered(None);
        assert_eq!(hole.closed(), None);
        hole.answered(Some("TSLA".to_owned()));
        let failed = vec!["TSLA".to_owned()];
        let closed = Closed {
            from: at(10),
            to: at(20),
            failed,
        };
        assert_eq!(hole.closed(), Some(closed));
        assert!(!hole.is_asked(number) && hole.closed().is_none());
    }

    #[test]
    fn an_answer_that_leads_to_more_questions_does_not_close_a_hole() {
        let mut hole = Hole::default();
        hole.open(at(10));
        hole.ask(at(20), 1);
        hole.asked_on(1);
        hole.answered(None);
        assert_eq!(hole.closed(), None);
        hole.answered(None);
        assert!(hole.closed().is_some());
    }

    #[test]
    fn a_loss_while_it_is_asked_for_makes_the_hole_longer_and_the_answers_void() {
        let mut hole = Hole::default();
        hole.open(at(10));
        let old = hole.ask(at(20), 1);
        hole.open(at(25));
        assert!(!hole.is_asked(old));
        assert_eq!(hole.unasked(), Some(at(10)));
    }
}
