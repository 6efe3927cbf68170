//! Facts: what the store knows of a ticker's day beside its prints, joined to the merged events.
//!
//! Law 1: an event sees the last minute that had ended by its `ts` and the open interest of the
//! session before, as it was known that morning. What is not in the store is null, never guessed.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::config::Config;
use crate::flow::{
    Contract, FlowDetail, FlowEvent, Greeks, Known, Merged, Rules, implied, years_to_expiry,
};
use crate::store::{FlowTable, Store, StoreError};
use crate::time::{Calendar, MINUTE_NS, Session, Ts};

/// A ticker's day, ready for its events.
pub struct Facts<'a> {
    pub ticker: &'a str,
    pub rules: Rules,
    calendar: &'a Calendar,
    source: &'a str,
    /// Minute bars of the day: end and close.
    closes: Vec<(i64, f64)>,
    open_interest: HashMap<String, i64>,
    /// A year, continuously compounded.
    rate: f64,
}

/// A contract as events refer to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// OCC symbol without `O:`.
    pub symbol: String,
    pub contract: Contract,
}

impl<'a> Facts<'a> {
    /// Without a store nothing is known beside the prints.
    pub fn load(
        store: Option<&Store>,
        calendar: &'a Calendar,
        config: &Config,
        ticker: &'a str,
        date: NaiveDate,
        source: &'a str,
    ) -> Result<Facts<'a>, StoreError> {
        let (mut closes, mut open_interest) = (Vec::new(), HashMap::new());
        if let Some(store) = store {
            let bars = store.bars_1m(ticker, date, date)?;
            let ends = bars.ts.iter().map(|start| start + MINUTE_NS);
            closes = ends.zip(bars.close.iter().copied()).collect();
            let before = calendar.sessions_before(date, 1);
            let open = calendar.session_on(date).map_or(Ts::MAX, |s| s.open);
            open_interest = store.open_interest(ticker, before, open)?;
        }
        Ok(Facts {
            ticker,
            rules: rules(config, calendar.session_on(date)),
            calendar,
            source,
            closes,
            open_interest,
            rate: config.flow.risk_free_rate_pct / 100.0,
        })
    }

    /// A minute of the day has ended. They come in order.
    pub fn minute(&mut self, end: Ts, close: f64) {
        let place = self.closes.partition_point(|(known, _)| *known < end.ns());
        match self.closes.get_mut(place) {
            Some(known) if known.0 == end.ns() => known.1 = close,
            _ => self.closes.insert(place, (end.ns(), close)),
        }
    }

    /// Close of the day's last minute that had ended by `ts`, extended hours included.
    fn underlying_price(&self, ts: Ts) -> Option<f64> {
        let ended = self.closes.partition_point(|(end, _)| *end <= ts.ns());
        self.closes[..ended].last().map(|(_, close)| *close)
    }

    fn greeks(&self, event: &Merged, contract: &Contract, spot: f64) -> Option<Greeks> {
        let years = years_to_expiry(event.ts, contract.expiry, self.calendar);
        let Contract {
            call_put, strike, ..
        } = contract;
        implied(*call_put, event.worth(), spot, *strike, years, self.rate)
    }

    /// The flow table of `events`, which name their contract by its place among `contracts` and stand
    /// in the order of `(ts, seq)`. What `attached` knows of an event goes before what the store knows.
    pub fn table(
        &self,
        contracts: &[Listed],
        events: Vec<(u32, Merged)>,
        attached: impl Fn(u32, &Merged) -> Attached,
    ) -> FlowTable {
        let mut table = FlowTable::default();
        for (place, event) in events {
            let attached = attached(place, &event);
            let (event, detail) = self.join(&contracts[place as usize], event, attached);
            table.push(&event, &detail);
        }
        table
    }

    /// Both halves of one event of `listed`. What is `attached` goes before what is known here.
    pub fn join<'b>(
        &'b self,
        listed: &'b Listed,
        event: Merged,
        attached: Attached,
    ) -> (FlowEvent<'b>, FlowDetail) {
        let Listed { symbol, contract } = listed;
        let underlying_price = attached
            .underlying_price
            .or_else(|| self.underlying_price(event.ts));
        let greeks = match (attached.iv, underlying_price) {
            (None, Some(spot)) => self.greeks(&event, contract, spot),
            _ => None,
        };
        event.finish(&Known {
            ticker: self.ticker,
            symbol,
            contract,
            open_interest: attached
                .open_interest
                .or_else(|| self.open_interest.get(symbol).copied()),
            underlying_price,
            iv: attached.iv.or(greeks.map(|greeks| greeks.iv)),
            delta: attached.delta.or(greeks.map(|greeks| greeks.delta)),
            source: self.source,
        })
    }
}

/// What a source delivers with its prints.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attached {
    pub open_interest: Option<i64>,
    pub underlying_price: Option<f64>,
    pub iv: Option<f64>,
    pub delta: Option<f64>,
}

/// The config's rules for a day.
pub fn rules(config: &Config, session: Option<&Session>) -> Rules {
    Rules {
        sweep_window_ms: config.flow.sweep_window_ms as i64,
        sweep_min_exchanges: config.flow.sweep_min_exchanges,
        block_min_contracts: config.flow.block_min_contracts,
        max_quote_age_seconds: config.flow.max_quote_age_seconds as i64,
        min_notional: config.flow.min_notional,
        session: session.copied(),
    }
}
