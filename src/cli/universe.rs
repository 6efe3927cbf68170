//! Which tickers a command means: those named, else the config's, else all in the cache.

use super::failure::Failure;
use crate::config::Config;
use crate::store::{Store, Table};

/// Tickers in the order of the run: as named, without repeats. Fails on one the cache does not know.
pub fn tickers(named: &[String], config: &Config, store: &Store) -> anyhow::Result<Vec<String>> {
    let known = store.tickers(Table::Flow)?;
    let wanted: Vec<String> = match (named, config.universe.tickers.as_slice()) {
        ([], []) => known.clone(),
        ([], universe) => universe.to_vec(),
        (named, _) => named
            .iter()
            .map(|ticker| ticker.trim().to_ascii_uppercase())
            .collect(),
    };
    let mut tickers: Vec<String> = Vec::with_capacity(wanted.len());
    for ticker in wanted {
        if !known.contains(&ticker) {
            return Err(unknown(&ticker, &known, store).into());
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

fn unknown(ticker: &str, known: &[String], store: &Store) -> Failure {
    let failure = Failure::usage(format!("{}: no flow for ticker {ticker}", store.name()));
    let nearest = known
        .iter()
        .min_by_key(|name| (strsim::damerau_levenshtein(name, ticker), name.as_str()));
    match nearest {
        Some(name) if strsim::damerau_levenshtein(name, ticker) <= 1 => {
            failure.hint(format!("did you mean {name}?"))
        }
        Some(_) => failure.hint("`flowlab data ls` lists what there is"),
        None => failure.hint("bring some in with `flowlab fetch` or `flowlab import`"),
    }
}
