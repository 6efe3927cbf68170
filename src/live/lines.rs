//! Lines: events and bars as JSON, one a line, from whoever has them, to inputs of the desk.
//!
//! The names are those of the tables. An event needs `ts`, `contract`, `price` and `contracts`; what is
//! left out is unknown, or what it is nearly always: available at once, 100 shares a contract.
//!
//! ```text
//! {"ts":"2025-03-14T14:30:00.250Z","contract":"TSLA250321C00245000","price":1.85,"contracts":1000,"side":"BUY"}
//! {"bar":{"ts":"2025-03-14T14:29:00Z","ticker":"TSLA","open":243.1,"high":243.5,"low":243.0,"close":243.4,"volume":51200}}
//! ```

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::event::{Input, StreamedEvent};
use crate::engine::PROXIES;
use crate::flow::{Contract, FlowDetail, MULTIPLIER, Side, SideQuality, SideSource};
use crate::providers::roots;
use crate::store::MinuteBar;
use crate::time::{Calendar, Ts};

#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    pub line: usize,
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(String),
    /// Nanoseconds.
    Ns(i64),
}

impl Time {
    fn ts(&self, column: &str) -> Result<Ts, String> {
        match self {
            Time::Ns(ns) => Ok(Ts::from_ns(*ns)),
            Time::Text(text) => Ts::parse_rfc3339(text)
                .ok_or_else(|| format!("{column} is {text:?}, expected RFC 3339 or nanoseconds")),
        }
    }
}

