//! Prints of one contract, and the market's unusual trades.

use serde::Deserialize;

use super::paging::{Border, Pages};
use super::wire::{Cell, Fault};
use super::{Fetched, Massive, MassiveError};
use crate::flow::{Codes, Contract, Print};
use crate::time::Ts;

/// A print that the vendor calls unusual. It says that its contract is worth a look and no more:
/// small legs are missing, so neither sweeps nor volumes can be made of these.
#[derive(Clone, Debug, PartialEq)]
pub struct UnusualTrade {
    /// OCC symbol without `O:`.
    pub contract: String,
    pub print: Print,
    /// The vendor's reasons, in its words.
    pub flags: Vec<String>,
}

/// Everything that tells two prints apart is a field, used or not: see the rule of repeated rows.
#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct WireTrade {
    ticker: Cell,
    price: Cell,
    size: Cell,
    exchange: Cell,
    sip_timestamp: Cell,
    conditions: Cell,
    correction: Cell,
    participant_timestamp: Cell,
    sequence_number: Cell,
    id: Cell,
    flags: Cell,
}

/// The half-open time asked about.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub from: Ts,
    pub to: Ts,
}

impl Window {
    pub fn check(&self, ts: Ts, cell: &Cell) -> Result<Ts, Fault> {
        if (self.from..self.to).contains(&ts) {
            Ok(ts)
        } else {
            Err(cell.fault("sip_timestamp", "a time within the span asked for"))
        }
    }
}

impl WireTrade {
    fn print(&self, window: Window) -> Result<Print, Fault> {
        let ts = self.sip_timestamp.ts_ns("sip_timestamp")?;
        let exchange = self.exchange.whole().and_then(|id| u16::try_from(id).ok());
        Ok(Print {
            ts: window.check(ts, &self.sip_timestamp)?,
            price: self.price.price("price")?,
            size: self
                .size
                .whole()
                .filter(|size| *size > 0)
                .ok_or_else(|| self.size.fault("size", "a whole number of contracts"))?,
            exchange: exchange
                .ok_or_else(|| self.exchange.fault("exchange", "the number of an exchange"))?,
            conditions: self.codes()?,
            correction: match &self.correction {
                Cell::Missing => 0,
                cell => {
                    narrow(cell).ok_or_else(|| cell.fault("correction", "a small whole number"))?
                }
            },
        })
    }

    fn codes(&self) -> Result<Codes, Fault> {
        let codes = match &self.conditions {
            Cell::Missing => return Ok(Codes::default()),
            Cell::List(cells) => {
                let codes: Option<Vec<i16>> = cells.iter().map(narrow).collect();
                codes.and_then(|codes| Codes::of(&codes))
            }
            _ => None,
        };
        codes.ok_or_else(|| self.conditions.fault("conditions", "up to four codes"))
    }

    fn unusual(&self, root: &str, window: Window) -> Result<UnusualTrade, Fault> {
        let contract = self.ticker.occ("ticker")?;
        if !is_root_of(contract, root) {
            return Err(self
                .ticker
                .fault("ticker", "a contract of the root asked for"));
        }
        // Nobody says what a flag looks like, so one that is no text is none.
        let flags: &[Cell] = match &self.flags {
            Cell::List(flags) => flags,
            one => std::slice::from_ref(one),
        };
        Ok(UnusualTrade {
            contract: contract.to_owned(),
            print: self.print(window)?,
            flags: flags
                .iter()
                .filter_map(Cell::text)
                .map(str::to_owned)
                .collect(),
        })
    }
}

fn narrow(cell: &Cell) -> Option<i16> {
    cell.whole().and_then(|value| i16::try_from(value).ok())
}

