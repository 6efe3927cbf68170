//! Config by example: what a valid file means, and what an invalid one is told.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use flowlab::config::{Config, ConfigError, Sources};
use flowlab::strategies::Kind;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/config")
        .join(name)
}

fn load(file: Option<PathBuf>, set: &[&str]) -> Result<Config, ConfigError> {
    let set = set.iter().map(|argument| (*argument).to_owned()).collect();
    Config::load(&Sources {
        file,
        search_dir: example("nowhere"),
        set,
    })
}

fn valid(name: &str) -> Config {
    load(Some(example(&format!("valid/{name}"))), &[]).expect("the example is valid")
}

/// The message, and the hint below it.
fn told(error: &ConfigError) -> String {
    let hint = error
        .hint()
        .map(|hint| format!("\nhint: {hint}"))
        .unwrap_or_default();
    format!("{error}{hint}")
}

/// What each file is told, one below the other.
fn check_invalid(names: &[&str], expected: &Expect) {
    let mut text = String::new();
    for name in names {
        let mut error = load(Some(example(&format!("invalid/{name}"))), &[]).expect_err(name);
        error.origin = (*name).to_owned();
        text += &format!("{}\n", told(&error));
    }
    expected.assert_eq(&text);
}

fn check_set(arguments: &[&str], expected: &Expect) {
    let told = |argument: &&str| told(&load(None, &[*argument]).expect_err(argument)) + "\n";
    expected.assert_eq(&arguments.iter().map(told).collect::<String>());
}

fn check_provenance(config: &Config, ticker: Option<&str>, kind: Option<Kind>, expected: &Expect) {
    let values = config.provenance(ticker, kind);
    let line = |value: &flowlab::config::ResolvedValue| {
        format!(
            "{} = {}  [{}] {}\n",
            value.key, value.value, value.layer, value.block
        )
    };
    expected.assert_eq(&values.iter().map(line).collect::<String>());
}

