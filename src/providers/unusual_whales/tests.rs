//! Whole files, from the bytes on disk to days and accounts.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::blocks::BLOCK_BYTES;
use super::day::read_in_blocks;
use super::*;
use crate::flow::Side;

const HEADER: &str = "executed_at,underlying_symbol,option_chain_id,side,strike,option_type,expiry,\
    underlying_price,nbbo_bid,nbbo_ask,ewma_nbbo_bid,ewma_nbbo_ask,price,size,premium,volume,\
    open_interest,implied_volatility,delta,theta,gamma,vega,rho,theo,sector,exchange,report_flags,\
    canceled,upstream_condition_detail,equity_type\n";

/// A row with every column there.
fn line(time: &str, ticker: &str, side: &str, price: &str, flags: &str) -> String {
    format!(
        "2025-03-14 {time}+00,{ticker},{ticker}250321C00245000,{side},245,call,2025-03-21,240.125,4.9,\
         5.1,4.88,5.08,{price},10,5000,1200,0,0.4523,0.31,-0.1,0.02,0.1,0.05,5.01,\"Consumer, Cyclical\",\
         XCBO,{flags},f,auto,Common Stock\n"
    )
}

fn file(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zip(path: &Path, entries: &[(&str, &str)]) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, text) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

fn import(path: &Path) -> UwImport {
    let import = read(path, None, &|_| {}).unwrap();
    assert!(import.account.adds_up());
    import
}

/// Times and prices of every row, in the order of the import.
fn tape(import: &UwImport) -> Vec<String> {
    let mut tape = Vec::new();
    for (date, day) in &import.days {
        for (ticker, rows) in day {
            for row in rows {
                let symbol = &import.contracts[row.contract as usize].symbol;
                assert!(symbol.starts_with(ticker.as_str()));
                tape.push(format!(
                    "{date} {ticker} {} {}",
                    row.print.ts, row.print.price
                ));
            }
        }
    }
    tape
}

#[test]
fn a_row_brings_its_quote_volume_open_interest_and_greeks() {
    let folder = TempDir::new().unwrap();
    let text = [
        HEADER,
        &line("13:30:00.123456", "TSLA", "ask", "5.1", "{sweep}"),
    ]
    .concat();
    let import = import(&file(&folder, "day.csv", text));
    let row = import.days[&"2025-03-14".parse().unwrap()]["TSLA"][0];
    assert_eq!(row.print.ts.to_string(), "2025-03-14T13:30:00.123456Z");
    assert_eq!(
        (row.print.price, row.print.size, row.print.exchange),
        (5.1, 10, 302)
    );
    assert_eq!(row.print.conditions.iter().collect::<Vec<_>>(), [209, 219]);
    assert_eq!(
        (row.side, row.is_sweep, row.is_canceled),
        (Some(Side::Buy), true, false)
    );
    assert_eq!((row.bid(), row.ask()), (Some(4.9), Some(5.1)));
    assert_eq!((row.volume(), row.open_interest()), (Some(1200), Some(0)));
    assert_eq!((row.iv(), row.delta()), (Some(0.4523), Some(0.31)));
    assert_eq!(row.underlying_price(), Some(240.125));
    assert_eq!(import.contracts[0].symbol, "TSLA250321C00245000");
    assert!(import.account.unknown_columns.is_empty() && import.unknown.is_empty());
}

#[test]
fn what_is_not_there_is_unknown_and_never_zero() {
    let folder = TempDir::new().unwrap();
    let text = "size,price,option_chain_id,executed_at,mood\n\
                3,1.25,TSLA250321C00245000,2025-03-14T13:30:00Z,calm\n";
    let import = import(&file(&folder, "day.csv", text));
    let row = import.days[&"2025-03-14".parse().unwrap()]["TSLA"][0];
    let numbers = [
        row.bid(),
        row.ask(),
        row.iv(),
        row.delta(),
        row.underlying_price(),
    ];
    assert_eq!(numbers, [None; 5]);
    assert_eq!(
        (row.volume(), row.open_interest(), row.side),
        (None, None, None)
    );
    assert_eq!(row.print.exchange, 0);
    assert_eq!(
        import.account.unknown_columns,
        BTreeSet::from(["mood".to_owned()])
    );
}

