//! The commands: one file each, arguments on top, `run` below. Data goes to stdout, everything said
//! about it to stderr.

mod asked;
mod backtest;
mod completions;
mod config;
mod data;
mod dates;
mod failure;
mod fetch;
mod import;
#[cfg(feature = "live")]
mod live;
mod log;
mod period;
mod progress;
mod report;
mod universe;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

pub use crate::report::Format;

use crate::config::{Config, Sources};
use crate::report::{Table, TerminalStyle, render_styled};
use crate::store::{Store, Table as StoreTable};
use failure::Failure;

/// Find out whether options-flow alerts are worth anything.
///
/// flowlab keeps option flow and bars as Parquet, computes the market's context, runs scalp, day-trade
/// and swing rules over it in the order a live listener would have seen it, paper-trades every signal
/// and reports win rates with honest intervals. Without any data of your own it runs on a synthetic
/// sample that comes with the program.
#[derive(Debug, Parser)]
#[command(name = "flowlab", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
First steps:
  flowlab fetch --provider synthetic      make a market with a known edge, in data/
  flowlab data ls                         see what is there
  flowlab backtest --by kind              run it, in runs/
  flowlab report --by kind,regime         other tables of the same run

Exit codes: 0 fine, 1 failed, 2 wrong usage or config, 3 finished with gaps.";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Config file, YAML or JSON [default: config.yaml here, else config.json, else built in]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the cache [default: data, or the sample when that has no flow]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Folder that runs are written to
    #[arg(long, global = true, value_name = "DIR", default_value = "runs")]
    runs_dir: PathBuf,
    /// Set one config value over all files; repeatable
    #[arg(long, global = true, value_name = "KEY.PATH=VALUE")]
    set: Vec<String>,
    /// Threads to compute with [default: one per core]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How tables are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print only what was asked for: no progress, no summaries
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// How log lines are written to stderr
    #[arg(long, global = true, value_enum, default_value_t = log::Format::Text, value_name = "FORMAT")]
    log_format: log::Format,
    /// Colours in tables
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// When stdout is a terminal and NO_COLOR is not set
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the strategies over cached flow, paper-trade every signal, print the tables
    Backtest(backtest::Args),
    /// Print the tables of a finished run
    Report(report::Args),
    /// Run the strategies on a stream: alerts, paper trades, state that survives
    #[cfg(feature = "live")]
    Live(live::Args),
    /// Look after alerts
    #[cfg(feature = "live")]
    #[command(subcommand)]
    Alert(live::AlertCommand),
    /// Bring data into the cache from a provider
    Fetch(fetch::Args),
    /// Bring archives that you own into the cache
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Look at what is in the cache
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Show, check and describe the config
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// How a command ended when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Fine,
    /// It finished, and said what is missing.
    Gaps,
}

/// What every command is given.
struct Session {
    global: Global,
}

/// Runs the command line. The only place that turns what happened into an exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start(&cli.global);
    match dispatch(cli) {
        Ok(Status::Fine) => ExitCode::SUCCESS,
        Ok(Status::Gaps) => ExitCode::from(3),
        Err(error) => failure::report(&error),
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<Status> {
    let session = Session { global: cli.global };
    if let Some(threads) = session.global.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("cannot start the threads")?;
    }
    match cli.command {
        Command::Backtest(args) => backtest::run(&session, &args),
        Command::Report(args) => report::run(&session, &args),
        #[cfg(feature = "live")]
        Command::Live(args) => live::run(&session, &args),
        #[cfg(feature = "live")]
        Command::Alert(command) => live::alert(&session, &command),
        Command::Fetch(args) => fetch::run(&session, &args),
        Command::Import(command) => import::run(&session, &command),
        Command::Data(command) => data::run(&session, &command),
        Command::Config(command) => config::run(&session, &command),
        Command::Completions(args) => completions::run(&session, &args),
    }
}

impl Session {
    fn sources(&self) -> Sources {
        Sources {
            file: self.global.config.clone(),
            search_dir: PathBuf::from("."),
            set: self.global.set.clone(),
        }
    }

    fn config(&self) -> anyhow::Result<Config> {
        let config = Config::load(&self.sources())?;
        ::log::info!("config from {}", config.layers().join(", "));
        Ok(config)
    }

    /// The folder that data is written to.
    fn data_dir(&self) -> PathBuf {
        self.global
            .data_dir
            .clone()
            .unwrap_or_else(|| PathBuf::from("data"))
    }

    /// The cache; the sample when no folder was named and the default one holds no flow.
    fn store(&self) -> anyhow::Result<Store> {
        let store = Store::folder(self.data_dir());
        if self.global.data_dir.is_some() {
            existing_folder(
                &self.data_dir(),
                "name a folder that `flowlab fetch` or `flowlab import` has written to",
            )?;
            return Ok(store);
        }
        if !store.tickers(StoreTable::Flow)?.is_empty() {
            return Ok(store);
        }
        let sample = Store::sample();
        if sample.tickers(StoreTable::Flow)?.is_empty() {
            return Err(
                Failure::failed("no flow in data/, and this build carries no sample")
                    .hint("`flowlab fetch --provider synthetic` makes a market to begin with")
                    .into(),
            );
        }
        self.say("no flow in data/, so this is the synthetic sample that comes with the program");
        Ok(sample)
    }

    /// Says something about the work to stderr, unless asked to be quiet. A reader that has gone is
    /// no failure here either.
    fn say(&self, text: &str) {
        if !self.global.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    fn print_tables(&self, tables: &[Table]) -> anyhow::Result<Status> {
        let stdout = std::io::stdout();
        let color = match self.global.color {
            Color::Auto => stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            Color::Always => true,
            Color::Never => false,
        };
        let width = stdout.is_terminal().then(comfy_width).flatten();
        self.print(&render_styled(
            tables,
            self.global.format,
            TerminalStyle { color, width },
        ))
    }

    /// Writes data to stdout. A reader that has seen enough is no failure.
    fn print(&self, text: &str) -> anyhow::Result<Status> {
        let mut stdout = std::io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(e).context("cannot write to stdout")
            }
            _ => Ok(Status::Fine),
        }
    }
}

/// Fails when `path` is not a folder, and says which of the two is wrong with it.
fn existing_folder(path: &Path, hint: &str) -> anyhow::Result<()> {
    let fault = match (path.is_dir(), path.exists()) {
        (true, _) => return Ok(()),
        (false, true) => "not a folder",
        (false, false) => "no such folder",
    };
    Err(Failure::usage(format!("{}: {fault}", path.display()))
        .hint(hint)
        .into())
}

/// Fails when nothing can be written below `path`, which need not exist yet: better now than after
/// the work. Leaves nothing behind.
fn writable_folder(path: &Path, option: &str) -> anyhow::Result<()> {
    let there = path.ancestors().find(|folder| folder.exists());
    let there = match there {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !there.is_dir() {
        let message = format!(
            "cannot write to {}: {} is not a folder",
            path.display(),
            there.display()
        );
        return Err(Failure::usage(message)
            .hint(format!("choose another folder with {option}"))
            .into());
    }
    tempfile::tempfile_in(there).map_err(|e| {
        Failure::failed(format!("cannot write to {}: {e}", path.display()))
            .hint(format!("choose another folder with {option}"))
    })?;
    Ok(())
}

/// Columns of the terminal that stdout is, if it says so.
fn comfy_width() -> Option<u16> {
    comfy_table::Table::new().width()
}
