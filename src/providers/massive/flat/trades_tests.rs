//! The trades of a day against small files whose rows can be checked by eye.

use std::io::{Cursor, Write};

use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::flow::{Codes, Print};
use crate::time::Ts;

const HEADER: &str = "ticker,conditions,correction,exchange,price,sip_timestamp,size\n";
const FILE: &str = "2026-10-14.csv.gz";

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 14).unwrap()
}

/// A time of the day in milliseconds after 10:00.
fn at(ms: i64) -> Ts {
    Ts::parse_rfc3339("2026-10-14T14:00:00Z")
        .unwrap()
        .plus_ns(ms * 1_000_000)
}

fn row(ticker: &str, ms: i64, rest: [&str; 5]) -> String {
    let [conditions, correction, exchange, price, size] = rest;
    let ns = at(ms).ns();
    format!("O:{ticker},{conditions},{correction},{exchange},{price},{ns},{size}\n")
}

fn plain(ticker: &str, ms: i64) -> String {
    row(ticker, ms, ["209", "0", "312", "6.35", "10"])
}

/// Contract by contract, `symbol` and its prints; and the account.
type Read = (Vec<(String, Vec<Print>)>, RowCounts);

fn read_gz(input: Vec<u8>, wants: impl FnMut(&str) -> bool) -> Result<Read, FlatFileError> {
    let mut trades = Trades::open(Cursor::new(input), FILE, day(), wants)?;
    let mut contracts = Vec::new();
    while let Some(group) = trades.next_contract()? {
        assert_eq!(group.contract.symbol(), group.symbol);
        contracts.push((group.symbol.to_owned(), group.prints.to_vec()));
    }
    let counts = trades.counts().clone();
    let bad: u64 = counts.bad.values().sum();
    assert_eq!(
        counts.rows,
        counts.kept + counts.skipped + bad,
        "nothing is lost"
    );
    Ok((contracts, counts))
}

fn read(text: &str) -> Read {
    read_gz(gz(text), |_| true).unwrap()
}

const CALL: &str = "TSLA261120C00410000";
const PUT: &str = "TSLA261120P00410000";

#[test]
fn a_row_becomes_a_print() {
    let (contracts, counts) = read(&format!(
        "{HEADER}O:TSLA261120C00410000,219,0,312,6.35,1791988801123000000,10\n"
    ));
    let print = Print {
        ts: Ts::from_ns(1_791_988_801_123_000_000),
        price: 6.35,
        size: 10,
        exchange: 312,
        conditions: Codes::one(219),
        correction: 0,
    };
    assert_eq!(contracts, [(CALL.to_owned(), vec![print])]);
    assert_eq!((counts.rows, counts.kept, counts.tickers), (1, 1, 1));
}

#[test]
fn columns_may_come_in_any_order_with_others_between() {
    let ns = at(0).ns();
    let (contracts, _) = read(&format!(
        "size,x,sip_timestamp,price,exchange,y,correction,conditions,ticker\r\n\
         4.000000,?,{ns},0.050000,301,?,,,O:{CALL}\r\n"
    ));
    let print = contracts[0].1[0];
    assert_eq!((print.size, print.price, print.exchange), (4, 0.05, 301));
    assert_eq!((print.correction, print.conditions), (0, Codes::default()));
}

#[test]
fn conditions_are_none_one_or_a_quoted_list() {
    let codes = |text| {
        read(&format!(
            "{HEADER}{}",
            row(CALL, 0, [text, "0", "1", "1", "1"])
        ))
        .0[0]
            .1[0]
            .conditions
    };
    assert_eq!(codes(""), Codes::default());
    assert_eq!(codes("\"\""), Codes::default());
    assert_eq!(codes("\"219\""), Codes::one(219));
    assert_eq!(codes("\"219, 232\""), Codes::of(&[219, 232]).unwrap());
}

#[test]
fn contracts_come_one_at_a_time_in_order_of_time() {
    let text = [
        HEADER.to_owned(),
        row(CALL, 5, ["", "0", "1", "1.00", "1"]),
        row(CALL, 1, ["", "0", "1", "2.00", "1"]),
        row(CALL, 5, ["", "0", "1", "3.00", "1"]),
        row(CALL, 1, ["", "0", "1", "4.00", "1"]),
        plain(PUT, 0),
    ];
    let (contracts, counts) = read(&text.concat());
    let prices: Vec<f64> = contracts[0].1.iter().map(|print| print.price).collect();
    assert_eq!(prices, [2.0, 4.0, 1.0, 3.0], "equal times keep their order");
    assert_eq!(contracts[1].0, PUT);
    assert_eq!((counts.out_of_order, counts.tickers), (2, 2));
}

