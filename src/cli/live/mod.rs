//! `flowlab live`: a source, the desk, alerts, and whoever watches.

mod channels;
mod lines;
mod outcome;
mod pace;
mod replay;
mod state;
mod stream;
mod warm;
mod watch;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Subcommand, ValueEnum};

use super::failure::Failure;
use super::{Session, Status};
use crate::report::alert;
use crate::strategies::Kind;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where events come from
    #[arg(long, value_enum, default_value_t = Source::Replay)]
    source: Source,
    /// Tickers to listen to, separated by commas [default: universe.tickers, else all in the cache]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    /// Replay: first exchange day [default: as in a backtest]
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: Option<NaiveDate>,
    /// Replay: last exchange day [default: as in a backtest]
    #[arg(long, value_name = "YYYY-MM-DD")]
    end: Option<NaiveDate>,
    /// Replay: times as fast as it happened, or max [default: max, 60 with --tui]
    #[arg(long, value_name = "1|60|max")]
    speed: Option<Speed>,
    /// All but replay: the exchange day to begin with [default: today, else the next session]
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<NaiveDate>,
    /// The recording to be told again
    #[arg(long, value_name = "FILE", required_if_eq("source", "recording"))]
    recording: Option<PathBuf>,
    /// Record everything the vendor tells in this file, for `--source recording`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Folder of the journal and the logs; a killed process goes on from it [default: live; none for a replay, a recording or stdin]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Set the state of an earlier run aside and begin anew
    #[arg(long)]
    fresh: bool,
    /// Replay, recording, stdin: send alerts to their channels instead of printing them
    #[arg(long, conflicts_with = "dry_run")]
    send: bool,
    /// Print alerts instead of sending them
    #[arg(long)]
    dry_run: bool,
    /// Show a screen instead of a log
    #[arg(long)]
    tui: bool,
    /// Serve /metrics (Prometheus) and /healthz here; a port alone is of this machine
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Source {
    /// The cache, told as it happened
    Replay,
    /// The vendor's websockets: option prints and minute bars
    Massive,
    /// The vendor's unusual trades, asked for every general.poll_interval_seconds
    MassivePoll,
    /// A recording of one of these
    Recording,
    /// Events and bars as JSON, one a line, from standard input
    Stdin,
}

/// How fast a replay goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Speed {
    Max,
    Times(f64),
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        let number = text.strip_suffix('x').unwrap_or(text);
        match number.parse::<f64>() {
            _ if text == "max" => Ok(Speed::Max),
            Ok(times) if times > 0.0 && times.is_finite() => Ok(Speed::Times(times)),
            _ => Err("expected max or a number above 0, such as 1 or 60".to_owned()),
        }
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Speed::Max => f.write_str("max speed"),
            Speed::Times(times) => write!(f, "{times}x"),
        }
    }
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    match args.source {
        Source::Replay => replay::run(session, args),
        Source::Massive | Source::MassivePoll | Source::Recording => stream::run(session, args),
        Source::Stdin => lines::run(session, args),
    }
}

#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Send a sample to a channel, to see that it arrives
    Test {
        /// A channel of routing.channels, or console
        #[arg(long)]
        channel: String,
        /// Whose alert
        #[arg(long, value_enum, default_value_t = SampleKind::Scalp)]
        kind: SampleKind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SampleKind {
    Scalp,
    DayTrade,
    Swing,
}

pub fn alert(session: &Session, command: &AlertCommand) -> anyhow::Result<Status> {
    let AlertCommand::Test { channel, kind } = command;
    let kind = match kind {
        SampleKind::Scalp => Kind::Scalp,
        SampleKind::DayTrade => Kind::DayTrade,
        SampleKind::Swing => Kind::Swing,
    };
    let text = alert::alert(&alert::sample(kind));
    let config = session.config()?;
    let channel = channels::one(&config, channel)?;
    crate::live::deliver::send_once(&channel, &text).map_err(|e| Failure::failed(e.to_string()))?;
    session.say(&format!("sent a sample to {}", channel.name));
    Ok(Status::Fine)
}
