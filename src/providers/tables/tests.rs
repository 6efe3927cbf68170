//! Whole files: what the store holds, written as CSV or Parquet, comes back as it was; what a table
//! forbids is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Float64Type, Int16Type, Int64Type, Schema, TimeUnit};
use arrow::datatypes::{Date32Type, TimestampNanosecondType};
use chrono::{NaiveDate, TimeDelta};
use tempfile::TempDir;

use super::*;
use crate::flow::{CallPut, Contract, FlowDetail, FlowEvent, Side, SideQuality, SideSource};
use crate::store::{
    BarTable, DailyBar, DailyTable, FlowTable, MinuteBar, OpenInterest, OpenInterestTable, Split,
    SplitTable, Table,
};
use crate::time::{Calendar, Ts};

fn ts(text: &str) -> Ts {
    Ts::parse_rfc3339(text).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn import(path: &Path, format: Format, table: Table) -> Result<TablesImport, TablesError> {
    let import = read(&[path.to_owned()], format, table, &Calendar::shipped())?;
    assert!(import.account.adds_up());
    Ok(import)
}

fn import_csv(text: &str, table: Table) -> TablesImport {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.csv");
    fs::write(&path, text).unwrap();
    import(&path, Format::Csv, table).unwrap()
}

fn faults(import: &TablesImport) -> Vec<String> {
    let bad = import.account.bad_rows.iter();
    bad.map(|bad| format!("{}: {}", bad.line, bad.fault))
        .collect()
}

/// Some events of a day; every column is null, false or empty in one of them and not in another.
fn flow() -> RecordBatch {
    let mut table = FlowTable::default();
    for n in 0..6u32 {
        let at = ts("2025-03-14T13:30:00.123456Z").plus_ns(i64::from(n / 2) * 1_000_000);
        let is_odd = n % 2 == 1;
        let symbol = ["TSLA250321C00245500", "TSLA250321P00200000"][n as usize % 2];
        let contract = Contract::parse(symbol).unwrap();
        let number = is_odd.then_some(0.1 + f64::from(n));
        let event = FlowEvent {
            ts: at,
            available_at: at.plus_ns(250_000_000),
            seq: n % 2 * 7,
            ticker: "TSLA",
            contract: symbol,
            call_put: [CallPut::Call, CallPut::Put][n as usize % 2],
            strike: contract.strike,
            expiry: contract.expiry,
            notional: 12_345.670_000_000_1 + f64::from(n),
            side: Side::ALL[n as usize % 3],
            is_aggressive: is_odd,
            is_sweep: is_odd,
            is_multi_leg: is_odd,
            volume: 9_007_199_254_740_993,
            open_interest: is_odd.then_some(0),
            underlying_price: number,
        };
        let detail = FlowDetail {
            price: 1.0 / 3.0,
            contracts: 370,
            bid: number,
            ask: number,
            side_source: SideSource::ALL[n as usize % 4],
            side_quality: SideQuality::ALL[n as usize % 3],
            has_iso: is_odd,
            is_block: is_odd,
            is_extended: is_odd,
            prints: 3,
            exchanges: 2,
            iv: number,
            delta: number.map(|delta| -delta),
            conditions: [vec![], vec![219], vec![219, 232]][n as usize % 3].clone(),
            cancelled_at: is_odd.then(|| at.plus_seconds(5)),
            cancelled_contracts: i64::from(n),
            source: "lean/minute".to_owned(),
        };
        table.push(&event, &detail);
    }
    table.finish()
}

fn bars() -> RecordBatch {
    let mut table = BarTable::default();
    for n in 0..3 {
        table.push(MinuteBar {
            ts: ts("2025-03-14T13:29:00Z").plus_minutes(n),
            open: 240.1,
            high: 241.0,
            low: 239.9,
            close: 240.5,
            volume: 1234.5,
            vwap: (n == 1).then_some(240.3),
            trades: (n == 2).then_some(17),
            is_regular: n > 0,
        });
    }
    table.finish("TSLA")
}

fn daily() -> RecordBatch {
    let bar = |date: &str| DailyBar {
        date: day(date),
        open: 1.0,
        high: 2.5,
        low: 0.5,
        close: 2.0,
        volume: 1e9,
    };
    DailyTable::batch("BRK.B", &[bar("1999-01-04"), bar("2025-03-14")])
}

fn open_interest() -> RecordBatch {
    let row = |contract: &str, open_interest, captured_at| OpenInterest {
        date: day("2025-03-13"),
        contract: contract.to_owned(),
        open_interest,
        captured_at,
    };
    let captured_at = Some(ts("2025-03-14T11:00:00Z"));
    OpenInterestTable::batch(&[
        row("SPXW250314P05500000", 0, None),
        row("SPXW250321C05500000", 7, captured_at),
    ])
}

fn splits() -> RecordBatch {
    let split = Split {
        ex_date: day("2020-08-31"),
        ratio: 4.0,
    };
    SplitTable::by_session("AAPL", &[split]).remove(0).1
}

/// Every table with its ticker and rows of it.
fn all() -> [(Table, &'static str, RecordBatch); 5] {
    [
        (Table::Flow, "TSLA", flow()),
        (Table::Bars1m, "TSLA", bars()),
        (Table::Bars1d, "BRK.B", daily()),
        (Table::OpenInterest, "SPX", open_interest()),
        (Table::Splits, "AAPL", splits()),
    ]
}

/// A table as text, in the words of the files that the program writes.
fn csv_of(rows: &RecordBatch) -> String {
    let schema = rows.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let mut text = names.join(",") + "\n";
    for row in 0..rows.num_rows() {
        let cells: Vec<String> = rows
            .columns()
            .iter()
            .map(|column| csv_cell(column, row))
            .collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

fn csv_cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Timestamp(..) => {
            Ts::from_ns(column.as_primitive::<TimestampNanosecondType>().value(row)).to_string()
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            (NaiveDate::default() + TimeDelta::days(days.into())).to_string()
        }
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::List(_) => {
            let codes = column.as_list::<i32>().value(row);
            let codes = codes.as_primitive::<Int16Type>().values().iter();
            codes.map(i16::to_string).collect::<Vec<_>>().join("|")
        }
        DataType::Dictionary(..) => cast(column, &DataType::Utf8)
            .unwrap()
            .as_string::<i32>()
            .value(row)
            .to_owned(),
        _ => cast(column, &DataType::Int64)
            .unwrap()
            .as_primitive::<Int64Type>()
            .value(row)
            .to_string(),
    }
}

fn write_parquet(path: &Path, rows: &RecordBatch) {
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

fn whole(import: &TablesImport, ticker: &str) -> RecordBatch {
    assert_eq!(faults(import), [""; 0]);
    let batches: Vec<RecordBatch> = import.sessions[ticker]
        .iter()
        .map(|(_, batch)| batch.clone())
        .collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

#[test]
fn every_table_comes_back_from_csv_as_it_was() {
    for (table, ticker, rows) in all() {
        let import = import_csv(&csv_of(&rows), table);
        assert_eq!(whole(&import, ticker), rows, "{}", table.name());
        assert!(import.account.unknown_columns.is_empty());
    }
}

#[test]
fn every_table_comes_back_from_parquet_as_it_was() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    for (table, ticker, rows) in all() {
        write_parquet(&path, &rows);
        let import = import(&path, Format::Parquet, table).unwrap();
        assert_eq!(whole(&import, ticker), rows, "{}", table.name());
    }
}

/// `rows` with the types other programs write.
fn by_others(rows: &RecordBatch) -> RecordBatch {
    let foreign = |column: &ArrayRef| match column.data_type() {
        DataType::Dictionary(..) => cast(column, &DataType::LargeUtf8),
        DataType::Timestamp(..) => cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None)),
        DataType::Date32 => {
            let date = cast(column, &DataType::Date64).unwrap();
            cast(&date, &DataType::Timestamp(TimeUnit::Millisecond, None))
        }
        DataType::UInt32 => cast(column, &DataType::Int32),
        DataType::List(_) => cast(column, &DataType::new_large_list(DataType::Int64, true)),
        _ => Ok(column.clone()),
    };
    let columns: Vec<ArrayRef> = rows.columns().iter().map(|c| foreign(c).unwrap()).collect();
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, c)| (name, c, true)))
        .unwrap()
}

