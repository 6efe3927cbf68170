//! `flowlab data export`: every row and every digit, as CSV.

use expect_test::expect;
use flowlab::store::Store;
use serde_json::Value;

use super::says;
use crate::desk::Desk;

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