#[test]
fn bad_rows_are_named_with_line_column_and_reason_and_the_rest_is_read() {
    let other_day = at(0).plus_seconds(-86_400).ns();
    let text = [
        HEADER.to_owned(),
        plain(CALL, 0),
        row(CALL, 1, ["", "0", "1", "0", "1"]),
        row(CALL, 1, ["", "0", "1", "-1.5", "1"]),
        row(CALL, 1, ["", "0", "1", "nan", "1"]),
        row(CALL, 1, ["", "0", "1", "1", "0"]),
        row(CALL, 1, ["", "0", "1", "1", "1.5"]),
        row(CALL, 1, ["", "0", "70000", "1", "1"]),
        row(CALL, 1, ["\"1,2,3,4,5\"", "0", "1", "1", "1"]),
        row(CALL, 1, ["x", "0", "1", "1", "1"]),
        row(CALL, 1, ["", "late", "1", "1", "1"]),
        format!("O:{CALL},,0,1,1,2026-10-14,1\n"),
        format!("O:{CALL},,0,1,1,{other_day},1\n"),
        format!("O:{CALL},,0,1,1\n"),
        plain("AAPL211022C000150000", 1),
        plain(CALL, 2),
    ];
    let (contracts, counts) = read(&text.concat());
    assert_eq!(
        contracts.len(),
        1,
        "a malformed ticker does not end the one before"
    );
    assert_eq!(contracts[0].1.len(), 2);
    let shown: Vec<String> = counts.bad_rows.iter().map(|row| row.to_string()).collect();
    assert_eq!(
        shown,
        [
            "2026-10-14.csv.gz:3: column price: got \"0\", expected dollars above zero",
            "2026-10-14.csv.gz:4: column price: got \"-1.5\", expected dollars above zero",
            "2026-10-14.csv.gz:5: column price: got \"nan\", expected dollars above zero",
            "2026-10-14.csv.gz:6: column size: got \"0\", expected whole contracts, at least one",
            "2026-10-14.csv.gz:7: column size: got \"1.5\", expected whole contracts, at least one",
            "2026-10-14.csv.gz:8: column exchange: got \"70000\", expected a number from 0 to 65535",
            "2026-10-14.csv.gz:9: column conditions: got \"1,2,3,4,5\", expected up to four codes",
            "2026-10-14.csv.gz:10: column conditions: got \"x\", expected up to four codes",
            "2026-10-14.csv.gz:11: column correction: got \"late\", expected a small number",
            "2026-10-14.csv.gz:12: column sip_timestamp: got \"2026-10-14\", expected nanoseconds since 1970",
            "2026-10-14.csv.gz:13: column sip_timestamp: 1791900000000000000 is not on 2026-10-14 in New York",
            "2026-10-14.csv.gz:14: 5 columns, expected 7",
            "2026-10-14.csv.gz:15: column ticker: \"AAPL211022C000150000\" is not an OCC symbol (root, YYMMDD, C or P, strike × 1000 in 8 digits): date and strike must be digits",
        ]
    );
    assert_eq!(counts.bad["price"], 3);
    assert_eq!(counts.bad["other_day"], 1);
}

#[test]
fn bad_rows_are_all_counted_and_a_few_are_kept() {
    let bad = row(CALL, 1, ["", "0", "1", "0", "1"]);
    let (contracts, counts) = read(&format!("{HEADER}{}", bad.repeat(1000)));
    assert!(contracts.is_empty());
    assert_eq!((counts.bad["price"], counts.bad_rows.len()), (1000, 20));
}

#[test]
fn roots_are_asked_for_once_and_what_nobody_wants_is_counted() {
    let text = [
        HEADER.to_owned(),
        plain("AAPL261120C00410000", 0),
        plain("AAPL261120C00410000", 0),
        plain("AAPL261120P00410000", 0),
        // Not looked at: not wanted.
        row("AAPL261120P00410000", 0, ["x", "x", "x", "x", "x"]),
        plain(CALL, 0),
        plain(PUT, 0),
        plain("TSLAX261120P00410000", 0),
    ];
    let mut asked = Vec::new();
    let wants = |root: &str| {
        asked.push(root.to_owned());
        root == "TSLA"
    };
    let (contracts, counts) = read_gz(gz(&text.concat()), wants).unwrap();
    assert_eq!(asked, ["AAPL", "TSLA", "TSLAX"]);
    assert_eq!(contracts.len(), 2);
    assert_eq!((counts.rows, counts.kept, counts.skipped), (7, 2, 5));
}

#[test]
fn a_contract_that_comes_back_ends_the_file() {
    let text = [
        HEADER.to_owned(),
        plain(CALL, 0),
        plain(PUT, 0),
        plain(CALL, 1),
    ];
    let error = read_gz(gz(&text.concat()), |_| true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2026-10-14.csv.gz:4: O:TSLA261120C00410000 comes back after others, expected all its rows together"
    );
}

#[test]
fn a_missing_column_is_named() {
    let error = read_gz(gz("ticker,price\n"), |_| true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2026-10-14.csv.gz: no column conditions, there is ticker,price"
    );
}

#[test]
fn a_damaged_file_ends_in_an_error_and_never_in_an_end() {
    let text = format!("{HEADER}{}{}", plain(CALL, 0).repeat(20_000), plain(PUT, 0));
    let whole = gz(&text);
    assert!(read_gz(whole.clone(), |_| true).is_ok());
    let truncated = whole[..whole.len() - 20].to_vec();
    let mut wrong_checksum = whole.clone();
    wrong_checksum[whole.len() - 8] ^= 1;
    for input in [truncated, wrong_checksum] {
        let error = read_gz(input, |_| true).unwrap_err();
        assert!(matches!(error, FlatFileError::Damaged { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "2026-10-14.csv.gz is damaged or not complete"
        );
    }
}

#[test]
fn members_may_begin_in_the_middle_of_a_row() {
    let text = format!("{HEADER}{}{}", plain(CALL, 0), plain(PUT, 0));
    let (first, second) = text.split_at(HEADER.len() + 20);
    let (contracts, _) = read_gz([gz(first), gz(second)].concat(), |_| true).unwrap();
    assert_eq!(contracts.len(), 2);
}

#[test]
fn a_file_without_rows_has_no_contracts_however_often_one_asks() {
    let mut trades = Trades::open(Cursor::new(HEADER), FILE, day(), |_: &str| true).unwrap();
    assert_eq!(trades.next_contract().unwrap(), None);
    assert_eq!(trades.next_contract().unwrap(), None);
    assert_eq!(*trades.counts(), RowCounts::default());
}
