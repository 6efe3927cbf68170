//! LEAN's own sample data, read as a user's folder would be: absent, the tests say so and pass.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use flowlab::flow::{Side, SideSource};
use flowlab::providers::lean::{FlowDay, FlowSettings, LeanFolder};
use flowlab::time::Calendar;

const SETTINGS: FlowSettings = FlowSettings {
    min_notional: 10_000.0,
    sweep_window_ms: 250,
    block_min_contracts: 500,
    max_quote_age_seconds: 60,
};

/// LEAN's data folder. `FLOWLAB_SHARED` names the folder that `data/lean` is in, else it lies beside
/// the package.
pub fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("FLOWLAB_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("data/lean/Data");
    if !path.is_dir() {
        eprintln!("skipped: no LEAN sample data in {}", path.display());
        return None;
    }
    Some(path)
}

fn folder() -> Option<LeanFolder> {
    Some(LeanFolder::open(data()?).unwrap())
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn flow(folder: &LeanFolder, date: &str, settings: &FlowSettings) -> FlowDay {
    let calendar = Calendar::shipped();
    let bars = folder
        .read_minute_bars("AAPL", day(date), &calendar)
        .unwrap();
    assert!(bars.bad_rows.is_empty(), "{:?}", bars.bad_rows);
    folder
        .read_flow("AAPL", day(date), &bars.rows, settings, &calendar)
        .unwrap()
}

#[test]
fn the_folder_says_what_is_there() {
    let Some(folder) = folder() else { return };
    assert_eq!(folder.tickers().unwrap(), ["AAPL", "QQQ", "SPY"]);
    assert_eq!(
        folder.option_dates("aapl").unwrap(),
        [day("2014-06-06"), day("2014-06-09")]
    );
    assert_eq!(folder.option_dates("SPY").unwrap(), []);
    assert_eq!(
        folder.equity_dates("AAPL").unwrap(),
        ["2014-06-05", "2014-06-06", "2014-06-09"].map(day)
    );
    let error = folder.option_dates("TSLA").unwrap_err();
    assert_eq!(error.hint().unwrap(), "there is AAPL, QQQ, SPY");
}

#[test]
fn every_option_minute_is_kept_or_counted() {
    let Some(folder) = folder() else { return };
    for (date, read) in [("2014-06-06", 22_067), ("2014-06-09", 21_617)] {
        let all = flow(
            &folder,
            date,
            &FlowSettings {
                min_notional: 0.0,
                ..SETTINGS
            },
        );
        assert_eq!((all.read, all.rows.len() as u64), (read, read), "{date}");
        assert_eq!(all.bad_rows, []);

        let day = flow(&folder, date, &SETTINGS);
        assert_eq!(
            day.dropped,
            BTreeMap::from([("below_floor", read - day.rows.len() as u64)])
        );
        // The floor takes rows out and changes nothing in the rest.
        let above: Vec<_> = all
            .rows
            .into_iter()
            .filter(|row| row.notional >= SETTINGS.min_notional)
            .collect();
        assert_eq!(day.rows, above);
    }
}

#[test]
fn the_flow_is_in_order_and_its_sides_come_from_the_tick_test() {
    let Some(folder) = folder() else { return };
    let day = flow(&folder, "2014-06-06", &SETTINGS);
    assert!(day.rows.is_sorted_by(|a, b| (a.ts, a.seq) < (b.ts, b.seq)));
    assert!(
        day.rows
            .iter()
            .all(|row| row.detail.side_source != SideSource::Quote && !row.is_aggressive)
    );
    assert!(
        day.rows.iter().any(|row| row.side == Side::Buy)
            && day.rows.iter().any(|row| row.side == Side::Sell)
    );
    assert!(day.rows.iter().all(|row| {
        row.underlying_price
            .is_some_and(|p| (630.0..660.0).contains(&p))
    }));
    assert!((!day.has_quotes) && day.has_open_interest);
}

#[test]
fn the_first_minute_of_a_contract_reads_as_the_file_has_it() {
    let Some(folder) = folder() else { return };
    let day = flow(
        &folder,
        "2014-06-06",
        &FlowSettings {
            min_notional: 0.0,
            ..SETTINGS
        },
    );
    let row = day
        .rows
        .iter()
        .find(|row| row.contract == "AAPL150117C01000000")
        .unwrap();
    assert_eq!(row.ts.to_string(), "2014-06-06T13:31:00Z");
    assert_eq!(row.available_at.to_string(), "2014-06-06T13:31:00.250Z");
    assert_eq!(
        (
            row.detail.price,
            row.detail.contracts,
            row.volume,
            row.notional
        ),
        (1.7, 28, 28, 4760.0)
    );
    assert_eq!((row.strike, row.expiry), (1000.0, self::day("2015-01-17")));
    assert_eq!(row.open_interest, Some(9325));
}

#[test]
fn a_contract_named_before_the_split_lends_no_open_interest_to_one_after_it() {
    let Some(folder) = folder() else { return };
    let day = flow(&folder, "2014-06-09", &SETTINGS);
    assert!(day.rows.iter().all(|row| row.open_interest.is_none()));
    assert!(day.rows.iter().all(|row| {
        row.underlying_price
            .is_some_and(|p| (85.0..100.0).contains(&p))
    }));
}

#[test]
fn open_interest_is_dated_by_the_close_it_belongs_to() {
    let Some(folder) = folder() else { return };
    let calendar = Calendar::shipped();
    for (date, closed, count) in [
        ("2014-06-06", "2014-06-05", 2322),
        ("2014-06-09", "2014-06-06", 2337),
    ] {
        let found = folder
            .read_open_interest("AAPL", day(date), &calendar)
            .unwrap()
            .unwrap();
        assert_eq!((found.rows.len(), found.bad_rows.len()), (count, 0));
        assert!(found.rows.iter().all(|row| row.date == day(closed)));
    }
    assert_eq!(
        folder
            .read_open_interest("AAPL", day("2014-06-05"), &calendar)
            .unwrap(),
        None
    );
}

#[test]
fn the_split_of_2014_is_seven_for_one() {
    let Some(folder) = folder() else { return };
    let splits = folder.splits("AAPL", &Calendar::shipped()).unwrap();
    let seen: Vec<(String, f64)> = splits
        .rows
        .iter()
        .map(|s| (s.ex_date.to_string(), s.ratio))
        .collect();
    let of = |date: &str, ratio| (date.to_owned(), ratio);
    assert_eq!(
        seen,
        [
            of("2000-06-21", 2.0),
            of("2005-02-26", 2.0),
            of("2014-06-09", 7.0),
            of("2020-08-31", 4.0)
        ]
    );
    assert!(
        folder
            .splits("SPY", &Calendar::shipped())
            .unwrap()
            .rows
            .is_empty()
    );
}

#[test]
fn bars_are_raw_on_both_sides_of_the_split() {
    let Some(folder) = folder() else { return };
    for ticker in ["AAPL", "SPY", "QQQ"] {
        let daily = folder.read_daily(ticker).unwrap();
        assert!(daily.bad_rows.is_empty(), "{ticker}: {:?}", daily.bad_rows);
    }
    let daily = folder.read_daily("AAPL").unwrap();
    let close = |date: &str| {
        daily
            .rows
            .iter()
            .find(|bar| bar.date == day(date))
            .unwrap()
            .close
    };
    assert_eq!((close("2014-06-06"), close("2014-06-09")), (645.57, 93.7));

    let bars = folder
        .read_minute_bars("AAPL", day("2014-06-06"), &Calendar::shipped())
        .unwrap();
    assert_eq!(bars.rows.iter().filter(|bar| bar.is_regular).count(), 390);
}

#[test]
fn a_day_the_calendar_does_not_know_is_refused() {
    let Some(folder) = folder() else { return };
    let error = folder
        .read_minute_bars("SPY", day("2013-10-04"), &Calendar::shipped())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("2013-10-04 lies outside the calendar"),
        "{error}"
    );
}
