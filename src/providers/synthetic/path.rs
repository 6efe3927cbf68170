//! Price paths: from the factors and a ticker's own shocks to where its price is at any instant.
//!
//! A step is four knots joined by straight lines: its start, its two extremes in either order, its
//! end. The extremes are drawn from the law of a Brownian bridge, so bars look as they should and
//! the price a print saw lies inside the bar that is published.
//!
//! ```text
//!            ╱╲  high
//!   start ╲ ╱  ╲          the planted jump, where there is one, multiplies
//!          ╲    ╲ end     what comes after it
//!        low
//! ```

use std::ops::Range;

use rand::RngExt;
use rand_distr::Exp1;

use super::edge::Informed;
use super::factor::FactorSession;
use super::params::Profile;
use super::random::{Stream, chance, normal};
use super::sessions::Day;
use super::volatility::{EXTENDED, OVERNIGHT, REGULAR, Volatility, variance_shape};

/// Minutes with possible bars before the open (from 08:00 New York) and after the close.
pub(super) const PRE_MINUTES: usize = 90;
pub(super) const POST_MINUTES: usize = 120;

/// To whole cents, never below one.
pub(super) fn cents(price: f64) -> f64 {
    (price * 100.0).round().max(1.0) / 100.0
}

#[derive(Clone, Copy, Debug)]
struct Jump {
    at: f64,
    factor: f64,
}

/// The price within one step, dollars per share. Times are fractions of the step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    prices: [f64; 4],
    times: [f64; 4],
    jump: Option<Jump>,
    /// How wide the step is against what was to be expected; for volume to follow.
    pub liveliness: f64,
}

impl Piece {
    /// The piece from log price `from` to `to`, whose shock had variance `var`.
    fn new(from: f64, to: f64, var: f64, ratio: f64, rng: &mut Stream) -> Piece {
        let move_sq = (to - from).powi(2);
        let mut reach = || (move_sq + 2.0 * var * rng.sample::<f64, _>(Exp1)).sqrt();
        let high = (from + to + reach()) / 2.0;
        let low = (from + to - reach()) / 2.0;
        let low_first = chance(rng, if to > from { 0.75 } else { 0.25 });
        let (first, second) = if low_first { (low, high) } else { (high, low) };
        let early = 0.02 + 0.46 * rng.random::<f64>();
        let late = 0.52 + 0.46 * rng.random::<f64>();
        Piece {
            prices: [from, first, second, to].map(|log| log.exp() / ratio),
            times: [0.0, early, late, 1.0],
            jump: None,
            liveliness: (high - low) / (1.6 * var.sqrt()).max(1e-12),
        }
    }

    fn before_jump(&self, at: f64) -> f64 {
        let i = if at < self.times[1] {
            0
        } else {
            1 + usize::from(at >= self.times[2])
        };
        let part = (at - self.times[i]) / (self.times[i + 1] - self.times[i]);
        self.prices[i] + (self.prices[i + 1] - self.prices[i]) * part
    }

    fn jumped(&self, at: f64) -> f64 {
        self.jump
            .filter(|jump| at > jump.at)
            .map_or(1.0, |jump| jump.factor)
    }

    /// The price at fraction `at` of the step; at the jump itself, the one before it.
    pub(super) fn price_at(&self, at: f64) -> f64 {
        self.before_jump(at) * self.jumped(at)
    }

    pub(super) fn start(&self) -> f64 {
        self.prices[0]
    }

    pub(super) fn end(&self) -> f64 {
        self.prices[3] * self.jumped(1.0)
    }

    /// Lowest and highest price within the step.
    pub(super) fn range(&self) -> (f64, f64) {
        let knots = (0..4).map(|i| self.prices[i] * self.jumped(self.times[i]));
        let at_jump = self.jump.map_or([self.prices[0]; 2], |jump| {
            let price = self.before_jump(jump.at);
            [price, price * jump.factor]
        });
        knots
            .chain(at_jump)
            .fold((f64::MAX, f64::MIN), |(low, high), p| {
                (low.min(p), high.max(p))
            })
    }
}

/// One session of one ticker: pieces of a minute each (quarter hours where only the daily bar is
/// kept), and the minutes without trading.
#[derive(Clone, Debug)]
pub(super) struct SessionPath {
    pub pre: Vec<Piece>,
    pub regular: Vec<Piece>,
    pub post: Vec<Piece>,
    pub halt: Range<usize>,
}

/// What bends a session's path besides chance.
pub(super) struct Course<'a> {
    pub informed: &'a [Informed],
    pub edge_pct: f64,
    pub halt: Range<usize>,
    /// New shares per share of the first day: prices are divided by it.
    pub ratio: f64,
}

/// A ticker's price between sessions: all that its next session depends on.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    profile: Profile,
    own: Volatility,
    /// Logarithm of the price in shares of the first day.
    log_price: f64,
}

impl Walk {
    pub(super) fn new(profile: Profile) -> Walk {
        Walk {
            profile,
            own: Volatility::new(profile.own_vol),
            log_price: profile.price.ln(),
        }
    }

