//! Reference data: contracts as of a day, splits, the table of conditions, market hours.

use chrono::{DateTime, Datelike, SecondsFormat};
use serde_json::{Value, json};

use super::super::new_york;
use super::super::world::{CallPut, Contract, Split, Stock};
use super::Call;
use super::chain::details;
use super::page::Answer;
use super::query;
use super::refused::Refused;

/// Codes and names of option trades. The vendor's number is 200 and the position of OPRA's letter.
const CONDITIONS: [(u16, &str); 33] = [
    (201, "Canceled"),
    (202, "Late and Out Of Sequence"),
    (203, "Last and Canceled"),
    (204, "Late"),
    (205, "Opening Trade and Canceled"),
    (206, "Opening Trade, Late, and Out Of Sequence"),
    (207, "Only Trade and Canceled"),
    (208, "Opening Trade and Late"),
    (209, "Automatic Execution"),
    (210, "Reopening Trade"),
    (219, "Intermarket Sweep Order"),
    (227, "Single Leg Auction Non ISO"),
    (228, "Single Leg Auction ISO"),
    (229, "Single Leg Cross Non ISO"),
    (230, "Single Leg Cross ISO"),
    (231, "Single Leg Floor Trade"),
    (232, "Multi Leg auto-electronic trade"),
    (233, "Multi Leg Auction"),
    (234, "Multi Leg Cross"),
    (235, "Multi Leg floor trade"),
    (236, "Multi Leg auto-electronic trade against single leg(s)"),
    (237, "Stock Options Auction"),
    (238, "Multi Leg Auction against single leg(s)"),
    (239, "Multi Leg floor trade against single leg(s)"),
    (240, "Stock Options auto-electronic trade"),
    (241, "Stock Options Cross"),
    (242, "Stock Options floor trade"),
    (
        243,
        "Stock Options auto-electronic trade against single leg(s)",
    ),
    (244, "Stock Options Auction against single leg(s)"),
    (245, "Stock Options floor trade against single leg(s)"),
    (246, "Multi Leg Floor Trade of Proprietary Products"),
    (
        247,
        "Multilateral Compression Trade of Proprietary Products",
    ),
    (248, "Extended Hours Trade"),
];

