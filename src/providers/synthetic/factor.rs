//! The common factors: shocks that every ticker shares, made once for the whole market.
//!
//! There are two: the market, which SPY is, and a technology factor, which QQQ adds to it. Only the
//! martingale shocks are shared. What is planted in SPY after its own flow stays with SPY, so the
//! trades of different tickers are not copies of each other.

use super::random::{Purpose, stream};
use super::sessions::Day;
use super::volatility::{OVERNIGHT, REGULAR, Volatility, variance_shape};

const MARKET_VOL: f64 = 0.0095;
const TECH_VOL: f64 = 0.0065;

/// One step's shocks of both factors and the variances they were drawn with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shock {
    market: f32,
    tech: f32,
    market_var: f32,
    tech_var: f32,
}

impl Shock {
    /// Shock and variance of a ticker with these betas.
    pub(super) fn on(&self, beta_market: f64, beta_tech: f64) -> (f64, f64) {
        let shock = beta_market * f64::from(self.market) + beta_tech * f64::from(self.tech);
        let var = beta_market.powi(2) * f64::from(self.market_var)
            + beta_tech.powi(2) * f64::from(self.tech_var);
        (shock, var)
    }
}

/// The factors of one session: the night before it, then its steps.
#[derive(Clone, Debug)]
pub(super) struct FactorSession {
    pub overnight: Shock,
    pub steps: Vec<Shock>,
    market_var: f64,
    tech_var: f64,
}

impl FactorSession {
    /// The variance a ticker with these betas could expect of this session before it began.
    pub(super) fn session_var(&self, beta_market: f64, beta_tech: f64) -> f64 {
        beta_market.powi(2) * self.market_var + beta_tech.powi(2) * self.tech_var
    }
}

/// The factors of every session, in order. About 16 bytes a minute.
#[derive(Clone, Debug)]
pub(super) struct MarketPath {
    pub sessions: Vec<FactorSession>,
}

impl MarketPath {
    pub(super) fn new(seed: u64, days: &[Day]) -> MarketPath {
        let mut market = Volatility::new(MARKET_VOL);
        let mut tech = Volatility::new(TECH_VOL);
        let sessions = days
            .iter()
            .map(|day| factor_session(seed, day, &mut market, &mut tech))
            .collect();
        MarketPath { sessions }
    }
}

fn factor_session(
    seed: u64,
    day: &Day,
    market: &mut Volatility,
    tech: &mut Volatility,
) -> FactorSession {
    let mut rng = stream(seed, "factors", Purpose::Factor, day.session.date);
    let (market_var, tech_var) = (market.session_var(), tech.session_var());
    let mut draw = |share: f64, minutes: f64| {
        let (m, mv) = market.shock(share, minutes, &mut rng);
        let (t, tv) = tech.shock(share, minutes, &mut rng);
        Shock {
            market: m as f32,
            tech: t as f32,
            market_var: mv as f32,
            tech_var: tv as f32,
        }
    };
    let overnight = draw(OVERNIGHT, 60.0);
    let share = REGULAR / day.full_steps();
    let width = day.minutes_per_step();
    let shape = variance_shape(day.steps(), width);
    let steps = shape
        .iter()
        .map(|weight| draw(share * weight, width as f64))
        .collect();
    market.close();
    tech.close();
    FactorSession {
        overnight,
        steps,
        market_var,
        tech_var,
    }
}
