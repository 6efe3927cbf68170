//! Bars: prices that trading can have left behind, in order, at the starts of minutes or on days.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampNanosecondType};

use super::super::parquet::date_from_days;
use super::few::look_at_tickers;
use super::findings::Findings;
use super::{Rows, Sessions};
use crate::time::{Calendar, MINUTE_NS, Ts};

/// What both kinds of bars have.
struct Prices<'a> {
    open: &'a [f64],
    high: &'a [f64],
    low: &'a [f64],
    close: &'a [f64],
    volume: &'a [f64],
}

impl<'a> Prices<'a> {
    fn of(batch: &'a RecordBatch) -> Prices<'a> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).expect("the schema was checked");
            &column.as_primitive::<Float64Type>().values()[..]
        };
        Prices {
            open: column("open"),
            high: column("high"),
            low: column("low"),
            close: column("close"),
            volume: column("volume"),
        }
    }

    fn look_at(&self, i: usize, row: u64, findings: &mut Findings) {
        let (open, high, low, close) = (self.open[i], self.high[i], self.low[i], self.close[i]);
        let said = || format!("open {open}, high {high}, low {low}, close {close}");
        if ![open, high, low, close]
            .iter()
            .all(|price| is_price(*price))
        {
            findings.row("a price is none", row, || {
                (said(), "finite prices above 0".to_owned())
            });
        } else if high < open.max(close).max(low) || low > open.min(close) {
            findings.row("high or low is not the extreme", row, || {
                (
                    said(),
                    "low, open and close up to high; open and close from low on".to_owned(),
                )
            });
        }
        let volume = self.volume[i];
        if !(volume.is_finite() && volume >= 0.0) {
            findings.row("volume is none", row, || {
                (volume.to_string(), "at least 0".to_owned())
            });
        }
    }
}

pub(super) fn is_price(price: f64) -> bool {
    price.is_finite() && price > 0.0
}

pub(super) struct MinuteRows<'a> {
    ticker: &'a str,
    calendar: &'a Calendar,
    last: Option<i64>,
}

impl<'a> MinuteRows<'a> {
    pub fn new(ticker: &'a str, calendar: &'a Calendar) -> MinuteRows<'a> {
        MinuteRows {
            ticker,
            calendar,
            last: None,
        }
    }

    fn look_at_time(&mut self, ts: i64, row: u64, findings: &mut Findings) {
        let before = self.last.replace(ts).filter(|before| *before >= ts);
        if let Some(before) = before {
            findings.row("not later than the row before it", row, || {
                let before = Ts::from_ns(before);
                (Ts::from_ns(ts).to_string(), format!("after {before}"))
            });
        }
        if ts % MINUTE_NS != 0 {
            findings.row("ts is not the start of a minute", row, || {
                (Ts::from_ns(ts).to_string(), "a whole minute".to_owned())
            });
        }
    }
}

impl Rows for MinuteRows<'_> {
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    ) {
        look_at_tickers(batch, self.ticker, first, findings);
        let column = |name: &str| batch.column_by_name(name).expect("the schema was checked");
        let times = column("ts")
            .as_primitive::<TimestampNanosecondType>()
            .values();
        let vwap = column("vwap").as_primitive::<Float64Type>();
        let trades = column("trades").as_primitive::<Int64Type>();
        let is_regular = column("is_regular").as_boolean();
        let prices = Prices::of(batch);
        for (i, ts) in times.iter().enumerate() {
            let row = first + i as u64;
            self.look_at_time(*ts, row, findings);
            prices.look_at(i, row, findings);
            if vwap.is_valid(i) && !is_price(vwap.value(i)) {
                findings.row("vwap is no price", row, || {
                    (
                        vwap.value(i).to_string(),
                        "finite and above 0, or null".to_owned(),
                    )
                });
            }
            if trades.is_valid(i) && trades.value(i) < 0 {
                findings.row("trades is negative", row, || {
                    (
                        trades.value(i).to_string(),
                        "at least 0, or null".to_owned(),
                    )
                });
            }
            let Some(place) = sessions.place_ts(*ts, row, findings) else {
                continue;
            };
            let session = self.calendar.session_on(sessions.dates[place]);
            let regular = session.is_some_and(|s| s.contains(Ts::from_ns(*ts)));
            sessions.days[place].regular += u64::from(regular);
            if is_regular.value(i) != regular {
                findings.doubt("is_regular is not what the calendar says", row, || {
                    let at = Ts::from_ns(*ts);
                    (
                        format!("{} at {at}", is_regular.value(i)),
                        regular.to_string(),
                    )
                });
            }
        }
    }
}

pub(super) struct DailyRows<'a> {
    ticker: &'a str,
    last: Option<i32>,
}

impl<'a> DailyRows<'a> {
    pub fn new(ticker: &'a str) -> DailyRows<'a> {
        DailyRows { ticker, last: None }
    }
}

impl Rows for DailyRows<'_> {
    fn look_at(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        sessions: &mut Sessions,
        findings: &mut Findings,
    ) {
        look_at_tickers(batch, self.ticker, first, findings);
        let column = batch
            .column_by_name("date")
            .expect("the schema was checked");
        let prices = Prices::of(batch);
        for (i, day) in column
            .as_primitive::<Date32Type>()
            .values()
            .iter()
            .enumerate()
        {
            let row = first + i as u64;
            super::few::look_at_order(&mut self.last, *day, row, findings);
            sessions.place_date(date_from_days(*day), row, findings);
            prices.look_at(i, row, findings);
        }
    }
}
