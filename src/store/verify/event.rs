//! Events: each has happened if it agrees with itself: its times, amounts, quote and contract.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    Date32Type, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type,
};

use super::super::parquet::{date_from_days, days_since_epoch};
use super::bars::is_price;
use super::findings::Findings;
use crate::flow::{CallPut, Contract, MULTIPLIER, Side, SideQuality, SideSource};
use crate::time::Ts;

/// Dollars by which `notional` may differ from price × contracts × multiplier, or its 10 000th part:
/// sources round.
const ROUNDING: f64 = 1.0;

/// What a symbol says.
pub(super) struct Terms {
    call_put: CallPut,
    expiry: i32,
    strike: f64,
    /// A root that ends in a digit is of a contract that was adjusted, for whatever it now delivers.
    is_adjusted: bool,
}

impl Terms {
    pub fn of(symbol: &str) -> Result<Terms, &'static str> {
        let contract = Contract::parse(symbol).map_err(|e| e.reason)?;
        Ok(Terms {
            call_put: contract.call_put,
            expiry: days_since_epoch(contract.expiry),
            strike: contract.strike,
            is_adjusted: contract.root.ends_with(|c: char| c.is_ascii_digit()),
        })
    }
}

/// The columns of a batch.
pub(super) struct Columns<'a> {
    pub ts: &'a [i64],
    pub available_at: ScalarBuffer<i64>,
    pub seq: ScalarBuffer<u32>,
    call_put: Vec<Option<CallPut>>,
    strike: ScalarBuffer<f64>,
    expiry: ScalarBuffer<i32>,
    price: ScalarBuffer<f64>,
    contracts: ScalarBuffer<i64>,
    pub notional: ScalarBuffer<f64>,
    bid: &'a Float64Array,
    ask: &'a Float64Array,
    sides: Vec<Option<Side>>,
    sources: Vec<Option<SideSource>>,
    is_aggressive: &'a BooleanArray,
    prints: ScalarBuffer<u32>,
    pub volume: ScalarBuffer<i64>,
    open_interest: &'a Int64Array,
    iv: &'a Float64Array,
    delta: &'a Float64Array,
    underlying_price: &'a Float64Array,
    cancelled_at: Vec<Option<i64>>,
    pub cancelled_contracts: ScalarBuffer<i64>,
}

