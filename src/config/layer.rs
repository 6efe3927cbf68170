//! Layers: from the text of a file, or a `--set` argument, to a tree of the keys it gives.
//!
//! Every layer is read through the raw structs, so that a fault is reported where it was typed and
//! not where it surfaces after merging.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde_yaml::Value;

use super::error::{ConfigError, Fault};
use super::explain::explain;
use super::locate::{self, Place};
use super::raw::RawConfig;

/// The shipped config, compiled in: documentation and defaults are one file.
const DEFAULT: &str = include_str!("../../config.yaml");

/// Where a config may come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; it has to exist.
    pub file: Option<PathBuf>,
    /// Without `file`, `config.yaml` or else `config.json` in here, when there is one.
    pub search_dir: PathBuf,
    /// `--set key.path=value`, the last one wins.
    pub set: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    Default,
    File(String),
    Set(String),
}

/// One layer: what it is called, its text, and the keys it gives.
#[derive(Clone)]
pub(super) struct Layer {
    pub origin: Origin,
    pub tree: Value,
    /// Whether `tickers.overrides` in here stands for all of them.
    pub replaces_overrides: bool,
    text: String,
}

/// Without the text: what a user keeps in comments is nobody's business in a log.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layer({})", self.name())
    }
}

impl Layer {
    pub fn name(&self) -> &str {
        match &self.origin {
            Origin::Default => "default config",
            Origin::File(name) | Origin::Set(name) => name,
        }
    }

    /// Where the key stands, for a layer that has lines.
    pub fn place(&self, path: &[String]) -> Option<Place> {
        match self.origin {
            Origin::Set(_) => None,
            _ => locate::key(&self.text, path),
        }
    }

    pub fn error(&self, place: Option<Place>, key: String, fault: Fault) -> ConfigError {
        error(self.name(), place, key, fault)
    }
}

/// The layers of `sources`, lowest first.
pub(super) fn read_all(sources: &Sources) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = vec![parse(Origin::Default, DEFAULT)?];
    if let Some((path, name)) = find_file(sources) {
        let text = std::fs::read_to_string(&path).map_err(|cause| unreadable(&name, &cause))?;
        layers.push(parse(Origin::File(name), &text)?);
    }
    for argument in &sources.set {
        layers.push(parse_set(argument)?);
    }
    Ok(layers)
}

/// The file to read and what to call it. One that was found is called by its bare name.
fn find_file(sources: &Sources) -> Option<(PathBuf, String)> {
    if let Some(path) = &sources.file {
        return Some((path.clone(), path.display().to_string()));
    }
    let candidates =
        ["config.yaml", "config.json"].map(|name| (sources.search_dir.join(name), name.to_owned()));
    candidates.into_iter().find(|(path, _)| path.exists())
}

fn unreadable(name: &str, cause: &std::io::Error) -> ConfigError {
    let message = match cause.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => cause.to_string(),
    };
    error(name, None, String::new(), Fault::Unreadable { message })
}

/// Reads `key.path=value` as the document it abbreviates. A part of the path that has dots of its
/// own, such as BRK.B, goes in double quotes.
fn parse_set(argument: &str) -> Result<Layer, ConfigError> {
    let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
    let (path, key_only) = (split_path(key), format!("--set {}", key.trim()));
    if key.len() == argument.len() || path.iter().any(String::is_empty) {
        return Err(error(&key_only, None, String::new(), Fault::NoAssignment));
    }
    let mut text = String::new();
    for (depth, part) in path.iter().enumerate() {
        text += &format!(
            "\n{}{}:",
            "  ".repeat(depth),
            serde_json::Value::from(part.as_str())
        );
    }
    text += &format!(" {}\n", value.replace(['\n', '\r'], " "));
    // A value that belongs nowhere, or to `routing`, may be a secret: only its key is repeated.
    let name = if path[0] == "routing" {
        key_only.clone()
    } else {
        format!("--set {argument}")
    };
    let mut layer = parse(Origin::Set(name), &text).map_err(|mut error| {
        if matches!(*error.fault, Fault::UnknownKey { .. }) {
            error.origin = key_only;
        }
        error
    })?;
    // One key of one ticker's override changes that key; the shipped overrides stay.
    layer.replaces_overrides = path.len() <= 2;
    Ok(layer)
}

fn split_path(key: &str) -> Vec<String> {
    let mut path = vec![String::new()];
    let mut is_quoted = false;
    for c in key.trim().chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => path.push(String::new()),
            _ => path.last_mut().expect("it starts with one part").push(c),
        }
    }
    path
}

/// Reads one document. The tree comes from the raw structs and not from the text, so 2 and 2.0 or a
/// ticker called TRUE cannot differ by how they were typed.
fn parse(origin: Origin, text: &str) -> Result<Layer, ConfigError> {
    let mut layer = Layer {
        origin,
        tree: Value::Null,
        replaces_overrides: true,
        text: text.to_owned(),
    };
    if let Some((path, place)) = locate::duplicate(text) {
        let first_line = locate::key(text, &path).map_or(place.line, |first| first.line);
        let key = path.join(".");
        return Err(layer.error(
            Some(place),
            key.clone(),
            Fault::Duplicate { key, first_line },
        ));
    }
    // A file of nothing but comments changes nothing.
    let is_empty = text
        .lines()
        .all(|line| matches!(line.trim().chars().next(), None | Some('#')));
    let raw = if is_empty {
        RawConfig::default()
    } else {
        read(&layer)?
    };
    layer.tree =
        serde_yaml::to_value(raw).expect("raw blocks have nothing but text keys and plain values");
    Ok(layer)
}

fn read(layer: &Layer) -> Result<RawConfig, ConfigError> {
    serde_yaml::from_str(&layer.text).map_err(|cause| {
        let at = cause.location().map(|at| Place {
            line: at.line(),
            column: at.column(),
        });
        let (key, fault) = explain(&cause.to_string(), at);
        let place = at.filter(|_| !matches!(layer.origin, Origin::Set(_)));
        layer.error(place, key, fault)
    })
}

fn error(origin: &str, place: Option<Place>, key: String, fault: Fault) -> ConfigError {
    let (line, column) = place.map(|place| (place.line, place.column)).unzip();
    ConfigError {
        origin: origin.to_owned(),
        line,
        column,
        key,
        fault: Box::new(fault),
    }
}
