//! The tape: from each contract's prints to the ticker's flow rows, numbered and above the floor.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::option::{ContractDay, Print};
use super::rows::PRICE_SCALE;
use super::{FlowDay, FlowRow, FlowSettings, MinuteBar, OpenInterest, SOURCE};
use crate::flow::{FlowDetail, MULTIPLIER};
use crate::time::{Calendar, Session, Ts};

const NS_PER_MS: i64 = 1_000_000;

/// All that turns a print of one ticker and day into a row.
pub(super) struct Tape<'a> {
    ticker: String,
    /// The day's minute bars, in order of time.
    bars: &'a [MinuteBar],
    open_interest: HashMap<&'a str, i64>,
    session: Option<&'a Session>,
    settings: &'a FlowSettings,
}

impl<'a> Tape<'a> {
    pub fn new(
        ticker: &str,
        date: NaiveDate,
        bars: &'a [MinuteBar],
        open_interest: &'a [OpenInterest],
        settings: &'a FlowSettings,
        calendar: &'a Calendar,
    ) -> Tape<'a> {
        let from = bars.partition_point(|bar| bar.ts.exchange_date() < date);
        let to = bars.partition_point(|bar| bar.ts.exchange_date() <= date);
        Tape {
            ticker: ticker.to_ascii_uppercase(),
            bars: &bars[from..to],
            open_interest: open_interest
                .iter()
                .map(|row| (row.contract.as_str(), row.open_interest))
                .collect(),
            session: calendar.session_on(date),
            settings,
        }
    }

    /// Numbers all prints of the day, then keeps those that reach the floor.
    pub fn fill(&self, day: &mut FlowDay, mut contracts: Vec<ContractDay>) {
        contracts.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        let mut prints: Vec<(&ContractDay, &Print)> = contracts
            .iter()
            .flat_map(|contract| contract.prints.iter().map(move |print| (contract, print)))
            .collect();
        // The sort is stable, so prints of one instant stay in order of their contract.
        prints.sort_by_key(|(_, print)| print.start);
        let mut below_floor = 0;
        let mut previous = None;
        let mut seq = 0;
        for (contract, print) in prints {
            seq = if previous == Some(print.start) {
                seq + 1
            } else {
                0
            };
            previous = Some(print.start);
            // Divided last, so that a notional of exactly the floor meets it.
            let notional = print.price_scaled * print.contracts as f64 * MULTIPLIER / PRICE_SCALE;
            if notional < self.settings.min_notional {
                below_floor += 1;
            } else {
                day.rows.push(self.row(contract, print, seq, notional));
            }
        }
        if below_floor > 0 {
            day.dropped.insert("below_floor", below_floor);
        }
    }

    fn row(&self, day: &ContractDay, print: &Print, seq: u32, notional: f64) -> FlowRow {
        let ts = print.ts();
        FlowRow {
            ts,
            // Law 4: a listener to prints waits the window out before an event is complete.
            available_at: ts.plus_ns(i64::from(self.settings.sweep_window_ms) * NS_PER_MS),
            seq,
            ticker: self.ticker.clone(),
            contract: day.symbol.clone(),
            call_put: day.contract.call_put,
            strike: day.contract.strike,
            expiry: day.contract.expiry,
            notional,
            side: print.aggressor.side,
            is_aggressive: print.aggressor.is_aggressive,
            is_sweep: false,
            is_multi_leg: false,
            volume: print.volume,
            open_interest: self.open_interest.get(day.symbol.as_str()).copied(),
            underlying_price: self.underlying_price(ts),
            detail: self.detail(print),
        }
    }

    fn detail(&self, print: &Print) -> FlowDetail {
        FlowDetail {
            price: print.price_scaled / PRICE_SCALE,
            contracts: print.contracts,
            bid: print.quote.and_then(|quote| quote.bid),
            ask: print.quote.and_then(|quote| quote.ask),
            side_source: print.aggressor.source,
            side_quality: print.aggressor.quality,
            has_iso: false,
            is_block: print.contracts >= self.settings.block_min_contracts,
            // By the minute's start: the last minute of the session ends at the close and is regular.
            is_extended: !self
                .session
                .is_some_and(|session| session.contains(print.start)),
            prints: 1,
            exchanges: 1,
            iv: None,
            delta: None,
            conditions: Vec::new(),
            cancelled_at: None,
            cancelled_contracts: 0,
            source: SOURCE.to_owned(),
        }
    }

    /// Close of the day's last bar that had ended by `ts`.
    fn underlying_price(&self, ts: Ts) -> Option<f64> {
        // Law 1: a bar that ends after the print was not known then.
        let ended = self
            .bars
            .partition_point(|bar| bar.ts.plus_minutes(1) <= ts);
        self.bars[..ended].last().map(|bar| bar.close)
    }
}
