//! Questions that wait: the urgent ones first, those that nobody waits for last.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Errand;
use crate::time::Ts;

#[derive(Default)]
pub struct Questions {
    queues: Mutex<Queues>,
    is_more: Condvar,
}

#[derive(Default)]
struct Queues {
    /// Of quotes, bars and chains: a decision waits for each.
    urgent: VecDeque<Errand>,
    /// Of prints: there may be as many as there are contracts.
    prints: VecDeque<Errand>,
    checks: Checks,
    /// The hole of prints that was asked for last.
    hole: u64,
    is_closed: bool,
}

/// One for each contract, whatever the number of holes.
#[derive(Default)]
struct Checks {
    turns: VecDeque<String>,
    spans: HashMap<String, (Ts, Ts)>,
    /// No more than one at a time: a decision may be next, and all of them share one pace.
    is_under_way: bool,
}

impl Questions {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, errand: Errand) {
        self.lock().push(errand);
        self.is_more.notify_one();
    }

    /// The next question; none when nobody asks any more. Whoever takes a check says when it is
    /// [`Questions::checked`].
    pub fn next(&self) -> Option<Errand> {
        let mut queues = self.lock();
        loop {
            if queues.is_closed {
                return None;
            }
            if let Some(errand) = queues.pop() {
                return Some(errand);
            }
            let waited = self.is_more.wait(queues);
            queues = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn checked(&self) {
        self.lock().checks.is_under_way = false;
        self.is_more.notify_one();
    }

    pub fn close(&self) {
        self.lock().is_closed = true;
        self.is_more.notify_all();
    }
}

impl Queues {
    fn push(&mut self, errand: Errand) {
        match errand {
            Errand::Quotes { .. } | Errand::Bars { .. } => self.urgent.push_back(errand),
            Errand::Chain { hole, .. } => {
                self.forget_before(hole);
                self.urgent.push_back(errand);
            }
            Errand::Prints { hole, .. } => {
                self.forget_before(hole);
                self.prints.push_back(errand);
            }
            Errand::Check { symbol, from, to } => self.checks.push(symbol, from, to),
        }
    }

    /// Nobody waits any more for what was asked for a hole that has grown since.
    fn forget_before(&mut self, hole: u64) {
        if hole > self.hole {
            self.hole = hole;
            self.prints.clear();
            self.urgent
                .retain(|errand| !matches!(errand, Errand::Chain { .. }));
        }
    }

    fn pop(&mut self) -> Option<Errand> {
        let urgent = self.urgent.pop_front();
        urgent
            .or_else(|| self.prints.pop_front())
            .or_else(|| self.checks.pop())
    }
}

impl Checks {
    fn push(&mut self, symbol: String, from: Ts, to: Ts) {
        match self.spans.get_mut(&symbol) {
            Some(span) => *span = (span.0.min(from), span.1.max(to)),
            None => {
                self.spans.insert(symbol.clone(), (from, to));
                self.turns.push_back(symbol);
            }
        }
    }

    fn pop(&mut self) -> Option<Errand> {
        if self.is_under_way {
            return None;
        }
        let symbol = self.turns.pop_front()?;
        let span = self.spans.remove(&symbol);
        let (from, to) = span.expect("whoever has a turn has a span");
        self.is_under_way = true;
        Some(Errand::Check { symbol, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Ts {
        Ts::from_ns(0).plus_seconds(seconds)
    }

    fn check(symbol: &str, from: i64, to: i64) -> Errand {
        Errand::Check {
            symbol: symbol.to_owned(),
            from: at(from),
            to: at(to),
        }
    }

    fn prints(hole: u64) -> Errand {
        Errand::Prints {
            hole,
            symbol: "A".to_owned(),
            from: at(0),
            to: at(9),
        }
    }

    fn chain(hole: u64) -> Errand {
        Errand::Chain {
            hole,
            ticker: "SPY".to_owned(),
            from: at(0),
        }
    }

    fn told(errand: &Errand) -> String {
        match errand {
            Errand::Quotes { .. } => "quotes".to_owned(),
            Errand::Bars { .. } => "bars".to_owned(),
            Errand::Chain { hole, .. } => format!("chain {hole}"),
            Errand::Prints { hole, .. } => format!("prints {hole}"),
            Errand::Check { symbol, from, to } => format!(
                "check {symbol} {} {}",
                from.ns() / 1_000_000_000,
                to.ns() / 1_000_000_000
            ),
        }
    }

    /// What is asked, one after the other, each check answered before the next question.
    fn asked(questions: &Questions) -> Vec<String> {
        let mut asked = Vec::new();
        loop {
            let next = questions.lock().pop();
            let Some(errand) = next else { return asked };
            questions.checked();
            asked.push(told(&errand));
        }
    }

    #[test]
    fn chains_go_before_prints_and_checks_after_everything() {
        let questions = Questions::default();
        for errand in [check("B", 1, 2), prints(1), chain(1)] {
            questions.push(errand);
        }
        assert_eq!(asked(&questions), ["chain 1", "prints 1", "check B 1 2"]);
    }

    #[test]
    fn what_was_asked_for_a_hole_is_forgotten_when_it_has_grown() {
        let questions = Questions::default();
        for errand in [prints(1), chain(1), check("B", 1, 2), chain(2), prints(2)] {
            questions.push(errand);
        }
        assert_eq!(asked(&questions), ["chain 2", "prints 2", "check B 1 2"]);
    }

    #[test]
    fn checks_of_one_contract_become_one_that_keeps_its_turn() {
        let questions = Questions::default();
        for errand in [check("B", 3, 4), check("A", 1, 2), check("B", 1, 2)] {
            questions.push(errand);
        }
        questions.push(check("B", 7, 8));
        assert_eq!(asked(&questions), ["check B 1 8", "check A 1 2"]);
    }

    #[test]
    fn one_check_is_under_way_at_a_time() {
        let questions = Questions::default();
        questions.push(check("A", 1, 2));
        questions.push(check("B", 1, 2));
        assert!(questions.lock().pop().is_some());
        assert!(questions.lock().pop().is_none());
        questions.push(prints(1));
        assert_eq!(told(&questions.lock().pop().unwrap()), "prints 1");
        questions.checked();
        assert!(questions.lock().pop().is_some());
    }
}
