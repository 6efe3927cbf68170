//! The cache's own commands: what is missing, what is wrong, tidied up, removed, written as CSV.

mod export;
mod verify;

use expect_test::{Expect, expect};
use flowlab::store::Store;

use super::files::{rewrite, same};
use super::files_below;
use crate::desk::Desk;

const FLOW: &str = "data/flow/SPY/2025-11.parquet";
const BARS: &str = "data/bars_1m/SPY/2025-11.parquet";

/// Runs what must succeed with `code`, and compares what it prints.
fn says(desk: &Desk, arguments: &str, code: i32, stdout: &Expect) -> String {
    let ran = desk.run(arguments);
    stdout.assert_eq(&ran.stdout);
    assert_eq!(ran.code, Some(code), "{arguments}: {}", ran.stderr);
    desk.holds_no_temporary_file();
    ran.stderr
}

/// [`says`] of a table in CSV without its column `bytes`, which is for the encoder to know.
fn lists(desk: &Desk, arguments: &str, stdout: &Expect) -> String {
    let ran = desk.run(&format!("{arguments} --format csv"));
    assert_eq!(ran.code, Some(0), "{arguments}: {}", ran.stderr);
    desk.holds_no_temporary_file();
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let header = reader.headers().unwrap().clone();
    let mut lines = String::new();
    for row in std::iter::once(header.clone()).chain(reader.records().map(Result::unwrap)) {
        let kept = row.iter().zip(&header).filter(|(_, name)| *name != "bytes");
        let kept: Vec<&str> = kept.map(|(field, _)| field).collect();
        lines += &(kept.join(",") + "\n");
    }
    stdout.assert_eq(&lines);
    ran.stderr
}

