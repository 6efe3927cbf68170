//! Intents: who trades when, which way, how large and how urgently, decided without looking at a price.
//!
//! That is what keeps uninformed flow uninformed, and what lets a market with the edge and the same
//! market without it share their events: prices move a strike or the number of contracts, no more.

use chrono::NaiveDate;
use rand::RngExt;
use rand_distr::{Distribution, Exp1, Poisson};

use super::chain::Chain;
use super::edge::{Informed, MAX_DTE, MIN_NOTIONAL};
use super::random::{Stream, chance, normal};
use super::volatility::volume_shape;
use crate::flow::{CallPut, Side};

/// Sizes are drawn above this many dollars; smaller prints are only seen as volume.
const SMALLEST: f64 = 10_000.0;
const LARGEST: f64 = 5e7;
/// Option prints continue for a quarter of an hour after the close, thinly.
pub(super) const LATE_MINUTES: usize = 15;
const LATE_SHARE: f64 = 0.004;

/// Where an event trades against the quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    At,
    Through,
    Inside,
    /// Pre-paired: it has no aggressor.
    Cross,
}

/// What kind of order it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Single,
    Auction,
    Cross,
    MultiLeg,
    Sweep { is_iso: bool },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Intent {
    pub call_put: CallPut,
    pub side: Side,
    pub touch: Touch,
    pub form: Form,
    /// Dollars.
    pub notional: f64,
    pub dte: usize,
    /// Standard deviations out of the money.
    pub deviations: f64,
    pub prints: u32,
    pub exchanges: u32,
    pub condition: i16,
    pub is_informed: bool,
}

impl Intent {
    /// An ordinary event. `may_sweep_short` is false where a large sweep of a short-dated contract would pass
    /// for an informed one.
    pub(super) fn ordinary(rng: &mut Stream, may_sweep_short: bool) -> Intent {
        let form = form(rng);
        let touch = touch(form, rng);
        let mut intent = Intent {
            call_put: if chance(rng, 0.57) {
                CallPut::Call
            } else {
                CallPut::Put
            },
            side: if touch == Touch::Cross {
                Side::Unknown
            } else {
                side(rng)
            },
            touch,
            form,
            notional: notional(SMALLEST, 1.0, rng),
            dte: dte(rng),
            deviations: (0.3 + 0.8 * normal(rng)).clamp(-1.2, 2.2),
            prints: 1,
            exchanges: 1,
            condition: 0,
            is_informed: false,
        };
        let looks_informed = matches!(form, Form::Sweep { .. })
            && matches!(touch, Touch::At | Touch::Through)
            && intent.notional >= 0.8 * MIN_NOTIONAL;
        // The chain answers with the nearest expiry, which may be shorter than what was asked for.
        if looks_informed && !may_sweep_short && intent.dte <= 2 * MAX_DTE as usize + 2 {
            intent.form = Form::Single;
        }
        intent.split_into_prints(rng);
        intent
    }

    /// The informed event: an aggressive sweep near the money, dollars and days within the limits of [`super::edge`].
    pub(super) fn informed(
        informed: &Informed,
        chain: &Chain,
        today: NaiveDate,
        rng: &mut Stream,
    ) -> Intent {
        let side = if informed.is_call == informed.is_bullish {
            Side::Buy
        } else {
            Side::Sell
        };
        let dte = chain.dte_within(rng.random_range(0..=MAX_DTE), today);
        let mut intent = Intent {
            call_put: if informed.is_call {
                CallPut::Call
            } else {
                CallPut::Put
            },
            side,
            touch: if chance(rng, 0.2) && side == Side::Buy {
                Touch::Through
            } else {
                Touch::At
            },
            form: Form::Sweep {
                is_iso: chance(rng, 0.75),
            },
            notional: notional(1.2 * MIN_NOTIONAL, 0.8, rng),
            dte: dte as usize,
            deviations: (0.2 + 0.4 * normal(rng)).clamp(-0.6, 0.9),
            prints: 1,
            exchanges: 1,
            condition: 0,
            is_informed: true,
        };
        intent.split_into_prints(rng);
        intent
    }

    /// How many prints on how many exchanges, and under which condition code.
    fn split_into_prints(&mut self, rng: &mut Stream) {
        let (several, where_, code) = (
            rng.random_range(2..=8u32),
            rng.random::<f64>(),
            rng.random::<f64>(),
        );
        let spread_over = |prints: u32| 2 + (where_ * f64::from(prints.min(6) - 1)) as u32;
        (self.prints, self.exchanges, self.condition) = match self.form {
            Form::Single if code < 0.06 => (several.min(3), 1, 209),
            Form::Single => (1, 1, 209),
            Form::Auction => (1, 1, 227),
            Form::Cross => (1, 1, 229),
            Form::MultiLeg if code < 0.04 => (several, spread_over(several), 232),
            Form::MultiLeg => (
                1,
                1,
                [232, 232, 232, 233, 236, 238][(where_ * 6.0) as usize],
            ),
            Form::Sweep { is_iso: false } => (several, spread_over(several), 209),
            // An order marked ISO is a sweep even when only one exchange is seen to print it.
            Form::Sweep { is_iso: true } if code < 0.1 => (1, 1, 219),
            Form::Sweep { is_iso: true } if code < 0.2 => (several, spread_over(several), 228),
            Form::Sweep { is_iso: true } => (several, spread_over(several), 219),
        };
        self.exchanges = self.exchanges.min(self.prints);
    }

    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.form, Form::Sweep { .. }) || self.exchanges > 1
    }

    /// Becomes an order of one print on one exchange.
    pub(super) fn made_single(self) -> Intent {
        Intent {
            form: Form::Single,
            prints: 1,
            exchanges: 1,
            condition: 209,
            ..self
        }
    }
}