#[test]
fn empty_optional_fields_are_unknown_too() {
    let folder = TempDir::new().unwrap();
    let text = "executed_at,price,size,option_chain_id,volume,open_interest,delta,nbbo_bid,underlying_price,tags\n\
                2025-03-14T13:30:00Z,1,1,TSLA250321C00245000,,NaN,null,0,0,\"{bid_side,bearish}\"\n";
    let import = import(&file(&folder, "day.csv", text));
    let row = import.days[&"2025-03-14".parse().unwrap()]["TSLA"][0];
    assert_eq!(
        (row.volume(), row.open_interest(), row.delta()),
        (None, None, None)
    );
    assert_eq!((row.bid(), row.underlying_price()), (Some(0.0), None));
    assert_eq!(row.side, Some(Side::Sell));
}

#[test]
fn bad_rows_are_named_by_line_and_the_run_goes_on() {
    let folder = TempDir::new().unwrap();
    let good = line("13:30:01", "TSLA", "ask", "5.1", "{}");
    let text = [
        HEADER,
        &good,
        &good.replace("+00,", ","),
        &good.replace(",5.1,10,", ",0,10,"),
        &good.replace(",5.1,10,", ",5.1,0,"),
        "\n",
        &good.replace("C00245000", "X00245000"),
        &good.replace(",0.31,", ",0.31?,"),
        &good.replace(",f,auto", ",perhaps,auto"),
        &good.replace("2025-03-14", "2025-03-24"),
        "a,b\n",
        &good.replace("XCBO", "\"XCBO"),
        &good,
    ]
    .concat();
    let path = file(&folder, "day.csv", text);
    let import = import(&path);
    let found: Vec<String> = import
        .account
        .bad_rows
        .iter()
        .map(|bad| format!("{}: {}", bad.line, bad.fault))
        .collect();
    let time = "expected a time with its offset from UTC, such as 2025-03-14 13:30:00.123456+00";
    assert_eq!(
        found,
        [
            format!("3: column executed_at: got \"2025-03-14 13:30:01\", {time}"),
            "4: column price: got \"0\", expected a price above zero".into(),
            "5: column size: got \"0\", expected a whole number of contracts, at least one".into(),
            "7: column option_chain_id: got \"TSLA250321X00245000\", \
             expected an OCC symbol, such as TSLA250221C00245000"
                .into(),
            "8: column delta: got \"0.31?\", expected a number or nothing".into(),
            "9: column canceled: got \"perhaps\", expected t or f".into(),
            "10: column executed_at: got \"2025-03-24 13:30:01+00 on a contract of 2025-03-21\", \
             expected a time before the contract expired"
                .into(),
            "11: 2 columns, expected 30".into(),
            "12: a quoted field does not end in its line".into(),
        ]
    );
    assert_eq!((import.account.read, import.account.kept), (11, 2));
    assert_eq!(import.account.dropped["bad_price"], 1);
    assert_eq!(import.account.bad_rows[0].file, path.display().to_string());
}

#[test]
fn rows_are_grouped_by_new_yorks_date_and_ticker() {
    let folder = TempDir::new().unwrap();
    let late = line("03:59:59", "TSLA", "bid", "1", "{}").replace("03-14 ", "03-15 ");
    let next = line("04:00:00", "TSLA", "bid", "2", "{}").replace("03-14 ", "03-15 ");
    let other = line("15:00:00", "AAPL", "bid", "3", "{}");
    let import = import(&file(
        &folder,
        "day.csv",
        [HEADER, &late, &next, &other].concat(),
    ));
    assert_eq!(
        tape(&import),
        [
            "2025-03-14 AAPL 2025-03-14T15:00:00Z 3",
            "2025-03-14 TSLA 2025-03-15T03:59:59Z 1",
            "2025-03-15 TSLA 2025-03-15T04:00:00Z 2",
        ]
    );
}

