//! State: the folder of a run's journal and logs, and the run that goes on from it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;

use super::Args;
use super::channels;
use crate::cli::failure::Failure;
use crate::cli::{Session, writable_folder};
use crate::config::{Alerts, Config};
use crate::live::deliver::{Channel, Deliverer, Outbox, Policy};
use crate::live::{Desk, Desks, Gauges, Journal, Logs, Opening, Run, State};
use crate::time::Ts;

const JOURNAL: &str = "journal.ndjson";

/// What a run is begun with.
pub struct Beginning<F> {
    pub opening: Opening,
    /// Makes the desk of a run that gives signals from a day on.
    pub desk: F,
    /// Folder of the state, when any is kept.
    pub state_dir: Option<PathBuf>,
    /// Whether the source's inputs are journaled: not those that can be read again.
    pub keeps_inputs: bool,
    /// Whether alerts leave the house.
    pub sends: bool,
    /// Now, for a stream that is told as it happens: a channel that is new to a run gets no backlog.
    pub now: Option<Ts>,
}

/// Begins a run, or goes on with the one its state is of.
pub fn begin<'a>(
    session: &Session,
    args: &Args,
    config: &Config,
    gauges: &Arc<Gauges>,
    beginning: Beginning<impl FnOnce(NaiveDate) -> anyhow::Result<Desk<'a>>>,
) -> anyhow::Result<Run<'a>> {
    if args.fresh && beginning.state_dir.is_none() {
        return Err(Failure::usage("--fresh, and this source keeps no state")
            .hint("with --state-dir DIR it does")
            .into());
    }
    let routes = routes(args, config, beginning.sends);
    let channels = channels::of(config, &routes)?;
    let Beginning {
        opening,
        desk,
        state_dir,
        keeps_inputs,
        now,
        ..
    } = beginning;
    let mut start = opening.start;
    let first = |channel: &Channel| (channel.name.clone(), opening.alerts_from);
    let mut alerts_from: HashMap<String, Ts> = channels.iter().map(first).collect();
    let mut dead_letters = std::env::temp_dir().join("flowlab-dead-letters.ndjson");
    let mut outbox: Arc<dyn Outbox> = Arc::new(Forgetful);
    let mut state = None;
    if let Some(folder) = &state_dir {
        writable_folder(folder, "--state-dir")?;
        if args.fresh {
            set_aside(session, folder)?;
        }
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let journal = Journal::open(&folder.join(JOURNAL), &opening);
        let (journal, recovered) = journal.map_err(|e| hinted(&e, e.hint()))?;
        start = recovered.opening.start;
        for (name, from) in &mut alerts_from {
            *from = match recovered.channels.get(name) {
                Some(from) => *from,
                None => {
                    let begins = recovered.opening.alerts_from;
                    let from = now.filter(|_| !recovered.is_new).unwrap_or(begins);
                    journal.channel(name, from)?;
                    from
                }
            };
        }
        dead_letters = folder.join("dead_letters.ndjson");
        let journal = Arc::new(journal);
        let logs = Logs::open(folder, &config.experiment_id);
        outbox = journal.clone();
        state = Some(State {
            journal,
            logs: logs.map_err(|e| hinted(&e, e.hint()))?,
            keeps_inputs,
            recovered,
        });
    }
    let policy = Policy::default();
    let deliverer = Deliverer::start(channels, policy, outbox, gauges.clone(), dead_letters)?;
    let desks = Desks {
        deliverer,
        routes,
        alerts_from,
    };
    Ok(Run::new(desk(start)?, state, desks, gauges.clone())?)
}

fn hinted(error: &dyn std::error::Error, hint: Option<&str>) -> Failure {
    let failure = Failure::failed(error.to_string());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn routes(args: &Args, config: &Config, sends: bool) -> Alerts {
    match (sends, args.tui) {
        (true, _) => config.routing.alerts.clone(),
        // The terminal is the screen's.
        (false, true) => channels::nowhere(),
        (false, false) => channels::console_alone(),
    }
}

/// Moves the folder to the first name that is free: `live.1`, `live.2`, …
fn set_aside(session: &Session, folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    // Whoever still writes there would go on doing so, under a name that nobody gave it.
    let _held = Journal::hold(&folder.join(JOURNAL)).map_err(|e| hinted(&e, e.hint()))?;
    // Without a slash at its end, or the name would be one inside it.
    let folder = folder.components().as_path();
    let name = |n: u32| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    let aside = (1..).map(name).find(|path| !path.exists());
    let aside = aside.expect("some number is free");
    std::fs::rename(folder, &aside)
        .with_context(|| format!("cannot set {} aside", folder.display()))?;
    session.say(&format!("the old state is now {}", aside.display()));
    Ok(())
}

/// Keeps nothing: for runs without a state.
struct Forgetful;

impl Outbox for Forgetful {
    fn sending(&self, _: &str, _: &[&str]) -> std::io::Result<()> {
        Ok(())
    }

    fn sent(&self, _: &str, _: &[&str]) -> std::io::Result<()> {
        Ok(())
    }

    fn dead(&self, _: &str, _: &[&str], _: &str) -> std::io::Result<()> {
        Ok(())
    }
}
