//! Small folders, written as LEAN would: each test reads one rule from files to rows.

use std::fs;
use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::flow::{SideQuality, SideSource};
use crate::time::Calendar;

const SETTINGS: FlowSettings = FlowSettings {
    min_notional: 10_000.0,
    sweep_window_ms: 250,
    block_min_contracts: 500,
    max_quote_age_seconds: 60,
};

const OPTIONS: &str = "option/usa/minute/aapl/20140606";
const CALL: &str = "call_6450000_20140613";
const PUT: &str = "put_6450000_20140613";

fn date() -> NaiveDate {
    "2014-06-06".parse().unwrap()
}

fn write_zip(root: &Path, path: &str, entries: &[(&str, &str)]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, text) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

/// A zip of one file per contract, named as `kind` spells it.
fn write_options(root: &Path, kind: &str, contracts: &[(&str, &str)]) {
    let names: Vec<String> = contracts
        .iter()
        .map(|(tail, _)| format!("20140606_aapl_minute_{kind}_american_{tail}.csv"))
        .collect();
    let entries: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(contracts.iter().map(|(_, text)| *text))
        .collect();
    write_zip(root, &format!("{OPTIONS}_{kind}_american.zip"), &entries);
}

fn trades(contracts: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    write_options(root.path(), "trade", contracts);
    root
}

fn read(root: &TempDir, bars: &[MinuteBar], settings: FlowSettings) -> FlowDay {
    let folder = LeanFolder::open(root.path()).unwrap();
    let day = folder
        .read_flow("aapl", date(), bars, &settings, &Calendar::shipped())
        .unwrap();
    assert_eq!(
        day.read,
        day.rows.len() as u64 + day.dropped.values().sum::<u64>()
    );
    day
}

fn bar(ts: &str, close: f64) -> MinuteBar {
    let ts = Ts::parse_rfc3339(ts).unwrap();
    MinuteBar {
        ts,
        open: close,
        high: close,
        low: close,
        close,
        volume: 1.0,
        vwap: None,
        trades: None,
        is_regular: true,
    }
}

#[test]
fn a_minute_is_a_print_at_its_end_and_close_and_known_after_the_window() {
    let root = trades(&[(CALL, "34200000,10000,20000,10000,15000,100\n")]);
    let row = read(&root, &[], SETTINGS).rows.remove(0);
    assert_eq!(row.ts.to_string(), "2014-06-06T13:31:00Z");
    assert_eq!(row.available_at.to_string(), "2014-06-06T13:31:00.250Z");
    assert_eq!(
        (row.ticker.as_str(), row.contract.as_str()),
        ("AAPL", "AAPL140613C00645000")
    );
    assert_eq!(
        (row.detail.price, row.notional, row.strike),
        (1.5, 15_000.0, 645.0)
    );
    assert_eq!((row.open_interest, row.underlying_price), (None, None));
    assert_eq!(row.event().expiry, "2014-06-13".parse().unwrap());
}

#[test]
fn prints_are_numbered_and_counted_as_volume_before_the_floor() {
    let root = trades(&[
        (
            PUT,
            "34200000,10000,10000,10000,10000,100\n34260000,10000,10000,10000,10000,100\n",
        ),
        (
            CALL,
            "34200000,10000,10000,10000,10000,99\n34260000,10000,10000,10000,10000,100\n",
        ),
    ]);
    let day = read(&root, &[], SETTINGS);
    let seen: Vec<(String, u32, i64)> = day
        .rows
        .iter()
        .map(|r| (r.contract.clone(), r.seq, r.volume))
        .collect();
    // The call's first print has seq 0 and is one contract short of the floor; equal to it stays.
    let expected = [
        ("AAPL140613P00645000", 1, 100),
        ("AAPL140613C00645000", 0, 199),
        ("AAPL140613P00645000", 1, 200),
    ];
    assert_eq!(
        seen,
        expected.map(|(contract, seq, volume)| (contract.to_owned(), seq, volume))
    );
    assert_eq!(day.dropped, BTreeMap::from([("below_floor", 1)]));
}

