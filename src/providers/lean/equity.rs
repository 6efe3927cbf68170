//! Stocks: from the minute file of a day and the daily file of all years to raw bars.

use chrono::NaiveDate;

use super::archive::Archive;
use super::folder::LeanError;
use super::rows::{Imported, Line, Ohlc, RowFault, columns, fault, minute_start, number};
use super::{DailyBar, MinuteBar};
use crate::time::Calendar;

pub(super) fn read_minute_bars(
    archive: Archive,
    ticker: &str,
    date: NaiveDate,
    calendar: &Calendar,
) -> Result<Imported<MinuteBar>, LeanError> {
    calendar.check_range(date)?;
    let name = format!(
        "{}_{}_minute_trade.csv",
        date.format("%Y%m%d"),
        ticker.to_ascii_lowercase()
    );
    let (text, label) = archive.single(&name)?;
    Ok(minute_bars(&label, &text, date, calendar))
}

pub(super) fn read_daily(archive: Archive, ticker: &str) -> Result<Imported<DailyBar>, LeanError> {
    let (text, label) = archive.single(&format!("{}.csv", ticker.to_ascii_lowercase()))?;
    let mut bars = Imported::default();
    let mut previous = None;
    bars.read_lines(&label, &text, |line| {
        daily_bar(line, &mut previous).map(Line::Row)
    });
    Ok(bars)
}

/// A bar is regular when it starts inside the calendar's session.
fn minute_bars(
    label: &str,
    text: &str,
    date: NaiveDate,
    calendar: &Calendar,
) -> Imported<MinuteBar> {
    let session = calendar.session_on(date);
    let mut bars = Imported::default();
    let mut previous = None;
    bars.read_lines(label, text, |line| {
        let [ms, open, high, low, close, volume] =
            columns(line, "6: ms,open,high,low,close,volume")?;
        let bar = Ohlc::parse_positive([open, high, low, close])?.dollars();
        let volume = number("volume", volume)?;
        // Last, because it remembers: a bad row must not stand in the way of the next.
        let ts = minute_start(date, ms, &mut previous)?;
        let Ohlc {
            open,
            high,
            low,
            close,
        } = bar;
        let is_regular = session.is_some_and(|session| session.contains(ts));
        Ok(Line::Row(MinuteBar {
            ts,
            open,
            high,
            low,
            close,
            volume,
            vwap: None,
            trades: None,
            is_regular,
        }))
    });
    bars
}

fn daily_bar(line: &str, previous: &mut Option<NaiveDate>) -> Result<DailyBar, RowFault> {
    let [time, open, high, low, close, volume] =
        columns(line, "6: time,open,high,low,close,volume")?;
    // `20140606 00:00`; the hour says nothing, a daily bar is its session.
    let day = time.split(' ').next().unwrap_or(time);
    let date = NaiveDate::parse_from_str(day, "%Y%m%d")
        .map_err(|_| fault("time", time, "YYYYMMDD HH:MM"))?;
    let Ohlc {
        open,
        high,
        low,
        close,
    } = Ohlc::parse_positive([open, high, low, close])?.dollars();
    let volume = number("volume", volume)?;
    if previous.is_some_and(|earlier| earlier >= date) {
        return Err(fault("time", time, "a later date than the line before"));
    }
    *previous = Some(date);
    Ok(DailyBar {
        date,
        open,
        high,
        low,
        close,
        volume,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_regular_when_it_starts_inside_the_session() {
        let text = "34140000,10000,10000,10000,10000,1\n34200000,15000,16000,14000,15500,200\n\
                    57540000,10000,10000,10000,10000,1\n57600000,10000,10000,10000,10000,1\n";
        let date = "2014-06-06".parse().unwrap();
        let bars = minute_bars("x", text, date, &Calendar::shipped());
        let regular: Vec<bool> = bars.rows.iter().map(|b| b.is_regular).collect();
        assert_eq!(regular, [false, true, true, false]);
        let bar = bars.rows[1];
        assert_eq!(bar.ts.to_string(), "2014-06-06T13:30:00Z");
        assert_eq!(
            [bar.open, bar.high, bar.low, bar.close, bar.volume],
            [1.5, 1.6, 1.4, 1.55, 200.0]
        );
    }

    #[test]
    fn bars_off_the_minute_or_out_of_order_are_bad_rows_and_the_rest_goes_on() {
        let text = "34200000,1,1,1,1,1\n34230000,1,1,1,1,1\n34200000,1,1,1,1,1\n34260000,1,1,1,1\n34260000,1,1,1,1,5\n";
        let bars = minute_bars(
            "x",
            text,
            "2014-06-06".parse().unwrap(),
            &Calendar::shipped(),
        );
        assert_eq!(
            (bars.read, bars.rows.len(), bars.dropped["bad_row"]),
            (5, 2, 3)
        );
        assert_eq!(
            bars.bad_rows.iter().map(|b| b.line).collect::<Vec<_>>(),
            [2, 3, 4]
        );
    }

    #[test]
    fn a_daily_bar_is_its_date() {
        let mut previous = None;
        let bar = daily_bar(
            "20140606 00:00,6499000,6514400,6444700,6455700,9876000",
            &mut previous,
        )
        .unwrap();
        assert_eq!(
            (bar.date.to_string().as_str(), bar.close),
            ("2014-06-06", 645.57)
        );
        for line in [
            "20140606 00:00,1,1,1,1,1",
            "20141306 00:00,1,1,1,1,1",
            "20140609 00:00,0,0,0,0,1",
        ] {
            assert!(daily_bar(line, &mut previous).is_err(), "{line}");
        }
    }
}
