//! The manifest: what a run was made of, so that it can be made again and its tables understood.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::config::PaperConfig;
use crate::engine::{Gaps, Job, Summary};
use crate::report::LoadError;

/// Raised when the manifest's meaning changes.
const FORMAT_VERSION: u32 = 1;
/// Names of gaps that are spelled out in tables; the manifest has them all.
const NOTES: usize = 6;

/// One run. Nothing in it depends on the machine or the clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub flowlab_version: String,
    pub experiment_id: String,
    /// Name of the run's folder.
    pub run: String,
    pub start: NaiveDate,
    pub end: NaiveDate,
    /// The universe, in the order of the run.
    pub tickers: Vec<String>,
    pub config_hash: String,
    /// Hash of the content of every file that was read.
    pub input_hash: String,
    pub fill_policy: PaperConfig,
    pub counts: BTreeMap<String, u64>,
    pub gaps: Gaps,
    /// The config as resolved.
    pub config: serde_json::Value,
}

impl Manifest {
    pub fn new(job: &Job, summary: &Summary) -> Manifest {
        let config_hash = job.config.hash();
        let resolved = job.config.resolved_yaml();
        let experiment_id = job.config.experiment_id.clone();
        Manifest {
            format: FORMAT_VERSION,
            flowlab_version: env!("CARGO_PKG_VERSION").to_owned(),
            run: format!(
                "{experiment_id}-{}",
                run_hash(job, &config_hash, &summary.input_hash)
            ),
            experiment_id,
            start: job.period.start,
            end: job.period.end,
            tickers: job.tickers.to_vec(),
            config_hash,
            input_hash: summary.input_hash.clone(),
            fill_policy: job.config.paper.clone(),
            counts: summary.counts.named(),
            gaps: summary.gaps.clone(),
            config: serde_yaml::from_str(&resolved).expect("a resolved config is plain YAML"),
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest is plain data") + "\n"
    }

    pub fn read(path: &Path) -> Result<Manifest, LoadError> {
        let fail = |reason: String| LoadError::Manifest {
            path: path.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|e| fail(format!("not a run's manifest ({e})")))?;
        if manifest.format != FORMAT_VERSION {
            return Err(fail(format!(
                "format version {}, expected {FORMAT_VERSION}",
                manifest.format
            )));
        }
        Ok(manifest)
    }

    /// What a reader must know before the figures.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.gaps.lines();
        let more = notes.len().saturating_sub(NOTES);
        if more > 0 {
            notes.truncate(NOTES);
            notes.push(format!("and {more} more gaps, listed in manifest.json"));
        }
        notes
    }
}

/// Names a run by all that decides its tables.
fn run_hash(job: &Job, config_hash: &str, input_hash: &str) -> String {
    let mut hash = Xxh3::new();
    for part in [env!("CARGO_PKG_VERSION"), config_hash, input_hash] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    hash.update(format!("{}/{}", job.period.start, job.period.end).as_bytes());
    for ticker in job.tickers {
        hash.update(&[0]);
        hash.update(ticker.as_bytes());
    }
    format!("{:016x}", hash.digest())[..10].to_owned()
}
