//! Outcomes: what a stream came to, written as a run, so that every report reads it.

use anyhow::Context as _;

use crate::cli::period::say_gaps;
use crate::cli::{Session, Status};
use crate::config::Config;
use crate::engine::{Gaps, Job, Modes, Summary};
use crate::live::Run;
use crate::manifest::Manifest;
use crate::store::{EncodedRows, RunWriter};
use crate::strategies::Kind;

const UNWRITTEN: &str = "cannot write the run; nothing of it was kept";

/// The modes of one ticker.
pub fn modes(config: &Config, ticker: &str) -> Modes {
    let mode = |kind: &Kind| (*kind, config.mode(ticker, *kind));
    Kind::ALL.iter().map(mode).collect()
}

/// Writes what came of it as a run: of a replay the same bytes that a backtest of its period writes.
pub fn write_run(
    session: &Session,
    job: &Job,
    run: &Run,
    gaps: Gaps,
    input_hash: String,
) -> anyhow::Result<Status> {
    let mut summary = Summary {
        gaps,
        input_hash,
        ..Summary::default()
    };
    let mut writer = RunWriter::new(&session.global.runs_dir).context(UNWRITTEN)?;
    for (rows, counts) in run.rows() {
        summary.counts.add(&counts);
        let rows = EncodedRows::new(&rows.signals, &rows.trades, &job.config.experiment_id);
        writer.append(&rows).context(UNWRITTEN)?;
    }
    debug_assert!(
        summary.counts.balance(),
        "every event told is accounted for"
    );
    let manifest = Manifest::new(job, &summary);
    let config = job.config.resolved_yaml();
    let folder = writer.finish(&manifest.run, &config, &manifest.to_json());
    let folder = folder.context(UNWRITTEN)?;
    say_gaps(session, &summary.gaps);
    let counts = &summary.counts;
    let kinds = Kind::ALL.iter();
    let kinds = kinds.map(|k| format!("{k} {}/{}", counts.signals(*k), counts.trades(*k)));
    let kinds: Vec<String> = kinds.collect();
    session.say(&format!(
        "{} events; signals/trades: {}; written to {}",
        counts.events_read + counts.warmup_events,
        kinds.join(", "),
        folder.display()
    ));
    Ok(match summary.gaps.in_period() {
        true => Status::Gaps,
        false => Status::Fine,
    })
}
