//! Option minutes: from a day's files of one ticker to the prints of each contract.
//!
//! A minute with volume is taken as one print at the minute's end and its closing price: the time
//! at which a listener would have seen all of it.
//!
//! ```text
//!   09:30 ─────────── 09:31 ─────────── 09:32
//!     │ 12 contracts    │ 40 contracts    │
//!                       ╰ print of 12     ╰ print of 40, volume 52
//!   the quote of 09:30 ends with the first print (weak) and before the second (firm)
//! ```

use chrono::NaiveDate;

use super::archive::Archive;
use super::entry::{Entries, Kind, Named};
use super::folder::LeanError;
use super::quote::{QuoteMinute, quote_at, read_quotes};
use super::rows::{
    Imported, Line, Ohlc, PRICE_SCALE, RowFault, columns, fault, minute_start, whole,
};
use super::tape::Tape;
use super::{FlowDay, FlowSettings, MinuteBar, OpenInterest};
use crate::flow::{Aggressor, Contract, TickTest, aggressor};
use crate::time::{Calendar, Ts};

/// What is there of one ticker and day.
pub(super) struct Files {
    pub trades: Archive,
    pub quotes: Option<Archive>,
    pub open_interest: Option<Imported<OpenInterest>>,
}

/// One contract's prints of the day, in order of time.
pub(super) struct ContractDay {
    pub symbol: String,
    pub contract: Contract,
    pub prints: Vec<Print>,
}

/// A traded minute of one contract, seen as a print.
pub(super) struct Print {
    pub start: Ts,
    /// Ten-thousandths of a dollar.
    pub price_scaled: f64,
    pub contracts: i64,
    /// The contract's volume of the day, this print included.
    pub volume: i64,
    pub aggressor: Aggressor,
    pub quote: Option<QuoteMinute>,
}

impl Print {
    pub fn ts(&self) -> Ts {
        self.start.plus_minutes(1)
    }
}

/// Reads the flow of `date`. Fails on files that are damaged; rows that are bad are named.
pub(super) fn read_flow(
    mut files: Files,
    ticker: &str,
    date: NaiveDate,
    bars: &[MinuteBar],
    settings: &FlowSettings,
    calendar: &Calendar,
) -> Result<FlowDay, LeanError> {
    calendar.check_range(date)?;
    let mut day = FlowDay {
        has_quotes: files.quotes.is_some(),
        has_open_interest: files.open_interest.is_some(),
        ..FlowDay::default()
    };
    let contracts = read_contracts(&mut files, ticker, date, settings, &mut day)?;
    let open_interest = files.open_interest.unwrap_or_default();
    Tape::new(ticker, date, bars, &open_interest.rows, settings, calendar)
        .fill(&mut day, contracts);
    day.bad_rows.extend(open_interest.bad_rows);
    debug_assert_eq!(
        day.read,
        day.rows.len() as u64 + day.dropped.values().sum::<u64>(),
        "every option minute is kept or counted"
    );
    Ok(day)
}

/// Every contract with its prints; minutes that are none are counted in `day`.
fn read_contracts(
    files: &mut Files,
    ticker: &str,
    date: NaiveDate,
    settings: &FlowSettings,
    day: &mut FlowDay,
) -> Result<Vec<ContractDay>, LeanError> {
    let trade_entries = Entries::new(Kind::Trade, ticker, date);
    let quote_entries = Entries::new(Kind::Quote, ticker, date);
    let mut contracts = Vec::new();
    for name in files.trades.names()? {
        let text = files.trades.text(&name)?.unwrap_or_default();
        let named = trade_entries.contract(&name);
        let minutes = read_minutes(&files.trades.label(&name), &text, date, &named);
        day.read += minutes.read;
        for (reason, count) in minutes.dropped {
            *day.dropped.entry(reason).or_default() += count;
        }
        day.bad_rows.extend(minutes.bad_rows);
        let Ok(Named::Contract(contract)) = named else {
            continue;
        };

        let mut quotes = Imported::default();
        if let (Some(archive), Some(beside)) = (
            &mut files.quotes,
            quote_entries.beside(&trade_entries, &name),
        ) && let Some(text) = archive.text(&beside)?
        {
            quotes = read_quotes(&archive.label(&beside), &text, date);
        }
        day.bad_rows.extend(quotes.bad_rows);
        let prints = prints(&minutes.rows, &quotes.rows, settings.max_quote_age_seconds);
        contracts.push(ContractDay {
            symbol: contract.symbol(),
            contract,
            prints,
        });
    }
    Ok(contracts)
}

/// A minute in which a contract traded.
struct Minute {
    start: Ts,
    price_scaled: f64,
    contracts: i64,
}

