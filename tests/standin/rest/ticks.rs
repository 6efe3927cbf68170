//! Trades and quotes of one contract, and the unusual trades of all.

use serde_json::{Map, Value, json};

use super::super::Family;
use super::super::new_york;
use super::super::world::{Contract, DECIMALS_SINCE, Print, Quote};
use super::Call;
use super::page::Answer;
use super::refused::Refused;

/// Cancels, late reports and compression are not unusual trades.
const NOT_UNUSUAL: [u16; 9] = [201, 202, 203, 204, 205, 206, 207, 208, 247];
const INTERMARKET_SWEEP: u16 = 219;

impl Call<'_> {
    /// An unknown contract has no trades, which is no error.
    pub fn trades(&self, symbol: &str) -> Result<Answer, Refused> {
        self.check_plan(Family::Trades)?;
        let (first, last) = self.tick_span()?;
        let contract = self.world.contract(symbol).map(|(_, contract)| contract);
        let prints = contract.into_iter().flat_map(|contract| {
            let days = contract.prints.range(new_york::date(first)..);
            days.flat_map(|(_, prints)| prints)
        });
        let within = |ts: i64| (first..=last).contains(&ts);
        let prints = prints.filter(|print| within(print.ts)).collect();
        let decimals_since = new_york::midnight(DECIMALS_SINCE);
        self.ticks(prints, |print| trade(print, decimals_since))
    }

    pub fn quotes(&self, symbol: &str) -> Result<Answer, Refused> {
        self.check_plan(Family::Quotes)?;
        let (first, last) = self.tick_span()?;
        let contract = self.world.contract(symbol).map(|(_, contract)| contract);
        let quotes = contract.into_iter().flat_map(|contract| {
            let days = contract.quotes.range(new_york::date(first)..);
            days.flat_map(|(_, quotes)| (1_i64..).zip(quotes))
        });
        let within = |ts: i64| (first..=last).contains(&ts);
        let quotes = quotes.filter(|(_, quote)| within(quote.ts)).collect();
        self.ticks(quotes, |(number, quote)| nbbo(*number, quote))
    }

    fn tick_span(&self) -> Result<(i64, i64), Refused> {
        let (first, last) = self.params.instants("timestamp", self.now)?;
        self.check_history(new_york::date(first))?;
        Ok((first, last))
    }

    /// A page of what is in order of time: newest first unless asked otherwise.
    fn ticks<T>(&self, mut list: Vec<T>, render: impl Fn(&T) -> Value) -> Result<Answer, Refused> {
        let (_, descends) = self.params.order_v3(&["timestamp"], ("timestamp", true))?;
        if descends {
            list.reverse();
        }
        let limit = self.params.limit(1_000, 50_000)?;
        Ok(Answer::Page(self.page(&list, limit, render)))
    }

    /// Large by premium or size, or part of an intermarket sweep; oldest first unless asked otherwise.
    pub fn unusual_trades(&self) -> Result<Answer, Refused> {
        self.check_plan(Family::UnusualTrades)?;
        let (first, last) = self.params.instants("sip_timestamp", self.now)?;
        self.check_history(new_york::date(first))?;
        let tickers = self.params.filter("ticker", Some)?;
        let order = self
            .params
            .order_v1(&["sip_timestamp"], "sip_timestamp.asc")?;
        let limit = self.params.limit(100, 1_000)?;
        let mut found = Vec::new();
        for (ticker, symbol, contract) in self.world.contracts() {
            if !tickers.admits(&symbol) {
                continue;
            }
            let days = contract.prints.range(new_york::date(first)..);
            for print in days.flat_map(|(_, prints)| prints) {
                let flags = flags(print, contract);
                if (first..=last).contains(&print.ts) && !flags.is_empty() {
                    found.push((ticker, symbol, contract, print, flags));
                }
            }
        }
        found.sort_by_key(|(.., print, _)| print.ts);
        if order.iter().any(|(_, descends)| *descends) {
            found.reverse();
        }
        let row = |(ticker, symbol, contract, print, flags): &(_, _, &Contract, &Print, _)| {
            json!({
                "ticker": symbol, "underlying_ticker": ticker, "root": contract.root,
                "price": print.price, "size": print.size, "exchange": print.exchange,
                "conditions": print.conditions, "sip_timestamp": print.ts, "flags": flags,
            })
        };
        Ok(Answer::Page(self.page(&found, limit, row)))
    }
}

fn flags(print: &Print, contract: &Contract) -> Vec<&'static str> {
    let is_out = print
        .conditions
        .iter()
        .any(|code| NOT_UNUSUAL.contains(code));
    if is_out || print.correction != 0 {
        return Vec::new();
    }
    let premium = print.price * print.size as f64 * contract.shares as f64;
    let is_sweep = print.conditions.contains(&INTERMARKET_SWEEP);
    let cases = [
        (premium >= 100_000.0, "large_premium"),
        (print.size >= 1_000, "large_size"),
        (is_sweep, "intermarket_sweep"),
    ];
    let met = cases.into_iter().filter(|(is_met, _)| *is_met);
    met.map(|(_, flag)| flag).collect()
}

/// A row of trades. Old rows number nothing: `sequence_number` is 0 throughout.
fn trade(print: &Print, decimals_since: i64) -> Value {
    let mut row = Map::new();
    if !print.conditions.is_empty() {
        row.insert("conditions".into(), json!(print.conditions));
    }
    if print.correction != 0 {
        row.insert("correction".into(), print.correction.into());
    }
    if print.ts >= decimals_since {
        row.insert("decimal_size".into(), print.size.to_string().into());
    }
    row.insert("exchange".into(), print.exchange.into());
    row.insert("id".into(), "".into());
    row.insert("price".into(), print.price.into());
    row.insert("sequence_number".into(), 0.into());
    row.insert("sip_timestamp".into(), print.ts.into());
    row.insert("size".into(), print.size.into());
    Value::Object(row)
}

/// A row of quotes. A side that is not there is zero in every second row and left out in the others:
/// both occur.
fn nbbo(number: i64, quote: &Quote) -> Value {
    let mut row = Map::new();
    let mut side = |price: f64, names: [&str; 3], exchange: u16, size: i64| {
        let is_there = price != 0.0;
        if is_there || number % 2 == 0 {
            let values = match is_there {
                true => [json!(exchange), json!(price), json!(size)],
                false => [json!(0), json!(0), json!(0)],
            };
            row.extend(names.map(str::to_owned).into_iter().zip(values));
        }
    };
    let (asks, bids) = (
        ["ask_exchange", "ask_price", "ask_size"],
        ["bid_exchange", "bid_price", "bid_size"],
    );
    side(quote.ask, asks, quote.ask_exchange, quote.ask_size);
    side(quote.bid, bids, quote.bid_exchange, quote.bid_size);
    row.insert("sequence_number".into(), (number * 3).into());
    row.insert("sip_timestamp".into(), quote.ts.into());
    Value::Object(row)
}
