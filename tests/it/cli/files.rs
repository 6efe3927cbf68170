//! Files that are not what they were: refused by name, whatever is wrong with them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, TimestampNanosecondType};
use bytes::Bytes;
use expect_test::{Expect, expect};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;
use xxhash_rust::xxh3::xxh3_128;

use crate::desk::Desk;

const FLOW: &str = "data/flow/SPY/2025-11.parquet";
const BARS: &str = "data/bars_1m/SPY/2025-11.parquet";
const DAILY: &str = "data/bars_1d/SPY.parquet";
const RUN: &str = "backtest --tickers SPY --start 2025-11-10 --end 2025-11-21";

/// Runs over the market after `damage` was done to one of its files.
fn check(file: &str, damage: impl Fn(&Path), message: &Expect) {
    let desk = Desk::with_market();
    damage(&desk.path(file));
    desk.fails(RUN, 1, message);
}

fn truncate(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

pub(super) type Facts = BTreeMap<String, String>;

/// Writes the file again with other rows or another footer, its content hash made right.
pub(super) fn rewrite(
    path: &Path,
    rows: impl Fn(RecordBatch) -> RecordBatch,
    facts: impl Fn(&mut Facts),
) {
    let bytes = Bytes::from(std::fs::read(path).unwrap());
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    let pairs = pairs.into_iter().flatten();
    let mut known: Facts = pairs
        .filter(|pair| pair.key.starts_with("flowlab."))
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap()))
        .collect();
    facts(&mut known);
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let rows = rows(concat_batches(&schema, &batches).unwrap());
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.flush().unwrap();
    writer.sync().unwrap();
    let content = format!("{:032x}", xxh3_128(writer.inner()));
    known.insert("flowlab.content".to_owned(), content);
    // Not sealed: files by other hands are not.
    known.remove("flowlab.footer");
    for (key, value) in known {
        writer.append_key_value_metadata(KeyValue::new(key, value));
    }
    std::fs::write(path, writer.into_inner().unwrap()).unwrap();
}

pub(super) fn same(rows: RecordBatch) -> RecordBatch {
    rows
}

/// The second half before the first.
pub(super) fn unsorted(rows: RecordBatch) -> RecordBatch {
    let half = rows.num_rows() / 2;
    let parts = [
        rows.slice(half, rows.num_rows() - half),
        rows.slice(0, half),
    ];
    concat_batches(&rows.schema(), &parts).unwrap()
}