#[test]
fn parquet_of_other_programs_is_read_where_its_meaning_is_clear() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    for (table, ticker, rows) in all() {
        write_parquet(&path, &by_others(&rows));
        let import = import(&path, Format::Parquet, table).unwrap();
        assert_eq!(whole(&import, ticker), rows, "{}", table.name());
    }
}

/// `rows` with one column replaced.
fn with(rows: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = rows.schema();
    let place = schema.index_of(name).unwrap();
    let mut fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields[place] = Field::new(name, column.data_type().clone(), true);
    let mut columns = rows.columns().to_vec();
    columns[place] = column;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn counts_as_doubles_are_counts_when_they_are_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    let oi: ArrayRef = Arc::new(Float64Array::from(vec![
        f64::NAN,
        0.0,
        f64::NAN,
        0.0,
        f64::NAN,
        0.0,
    ]));
    write_parquet(&path, &with(&flow(), "open_interest", oi));
    let whole_import = import(&path, Format::Parquet, Table::Flow).unwrap();
    assert_eq!(whole(&whole_import, "TSLA"), flow());

    let oi: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 6]));
    write_parquet(&path, &with(&flow(), "open_interest", oi));
    let import = import(&path, Format::Parquet, Table::Flow).unwrap();
    assert_eq!(import.account.dropped["bad_open_interest"], 6);
    assert_eq!(
        faults(&import)[0],
        "1: column open_interest: got \"0.5\", expected a whole number"
    );
}

