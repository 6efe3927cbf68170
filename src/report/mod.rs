//! Reports: from what a run recorded (its trades, their signals, its counts) to tables of values,
//! and from tables to text.
//!
//! ```text
//!  Run ──tables::tables──▶ Vec<Table> ──render::render──▶ terminal, CSV, JSON, Markdown
//!         group, stats      values only                    who rounds, and how
//! ```
//!
//! Nothing here runs the engine: a report can be made again tomorrow from what was recorded today.
//! A table holds numbers, not text, so every format shows the same figure and only a renderer
//! decides how many digits of it a reader needs.

pub mod alert;
mod group;
mod load;
pub mod render;
pub mod stats;
pub mod table;
pub mod tables;

pub use group::{Dimension, DimensionError, parse_crossing};
pub use load::{LoadError, load};
pub use render::{Format, TerminalStyle, render, render_styled};
pub use stats::TradeStats;
pub use table::{Cell, Column, Fact, Row, Table};
pub use tables::tables;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::paper::Outcome;
use crate::strategies::{Direction, Kind};
use crate::time::Ts;

/// What a report is made of; read back from a run's folder, never from the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub header: Header,
    /// In the order they were recorded, which is the order they are summed in.
    pub trades: Vec<ReportTrade>,
    /// Dotted names: `events_read`, `signals.SCALP`, `rejected.dte`, `missing_context.rvol`.
    pub counts: BTreeMap<String, u64>,
}

/// What holds for the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub experiment_id: String,
    pub run: String,
    pub start: NaiveDate,
    pub end: NaiveDate,
    pub tickers: usize,
    pub fill_policy: FillPolicy,
    /// Missing days, missing warm-up: whatever a reader must know before the figures.
    pub notes: Vec<String>,
}

/// How trades were filled and what that cost; without it no figure means anything.
#[derive(Clone, Debug, PartialEq)]
pub struct FillPolicy {
    pub entry: String,
    pub intrabar: String,
    pub flat_at_close: bool,
    /// Per side, on the underlying.
    pub slippage_bps: f64,
    /// Dollars per contract and side.
    pub commission_per_contract: f64,
}

/// One recorded trade with what the tables need of its signal.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportTrade {
    pub ticker: String,
    pub kind: Kind,
    pub direction: Direction,
    pub outcome: Outcome,
    pub opened_at: Ts,
    /// `None` while the trade is open.
    pub closed_at: Option<Ts>,
    pub pnl_pct_gross: f64,
    pub pnl_pct_net: f64,
    pub best_case_pnl_pct: f64,
    /// The stop distance, positive.
    pub sl_pct: f64,
    pub mfe_pct: f64,
    pub mae_pct: f64,
    pub ambiguous: bool,
    pub strength: f64,
    pub tags: Vec<String>,
    pub dte: i32,
    /// New York hour of the signal's `available_at`.
    pub hour: u32,
    pub regime_trend: String,
    pub regime_volatility: String,
}