enum Line {
    Bar(BarLine),
    Event(Box<EventLine>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BarLine {
    ts: Time,
    ticker: String,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    vwap: Option<f64>,
    trades: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine {
    ts: Time,
    contract: String,
    price: f64,
    contracts: i64,
    available_at: Option<Time>,
    seq: Option<u32>,
    ticker: Option<String>,
    notional: Option<f64>,
    bid: Option<f64>,
    ask: Option<f64>,
    side: Option<Side>,
    side_source: Option<SideSource>,
    side_quality: Option<SideQuality>,
    #[serde(default)]
    is_aggressive: bool,
    #[serde(default)]
    is_sweep: bool,
    #[serde(default)]
    has_iso: bool,
    #[serde(default)]
    is_block: bool,
    #[serde(default)]
    is_multi_leg: bool,
    #[serde(default)]
    is_extended: bool,
    prints: Option<u32>,
    exchanges: Option<u32>,
    volume: Option<i64>,
    open_interest: Option<i64>,
    iv: Option<f64>,
    delta: Option<f64>,
    underlying_price: Option<f64>,
    #[serde(default)]
    conditions: Vec<i16>,
}

/// Reads lines one after the other; events of one time are numbered in their order.
pub struct Lines<'a> {
    calendar: &'a Calendar,
    line: usize,
    /// How many events there were of a time, on the day of the last one.
    counts: HashMap<Ts, u32>,
    date: NaiveDate,
    /// When the last input became known.
    known: Ts,
}

impl<'a> Lines<'a> {
    pub fn new(calendar: &'a Calendar) -> Lines<'a> {
        Lines {
            calendar,
            line: 0,
            counts: HashMap::new(),
            date: NaiveDate::MIN,
            known: Ts::MIN,
        }
    }

    /// When the last input became known.
    pub fn known(&self) -> Ts {
        self.known
    }

    /// The inputs of the next line; none of an empty one. Lines come in the order in which they became
    /// known: bars at their end, events at `available_at`.
    pub fn read(&mut self, text: &str) -> Result<Vec<Input>, LineError> {
        self.line += 1;
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        self.inputs(text).map_err(|reason| LineError {
            line: self.line,
            reason,
        })
    }

    fn inputs(&mut self, text: &str) -> Result<Vec<Input>, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let is_bar = value.get("bar").is_some();
        // Read as what it is meant to be, so that the message is about that.
        let line = match is_bar {
            true => serde_json::from_value(value["bar"].clone()).map(Line::Bar),
            false => serde_json::from_value(value).map(Line::Event),
        };
        let (known, inputs) = match line.map_err(|e| e.to_string())? {
            Line::Bar(bar) => self.bar(bar)?,
            Line::Event(event) => self.event(*event)?,
        };
        if known < self.known {
            return Err(format!("known at {known}, before the line before it"));
        }
        self.known = known;
        Ok(inputs)
    }

    fn bar(&self, line: BarLine) -> Result<(Ts, Vec<Input>), String> {
        let ts = line.ts.ts("ts")?;
        let session = self.calendar.session_on(ts.exchange_date());
        let bar = MinuteBar {
            ts,
            open: line.open,
            high: line.high,
            low: line.low,
            close: line.close,
            volume: line.volume,
            vwap: line.vwap,
            trades: line.trades,
            is_regular: session.is_some_and(|session| session.contains(ts)),
        };
        let ticker = line.ticker;
        let mut inputs = Vec::new();
        if PROXIES.contains(&ticker.as_str()) {
            let ticker = ticker.clone();
            inputs.push(Input::ProxyBar { ticker, bar });
        }
        inputs.push(Input::Bar { ticker, bar });
        Ok((ts.plus_minutes(1), inputs))
    }

    fn event(&mut self, line: EventLine) -> Result<(Ts, Vec<Input>), String> {
        let ts = line.ts.ts("ts")?;
        let available_at = line
            .available_at
            .map_or(Ok(ts), |at| at.ts("available_at"))?;
        if available_at < ts {
            return Err(format!("available_at is {available_at}, before ts {ts}"));
        }
        let symbol = line.contract.strip_prefix("O:").unwrap_or(&line.contract);
        let contract = Contract::parse(symbol).map_err(|e| e.to_string())?;
        let is_amount = |value: f64| value > 0.0 && value.is_finite();
        if !is_amount(line.price) || line.contracts < 1 {
            let (price, contracts) = (line.price, line.contracts);
            return Err(format!("{contracts} contracts at {price} cost nothing"));
        }
        let date = ts.exchange_date();
        if std::mem::replace(&mut self.date, date) != date {
            self.counts.clear();
        }
        let count = self.counts.entry(ts).or_default();
        let seq = *count;
        *count += 1;
        let side = line.side.unwrap_or(Side::Unknown);
        let is_known = side != Side::Unknown;
        let event = StreamedEvent {
            ts,
            available_at,
            seq: line.seq.unwrap_or(seq),
            ticker: match line.ticker {
                Some(ticker) => ticker,
                None => roots::underlying(&contract.root).to_owned(),
            },
            contract: symbol.to_owned(),
            call_put: contract.call_put,
            strike: contract.strike,
            expiry: contract.expiry,
            notional: match line.notional {
                Some(notional) => notional,
                None => line.price * line.contracts as f64 * MULTIPLIER,
            },
            side,
            is_aggressive: line.is_aggressive,
            is_sweep: line.is_sweep,
            is_multi_leg: line.is_multi_leg,
            volume: line.volume.unwrap_or(line.contracts),
            open_interest: line.open_interest,
            underlying_price: line.underlying_price,
            detail: FlowDetail {
                price: line.price,
                contracts: line.contracts,
                bid: line.bid,
                ask: line.ask,
                side_source: line.side_source.unwrap_or(match is_known {
                    true => SideSource::Provider,
                    false => SideSource::None,
                }),
                side_quality: line.side_quality.unwrap_or(match is_known {
                    true => SideQuality::Weak,
                    false => SideQuality::None,
                }),
                has_iso: line.has_iso,
                is_block: line.is_block,
                is_extended: line.is_extended,
                prints: line.prints.unwrap_or(1),
                exchanges: line.exchanges.unwrap_or(1),
                iv: line.iv,
                delta: line.delta,
                conditions: line.conditions,
                cancelled_at: None,
                cancelled_contracts: 0,
                source: "stdin".to_owned(),
            },
        };
        Ok((available_at, vec![Input::Event(Box::new(event))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<String> {
        let calendar = Calendar::shipped();
        let mut reader = Lines::new(&calendar);
        let line = |text: &&str| match reader.read(text) {
            Ok(inputs) => format!("{} inputs, known {}", inputs.len(), reader.known()),
            Err(error) => error.to_string(),
        };
        lines.iter().map(line).collect()
    }

    const EVENT: &str = r#"{"ts":"2025-03-14T14:30:00.250Z","contract":"TSLA250321C00245000","price":1.85,"contracts":1000}"#;

    #[test]
    fn what_is_left_out_is_what_it_nearly_always_is() {
        let calendar = Calendar::shipped();
        let mut lines = Lines::new(&calendar);
        let inputs = lines.read(EVENT).expect("a good line");
        let [Input::Event(event)] = inputs.as_slice() else {
            panic!("an event is an event");
        };
        assert_eq!(event.ticker, "TSLA");
        assert_eq!(
            (event.notional, event.volume, event.seq),
            (185_000.0, 1000, 0)
        );
        assert_eq!(event.available_at, event.ts);
        let again = lines.read(EVENT).expect("a good line");
        assert!(matches!(again.as_slice(), [Input::Event(event)] if event.seq == 1));
    }

    #[test]
    fn a_bar_is_known_at_its_end_and_a_proxys_is_the_markets_too() {
        let bar = r#"{"bar":{"ts":"2025-03-14T14:29:00Z","ticker":"SPY","open":1,"high":1,"low":1,"close":1,"volume":1}}"#;
        assert_eq!(read(&[bar]), ["2 inputs, known 2025-03-14T14:30:00Z"]);
    }

    #[test]
    fn a_bad_line_is_named_and_says_what_is_wrong() {
        let said = read(&[
            "",
            "{",
            r#"{"ts":1,"contract":"TSLA250321C00245000","price":1.85,"contracts":10,"strenght":1}"#,
            r#"{"ts":"noon","contract":"TSLA250321C00245000","price":1.85,"contracts":10}"#,
            r#"{"ts":1,"contract":"TSLA","price":1.85,"contracts":10}"#,
            r#"{"ts":1,"contract":"TSLA250321C00245000","price":0,"contracts":10}"#,
            EVENT,
            r#"{"ts":1,"contract":"TSLA250321C00245000","price":1.85,"contracts":10}"#,
        ]);
        let begins = [
            "0 inputs",
            "line 2: EOF",
            "line 3: unknown field `strenght`",
            "line 4: ts is \"noon\", expected RFC 3339 or nanoseconds",
            "line 5: \"TSLA\" is not an OCC symbol",
            "line 6: 10 contracts at 0 cost nothing",
            "1 inputs",
            "line 8: known at 1970-01-01T00:00:00.000000001Z, before the line before it",
        ];
        for (said, begins) in said.iter().zip(begins) {
            assert!(said.starts_with(begins), "{said}");
        }
    }
}
