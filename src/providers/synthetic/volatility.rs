//! Volatility: how much a price may move in the next step, decided before the move is drawn.
//!
//! Between sessions a GARCH(1,1) remembers what the last ones did; within a session a slow wave
//! makes busy quarter hours follow busy ones; the shape makes the open and the close livelier.
//! Since a step's variance is known before its shock, a shock of variance `v` is given the drift
//! −v/2 and the price stays a martingale: its simple returns have mean zero.

use super::random::{Stream, normal};

/// Shares of a session's variance. The rest, 70 %, falls into the regular session.
pub(super) const OVERNIGHT: f64 = 0.25;
pub(super) const EXTENDED: f64 = 0.05;
pub(super) const REGULAR: f64 = 1.0 - OVERNIGHT - EXTENDED;

const ALPHA: f64 = 0.08;
const BETA: f64 = 0.90;
/// Standard deviation of the wave's logarithm, and how much of it survives a minute.
const WAVE: f64 = 0.35;
const WAVE_PERSISTENCE: f64 = 0.985;

/// The variance process of one source of shocks.
#[derive(Clone, Debug)]
pub(super) struct Volatility {
    mean: f64,
    var: f64,
    wave: f64,
    realised: f64,
}

impl Volatility {
    pub(super) fn new(daily_vol: f64) -> Volatility {
        let mean = daily_vol * daily_vol;
        Volatility {
            mean,
            var: mean,
            wave: 0.0,
            realised: 0.0,
        }
    }

    /// Variance of the coming session as a whole.
    pub(super) fn session_var(&self) -> f64 {
        self.var
    }

    /// Draws the shock of a piece that holds `share` of the session's variance and lasts
    /// `minutes` minutes; returns it with its variance.
    pub(super) fn shock(&mut self, share: f64, minutes: f64, rng: &mut Stream) -> (f64, f64) {
        let kept = if minutes == 1.0 {
            WAVE_PERSISTENCE
        } else {
            WAVE_PERSISTENCE.powf(minutes)
        };
        self.wave = kept * self.wave + (1.0 - kept * kept).sqrt() * WAVE * normal(rng);
        let var = self.var * share * (2.0 * self.wave - 2.0 * WAVE * WAVE).exp();
        let shock = var.sqrt() * normal(rng);
        self.realised += shock * shock;
        (shock, var)
    }

    /// Ends the session: what it did moves the variance of the next one.
    pub(super) fn close(&mut self) {
        // A cap keeps one wild session from setting the tone for months.
        let realised = self.realised.min(12.0 * self.mean);
        self.var = (1.0 - ALPHA - BETA) * self.mean + ALPHA * realised + BETA * self.var;
        self.realised = 0.0;
    }
}

/// Weights with mean 1 that start and end a session high, as variance does.
pub(super) fn variance_shape(steps: usize, minutes_per_step: usize) -> Vec<f64> {
    u_shape(steps, minutes_per_step, (1.8, 25.0), (0.6, 20.0))
}

/// The same for volume and for option prints, which crowd into the close as well.
pub(super) fn volume_shape(steps: usize) -> Vec<f64> {
    u_shape(steps, 1, (2.4, 22.0), (2.0, 14.0))
}

fn u_shape(steps: usize, width: usize, open: (f64, f64), close: (f64, f64)) -> Vec<f64> {
    let half = width as f64 / 2.0;
    let decay = [open.1, close.1].map(|minutes: f64| (-2.0 * half / minutes).exp());
    let [mut from_open, mut to_close] = decay.map(f64::sqrt);
    let mut shape = vec![1.0; steps];
    for step in 0..steps {
        shape[step] += open.0 * from_open;
        shape[steps - 1 - step] += close.0 * to_close;
        from_open *= decay[0];
        to_close *= decay[1];
    }
    let mean = shape.iter().sum::<f64>() / steps as f64;
    shape.iter_mut().for_each(|w| *w /= mean);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::random::character;

    #[test]
    fn shapes_have_mean_one_and_are_high_at_both_ends() {
        for shape in [
            volume_shape(390),
            volume_shape(210),
            variance_shape(390, 1),
            variance_shape(26, 15),
        ] {
            let steps = shape.len();
            assert!((shape.iter().sum::<f64>() / steps as f64 - 1.0).abs() < 1e-9);
            assert!(shape[0] > 1.5 * shape[steps / 2] && shape[steps - 1] > 1.2 * shape[steps / 2]);
        }
    }

    #[test]
    fn wild_sessions_follow_wild_sessions() {
        let mut rng = character("volatility");
        let mut volatility = Volatility::new(0.01);
        let sessions: Vec<f64> = (0..20_000)
            .map(|_| {
                let (shock, _) = volatility.shock(1.0, 390.0, &mut rng);
                volatility.close();
                shock * shock
            })
            .collect();
        let mean = sessions.iter().sum::<f64>() / sessions.len() as f64;
        let after_wild: Vec<f64> = sessions
            .windows(2)
            .filter(|w| w[0] > 4.0 * mean)
            .map(|w| w[1])
            .collect();
        let after = after_wild.iter().sum::<f64>() / after_wild.len() as f64;
        assert!((0.7e-4..1.3e-4).contains(&mean), "{mean}");
        assert!(after > 1.3 * mean, "{after} after wild ones, {mean} in all");
    }
}
