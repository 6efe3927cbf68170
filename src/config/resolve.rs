//! Resolving: from sources to a [`Config`] that has been checked as a whole.

use serde::de::DeserializeOwned;
use serde_yaml::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::error::{ConfigError, Fault};
use super::layer::{self, Layer, Origin, Sources};
use super::merge::{self, Merged, merge};
use super::mode::{self, Setting};
use super::raw::RawConfig;
use super::{CONSOLE, Config, ModeConfig};
use crate::strategies::Kind;

/// A resolved value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedValue {
    /// Dotted: `paper.entry`, or `scalp.min_premium` for a ticker's mode.
    pub key: String,
    /// As YAML on one line.
    pub value: String,
    /// `default config`, `config.yaml:12` or `--set scalp.min_premium=75000`.
    pub layer: String,
    /// The block that set it: `scalp`, `tickers.default`, `tickers.overrides.TSLA.scalp`.
    pub block: String,
}

impl Config {
    /// Reads, merges and checks. Fails at the first fault, with the place where it was typed.
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        let layers = layer::read_all(sources)?;
        let Merged { tree, set_by } = merge(&layers);
        // Through raw once more: keys in its order, whatever order the layers had.
        let raw: RawConfig =
            serde_yaml::from_value(tree).expect("a tree of checked values is checked");
        let tree = serde_yaml::to_value(raw)
            .expect("raw blocks have nothing but text keys and plain values");
        let config = Config {
            experiment_id: section(&tree, &["experiment_id"]),
            general: section(&tree, &["general"]),
            market_regime: section(&tree, &["market_regime"]),
            context: section(&tree, &["context"]),
            universe: section(&tree, &["universe"]),
            live: section(&tree, &["live"]),
            massive: section(&tree, &["massive"]),
            flow: section(&tree, &["flow"]),
            weights: section(&tree, &["scoring", "weights"]),
            paper: section(&tree, &["paper"]),
            routing: section(&tree, &["routing"]),
            tree,
            set_by,
            layers,
        };
        config.check()?;
        Ok(config)
    }

    /// The mode as it holds for `ticker`, all levels merged.
    pub fn mode(&self, ticker: &str, kind: Kind) -> ModeConfig {
        mode::typed(&mode::settings(&self.tree, Some(ticker), kind))
    }

    /// Every key, as YAML in a fixed order. Placeholders stand as typed.
    pub fn resolved_yaml(&self) -> String {
        serde_yaml::to_string(&self.tree).expect("a tree of plain values can be written")
    }

    /// Of the resolved form: comments, key order and spelling of a file do not enter.
    pub fn hash(&self) -> String {
        format!("{:032x}", xxh3_128(self.resolved_yaml().as_bytes()))
    }

    /// Of what decides signals and trades: not how a stream is run, where alerts go, or whom to ask.
    pub fn rules_hash(&self) -> String {
        let mut tree = self.tree.clone();
        if let Some(blocks) = tree.as_mapping_mut() {
            for block in ["live", "massive", "routing"] {
                blocks.remove(block);
            }
        }
        let text = serde_yaml::to_string(&tree).expect("a tree of plain values can be written");
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }

    /// Names of the layers that were read, lowest first.
    pub fn layers(&self) -> Vec<&str> {
        self.layers.iter().map(Layer::name).collect()
    }

    /// The tickers that have an override, sorted.
    pub fn overridden_tickers(&self) -> Vec<&str> {
        let overrides =
            merge::at(&self.tree, &["tickers", "overrides"]).and_then(Value::as_mapping);
        overrides
            .into_iter()
            .flat_map(|block| block.keys())
            .filter_map(Value::as_str)
            .collect()
    }

    /// Every resolved value and where it comes from: the whole config, or with a ticker or a kind
    /// the modes they leave.
    pub fn provenance(&self, ticker: Option<&str>, kind: Option<Kind>) -> Vec<ResolvedValue> {
        if ticker.is_none() && kind.is_none() {
            let mut values = Vec::new();
            self.collect(&self.tree, &mut Vec::new(), &mut values);
            return values;
        }
        let kinds = Kind::ALL
            .iter()
            .filter(|each| kind.is_none_or(|kind| kind == **each));
        let of_kind = |kind: &Kind| {
            let settings = mode::settings(&self.tree, ticker, *kind);
            let key = |setting: &Setting| format!("{}.{}", mode::block_of(*kind), setting.key);
            settings
                .iter()
                .map(|setting| self.resolved(key(setting), setting.value, &setting.path))
                .collect::<Vec<_>>()
        };
        kinds.flat_map(of_kind).collect()
    }

    fn collect(&self, value: &Value, path: &mut Vec<String>, values: &mut Vec<ResolvedValue>) {
        let Value::Mapping(block) = value else {
            return values.push(self.resolved(path.join("."), value, path));
        };
        for (key, value) in block {
            path.push(
                key.as_str()
                    .expect("raw blocks have nothing but text keys")
                    .to_owned(),
            );
            self.collect(value, path, values);
            path.pop();
        }
    }

    fn resolved(&self, key: String, value: &Value, path: &[String]) -> ResolvedValue {
        let layer = &self.layers[self.layer_of(path)];
        let place = match layer.origin {
            // The line of the compiled-in file is no use to someone who does not have it open.
            Origin::Default => None,
            _ => layer.place(path),
        };
        let layer = match place {
            Some(place) => format!("{}:{}", layer.name(), place.line),
            None => layer.name().to_owned(),
        };
        let block = path
            .split_last()
            .map(|(_, block)| block.join("."))
            .unwrap_or_default();
        ResolvedValue {
            key,
            value: one_line(value),
            layer,
            block,
        }
    }

    fn layer_of(&self, path: &[String]) -> usize {
        *self
            .set_by
            .get(path)
            .expect("merging notes a layer for every value")
    }

    /// What no single value can tell: pairs that have to be in order.
    fn check(&self) -> Result<(), ConfigError> {
        self.in_order(
            &self.at("market_regime", "rvol_low"),
            &self.at("market_regime", "rvol_high"),
        )?;
        self.in_order(
            &self.at("context", "rvol_min_sessions"),
            &self.at("context", "rvol_sessions"),
        )?;
        self.in_order(
            &self.at("live", "reconnect_first_seconds"),
            &self.at("live", "reconnect_longest_seconds"),
        )?;
        self.check_channels()?;
        let tickers = self.overridden_tickers();
        for ticker in std::iter::once(None).chain(tickers.into_iter().map(Some)) {
            for kind in Kind::ALL {
                self.check_mode(&mode::settings(&self.tree, ticker, *kind))?;
            }
        }
        Ok(())
    }

    /// Alerts go to channels that are there.
    fn check_channels(&self) -> Result<(), ConfigError> {
        let known = &self.routing.channels;
        let block = merge::at(&self.tree, &["routing", "alerts"]).and_then(Value::as_mapping);
        for (key, channels) in block.into_iter().flatten() {
            let names = channels.as_sequence().into_iter().flatten();
            let is_known = |name: &&str| *name == CONSOLE || known.contains_key(*name);
            let Some(unknown) = names.filter_map(Value::as_str).find(|name| !is_known(name)) else {
                continue;
            };
            let kind = key.as_str().expect("raw blocks have nothing but text keys");
            let path = ["routing", "alerts", kind].map(str::to_owned);
            let layer = &self.layers[self.layer_of(&path)];
            let channels: Vec<&str> = known.keys().map(String::as_str).collect();
            let key = path.join(".");
            let fault = Fault::Conflict {
                key: key.clone(),
                got: unknown.to_owned(),
                expected: format!(
                    "{CONSOLE} or one of routing.channels ({})",
                    channels.join(", ")
                ),
            };
            return Err(layer.error(layer.place(&path), key, fault));
        }
        Ok(())
    }

    fn check_mode(&self, settings: &[Setting]) -> Result<(), ConfigError> {
        let get = |key| {
            settings
                .iter()
                .find(|setting| setting.key == key)
                .expect("the shipped modes have every key")
        };
        // A mode that is off may be left as it is.
        if get("enabled").value == &Value::Bool(false) {
            return Ok(());
        }
        self.in_order(get("min_dte"), get("max_dte"))
    }

    fn at<'a>(&'a self, block: &str, key: &'a str) -> Setting<'a> {
        let value = merge::at(&self.tree, &[block, key]).expect("the shipped config has every key");
        Setting {
            key,
            value,
            path: vec![block.to_owned(), key.to_owned()],
        }
    }

    /// The blame goes to the one from the higher layer: the other was there first.
    fn in_order(&self, low: &Setting, high: &Setting) -> Result<(), ConfigError> {
        if low.number() <= high.number() {
            return Ok(());
        }
        let (blamed, other, bound) = if self.layer_of(&low.path) >= self.layer_of(&high.path) {
            (low, high, "at most")
        } else {
            (high, low, "at least")
        };
        let layer = &self.layers[self.layer_of(&blamed.path)];
        let key = blamed.path.join(".");
        let expected = format!(
            "{bound} {} ({})",
            other.path.join("."),
            one_line(other.value)
        );
        let fault = Fault::Conflict {
            key: key.clone(),
            got: one_line(blamed.value),
            expected,
        };
        Err(layer.error(layer.place(&blamed.path), key, fault))
    }
}

fn section<T: DeserializeOwned>(tree: &Value, path: &[&str]) -> T {
    let value = merge::at(tree, path)
        .expect("the shipped config has every block")
        .clone();
    serde_yaml::from_value(value)
        .expect("the shipped config has every key and raw has checked its value")
}

/// A value as it would be typed on one line.
fn one_line(value: &Value) -> String {
    match value {
        Value::Sequence(list) => format!(
            "[{}]",
            list.iter().map(one_line).collect::<Vec<_>>().join(", ")
        ),
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other)
            .expect("a plain value can be written")
            .trim_end()
            .to_owned(),
    }
}