#[test]
fn a_column_of_another_type_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    for (name, column, got, expected) in [
        (
            "price",
            cast(&flow()["side"], &DataType::Utf8).unwrap(),
            "Utf8",
            "a number",
        ),
        ("is_sweep", flow()["volume"].clone(), "Int64", "a boolean"),
        ("contract", flow()["volume"].clone(), "Int64", "text"),
    ] {
        write_parquet(&path, &with(&flow(), name, column));
        let error = import(&path, Format::Parquet, Table::Flow).unwrap_err();
        let said = format!(
            "{}: column {name} is {got}, expected {expected}",
            path.display()
        );
        assert_eq!(error.to_string(), said);
    }
    fs::write(&path, "not parquet at all").unwrap();
    let error = import(&path, Format::Parquet, Table::Flow).unwrap_err();
    assert!(matches!(error, TablesError::NotParquet { .. }));
}

#[test]
fn what_follows_from_other_columns_may_be_missing() {
    let import = import_csv(
        "volume,price,contracts,contract,ticker,ts,mood\n\
         5,2.5,10,TSLA250321C00245000,TSLA,2025-03-14T13:30:00Z,calm\n\
         9,2.5,10,TSLA250321C00245000,TSLA,2025-03-14T09:30:00-04:00,calm\n",
        Table::Flow,
    );
    let rows = whole(&import, "TSLA");
    let column = |name: &str| -> Vec<String> {
        (0..2)
            .map(|row| csv_cell(rows.column_by_name(name).unwrap(), row))
            .collect()
    };
    assert_eq!(column("seq"), ["0", "1"]);
    assert_eq!(column("volume"), ["5", "9"]);
    assert_eq!(column("available_at")[0], "2025-03-14T13:30:00Z");
    assert_eq!(column("strike")[0], "245");
    assert_eq!(column("notional")[0], "2500");
    assert_eq!(
        (column("side")[0].as_str(), column("source")[0].as_str()),
        ("UNKNOWN", "csv")
    );
    assert_eq!(column("open_interest")[0], "");
    assert!(import.account.unknown_columns.contains("mood"));
}