fn side(rng: &mut Stream) -> Side {
    if chance(rng, 0.54) {
        Side::Buy
    } else {
        Side::Sell
    }
}

fn form(rng: &mut Stream) -> Form {
    match rng.random::<f64>() {
        u if u < 0.09 => Form::Sweep { is_iso: true },
        u if u < 0.125 => Form::Sweep { is_iso: false },
        u if u < 0.275 => Form::MultiLeg,
        u if u < 0.295 => Form::Cross,
        u if u < 0.40 => Form::Auction,
        _ => Form::Single,
    }
}

fn touch(form: Form, rng: &mut Stream) -> Touch {
    let (at, through) = match form {
        Form::Cross => return Touch::Cross,
        Form::Auction => (0.35, 0.0),
        Form::MultiLeg => (0.55, 0.03),
        Form::Sweep { .. } => (0.80, 0.08),
        Form::Single => (0.80, 0.02),
    };
    match rng.random::<f64>() {
        u if u < at => Touch::At,
        u if u < at + through => Touch::Through,
        _ => Touch::Inside,
    }
}

/// Dollars from `smallest` up with a heavy tail: at `width` 1 the median is 2.5 times the smallest, a
/// quarter lies above 5 times, a hundredth above 100 times.
fn notional(smallest: f64, width: f64, rng: &mut Stream) -> f64 {
    let above = 1.26 * rng.sample::<f64, _>(Exp1).powf(1.0 / 1.15);
    (smallest * (width * above).exp()).min(LARGEST)
}

fn dte(rng: &mut Stream) -> usize {
    let u = rng.random::<f64>();
    match rng.random::<f64>() {
        kind if kind < 0.45 => (u * 3.0) as usize,
        kind if kind < 0.70 => 3 + (u * 8.0) as usize,
        kind if kind < 0.93 => 14 + (u * 47.0) as usize,
        _ => 61 + (u * 30.0) as usize,
    }
}

/// When things happen in one minute: offsets in milliseconds, ascending, each with the position of
/// its informed event if it is one.
pub(super) type Moments = Vec<(u32, Option<usize>)>;

/// Spreads a session's events over its minutes and the late ones after it.
pub(super) struct Clock {
    expected: Vec<f64>,
}

impl Clock {
    /// About `events` events over `minutes` minutes of session, none while trading is `halted`.
    pub(super) fn new(minutes: usize, events: f64, halted: std::ops::Range<usize>) -> Clock {
        let mut expected = volume_shape(minutes);
        expected[halted].fill(0.0);
        let total: f64 = expected.iter().sum();
        expected
            .iter_mut()
            .for_each(|w| *w *= (1.0 - LATE_SHARE) * events / total);
        expected.extend([LATE_SHARE * events / LATE_MINUTES as f64; LATE_MINUTES]);
        Clock { expected }
    }

    /// Minutes since the open in which something may happen.
    pub(super) fn minutes(&self) -> std::ops::Range<usize> {
        0..self.expected.len()
    }

    /// Draws the moments of `minute` into `moments`.
    pub(super) fn draw(
        &self,
        minute: usize,
        informed: &[Informed],
        moments: &mut Moments,
        rng: &mut Stream,
    ) {
        moments.clear();
        // A rate of zero, in a halt, is no distribution and no events.
        let count =
            Poisson::new(self.expected[minute]).map_or(0.0, |poisson| poisson.sample(rng)) as usize;
        moments.extend((0..count).map(|_| (rng.random_range(0..60_000), None)));
        let here = informed
            .iter()
            .enumerate()
            .filter(|(_, i)| i.minute == minute);
        moments.extend(here.map(|(position, i)| (i.offset_ms, Some(position))));
        moments.sort_unstable();
        // Prints of one burst share a millisecond.
        for later in 1..moments.len() {
            if moments[later].1.is_none() && chance(rng, 0.03) {
                moments[later].0 = moments[later - 1].0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::random::character;

    #[test]
    fn notionals_have_the_median_and_tail_of_real_flow() {
        let mut rng = character("notional");
        let mut drawn: Vec<f64> = (0..100_000)
            .map(|_| notional(SMALLEST, 1.0, &mut rng))
            .collect();
        drawn.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| drawn[(q * drawn.len() as f64) as usize];
        assert!((22_000.0..28_000.0).contains(&at(0.5)), "{}", at(0.5));
        assert!((700_000.0..1_500_000.0).contains(&at(0.99)), "{}", at(0.99));
        let share =
            |floor: f64| drawn.iter().filter(|n| **n >= floor).count() as f64 / drawn.len() as f64;
        assert!((0.22..0.31).contains(&share(50_000.0)));
        assert!((0.03..0.07).contains(&share(250_000.0)));
    }

    #[test]
    fn nothing_happens_in_a_halt() {
        let clock = Clock::new(390, 100_000.0, 100..125);
        let (mut rng, mut moments) = (character("clock"), Moments::new());
        let mut total = 0;
        for minute in clock.minutes() {
            clock.draw(minute, &[], &mut moments, &mut rng);
            assert_eq!(
                (100..125).contains(&minute),
                moments.is_empty(),
                "minute {minute}"
            );
            assert!(moments.is_sorted_by_key(|m| m.0));
            total += moments.len();
        }
        assert!((98_000..102_000).contains(&total));
    }
}
