//! Failures: from an error to what a person reads, and the exit code a script branches on.

use std::io::Write;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::fetch::FetchError;
use crate::providers::lean::LeanError;
use crate::providers::massive::MassiveError;
use crate::providers::tables::TablesError;
use crate::providers::unusual_whales::UwError;
use crate::report::LoadError;
use crate::store::StoreError;

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// A failure found by a command itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// The command line or the config asks for something that cannot be.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
            code: USAGE,
        }
    }

    /// The world is not as it should be.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
            code: FAILED,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

/// Prints `error`, its causes and what to do, and returns the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text += &format!("  because {cause}\n");
    }
    let (code, hint) = error.chain().find_map(classify).unwrap_or((FAILED, None));
    if let Some(hint) = hint {
        text += &format!("hint: {hint}\n");
    }
    // Whoever closed stderr does not want to know; the exit code still says it.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(code)
}

fn classify(cause: &(dyn std::error::Error + 'static)) -> Option<(u8, Option<String>)> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some((failure.code, failure.hint.clone()));
    }
    if let Some(error) = cause.downcast_ref::<ConfigError>() {
        let describe = || "`flowlab config schema` says what every key takes".to_owned();
        return Some((USAGE, error.hint().or_else(|| Some(describe()))));
    }
    if let Some(error) = cause.downcast_ref::<LeanError>() {
        return Some((FAILED, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<FetchError>() {
        return Some((FAILED, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<UwError>() {
        return Some((FAILED, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<TablesError>() {
        return Some((FAILED, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<MassiveError>() {
        return Some((FAILED, error.hint().map(str::to_owned)));
    }
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return Some((FAILED, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<LoadError>() {
        return Some((FAILED, load_hint(error)));
    }
    match cause.downcast_ref::<EngineError>()? {
        EngineError::Store(error) => Some((FAILED, error.hint())),
        EngineError::BelowFloor { floor, .. } => {
            let hint = format!(
                "raise its min_premium to {floor} or more, or bring the flow in again with a lower flow.min_notional"
            );
            Some((USAGE, Some(hint)))
        }
        _ => None,
    }
}

/// A run is made again from its input; a table of it is not repaired.
fn load_hint(error: &LoadError) -> Option<String> {
    let path = match error {
        LoadError::Store(error) => &error.path,
        LoadError::Manifest { path, .. }
        | LoadError::BadValue { path, .. }
        | LoadError::NoSignal { path, .. } => path,
    };
    let folder = path.parent()?.display();
    Some(format!(
        "remove {folder} and run the same `flowlab backtest` again"
    ))
}
