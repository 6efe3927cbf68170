//! What goes where: data to stdout, words to stderr, the same bytes every time, and no secrets.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use expect_test::expect;
use serde_json::Value;

use super::files_below;
use crate::desk::Desk;

const RUN: &str = "backtest --start 2025-11-10 --end 2025-11-21";

#[test]
fn stdout_is_data_and_stderr_is_about_it() {
    let desk = Desk::with_market();
    // One session more than there is: a gap is said, and is no part of the data.
    let ran = desk.run("backtest --start 2025-11-10 --end 2025-11-24 --by kind --format json");
    expect![[r#"
        gap: no flow for 2025-11-24: SPY, TSLA
        gap: no minute bars for 2025-11-24: SPY, TSLA
        1586 events (509 of them warm-up) in #; signals/trades: SCALP 24/24, DAY_TRADE 7/7, SWING 3/3; written to runs/v1.0-#
    "#]].assert_eq(&ran.stderr);
    assert_eq!(ran.code, Some(3));
    let tables: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(tables[0]["table"], "totals");
    for command in [
        "report --format json",
        "data ls --format json",
        "config schema",
    ] {
        let ran = desk.run(command);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
        serde_json::from_str::<Value>(&ran.stdout).unwrap();
    }
}

#[test]
fn quiet_prints_tables_alone() {
    let desk = Desk::with_market();
    let loud = desk.run("backtest --start 2025-11-10 --end 2025-11-24");
    let quiet = desk.run("backtest --start 2025-11-10 --end 2025-11-24 --quiet");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(3), ""));
    assert_eq!(quiet.stdout, loud.stdout);
    let fetched = desk.run(&format!("{} --quiet", crate::desk::MARKET));
    assert_eq!(
        (fetched.code, fetched.stdout + &fetched.stderr),
        (Some(0), String::new())
    );
}

#[test]
fn a_report_is_the_table_of_its_backtest() {
    let desk = Desk::with_market();
    let ran = desk.run(&format!("{RUN} --by kind,regime"));
    let again = desk.run("report --by kind,regime");
    assert_eq!((again.code, again.stdout), (Some(0), ran.stdout));
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |file: &Path| file.strip_prefix(folder).unwrap().display().to_string();
    let files = files_below(folder);
    files
        .iter()
        .map(|file| (name(file), std::fs::read(file).unwrap()))
        .collect()
}

#[test]
fn a_run_made_again_has_the_same_bytes() {
    let desk = Desk::with_market();
    let first_said = desk.run(RUN);
    let first = contents(&desk.path("runs"));
    assert_eq!(first.len(), 6, "{:?}", first.keys());
    std::fs::remove_dir_all(desk.path("runs")).unwrap();
    let again = desk.run(&format!("{RUN} --threads 1"));
    assert!(first == contents(&desk.path("runs")), "other bytes");
    assert_eq!(first_said.stdout, again.stdout);
    // Over itself, too.
    assert_eq!(desk.run(RUN).code, Some(0));
    assert!(first == contents(&desk.path("runs")), "other bytes");
    desk.holds_no_temporary_file();
}

#[test]
fn other_input_is_another_run_however_small_its_files() {
    let desk = Desk::with_market();
    assert_eq!(desk.run(RUN).code, Some(0));
    let other = "fetch --provider synthetic --tickers SPY --start 2025-11-20 --sessions 1 \
                 --events-per-day 60 --seed 2 --data-dir data";
    assert_eq!(desk.run(other).code, Some(0));
    assert_eq!(desk.run(RUN).code, Some(0));
    assert_eq!(desk.runs().len(), 2);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::with_market();
    for command in [RUN, "report", "data ls", "completions bash"] {
        let mut child = desk
            .command(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {stderr}");
        assert!(
            !stderr.contains("panicked") && !stderr.contains("ipe"),
            "{stderr}"
        );
    }
    // The same for a reader of stderr.
    for (command, code) in [(RUN, 0), ("backtest --tickers NOPE", 2)] {
        let mut child = desk
            .command(command)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{command}");
    }
}

#[test]
fn secrets_are_in_nothing_that_is_written() {
    let desk = Desk::with_market();
    let names = [
        "POLYGON_MASSIVE_KEY",
        "POLYGON_API_KEY",
        "MASSIVE_S3_SECRET_ACCESS_KEY",
        "TELEGRAM_MAIN_CHAT_ID",
    ];
    let mut said = Vec::new();
    for command in [
        RUN,
        "report",
        "config show",
        "config check",
        "data ls",
        "backtest --set x=1",
    ] {
        let mut command = desk.command(&format!("{command} -vv"));
        let output = command
            .envs(names.map(|name| (name, "topsecret")))
            .output()
            .unwrap();
        said.extend(output.stdout);
        said.extend(output.stderr);
    }
    for bytes in contents(&desk.path("runs")).into_values() {
        said.extend(bytes);
    }
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains("topsecret"));
    for file in ["config.yaml", "manifest.json"] {
        let text = std::fs::read_to_string(desk.only_run().join(file)).unwrap();
        assert!(text.contains("${TELEGRAM_MAIN_CHAT_ID}"), "{file}");
    }
}

#[test]
fn without_any_data_the_sample_is_run_when_there_is_one() {
    let desk = Desk::empty();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    if !sample.is_dir() {
        eprintln!("skipped: no sample in {}", sample.display());
        desk.fails(
            "backtest",
            1,
            &expect![[r#"
            error: no flow in data/, and this build carries no sample
            hint: `flowlab fetch --provider synthetic` makes a market to begin with
        "#]],
        );
        return;
    }
    let ran = desk.run("backtest --by kind");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .starts_with("no flow in data/, so this is the synthetic sample")
    );
    assert!(ran.stdout.contains("SCALP"));
    assert!(!desk.path("data").exists());
}