#[test]
fn a_block_is_one_print_of_at_least_so_many_contracts() {
    let root = trades(&[(
        CALL,
        "34200000,9000,9000,9000,9000,499\n34260000,9000,9000,9000,9000,500\n",
    )]);
    let blocks: Vec<bool> = read(&root, &[], SETTINGS)
        .rows
        .iter()
        .map(|r| r.detail.is_block)
        .collect();
    assert_eq!(blocks, [false, true]);
}

#[test]
fn the_sessions_last_minute_ends_at_the_close_and_is_regular() {
    let bars = |minutes: [u32; 4]| {
        minutes
            .map(|ms| format!("{ms},10000,10000,10000,10000,100\n"))
            .concat()
    };
    let root = trades(&[(
        CALL,
        &bars([34_140_000, 34_200_000, 57_540_000, 57_600_000]),
    )]);
    let extended: Vec<bool> = read(&root, &[], SETTINGS)
        .rows
        .iter()
        .map(|r| r.detail.is_extended)
        .collect();
    assert_eq!(extended, [true, false, false, true]);
}

#[test]
fn the_underlying_is_the_last_bar_of_the_day_that_had_ended() {
    let root = trades(&[(
        CALL,
        "34200000,10000,10000,10000,10000,100\n34260000,10000,10000,10000,10000,100\n",
    )]);
    let yesterday = bar("2014-06-05T19:59:00Z", 600.0);
    let prices = |bars: &[MinuteBar]| -> Vec<Option<f64>> {
        read(&root, bars, SETTINGS)
            .rows
            .iter()
            .map(|r| r.underlying_price)
            .collect()
    };
    assert_eq!(
        prices(&[yesterday, bar("2014-06-06T13:31:00Z", 646.0)]),
        [None, Some(646.0)]
    );
    let both = [
        yesterday,
        bar("2014-06-06T13:30:00Z", 645.0),
        bar("2014-06-06T13:32:00Z", 647.0),
    ];
    assert_eq!(prices(&both), [Some(645.0), Some(645.0)]);
}

#[test]
fn open_interest_and_quotes_lie_beside_the_trades() {
    let print = "34200000,10000,10000,10000,10000,100\n";
    let root = trades(&[(CALL, print), (PUT, print)]);
    write_options(
        root.path(),
        "openinterest",
        &[(CALL, "23460000,0\n"), ("put_1_20140613", "x\n")],
    );
    write_options(
        root.path(),
        "quote",
        &[(
            CALL,
            "34140000,9000,9000,9000,9000,1,10000,10000,10000,10000,1\nbad\n",
        )],
    );
    let day = read(&root, &[], SETTINGS);
    assert!(day.has_quotes && day.has_open_interest);
    let [call, put] = day.rows.as_slice() else {
        panic!("two rows")
    };
    // A published zero is known; what is not published is not zero.
    assert_eq!((call.open_interest, put.open_interest), (Some(0), None));
    assert_eq!((call.detail.bid, call.detail.ask), (Some(0.9), Some(1.0)));
    assert_eq!(
        (call.detail.side_source, call.detail.side_quality),
        (SideSource::Quote, SideQuality::Firm)
    );
    assert!(call.is_aggressive && call.side == Side::Buy);
    assert_eq!(
        (put.detail.bid, put.detail.side_source),
        (None, SideSource::None)
    );
    // Rows of the files beside are named, but are no option minutes.
    assert_eq!((day.read, day.bad_rows.len(), day.dropped.len()), (2, 2, 0));
}

#[test]
fn bad_minutes_name_their_file_and_line_and_the_import_goes_on() {
    let good = "34200000,10000,10000,10000,10000,100\n";
    let root = trades(&[
        (CALL, "34140000,1,1\n34200000,10000,10000,10000,10000,100\n"),
        ("call_6450000_20140605", good),
        ("call_921429_20140613", good),
        ("straddle_1_20140613", good),
    ]);
    let day = read(&root, &[], SETTINGS);
    assert_eq!((day.read, day.rows.len()), (5, 1));
    assert_eq!(
        day.dropped,
        BTreeMap::from([("bad_row", 3), ("strike_without_symbol", 1)])
    );
    assert!(!day.has_open_interest && !day.has_quotes);
    let bad = day
        .bad_rows
        .iter()
        .find(|bad| bad.file.contains("20140613") && bad.file.contains("_call_"))
        .unwrap();
    assert!(bad.file.ends_with(
        "20140606_trade_american.zip/20140606_aapl_minute_trade_american_call_6450000_20140613.csv"
    ));
    assert_eq!(
        (bad.line, bad.reason.to_string()),
        (
            1,
            "3 columns, expected 6: ms,open,high,low,close,volume".into()
        )
    );
}

