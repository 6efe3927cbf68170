//! `flowlab report`: the tables of a finished run, made again from what it recorded.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::failure::Failure;
use super::{Session, Status};
use crate::report::{self, Dimension, parse_crossing};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a run or path of its folder [default: the one written last]
    run: Option<PathBuf>,
    /// Tables to print: kind, ticker, tag, direction, strength, dte, hour, regime, outcome or a
    /// crossing such as kind,regime; repeatable [default: each of them]
    #[arg(long, value_name = "DIMENSIONS", value_parser = parse_crossing)]
    by: Vec<Crossing>,
}

/// Dimensions that are crossed with each other.
type Crossing = std::vec::Vec<Dimension>;

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let runs = &session.global.runs_dir;
    let folder = match &args.run {
        Some(run) if run.join(MANIFEST).is_file() => run.clone(),
        Some(run) if runs.join(run).join(MANIFEST).is_file() => runs.join(run),
        Some(run) => return Err(unknown(run, runs).into()),
        None => latest(runs)?,
    };
    let run = report::load(&folder)
        .with_context(|| format!("cannot read the run in {}", folder.display()))?;
    session.print_tables(&report::tables(&run, &args.by))
}

/// What makes a folder a run.
const MANIFEST: &str = "manifest.json";

fn runs_in(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    // A name that begins with a dot is a run that is still being written.
    let visible = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    visible
        .map(|entry| entry.path())
        .filter(|path| path.join(MANIFEST).is_file())
        .collect()
}

fn latest(runs: &Path) -> anyhow::Result<PathBuf> {
    let written = |path: &PathBuf| {
        path.join(MANIFEST)
            .metadata()
            .and_then(|meta| meta.modified())
            .ok()
    };
    let found = runs_in(runs)
        .into_iter()
        .max_by_key(|path| (written(path), path.clone()));
    Ok(found.ok_or_else(|| {
        Failure::failed(format!("no run in {}", runs.display()))
            .hint("`flowlab backtest` makes one")
    })?)
}

fn unknown(run: &Path, runs: &Path) -> Failure {
    let mut names: Vec<String> = runs_in(runs)
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    let failure = Failure::usage(format!("{}: no such run", run.display()));
    match names.is_empty() {
        true => failure.hint("`flowlab backtest` makes one"),
        false => failure.hint(format!("runs in {}: {}", runs.display(), names.join(", "))),
    }
}
