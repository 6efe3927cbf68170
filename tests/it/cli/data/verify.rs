//! `flowlab data verify`: whatever is wrong with a file is found and named.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use expect_test::{Expect, expect};
use flowlab::store::{Severity, Store, Table};
use flowlab::time::Calendar;

use super::super::files::{Facts, rewrite, same, unsorted, without};
use super::{BARS, FLOW};
use crate::desk::Desk;

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