#[test]
fn a_file_that_begins_with_the_end_of_the_day_is_turned_round() {
    let folder = TempDir::new().unwrap();
    let at = |time, price| line(time, "TSLA", "ask", price, "{}");
    let rows = [
        at("15:00:02", "4"),
        at("15:00:01", "3"),
        at("15:00:01", "2"),
        at("15:00:00", "1"),
    ];
    let text = [HEADER, &rows.concat()].concat();
    let prices = |import: &UwImport| -> Vec<f64> {
        let rows = &import.days[&"2025-03-14".parse().unwrap()]["TSLA"];
        rows.iter().map(|row| row.print.price).collect()
    };
    assert_eq!(
        prices(&import(&file(&folder, "down.csv", text))),
        [1.0, 2.0, 3.0, 4.0]
    );
    let rows = [
        at("15:00:00", "1"),
        at("15:00:01", "2"),
        at("15:00:01", "3"),
        at("15:00:00", "9"),
    ];
    let text = [HEADER, &rows.concat()].concat();
    assert_eq!(
        prices(&import(&file(&folder, "up.csv", text))),
        [1.0, 9.0, 2.0, 3.0]
    );
}

#[test]
fn other_tickers_are_counted_and_left_out() {
    let folder = TempDir::new().unwrap();
    let rows = ["TSLA", "AAPL", "TSLA"].map(|ticker| line("15:00:00", ticker, "mid", "1", "{}"));
    let path = file(&folder, "day.csv", [HEADER, &rows.concat()].concat());
    let wanted = BTreeSet::from(["AAPL".to_owned()]);
    let import = read(&path, Some(&wanted), &|_| {}).unwrap();
    assert_eq!(
        (import.account.kept, import.account.dropped["other_ticker"]),
        (1, 2)
    );
    assert_eq!(import.contracts.len(), 1);
}

#[test]
fn adjusted_contracts_are_counted_and_left_out() {
    let folder = TempDir::new().unwrap();
    let row = line("15:00:00", "AMCR", "mid", "1", "{}").replace("AMCR250321", "AMCR1250321");
    let import = import(&file(&folder, "day.csv", [HEADER, &row].concat()));
    assert_eq!(
        (import.account.kept, import.account.dropped["adjusted"]),
        (0, 1)
    );
    assert!(import.days.is_empty());
}

#[test]
fn unknown_words_are_counted_and_their_rows_kept() {
    let folder = TempDir::new().unwrap();
    let rows = [
        line("15:00:00", "TSLA", "both", "1", "{moon}"),
        line("15:00:01", "TSLA", "ask", "1", "\"{moon,sweep}\"").replace("XCBO", "IEXO"),
    ];
    let import = import(&file(&folder, "day.csv", [HEADER, &rows.concat()].concat()));
    let counted: Vec<String> = import
        .unknown
        .iter()
        .map(|((column, word), rows)| format!("{column} {word} {rows}"))
        .collect();
    assert_eq!(
        counted,
        ["exchange IEXO 1", "report_flags moon 2", "side both 1"]
    );
    assert_eq!(import.account.kept, 2);
}

#[test]
fn gzip_and_zip_say_the_same_as_the_plain_file() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<String> = (0..50)
        .map(|n| line(&format!("15:00:{n:02}"), "TSLA", "ask", "1.5", "{}"))
        .collect();
    let (first, second) = rows.split_at(20);
    let whole = [HEADER, &rows.concat()].concat();
    let plain = import(&file(&folder, "day.csv", &whole));
    // Two members, and a name that says nothing.
    let parts = [
        gzip(&[HEADER, &first.concat()].concat()),
        gzip(&second.concat()),
    ]
    .concat();
    let zipped = folder.path().join("day.zip");
    let (one, two) = (
        [HEADER, &first.concat()].concat(),
        [HEADER, &second.concat()].concat(),
    );
    zip(
        &zipped,
        &[
            ("b.csv", &two),
            ("a.csv", &one),
            ("readme.txt", "hello"),
            ("__MACOSX/._a.csv", "x"),
        ],
    );
    for path in [file(&folder, "day.bin", parts), zipped] {
        let import = import(&path);
        assert_eq!(tape(&import), tape(&plain), "{}", path.display());
        assert_eq!(import.account, plain.account);
    }
}

