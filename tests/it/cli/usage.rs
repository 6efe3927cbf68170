//! What is asked for cannot be: exit code 2 (or 1, when only the cache lacks it), and what to do.

use expect_test::{Expect, expect};

use super::Desk;

/// Each command with what it says.
fn check(desk: &Desk, code: i32, commands: &[(&str, Expect)]) {
    for (command, message) in commands {
        desk.fails(command, code, message);
    }
}

#[test]
fn a_config_is_told_where_it_is_wrong() {
    let desk = Desk::with_market();
    desk.write("key.yaml", "scalp:\n  min_premum: 5\n");
    desk.write("type.yaml", "scalp:\n  min_premium: abc\n");
    desk.write("stop.yaml", "scalp:\n  sl_pct: -1\n");
    let all = [
        ("backtest --config nope.yaml", expect![[""]]),
        ("backtest --config data", expect![[""]]),
        ("backtest --config key.yaml", expect![[""]]),
        ("backtest --config type.yaml", expect![[""]]),
        ("backtest --config stop.yaml", expect![[""]]),
        ("backtest --set scalp.sl_pct=-1", expect![[""]]),
        ("backtest --set scalp.min_premum=1", expect![[""]]),
        ("backtest --set scalp.min_premium", expect![[""]]),
        ("config check --config type.yaml", expect![[""]]),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_period_that_cannot_be_is_refused() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --start 2025-11-18 --end 2025-11-14",
            expect![[""]],
        ),
        ("backtest --start 1999-11-10", expect![[""]]),
        ("backtest --end 2099-11-10", expect![[""]]),
        (
            "backtest --start 2025-11-15 --end 2025-11-16",
            expect![[""]],
        ),
        (
            "backtest --start 2025-11-27 --end 2025-11-27",
            expect![[""]],
        ),
        ("backtest --start 2025-13-01", expect![[""]]),
        (
            "fetch --provider synthetic --start 2025-11-15 --end 2025-11-16",
            expect![[""]],
        ),
        ("fetch --provider synthetic --end 2099-01-01", expect![[""]]),
        ("fetch --provider synthetic --edge-pct -5", expect![[""]]),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_period_that_is_not_in_the_cache_is_told_what_is() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --start 2024-11-04 --end 2024-11-08",
            expect![[""]],
        ),
        ("backtest --start 2026-11-04", expect![[""]]),
        ("backtest --end 2024-11-08", expect![[""]]),
        (
            "backtest --tickers TSLA --start 2024-11-04 --end 2024-11-08",
            expect![[""]],
        ),
    ];
    check(&desk, 1, &all);
}

#[test]
fn an_unknown_ticker_meets_its_nearest_neighbour() {
    let desk = Desk::with_market();
    let all = [
        ("backtest --tickers TLSA", expect![[""]]),
        ("backtest --tickers spy,XXXXX", expect![[""]]),
        ("backtest --tickers ,", expect![[""]]),
        ("data ls --tickers SPX", expect![[""]]),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_gate_below_the_stored_floor_is_refused() {
    let desk = Desk::with_market();
    let command = "backtest --tickers SPY --set scalp.min_premium=5000";
    desk.fails(command, 2, &expect![[""]]);
}

#[test]
fn a_folder_that_is_not_there_or_no_folder_is_named() {
    let desk = Desk::empty();
    desk.write("file", "");
    std::fs::create_dir(desk.path("void")).unwrap();
    let all = [
        ("backtest --data-dir nowhere", expect![[""]]),
        ("data ls --data-dir file", expect![[""]]),
        ("fetch --provider synthetic --data-dir file", expect![[""]]),
        ("import lean nowhere", expect![[""]]),
        ("report nope", expect![[""]]),
    ];
    check(&desk, 2, &all);
    let all = [
        ("backtest --data-dir void", expect![[""]]),
        ("import lean void", expect![[""]]),
        ("report", expect![[""]]),
    ];
    check(&desk, 1, &all);
}

#[test]
fn an_unknown_dimension_meets_its_nearest_neighbour() {
    let desk = Desk::with_market();
    let all = [
        ("backtest --by kindd", expect![[""]]),
        ("report --by kind,colour", expect![[""]]),
        ("report --by kind,kind", expect![[""]]),
    ];
    check(&desk, 2, &all);
}

#[test]
fn help_fits_100_columns_and_keeps_the_options_of_a_command_together() {
    let desk = Desk::empty();
    let help = desk.run("-h");
    expect![[""]].assert_eq(&help.stdout);
    let help = desk.run("backtest -h");
    expect![[""]].assert_eq(&help.stdout);
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100));
}