impl Call<'_> {
    /// The contracts listed on a day, today if none is named, or with `expired` those that had
    /// expired by then.
    pub fn contracts(&self) -> Result<Answer, Refused> {
        let as_of = self.params.parsed("as_of", self.today, query::date)?;
        let as_of = as_of.min(self.today);
        let expired = self
            .params
            .parsed("expired", false, |text| text.parse().ok())?;
        let underlyings = self.params.filter("underlying_ticker", Some)?;
        let tickers = self.params.filter("ticker", Some)?;
        let expirations = self.params.filter("expiration_date", query::date)?;
        let strikes = self
            .params
            .filter("strike_price", |text| text.parse::<f64>().ok())?;
        let types = self.params.filter("contract_type", Some)?;
        let columns = [
            "ticker",
            "underlying_ticker",
            "expiration_date",
            "strike_price",
        ];
        let order = self.params.order_v3(&columns, ("ticker", false))?;
        let mut rows = Vec::new();
        for (ticker, symbol, contract) in self.world.contracts() {
            let is_there = match expired {
                false => contract.is_listed_on(as_of),
                true => contract.expiration < as_of && contract.expiration <= contract.delisted,
            };
            let row = contract_row(ticker, symbol, contract);
            let call_put = row["contract_type"].as_str().unwrap_or_default();
            if is_there
                && underlyings.admits(&ticker)
                && tickers.admits(&symbol)
                && expirations.admits(&contract.expiration)
                && strikes.admits(&contract.strike)
                && types.admits(&call_put)
            {
                rows.push(row);
            }
        }
        self.sorted_page(rows, &[order], (10, 1_000))
    }

    pub fn contract(&self, symbol: &str) -> Result<Answer, Refused> {
        let as_of = self.params.parsed("as_of", self.today, query::date)?;
        let found = self.world.contract(symbol);
        match found.filter(|(_, contract)| contract.is_listed_on(as_of.min(self.today))) {
            Some((ticker, contract)) => Ok(Answer::Object(contract_row(ticker, symbol, contract))),
            None => Err(Refused::not_found("Options contract not found.")),
        }
    }

    pub fn splits(&self) -> Result<Answer, Refused> {
        let columns = ["ticker", "execution_date"];
        let order = self.params.order_v1(&columns, "execution_date.desc")?;
        let types = self.params.filter("adjustment_type", Some)?;
        let mut rows = self.split_rows()?;
        rows.retain(|row| types.admits(&row["adjustment_type"].as_str().unwrap_or_default()));
        self.sorted_page(rows, &order, (100, 5_000))
    }

    /// `/v3/reference/splits`: fewer fields, and another way to ask for the order.
    pub fn splits_of_old(&self) -> Result<Answer, Refused> {
        let columns = ["ticker", "execution_date"];
        let order = self.params.order_v3(&columns, ("execution_date", true))?;
        let mut rows = self.split_rows()?;
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("adjustment_type");
            row.remove("historical_adjustment_factor");
        }
        self.sorted_page(rows, &[order], (10, 1_000))
    }

    fn split_rows(&self) -> Result<Vec<Value>, Refused> {
        let tickers = self.params.filter("ticker", Some)?;
        let dates = self.params.filter("execution_date", query::date)?;
        let stocks = self.world.stocks.iter();
        let rows_of = |(ticker, stock): (&String, &Stock)| -> Vec<Value> {
            let admitted = stock.splits.iter().filter(|split| {
                tickers.admits(&ticker.as_str())
                    && split.date <= self.today
                    && dates.admits(&split.date)
            });
            let row = |split: &Split| {
                let before = split.date.pred_opt().unwrap_or(split.date);
                json!({
                    "ticker": ticker, "execution_date": split.date.to_string(),
                    "split_from": split.from, "split_to": split.to,
                    "adjustment_type": if split.to > split.from { "forward_split" } else { "reverse_split" },
                    "historical_adjustment_factor": stock.adjustment(before, self.today),
                    "id": format!("E{ticker}{}", split.date.format("%y%m%d")),
                })
            };
            admitted.map(row).collect()
        };
        Ok(stocks.flat_map(rows_of).collect())
    }

    pub fn conditions(&self) -> Result<Answer, Refused> {
        let limit = self.params.limit(10, 1_000)?;
        let assets = self.params.filter("asset_class", Some)?;
        let kinds = self.params.filter("data_type", Some)?;
        let list = match assets.admits(&"options") && kinds.admits(&"trade") {
            true => &CONDITIONS[..],
            false => &[],
        };
        let mut page = self.page(list, limit, |(id, name)| {
            let position = (id - 200) as u8;
            let letter = match position {
                1..=26 => b'A' + position - 1,
                _ => b'a' + position - 27,
            };
            let rules = json!({
                "updates_high_low": *id >= 208 && *id < 246,
                "updates_open_close": *id >= 208 && *id < 246,
                "updates_volume": *id >= 208,
            });
            json!({
                "id": id, "type": "sale_condition", "name": name, "asset_class": "options",
                "data_types": ["trade"], "sip_mapping": {"OPRA": char::from(letter).to_string()},
                "update_rules": {"consolidated": rules, "market_center": rules},
            })
        });
        page.beside.insert("count".into(), page.len().into());
        Ok(Answer::Page(page))
    }

    pub fn market_now(&self) -> Answer {
        let hours = self.world.sessions.get(&self.today);
        let (early, late) = (
            new_york::at(self.today, 4, 0),
            new_york::at(self.today, 20, 0),
        );
        let (market, before, after) = match hours {
            Some(hours) if (hours.open..hours.close).contains(&self.now) => ("open", false, false),
            Some(hours) if (early..hours.open).contains(&self.now) => {
                ("extended-hours", true, false)
            }
            Some(hours) if (hours.close..late).contains(&self.now) => {
                ("extended-hours", false, true)
            }
            _ => ("closed", false, false),
        };
        Answer::Bare(json!({
            "market": market, "earlyHours": before, "afterHours": after,
            "serverTime": new_york::rfc3339(self.now),
            "exchanges": {"nyse": market, "nasdaq": market, "otc": market},
        }))
    }

    /// Holidays and short days ahead, as far as the world has sessions: a row per exchange.
    pub fn market_upcoming(&self) -> Answer {
        let mut rows = Vec::new();
        let last = self.world.sessions.keys().next_back().copied();
        let days = self.today.iter_days().skip(1);
        let ahead = days.take_while(|day| last.is_some_and(|last| *day <= last));
        for day in ahead.filter(|day| day.weekday().num_days_from_monday() < 5) {
            let mut row = json!({"date": day.to_string(), "name": "Holiday"});
            match self.world.sessions.get(&day) {
                None => row["status"] = json!("closed"),
                Some(hours) if hours.close < new_york::at(day, 16, 0) => {
                    row["status"] = json!("early-close");
                    for (name, ts) in [("open", hours.open), ("close", hours.close)] {
                        let time = DateTime::from_timestamp_nanos(ts);
                        row[name] = json!(time.to_rfc3339_opts(SecondsFormat::Millis, true));
                    }
                }
                Some(_) => continue,
            }
            for exchange in ["NYSE", "NASDAQ", "OTC"] {
                row["exchange"] = json!(exchange);
                rows.push(row.clone());
            }
        }
        Answer::Bare(Value::Array(rows))
    }
}

fn contract_row(ticker: &str, symbol: &str, contract: &Contract) -> Value {
    let mut row = details(symbol, contract);
    let cfi = match contract.call_put {
        CallPut::Call => "OCASPS",
        CallPut::Put => "OPASPS",
    };
    row.insert("cfi".into(), cfi.into());
    row.insert("primary_exchange".into(), "BATO".into());
    row.insert("underlying_ticker".into(), ticker.into());
    if contract.shares != 100 {
        let deliverable =
            json!([{"amount": contract.shares, "type": "equity", "underlying": ticker}]);
        row.insert("additional_underlyings".into(), deliverable);
    }
    Value::Object(row)
}