#[test]
fn what_was_removed_is_a_gap() {
    let desk = Desk::with_market();
    says(
        &desk,
        "data gaps",
        0,
        &expect![[r#"
        No session is missing in data.
    "#]],
    );
    let removed = "data rm --tickers SPY --table flow,bars_1m --start 2025-11-12 --end 2025-11-13";
    let told = lists(
        &desk,
        removed,
        &expect![[r#"
        table,ticker,file,first,last,sessions,whole_file
        flow,SPY,data/flow/SPY/2025-11.parquet,2025-11-12,2025-11-13,2,false
        bars_1m,SPY,data/bars_1m/SPY/2025-11.parquet,2025-11-12,2025-11-13,2,false
    "#]],
    );
    expect![[r#"
        nothing was removed; the same command with --yes changes 2 files
    "#]]
    .assert_eq(&told);
    says(
        &desk,
        "data gaps",
        0,
        &expect![[r#"
        No session is missing in data.
    "#]],
    );
    lists(
        &desk,
        &format!("{removed} --yes"),
        &expect![[r#"
        table,ticker,file,first,last,sessions,whole_file
        flow,SPY,data/flow/SPY/2025-11.parquet,2025-11-12,2025-11-13,2,false
        bars_1m,SPY,data/bars_1m/SPY/2025-11.parquet,2025-11-12,2025-11-13,2,false
    "#]],
    );
    says(
        &desk,
        "data gaps",
        3,
        &expect![[r#"
        Missing in data
        ┌─────────┬────────────┬────────────┬────────────┬──────────┐
        │ table   ┆ ticker     ┆ first      ┆ last       ┆ sessions │
        ╞═════════╪════════════╪════════════╪════════════╪══════════╡
        │ flow    ┆ SPY        ┆ 2025-11-12 ┆ 2025-11-13 ┆        2 │
        │ bars_1m ┆ SPY        ┆ 2025-11-12 ┆ 2025-11-13 ┆        2 │
        │ bars_1m ┆ SPY or QQQ ┆ 2025-11-12 ┆ 2025-11-13 ┆        2 │
        └─────────┴────────────┴────────────┴────────────┴──────────┘
        Without minute bars of SPY or QQQ the market's regime of a session is UNKNOWN.
    "#]],
    );
    says(
        &desk,
        "data gaps --what flow --format csv",
        3,
        &expect![[r#"
            table,ticker,first,last,sessions
            flow,SPY,2025-11-12,2025-11-13,2
        "#]],
    );
    says(
        &desk,
        "data gaps --what oi --format json",
        0,
        &expect![[r#"
            [
              {
                "title": "Missing in data",
                "rows": []
              }
            ]
        "#]],
    );
    says(
        &desk,
        "data verify --quiet",
        0,
        &expect![[r#"
        Nothing is wrong in data.
    "#]],
    );
}

#[test]
fn a_listing_in_csv_has_every_column_once() {
    let desk = Desk::with_market();
    lists(
        &desk,
        "data ls --tickers TSLA",
        &expect![[r#"
        table,ticker,first,last,sessions,missing,rows,min_notional,source
        flow,TSLA,2025-11-04,2025-11-21,14,0,778,10000,synthetic
        bars_1m,TSLA,2025-10-07,2025-11-21,34,0,17566,,synthetic
        bars_1d,TSLA,2024-08-23,2025-11-21,314,0,314,,synthetic
        oi,TSLA,2025-11-03,2025-11-20,14,0,16578,,synthetic
        splits,TSLA,2025-11-13,2025-11-13,1,,1,,synthetic
    "#]],
    );
}

#[test]
fn a_period_that_was_asked_for_is_expected_in_full() {
    let desk = Desk::with_market();
    let all = "data gaps --tickers TSLA --start 2025-11-03 --end 2025-11-28 --format csv";
    says(
        &desk,
        all,
        3,
        &expect![[r#"
            table,ticker,first,last,sessions
            flow,TSLA,2025-11-03,2025-11-03,1
            flow,TSLA,2025-11-24,2025-11-28,4
            bars_1m,TSLA,2025-11-24,2025-11-28,4
            bars_1d,TSLA,2025-11-24,2025-11-28,4
            oi,TSLA,2025-11-21,2025-11-28,5
        "#]],
    );
    let no_oi = "data rm --tickers TSLA --table oi --yes --quiet";
    assert_eq!(desk.run(no_oi).code, Some(0));
    assert!(
        !desk.path("data/oi/TSLA").exists(),
        "an empty folder says nothing"
    );
    let oi = "data gaps --tickers TSLA --what oi --format csv";
    let told = says(
        &desk,
        oi,
        0,
        &expect![[r#"
        table,ticker,first,last,sessions
    "#]],
    );
    expect![[r#"
        nothing in oi of TSLA; --start and --end say what to expect
    "#]]
    .assert_eq(&told);
    let oi = &format!("{oi} --start 2025-11-26 --end 2025-12-01");
    says(
        &desk,
        oi,
        3,
        &expect![[r#"
            table,ticker,first,last,sessions
            oi,TSLA,2025-11-26,2025-12-01,3
        "#]],
    );
}

#[test]
fn compacting_gives_back_the_bytes_the_store_writes() {
    let desk = Desk::with_market();
    says(
        &desk,
        "data compact",
        0,
        &expect![[r#"
        Nothing to do: 11 files in data as they would be written now, no leftovers.
    "#]],
    );
    let whole = std::fs::read(desk.path(FLOW)).unwrap();
    rewrite(&desk.path(FLOW), same, |_| ());
    desk.write("data/flow/SPY/.tmpAbc123", "half a file");
    desk.write("data/flow/SPY/notes.txt", "mine");
    let other = std::fs::read(desk.path(FLOW)).unwrap();
    assert_ne!(other, whole);

    let ran = desk.run("data compact --dry-run --format csv");
    let sizes = |text: &str| {
        let text = text.replace(&format!(",{},", other.len()), ",BEFORE,");
        text.replace(&format!(",{}\n", whole.len()), ",AFTER\n")
    };
    expect![[r#"
        file,reason,bytes_before,bytes_after
        data/flow/SPY/2025-11.parquet,no hash of its footer,BEFORE,
        data/flow/SPY/.tmpAbc123,left behind unfinished,11,
    "#]]
    .assert_eq(&sizes(&ran.stdout));
    assert_eq!(std::fs::read(desk.path(FLOW)).unwrap(), other);
    assert!(desk.path("data/flow/SPY/.tmpAbc123").exists());

    let ran = desk.run("data compact --format csv");
    expect![[r#"
        file,reason,bytes_before,bytes_after
        data/flow/SPY/2025-11.parquet,no hash of its footer,BEFORE,AFTER
        data/flow/SPY/.tmpAbc123,left behind unfinished,11,0
    "#]]
    .assert_eq(&sizes(&ran.stdout));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read(desk.path(FLOW)).unwrap(), whole);
    assert!(desk.path("data/flow/SPY/notes.txt").exists());
    desk.holds_no_temporary_file();
    assert_eq!(desk.run("data verify").code, Some(0));
}

#[test]
fn a_damaged_file_stops_the_compacting_before_anything_is_written() {
    let desk = Desk::with_market();
    rewrite(&desk.path(FLOW), same, |_| ());
    let other = std::fs::read(desk.path(FLOW)).unwrap();
    let mut bars = std::fs::read(desk.path(BARS)).unwrap();
    bars[1000] ^= 1;
    std::fs::write(desk.path(BARS), bars).unwrap();
    desk.fails("data compact", 1, &expect![[r#"
        error: data/bars_1m/SPY/2025-11.parquet: its rows are not those that were written (the hash differs)
        hint: remove data/bars_1m/SPY/2025-11.parquet and fetch or import its sessions again
    "#]]);
    assert_eq!(std::fs::read(desk.path(FLOW)).unwrap(), other);
}

#[test]
fn a_ticker_goes_as_a_whole_and_the_rest_stays() {
    let desk = Desk::with_market();
    // The lock stays where it is.
    let files = || {
        let mut files = files_below(&desk.path("data"));
        files.retain(|path| !path.ends_with(".lock"));
        files
    };
    let mut kept = files();
    lists(
        &desk,
        "data rm --tickers TSLA --yes",
        &expect![[r#"
        table,ticker,file,first,last,sessions,whole_file
        flow,TSLA,data/flow/TSLA/2025-11.parquet,2025-11-04,2025-11-21,14,true
        bars_1m,TSLA,data/bars_1m/TSLA/2025-10.parquet,2025-10-07,2025-10-31,19,true
        bars_1m,TSLA,data/bars_1m/TSLA/2025-11.parquet,2025-11-03,2025-11-21,15,true
        bars_1d,TSLA,data/bars_1d/TSLA.parquet,2024-08-23,2025-11-21,314,true
        oi,TSLA,data/oi/TSLA/2025-11.parquet,2025-11-03,2025-11-20,14,true
        splits,TSLA,data/splits/TSLA.parquet,2025-11-13,2025-11-13,1,true
    "#]],
    );
    kept.retain(|path| !path.to_string_lossy().contains("TSLA"));
    assert_eq!(files(), kept);
    let again = "data rm --table flow --start 2026-01-05 --yes";
    says(
        &desk,
        again,
        0,
        &expect![[r#"
        Nothing to remove from data.
    "#]],
    );
}

#[test]
fn nobody_removes_what_somebody_is_writing_to() {
    let desk = Desk::with_market();
    let lock = Store::folder(desk.path("data")).lock().unwrap();
    let all = [
        (
            "data rm --tickers TSLA --yes",
            expect![[r#"
            error: data: another flowlab is writing to it
            hint: wait until it is done, or choose another folder with --data-dir
        "#]],
        ),
        (
            "data compact",
            expect![[r#"
            error: data: another flowlab is writing to it
            hint: wait until it is done, or choose another folder with --data-dir
        "#]],
        ),
    ];
    for (command, message) in all {
        desk.fails(command, 1, &message);
    }
    assert_eq!(desk.run("data rm --tickers TSLA").code, Some(0));
    assert_eq!(desk.run("data compact --dry-run").code, Some(0));
    drop(lock);
    assert_eq!(desk.run("data compact").code, Some(0));
}

#[test]
fn what_cannot_be_done_is_said() {
    let desk = Desk::with_market();
    let all = [
        (
            "data gaps --tickers TLSA",
            expect![[r#"
            error: data: nothing for ticker TLSA
            hint: did you mean TSLA?
        "#]],
        ),
        (
            "data verify --tickers TLSA",
            expect![[r#"
            error: data: nothing for ticker TLSA
            hint: did you mean TSLA?
        "#]],
        ),
        (
            "data rm --tickers TLSA",
            expect![[r#"
            error: data: nothing for ticker TLSA
            hint: did you mean TSLA?
        "#]],
        ),
        (
            "data export --table splits --tickers SPY",
            expect![[r#"
            error: data: no splits for ticker SPY
            hint: there is TSLA
        "#]],
        ),
        (
            "data export --tickers SPY",
            expect![[r#"
            error: the following required arguments were not provided:
              --table <TABLE>

            Usage: flowlab data export --table <TABLE> --tickers <A,B>

            For more information, try '--help'.
        "#]],
        ),
        (
            "data export --table tape",
            expect![[r#"
            error: invalid value 'tape' for '--table <TABLE>'
              [possible values: flow, bars_1m, bars_1d, oi, splits]

            For more information, try '--help'.
        "#]],
        ),
        (
            "data gaps --start 2025-11-18 --end 2025-11-14",
            expect![[r#"
                error: --start 2025-11-18 lies after --end 2025-11-14
                hint: swap the two
            "#]],
        ),
        (
            "data rm --end 2099-11-14",
            expect![[r#"
            error: --end: 2099-11-14 lies outside the calendar, which covers 2014-01-02 to 2027-12-31
            hint: choose a day that it covers
        "#]],
        ),
        (
            "data rm",
            expect![[r#"
            error: that would remove everything
            hint: name --tickers, --table, --start or --end; or delete the folder yourself
        "#]],
        ),
        (
            "data rm --yes",
            expect![[r#"
            error: that would remove everything
            hint: name --tickers, --table, --start or --end; or delete the folder yourself
        "#]],
        ),
        (
            "data verify --data-dir nowhere",
            expect![[r#"
            error: nowhere: no such folder
            hint: name a folder that `flowlab fetch` or `flowlab import` has written to
        "#]],
        ),
        (
            "data compact --data-dir nowhere",
            expect![[r#"
            error: nowhere: no such folder
            hint: name a folder that `flowlab fetch` or `flowlab import` has written to
        "#]],
        ),
    ];
    for (command, message) in all {
        desk.fails(command, 2, &message);
    }
    desk.write("file", "");
    desk.fails(
        "data export --table flow --out file",
        2,
        &expect![[r#"
        error: cannot write to file: file is not a folder
        hint: choose another folder with --out
    "#]],
    );
}

#[test]
fn an_empty_cache_has_nothing_to_look_at() {
    let desk = Desk::empty();
    std::fs::create_dir(desk.path("void")).unwrap();
    let all = [
        (
            "data gaps --data-dir void",
            expect![[r#"
            error: void: nothing in the cache
            hint: bring some in with `flowlab fetch` or `flowlab import`
        "#]],
        ),
        (
            "data verify --data-dir void",
            expect![[r#"
            error: void: nothing in the cache
            hint: bring some in with `flowlab fetch` or `flowlab import`
        "#]],
        ),
        (
            "data export --table flow --data-dir void",
            expect![[r#"
            error: void: no flow in the cache
            hint: bring some in with `flowlab fetch` or `flowlab import`
        "#]],
        ),
        (
            "data rm --table flow --data-dir void",
            expect![[r#"
            error: void: no flow in the cache
            hint: bring some in with `flowlab fetch` or `flowlab import`
        "#]],
        ),
        // Without a folder there is only the sample.
        (
            "data rm --tickers SPY --yes",
            expect![[r#"
            error: there is no cache in data/, and the sample cannot be written to
            hint: name the folder of a cache with --data-dir
        "#]],
        ),
        (
            "data compact",
            expect![[r#"
            error: there is no cache in data/, and the sample cannot be written to
            hint: name the folder of a cache with --data-dir
        "#]],
        ),
    ];
    for (command, message) in all {
        desk.fails(command, 1, &message);
    }
    says(
        &desk,
        "data compact --data-dir void",
        0,
        &expect![[r#"
        Nothing to do: 0 files in void as they would be written now, no leftovers.
    "#]],
    );
    assert!(!desk.path("data").exists());
}

#[test]
fn help_says_how_it_ends() {
    let desk = Desk::empty();
    for (command, lines) in [
        (
            "data gaps -h",
            "Exit codes: 0 nothing is missing, 3 sessions are missing.",
        ),
        (
            "data verify -h",
            "Exit codes: 0 no errors, perhaps warnings; 1 errors.",
        ),
        (
            "data rm -h",
            "Without --yes it shows what would be removed, and removes nothing.",
        ),
    ] {
        let help = desk.run(command);
        assert!(help.stdout.contains(lines), "{}", help.stdout);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100));
    }
}
