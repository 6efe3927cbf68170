//! What is known of chains beside trades: the snapshot of now, and open interest of past days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::super::Family;
use super::super::world::{CallPut, Contract, Stock};
use super::Call;
use super::page::Answer;
use super::query;
use super::refused::Refused;

impl CallPut {
    fn name(self) -> &'static str {
        match self {
            CallPut::Call => "call",
            CallPut::Put => "put",
        }
    }
}

/// The fields by which every answer describes a contract.
pub fn details(symbol: &str, contract: &Contract) -> Map<String, Value> {
    let fields = [
        ("contract_type", json!(contract.call_put.name())),
        ("exercise_style", json!("american")),
        ("expiration_date", json!(contract.expiration.to_string())),
        ("shares_per_contract", json!(contract.shares)),
        ("strike_price", json!(contract.strike)),
        ("ticker", json!(symbol)),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

impl Call<'_> {
    /// The chain as it stands now; a date in the query is ignored without a word.
    pub fn chain_snapshot(&self, ticker: &str) -> Result<Answer, Refused> {
        self.check_plan(Family::Snapshot)?;
        let strikes = self
            .params
            .filter("strike_price", |text| text.parse::<f64>().ok())?;
        let expirations = self.params.filter("expiration_date", query::date)?;
        let types = self.params.filter("contract_type", Some)?;
        let columns = ["ticker", "expiration_date", "strike_price"];
        let (column, descends) = self.params.order_v3(&columns, ("ticker", false))?;
        let limit = self.params.limit(10, 250)?;
        let Some(stock) = self.world.stocks.get(ticker) else {
            return Err(Refused::not_found("Ticker not found."));
        };
        let mut live: Vec<(&String, &Contract)> = stock
            .contracts
            .iter()
            .filter(|(_, contract)| {
                contract.is_listed_on(self.today)
                    && strikes.admits(&contract.strike)
                    && expirations.admits(&contract.expiration)
                    && types.admits(&contract.call_put.name())
            })
            .collect();
        match column.as_str() {
            "expiration_date" => live.sort_by_key(|(_, contract)| contract.expiration),
            "strike_price" => live.sort_by(|(_, a), (_, b)| a.strike.total_cmp(&b.strike)),
            _ => {}
        }
        if descends {
            live.reverse();
        }
        let row = |(symbol, contract): &(&String, &Contract)| {
            self.snapshot_row(ticker, stock, symbol, contract)
        };
        Ok(Answer::Page(self.page(&live, limit, row)))
    }

    pub fn contract_snapshot(&self, ticker: &str, symbol: &str) -> Result<Answer, Refused> {
        self.check_plan(Family::Snapshot)?;
        let stock = self.world.stocks.get(ticker);
        let contract = stock.and_then(|stock| Some((stock, stock.contracts.get(symbol)?)));
        match contract {
            Some((stock, contract)) if contract.is_listed_on(self.today) => Ok(Answer::Object(
                self.snapshot_row(ticker, stock, symbol, contract),
            )),
            _ => Err(Refused::not_found("Options contract not found.")),
        }
    }

    fn snapshot_row(
        &self,
        ticker: &str,
        stock: &Stock,
        symbol: &str,
        contract: &Contract,
    ) -> Value {
        let mut row = json!({"day": {}, "details": details(symbol, contract), "greeks": {}});
        // The figure which is for the last session, and was known this morning.
        let last_session = self.world.session_before(self.today);
        if let Some(count) = last_session.and_then(|date| contract.open_interest.get(&date)) {
            row["open_interest"] = json!(count);
        }
        let quote = self.past(&contract.quotes, |quote| quote.ts).last();
        if let Some(quote) = quote.filter(|_| self.check_plan(Family::Quotes).is_ok()) {
            row["last_quote"] = json!({
                "ask": quote.ask, "ask_size": quote.ask_size, "bid": quote.bid,
                "bid_size": quote.bid_size, "midpoint": quote.bid.midpoint(quote.ask),
                "last_updated": quote.ts, "timeframe": "REAL-TIME",
            });
        }
        let print = self.past(&contract.prints, |print| print.ts).last();
        if let Some(print) = print.filter(|_| self.check_plan(Family::Trades).is_ok()) {
            row["last_trade"] = json!({
                "conditions": print.conditions, "exchange": print.exchange, "price": print.price,
                "sip_timestamp": print.ts, "size": print.size, "timeframe": "REAL-TIME",
            });
        }
        let today = contract.prints.range(self.today..=self.today);
        let today = today.flat_map(|(_, prints)| prints);
        let volume: i64 = today
            .take_while(|print| print.ts <= self.now)
            .map(|print| print.size)
            .sum();
        if volume > 0 {
            row["day"] = json!({"volume": volume});
        }
        let mut underlying = json!({"ticker": ticker, "timeframe": "REAL-TIME"});
        // The bar that has just begun has no price yet.
        let bars = self.past(&stock.minute_bars, |bar| bar.ts + 1);
        if let Some(bar) = bars.last() {
            underlying["price"] = json!(bar.close);
            underlying["last_updated"] = json!(bar.ts);
        }
        row["underlying_asset"] = underlying;
        row
    }

    /// Of the last day on which there was something by now, what there was.
    fn past<'t, T>(
        &self,
        days: &'t BTreeMap<NaiveDate, Vec<T>>,
        ts: impl Fn(&T) -> i64,
    ) -> &'t [T] {
        let past = days.range(..=self.today).rev().map(|(_, reports)| {
            let count = reports.partition_point(|report| ts(report) <= self.now);
            &reports[..count]
        });
        past.into_iter()
            .find(|past| !past.is_empty())
            .unwrap_or_default()
    }

    /// A row per contract and session, once the morning after that session has come.
    pub fn open_interest(&self) -> Result<Answer, Refused> {
        self.check_plan(Family::OpenInterest)?;
        let tickers = self.params.filter("ticker", Some)?;
        let roots = self.params.filter("root", Some)?;
        let dates = self.params.filter("date", query::date)?;
        let columns = ["ticker", "date"];
        let order = self.params.order_v1(&columns, "ticker.asc,date.desc")?;
        let mut rows = Vec::new();
        for (ticker, symbol, contract) in self.world.contracts() {
            if !tickers.admits(&symbol) || !roots.admits(&contract.root.as_str()) {
                continue;
            }
            for (date, count) in contract.open_interest.range(..self.today) {
                if dates.admits(date) {
                    self.check_history(*date)?;
                    rows.push(json!({
                        "ticker": symbol, "underlying_ticker": ticker, "root": contract.root,
                        "contract_type": contract.call_put.name(),
                        "expiration_date": contract.expiration.to_string(),
                        "strike_price": contract.strike, "date": date.to_string(),
                        "open_interest": count,
                    }));
                }
            }
        }
        self.sorted_page(rows, &order, (100, 1_000))
    }
}
