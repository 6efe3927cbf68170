//! Exits: shows a position one bar after the other until a barrier, the clock or the session ends it.
//!
//! A bar that opens beyond a barrier fills at the open, never at the barrier: nobody traded there.
//!
//! ```text
//!                    open 116.2   filled here, +16.2 %
//!  tp 115.0 ─ ─ ─ ─ ╱ ─ ─ ─ ─ ─   crossed while nobody was trading
//!  entry 100.0 ────┘ overnight
//! ```

use super::Outcome;
use crate::config::Intrabar;
use crate::strategies::Direction;
use crate::time::Ts;

/// A price reaches a barrier when it is within this share of it.
const TOUCH: f64 = 1e-9;

/// One regular bar in the basis of the position's entry day.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    pub start: Ts,
    pub end: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
}

/// What was decided when the position was opened.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub direction: Direction,
    pub tp_pct: f64,
    pub sl_pct: f64,
    pub max_hold_minutes: u32,
    /// Ends with the session.
    pub flat_at_close: bool,
    pub intrabar: Intrabar,
}

/// How a position ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exit {
    pub outcome: Outcome,
    /// `None` for a position that is still open.
    pub at: Option<Ts>,
    pub price: f64,
    pub ambiguous: bool,
    /// The price had an ambiguous bar gone the position's way.
    pub best_price: f64,
}

/// An open position.
#[derive(Clone, Debug)]
pub struct Position {
    plan: Plan,
    entry_price: f64,
    tp: f64,
    sl: f64,
    deadline: Ts,
    last_close: f64,
    /// Best and worst price so far in the position's direction, as signed moves from the entry.
    best_move: f64,
    worst_move: f64,
    pub bars_held: u32,
}

impl Position {
    pub fn open(plan: Plan, opened_at: Ts, entry_price: f64) -> Position {
        let sign = plan.direction.sign();
        Position {
            plan,
            entry_price,
            tp: entry_price * (1.0 + sign * plan.tp_pct / 100.0),
            sl: entry_price * (1.0 - sign * plan.sl_pct / 100.0),
            deadline: opened_at.plus_minutes(i64::from(plan.max_hold_minutes)),
            last_close: entry_price,
            best_move: 0.0,
            worst_move: 0.0,
            bars_held: 0,
        }
    }

    /// Lives through one bar. The questions come in a fixed order: opened beyond a barrier, touched
    /// both, take profit, stop, time.
    pub fn on_bar(&mut self, bar: &Bar) -> Option<Exit> {
        self.bars_held += 1;
        let (gain, loss) = match self.plan.direction {
            Direction::Bullish => (bar.high, bar.low),
            Direction::Bearish => (bar.low, bar.high),
        };
        if self.reaches_tp(bar.open) || self.reaches_sl(bar.open) {
            let outcome = if self.reaches_tp(bar.open) {
                Outcome::Tp
            } else {
                Outcome::Sl
            };
            self.mark(bar.open, bar.open);
            return Some(fill(outcome, bar.start, bar.open));
        }
        let (tp, sl) = (self.reaches_tp(gain), self.reaches_sl(loss));
        if tp || sl {
            self.mark(self.clip(gain), self.clip(loss));
            return Some(self.barrier(tp, sl, bar.end));
        }
        self.mark(gain, loss);
        self.last_close = bar.close;
        (bar.end >= self.deadline).then(|| fill(Outcome::Timeout, bar.end, bar.close))
    }

    /// The session has closed at `close`: a position that must be flat ends at the last price
    /// somebody traded.
    pub fn on_close(&self, close: Ts) -> Option<Exit> {
        self.plan
            .flat_at_close
            .then(|| fill(Outcome::Eod, close, self.last_close))
    }

    /// The data ends here; the position is marked to its last close.
    pub fn still_open(&self) -> Exit {
        Exit {
            at: None,
            ..fill(Outcome::Open, self.deadline, self.last_close)
        }
    }

    /// Best and worst mark so far in percent of the entry price.
    pub fn excursions_pct(&self) -> (f64, f64) {
        (
            self.best_move / self.entry_price * 100.0,
            self.worst_move / self.entry_price * 100.0,
        )
    }

    fn barrier(&self, tp: bool, sl: bool, at: Ts) -> Exit {
        let ambiguous = tp && sl;
        let takes_profit = tp && (!sl || self.plan.intrabar == Intrabar::Best);
        let (outcome, price) = if takes_profit {
            (Outcome::Tp, self.tp)
        } else {
            (Outcome::Sl, self.sl)
        };
        let best_price = if ambiguous { self.tp } else { price };
        Exit {
            outcome,
            at: Some(at),
            price,
            ambiguous,
            best_price,
        }
    }

    fn reaches_tp(&self, price: f64) -> bool {
        match self.plan.direction {
            Direction::Bullish => price >= self.tp * (1.0 - TOUCH),
            Direction::Bearish => price <= self.tp * (1.0 + TOUCH),
        }
    }

    fn reaches_sl(&self, price: f64) -> bool {
        match self.plan.direction {
            Direction::Bullish => price <= self.sl * (1.0 + TOUCH),
            Direction::Bearish => price >= self.sl * (1.0 - TOUCH),
        }
    }

    fn clip(&self, price: f64) -> f64 {
        price.clamp(self.tp.min(self.sl), self.tp.max(self.sl))
    }

    fn mark(&mut self, gain: f64, loss: f64) {
        let sign = self.plan.direction.sign();
        self.best_move = self.best_move.max(sign * (gain - self.entry_price));
        self.worst_move = self.worst_move.min(sign * (loss - self.entry_price));
    }
}

fn fill(outcome: Outcome, at: Ts, price: f64) -> Exit {
    Exit {
        outcome,
        at: Some(at),
        price,
        ambiguous: false,
        best_price: price,
    }
}
