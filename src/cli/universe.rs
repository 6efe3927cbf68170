//! Which tickers a command means: those named, else the config's, else all in the cache.

use super::failure::Failure;
use crate::config::Config;
use crate::store::{Store, Table};

/// So many tickers are listed in a hint.
const NAMED: usize = 20;

/// Tickers in the order of the run: as named, without repeats. Fails on one the cache does not know.
pub fn tickers(named: &[String], config: &Config, store: &Store) -> anyhow::Result<Vec<String>> {
    let known = store.tickers(Table::Flow)?;
    let named = named_tickers(named)?;
    let wanted: Vec<String> = match (named.is_empty(), config.universe.tickers.as_slice()) {
        (true, []) => known.clone(),
        (true, universe) => universe.to_vec(),
        (false, _) => named,
    };
    let mut tickers: Vec<String> = Vec::with_capacity(wanted.len());
    for ticker in wanted {
        if !known.contains(&ticker) {
            let message = format!("{}: no flow for ticker {ticker}", store.name());
            return Err(unknown(message, &ticker, &known).into());
        }
        if !tickers.contains(&ticker) {
            tickers.push(ticker);
        }
    }
    if tickers.is_empty() {
        return Err(
            Failure::failed(format!("{}: no flow in the cache", store.name()))
                .hint("bring some in with `flowlab fetch` or `flowlab import`")
                .into(),
        );
    }
    Ok(tickers)
}

/// The tickers of a `--tickers`, as the tables spell them. A comma at the end does no harm; an option
/// that names nothing is a mistake.
pub fn named_tickers(named: &[String]) -> anyhow::Result<Vec<String>> {
    let tickers: Vec<String> = named
        .iter()
        .map(|ticker| ticker.trim().to_ascii_uppercase())
        .filter(|ticker| !ticker.is_empty())
        .collect();
    if tickers.is_empty() && !named.is_empty() {
        return Err(Failure::usage("--tickers names no ticker")
            .hint("for example: --tickers SPY,TSLA; leave it out for all")
            .into());
    }
    Ok(tickers)
}

/// The failure of a ticker that is not among `known`, with the one that was likely meant.
pub fn unknown(message: String, ticker: &str, known: &[String]) -> Failure {
    let failure = Failure::usage(message);
    let nearest = known
        .iter()
        .min_by_key(|name| (strsim::damerau_levenshtein(name, ticker), name.as_str()));
    match nearest {
        Some(name) if strsim::damerau_levenshtein(name, ticker) <= 1 => {
            failure.hint(format!("did you mean {name}?"))
        }
        Some(_) if known.len() <= NAMED => failure.hint(format!("there is {}", known.join(", "))),
        Some(_) => failure.hint(format!(
            "there are {} tickers, {} to {}",
            known.len(),
            known[0],
            known[known.len() - 1]
        )),
        None => failure.hint("bring some in with `flowlab fetch` or `flowlab import`"),
    }
}
