//! Sentences under the tables: what a reader is about to forget.

use super::super::group::Dimension;
use super::super::stats::TradeStats;
use super::super::table::Cell;

/// Below this, the interval of a win rate is wider than any edge worth having.
pub(super) const FEW_TRADES: u64 = 30;

/// Groups named in a caution before it only says how many more there are.
const NAMED: usize = 5;

const LEGEND: &str = "win % is wins ÷ closed trades, 95 % its Wilson interval, b/e % the win rate this payoff needs to \
make nothing. exp is the mean net P&L of a trade, in % and in R (stop distances). PF is the profit factor; amb counts \
trades that ended on a bar that touched both barriers.";

const INDEPENDENCE: &str = "The interval takes trades as independent. Trades that overlap in time share their luck, so \
the true interval is wider.";

pub(super) fn on_totals(stats: &TradeStats) -> Vec<String> {
    if stats.n == 0 {
        return vec!["No trade was closed, so there is nothing to measure.".to_owned()];
    }
    let few = (stats.n < FEW_TRADES).then(|| {
        format!(
            "Caution: only {} closed {}. With fewer than {FEW_TRADES}, luck explains almost any result.",
            stats.n,
            if stats.n == 1 { "trade" } else { "trades" }
        )
    });
    let always = [INDEPENDENCE.to_owned(), LEGEND.to_owned()];
    few.into_iter()
        .chain(best_case(stats))
        .chain(always)
        .collect()
}

/// The bound that ambiguous bars leave open; `None` when there are none.
fn best_case(stats: &TradeStats) -> Option<String> {
    let share = 100.0 * stats.ambiguous as f64 / stats.n as f64;
    let best = Cell::signed(stats.best_case_expectancy_pct, 2);
    (stats.ambiguous > 0).then(|| {
        format!(
            "Of {} closed trades, {} ({share:.1} %) ended on a bar that touched both barriers. Had every such bar gone \
             the trade's way, exp would be {best} %.",
            stats.n, stats.ambiguous
        )
    })
}

/// `small` are the groups with few trades, out of `groups`.
pub(super) fn on_groups(
    small: &[(String, u64)],
    groups: usize,
    crossing: &[Dimension],
) -> Vec<String> {
    let overlap = crossing.contains(&Dimension::Tag).then(|| {
        "A trade is in the row of each of its tags, so rows add up to more than the total."
            .to_owned()
    });
    overlap
        .into_iter()
        .chain(few_trades(small, groups))
        .collect()
}

fn few_trades(small: &[(String, u64)], groups: usize) -> Option<String> {
    let named: Vec<String> = small
        .iter()
        .take(NAMED)
        .map(|(label, n)| format!("{label} ({n})"))
        .collect();
    let more = small.len().saturating_sub(NAMED);
    let which = match (small.len(), more) {
        (0, _) => return None,
        (count, _) if count == groups && groups > 1 => "every row".to_owned(),
        (_, 0) => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    };
    Some(format!(
        "Caution: fewer than {FEW_TRADES} closed trades in {which}. Luck explains almost any result there."
    ))
}
