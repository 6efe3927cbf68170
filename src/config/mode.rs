//! Modes: from the merged tree to one mode's settings for one ticker, and the block each came from.

use serde_yaml::{Mapping, Value};

use super::merge;
use super::{MemoryConfig, ModeConfig};
use crate::strategies::Kind;

/// A key of a mode, its value, and the path of the place that set it.
#[derive(Clone, Debug)]
pub(super) struct Setting<'a> {
    pub key: &'a str,
    pub value: &'a Value,
    pub path: Vec<String>,
}

impl Setting<'_> {
    pub fn number(&self) -> f64 {
        self.value.as_f64().expect("raw read a number here")
    }
}

/// The block of a kind, as the config calls it.
pub(super) fn block_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalp => "scalp",
        Kind::DayTrade => "day_trade",
        Kind::Swing => "swing",
    }
}

/// Every key of the mode, in the order of its base block. Without a ticker: what holds for those
/// that have no override.
pub(super) fn settings<'a>(tree: &'a Value, ticker: Option<&str>, kind: Kind) -> Vec<Setting<'a>> {
    let mode = block_of(kind);
    let mut blocks = vec![
        vec![mode],
        vec!["tickers", "default"],
        vec!["tickers", "default", mode],
    ];
    if let Some(ticker) = ticker {
        blocks.push(vec!["tickers", "overrides", ticker]);
        blocks.push(vec!["tickers", "overrides", ticker, mode]);
    }
    let base = merge::at(tree, &[mode])
        .and_then(Value::as_mapping)
        .expect("the shipped config has every mode");
    base.keys()
        .filter_map(Value::as_str)
        .map(|key| setting(tree, &blocks, key))
        .collect()
}

/// The last block that has the key wins; for `enabled` the first that says no.
fn setting<'a>(tree: &'a Value, blocks: &[Vec<&str>], key: &'a str) -> Setting<'a> {
    let in_block = |block: &Vec<&str>| {
        let path: Vec<&str> = block.iter().copied().chain([key]).collect();
        let value = merge::at(tree, &path)?;
        Some(Setting {
            key,
            value,
            path: path.into_iter().map(str::to_owned).collect(),
        })
    };
    let mut given: Vec<Setting> = blocks.iter().filter_map(in_block).collect();
    let winner = match key {
        "enabled" => given
            .iter()
            .position(|setting| setting.value == &Value::Bool(false))
            .unwrap_or(0),
        _ => given.len() - 1,
    };
    given.swap_remove(winner)
}

/// The typed form of a mode's settings.
pub(super) fn typed(settings: &[Setting]) -> ModeConfig {
    let mut mode = Mapping::new();
    let mut memory = Mapping::new();
    for setting in settings {
        let block = match setting.key {
            "memory_sessions" | "persistent_multiple" => &mut memory,
            _ => &mut mode,
        };
        block.insert(setting.key.into(), setting.value.clone());
    }
    let memory: Option<MemoryConfig> = (!memory.is_empty()).then(|| read(memory));
    let mode: ModeConfig = read(mode);
    ModeConfig { memory, ..mode }
}

fn read<T: serde::de::DeserializeOwned>(block: Mapping) -> T {
    serde_yaml::from_value(Value::Mapping(block)).expect("raw has checked every value of a mode")
}