#[test]
fn neither_threads_nor_blocks_show_in_the_result() {
    let folder = TempDir::new().unwrap();
    let mut text = HEADER.to_owned();
    for n in 0..500 {
        let ticker = ["TSLA", "AAPL", "SPY", "F"][n * 7 % 4];
        let price = if n % 50 == 49 { "x" } else { "1.5" };
        let second = format!("15:{:02}:{:02}", n / 60, n % 60);
        text.push_str(&line(&second, ticker, "ask", price, "{sweep}"));
    }
    let path = file(&folder, "day.csv", text);
    let import = |threads, block| read_in_blocks(&path, None, &|_| {}, threads, block).unwrap();
    let once = import(1, BLOCK_BYTES);
    assert_eq!(
        (once.account.read, once.account.dropped["bad_price"]),
        (500, 10)
    );
    for (threads, block) in [(1, 1000), (2, 600), (3, 4096), (8, 700)] {
        let again = import(threads, block);
        assert_eq!(again.account, once.account);
        assert_eq!(again.contracts, once.contracts);
        assert_eq!(
            tape(&again),
            tape(&once),
            "{threads} threads, {block} bytes"
        );
    }
}

#[test]
fn a_file_cut_off_or_of_another_kind_is_an_error() {
    let folder = TempDir::new().unwrap();
    let rows: String = (0..200)
        .map(|_| line("15:00:00", "TSLA", "ask", "1", "{}"))
        .collect();
    let packed = gzip(&[HEADER, &rows].concat());
    let path = file(&folder, "cut.csv.gz", &packed[..packed.len() / 2]);
    let error = read(&path, None, &|_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} is damaged or cut off", path.display())
    );
    assert_eq!(error.hint().unwrap(), "get the file again");

    let path = folder.path().join("none.zip");
    zip(&path, &[("readme.txt", "hello")]);
    let error = read(&path, None, &|_| {}).unwrap_err();
    assert_eq!(error.hint().unwrap(), "there is readme.txt");

    let path = file(&folder, "bars.csv", "ts,open,high\n1,2,3\n");
    assert!(matches!(
        read(&path, None, &|_| {}),
        Err(UwError::MissingColumns { .. })
    ));
    assert!(matches!(
        read(&folder.path().join("no.csv"), None, &|_| {}),
        Err(UwError::Io { .. })
    ));
}

#[test]
fn progress_adds_up_to_the_file() {
    let folder = TempDir::new().unwrap();
    let text = [
        HEADER,
        &line("15:00:00", "TSLA", "ask", "1", "{}").repeat(9000),
    ]
    .concat();
    let path = file(&folder, "day.csv", &text);
    let seen = std::sync::atomic::AtomicU64::new(0);
    read(&path, None, &|bytes| {
        seen.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(seen.into_inner(), text.len() as u64);
}

#[test]
fn a_folder_lists_its_daily_files_in_order() {
    let folder = TempDir::new().unwrap();
    for name in ["b.zip", "a.csv", "notes.txt", ".c.csv", "c.csv.gz"] {
        file(&folder, name, "");
    }
    let names: Vec<PathBuf> = files_in(folder.path()).unwrap();
    let names: Vec<&str> = names
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(names, ["a.csv", "b.zip", "c.csv.gz"]);
    let empty = TempDir::new().unwrap();
    assert!(matches!(files_in(empty.path()), Err(UwError::NoCsv { .. })));
}
