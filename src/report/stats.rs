//! Statistics of trades: from a set of trades to the figures of one row.
//!
//! Wins and losses go by net PnL, never by outcome: a TIMEOUT can win, and costs can turn a TP into
//! a loss. A trade that is still OPEN has not happened yet and is in none of these figures. What is
//! undefined is `None`: a payoff without a loss is not infinite and not zero, it is not known.

use crate::paper::Outcome;
use crate::time::SECOND_NS;

use super::ReportTrade;

/// Two-sided 95 % of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Figures of closed trades. Means are per trade, percentages of the entry price.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeStats {
    /// Closed trades: wins, losses and those that broke even.
    pub n: u64,
    pub wins: u64,
    pub losses: u64,
    pub win_rate_pct: Option<f64>,
    pub win_rate_interval_pct: Option<(f64, f64)>,
    /// The win rate at which this payoff makes nothing.
    pub break_even_win_rate_pct: Option<f64>,
    pub expectancy_pct: Option<f64>,
    /// In units of the trade's own stop distance.
    pub expectancy_r: Option<f64>,
    pub payoff: Option<f64>,
    pub profit_factor: ProfitFactor,
    pub avg_hold_seconds: Option<f64>,
    pub mfe_pct: Option<f64>,
    pub mae_pct: Option<f64>,
    /// Ended on a bar that touched both barriers.
    pub ambiguous: u64,
    /// Expectancy had every ambiguous bar gone the trade's way.
    pub best_case_expectancy_pct: Option<f64>,
}

/// What was won over what was lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProfitFactor {
    NoTrades,
    NoLosses,
    Of(f64),
}

/// Trades still open, marked to the last close; in no other figure.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenStats {
    pub n: u64,
    pub marked_pnl_pct: Option<f64>,
}

pub fn is_closed(trade: &ReportTrade) -> bool {
    trade.outcome != Outcome::Open
}

impl TradeStats {
    /// The figures of the closed ones among `trades`, summed in the order given.
    pub fn of(trades: &[&ReportTrade]) -> TradeStats {
        let closed: Vec<&ReportTrade> = trades.iter().copied().filter(|t| is_closed(t)).collect();
        let n = closed.len() as u64;
        let pnl = || closed.iter().map(|t| t.pnl_pct_net);
        let (wins, losses) = (pnl().filter(|&p| p > 0.0), pnl().filter(|&p| p < 0.0));
        let (wins, losses): (Vec<f64>, Vec<f64>) = (wins.collect(), losses.collect());
        let (win_count, loss_count) = (wins.len() as u64, losses.len() as u64);
        let payoff = payoff(&wins, &losses);
        TradeStats {
            n,
            wins: win_count,
            losses: loss_count,
            // A trade that broke even stays in the denominator.
            win_rate_pct: (n > 0).then(|| 100.0 * win_count as f64 / n as f64),
            win_rate_interval_pct: wilson(win_count, n)
                .map(|(low, high)| (100.0 * low, 100.0 * high)),
            break_even_win_rate_pct: payoff.map(|payoff| 100.0 / (1.0 + payoff)),
            expectancy_pct: mean(pnl()),
            expectancy_r: mean_r(&closed),
            payoff,
            profit_factor: profit_factor(&wins, &losses, n),
            avg_hold_seconds: mean(closed.iter().filter_map(|t| hold_seconds(t))),
            mfe_pct: mean(closed.iter().map(|t| t.mfe_pct)),
            mae_pct: mean(closed.iter().map(|t| t.mae_pct)),
            ambiguous: closed.iter().filter(|t| t.ambiguous).count() as u64,
            best_case_expectancy_pct: mean(closed.iter().map(|t| t.best_case_pnl_pct)),
        }
    }
}

impl OpenStats {
    /// The figures of the open ones among `trades`.
    pub fn of(trades: &[&ReportTrade]) -> OpenStats {
        let open = || trades.iter().filter(|t| !is_closed(t));
        OpenStats {
            n: open().count() as u64,
            marked_pnl_pct: mean(open().map(|t| t.pnl_pct_net)),
        }
    }
}

