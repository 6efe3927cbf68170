//! Bars of stocks: raw, as they were traded, never rescaled by splits that came later.

use chrono::{Datelike, Months, NaiveDate};
use serde::Deserialize;

use super::wire::{Cell, Fault};
use super::{Fetched, Massive, MassiveError};
use crate::store::MinuteBar;
use crate::time::{Session, Ts, exchange_midnight};

/// A bar that begins at `ts`. Prices in dollars, `volume` in shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedBar {
    pub ts: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
    pub vwap: Option<f64>,
    pub trades: Option<i64>,
}

impl TimedBar {
    /// The bar as it is stored; `session` is that of its day.
    pub fn minute_bar(&self, session: Option<&Session>) -> MinuteBar {
        MinuteBar {
            ts: self.ts,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: self.volume,
            vwap: self.vwap,
            trades: self.trades,
            is_regular: session.is_some_and(|session| session.contains(self.ts)),
        }
    }
}

/// The bar of a day, by its date in New York.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayBar {
    pub date: NaiveDate,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
}

/// What ranking by volume needs of a stock's day.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupedBar {
    pub ticker: String,
    pub close: f64,
    pub volume: f64,
    pub vwap: Option<f64>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireBar {
    #[serde(rename = "T")]
    ticker: Cell,
    t: Cell,
    o: Cell,
    h: Cell,
    l: Cell,
    c: Cell,
    v: Cell,
    vw: Cell,
    n: Cell,
}

impl WireBar {
    fn timed(&self) -> Result<TimedBar, Fault> {
        Ok(TimedBar {
            ts: self.t.ts_ms("t")?,
            open: self.o.price("o")?,
            high: self.h.price("h")?,
            low: self.l.price("l")?,
            close: self.c.price("c")?,
            volume: self.volume()?,
            vwap: self.vwap()?,
            trades: match self.n.whole() {
                None if !self.n.is_missing() => return Err(self.n.fault("n", "a whole number")),
                trades => trades,
            },
        })
    }

    fn grouped(&self) -> Result<GroupedBar, Fault> {
        Ok(GroupedBar {
            ticker: self.ticker.word("T")?.to_owned(),
            close: self.c.price("c")?,
            volume: self.volume()?,
            vwap: self.vwap()?,
        })
    }

    /// There is no bar without trades, so one of zero shares is none.
    fn volume(&self) -> Result<f64, Fault> {
        self.v
            .number()
            .filter(|volume| *volume > 0.0 && volume.is_finite())
            .ok_or_else(|| self.v.fault("v", "a number of shares above zero"))
    }

    /// Zero is what a bar without trades has instead of none.
    fn vwap(&self) -> Result<Option<f64>, Fault> {
        match self.vw.number() {
            None if self.vw.is_missing() => Ok(None),
            Some(0.0) => Ok(None),
            _ => self.vw.price("vw").map(Some),
        }
    }
}

impl Massive {
    /// The minute bars from the beginning of `from` to the end of `to`, extended hours included.
    pub fn minute_bars(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched<TimedBar>, MassiveError> {
        let mut fetched = Fetched::default();
        // Longer spans may come with holes: the limit counts minutes read, not bars returned.
        for (from, to) in months(from, to) {
            fetched.append(self.bars(ticker, "minute", from, to)?);
        }
        Ok(fetched.count_out_of_order(|bar| bar.ts))
    }

    pub fn daily_bars(
        &self,
        ticker: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched<DayBar>, MassiveError> {
        let bars = self
            .bars(ticker, "day", from, to)?
            .count_out_of_order(|bar| bar.ts);
        Ok(bars.map(|bar| DayBar {
            date: bar.ts.exchange_date(),
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
        }))
    }

    /// Every stock's bar of `date`; nothing on a day without a session.
    pub fn grouped_day(&self, date: NaiveDate) -> Result<Fetched<GroupedBar>, MassiveError> {
        let date = date.to_string();
        let url = self.client.base().endpoint(
            &[
                "v2", "aggs", "grouped", "locale", "us", "market", "stocks", &date,
            ],
            &[("adjusted", "false")],
        );
        self.client.all(url, WireBar::grouped)
    }

    fn bars(
        &self,
        ticker: &str,
        timespan: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched<TimedBar>, MassiveError> {
        // Bounds as instants: which midnight a bare date would mean is not documented.
        let first = exchange_midnight(from);
        let end = exchange_midnight(to + chrono::Days::new(1));
        let ms = |ts: Ts| (ts.ns() / 1_000_000).to_string();
        let url = self.client.base().endpoint(
            &[
                "v2",
                "aggs",
                "ticker",
                ticker,
                "range",
                "1",
                timespan,
                &ms(first),
                &ms(end.plus_ns(-1)),
            ],
            &[("adjusted", "false"), ("sort", "asc"), ("limit", "50000")],
        );
        self.client.all(url, |row: &WireBar| {
            let bar = row.timed()?;
            if (first..end).contains(&bar.ts) {
                Ok(bar)
            } else {
                Err(row.t.fault("t", "a time within the days asked for"))
            }
        })
    }
}

/// `from` to `to` in pieces of at most one calendar month.
fn months(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = (NaiveDate, NaiveDate)> {
    let next_month = |date: NaiveDate| {
        date.with_day(1)
            .and_then(|first| first.checked_add_months(Months::new(1)))
            .expect("the calendar of trading ends long before that of chrono")
    };
    std::iter::successors(Some(from), move |start| Some(next_month(*start)))
        .take_while(move |start| *start <= to)
        .map(move |start| {
            let last = next_month(start) - chrono::Days::new(1);
            (start, last.min(to))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_falls_into_calendar_months() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let pieces = |from, to| {
            months(day(from), day(to))
                .map(|(from, to)| format!("{from}..{to}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            pieces("2024-12-30", "2025-02-28"),
            [
                "2024-12-30..2024-12-31",
                "2025-01-01..2025-01-31",
                "2025-02-01..2025-02-28"
            ]
        );
        assert_eq!(
            pieces("2025-03-14", "2025-03-14"),
            ["2025-03-14..2025-03-14"]
        );
        assert!(pieces("2025-03-15", "2025-03-14").is_empty());
    }
}
