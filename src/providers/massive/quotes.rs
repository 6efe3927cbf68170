//! Quotes of one contract, read backwards from a print.

use serde::Deserialize;

use super::trades::Window;
use super::wire::{Cell, Fault};
use super::{Fetched, Massive, MassiveError};
use crate::flow::{Quote, TimedQuote};
use crate::time::{SECOND_NS, Ts};

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireQuote {
    bid_price: Cell,
    ask_price: Cell,
    sip_timestamp: Cell,
    sequence_number: Cell,
}

impl WireQuote {
    /// The quote and its number among those of one instant.
    fn quote(&self, window: Window) -> Result<(TimedQuote, i64), Fault> {
        let side = |cell: &Cell, column| match cell {
            Cell::Missing => Ok(0.0),
            cell => cell
                .number()
                .filter(|price| *price >= 0.0 && price.is_finite())
                .ok_or_else(|| cell.fault(column, "a price of at least zero")),
        };
        let ts = self.sip_timestamp.ts_ns("sip_timestamp")?;
        let quote = TimedQuote {
            ts: window.check(ts, &self.sip_timestamp)?,
            quote: Quote {
                bid: side(&self.bid_price, "bid_price")?,
                ask: side(&self.ask_price, "ask_price")?,
            },
        };
        Ok((quote, self.sequence_number.whole().unwrap_or_default()))
    }
}

impl Massive {
    /// The quotes of `contract` from `from` on and before `to`, in order of time, beginning with the
    /// last one at or before `enough`: reads backwards from `to` and stops at the page that has it.
    pub fn quotes_back(
        &self,
        contract: &str,
        from: Ts,
        to: Ts,
        enough: Ts,
    ) -> Result<Fetched<TimedQuote>, MassiveError> {
        let window = Window { from, to };
        // Around one print a handful of quotes will do; along an hour of prints all are wanted.
        let limit = match to.ns_since(enough) / SECOND_NS {
            0..=1 => "100",
            2..=60 => "5000",
            _ => "50000",
        };
        let url = self.client.base().endpoint(
            &["v3", "quotes", &format!("O:{contract}")],
            &[
                ("timestamp.gte", &from.ns().to_string()),
                ("timestamp.lt", &to.ns().to_string()),
                ("order", "desc"),
                ("sort", "timestamp"),
                ("limit", limit),
            ],
        );
        let pages = self.client.pages(
            url,
            |row: &WireQuote| row.quote(window),
            |(quote, _)| quote.ts <= enough,
        )?;
        let mut fetched = pages.fetched;
        fetched.rows.reverse();
        let mut fetched = fetched.count_out_of_order(|(quote, _)| quote.ts);
        fetched
            .rows
            .sort_by_key(|(quote, number)| (quote.ts, *number));
        // How far back a page reaches is the server's choice; what is returned is not.
        let before = fetched
            .rows
            .partition_point(|(quote, _)| quote.ts <= enough);
        fetched.rows.drain(..before.saturating_sub(1));
        Ok(fetched.map(|(quote, _)| quote))
    }
}