/// Wilson's score interval at 95 %, as shares of 1; `None` without trials. Unlike the textbook
/// interval it stays inside 0 and 1 and says something when all or none of `n` succeed.
pub fn wilson(successes: u64, n: u64) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    debug_assert!(successes <= n, "nobody wins more trades than were closed");
    let (p, n, z2) = (successes as f64 / n as f64, n as f64, Z_95 * Z_95);
    let scale = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / scale;
    let half = Z_95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // At none and at all of n the bound is exactly 0 and 1; rounding must not say otherwise.
    let low = if successes == 0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let high = if p == 1.0 {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Some((low, high))
}

/// Mean win over mean loss; `None` when a side is empty.
fn payoff(wins: &[f64], losses: &[f64]) -> Option<f64> {
    Some(mean(wins.iter().copied())? / mean(losses.iter().copied())?.abs())
}

fn profit_factor(wins: &[f64], losses: &[f64], n: u64) -> ProfitFactor {
    match (n, losses.is_empty()) {
        (0, _) => ProfitFactor::NoTrades,
        (_, true) => ProfitFactor::NoLosses,
        // `sum` of no floats is −0.0, which would print with its sign.
        _ => ProfitFactor::Of((0.0 + wins.iter().sum::<f64>()) / losses.iter().sum::<f64>().abs()),
    }
}

/// `None` when there are no trades, or when one of them has no stop to measure by.
fn mean_r(closed: &[&ReportTrade]) -> Option<f64> {
    let has_stops = closed.iter().all(|t| t.sl_pct > 0.0);
    mean(closed.iter().map(|t| t.pnl_pct_net / t.sl_pct)).filter(|_| has_stops)
}

/// Calendar time, nights included; `None` when the closing time was not recorded.
fn hold_seconds(trade: &ReportTrade) -> Option<f64> {
    Some(trade.closed_at?.ns_since(trade.opened_at) as f64 / SECOND_NS as f64)
}