/// Whether `contract` is of `root`, or of its adjusted contracts, which carry a digit after it.
fn is_root_of(contract: &str, root: &str) -> bool {
    Contract::parse(contract).is_ok_and(|contract| {
        let rest = contract.root.strip_prefix(root);
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

impl Massive {
    /// The prints of `contract` from `from` on and before `to`, in the order of the answer, which is
    /// asked to be that of time.
    pub fn trades(&self, contract: &str, from: Ts, to: Ts) -> Result<Fetched<Print>, MassiveError> {
        let Pages {
            mut fetched,
            borders,
        } = self.trade_pages(contract, Window { from, to })?;
        // From the last border, so that the places of the others stay what they are.
        for border in borders.iter().rev() {
            self.settle(contract, &mut fetched, border)?;
        }
        Ok(fetched.count_out_of_order(|print| print.ts))
    }

    /// Whether the prints dropped at a border were repeats. In order of time, genuine ones equal to
    /// those before the border can only be of one instant; so that instant is asked for by itself,
    /// and what it holds beyond the prints at hand is put back.
    fn settle(
        &self,
        contract: &str,
        fetched: &mut Fetched<Print>,
        border: &Border<Print>,
    ) -> Result<(), MassiveError> {
        let Some(ts) = border.dropped.first().map(|print| print.ts) else {
            return Ok(());
        };
        if border.dropped.iter().any(|print| print.ts != ts) {
            return Ok(());
        }
        let instant = Window {
            from: ts,
            to: ts.plus_ns(1),
        };
        let instant = self.trade_pages(contract, instant)?.fetched;
        let known = fetched.rows.iter().filter(|print| print.ts == ts).count();
        let missing = instant.rows.len().saturating_sub(known);
        let back = &border.dropped[..missing.min(border.dropped.len())];
        fetched
            .rows
            .splice(border.at..border.at, back.iter().copied());
        fetched.repeats -= back.len() as u64;
        fetched.calls += instant.calls;
        Ok(())
    }

    fn trade_pages(&self, contract: &str, window: Window) -> Result<Pages<Print>, MassiveError> {
        let url = self.client.base().endpoint(
            &["v3", "trades", &format!("O:{contract}")],
            &[
                ("timestamp.gte", &window.from.ns().to_string()),
                ("timestamp.lt", &window.to.ns().to_string()),
                ("order", "asc"),
                ("sort", "timestamp"),
                ("limit", "50000"),
            ],
        );
        let read = |row: &WireTrade| row.print(window);
        self.client.pages(url, read, |_| false)
    }

    /// The unusual trades in contracts of `root`, adjusted ones included, in no certain order: a cheap look at which contracts to expect. An error
    /// of the kind `NotEntitled` or `NotFound` means that there is no such look.
    pub fn unusual_trades(
        &self,
        root: &str,
        from: Ts,
        to: Ts,
    ) -> Result<Fetched<UnusualTrade>, MassiveError> {
        let window = Window { from, to };
        let first = format!("O:{root}");
        let query = [
            ("ticker.gte", first.as_str()),
            // Symbols go on with a digit, and ':' follows the digits.
            ("ticker.lt", &format!("{first}:")),
            ("sip_timestamp.gte", &from.ns().to_string()),
            ("sip_timestamp.lt", &to.ns().to_string()),
        ];
        let segments = ["options", "v1", "unusual-trades"];
        self.undocumented_limit(&segments, &query, |row: &WireTrade| {
            row.unusual(root, window)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(json: &str) -> Result<Print, String> {
        let row: WireTrade = serde_json::from_str(json).unwrap();
        let window = Window {
            from: Ts::from_ns(1000),
            to: Ts::from_ns(2000),
        };
        row.print(window)
            .map_err(|fault| format!("{} {}", fault.column, fault.got))
    }

    #[test]
    fn optional_fields_may_be_absent() {
        let json = r#"{"price":6.35,"size":10.0,"exchange":312,"sip_timestamp":1000}"#;
        let expected = Print {
            ts: Ts::from_ns(1000),
            price: 6.35,
            size: 10,
            exchange: 312,
            conditions: Codes::default(),
            correction: 0,
        };
        assert_eq!(print(json), Ok(expected));
    }

    #[test]
    fn an_adjusted_root_belongs_to_its_plain_one() {
        for (contract, root, expected) in [
            ("TSLA261120C00410000", "TSLA", true),
            ("TSLA1261120C00410000", "TSLA", true),
            ("TSLAX261120C00410000", "TSLA", false),
            ("TSLA261120C00410000", "T", false),
        ] {
            assert_eq!(is_root_of(contract, root), expected, "{contract} {root}");
        }
    }

    #[test]
    fn a_print_that_cannot_be_one_is_refused_by_column() {
        let good = r#"{"price":1.5,"size":10,"exchange":312,"sip_timestamp":1500,"conditions":[219],"correction":0}"#;
        assert!(print(good).is_ok());
        for (from, to, fault) in [
            ("1.5,", "0,", "price 0"),
            ("1.5,", "-1.5,", "price -1.5"),
            ("1.5,", "\"1.5\",", "price \"1.5\""),
            ("\"price\":1.5,", "", "price missing"),
            (":10,", ":10.5,", "size 10.5"),
            (":10,", ":0,", "size 0"),
            ("312", "70000", "exchange 70000"),
            ("1500", "2000", "sip_timestamp 2000"),
            ("1500", "1.5e3", "sip_timestamp 1500"),
            ("[219]", "[1,2,3,4,5]", "conditions [1, 2, 3, 4, 5]"),
            ("[219]", "[70000]", "conditions [70000]"),
            ("[219]", "219", "conditions 219"),
            ("[219]", "[\"x\"]", "conditions [\"x\"]"),
            ("n\":0", "n\":\"x\"", "correction \"x\""),
        ] {
            assert_eq!(print(&good.replace(from, to)), Err(fault.to_owned()));
        }
    }
}
