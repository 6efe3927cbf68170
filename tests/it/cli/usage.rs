//! What is asked for cannot be: exit code 2 (or 1, when only the cache lacks it), and what to do.

use expect_test::{Expect, expect};

use crate::desk::Desk;

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
        (
            "backtest --config nope.yaml",
            expect![[r#"
            error: nope.yaml: cannot be read: there is no such file
            hint: without --config it is config.yaml or config.json of this folder, or else the defaults
        "#]],
        ),
        (
            "backtest --config data",
            expect![[r#"
            error: data: cannot be read: Is a directory (os error 21)
            hint: without --config it is config.yaml or config.json of this folder, or else the defaults
        "#]],
        ),
        (
            "backtest --config key.yaml",
            expect![[r#"
            error: key.yaml:2:3: unknown key scalp.min_premum
            hint: did you mean min_premium?
        "#]],
        ),
        (
            "backtest --config type.yaml",
            expect![[r#"
            error: type.yaml:2:16: scalp.min_premium is "abc", expected a number of at least 0
            hint: `flowlab config schema` says what every key takes
        "#]],
        ),
        (
            "backtest --config stop.yaml",
            expect![[r#"
            error: stop.yaml:2:11: scalp.sl_pct is -1, expected a number above 0
            hint: `flowlab config schema` says what every key takes
        "#]],
        ),
        (
            "backtest --set scalp.sl_pct=-1",
            expect![[r#"
            error: --set scalp.sl_pct=-1: scalp.sl_pct is -1, expected a number above 0
            hint: `flowlab config schema` says what every key takes
        "#]],
        ),
        (
            "backtest --set scalp.min_premum=1",
            expect![[r#"
            error: --set scalp.min_premum: unknown key scalp.min_premum
            hint: did you mean min_premium?
        "#]],
        ),
        (
            "backtest --set scalp.min_premium",
            expect![[r#"
            error: --set scalp.min_premium: expected key.path=value
            hint: for example: --set scalp.min_premium=75000
        "#]],
        ),
        (
            "config check --config type.yaml",
            expect![[r#"
            error: type.yaml:2:16: scalp.min_premium is "abc", expected a number of at least 0
            hint: `flowlab config schema` says what every key takes
        "#]],
        ),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_period_that_cannot_be_is_refused() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --start 2025-11-18 --end 2025-11-14",
            expect![[r#"
                error: --start 2025-11-18 lies after --end 2025-11-14
                hint: swap the two
            "#]],
        ),
        (
            "backtest --start 1999-11-10",
            expect![[r#"
            error: --start: 1999-11-10 lies outside the calendar, which covers 2014-01-02 to 2027-12-31
            hint: choose a day that it covers
        "#]],
        ),
        (
            "backtest --end 2099-11-10",
            expect![[r#"
            error: --end: 2099-11-10 lies outside the calendar, which covers 2014-01-02 to 2027-12-31
            hint: choose a day that it covers
        "#]],
        ),
        (
            "backtest --start 2025-11-15 --end 2025-11-16",
            expect![[r#"
                error: the exchange does not open from Sat, 2025-11-15 to Sun, 2025-11-16
                hint: the next session is Mon, 2025-11-17
            "#]],
        ),
        (
            "backtest --start 2025-11-27 --end 2025-11-27",
            expect![[r#"
                error: the exchange does not open on Thu, 2025-11-27
                hint: the next session is Fri, 2025-11-28
            "#]],
        ),
        (
            "backtest --start 2025-13-01",
            expect![[r#"
            error: invalid value '2025-13-01' for '--start <YYYY-MM-DD>': input is out of range

            For more information, try '--help'.
        "#]],
        ),
        (
            "fetch --provider synthetic --start 2025-11-15 --end 2025-11-16",
            expect![[r#"
                error: the exchange does not open from Sat, 2025-11-15 to Sun, 2025-11-16
                hint: the next session is Mon, 2025-11-17
            "#]],
        ),
        (
            "fetch --provider synthetic --end 2099-01-01",
            expect![[r#"
            error: --end: 2099-01-01 lies outside the calendar, which covers 2014-01-02 to 2027-12-31
            hint: choose a day that it covers
        "#]],
        ),
        (
            "fetch --provider synthetic --edge-pct -5",
            expect![[r#"
            error: an edge of -5 % is not between 0 and 10
        "#]],
        ),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_period_that_is_not_in_the_cache_is_told_what_is() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --start 2024-11-04 --end 2024-11-08",
            expect![[r#"
                error: no flow from 2024-11-04 to 2024-11-08 in data
                hint: there are 14 sessions from 2025-11-04 to 2025-11-21 for these tickers
            "#]],
        ),
        (
            "backtest --start 2026-11-04",
            expect![[r#"
            error: no flow from 2026-11-04 on in data
            hint: there are 14 sessions from 2025-11-04 to 2025-11-21 for these tickers
        "#]],
        ),
        (
            "backtest --end 2024-11-08",
            expect![[r#"
            error: no flow up to 2024-11-08 in data
            hint: there are 14 sessions from 2025-11-04 to 2025-11-21 for these tickers
        "#]],
        ),
        (
            "backtest --tickers TSLA --start 2024-11-04 --end 2024-11-08",
            expect![[r#"
                error: no flow from 2024-11-04 to 2024-11-08 in data
                hint: there are 14 sessions from 2025-11-04 to 2025-11-21 for these tickers
            "#]],
        ),
    ];
    check(&desk, 1, &all);
}

#[test]
fn an_unknown_ticker_meets_its_nearest_neighbour() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --tickers TLSA",
            expect![[r#"
            error: data: no flow for ticker TLSA
            hint: did you mean TSLA?
        "#]],
        ),
        (
            "backtest --tickers spy,VVVVV",
            expect![[r#"
            error: data: no flow for ticker VVVVV
            hint: there is SPY, TSLA
        "#]],
        ),
        (
            "backtest --tickers ,",
            expect![[r#"
            error: --tickers names no ticker
            hint: for example: --tickers SPY,TSLA; leave it out for all
        "#]],
        ),
        (
            "data ls --tickers SPX",
            expect![[r#"
            error: data: nothing for ticker SPX
            hint: did you mean SPY?
        "#]],
        ),
    ];
    check(&desk, 2, &all);
}

#[test]
fn a_gate_below_the_stored_floor_is_refused() {
    let desk = Desk::with_market();
    let command = "backtest --tickers SPY --set scalp.min_premium=5000";
    desk.fails(command, 2, &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because SPY: SCALP asks for events from min_premium 5000 dollars on, but below 10000 dollars none were kept
        hint: raise its min_premium to 10000 or more, or bring the flow in again with a lower flow.min_notional
    "#]]);
}

#[test]
fn a_folder_that_is_not_there_or_no_folder_is_named() {
    let desk = Desk::empty();
    desk.write("file", "");
    std::fs::create_dir(desk.path("void")).unwrap();
    let all = [
        (
            "backtest --data-dir nowhere",
            expect![[r#"
            error: nowhere: no such folder
            hint: name a folder that `flowlab fetch` or `flowlab import` has written to
        "#]],
        ),
        (
            "data ls --data-dir file",
            expect![[r#"
            error: file: not a folder
            hint: name a folder that `flowlab fetch` or `flowlab import` has written to
        "#]],
        ),
        (
            "fetch --provider synthetic --data-dir file",
            expect![[r#"
            error: cannot write to file: file is not a folder
            hint: choose another folder with --data-dir
        "#]],
        ),
        (
            "import lean nowhere",
            expect![[r#"
            error: nowhere: no such folder
            hint: give the folder that LEAN calls Data
        "#]],
        ),
        (
            "report nope",
            expect![[r#"
            error: nope: no such run
            hint: `flowlab backtest` makes one
        "#]],
        ),
    ];
    check(&desk, 2, &all);
    let all = [
        (
            "backtest --data-dir void",
            expect![[r#"
            error: void: no flow in the cache
            hint: bring some in with `flowlab fetch` or `flowlab import`
        "#]],
        ),
        (
            "import lean void",
            expect![[r#"
            error: void is not a LEAN data folder: neither equity/usa nor option/usa is in it
            hint: give the folder that LEAN calls Data; there is nothing in it
        "#]],
        ),
        (
            "report",
            expect![[r#"
            error: no run in runs
            hint: `flowlab backtest` makes one
        "#]],
        ),
    ];
    check(&desk, 1, &all);
}

#[test]
fn an_unknown_dimension_meets_its_nearest_neighbour() {
    let desk = Desk::with_market();
    let all = [
        (
            "backtest --by kindd",
            expect![[r#"
            error: invalid value 'kindd' for '--by <DIMENSIONS>': "kindd" is not a dimension (did you mean kind?), expected kind, ticker, tag, direction, strength, dte, hour, regime, outcome, or several with commas between

            For more information, try '--help'.
        "#]],
        ),
        (
            "report --by kind,colour",
            expect![[r#"
            error: invalid value 'kind,colour' for '--by <DIMENSIONS>': "colour" is not a dimension (did you mean hour?), expected kind, ticker, tag, direction, strength, dte, hour, regime, outcome, or several with commas between

            For more information, try '--help'.
        "#]],
        ),
        (
            "report --by kind,kind",
            expect![[r#"
            error: invalid value 'kind,kind' for '--by <DIMENSIONS>': kind is crossed with itself

            For more information, try '--help'.
        "#]],
        ),
    ];
    check(&desk, 2, &all);
}

#[test]
fn help_fits_100_columns_and_keeps_the_options_of_a_command_together() {
    let desk = Desk::empty();
    let help = desk.run("-h");
    expect![[r#"
        Find out whether options-flow alerts are worth anything

        Usage: flowlab [OPTIONS] <COMMAND>

        Commands:
          backtest     Run the strategies over cached flow, paper-trade every signal, print the tables
          report       Print the tables of a finished run
          live         Run the strategies on a stream: alerts, paper trades, state that survives
          alert        Look after alerts
          fetch        Bring data into the cache from a provider
          import       Bring archives that you own into the cache
          data         Look at what is in the cache
          config       Show, check and describe the config
          completions  Print completions for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Options of every command:
              --config <FILE>         Config file, YAML or JSON [default: config.yaml here, else
                                      config.json, else built in]
              --data-dir <DIR>        Folder of the cache [default: data, or the sample when that has no
                                      flow]
              --runs-dir <DIR>        Folder that runs are written to [default: runs]
              --set <KEY.PATH=VALUE>  Set one config value over all files; repeatable
              --threads <N>           Threads to compute with [default: one per core]
              --format <FORMAT>       How tables are printed [default: table] [possible values: table, json,
                                      csv, md]
          -q, --quiet                 Print only what was asked for: no progress, no summaries
          -v, --verbose...            Say more; twice for everything
              --log-format <FORMAT>   How log lines are written to stderr [default: text] [possible values:
                                      text, json]
              --color <COLOR>         Colours in tables [default: auto] [possible values: auto, always,
                                      never]

        First steps:
          flowlab fetch --provider synthetic      make a market with a known edge, in data/
          flowlab data ls                         see what is there
          flowlab backtest --by kind              run it, in runs/
          flowlab report --by kind,regime         other tables of the same run

        Exit codes: 0 fine, 1 failed, 2 wrong usage or config, 3 finished with gaps.
    "#]].assert_eq(&help.stdout);
    let help = desk.run("backtest -h");
    expect![[r#"
        Run the strategies over cached flow, paper-trade every signal, print the tables

        Usage: flowlab backtest [OPTIONS]

        Options:
              --tickers <A,B>       Tickers to run, separated by commas [default: universe.tickers, else all
                                    in the cache]
              --start <YYYY-MM-DD>  First exchange day [default: the first with its whole warm-up in the
                                    cache]
              --end <YYYY-MM-DD>    Last exchange day [default: the last with flow in the cache]
              --by <DIMENSIONS>     Tables to print: kind, ticker, tag, direction, strength, dte, hour,
                                    regime, outcome or a crossing such as kind,regime; repeatable [default:
                                    each of them]
              --timings <FILE>      Write how long each stage took to this file, as JSON
          -h, --help                Print help (see more with '--help')

        Options of every command:
              --config <FILE>         Config file, YAML or JSON [default: config.yaml here, else
                                      config.json, else built in]
              --data-dir <DIR>        Folder of the cache [default: data, or the sample when that has no
                                      flow]
              --runs-dir <DIR>        Folder that runs are written to [default: runs]
              --set <KEY.PATH=VALUE>  Set one config value over all files; repeatable
              --threads <N>           Threads to compute with [default: one per core]
              --format <FORMAT>       How tables are printed [default: table] [possible values: table, json,
                                      csv, md]
          -q, --quiet                 Print only what was asked for: no progress, no summaries
          -v, --verbose...            Say more; twice for everything
              --log-format <FORMAT>   How log lines are written to stderr [default: text] [possible values:
                                      text, json]
              --color <COLOR>         Colours in tables [default: auto] [possible values: auto, always,
                                      never]
    "#]].assert_eq(&help.stdout);
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100));
}