fn with_type(rows: &RecordBatch, name: &str, kind: &DataType) -> RecordBatch {
    let before = rows.schema();
    let fields = before.fields().iter().map(|field| {
        let kind = if field.name() == name {
            kind
        } else {
            field.data_type()
        };
        Field::new(field.name(), kind.clone(), field.is_nullable())
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns: Vec<ArrayRef> = rows
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()).unwrap())
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// Without the rows of a day, which is a UTC day for all but late evenings.
pub(super) fn without(rows: &RecordBatch, date: &str) -> RecordBatch {
    let times = rows.column(0).as_primitive::<TimestampNanosecondType>();
    let days = times.values().iter().map(|ts| {
        let day = chrono::DateTime::from_timestamp_nanos(*ts).date_naive();
        Some(day.to_string() != date)
    });
    filter_record_batch(rows, &days.collect::<BooleanArray>()).unwrap()
}

#[test]
fn a_truncated_file_is_named() {
    check(
        FLOW,
        truncate,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: not a whole Parquet file (Parquet error: Invalid Parquet file. Corrupt footer)
        hint: remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    check(
        BARS,
        truncate,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1m/SPY/2025-11.parquet: not a whole Parquet file (Parquet error: Invalid Parquet file. Corrupt footer)
        hint: remove data/bars_1m/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn garbage_and_nothing_at_all_are_no_tables() {
    let garbage = |path: &Path| std::fs::write(path, "strike,expiry\n100,today\n").unwrap();
    check(
        FLOW,
        garbage,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: not a whole Parquet file (Parquet error: Invalid Parquet file. Corrupt footer)
        hint: remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    let nothing = |path: &Path| std::fs::write(path, "").unwrap();
    check(
        DAILY,
        nothing,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1d/SPY.parquet: not a whole Parquet file (EOF: Parquet file too small. Size is 0 but need 8)
        hint: remove data/bars_1d/SPY.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn a_single_flipped_bit_is_seen_wherever_it_is() {
    let desk = Desk::with_market();
    for file in [FLOW, BARS, DAILY] {
        let path = desk.path(file);
        let whole = std::fs::read(&path).unwrap();
        // The rows are most of the file; what follows them is checked as the footer it is.
        for part in 1..8 {
            let mut bytes = whole.clone();
            bytes[whole.len() / 2 * part / 8] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let ran = desk.run(RUN);
            assert_eq!(ran.code, Some(1), "{file}, part {part}: {}", ran.stderr);
            assert!(ran.stderr.contains(file), "{}", ran.stderr);
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        }
        std::fs::write(&path, &whole).unwrap();
    }
    desk.holds_nothing_half_written();
}

#[test]
fn another_format_version_is_refused() {
    let version = |path: &Path| {
        let newer = |facts: &mut Facts| {
            facts.insert("flowlab.format".to_owned(), "2".to_owned());
        };
        rewrite(path, same, newer);
    };
    check(
        FLOW,
        version,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: format version 2, expected 1
        hint: another version of flowlab wrote it: use that one, or remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    let foreign = |path: &Path| rewrite(path, same, Facts::clear);
    check(
        BARS,
        foreign,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1m/SPY/2025-11.parquet: format version none, expected 1
        hint: another version of flowlab wrote it: use that one, or remove data/bars_1m/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn a_table_in_the_place_of_another_is_refused() {
    let desk = Desk::with_market();
    std::fs::copy(desk.path(BARS), desk.path(FLOW)).unwrap();
    desk.fails(
        RUN,
        1,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: holds table bars_1m, expected flow
        hint: remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn a_column_of_another_type_is_named() {
    let oi = |path: &Path| {
        let as_float = |rows| with_type(&rows, "open_interest", &DataType::Float64);
        rewrite(path, as_float, |_| ());
    };
    check(
        FLOW,
        oi,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: column open_interest is Float64, expected Int64
        hint: remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    let missing = |path: &Path| {
        let less = |rows: RecordBatch| rows.project(&[0, 1, 2, 3, 4, 6, 7, 8, 9]).unwrap();
        rewrite(path, less, |_| ());
    };
    check(
        BARS,
        missing,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1m/SPY/2025-11.parquet: column close is missing
        hint: remove data/bars_1m/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn rows_out_of_order_are_refused() {
    let shuffle = |path: &Path| rewrite(path, unsorted, |_| ());
    check(
        FLOW,
        shuffle,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/flow/SPY/2025-11.parquet: row 404 is earlier than the row before it
        hint: remove data/flow/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    check(
        BARS,
        shuffle,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1m/SPY/2025-11.parquet: row 3872 is earlier than the row before it
        hint: remove data/bars_1m/SPY/2025-11.parquet and fetch or import its sessions again
    "#]],
    );
    check(
        DAILY,
        shuffle,
        &expect![[r#"
        error: cannot run the backtest from 2025-11-10 to 2025-11-21
          because data/bars_1d/SPY.parquet: row 157 is earlier than the row before it
        hint: remove data/bars_1d/SPY.parquet and fetch or import its sessions again
    "#]],
    );
}

#[test]
fn an_empty_day_is_a_day_and_a_missing_one_is_a_gap() {
    const DAY: &str = "2025-11-13";
    let desk = Desk::with_market();
    rewrite(&desk.path(FLOW), |rows| without(&rows, DAY), |_| ());
    let empty = desk.run(&format!("{RUN} --by kind"));
    assert_eq!(empty.code, Some(0), "{}", empty.stderr);

    let forget = |facts: &mut Facts| {
        let sessions = facts.get_mut("flowlab.sessions").unwrap();
        *sessions = sessions.replace(&format!("{DAY},"), "");
    };
    rewrite(&desk.path(FLOW), same, forget);
    let missing = desk.run(&format!("{RUN} --by kind"));
    expect![[r#"
        gap: no flow for 2025-11-13: SPY
        764 events (254 of them warm-up) in #; signals/trades: SCALP 17/17, DAY_TRADE 4/4, SWING 1/1; written to runs/v1.0-#
    "#]].assert_eq(&missing.stderr);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stdout.contains("no flow for 2025-11-13: SPY"));
    desk.holds_no_temporary_file();
}

#[test]
fn a_damaged_manifest_is_named() {
    let desk = Desk::with_market();
    assert_eq!(desk.run(RUN).code, Some(0));
    let manifest = desk.only_run().join("manifest.json");
    let check = |text: &str, message: &Expect| {
        std::fs::write(&manifest, text).unwrap();
        let ran = desk.run("report");
        message.assert_eq(&ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    };
    let whole = std::fs::read_to_string(&manifest).unwrap();
    check(
        &whole[..100],
        &expect![[r#"
        error: cannot read the run in runs/v1.0-#
          because runs/v1.0-#/manifest.json: not a run's manifest (EOF while parsing an object at line 5 column 26)
        hint: remove runs/v1.0-# and run the same `flowlab backtest` again
    "#]],
    );
    check(
        "{}",
        &expect![[r#"
        error: cannot read the run in runs/v1.0-#
          because runs/v1.0-#/manifest.json: not a run's manifest (missing field `format` at line 1 column 2)
        hint: remove runs/v1.0-# and run the same `flowlab backtest` again
    "#]],
    );
    check(
        &whole.replace("\"format\": 1", "\"format\": 9"),
        &expect![[r#"
            error: cannot read the run in runs/v1.0-#
              because runs/v1.0-#/manifest.json: format version 9, expected 1
            hint: remove runs/v1.0-# and run the same `flowlab backtest` again
        "#]],
    );
    std::fs::write(&manifest, &whole).unwrap();
    truncate(&desk.only_run().join("trades.parquet"));
    let ran = desk.run("report");
    expect![[r#"
        error: cannot read the run in runs/v1.0-#
          because runs/v1.0-#/trades.parquet: not a whole Parquet file (Parquet error: Invalid Parquet file. Corrupt footer)
        hint: remove runs/v1.0-# and run the same `flowlab backtest` again
    "#]].assert_eq(&ran.stderr);
    assert_eq!(ran.code, Some(1));
}