#[test]
fn a_folder_that_is_not_leans_says_what_is_in_it() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("Data")).unwrap();
    let error = LeanFolder::open(root.path()).unwrap_err();
    assert!(matches!(error, LeanError::NotAFolder { .. }));
    assert_eq!(
        error.hint().unwrap(),
        "give the folder that LEAN calls Data; there is Data"
    );
    let nowhere = LeanFolder::open(root.path().join("nowhere")).unwrap_err();
    assert_eq!(
        nowhere.hint().unwrap(),
        "give the folder that LEAN calls Data; there is nothing in it"
    );
}

#[test]
fn a_missing_ticker_or_day_says_what_there_is() {
    let root = trades(&[(CALL, "")]);
    let folder = LeanFolder::open(root.path()).unwrap();
    let calendar = Calendar::shipped();
    let error = folder.equity_dates("TSLA").unwrap_err();
    assert!(matches!(&error, LeanError::UnknownTicker { ticker, .. } if ticker == "TSLA"));
    assert_eq!(error.hint().unwrap(), "there is AAPL");
    assert_eq!(folder.equity_dates("AAPL").unwrap(), []);

    let error = folder
        .read_flow(
            "AAPL",
            "2014-06-09".parse().unwrap(),
            &[],
            &SETTINGS,
            &calendar,
        )
        .unwrap_err();
    assert!(matches!(error, LeanError::MissingFile { .. }));
    assert_eq!(
        error.hint().unwrap(),
        "there is 20140606_trade_american.zip"
    );
    assert!(matches!(
        folder.splits("AAPL", &calendar),
        Err(LeanError::MissingFile { .. })
    ));
    assert!(matches!(
        folder.read_daily("AAPL"),
        Err(LeanError::MissingFile { .. })
    ));
    assert!(!folder.has_daily("AAPL") && !folder.has_factor_file("AAPL"));
}

#[test]
fn a_damaged_zip_is_an_error_with_its_path() {
    let root = trades(&[(CALL, "34200000,10000,10000,10000,10000,100\n")]);
    let path = root.path().join(format!("{OPTIONS}_trade_american.zip"));
    let folder = LeanFolder::open(root.path()).unwrap();
    let fail = || {
        folder
            .read_flow("AAPL", date(), &[], &SETTINGS, &Calendar::shipped())
            .unwrap_err()
    };

    // One bit inside the file's data: its checksum no longer holds.
    let mut bytes = fs::read(&path).unwrap();
    let data = 30 + format!("20140606_aapl_minute_trade_american_{CALL}.csv").len();
    bytes[data + 4] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(fail(), LeanError::CorruptEntry { path: at, .. } if at == path));

    fs::write(&path, &bytes[..40]).unwrap();
    assert!(matches!(fail(), LeanError::CorruptZip { path: at, .. } if at == path));
}

#[test]
fn stock_zips_hold_one_series() {
    let root = TempDir::new().unwrap();
    let row = "34200000,10000,10000,10000,10000,100\n";
    write_zip(
        root.path(),
        "equity/usa/minute/aapl/20140606_trade.zip",
        &[("other.csv", row)],
    );
    write_zip(
        root.path(),
        "equity/usa/daily/aapl.zip",
        &[("a.csv", ""), ("b.csv", "")],
    );
    let folder = LeanFolder::open(root.path()).unwrap();
    assert_eq!(folder.tickers().unwrap(), ["AAPL"]);
    assert_eq!(folder.equity_dates("AAPL").unwrap(), [date()]);
    let bars = folder
        .read_minute_bars("AAPL", date(), &Calendar::shipped())
        .unwrap();
    assert_eq!((bars.rows.len(), bars.rows[0].is_regular), (1, true));
    assert!(
        matches!(folder.read_daily("AAPL"), Err(LeanError::MissingEntry { entry, .. }) if entry == "aapl.csv")
    );
}