/// Every example is named by a test: a file nobody reads proves nothing.
#[test]
fn every_example_is_used() {
    let tests = include_str!("config.rs");
    for folder in ["valid", "invalid"] {
        for entry in std::fs::read_dir(example(folder)).expect("the examples are there") {
            let name = entry
                .expect("a readable folder")
                .file_name()
                .into_string()
                .expect("a plain name");
            assert!(
                tests.contains(&format!("\"{name}\"")),
                "no test reads {folder}/{name}"
            );
        }
    }
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_valid_one() {
    check_invalid(
        &[
            "unknown_section.yaml",
            "unknown_key.yaml",
            "unknown_key.json",
            "unknown_key_far_off.yaml",
            "unknown_key_in_override.yaml",
            "memory_key_in_scalp.yaml",
        ],
        &expect![[r#"
            unknown_section.yaml:1:1: unknown key generl
            hint: did you mean general?
            unknown_key.yaml:4:3: unknown key scalp.min_premum
            hint: did you mean min_premium?
            unknown_key.json:3:5: unknown key paper.slipage_bps
            hint: did you mean slippage_bps?
            unknown_key_far_off.yaml:1:1: unknown key vendor
            hint: keys here: experiment_id, general, market_regime, context, tickers, universe, live, massive, flow, scalp, day_trade, swing, scoring, paper, routing
            unknown_key_in_override.yaml:4:7: unknown key tickers.overrides.TSLA.scalps
            hint: did you mean scalp?
            memory_key_in_scalp.yaml:2:3: unknown key scalp.memory_sessions
            hint: keys here: enabled, min_premium, min_dte, max_dte, max_otm_pct, min_rvol, min_strength, cooldown_minutes, tp_pct, sl_pct, max_hold_minutes
        "#]],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_what_was_expected() {
    check_invalid(
        &[
            "text_for_number.yaml",
            "quoted_number.json",
            "yes_for_true.yaml",
            "number_for_block.yaml",
            "list_for_block.yaml",
            "text_for_list.yaml",
            "nothing_behind_key.yaml",
            "unknown_choice.yaml",
        ],
        &expect![[r#"
            text_for_number.yaml:2:16: scalp.min_premium is "100_000", expected a number of at least 0
            quoted_number.json:1:27: scalp.min_premium is "100000", expected a number of at least 0
            yes_for_true.yaml:2:18: paper.flat_at_close is "yes", expected true or false
            number_for_block.yaml:1:7: flow is 10000, expected a block of keys
            list_for_block.yaml:1:1: the config is a list, expected a block of keys
            text_for_list.yaml:2:12: universe.tickers is "SPY", expected a list of tickers, each once
            nothing_behind_key.yaml:2:15: day_trade.min_premium is empty, expected a number of at least 0
            unknown_choice.yaml:2:13: paper.intrabar is wrost, expected worst or best
            hint: did you mean worst?
        "#]],
    );
}

#[test]
fn an_impossible_value_is_refused_where_it_stands() {
    check_invalid(
        &[
            "half_a_minute.yaml",
            "negative_premium.yaml",
            "negative_stop.yaml",
            "zero_target.yaml",
            "strength_above_ten.yaml",
            "lookback_zero.yaml",
            "memory_zero.yaml",
            "not_a_number.yaml",
            "infinite.yaml",
            "slippage_eats_all.yaml",
            "empty_experiment.yaml",
            "experiment_with_slash.yaml",
            "lower_case_ticker.yaml",
            "ticker_twice_in_universe.yaml",
        ],
        &expect![[r#"
            half_a_minute.yaml:2:21: scalp.max_hold_minutes is 0.5, expected a whole number of at least 1
            negative_premium.yaml:1:26: day_trade.min_premium is -1, expected a number of at least 0
            negative_stop.yaml:5:17: tickers.overrides.SPY.swing.sl_pct is -5, expected a number above 0
            zero_target.yaml:2:11: scalp.tp_pct is 0, expected a number above 0
            strength_above_ten.yaml:3:19: tickers.default.min_strength is 10.5, expected a number from 0 to 10
            lookback_zero.yaml:2:21: market_regime.lookback_minutes is 0, expected a whole number of at least 1
            memory_zero.yaml:2:20: swing.memory_sessions is 0, expected a whole number of at least 1
            not_a_number.yaml:3:12: scoring.weights.sweep is NaN, expected a number of at least 0
            infinite.yaml:1:22: flow.min_notional is inf, expected a number of at least 0
            slippage_eats_all.yaml:2:17: paper.slippage_bps is 10000, expected a number from 0 to below 10000
            empty_experiment.yaml:1:16: experiment_id is "", expected a name fit for a folder: letters, digits, `.`, `-`, `_`, a letter or digit first
            experiment_with_slash.yaml:1:16: experiment_id is "../elsewhere", expected a name fit for a folder: letters, digits, `.`, `-`, `_`, a letter or digit first
            lower_case_ticker.yaml:3:5: a key of tickers.overrides is "tsla", expected a ticker in capitals, such as TSLA or BRK.B
            hint: did you mean TSLA?
            ticker_twice_in_universe.yaml:2:12: universe.tickers is a list with SPY twice, expected a list of tickers, each once
        "#]],
    );
}

#[test]
fn a_key_given_twice_is_refused_at_the_second() {
    check_invalid(
        &["key_twice.yaml", "block_twice.json", "ticker_twice.yaml"],
        &expect![[r#"
            key_twice.yaml:4:3: scalp.min_dte is given twice, first on line 2
            block_twice.json:4:3: scalp is given twice, first on line 2
            ticker_twice.yaml:4:5: tickers.overrides.SPY is given twice, first on line 3
        "#]],
    );
}

#[test]
fn what_is_no_document_says_so() {
    check_invalid(
        &["not_yaml.yaml", "two_documents.yaml"],
        &expect![[r#"
        not_yaml.yaml:3:2: not valid YAML: did not find expected key, while parsing a block mapping
        two_documents.yaml: not valid YAML: deserializing from YAML containing more than one document is not supported
    "#]],
    );
}

#[test]
fn two_keys_that_cannot_both_hold_blame_the_one_that_was_typed() {
    check_invalid(
        &[
            "rvol_low_above_high.yaml",
            "rvol_high_below_low.yaml",
            "more_min_sessions_than_sessions.yaml",
            "dte_out_of_order.yaml",
            "dte_out_of_order_in_override.yaml",
        ],
        &expect![[r#"
            rvol_low_above_high.yaml:2:3: market_regime.rvol_low is 1.75, expected at most market_regime.rvol_high (1.5)
            rvol_high_below_low.yaml:2:3: market_regime.rvol_high is 0.5, expected at least market_regime.rvol_low (0.8)
            more_min_sessions_than_sessions.yaml:2:3: context.rvol_min_sessions is 21, expected at most context.rvol_sessions (20)
            dte_out_of_order.yaml:2:3: swing.max_dte is 10, expected at least swing.min_dte (14)
            dte_out_of_order_in_override.yaml:4:7: tickers.overrides.NVDA.min_dte is 3, expected at most scalp.max_dte (2)
        "#]],
    );
}

#[test]
fn a_literal_channel_is_refused_and_not_repeated() {
    check_invalid(
        &["literal_channel.yaml", "text_for_routing.yaml"],
        &expect![[r#"
            literal_channel.yaml:3:20: routing.channels.telegram_main is a literal, expected a placeholder for an environment variable, such as ${TELEGRAM_MAIN_CHAT_ID}
            text_for_routing.yaml:1:10: routing is a literal, expected a block of keys
        "#]],
    );
    check_set(
        &[
            "routing.channels.telegram_main=-1001234567890",
            "telegram_token=123456:ABC",
        ],
        &expect![[r#"
            --set routing.channels.telegram_main: routing.channels.telegram_main is a literal, expected a placeholder for an environment variable, such as ${TELEGRAM_MAIN_CHAT_ID}
            --set telegram_token: unknown key telegram_token
            hint: keys here: experiment_id, general, market_regime, context, tickers, universe, live, massive, flow, scalp, day_trade, swing, scoring, paper, routing
        "#]],
    );
}

#[test]
fn a_bad_set_argument_is_named() {
    check_set(
        &[
            "scalp.min_premium=abc",
            "scalp.min_premum=1",
            "scalp.min_premium",
            "scalp.min_premium=",
            "scalp=1",
            "=1",
            "scalp..tp_pct=1",
            "scalp.tp_pct=[",
            "scalp.min_dte=9",
        ],
        &expect![[r#"
            --set scalp.min_premium=abc: scalp.min_premium is "abc", expected a number of at least 0
            --set scalp.min_premum: unknown key scalp.min_premum
            hint: did you mean min_premium?
            --set scalp.min_premium: expected key.path=value
            hint: for example: --set scalp.min_premium=75000
            --set scalp.min_premium=: scalp.min_premium is empty, expected a number of at least 0
            --set scalp=1: scalp is 1, expected a block of keys
            --set : expected key.path=value
            hint: for example: --set scalp.min_premium=75000
            --set scalp..tp_pct: expected key.path=value
            hint: for example: --set scalp.min_premium=75000
            --set scalp.tp_pct=[: scalp.tp_pct is a list, expected a number above 0
            --set scalp.min_dte=9: scalp.min_dte is 9, expected at most scalp.max_dte (2)
        "#]],
    );
}

#[test]
fn a_named_file_has_to_exist_and_a_searched_one_does_not() {
    let error = load(Some(PathBuf::from("nowhere.yaml")), &[]).expect_err("there is no such file");
    expect![[r#"
        nowhere.yaml: cannot be read: there is no such file
        hint: without --config it is config.yaml or config.json of this folder, or else the defaults"#]]
    .assert_eq(&told(&error));
    assert_eq!(
        load(None, &[]).expect("defaults are enough").layers(),
        ["default config"]
    );
}

#[test]
fn the_shipped_file_is_complete_and_means_what_the_modes_promise() {
    expect![[r#"
        experiment_id: v1.0
        general:
          poll_interval_seconds: 1
          max_events_per_cycle: 500
          direction: by_side
          missing_context: reject
          include_multi_leg: false
        market_regime:
          lookback_minutes: 60
          rvol_high: 1.5
          rvol_low: 0.8
        context:
          rvol_sessions: 20
          rvol_min_sessions: 5
        tickers:
          default:
            enabled: true
          overrides:
            SPY:
              swing:
                min_premium: 500000
            TSLA:
              scalp:
                min_premium: 100000
        universe:
          tickers: []
        live:
          reorder_ms: 50
          quiet_seconds: 5
          bar_wait_seconds: 2
          stale_seconds: 30
          reconnect_first_seconds: 0.5
          reconnect_longest_seconds: 30
          quotes: rest
          heartbeat_seconds: 60
        massive:
          rest_url: https://api.massive.com
          flat_files_url: https://files.massive.com
          flat_files_bucket: flatfiles
          options_socket_url: wss://socket.massive.com/options
          stocks_socket_url: wss://socket.massive.com/stocks
          max_requests_per_second: 50
          concurrency: 8
        flow:
          min_notional: 10000
          sweep_window_ms: 250
          sweep_min_exchanges: 2
          block_min_contracts: 500
          max_quote_age_seconds: 60
          risk_free_rate_pct: 4
        scalp:
          enabled: true
          min_premium: 50000
          min_dte: 0
          max_dte: 2
          max_otm_pct: 5
          min_rvol: 1.3
          min_strength: 6
          cooldown_minutes: 0
          tp_pct: 2
          sl_pct: 1
          max_hold_minutes: 30
        day_trade:
          enabled: true
          min_premium: 100000
          min_dte: 0
          max_dte: 10
          max_otm_pct: 10
          min_rvol: 1.1
          min_strength: 6.5
          cooldown_minutes: 0
          tp_pct: 5
          sl_pct: 2
          max_hold_minutes: 360
        swing:
          enabled: true
          min_premium: 250000
          min_dte: 14
          max_dte: 60
          max_otm_pct: 15
          min_rvol: null
          min_strength: 7
          cooldown_minutes: 0
          tp_pct: 15
          sl_pct: 5
          max_hold_minutes: 10080
          memory_sessions: 5
          persistent_multiple: 3
        scoring:
          weights:
            size: 2
            sweep: 2
            aggressive: 2
            vol_oi: 2
            trend_confirmed: 2
            level_break: 1
            sweep_cluster: 0
        paper:
          entry: next_bar_open
          intrabar: worst
          flat_at_close: true
          slippage_bps: 1
          commission_per_contract: 0.65
        routing:
          channels:
            telegram_main: ${TELEGRAM_MAIN_CHAT_ID}
            telegram_scalps: ${TELEGRAM_SCALPS_CHAT_ID}
            telegram_swings: ${TELEGRAM_SWINGS_CHAT_ID}
          alerts:
            scalp:
            - telegram_scalps
            day_trade:
            - telegram_main
            swing:
            - telegram_swings
            heartbeat: []
          telegram:
            api_url: https://api.telegram.org
            bot_token: ${TELEGRAM_BOT_TOKEN}
    "#]]
    .assert_eq(
        &load(None, &[])
            .expect("the defaults are valid")
            .resolved_yaml(),
    );
    let config = load(None, &[]).expect("the defaults are valid");
    let premium = |ticker: &str, kind| config.mode(ticker, kind).min_premium;
    assert_eq!(
        (premium("TSLA", Kind::Scalp), premium("SPY", Kind::Swing)),
        (100_000.0, 500_000.0)
    );
    assert_eq!(
        (premium("NVDA", Kind::Scalp), premium("TSLA", Kind::Swing)),
        (50_000.0, 250_000.0)
    );
    let swing = config.mode("NVDA", Kind::Swing);
    assert_eq!(
        (
            swing.min_rvol,
            swing.memory.map(|memory| memory.memory_sessions)
        ),
        (None, Some(5))
    );
    assert_eq!(config.mode("NVDA", Kind::Scalp).memory, None);
}

#[test]
fn only_what_a_file_says_differs_from_the_defaults() {
    let config = valid("partial.yaml");
    assert_eq!(config.experiment_id, "tighter");
    assert_eq!(
        config.mode("NVDA", Kind::Scalp).min_rvol,
        None,
        "null switches the gate off"
    );
    assert_eq!(
        config.mode("NVDA", Kind::DayTrade).max_otm_pct,
        3.0,
        "a ticker's top key holds for all modes"
    );
    assert_eq!(
        config.mode("TSLA", Kind::Scalp).min_premium,
        50_000.0,
        "own overrides replace the shipped ones"
    );
    assert!(!config.mode("BRK.B", Kind::Swing).enabled);
    assert_eq!(
        config
            .mode("NVDA", Kind::Swing)
            .memory
            .map(|memory| memory.memory_sessions),
        Some(3)
    );
    assert_eq!(
        config.mode("SPY", Kind::Swing),
        load(None, &[]).expect("defaults").mode("NVDA", Kind::Swing)
    );
}

#[test]
fn the_hash_knows_meaning_and_not_spelling() {
    let hash = |name| valid(name).hash();
    assert_eq!(
        valid("partial.yaml").resolved_yaml(),
        valid("partial.json").resolved_yaml()
    );
    assert_eq!(hash("partial.yaml"), hash("partial.json"));
    assert_eq!(
        hash("empty.yaml"),
        load(None, &[]).expect("defaults").hash()
    );
    assert_eq!(
        hash("empty.yaml"),
        load(None, &["scalp.tp_pct=2.0"])
            .expect("the default again")
            .hash()
    );
    assert_ne!(hash("empty.yaml"), hash("partial.yaml"));
    assert_eq!(hash("empty.yaml").len(), 32);
}

#[test]
fn the_resolved_form_loads_as_itself() {
    let names = [
        "partial.yaml",
        "awkward_tickers.yaml",
        "ticker_default.yaml",
        "anchors.yaml",
        "no_overrides.yaml",
    ];
    for name in names {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = valid(name);
        std::fs::write(folder.path().join("config.yaml"), config.resolved_yaml())
            .expect("it can be written");
        let sources = Sources {
            search_dir: folder.path().to_owned(),
            ..Sources::default()
        };
        let again = Config::load(&sources).expect("the resolved form is valid");
        assert_eq!(
            (again.hash(), again.layers()),
            (config.hash(), vec!["default config", "config.yaml"]),
            "{name}"
        );
    }
}

#[test]
fn a_ticker_stays_what_was_typed() {
    let config = valid("awkward_tickers.yaml");
    assert_eq!(config.universe.tickers, ["TRUE", "ON", "NULL", "1E5"]);
    assert!(!config.mode("TRUE", Kind::Scalp).enabled);
    assert_eq!(config.mode("NULL", Kind::Swing).min_strength, 8.0);
    assert_eq!(config.overridden_tickers(), ["NULL", "TRUE"]);
}

#[test]
fn overrides_may_be_emptied_or_shared() {
    assert!(valid("no_overrides.yaml").overridden_tickers().is_empty());
    assert_eq!(
        valid("anchors.yaml").mode("QQQ", Kind::Scalp).min_premium,
        750_000.0
    );
}

#[test]
fn later_levels_win_and_off_at_any_level_is_off() {
    let config = valid("ticker_default.yaml");
    let cooldown = |ticker: &str| {
        Kind::ALL
            .iter()
            .map(|kind| config.mode(ticker, *kind).cooldown_minutes)
            .collect()
    };
    let cooldowns: [Vec<u32>; 2] = ["NVDA", "TSLA"].map(cooldown);
    assert_eq!(cooldowns, [vec![5, 10, 10], vec![20, 30, 20]]);
    assert!(
        !config.mode("SPY", Kind::Swing).enabled,
        "a mode cannot undo its ticker's off"
    );
}

#[test]
fn a_mode_that_is_off_may_be_out_of_order() {
    assert!(
        !valid("disabled_mode_out_of_order.yaml")
            .mode("SPY", Kind::Scalp)
            .enabled
    );
}

#[test]
fn the_last_set_wins_and_one_override_key_leaves_the_others() {
    let set = [
        "scalp.tp_pct=3",
        "scalp.tp_pct=4",
        "tickers.overrides.TSLA.scalp.tp_pct=6",
    ];
    let config = load(None, &set).expect("all three are valid");
    assert_eq!(
        [
            config.mode("NVDA", Kind::Scalp).tp_pct,
            config.mode("TSLA", Kind::Scalp).tp_pct
        ],
        [4.0, 6.0]
    );
    assert_eq!(config.mode("SPY", Kind::Swing).min_premium, 500_000.0);
    let set = [
        "tickers.overrides={}",
        r#"tickers.overrides."BRK.B".enabled=false"#,
        "universe.tickers=[SPY, TSLA]",
    ];
    let config = load(None, &set).expect("all three are valid");
    assert_eq!(
        (config.overridden_tickers(), config.universe.tickers.len()),
        (vec!["BRK.B"], 2)
    );
}

#[test]
fn show_names_layer_line_and_block() {
    let default = load(None, &["scalp.tp_pct=2.5"]).expect("valid");
    check_provenance(
        &default,
        Some("TSLA"),
        Some(Kind::Scalp),
        &expect![[r#"
        scalp.enabled = true  [default config] scalp
        scalp.min_premium = 100000  [default config] tickers.overrides.TSLA.scalp
        scalp.min_dte = 0  [default config] scalp
        scalp.max_dte = 2  [default config] scalp
        scalp.max_otm_pct = 5  [default config] scalp
        scalp.min_rvol = 1.3  [default config] scalp
        scalp.min_strength = 6  [default config] scalp
        scalp.cooldown_minutes = 0  [default config] scalp
        scalp.tp_pct = 2.5  [--set scalp.tp_pct=2.5] scalp
        scalp.sl_pct = 1  [default config] scalp
        scalp.max_hold_minutes = 30  [default config] scalp
    "#]],
    );
    let mut config = valid("ticker_default.yaml").provenance(Some("SPY"), Some(Kind::Swing));
    config.retain(|value| value.layer != "default config");
    let lines: Vec<String> = config
        .iter()
        .map(|value| format!("{} {}", value.key, value.block))
        .collect();
    assert_eq!(
        lines,
        [
            "swing.enabled tickers.overrides.SPY",
            "swing.cooldown_minutes tickers.default"
        ]
    );
    assert!(
        config[0].layer.ends_with("valid/ticker_default.yaml:10"),
        "{}",
        config[0].layer
    );
}

#[test]
fn yaml_is_found_before_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources = Sources {
        search_dir: folder.path().to_owned(),
        ..Sources::default()
    };
    let experiment_after_writing = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
        Config::load(&sources).expect("valid").experiment_id
    };
    assert_eq!(
        experiment_after_writing("config.json", r#"{"experiment_id": "from-json"}"#),
        "from-json"
    );
    assert_eq!(
        experiment_after_writing("config.yaml", "experiment_id: from-yaml"),
        "from-yaml"
    );
}

#[test]
fn the_schema_refuses_unknown_keys_and_explains_the_others() {
    let schema = flowlab::config::json_schema();
    for part in [
        "\"additionalProperties\": false",
        "Stop, percent of the underlying's price",
        "\"next_bar_open\"",
    ] {
        assert!(schema.contains(part), "{part}");
    }
    assert!(
        !schema.contains("\"required\""),
        "every key may be left out"
    );
}
