//! A world small enough to know by heart: two stocks, three sessions around a split.
//!
//! ```text
//!               Mon 6 Oct 2025      Tue 7 Oct            Wed 8 Oct (now: 20:00)
//!  ABC  bars    100, 101, 102       103, 104, 105        split 2 for 1: 53, 54, 55
//!       C100    3 prints, 4 quotes  3 prints, 4 quotes   gone: renamed by the split
//!       P100                        listed: 1 print      gone
//!  XYZ  bars    20, 21, 22          23, 24, 25           26, 27, 28
//!       C20     3 prints, 4 quotes  3 prints, 4 quotes   3 prints, 4 quotes
//! ```

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::new_york;
use super::world::{Bar, CallPut, Contract, Hours, Print, Quote, Split, Stock, World};

const MINUTE_NS: i64 = 60_000_000_000;
const MS_NS: i64 = 1_000_000;

impl World {
    pub fn tiny() -> World {
        let days = [6, 7, 8].map(|day| NaiveDate::from_ymd_opt(2025, 10, day).expect("a date"));
        let [monday, tuesday, wednesday] = days;
        let friday = NaiveDate::from_ymd_opt(2025, 10, 10).expect("a date");
        let mut abc = stock(&days, &[100.0, 103.0, 53.0]);
        abc.splits.push(Split {
            date: wednesday,
            from: 1.0,
            to: 2.0,
        });
        let mut call = contract("ABC", CallPut::Call, 100.0, (monday, tuesday), friday);
        call.trade(&[monday, tuesday]);
        let mut put = contract("ABC", CallPut::Put, 100.0, (tuesday, tuesday), friday);
        put.prints
            .insert(tuesday, vec![print(tuesday, 3, 1.25, 2_000, 209)]);
        abc.contracts.insert("O:ABC251010C00100000".into(), call);
        abc.contracts.insert("O:ABC251010P00100000".into(), put);
        let mut xyz = stock(&days, &[20.0, 23.0, 26.0]);
        let mut call = contract("XYZ", CallPut::Call, 20.0, (monday, friday), friday);
        call.trade(&days);
        xyz.contracts.insert("O:XYZ251010C00020000".into(), call);
        let hours = |date: NaiveDate| Hours {
            open: new_york::at(date, 9, 30),
            close: new_york::at(date, 16, 0),
        };
        World {
            now: new_york::at(wednesday, 20, 0),
            sessions: days.map(|date| (date, hours(date))).into(),
            stocks: BTreeMap::from([("ABC".into(), abc), ("XYZ".into(), xyz)]),
        }
    }
}

/// Three minutes from 09:30 on each of `days`, a dollar apart, from the price given for the day.
fn stock(days: &[NaiveDate], opens: &[f64]) -> Stock {
    let mut stock = Stock::default();
    for (date, open) in days.iter().zip(opens) {
        let minute = |step: i64| Bar {
            ts: new_york::at(*date, 9, 30) + step * MINUTE_NS,
            open: open + step as f64,
            high: open + step as f64 + 0.5,
            low: open + step as f64 - 0.25,
            close: open + step as f64 + 0.25,
            volume: 1_000.0 + step as f64,
            vwap: open + step as f64 + 0.125,
            trades: 10 + step,
        };
        let bars = [0, 1, 2].map(minute);
        let daily = Bar {
            ts: new_york::midnight(*date),
            high: bars[2].high,
            close: bars[2].close,
            volume: 3_003.0,
            vwap: bars[1].vwap,
            trades: 33,
            ..bars[0]
        };
        stock.minute_bars.insert(*date, bars.to_vec());
        stock.daily_bars.insert(*date, daily);
    }
    stock
}

fn contract(
    root: &str,
    call_put: CallPut,
    strike: f64,
    (listed, delisted): (NaiveDate, NaiveDate),
    expiration: NaiveDate,
) -> Contract {
    Contract {
        root: root.into(),
        call_put,
        strike,
        expiration,
        shares: 100,
        listed,
        delisted,
        prints: BTreeMap::new(),
        quotes: BTreeMap::new(),
        open_interest: BTreeMap::new(),
    }
}

impl Contract {
    /// On each of `days`: a sweep of two prints in one millisecond at the ask, a sale at the bid ten
    /// seconds later, quotes before, between and after.
    fn trade(&mut self, days: &[NaiveDate]) {
        for (count, date) in days.iter().enumerate() {
            let prints = [
                print(*date, 1_000, 6.35, 40, 219),
                print(*date, 1_000, 6.35, 40, 219),
                print(*date, 11_000, 6.25, 5, 209),
            ];
            let quote = |ms: i64, bid, ask| Quote {
                ts: new_york::at(*date, 9, 30) + ms * MS_NS + 482_113,
                bid,
                ask,
                bid_size: 12,
                ask_size: 31,
                bid_exchange: 302,
                ask_exchange: 323,
            };
            let quotes = [
                quote(0, 6.3, 6.35),
                quote(5_000, 6.25, 6.35),
                quote(11_500, 6.2, 6.3),
                quote(20_000, 6.2, 0.0),
            ];
            self.prints.insert(*date, prints.to_vec());
            self.quotes.insert(*date, quotes.to_vec());
            self.open_interest.insert(*date, 500 + 100 * count as i64);
        }
    }
}

fn print(date: NaiveDate, ms: i64, price: f64, size: i64, condition: u16) -> Print {
    Print {
        ts: new_york::at(date, 9, 30) + ms * MS_NS,
        price,
        size,
        exchange: 312,
        conditions: vec![condition],
        correction: 0,
    }
}
