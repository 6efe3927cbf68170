//! Levels: prices the market has turned at, and whether it is leaving them.
//!
//! ```text
//!  close  ─────────────╮      ╭── beyond now, and one of the five closes
//!  level  ─ ─ ─ ─ ─ ─ ─│─ ─ ─ │   before it was not: a cross that holds
//!                      ╰──────╯
//! ```
//!
//! Strictly beyond is a break, equal is not. The 30-bar levels are broken by standing beyond them;
//! the prior session's and the opening range's by a cross within the last five bars.

use polars::prelude::*;

use super::sessions::OPENING_RANGE_MINUTES;

/// Bars before the last completed one that make the rolling level.
const ROLLING_BARS: usize = 30;
/// A cross is fresh while one of so many closes before the last was not beyond.
const CROSS_BARS: usize = 5;

fn rolling(window_size: usize, min_periods: usize) -> RollingOptionsFixedWindow {
    RollingOptionsFixedWindow {
        window_size,
        min_periods,
        ..Default::default()
    }
}

fn in_session(expr: Expr) -> Expr {
    expr.over([col("session")])
        .expect("a session column partitions")
}

/// `day_high`, `day_low`: so far.
pub fn day() -> [Expr; 2] {
    [
        in_session(col("high").cum_max(false)).alias("day_high"),
        in_session(col("low").cum_min(false)).alias("day_low"),
    ]
}

/// `close_before`: the close before each bar; before a session's first bar it is the last one of the
/// session before, in today's basis. A column of its own, for inside a session's window no bar
/// could look over the session's edge.
pub fn close_before() -> Expr {
    when(col("bar").eq(lit(0)))
        .then(col("close").shift(lit(1)) / col("ratio_since_last_bar"))
        .otherwise(col("close").shift(lit(1)))
        .alias("close_before")
}

/// `high_30`, `low_30`, and the extremes of the closes before each bar, for crosses.
pub fn rolling_levels() -> [Expr; 4] {
    // From the 31st bar on the 30 before it lie in its own session.
    let enough = || col("bar").gt_eq(lit(ROLLING_BARS as i32));
    let full = rolling(ROLLING_BARS, ROLLING_BARS);
    let high = col("high").rolling_max(full.clone()).shift(lit(1));
    let low = col("low").rolling_min(full).shift(lit(1));
    let recent = rolling(CROSS_BARS, 1);
    let before = || col("close_before");
    [
        when(enough())
            .then(high)
            .otherwise(lit(NULL))
            .alias("high_30"),
        when(enough())
            .then(low)
            .otherwise(lit(NULL))
            .alias("low_30"),
        in_session(before().rolling_min(recent.clone())).alias("lowest_before"),
        in_session(before().rolling_max(recent)).alias("highest_before"),
    ]
}

/// `breaking_up`, `breaking_down`: null only where no level is known.
pub fn breaking() -> [Expr; 2] {
    // The bar that completes the opening range is the first that knows it.
    let complete = || col("minute").gt_eq(lit(OPENING_RANGE_MINUTES as i32 - 1));
    let opening = |level: &str| when(complete()).then(col(level)).otherwise(lit(NULL));
    let up = {
        let crossed = |level: Expr| {
            col("close")
                .gt(level.clone())
                .and(col("lowest_before").lt_eq(level))
        };
        let broken = [
            col("close").gt(col("high_30")),
            crossed(col("prior_high")),
            crossed(opening("or_high")),
        ];
        any_level(
            broken,
            [col("high_30"), col("prior_high"), opening("or_high")],
        )
    };
    let down = {
        let crossed = |level: Expr| {
            col("close")
                .lt(level.clone())
                .and(col("highest_before").gt_eq(level))
        };
        let broken = [
            col("close").lt(col("low_30")),
            crossed(col("prior_low")),
            crossed(opening("or_low")),
        ];
        any_level(broken, [col("low_30"), col("prior_low"), opening("or_low")])
    };
    [up.alias("breaking_up"), down.alias("breaking_down")]
}

fn any_level(broken: [Expr; 3], levels: [Expr; 3]) -> Expr {
    let any = broken
        .map(|b| b.fill_null(lit(false)))
        .into_iter()
        .reduce(Expr::or)
        .expect("three of them");
    let unknown = levels
        .map(Expr::is_null)
        .into_iter()
        .reduce(Expr::and)
        .expect("three of them");
    when(unknown).then(lit(NULL)).otherwise(any)
}