#[test]
fn bad_rows_name_column_got_and_expected() {
    let header = "ts,available_at,ticker,contract,strike,price,contracts,volume,side\n";
    let good =
        "2025-03-14T13:30:00Z,2025-03-14T13:30:01Z,TSLA,TSLA250321C00245000,245,2.5,10,20,BUY\n";
    let text = [
        header,
        good,
        &good.replace(":01Z", ":01"),
        &good.replace("T13:30:01Z", "T13:29:59Z"),
        &good.replace("2025-03-14T13:30:00Z", "2025-03-15T13:30:00Z"),
        &good.replace(",TSLA,", ",../X,"),
        &good.replace("C00245000", "245"),
        &good.replace(",245,", ",240,"),
        &good.replace(",2.5,", ",0,"),
        &good.replace(",10,", ",1.5,"),
        &good.replace(",20,", ",,"),
        &good.replace("BUY", "buy"),
        &good.replace("TSLA250321", "TSLA250313"),
        "1,2\n",
    ]
    .concat();
    let import = import_csv(&text, Table::Flow);
    let found = faults(&import);
    let symbol = "an OCC symbol without O:, such as TSLA250221C00245000";
    let time = "a time such as 2025-03-14T13:30:00Z, or nanoseconds since 1970";
    let expected = [
        format!("3: column available_at: got \"2025-03-14T13:30:01\", expected {time}"),
        "4: column available_at: got \"2025-03-14T13:29:59Z\", expected a time not before ts".into(),
        "5: column ts: got \"2025-03-15T13:30:00Z\", expected a time on a day with a session".into(),
        "6: column ticker: got \"../X\", expected a ticker, such as TSLA or BRK.B".into(),
        format!("7: column contract: got \"TSLA250321245\", expected {symbol}"),
        "8: column strike: got \"240\", expected what the contract's symbol says".into(),
        "9: column price: got \"0\", expected a number above zero".into(),
        "10: column contracts: got \"1.5\", expected a whole number".into(),
        "11: column volume: got \"\", expected a whole number".into(),
        "12: column side: got \"buy\", expected BUY, SELL or UNKNOWN".into(),
        "13: column contract: got \"TSLA250313C00245000\", expected a contract that has not expired".into(),
        "14: 2 columns, expected 9".into(),
    ];
    assert_eq!(found, expected);
    assert_eq!((import.account.read, import.account.kept), (13, 1));
}