    /// Moves the whole path so far to where it ends at the ticker's usual price; returns what earlier
    /// prices are to be multiplied by.
    pub(super) fn rebase(&mut self) -> f64 {
        let factor = self.profile.price / self.log_price.exp();
        self.log_price = self.profile.price.ln();
        factor
    }

    /// Volatility a trader would expect before the session, per year.
    pub(super) fn annual_vol(&self, factor: &FactorSession) -> f64 {
        let shared = factor.session_var(self.profile.beta_market, self.profile.beta_tech);
        (252.0 * (shared + self.own.session_var())).sqrt()
    }

    /// Walks through one session, the night before it included.
    pub(super) fn session(
        &mut self,
        day: &Day,
        factor: &FactorSession,
        course: &Course,
        rng: &mut Stream,
    ) -> SessionPath {
        self.overnight(factor, rng);
        let has_extended = day.minutes_per_step() == 1;
        let pre = if has_extended {
            self.extended(PRE_MINUTES, factor, course, rng)
        } else {
            Vec::new()
        };
        let regular = self.regular(day, factor, course, rng);
        let post = if has_extended {
            self.extended(POST_MINUTES, factor, course, rng)
        } else {
            Vec::new()
        };
        self.own.close();
        SessionPath {
            pre,
            regular,
            post,
            halt: course.halt.clone(),
        }
    }

    /// The opening gap. Now and then there was news: a gap several times as wide.
    fn overnight(&mut self, factor: &FactorSession, rng: &mut Stream) {
        let is_news = chance(rng, 1.0 / 63.0);
        let share = OVERNIGHT * if is_news { 16.0 } else { 0.8 };
        let (shared, shared_var) = factor
            .overnight
            .on(self.profile.beta_market, self.profile.beta_tech);
        let (own, own_var) = self.own.shock(share, 60.0, rng);
        self.log_price += shared + own - (shared_var + own_var) / 2.0;
    }

    fn extended(
        &mut self,
        minutes: usize,
        factor: &FactorSession,
        course: &Course,
        rng: &mut Stream,
    ) -> Vec<Piece> {
        // The factors rest outside the session: a ticker's own shocks stand in for them.
        let shared = factor.session_var(self.profile.beta_market, self.profile.beta_tech);
        let share = EXTENDED / (PRE_MINUTES + POST_MINUTES) as f64;
        let var = share * (shared + self.own.session_var());
        let mut piece = || {
            let shock = var.sqrt() * normal(rng);
            self.advance(shock - var / 2.0, var, course.ratio, rng)
        };
        (0..minutes).map(|_| piece()).collect()
    }

    fn regular(
        &mut self,
        day: &Day,
        factor: &FactorSession,
        course: &Course,
        rng: &mut Stream,
    ) -> Vec<Piece> {
        let width = day.minutes_per_step();
        let share = REGULAR / day.full_steps();
        let shape = variance_shape(day.steps(), width);
        let planted = Planted::new(day.steps(), course);
        let steps = shape.iter().zip(&factor.steps).enumerate();
        steps
            .map(|(step, (weight, shared))| {
                let (own, own_var) = self.own.shock(share * weight, width as f64, rng);
                let (shared, shared_var) =
                    shared.on(self.profile.beta_market, self.profile.beta_tech);
                let var = own_var + shared_var;
                let change = own + shared - var / 2.0 + planted.drift[step];
                let mut piece = self.advance(change, var, course.ratio, rng);
                piece.jump = planted.jumps[step];
                self.log_price += piece.jumped(1.0).ln();
                piece
            })
            .collect()
    }

    fn advance(&mut self, change: f64, var: f64, ratio: f64, rng: &mut Stream) -> Piece {
        let from = self.log_price;
        self.log_price += change;
        Piece::new(from, self.log_price, var, ratio, rng)
    }
}

/// What the informed events of a session add to each of its steps.
struct Planted {
    drift: Vec<f64>,
    jumps: Vec<Option<Jump>>,
}

impl Planted {
    fn new(steps: usize, course: &Course) -> Planted {
        let mut planted = Planted {
            drift: vec![0.0; steps],
            jumps: vec![None; steps],
        };
        if course.edge_pct == 0.0 {
            return planted;
        }
        for informed in course.informed {
            let at = f64::from(informed.offset_ms) / 60_000.0;
            planted.jumps[informed.minute] = Some(Jump {
                at,
                factor: informed.jump(course.edge_pct),
            });
            planted.drift[informed.drift_minutes()]
                .fill(informed.drift_per_minute(course.edge_pct));
        }
        planted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::random::character;

    #[test]
    fn the_price_stays_within_the_range_before_and_after_a_jump() {
        let mut rng = character("path");
        for _ in 0..500 {
            let to = 5.0 + 0.002 * (rng.random::<f64>() - 0.5);
            let mut piece = Piece::new(5.0, to, 1e-6, 1.0, &mut rng);
            piece.jump = Some(Jump {
                at: rng.random(),
                factor: 1.003,
            });
            let (low, high) = piece.range();
            for i in 0..=1000 {
                let price = piece.price_at(f64::from(i) / 1000.0);
                assert!(low - 1e-9 <= price && price <= high + 1e-9);
            }
            assert!((piece.end() - to.exp() * 1.003).abs() < 1e-9);
        }
    }
}
