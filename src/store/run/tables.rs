//! A run's tables: from signals and trades to the columns that are recorded of them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampNanosecondArray, UInt32Array,
};
use arrow::datatypes::{Field, Schema};
use chrono::NaiveDate;

use super::super::parquet::days_since_epoch;
use crate::flow::FlowDetail;
use crate::paper::Trade;
use crate::strategies::Signal;
use crate::time::Ts;

/// Columns in the making: a name, a type and a way to read a row, one after the other.
struct Columns<'a, T> {
    rows: &'a [T],
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl<'a, T> Columns<'a, T> {
    fn of(rows: &'a [T]) -> Columns<'a, T> {
        Columns {
            rows,
            fields: Vec::new(),
            arrays: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, nullable: bool, array: ArrayRef) {
        self.fields
            .push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    fn text(&mut self, name: &str, get: impl Fn(&T) -> String) {
        self.add(
            name,
            false,
            Arc::new(StringArray::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn name(&mut self, name: &str, get: impl Fn(&T) -> &str) {
        let array = StringArray::from_iter_values(self.rows.iter().map(get));
        self.add(name, false, Arc::new(array));
    }

    fn text_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<&'static str>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<StringArray>()),
        );
    }

    fn float(&mut self, name: &str, get: impl Fn(&T) -> f64) {
        self.add(
            name,
            false,
            Arc::new(Float64Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn float_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<f64>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<Float64Array>()),
        );
    }

    fn int(&mut self, name: &str, get: impl Fn(&T) -> i64) {
        self.add(
            name,
            false,
            Arc::new(Int64Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn int_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<i64>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<Int64Array>()),
        );
    }

    fn days(&mut self, name: &str, get: impl Fn(&T) -> i32) {
        self.add(
            name,
            false,
            Arc::new(Int32Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn count(&mut self, name: &str, get: impl Fn(&T) -> u32) {
        self.add(
            name,
            false,
            Arc::new(UInt32Array::from_iter_values(self.rows.iter().map(get))),
        );
    }

    fn flag(&mut self, name: &str, get: impl Fn(&T) -> bool) {
        let array: BooleanArray = self.rows.iter().map(|row| Some(get(row))).collect();
        self.add(name, false, Arc::new(array));
    }

    fn flag_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<bool>) {
        self.add(
            name,
            true,
            Arc::new(self.rows.iter().map(get).collect::<BooleanArray>()),
        );
    }

    fn ts(&mut self, name: &str, get: impl Fn(&T) -> Ts) {
        let array =
            TimestampNanosecondArray::from_iter_values(self.rows.iter().map(|row| get(row).ns()));
        self.add(name, false, Arc::new(array.with_timezone("UTC")));
    }

    fn ts_or_null(&mut self, name: &str, get: impl Fn(&T) -> Option<Ts>) {
        let array: TimestampNanosecondArray =
            self.rows.iter().map(|row| get(row).map(Ts::ns)).collect();
        self.add(name, true, Arc::new(array.with_timezone("UTC")));
    }

    fn date(&mut self, name: &str, get: impl Fn(&T) -> NaiveDate) {
        let array =
            Date32Array::from_iter_values(self.rows.iter().map(|row| days_since_epoch(get(row))));
        self.add(name, false, Arc::new(array));
    }

    fn finish(self) -> RecordBatch {
        let schema = Arc::new(Schema::new(self.fields));
        RecordBatch::try_new(schema, self.arrays).expect("every column has a value per row")
    }
}

/// The signals table: the decision, the event's columns, the context's columns.
pub fn signals_table(rows: &[Signal], experiment_id: &str) -> RecordBatch {
    let mut columns = Columns::of(rows);
    columns.text("signal_id", |s| hex(s.signal_id));
    columns.ts("ts", |s| s.ts);
    columns.ts("available_at", |s| s.available_at);
    columns.name("ticker", |s| &s.ticker);
    columns.name("kind", |s| s.kind.as_str());
    columns.name("call_put", |s| s.call_put.as_str());
    columns.name("direction", |s| s.direction.as_str());
    columns.float("strength", |s| s.strength);
    columns.text("tags", |s| s.tags.to_string());
    columns.name("rules", |s| &s.rules);
    event_columns(&mut columns);
    context_columns(&mut columns);
    columns.float_or_null("persistent_notional", |s| s.persistent_notional);
    columns.text("regime", |s| {
        format!("{}/{}", s.context.regime_trend, s.context.regime_volatility)
    });
    columns.text("experiment_id", |_| experiment_id.to_owned());
    columns.finish()
}

fn event_columns(columns: &mut Columns<Signal>) {
    fn detail(signal: &Signal) -> &FlowDetail {
        signal
            .detail
            .as_ref()
            .expect("a signal is recorded with its whole event")
    }
    columns.count("seq", |s| s.seq);
    columns.name("contract", |s| &s.contract);
    columns.float("strike", |s| s.strike);
    columns.date("expiry", |s| s.expiry);
    columns.float("price", |s| detail(s).price);
    columns.int("contracts", |s| detail(s).contracts);
    columns.float("notional", |s| s.notional);
    columns.float_or_null("bid", |s| detail(s).bid);
    columns.float_or_null("ask", |s| detail(s).ask);
    columns.name("side", |s| s.side.as_str());
    columns.name("side_source", |s| detail(s).side_source.as_str());
    columns.name("side_quality", |s| detail(s).side_quality.as_str());
    columns.flag("is_aggressive", |s| s.is_aggressive);
    columns.flag("is_sweep", |s| s.is_sweep);
    columns.flag("has_iso", |s| detail(s).has_iso);
    columns.flag("is_block", |s| detail(s).is_block);
    columns.flag("is_multi_leg", |s| s.is_multi_leg);
    columns.flag("is_extended", |s| detail(s).is_extended);
    columns.count("prints", |s| detail(s).prints);
    columns.count("exchanges", |s| detail(s).exchanges);
    columns.int("volume", |s| s.volume);
    columns.int_or_null("open_interest", |s| s.open_interest);
    columns.float_or_null("iv", |s| detail(s).iv);
    columns.float_or_null("delta", |s| detail(s).delta);
    columns.float_or_null("underlying_price", |s| s.underlying_price);
    columns.text("conditions", |s| {
        let codes: Vec<String> = detail(s).conditions.iter().map(i16::to_string).collect();
        codes.join("|")
    });
    columns.ts_or_null("cancelled_at", |s| detail(s).cancelled_at);
    columns.int("cancelled_contracts", |s| detail(s).cancelled_contracts);
    columns.name("source", |s| &detail(s).source);
}

fn context_columns(columns: &mut Columns<Signal>) {
    columns.days("dte", |s| s.context.dte);
    columns.float_or_null("spot", |s| s.context.spot);
    columns.float_or_null("otm_pct", |s| s.context.otm_pct);
    columns.float_or_null("vwap", |s| s.context.vwap);
    columns.flag_or_null("above_vwap", |s| s.context.above_vwap());
    columns.flag_or_null("below_vwap", |s| s.context.below_vwap());
    columns.float_or_null("rvol", |s| s.context.rvol);
    columns.text_or_null("trend_1m", |s| {
        s.context.trend_1m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_5m", |s| {
        s.context.trend_5m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_15m", |s| {
        s.context.trend_15m.map(|trend| trend.as_str())
    });
    columns.text_or_null("trend_daily", |s| {
        s.context.trend_daily.map(|trend| trend.as_str())
    });
    columns.float_or_null("prior_high", |s| s.context.prior_high);
    columns.float_or_null("prior_low", |s| s.context.prior_low);
    columns.float_or_null("or_high", |s| s.context.or_high);
    columns.float_or_null("or_low", |s| s.context.or_low);
    columns.float_or_null("high_30", |s| s.context.high_30);
    columns.float_or_null("low_30", |s| s.context.low_30);
    columns.flag_or_null("breaking_up", |s| s.context.breaking_up);
    columns.flag_or_null("breaking_down", |s| s.context.breaking_down);
    columns.float_or_null("day_high", |s| s.context.day_high);
    columns.float_or_null("day_low", |s| s.context.day_low);
    columns.float_or_null("prev_close", |s| s.context.prev_close);
    columns.float_or_null("last_close", |s| s.context.last_close);
    columns.name("regime_trend", |s| s.context.regime_trend.as_str());
    columns.name("regime_volatility", |s| {
        s.context.regime_volatility.as_str()
    });
}

/// The trades table.
pub fn trades_table(rows: &[Trade]) -> RecordBatch {
    let mut columns = Columns::of(rows);
    columns.text("position_id", |t| hex(t.position_id));
    columns.text("signal_id", |t| hex(t.signal_id));
    columns.name("ticker", |t| &t.ticker);
    columns.name("contract", |t| &t.contract);
    columns.ts("ts", |t| t.ts);
    columns.count("seq", |t| t.seq);
    columns.name("kind", |t| t.kind.as_str());
    columns.name("side", |t| t.side.as_str());
    columns.name("direction", |t| t.direction.as_str());
    columns.ts("opened_at", |t| t.opened_at);
    columns.float("entry_price", |t| t.entry_price);
    columns.ts_or_null("closed_at", |t| t.closed_at);
    columns.float("exit_price", |t| t.exit_price);
    columns.name("outcome", |t| t.outcome.as_str());
    columns.float("tp_pct", |t| t.tp_pct);
    columns.float("sl_pct", |t| t.sl_pct);
    columns.int("max_hold_seconds", |t| t.max_hold_seconds);
    columns.float("pnl_pct_gross", |t| t.pnl_pct_gross);
    columns.float("pnl_pct_net", |t| t.pnl_pct_net);
    columns.float("mfe_pct", |t| t.mfe_pct);
    columns.float("mae_pct", |t| t.mae_pct);
    columns.count("bars_held", |t| t.bars_held);
    columns.flag("ambiguous", |t| t.ambiguous);
    columns.float("best_case_pnl_pct", |t| t.best_case_pnl_pct);
    columns.finish()
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}
