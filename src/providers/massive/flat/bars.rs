//! Bars: from `us_stocks_sip/minute_aggs_v1` and `day_aggs_v1`, a file per day, to the bars of one
//! ticker at a time. They are as traded: the vendor adjusts nothing in these files.

use std::io::Read;

use chrono::NaiveDate;

use super::day::Day;
use super::error::{FlatFileError, RowFault};
use super::groups::{Groups, RowCounts, Table, fault};
use crate::providers::numbers::{decimal, integral};

use crate::time::{MINUTE_NS, Ts};

/// How long the bars of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarSpan {
    Minute,
    Day,
}

/// Prices in dollars. `ts` is the bar's start: of a day, midnight in New York.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub ts: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Shares; not always whole.
    pub volume: f64,
    pub transactions: Option<u64>,
}

/// A ticker's bars of the day, in order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TickerBars<'a> {
    pub ticker: &'a str,
    pub bars: &'a [Bar],
}

/// A day of bars. Nothing of it may be used before [`Bars::next_ticker`] has said that the file
/// ended well.
pub struct Bars<W: FnMut(&str) -> bool>(Groups<8, BarTable<W>>);

impl<W: FnMut(&str) -> bool> Bars<W> {
    /// Starts to read the bars of `date`. `file` is the name used in messages.
    pub fn open(
        input: impl Read + Send + 'static,
        file: &str,
        date: NaiveDate,
        span: BarSpan,
        wants: W,
    ) -> Result<Bars<W>, FlatFileError> {
        let day = Day::of(date);
        Groups::open(input, file, BarTable { day, span, wants }).map(Bars)
    }

    /// The next wanted ticker; `None` when the file is read and its checksum was right.
    pub fn next_ticker(&mut self) -> Result<Option<TickerBars<'_>>, FlatFileError> {
        let group = self.0.next()?;
        Ok(group.map(|(ticker, bars)| TickerBars { ticker, bars }))
    }

    /// The account of the rows read so far; of the whole file once it is read.
    pub fn counts(&self) -> &RowCounts {
        self.0.counts()
    }
}

struct BarTable<W> {
    day: Day,
    span: BarSpan,
    wants: W,
}

impl<W: FnMut(&str) -> bool> Table<8> for BarTable<W> {
    const COLUMNS: [&'static str; 8] = [
        "ticker",
        "volume",
        "open",
        "close",
        "high",
        "low",
        "window_start",
        "transactions",
    ];
    type Row = Bar;
    type Head = String;

    fn head(&mut self, ticker: &[u8]) -> Result<Option<String>, RowFault> {
        let ticker = std::str::from_utf8(ticker)
            .ok()
            .filter(|ticker| !ticker.is_empty());
        let ticker = ticker.ok_or_else(|| fault("ticker", b"", "a ticker"))?;
        Ok((self.wants)(ticker).then(|| ticker.to_owned()))
    }

    fn row(&self, fields: &[&[u8]; 8]) -> Result<Bar, RowFault> {
        let [
            _,
            volume,
            open,
            close,
            high,
            low,
            window_start,
            transactions,
        ] = *fields;
        let ts = self.day.ts("window_start", window_start)?;
        let is_start = match self.span {
            BarSpan::Minute => ts.ns() % MINUTE_NS == 0,
            BarSpan::Day => ts == self.day.start(),
        };
        if !is_start {
            return Err(fault("window_start", window_start, "the start of a bar"));
        }
        let price = |column, text| {
            let price = decimal(text).filter(|price| *price > 0.0);
            price.ok_or_else(|| fault(column, text, "dollars above zero"))
        };
        let bar = Bar {
            ts,
            open: price("open", open)?,
            high: price("high", high)?,
            low: price("low", low)?,
            close: price("close", close)?,
            volume: decimal(volume)
                .filter(|volume| *volume >= 0.0)
                .ok_or_else(|| fault("volume", volume, "shares, zero or more"))?,
            transactions: match transactions {
                [] => None,
                text => Some(
                    integral(text).ok_or_else(|| fault("transactions", text, "a whole number"))?,
                ),
            },
        };
        if bar.high < bar.open.max(bar.close) {
            return Err(fault("high", high, "no less than open and close"));
        }
        if bar.low > bar.open.min(bar.close) {
            return Err(fault("low", low, "no more than open and close"));
        }
        Ok(bar)
    }

    fn ts(bar: &Bar) -> Ts {
        bar.ts
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const HEADER: &str = "ticker,volume,open,close,high,low,window_start,transactions\n";

    fn read(span: BarSpan, rows: &str) -> (Vec<(String, Vec<Bar>)>, RowCounts) {
        let text = format!("{HEADER}{rows}");
        let date = NaiveDate::from_ymd_opt(2026, 10, 14).unwrap();
        let mut file = Bars::open(Cursor::new(text), "d.csv", date, span, |t| t != "X").unwrap();
        let mut tickers = Vec::new();
        while let Some(group) = file.next_ticker().unwrap() {
            tickers.push((group.ticker.to_owned(), group.bars.to_vec()));
        }
        (tickers, file.counts().clone())
    }

    #[test]
    fn the_close_stands_before_high_and_low() {
        let (tickers, _) = read(
            BarSpan::Minute,
            "TSLA,184230.5,411.5,412.31,412.6,411.22,1791984600000000000,2310\n",
        );
        let bar = Bar {
            ts: Ts::from_ns(1_791_984_600_000_000_000),
            open: 411.5,
            high: 412.6,
            low: 411.22,
            close: 412.31,
            volume: 184_230.5,
            transactions: Some(2310),
        };
        assert_eq!(tickers, [("TSLA".to_owned(), vec![bar])]);
    }

    #[test]
    fn a_day_bar_starts_at_midnight_in_new_york() {
        let row = |ns: i64| format!("KIMpL,1,2.0,2.0,2.0,2.0,{ns},\n");
        let midnight = 1_791_950_400_000_000_000;
        let (tickers, _) = read(BarSpan::Day, &row(midnight));
        assert_eq!(tickers[0].1[0].ts, Ts::from_ns(midnight));
        assert_eq!(tickers[0].1[0].transactions, None);
        let (tickers, counts) = read(BarSpan::Day, &row(midnight + MINUTE_NS));
        assert!(tickers.is_empty());
        assert_eq!(counts.bad["window_start"], 1);
    }

    #[test]
    fn bars_that_cannot_be_are_bad_rows_and_unwanted_ones_are_skipped() {
        let ns = 1_791_984_600_000_000_000_i64;
        let (tickers, counts) = read(
            BarSpan::Minute,
            &format!(
                "A,1,2,2,1.9,1.8,{ns},1\nA,1,2,2,2,2.1,{ns},1\nA,-1,2,2,2,2,{ns},1\n\
                 A,1,2,2,2,2,{},1\nA,1,0,2,2,2,{ns},1\nB,0,2,2,2,2,{ns},\nX,x,x,x,x,x,x,x\n",
                ns + 1
            ),
        );
        assert_eq!(tickers.len(), 1);
        let bad: Vec<(&str, u64)> = counts.bad.into_iter().collect();
        let each = ["high", "low", "open", "volume", "window_start"].map(|name| (name, 1));
        assert_eq!(bad, each);
        assert_eq!((counts.rows, counts.kept, counts.skipped), (7, 1, 1));
    }
}
