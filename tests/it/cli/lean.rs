//! LEAN's real sample data through the command line, when it is there.

use serde_json::Value;

use crate::desk::Desk;
use crate::lean::data;

/// Sum of the numbers in `below_floor 17013, no_side 2`.
fn dropped(text: &Value) -> u64 {
    let text = text.as_str().unwrap_or("");
    let counts = text.split(", ").filter_map(|part| part.rsplit_once(' '));
    counts.map(|(_, n)| n.parse::<u64>().unwrap()).sum()
}

#[test]
fn two_real_days_are_read_in_full_and_traded() {
    let Some(folder) = data() else { return };
    let desk = Desk::empty();
    let import = format!(
        "import lean {} --tickers AAPL --format json",
        folder.display()
    );
    let import = desk.run(&import);
    assert_eq!((import.code, import.stderr.as_str()), (Some(0), ""));
    let table: Value = serde_json::from_str(&import.stdout).unwrap();
    let rows = table[0]["rows"].as_array().unwrap();
    for row in rows {
        let kept = row["kept"].as_u64().unwrap();
        assert_eq!(
            Some(kept + dropped(&row["dropped"])),
            row["read"].as_u64(),
            "{row}"
        );
    }
    for (date, read) in [("2014-06-06", 22_067), ("2014-06-09", 21_617)] {
        let flow = rows
            .iter()
            .find(|row| row["table"] == "flow" && row["date"] == date);
        assert_eq!(flow.unwrap()["read"].as_u64(), Some(read), "{date}");
    }

    let run = desk.run(
        "backtest --tickers AAPL --start 2014-06-06 --end 2014-06-09 --format json \
         --set general.missing_context=pass --set scalp.min_strength=4 --set swing.min_strength=4 \
         --set day_trade.min_strength=4",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    check_distances(&desk);
}

/// On both sides of the seven-for-one split a strike is compared with the price of its own day.
fn check_distances(desk: &Desk) {
    let signals = desk.only_run().join("signals.csv");
    let mut signals = csv::Reader::from_path(signals).unwrap();
    let header = signals.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (ts, strike, spot, otm) = (
        place("ts"),
        place("strike"),
        place("spot"),
        place("otm_pct"),
    );
    let mut days = std::collections::BTreeMap::new();
    for row in signals.records() {
        let row = row.unwrap();
        let number = |at: usize| row[at].parse::<f64>().unwrap();
        let distance = 100.0 * (number(strike) - number(spot)).abs() / number(spot);
        assert!((distance - number(otm)).abs() < 1e-9, "{row:?}");
        assert!(distance <= 15.0, "{row:?}");
        let prices = if row[ts].starts_with("2014-06-06") {
            630.0..660.0
        } else {
            85.0..100.0
        };
        assert!(prices.contains(&number(spot)), "{row:?}");
        *days.entry(row[ts][..10].to_owned()).or_insert(0) += 1;
    }
    assert_eq!(
        days.keys().collect::<Vec<_>>(),
        ["2014-06-06", "2014-06-09"]
    );
}
