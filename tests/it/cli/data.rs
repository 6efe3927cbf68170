//! The cache's own commands: what is missing, what is wrong, tidied up, removed, written as CSV.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use expect_test::{Expect, expect};
use flowlab::store::{Severity, Store, Table};
use flowlab::time::Calendar;
use serde_json::Value;

use super::files::{Facts, rewrite, same, unsorted, without};
use super::{Desk, files_below};

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

/// `rows` with the number in `column` of one row changed.
fn changed(
    rows: &RecordBatch,
    column: &str,
    row: usize,
    change: impl Fn(f64) -> f64,
) -> RecordBatch {
    let place = rows.schema_ref().index_of(column).unwrap();
    let mut values = rows
        .column(place)
        .as_primitive::<Float64Type>()
        .values()
        .to_vec();
    values[row] = change(values[row]);
    let mut columns = rows.columns().to_vec();
    columns[place] = Arc::new(Float64Array::from(values)) as ArrayRef;
    RecordBatch::try_new(rows.schema(), columns).unwrap()
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
fn a_flipped_bit_is_found_wherever_it_is() {
    let desk = Desk::with_market();
    let store = Store::folder(desk.path("data"));
    let calendar = Calendar::shipped();
    let path = desk.path(FLOW);
    let whole = std::fs::read(&path).unwrap();
    let size = u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    let footer = whole.len() - 8 - size;
    // 200 places all over the file, then every byte of its footer.
    let spread = (0..200).map(|place| place * whole.len() / 200);
    for (turn, at) in spread.chain(footer..whole.len()).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (turn % 8);
        std::fs::write(&path, &bytes).unwrap();
        let files = store.verify(Table::Flow, "SPY", &calendar).unwrap();
        assert_eq!(files.len(), 1);
        let errors = files[0]
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error);
        assert!(
            errors.count() > 0,
            "byte {at} of {}, bit {}",
            whole.len(),
            turn % 8
        );
    }
    let ran = desk.run("data verify --tickers SPY --format csv");
    expect![[r#"
        severity,file,problem,row,rows,got,expected
        error,data/flow/SPY/2025-11.parquet,not a whole Parquet file (Parquet error: Invalid Parquet file. Corrupt footer),,,,
    "#]].assert_eq(&ran.stdout);
    expect![[r#"
        5 files, 43676 rows: 1 error, 0 warnings; 0 regular minutes without a bar
        error: data: 1 of 5 files cannot be right
        hint: remove those files and fetch or import their sessions again
    "#]]
    .assert_eq(&ran.stderr);
    assert_eq!(ran.code, Some(1));
}

/// What `verify` says after a file was damaged, and how it ends.
fn check(file: &str, damage: impl Fn(&Path), code: i32, stdout: &Expect) {
    let desk = Desk::with_market();
    damage(&desk.path(file));
    let ran = desk.run("data verify --format csv --quiet");
    stdout.assert_eq(&ran.stdout);
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
}

#[test]
fn values_that_cannot_be_are_named_by_row() {
    let bars = |path: &Path| {
        let lower = |rows: RecordBatch| {
            let rows = changed(&rows, "high", 7, |high| high * 0.9);
            let rows = changed(&rows, "close", 5, |_| f64::NAN);
            changed(&rows, "volume", 9, |_| -1.0)
        };
        rewrite(path, lower, |_| ());
    };
    check(
        BARS,
        bars,
        1,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            error,data/bars_1m/SPY/2025-11.parquet,a price is none,5,1,"open 573.78, high 573.84, low 573.77, close NaN",finite prices above 0
            error,data/bars_1m/SPY/2025-11.parquet,high or low is not the extreme,7,1,"open 573.82, high 516.528, low 573.82, close 573.91","low, open and close up to high; open and close from low on"
            error,data/bars_1m/SPY/2025-11.parquet,volume is none,9,1,-1,at least 0
        "#]],
    );
    let flow = |path: &Path| {
        let other = |rows: RecordBatch| {
            let rows = changed(&rows, "notional", 3, |notional| notional * 2.0);
            let rows = changed(&rows, "notional", 4, |notional| notional * 3.0);
            let rows = changed(&rows, "notional", 5, |_| 9000.0);
            changed(&rows, "strike", 6, |strike| strike + 1.0)
        };
        rewrite(path, other, |_| ());
    };
    check(
        FLOW,
        flow,
        1,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            error,data/flow/SPY/2025-11.parquet,notional is not price × contracts × 100,3,3,217116,108558.00
            error,data/flow/SPY/2025-11.parquet,notional is below the floor of the file,5,1,9000,at least 10000
            error,data/flow/SPY/2025-11.parquet,not the contract of its symbol,6,1,C 588 of 2025-11-10,SPY251110C00587000
        "#]],
    );
    let shuffled = |path: &Path| rewrite(path, unsorted, |_| ());
    check(
        FLOW,
        shuffled,
        1,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            error,data/flow/SPY/2025-11.parquet,earlier than the row before it,404,1,"2025-11-04T14:32:42.930Z, seq 0","after 2025-11-21T20:57:57.194Z, seq 0"
        "#]],
    );
}

#[test]
fn sessions_are_those_of_the_calendar_and_of_the_rows() {
    let other = |path: &Path| {
        let facts = |facts: &mut Facts| {
            let sessions = facts.get_mut("flowlab.sessions").unwrap();
            *sessions = sessions.replace("2025-11-13,", "2025-11-15,2025-12-01,");
        };
        rewrite(path, same, facts);
    };
    check(
        FLOW,
        other,
        1,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            error,data/flow/SPY/2025-11.parquet,covers a day on which the exchange does not open,,,2025-11-15,sessions of the calendar
            error,data/flow/SPY/2025-11.parquet,covers a session that belongs into another file,,,2025-12-01,days of 2025-11
            error,data/flow/SPY/2025-11.parquet,lies in no session that the footer names,418,44,2025-11-13T14:30:52.224Z,15 sessions from 2025-11-04 to 2025-12-01
            warning,data/flow/SPY/2025-11.parquet,suspiciously few rows on 2025-11-15,,,0,"about 51, the median"
            warning,data/flow/SPY/2025-11.parquet,suspiciously few rows on 2025-12-01,,,0,"about 51, the median"
        "#]],
    );
}

#[test]
fn a_day_without_rows_is_odd_and_no_error() {
    let empty = |path: &Path| rewrite(path, |rows| without(&rows, "2025-11-13"), |_| ());
    check(
        FLOW,
        empty,
        0,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            warning,data/flow/SPY/2025-11.parquet,suspiciously few rows on 2025-11-13,,,0,"about 54, the median"
        "#]],
    );
    check(
        BARS,
        empty,
        0,
        &expect![[r#"
            severity,file,problem,row,rows,got,expected
            warning,data/bars_1m/SPY/2025-11.parquet,suspiciously few rows on 2025-11-13,,,0,"about 514, the median"
            warning,data/bars_1m/SPY/2025-11.parquet,fewer than half the regular minutes on 2025-11-13,,,0,up to 390
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

fn rows_listed(desk: &Desk, table: &str, ticker: &str) -> u64 {
    let listing = desk.run("data ls --format json");
    let tables: Value = serde_json::from_str(&listing.stdout).unwrap();
    let rows = tables[0]["rows"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["table"] == table && row["ticker"] == ticker);
    row.unwrap()["rows"].as_u64().unwrap()
}

#[test]
fn every_row_is_exported_and_every_digit() {
    let desk = Desk::with_market();
    let told = says(
        &desk,
        "data export --table flow --out csv/out",
        0,
        &expect![[r#""#]],
    );
    expect![[r#"
        1586 rows of 2 tickers written to csv/out
    "#]]
    .assert_eq(&told);
    let mut both = String::new();
    for ticker in ["SPY", "TSLA"] {
        let text =
            std::fs::read_to_string(desk.path(&format!("csv/out/flow-{ticker}.csv"))).unwrap();
        assert_eq!(
            text.lines().count() as u64 - 1,
            rows_listed(&desk, "flow", ticker)
        );
        let (header, rows) = text.split_once('\n').unwrap();
        both += &if both.is_empty() {
            format!("{header}\n{rows}")
        } else {
            rows.to_owned()
        };
    }
    let piped = desk.run("data export --table flow --quiet");
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""));
    assert_eq!(piped.stdout, both);
    let first: String = both
        .lines()
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    expect![[r#"
        ts,available_at,seq,ticker,contract,call_put,strike,expiry,price,contracts,notional,bid,ask,side,side_source,side_quality,is_aggressive,is_sweep,has_iso,is_block,is_multi_leg,is_extended,prints,exchanges,volume,open_interest,iv,delta,underlying_price,conditions,cancelled_at,cancelled_contracts,source
        2025-11-04T14:32:42.930Z,2025-11-04T14:32:43.180Z,0,SPY,SPY251128C00578000,C,578.0,2025-11-28,7.84,62,48608.0,7.77,7.84,BUY,quote,firm,true,false,false,false,false,false,1,1,95,44645,0.129,0.514,576.83,209,,0,synthetic
        2025-11-04T14:33:54.457Z,2025-11-04T14:33:54.707Z,0,SPY,SPY251106C00575000,C,575.0,2025-11-06,3.59,56,20104.0,3.58,3.63,SELL,quote,weak,false,false,false,false,false,false,1,1,59,33490,0.1356,0.6314,576.89,227,,0,synthetic
    "#]].assert_eq(&first);

    // What was read back is what is stored.
    let mut rows = csv::Reader::from_reader(piped.stdout.as_bytes());
    let header = rows.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let (notional, ticker) = (place("notional").unwrap(), place("ticker").unwrap());
    let mut exported: Vec<f64> = Vec::new();
    for row in rows.records().map(Result::unwrap) {
        if &row[ticker] == "SPY" {
            exported.push(row[notional].parse().unwrap());
        }
    }
    let store = Store::folder(desk.path("data"));
    let day = |text: &str| text.parse().unwrap();
    let mut flow = store
        .flow("SPY", day("2025-11-01"), day("2025-11-30"))
        .unwrap();
    let mut stored: Vec<f64> = Vec::new();
    while let Some(batch) = flow.next_batch().unwrap() {
        stored.extend((0..batch.len()).map(|row| batch.event(row, "SPY").notional));
    }
    assert_eq!(exported, stored);
}

#[test]
fn a_period_is_exported_day_by_day() {
    let desk = Desk::with_market();
    let day = "data export --table bars_1d --start 2025-11-10 --end 2025-11-11 --quiet";
    says(
        &desk,
        day,
        0,
        &expect![[r#"
        date,ticker,open,high,low,close,volume
        2025-11-10,SPY,561.48,575.96,558.38,575.71,119297574.0
        2025-11-11,SPY,575.3,580.71,570.3,573.01,52317417.0
        2025-11-10,TSLA,302.81,305.27,297.43,304.71,74041931.0
        2025-11-11,TSLA,297.05,299.92,291.42,293.0,71486167.0
    "#]],
    );
    let splits = "data export --table splits --quiet";
    says(
        &desk,
        splits,
        0,
        &expect![[r#"
        ex_date,ticker,ratio
        2025-11-13,TSLA,4.0
    "#]],
    );
    let minutes = "data export --table bars_1m --tickers SPY --start 2025-11-15 --end 2025-11-16";
    says(
        &desk,
        &format!("{minutes} --quiet"),
        0,
        &expect![[r#"
        ts,ticker,open,high,low,close,volume,vwap,trades,is_regular
    "#]],
    );
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
