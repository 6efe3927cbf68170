//! Raw: a config as typed. Every key may be left out, none may be unknown, and each value is checked
//! where it stands. The same structs read every layer and describe the JSON schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::values::{
    BasisPoints, Bucket, ChannelName, ChannelNames, Count, ExperimentId, HttpUrl, NonNegative,
    Percent, Placeholder, Positive, SocketUrl, Strength, Threads, Ticker, Tickers, Whole,
};
use super::{DirectionRule, EntryRule, Intrabar, MissingContext, QuoteSource};

/// A key that may be left out. When it is there it has a value: `min_premium:` with nothing behind
/// it is a slip and not a default, which is why this is no plain `Option`.
#[derive(Clone, Debug, PartialEq)]
pub struct Given<T>(pub Option<T>);

impl<T> Given<T> {
    fn is_missing(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Given(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Given(Some(value)))
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A struct whose fields are the keys of one block.
macro_rules! block {
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $kind:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields, expecting = "a block of keys")]
        pub struct $name {$(
            $(#[$key_doc])*
            #[serde(skip_serializing_if = "Given::is_missing")]
            pub $key: Given<$kind>,
        )+}
    };
}

/// A block of mode keys, and what it has besides.
macro_rules! mode_block {
    ($(#[$doc:meta])* $name:ident { $($more:tt)* }) => {
        block! {
            $(#[$doc])*
            $name {
                /// Switches the mode off; false at any level wins.
                enabled: bool,
                /// Smallest premium of an event, dollars.
                min_premium: NonNegative,
                /// Fewest calendar days to expiry.
                min_dte: Whole,
                /// Most calendar days to expiry.
                max_dte: Whole,
                /// Farthest distance of the strike from spot, percent of spot, either way.
                max_otm_pct: NonNegative,
                /// Smallest relative volume of the underlying; null for no such gate.
                min_rvol: Option<NonNegative>,
                /// Smallest score that makes a signal.
                min_strength: Strength,
                /// How long the same ticker and direction stays quiet after a signal; 0 for never.
                cooldown_minutes: Whole,
                /// Take profit, percent of the underlying's price.
                tp_pct: Positive,
                /// Stop, percent of the underlying's price, without a sign.
                sl_pct: Positive,
                /// The longest a paper trade is held, calendar minutes.
                max_hold_minutes: Count,
                $($more)*
            }
        }
    };
}

block! {
    /// flowlab's configuration: a file holds what differs from the defaults.
    RawConfig {
        /// Names the run's folder and is part of every signal's id.
        experiment_id: ExperimentId,
        general: RawGeneral,
        market_regime: RawMarketRegime,
        context: RawContext,
        tickers: RawTickers,
        universe: RawUniverse,
        live: RawLive,
        massive: RawMassive,
        flow: RawFlow,
        scalp: RawMode,
        day_trade: RawMode,
        swing: RawSwing,
        scoring: RawScoring,
        paper: RawPaper,
        routing: RawRouting,
    }
}

block! {
    RawGeneral {
        /// How often sources without a stream are asked.
        poll_interval_seconds: Positive,
        /// The most events taken per round.
        max_events_per_cycle: Count,
        /// by_side: bought calls and sold puts are bullish; by_type: calls are.
        direction: DirectionRule,
        /// What a gate does with a value it cannot know.
        missing_context: MissingContext,
        /// Whether legs of spreads reach the strategies.
        include_multi_leg: bool,
    }
}

block! {
    /// Volatility of the market proxy now, against its own mean.
    RawMarketRegime {
        lookback_minutes: Count,
        /// From this ratio on volatility is HIGH.
        rvol_high: NonNegative,
        /// Up to this ratio volatility is LOW.
        rvol_low: NonNegative,
    }
}

block! {
    RawContext {
        /// Sessions relative volume compares with.
        rvol_sessions: Count,
        /// The fewest that still make a comparison.
        rvol_min_sessions: Count,
    }
}

block! {
    RawTickers {
        /// Holds for every ticker, below its override.
        default: RawOverride,
        /// By ticker; replaces the shipped overrides as a whole.
        overrides: BTreeMap<Ticker, RawOverride>,
    }
}

block! {
    RawUniverse {
        /// The tickers to run; empty for every ticker in the cache.
        tickers: Tickers,
    }
}

block! {
    /// Waits and intervals of a stream.
    RawLive {
        /// How far prints may come out of their order.
        reorder_ms: Whole,
        /// Silence after which what the tape had begun is taken as complete.
        quiet_seconds: Positive,
        /// How long a minute's bar is waited for after the minute.
        bar_wait_seconds: Positive,
        /// Silence in session hours that ends a connection.
        stale_seconds: Positive,
        /// The first wait before another try to connect; it doubles.
        reconnect_first_seconds: Positive,
        /// The longest wait before another try to connect.
        reconnect_longest_seconds: Positive,
        /// rest: asked for around prints that can come to an event; none: sides by tick test.
        quotes: QuoteSource,
        /// How often the stream says that it is alive.
        heartbeat_seconds: Positive,
    }
}

block! {
    /// The vendor's addresses and how hard it is asked. Keys come from the environment alone.
    RawMassive {
        rest_url: HttpUrl,
        flat_files_url: HttpUrl,
        flat_files_bucket: Bucket,
        options_socket_url: SocketUrl,
        stocks_socket_url: SocketUrl,
        /// The most calls in a second; fewer when the vendor says so.
        max_requests_per_second: Positive,
        /// Calls under way at once.
        concurrency: Threads,
    }
}

block! {
    RawFlow {
        /// Smaller events are not stored, dollars.
        min_notional: NonNegative,
        /// Prints of one contract and side this close together are one event.
        sweep_window_ms: Whole,
        /// Distinct exchanges that make an event a sweep.
        sweep_min_exchanges: Count,
        /// Contracts that make one print a block.
        block_min_contracts: Count,
        /// An older quote does not tell the aggressor.
        max_quote_age_seconds: Whole,
        /// For implied volatility where the source has none, percent a year.
        risk_free_rate_pct: Percent,
    }
}

mode_block! {
    /// One mode's gates and barriers.
    RawMode {}
}

mode_block! {
    /// Swing: one mode's gates and barriers, and its chain memory.
    RawSwing {
        /// Sessions of chain memory, today included.
        memory_sessions: Count,
        /// Remembered notional of this many times min_premium tags a PERSISTENT_BUYER.
        persistent_multiple: Positive,
    }
}

mode_block! {
    /// Settings of a ticker: keys on top hold for all modes, blocks for one.
    RawOverride {
        scalp: RawMode,
        day_trade: RawMode,
        swing: RawSwing,
    }
}

block! {
    RawScoring {
        /// What each tag adds to a signal's strength.
        weights: RawWeights,
    }
}

block! {
    RawWeights {
        size: NonNegative,
        sweep: NonNegative,
        aggressive: NonNegative,
        vol_oi: NonNegative,
        trend_confirmed: NonNegative,
        level_break: NonNegative,
        sweep_cluster: NonNegative,
    }
}

block! {
    RawPaper {
        /// The price a paper trade starts at.
        entry: EntryRule,
        /// Which barrier a bar that touches both fills.
        intrabar: Intrabar,
        /// Whether scalps and day trades end with the session.
        flat_at_close: bool,
        /// Makes entry and exit worse by this much.
        slippage_bps: BasisPoints,
        /// Dollars, in option P&L only.
        commission_per_contract: NonNegative,
    }
}

block! {
    RawRouting {
        /// Where alerts go: names of environment variables, never their values.
        channels: BTreeMap<ChannelName, Placeholder>,
        alerts: RawAlerts,
        telegram: RawTelegram,
    }
}

block! {
    /// The channels of each kind of message.
    RawAlerts {
        scalp: ChannelNames,
        day_trade: ChannelNames,
        swing: ChannelNames,
        heartbeat: ChannelNames,
    }
}

block! {
    RawTelegram {
        api_url: HttpUrl,
        bot_token: Placeholder,
    }
}
