//! `flowlab fetch`: from a provider to the cache.

pub mod massive;
mod report;
mod stages;
mod synthetic;

pub use report::prints_table;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::failure::Failure;
use super::{Session, Status};
use crate::fetch::{Source, What};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the data comes from
    #[arg(long, value_enum, default_value_t = Provider::Massive)]
    provider: Provider,
    /// First day of the period; what must come before it is added
    #[arg(long, value_name = "YYYY-MM-DD")]
    start: Option<NaiveDate>,
    /// Last day of the period [default: the last session that is over]
    #[arg(long, value_name = "YYYY-MM-DD")]
    end: Option<NaiveDate>,
    /// Tickers, separated by commas [default: the config's universe]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B",
        conflicts_with = "universe"
    )]
    tickers: Vec<String>,
    /// The N tickers of most volume on the session before the period
    #[arg(long, value_name = "top:N", value_parser = parse_top)]
    universe: Option<usize>,
    /// What to fetch, separated by commas [default: all]
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "bars,flow,oi,splits"
    )]
    what: Vec<What>,
    /// How option prints come
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    source: Source,
    /// Do not ask for quotes: sides come from the tick test alone
    #[arg(long)]
    no_quotes: bool,
    /// Ask again for what is in the cache, and replace what has changed
    #[arg(long)]
    refresh: bool,
    /// Only say what would be asked for: calls, bytes, time, and what the plan does not include
    #[arg(long, conflicts_with = "refresh")]
    plan: bool,
    #[command(flatten)]
    synthetic: synthetic::Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Provider {
    /// The vendor of option prints and bars; needs a key in the environment
    Massive,
    /// A made-up market with a known edge in part of its flow
    Synthetic,
}

fn parse_top(text: &str) -> Result<usize, String> {
    let count = text
        .strip_prefix("top:")
        .and_then(|count| count.parse().ok());
    count
        .filter(|count| (1..=5000).contains(count))
        .ok_or_else(|| "expected top:N with N from 1 to 5000".to_owned())
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let (provider, foreign) = match args.provider {
        Provider::Massive => ("massive", args.synthetic.given()),
        Provider::Synthetic => ("synthetic", args.massive_only()),
    };
    if let Some(option) = foreign {
        let message = format!("{option} means nothing to --provider {provider}");
        return Err(Failure::usage(message)
            .hint("leave it out, or name the other provider")
            .into());
    }
    match args.provider {
        Provider::Massive => massive::run(session, args),
        Provider::Synthetic => synthetic::run(session, args),
    }
}

impl Args {
    /// The first option given that a made-up market has no use for.
    fn massive_only(&self) -> Option<&'static str> {
        let given = [
            ("--what", !self.what.is_empty()),
            ("--source", self.source != Source::Auto),
            ("--no-quotes", self.no_quotes),
            ("--refresh", self.refresh),
            ("--plan", self.plan),
        ];
        given
            .into_iter()
            .find_map(|(name, is_given)| is_given.then_some(name))
    }
}

/// A flag that Ctrl-C and a request to end set.
fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    ctrlc::set_handler(move || stopped.store(true, Ordering::Relaxed))
        .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
