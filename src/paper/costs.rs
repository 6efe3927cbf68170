//! Costs: what a price is worth once both sides of a trade have slipped.

use crate::strategies::Direction;

/// Gain in percent of the entry price, signed by direction, with both prices worse by
/// `slippage_bps` basis points: a buyer pays more and a seller gets less.
pub fn pnl_pct(direction: Direction, entry: f64, exit: f64, slippage_bps: f64) -> f64 {
    let sign = direction.sign();
    let slip = slippage_bps / 10_000.0 * sign;
    let (entry, exit) = (entry * (1.0 + slip), exit * (1.0 - slip));
    sign * (exit / entry - 1.0) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_for_one_direction_is_a_loss_for_the_other() {
        assert_eq!(
            pnl_pct(Direction::Bullish, 100.0, 102.0, 0.0),
            -pnl_pct(Direction::Bearish, 100.0, 102.0, 0.0)
        );
    }

    #[test]
    fn slippage_makes_every_trade_worse_by_about_two_sides() {
        for direction in [Direction::Bullish, Direction::Bearish] {
            let cost =
                pnl_pct(direction, 100.0, 100.0, 0.0) - pnl_pct(direction, 100.0, 100.0, 10.0);
            assert!((cost - 0.2).abs() < 0.001, "{cost}");
        }
    }
}
