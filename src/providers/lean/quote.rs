//! Quotes: from a contract's minutes of bids and asks to the quote known when a print happened.

use chrono::NaiveDate;

use super::rows::{Imported, Line, Ohlc, PRICE_SCALE, RowFault, columns, minute_start};
use crate::flow::Quote;
use crate::time::{SECOND_NS, Ts};

const COLUMNS: &str = "11: ms,bid open,high,low,close,size,ask open,high,low,close,size";

/// The closing quote of one minute, known from the minute's end on. A side is `None` when LEAN had
/// none, which is not the same as a bid of zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct QuoteMinute {
    pub end: Ts,
    pub bid: Option<f64>,
    pub ask: Option<f64>,
}

impl QuoteMinute {
    /// Both sides, or nothing to tell a buyer from a seller by.
    pub fn quote(&self) -> Option<Quote> {
        Some(Quote {
            bid: self.bid?,
            ask: self.ask?,
        })
    }
}

/// A contract's day of quotes, in order of time.
pub(super) fn read_quotes(label: &str, text: &str, date: NaiveDate) -> Imported<QuoteMinute> {
    let mut minutes = Imported::default();
    let mut previous = None;
    minutes.read_lines(label, text, |line| {
        let [
            ms,
            bid_o,
            bid_h,
            bid_l,
            bid_c,
            _,
            ask_o,
            ask_h,
            ask_l,
            ask_c,
            _,
        ] = columns(line, COLUMNS)?;
        let bid = side([bid_o, bid_h, bid_l, bid_c])?;
        let ask = side([ask_o, ask_h, ask_l, ask_c])?;
        let end = minute_start(date, ms, &mut previous)?.plus_minutes(1);
        Ok(Line::Row(QuoteMinute { end, bid, ask }))
    });
    minutes
}

/// The last quote that had ended by `ts` and is not older than `max_age_seconds`.
pub(super) fn quote_at(
    minutes: &[QuoteMinute],
    ts: Ts,
    max_age_seconds: u32,
) -> Option<&QuoteMinute> {
    // Law 1: only quotes whose minute had ended.
    let ended = minutes.partition_point(|minute| minute.end <= ts);
    let last = minutes[..ended].last()?;
    (ts.ns_since(last.end) <= i64::from(max_age_seconds) * SECOND_NS).then_some(last)
}

/// The closing price in dollars; `None` when the four fields are empty.
fn side(fields: [&str; 4]) -> Result<Option<f64>, RowFault> {
    if fields.iter().all(|field| field.is_empty()) {
        return Ok(None);
    }
    Ohlc::parse(fields).map(|bar| Some(bar.close / PRICE_SCALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Imported<QuoteMinute> {
        read_quotes("q.csv", text, "2014-06-06".parse().unwrap())
    }

    #[test]
    fn a_quote_is_known_at_its_minutes_end_and_grows_old() {
        let quotes = minutes("34200000,10000,10000,9000,9500,5,11000,11000,10000,10500,7\n").rows;
        let end = Ts::parse_rfc3339("2014-06-06T13:31:00Z").unwrap();
        assert_eq!(
            quotes,
            [QuoteMinute {
                end,
                bid: Some(0.95),
                ask: Some(1.05)
            }]
        );
        assert_eq!(quote_at(&quotes, end.plus_ns(-1), 60), None);
        assert_eq!(quote_at(&quotes, end, 60), Some(&quotes[0]));
        assert_eq!(
            quote_at(&quotes, end.plus_seconds(60), 60),
            Some(&quotes[0])
        );
        assert_eq!(quote_at(&quotes, end.plus_seconds(61), 60), None);
    }

    #[test]
    fn an_empty_side_is_unknown_and_a_zero_bid_is_a_bid() {
        let quotes =
            minutes("34200000,,,,,0,500,500,500,500,7\n34260000,0,0,0,0,0,500,500,500,500,7\n")
                .rows;
        assert_eq!((quotes[0].bid, quotes[0].quote()), (None, None));
        assert_eq!(
            quotes[1].quote(),
            Some(Quote {
                bid: 0.0,
                ask: 0.05
            })
        );
    }

    #[test]
    fn a_bad_quote_row_is_named() {
        let found = minutes("34200000,,1,1,1,0,500,500,500,500,7\n");
        assert_eq!(
            found.bad_rows[0].reason.to_string(),
            "column open: got \"\", expected a number, zero or more"
        );
    }
}
