//! Law 2. A run that starts earlier or later, its warm-up in the cache, gives the same signals in
//! the sessions both have, down to the last bit of every field: chain memory, averages and the
//! regime included, across a split, a half day and a change of clocks in the look-back.

use flowlab::strategies::{Signal, Tag};
use flowlab::time::exchange_midnight;

use crate::market::{self, assert_rows, talkative};

#[test]
fn a_later_start_gives_the_same_signals_trades_and_memories() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let (_folder, store) = market::store(&tickers);
    let names = market::names(&tickers);
    let end = "2025-12-02";
    let whole = market::run(&store, &config, &names, market::period("2025-11-10", end));
    assert!(
        whole.gaps.warmup_bars.is_empty() && whole.gaps.warmup_flow.is_empty(),
        "the law holds for a warm cache only: {:?}",
        whole.gaps
    );
    // The split's own day, two sessions after it, after the half day, a Sunday, the last day.
    for start in ["2025-11-18", "2025-11-20", "2025-11-30", "2025-12-01", end] {
        let part = market::run(&store, &config, &names, market::period(start, end));
        let from = exchange_midnight(market::day(start));
        let inside: Vec<Signal> = whole
            .signals
            .iter()
            .filter(|signal| signal.ts >= from)
            .cloned()
            .collect();
        let persistent = |signal: &&Signal| signal.tags.contains(Tag::PersistentBuyer);
        assert!(inside.iter().filter(persistent).count() > 3);
        assert_rows(&format!("from {start}"), &part.signals, &inside);
        let trades: Vec<_> = whole
            .trades
            .iter()
            .filter(|trade| trade.ts >= from)
            .cloned()
            .collect();
        assert_rows(&format!("trades from {start}"), &part.trades, &trades);
        assert!(part.counts.warmup_events > 0, "the memory is read again");
    }
}

#[test]
fn an_earlier_end_gives_the_same_signals() {
    let (tickers, config) = (market::thanksgiving(), talkative());
    let (_folder, store) = market::store(&tickers);
    let names = market::names(&tickers);
    let whole = market::run(
        &store,
        &config,
        &names,
        market::period("2025-11-10", "2025-12-02"),
    );
    let part = market::run(
        &store,
        &config,
        &names,
        market::period("2025-11-10", "2025-11-19"),
    );
    let until = exchange_midnight(market::day("2025-11-20"));
    let inside: Vec<Signal> = whole
        .signals
        .into_iter()
        .filter(|signal| signal.ts < until)
        .collect();
    assert_rows("until 2025-11-19", &part.signals, &inside);
}