#[test]
fn a_bar_contains_its_prices_and_starts_on_a_minute() {
    let import = import_csv(
        "ts,ticker,open,high,low,close,volume\n\
         2025-03-14T13:30:00Z,SPY,10,11,9,10,0\n\
         2025-03-14T13:30:30Z,SPY,10,11,9,10,0\n\
         2025-03-14T13:31:00Z,SPY,10,9.5,9,10,0\n\
         2025-03-14T13:32:00Z,SPY,10,11,10.5,10,0\n\
         2025-03-14T13:33:00Z,SPY,10,11,9,10,-1\n\
         2025-03-14T13:29:00Z,SPY,10,11,9,10,5\n",
        Table::Bars1m,
    );
    assert_eq!(
        faults(&import),
        [
            "3: column ts: got \"2025-03-14T13:30:30Z\", expected the start of a minute",
            "4: column high: got \"9.5\", expected no price of the bar above it",
            "5: column low: got \"10.5\", expected no price of the bar below it",
            "6: column volume: got \"-1\", expected a number, not negative",
        ]
    );
    let (date, rows) = &import.sessions["SPY"][0];
    assert_eq!(*date, day("2025-03-14"));
    // Sorted, and regular as the calendar has it.
    assert_eq!(
        rows["is_regular"]
            .as_boolean()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn a_row_that_is_there_already_is_refused_and_says_where() {
    let folder = TempDir::new().unwrap();
    let row = "2025-03-14T13:30:00Z,3,TSLA,TSLA250321C00245000,2.5,10,20\n";
    let header = "ts,seq,ticker,contract,price,contracts,volume\n";
    let files: Vec<PathBuf> = ["a.csv", "b.csv"]
        .map(|name| folder.path().join(name))
        .to_vec();
    fs::write(&files[0], [header, row].concat()).unwrap();
    fs::write(
        &files[1],
        [header, &row.replace(",3,", ",4,"), row].concat(),
    )
    .unwrap();
    let import = read(&files, Format::Csv, Table::Flow, &Calendar::shipped()).unwrap();
    assert_eq!(
        (import.account.kept, import.account.dropped["twice"]),
        (2, 1)
    );
    let bad = &import.account.bad_rows[0];
    assert_eq!(
        (bad.file.as_str(), bad.line),
        (files[1].to_str().unwrap(), 3)
    );
    let first = format!("{}:2", files[0].display());
    assert_eq!(
        bad.fault.to_string(),
        format!("columns ts and seq: 2025-03-14T13:30:00Z 3 is there already, at {first}")
    );
}

#[test]
fn sessions_are_by_new_yorks_date_and_tickers_apart() {
    let import = import_csv(
        "ts,ticker,open,high,low,close,volume\n\
         2025-03-17T13:30:00Z,SPY,1,1,1,1,0\n\
         1741959000000000000,SPY,1,1,1,1,0\n\
         2025-03-14T13:30:00Z,QQQ,1,1,1,1,0\n\
         2025-03-14T23:59:00Z,QQQ,1,1,1,1,0\n",
        Table::Bars1m,
    );
    let sessions: Vec<String> = import
        .sessions
        .iter()
        .flat_map(|(ticker, sessions)| {
            sessions
                .iter()
                .map(move |(date, rows)| format!("{ticker} {date} {}", rows.num_rows()))
        })
        .collect();
    assert_eq!(
        sessions,
        ["QQQ 2025-03-14 2", "SPY 2025-03-14 1", "SPY 2025-03-17 1"]
    );
}

#[test]
fn a_file_without_a_needed_column_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.csv");
    fs::write(&path, "date,ticker,ratio\n").unwrap();
    let error = import(&path, Format::Csv, Table::Splits).unwrap_err();
    let said = format!(
        "{}: no column ex_date, which table splits needs",
        path.display()
    );
    assert_eq!(error.to_string(), said);
    assert_eq!(error.hint().unwrap(), "it has date, ticker, ratio");
    fs::write(&path, "ex_date,ticker,ratio,ratio\n").unwrap();
    let error = import(&path, Format::Csv, Table::Splits).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: column ratio is there twice", path.display())
    );
}

#[test]
fn a_folder_is_searched_and_an_exported_store_by_its_table() {
    let folder = TempDir::new().unwrap();
    let put = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
    };
    put("other/x.csv");
    put("b.csv.gz");
    put("a.csv");
    put("notes.txt");
    let names = |table| -> Vec<String> {
        let files = files_in(folder.path(), Format::Csv, table).unwrap();
        let name = |path: &PathBuf| {
            path.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        };
        files.iter().map(name).collect()
    };
    assert_eq!(names(Table::Flow), ["a.csv", "b.csv.gz", "other/x.csv"]);
    put("flow/TSLA/2025-03.csv");
    put("flow/AAPL/2025-03.csv");
    assert_eq!(
        names(Table::Flow),
        ["flow/AAPL/2025-03.csv", "flow/TSLA/2025-03.csv"]
    );
    let error = files_in(folder.path(), Format::Parquet, Table::Flow).unwrap_err();
    assert!(matches!(error, TablesError::NoFiles { .. }));
}

#[test]
fn the_columns_are_those_of_the_store() {
    use super::gather::TableRow;
    let names = |columns: &'static [super::columns::Column]| -> Vec<&str> {
        columns.iter().map(|column| column.name).collect()
    };
    let known = [
        names(super::flow::FlowRow::COLUMNS),
        names(super::bars::MinuteRow::COLUMNS),
        names(super::bars::DailyRow::COLUMNS),
        names(super::small::OpenInterestRow::COLUMNS),
        names(super::small::SplitRow::COLUMNS),
    ];
    for ((table, _, rows), mut known) in all().into_iter().zip(known) {
        if table == Table::OpenInterest {
            known.retain(|name| *name != "ticker");
        }
        let schema = rows.schema();
        let stored: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(known, stored, "{}", table.name());
    }
}
