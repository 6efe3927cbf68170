//! Loading: from a run's folder back to the values a report is made of.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, TimestampNanosecondType};

use super::{FillPolicy, Header, ReportTrade, Run};
use crate::manifest::Manifest;
use crate::paper::Outcome;
use crate::store::{self, StoreError};
use crate::strategies::{Direction, Kind};
use crate::time::Ts;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {reason}", path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error("{}: {column} holds {got:?}, expected {expected}", path.display())]
    BadValue {
        path: PathBuf,
        column: &'static str,
        got: String,
        expected: &'static str,
    },
    #[error("{}: trade of signal {signal_id}, which signals.parquet does not have in that order", path.display())]
    NoSignal { path: PathBuf, signal_id: String },
}

/// Reads the run in `folder`: its manifest, its trades, and of their signals what tables need.
pub fn load(folder: &Path) -> Result<Run, LoadError> {
    let manifest = Manifest::read(&folder.join("manifest.json"))?;
    let signals = store::read_signals(folder)?;
    // Trades stand in the order of their signals, so one walk over the signals finds them all.
    let mut signals = signals
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let mut trades = Vec::new();
    for batch in store::read_trades(folder)? {
        for row in 0..batch.num_rows() {
            let signal_id = text(&batch, "signal_id", row);
            let (signals, signal) = signals
                .find(|(signals, row)| text(signals, "signal_id", *row) == signal_id)
                .ok_or_else(|| LoadError::NoSignal {
                    path: folder.join("trades.parquet"),
                    signal_id: signal_id.to_owned(),
                })?;
            trades.push(report_trade(
                folder,
                &batch,
                row,
                SignalFacts::of(signals, signal),
            )?);
        }
    }
    Ok(Run {
        header: header(&manifest),
        trades,
        counts: manifest.counts,
    })
}

struct SignalFacts {
    strength: f64,
    tags: Vec<String>,
    dte: i32,
    hour: u32,
    regime_trend: String,
    regime_volatility: String,
}

impl SignalFacts {
    fn of(batch: &RecordBatch, row: usize) -> SignalFacts {
        let tags = text(batch, "tags", row)
            .split('|')
            .filter(|tag| !tag.is_empty());
        SignalFacts {
            strength: float(batch, "strength", row),
            tags: tags.map(str::to_owned).collect(),
            dte: column(batch, "dte").as_primitive::<Int32Type>().value(row),
            hour: ts(batch, "available_at", row).exchange_hour(),
            regime_trend: text(batch, "regime_trend", row).to_owned(),
            regime_volatility: text(batch, "regime_volatility", row).to_owned(),
        }
    }
}

fn report_trade(
    folder: &Path,
    batch: &RecordBatch,
    row: usize,
    signal: SignalFacts,
) -> Result<ReportTrade, LoadError> {
    let path = || folder.join("trades.parquet");
    let bad = |column: &'static str, expected| {
        move || LoadError::BadValue {
            path: path(),
            column,
            got: text(batch, column, row).to_owned(),
            expected,
        }
    };
    let closed_at = column(batch, "closed_at").as_primitive::<TimestampNanosecondType>();
    Ok(ReportTrade {
        ticker: text(batch, "ticker", row).to_owned(),
        kind: Kind::parse(text(batch, "kind", row)).ok_or_else(bad("kind", "a kind of signal"))?,
        direction: Direction::parse(text(batch, "direction", row))
            .ok_or_else(bad("direction", "BULLISH or BEARISH"))?,
        outcome: Outcome::parse(text(batch, "outcome", row))
            .ok_or_else(bad("outcome", "an outcome"))?,
        opened_at: ts(batch, "opened_at", row),
        closed_at: closed_at
            .is_valid(row)
            .then(|| Ts::from_ns(closed_at.value(row))),
        pnl_pct_gross: float(batch, "pnl_pct_gross", row),
        pnl_pct_net: float(batch, "pnl_pct_net", row),
        best_case_pnl_pct: float(batch, "best_case_pnl_pct", row),
        sl_pct: float(batch, "sl_pct", row),
        mfe_pct: float(batch, "mfe_pct", row),
        mae_pct: float(batch, "mae_pct", row),
        ambiguous: column(batch, "ambiguous").as_boolean().value(row),
        strength: signal.strength,
        tags: signal.tags,
        dte: signal.dte,
        hour: signal.hour,
        regime_trend: signal.regime_trend,
        regime_volatility: signal.regime_volatility,
    })
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a dyn Array {
    batch
        .column_by_name(name)
        .expect("the schema was checked when the file was read")
}

fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> &'a str {
    column(batch, name).as_string::<i32>().value(row)
}

fn float(batch: &RecordBatch, name: &str, row: usize) -> f64 {
    column(batch, name).as_primitive::<Float64Type>().value(row)
}

fn ts(batch: &RecordBatch, name: &str, row: usize) -> Ts {
    Ts::from_ns(
        column(batch, name)
            .as_primitive::<TimestampNanosecondType>()
            .value(row),
    )
}

fn header(manifest: &Manifest) -> Header {
    Header {
        experiment_id: manifest.experiment_id.clone(),
        run: manifest.run.clone(),
        start: manifest.start,
        end: manifest.end,
        tickers: manifest.tickers.len(),
        fill_policy: FillPolicy {
            entry: manifest.fill_policy.entry.as_str().to_owned(),
            intrabar: manifest.fill_policy.intrabar.as_str().to_owned(),
            flat_at_close: manifest.fill_policy.flat_at_close,
            slippage_bps: manifest.fill_policy.slippage_bps,
            commission_per_contract: manifest.fill_policy.commission_per_contract,
        },
        notes: manifest.notes(),
    }
}