fn read_minutes(
    label: &str,
    text: &str,
    date: NaiveDate,
    named: &Result<Named, RowFault>,
) -> Imported<Minute> {
    let mut minutes = Imported::default();
    let mut previous = None;
    minutes.read_lines(label, text, |line| {
        let [ms, open, high, low, close, volume] =
            columns(line, "6: ms,open,high,low,close,volume")?;
        let expiry = match named.as_ref().map_err(RowFault::clone)? {
            Named::Contract(contract) => contract.expiry,
            Named::NoSymbol => return Ok(Line::Drop("strike_without_symbol")),
        };
        if expiry < date {
            return Err(fault(
                "expiry",
                &expiry.to_string(),
                "the day of the print or later",
            ));
        }
        let price_scaled = Ohlc::parse([open, high, low, close])?.close;
        let contracts = whole("volume", volume)?;
        let start = minute_start(date, ms, &mut previous)?;
        Ok(match (contracts, price_scaled) {
            (0, _) => Line::Drop("no_volume"),
            (_, 0.0) => Line::Drop("no_price"),
            _ => Line::Row(Minute {
                start,
                price_scaled,
                contracts,
            }),
        })
    });
    minutes
}

/// The minutes of one contract as prints. Volume and tick test run over all of them, before any
/// floor.
fn prints(minutes: &[Minute], quotes: &[QuoteMinute], max_quote_age_seconds: u32) -> Vec<Print> {
    let mut volume = 0;
    let mut tick = TickTest::default();
    let mut prints = Vec::with_capacity(minutes.len());
    for &Minute {
        start,
        price_scaled,
        contracts,
    } in minutes
    {
        volume += contracts;
        let ts = start.plus_minutes(1);
        let quote = quote_at(quotes, ts, max_quote_age_seconds).copied();
        // A quote that ends with the print may have come after it, or from it.
        let is_fresh = quote.is_some_and(|quote| quote.end < ts);
        let price = price_scaled / PRICE_SCALE;
        let aggressor = aggressor(
            price,
            quote.and_then(|q| q.quote()),
            is_fresh,
            tick.push(price),
        );
        prints.push(Print {
            start,
            price_scaled,
            contracts,
            volume,
            aggressor,
            quote,
        });
    }
    prints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Side, SideQuality, SideSource};

    fn check(trades: &str, quotes: &str, expected: &[(Side, SideSource, SideQuality, i64)]) {
        let date = "2014-06-06".parse().unwrap();
        let named = Ok(Named::Contract(
            Contract::parse("AAPL140613C00645000").unwrap(),
        ));
        let minutes = read_minutes("t.csv", trades, date, &named).rows;
        let quotes = read_quotes("q.csv", quotes, date).rows;
        let seen: Vec<_> = prints(&minutes, &quotes, 60)
            .iter()
            .map(|p| {
                (
                    p.aggressor.side,
                    p.aggressor.source,
                    p.aggressor.quality,
                    p.volume,
                )
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn without_quotes_the_tick_test_speaks_and_volume_adds_up() {
        check(
            "34200000,100,100,100,100,5\n34260000,300,300,200,200,7\n34320000,200,200,100,100,1\n",
            "",
            &[
                (Side::Unknown, SideSource::None, SideQuality::None, 5),
                (Side::Buy, SideSource::Tick, SideQuality::Weak, 12),
                (Side::Sell, SideSource::Tick, SideQuality::Weak, 13),
            ],
        );
    }

    #[test]
    fn a_quote_ending_with_the_print_is_weak_one_before_it_firm_and_an_old_one_none() {
        let quote = "34200000,900,900,900,900,1,1000,1000,1000,1000,1\n";
        let print = |ms: u32| format!("{ms},1000,1000,1000,1000,5\n");
        check(
            &print(34_200_000),
            quote,
            &[(Side::Buy, SideSource::Quote, SideQuality::Weak, 5)],
        );
        check(
            &print(34_260_000),
            quote,
            &[(Side::Buy, SideSource::Quote, SideQuality::Firm, 5)],
        );
        check(
            &print(34_320_000),
            quote,
            &[(Side::Unknown, SideSource::None, SideQuality::None, 5)],
        );
    }

    #[test]
    fn a_quote_with_one_side_leaves_it_to_the_tick_test() {
        check(
            "34200000,100,100,100,100,5\n34260000,200,200,200,200,5\n",
            "34200000,,,,,0,150,150,150,150,1\n",
            &[
                (Side::Unknown, SideSource::None, SideQuality::None, 5),
                (Side::Buy, SideSource::Tick, SideQuality::Weak, 10),
            ],
        );
    }

    #[test]
    fn minutes_that_are_no_print_are_counted_by_name() {
        let text = "34200000,100,100,100,100,0\n34260000,0,0,0,0,5\n34320000,1,1,1,1,5\n34320000,1,1,1,1,5\n";
        let named = |symbol| Ok(Named::Contract(Contract::parse(symbol).unwrap()));
        let read = |named| read_minutes("t.csv", text, "2014-06-06".parse().unwrap(), &named);
        let minutes = read(named("AAPL140606C00645000"));
        assert_eq!((minutes.read, minutes.rows.len()), (4, 1));
        assert_eq!(
            minutes.dropped.into_iter().collect::<Vec<_>>(),
            [("bad_row", 1), ("no_price", 1), ("no_volume", 1)]
        );
        assert_eq!(
            read(Ok(Named::NoSymbol)).dropped["strike_without_symbol"],
            4
        );
        let expired = read(named("AAPL140605C00645000"));
        assert_eq!(expired.dropped["bad_row"], 4);
        assert_eq!(
            expired.bad_rows[0].reason.to_string(),
            "column expiry: got \"2014-06-05\", expected the day of the print or later"
        );
    }
}