/// One pass, no allocation; `None` without values.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u64), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Direction, Kind};
    use crate::time::Ts;

    fn trade(pnl_pct_net: f64, outcome: Outcome) -> ReportTrade {
        ReportTrade {
            ticker: "SPY".to_owned(),
            kind: Kind::Scalp,
            direction: Direction::Bullish,
            outcome,
            opened_at: Ts::from_ns(0),
            closed_at: Some(Ts::from_ns(0).plus_minutes(24)),
            pnl_pct_gross: pnl_pct_net,
            pnl_pct_net,
            best_case_pnl_pct: pnl_pct_net,
            sl_pct: 2.0,
            mfe_pct: 1.0,
            mae_pct: -1.0,
            ambiguous: false,
            strength: 7.0,
            tags: Vec::new(),
            dte: 0,
            hour: 10,
            regime_trend: "UP".to_owned(),
            regime_volatility: "LOW".to_owned(),
        }
    }

    /// Net PnL of closed trades to their figures.
    fn stats(pnl: &[f64]) -> TradeStats {
        let trades: Vec<ReportTrade> = pnl
            .iter()
            .map(|&pnl| trade(pnl, Outcome::Timeout))
            .collect();
        TradeStats::of(&trades.iter().collect::<Vec<_>>())
    }

    fn rounded(interval: Option<(f64, f64)>) -> Option<(String, String)> {
        interval.map(|(low, high)| {
            (
                format!("{:.1}", 100.0 * low),
                format!("{:.1}", 100.0 * high),
            )
        })
    }

    #[test]
    fn wilson_gives_the_published_intervals() {
        let published = |low: &str, high: &str| Some((low.to_owned(), high.to_owned()));
        assert_eq!(rounded(wilson(28, 50)), published("42.3", "68.8"));
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        assert_eq!(rounded(wilson(81, 263)), published("25.5", "36.6"));
        assert_eq!(rounded(wilson(15, 148)), published("6.2", "16.0"));
        assert_eq!(rounded(wilson(0, 20)), published("0.0", "16.1"));
        assert_eq!(rounded(wilson(1, 29)), published("0.6", "17.2"));
    }

    #[test]
    fn wilson_at_none_and_all_touches_its_end_exactly_and_mirrors() {
        let (none_low, none_high) = wilson(0, 20).unwrap();
        let (all_low, all_high) = wilson(20, 20).unwrap();
        assert_eq!((none_low, all_high), (0.0, 1.0));
        assert!((none_high + all_low - 1.0).abs() < 1e-12);
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn a_break_even_trade_stays_in_the_denominator_and_is_no_side() {
        let stats = stats(&[3.0, 0.0, -1.0, -0.0]);
        assert_eq!((stats.n, stats.wins, stats.losses), (4, 1, 1));
        assert_eq!(stats.win_rate_pct, Some(25.0));
        assert_eq!(stats.payoff, Some(3.0));
        assert_eq!(stats.break_even_win_rate_pct, Some(25.0));
        assert_eq!(stats.expectancy_pct, Some(0.5));
        assert_eq!(stats.expectancy_r, Some(0.25));
    }

    #[test]
    fn payoff_compares_means_and_profit_factor_sums() {
        let stats = stats(&[2.0, 4.0, -1.0, -1.0, -1.0]);
        assert_eq!(stats.payoff, Some(3.0));
        assert_eq!(stats.profit_factor, ProfitFactor::Of(2.0));
    }

    #[test]
    fn a_missing_side_leaves_payoff_and_break_even_undefined() {
        let only_wins = stats(&[1.0, 2.0]);
        assert_eq!(
            (only_wins.payoff, only_wins.break_even_win_rate_pct),
            (None, None)
        );
        assert_eq!(only_wins.profit_factor, ProfitFactor::NoLosses);
        let only_losses = stats(&[-1.0, -2.0]);
        assert_eq!(
            (only_losses.payoff, only_losses.break_even_win_rate_pct),
            (None, None)
        );
        let ProfitFactor::Of(factor) = only_losses.profit_factor else {
            panic!("there are losses")
        };
        assert!(factor == 0.0 && factor.is_sign_positive());
    }

    #[test]
    fn nothing_closed_is_undefined_and_never_zero() {
        let open = trade(5.0, Outcome::Open);
        let stats = TradeStats::of(&[&open]);
        assert_eq!(
            (
                stats.n,
                stats.win_rate_pct,
                stats.expectancy_pct,
                stats.mfe_pct
            ),
            (0, None, None, None)
        );
        assert_eq!(
            (stats.win_rate_interval_pct, stats.avg_hold_seconds),
            (None, None)
        );
        assert_eq!(stats.profit_factor, ProfitFactor::NoTrades);
    }

    #[test]
    fn an_open_trade_is_counted_as_open_and_nowhere_else() {
        let (closed, open) = (trade(1.0, Outcome::Tp), trade(-9.0, Outcome::Open));
        let trades = [&closed, &open];
        assert_eq!(TradeStats::of(&trades), TradeStats::of(&[&closed]));
        assert_eq!(
            OpenStats::of(&trades),
            OpenStats {
                n: 1,
                marked_pnl_pct: Some(-9.0)
            }
        );
        assert_eq!(
            OpenStats::of(&[&closed]),
            OpenStats {
                n: 0,
                marked_pnl_pct: None
            }
        );
    }

    #[test]
    fn a_win_is_net_pnl_whatever_the_outcome() {
        let (taken, stopped) = (trade(-0.01, Outcome::Tp), trade(0.01, Outcome::Sl));
        let stats = TradeStats::of(&[&taken, &stopped]);
        assert_eq!((stats.wins, stats.losses), (1, 1));
    }
}