impl<'a> Columns<'a> {
    pub fn of(batch: &'a RecordBatch, first: u64, findings: &mut Findings) -> Columns<'a> {
        let column = |name: &str| batch.column_by_name(name).expect("the schema was checked");
        let float = |name: &str| column(name).as_primitive::<Float64Type>();
        let int = |name: &str| column(name).as_primitive::<Int64Type>();
        let time = |name: &str| column(name).as_primitive::<TimestampNanosecondType>();
        let count = |name: &str| column(name).as_primitive::<UInt32Type>();
        let texts = |name: &str| Texts {
            column: column(name),
            name: name.to_owned(),
            first,
        };
        let (call_put, side) = (texts("call_put"), texts("side"));
        let (source, quality) = (texts("side_source"), texts("side_quality"));
        quality.parse(SideQuality::parse, findings);
        Columns {
            ts: time("ts").values(),
            available_at: time("available_at").values().clone(),
            seq: count("seq").values().clone(),
            call_put: call_put.parse(CallPut::parse, findings),
            strike: float("strike").values().clone(),
            expiry: column("expiry")
                .as_primitive::<Date32Type>()
                .values()
                .clone(),
            price: float("price").values().clone(),
            contracts: int("contracts").values().clone(),
            notional: float("notional").values().clone(),
            bid: float("bid"),
            ask: float("ask"),
            sides: side.parse(Side::parse, findings),
            sources: source.parse(SideSource::parse, findings),
            is_aggressive: column("is_aggressive").as_boolean(),
            prints: count("prints").values().clone(),
            volume: int("volume").values().clone(),
            open_interest: int("open_interest"),
            iv: float("iv"),
            delta: float("delta"),
            underlying_price: float("underlying_price"),
            cancelled_at: time("cancelled_at").iter().collect(),
            cancelled_contracts: int("cancelled_contracts").values().clone(),
        }
    }

    pub fn look_at_times(&self, i: usize, row: u64, findings: &mut Findings) {
        let (ts, available_at) = (self.ts[i], self.available_at[i]);
        if available_at < ts {
            findings.row("available_at is before ts", row, || {
                let expected = format!("{} or later", Ts::from_ns(ts));
                (Ts::from_ns(available_at).to_string(), expected)
            });
        }
        let cancelled = self.cancelled_contracts[i];
        let agree = match self.cancelled_at[i] {
            Some(at) => cancelled > 0 && at >= available_at,
            None => cancelled == 0,
        };
        if !agree {
            findings.row("cancelled_at and cancelled_contracts disagree", row, || {
                let at = self.cancelled_at[i];
                let at = at.map_or_else(|| "null".to_owned(), |at| Ts::from_ns(at).to_string());
                let expected = "both or neither, and no cancel before available_at";
                (format!("{cancelled} at {at}"), expected.to_owned())
            });
        }
    }

    pub fn look_at_amounts(&self, i: usize, row: u64, findings: &mut Findings) {
        if !is_price(self.price[i]) {
            findings.row("price is none", row, || {
                (self.price[i].to_string(), "finite and above 0".to_owned())
            });
        }
        if !is_price(self.notional[i]) {
            findings.row("notional is none", row, || {
                (
                    self.notional[i].to_string(),
                    "finite and above 0".to_owned(),
                )
            });
        }
        for (problem, value) in [
            ("contracts is not above 0", self.contracts[i]),
            ("prints is not above 0", i64::from(self.prints[i])),
        ] {
            if value <= 0 {
                findings.row(problem, row, || {
                    (value.to_string(), "at least 1".to_owned())
                });
            }
        }
        if self.volume[i] < 0 {
            findings.row("volume is negative", row, || {
                (self.volume[i].to_string(), "at least 0".to_owned())
            });
        }
    }

    pub fn look_at_quote(&self, i: usize, row: u64, findings: &mut Findings) {
        let (bid, ask) = (optional(self.bid, i), optional(self.ask, i));
        let said = || {
            let said = |price: Option<f64>| price.map_or("null".to_owned(), |p| p.to_string());
            format!("bid {}, ask {}", said(bid), said(ask))
        };
        let is_quote = |price: Option<f64>| price.is_none_or(|p| p.is_finite() && p >= 0.0);
        if !is_quote(bid) || !is_quote(ask) {
            findings.row("bid or ask is none", row, || {
                (said(), "finite and at least 0, or null".to_owned())
            });
        }
        // A crossed quote happens; it says nothing about the side.
        if let (Some(bid), Some(ask)) = (bid, ask)
            && bid > ask
            && ask > 0.0
            && self.sources[i] == Some(SideSource::Quote)
        {
            findings.row("a crossed quote has decided the side", row, || {
                (said(), "a side_source other than quote".to_owned())
            });
        }
        if self.is_aggressive.value(i) && self.sides[i] == Some(Side::Unknown) {
            findings.row("aggressive without a side", row, || {
                ("side UNKNOWN".to_owned(), "BUY or SELL".to_owned())
            });
        }
    }

    pub fn look_at_optional(&self, i: usize, row: u64, findings: &mut Findings) {
        if self.open_interest.is_valid(i) && self.open_interest.value(i) < 0 {
            findings.row("open_interest is negative", row, || {
                (
                    self.open_interest.value(i).to_string(),
                    "at least 0, or null".to_owned(),
                )
            });
        }
        if let Some(price) = optional(self.underlying_price, i).filter(|p| !is_price(*p)) {
            findings.row("underlying_price is none", row, || {
                (price.to_string(), "finite and above 0, or null".to_owned())
            });
        }
        if let Some(iv) = optional(self.iv, i).filter(|iv| !(iv.is_finite() && *iv >= 0.0)) {
            findings.row("iv is none", row, || {
                (iv.to_string(), "finite and at least 0, or null".to_owned())
            });
        }
        // A hair beyond one is rounding.
        if let Some(delta) = optional(self.delta, i).filter(|d| d.is_nan() || d.abs() > 1.0 + 1e-6)
        {
            findings.row("delta is none", row, || {
                (delta.to_string(), "from -1 to 1, or null".to_owned())
            });
        }
    }

    pub fn look_at_contract(
        &self,
        i: usize,
        row: u64,
        symbol: &str,
        terms: &Terms,
        date: Option<i32>,
        findings: &mut Findings,
    ) {
        let agree = self.call_put[i] == Some(terms.call_put)
            && self.expiry[i] == terms.expiry
            && (self.strike[i] - terms.strike).abs() < 1e-9;
        if !agree {
            findings.row("not the contract of its symbol", row, || {
                let expiry = date_from_days(self.expiry[i]);
                let expiry = expiry.map_or("no date".to_owned(), |date| date.to_string());
                let call_put = self.call_put[i].map_or("?", CallPut::as_str);
                let got = format!("{call_put} {} of {expiry}", self.strike[i]);
                (got, symbol.to_owned())
            });
        }
        if date.is_some_and(|date| self.expiry[i] < date) {
            findings.row("contract had expired", row, || {
                (
                    symbol.to_owned(),
                    "an expiry on the day of ts or later".to_owned(),
                )
            });
        }
        let (notional, exact) = (
            self.notional[i],
            self.price[i] * self.contracts[i] as f64 * MULTIPLIER,
        );
        let rounding = ROUNDING.max(exact.abs() / 10_000.0);
        if !terms.is_adjusted && (notional - exact).abs() > rounding {
            findings.row("notional is not price × contracts × 100", row, || {
                (notional.to_string(), format!("{exact:.2}"))
            });
        }
    }
}

/// A column of names and the row of the file it begins with.
struct Texts<'a> {
    column: &'a ArrayRef,
    name: String,
    first: u64,
}

impl Texts<'_> {
    /// What each row means; a name nobody gave is an error.
    fn parse<T: Copy>(
        &self,
        parse: impl Fn(&str) -> Option<T>,
        findings: &mut Findings,
    ) -> Vec<Option<T>> {
        let column = self.column.as_dictionary::<Int32Type>();
        let names = column.values().as_string::<i32>();
        let meanings: Vec<Option<T>> = names.iter().map(|name| parse(name?)).collect();
        let meaning = |key: Option<i32>| *meanings.get(key? as usize)?;
        let mut parsed = Vec::with_capacity(column.len());
        for (i, key) in column.keys().iter().enumerate() {
            let value = meaning(key);
            if value.is_none() && key.is_some() {
                let problem = format!("{} is none of its names", self.name);
                findings.row(&problem, self.first + i as u64, || {
                    let name = names.value(key.unwrap_or_default() as usize);
                    (name.to_owned(), format!("a valid {}", self.name))
                });
            }
            parsed.push(value);
        }
        parsed
    }
}

fn optional(column: &Float64Array, i: usize) -> Option<f64> {
    column.is_valid(i).then(|| column.value(i))
}
