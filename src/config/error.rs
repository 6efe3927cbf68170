//! Config errors: which file, line, column and key, what was got and what was expected.

use std::fmt;

/// What is wrong with a config, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{fault}", Origin(self))]
pub struct ConfigError {
    /// The file as it was named, or the `--set` argument.
    pub origin: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// Dotted path, empty for the document itself.
    pub key: String,
    /// Boxed because every config function returns one and few fail.
    pub fault: Box<Fault>,
}

/// The facts behind a [`ConfigError`]; `key` is repeated where the message needs it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("unknown key {key}")]
    UnknownKey { key: String, valid: Vec<String> },
    #[error("{} is {got}, expected {expected}", if key.is_empty() { "the config" } else { key })]
    Unexpected {
        key: String,
        got: String,
        expected: String,
        nearest: Option<String>,
    },
    #[error("{key} is given twice, first on line {first_line}")]
    Duplicate { key: String, first_line: usize },
    /// Two keys that are fine alone and cannot both hold.
    #[error("{key} is {got}, expected {expected}")]
    Conflict {
        key: String,
        got: String,
        expected: String,
    },
    #[error("not valid YAML: {message}")]
    Syntax { message: String },
    #[error("cannot be read: {message}")]
    Unreadable { message: String },
    #[error("expected key.path=value")]
    NoAssignment,
}

impl ConfigError {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        match &*self.fault {
            Fault::UnknownKey { key, valid } => {
                let typed = key.rsplit('.').next().unwrap_or(key);
                Some(match nearest(typed, valid) {
                    Some(name) => format!("did you mean {name}?"),
                    None => format!("keys here: {}", valid.join(", ")),
                })
            }
            Fault::Unexpected {
                nearest: Some(name),
                ..
            } => Some(format!("did you mean {name}?")),
            Fault::Unreadable { .. } => Some(
                "without --config it is config.yaml or config.json of this folder, or else the defaults".to_owned(),
            ),
            Fault::NoAssignment => Some("for example: --set scalp.min_premium=75000".to_owned()),
            _ => None,
        }
    }
}

/// The valid name that `typed` most likely meant.
pub(super) fn nearest(typed: &str, valid: &[String]) -> Option<String> {
    let closeness = |name: &String| strsim::jaro_winkler(typed, name);
    let best = valid
        .iter()
        .max_by(|a, b| closeness(a).total_cmp(&closeness(b)))?;
    (closeness(best) > 0.8).then(|| best.clone())
}

/// `config.yaml:12:3: `, as far as it is known.
struct Origin<'a>(&'a ConfigError);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin)?;
        for number in [self.0.line, self.0.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        f.write_str(": ")
    }
}
