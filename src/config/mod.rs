//! Configuration: what was typed, layered and checked once, becomes [`Config`]; nobody asks the file again.
//!
//! ```text
//!  config.yaml, compiled in ─┐
//!  the user's file ──────────┼─ raw: typed, checked where it stands ─ merge ─ check pairs ─ Config
//!  --set key.path=value ─────┘
//! ```

mod error;
mod explain;
mod layer;
mod locate;
mod merge;
mod mode;
mod raw;
mod resolve;
pub mod secret;
mod values;

pub use error::{ConfigError, Fault};
pub use layer::Sources;
pub use resolve::ResolvedValue;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategies::Kind;

/// The channel that is always there: the terminal.
pub const CONSOLE: &str = "console";

/// All settings of a run: merged, defaulted, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub experiment_id: String,
    pub general: General,
    pub market_regime: MarketRegime,
    pub context: ContextConfig,
    pub universe: Universe,
    pub live: LiveConfig,
    pub massive: MassiveConfig,
    pub flow: FlowConfig,
    pub weights: Weights,
    pub paper: PaperConfig,
    pub routing: Routing,
    /// The merged form: what [`Config::mode`] looks things up in and what is printed and hashed.
    tree: serde_yaml::Value,
    /// For each value of `tree` the index of the layer that set it.
    set_by: BTreeMap<Vec<String>, usize>,
    layers: Vec<layer::Layer>,
}

/// The JSON schema of a config file, for editors.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(raw::RawConfig);
    schema.insert("title".to_owned(), "flowlab config".into());
    serde_json::to_string_pretty(&schema).expect("a schema is plain JSON")
}

/// How an event's direction is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionRule {
    BySide,
    ByType,
}

/// What a gate does with a value it cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingContext {
    Reject,
    Pass,
}

/// Where a stream has its quotes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuoteSource {
    Rest,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryRule {
    NextBarOpen,
    EventPrice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intrabar {
    Worst,
    Best,
}

impl EntryRule {
    /// As the config spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryRule::NextBarOpen => "next_bar_open",
            EntryRule::EventPrice => "event_price",
        }
    }
}

impl Intrabar {
    /// As the config spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Intrabar::Worst => "worst",
            Intrabar::Best => "best",
        }
    }
}

/// One mode for one ticker, all layers merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeConfig {
    pub enabled: bool,
    /// Dollars of notional.
    pub min_premium: f64,
    pub min_dte: i32,
    pub max_dte: i32,
    pub max_otm_pct: f64,
    /// `None`: no such gate.
    pub min_rvol: Option<f64>,
    pub min_strength: f64,
    pub cooldown_minutes: u32,
    pub tp_pct: f64,
    pub sl_pct: f64,
    pub max_hold_minutes: u32,
    /// Swing only.
    pub memory: Option<MemoryConfig>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryConfig {
    /// Sessions of chain memory, today included.
    pub memory_sessions: u32,
    pub persistent_multiple: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    pub size: f64,
    pub sweep: f64,
    pub aggressive: f64,
    pub vol_oi: f64,
    pub trend_confirmed: f64,
    pub level_break: f64,
    pub sweep_cluster: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct General {
    pub poll_interval_seconds: f64,
    pub max_events_per_cycle: u32,
    pub direction: DirectionRule,
    pub missing_context: MissingContext,
    pub include_multi_leg: bool,
}

/// Volatility now over its own mean: from `rvol_high` on HIGH, up to `rvol_low` LOW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketRegime {
    pub lookback_minutes: u32,
    pub rvol_high: f64,
    pub rvol_low: f64,
}

/// Sessions that relative volume compares with, and the fewest that will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextConfig {
    pub rvol_sessions: u32,
    pub rvol_min_sessions: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Universe {
    /// Empty: every ticker in the cache.
    pub tickers: Vec<String>,
}

/// Waits and intervals of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveConfig {
    pub reorder_ms: u64,
    pub quiet_seconds: f64,
    pub bar_wait_seconds: f64,
    pub stale_seconds: f64,
    pub reconnect_first_seconds: f64,
    pub reconnect_longest_seconds: f64,
    pub quotes: QuoteSource,
    pub heartbeat_seconds: f64,
}

/// The vendor's addresses and how hard it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MassiveConfig {
    pub rest_url: String,
    pub flat_files_url: String,
    pub flat_files_bucket: String,
    pub options_socket_url: String,
    pub stocks_socket_url: String,
    pub max_requests_per_second: f64,
    pub concurrency: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowConfig {
    /// Dollars; smaller events are not stored.
    pub min_notional: f64,
    pub sweep_window_ms: u64,
    pub sweep_min_exchanges: u32,
    pub block_min_contracts: i64,
    pub max_quote_age_seconds: u64,
    pub risk_free_rate_pct: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperConfig {
    pub entry: EntryRule,
    pub intrabar: Intrabar,
    pub flat_at_close: bool,
    pub slippage_bps: f64,
    /// Dollars.
    pub commission_per_contract: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// `${NAME}` placeholders by channel; [`secret::expand`] looks them up when a run begins.
    pub channels: BTreeMap<String, String>,
    pub alerts: Alerts,
    pub telegram: Telegram,
}

/// Names of channels by kind of message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    pub scalp: Vec<String>,
    pub day_trade: Vec<String>,
    pub swing: Vec<String>,
    pub heartbeat: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telegram {
    pub api_url: String,
    /// A `${NAME}` placeholder.
    pub bot_token: String,
}

impl Alerts {
    /// The channels of a strategy's alerts.
    pub fn of(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Scalp => &self.scalp,
            Kind::DayTrade => &self.day_trade,
            Kind::Swing => &self.swing,
        }
    }
}
