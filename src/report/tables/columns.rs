//! The figures every breakdown shows, in the order a reader should meet them: how often, how surely,
//! how much, and only then the rest.

use super::super::stats::{ProfitFactor, TradeStats};
use super::super::table::{Cell, Column};

pub(super) fn figures() -> Vec<Column> {
    vec![
        Column::pair(["n", "wins"], "wins/n"),
        Column::number("losses", "losses").for_machines(),
        Column::number("win_rate_pct", "win %"),
        Column::pair(["win_rate_low_pct", "win_rate_high_pct"], "95 %"),
        Column::number("break_even_win_rate_pct", "b/e %"),
        Column::number("expectancy_pct", "exp %"),
        Column::number("expectancy_r", "exp R"),
        Column::number("payoff", "payoff"),
        Column::number("profit_factor", "PF"),
        Column::number("avg_hold_seconds", "hold"),
        Column::number("mfe_pct", "MFE %").room_allowing(),
        Column::number("mae_pct", "MAE %").room_allowing(),
        Column::number("ambiguous", "amb"),
        Column::number("best_case_expectancy_pct", "best exp %").for_machines(),
    ]
}

/// The cells under [`figures`].
pub(super) fn cells(stats: &TradeStats) -> Vec<Cell> {
    // Tenths of a percent of a win rate are there to compare with b/e; of its interval they would
    // be a precision that the interval itself denies.
    let interval = |(low, high)| Cell::Interval {
        low,
        high,
        decimals: 0,
    };
    vec![
        Cell::Ratio {
            wins: stats.wins,
            n: stats.n,
        },
        Cell::count(stats.losses),
        Cell::float(stats.win_rate_pct, 1),
        stats.win_rate_interval_pct.map_or(Cell::Empty, interval),
        Cell::float(stats.break_even_win_rate_pct, 1),
        Cell::signed(stats.expectancy_pct, 2),
        Cell::signed(stats.expectancy_r, 2),
        Cell::float(stats.payoff, 2),
        profit_factor(stats.profit_factor),
        Cell::duration(stats.avg_hold_seconds),
        Cell::float(stats.mfe_pct, 2),
        Cell::float(stats.mae_pct, 2),
        Cell::count(stats.ambiguous),
        Cell::signed(stats.best_case_expectancy_pct, 2),
    ]
}

fn profit_factor(factor: ProfitFactor) -> Cell {
    match factor {
        ProfitFactor::NoTrades => Cell::Empty,
        ProfitFactor::NoLosses => Cell::EmptyBecause("no losses".to_owned()),
        ProfitFactor::Of(factor) => Cell::float(Some(factor), 2),
    }
}
