//! Prints by contract: the flow of one ticker and session from the vendor's REST interface.
//!
//! ```text
//!   contracts listed that day ─ prints of each ─ runs that can reach the floor ─ quotes around those ─ events
//! ```
//!
//! Quotes are huge, so they are read backwards from the end of a run until the one before its first
//! print is in hand.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use rayon::prelude::*;

use super::bars::SOURCE;
use super::facts::{Attached, Facts, Listed};
use super::outcome::Outcome;
use super::{FetchError, Job};
use crate::flow::{Contract, ContractDay, Print, Rules, Sight, candidates, sights, ticker_events};
use crate::providers::massive::{Fetched, Massive, MassiveError};
use crate::providers::roots;
use crate::store::{Arrival, FlowTable, Table};
use crate::time::{Ts, exchange_midnight};

const MS_NS: i64 = 1_000_000;

/// One contract's prints and what they met.
pub(super) struct Traded<'a> {
    pub listed: Listed,
    pub prints: Cow<'a, [Print]>,
    pub sights: Vec<Sight>,
}

/// Fetches and stores the flow of `ticker` on `date`.
pub(super) fn ticker_day(job: &Job, ticker: &str, date: NaiveDate) -> Result<Outcome, FetchError> {
    let mut outcome = Outcome::default();
    let contracts = job.massive.contracts(ticker, date, date)?;
    outcome.account(&contracts);
    let mut listed = Vec::new();
    let mut known = BTreeSet::new();
    for row in contracts.rows {
        if !known.insert(row.contract.clone()) {
            // Its prints would count twice.
            outcome.dropped("repeated_contract", 1);
            continue;
        }
        let contract = Contract::parse(&row.contract).expect("the provider checks symbols");
        if row.is_plain() {
            listed.push(Listed {
                symbol: row.contract,
                contract,
            });
        } else {
            outcome.dropped("adjusted_contract", 1);
        }
    }
    if listed.is_empty() {
        // A stock without options has a day without flow, as it has in a flat file.
        outcome
            .notes
            .insert(format!("no option contracts of {ticker} are listed"));
    }
    unlisted(job, ticker, date, known, &mut listed, &mut outcome)?;
    let facts = Facts::load(
        Some(job.store),
        job.calendar,
        job.config,
        ticker,
        date,
        SOURCE,
    )?;
    let traded: Result<Vec<(Traded, Outcome)>, FetchError> = listed
        .into_par_iter()
        .with_max_len(1)
        .map(|listed| prints(job, listed, date, &facts.rules))
        .collect();
    let mut contracts = Vec::new();
    for (traded, part) in traded? {
        outcome.merge(part);
        if !traded.prints.is_empty() {
            contracts.push(traded);
        }
    }
    let table = events(&facts, contracts, &mut outcome);
    outcome.stored(Table::Flow, 1, table.len() as u64);
    job.store.put(Arrival {
        table: Table::Flow,
        ticker,
        sessions: vec![(date, table.finish())],
        source: SOURCE,
        min_notional: Some(facts.rules.min_notional),
    })?;
    Ok(outcome)
}

/// Adds the contracts that traded and are not in the listing, as far as the vendor's unusual trades
/// show any.
fn unlisted(
    job: &Job,
    ticker: &str,
    date: NaiveDate,
    mut known: BTreeSet<String>,
    listed: &mut Vec<Listed>,
    outcome: &mut Outcome,
) -> Result<(), FetchError> {
    let (from, to) = exchange_day(date);
    for root in roots::of(ticker) {
        let fetched = match job.massive.unusual_trades(root, from, to) {
            // Without that look there is still the listing.
            Err(MassiveError::NotEntitled { .. } | MassiveError::NotFound { .. }) => return Ok(()),
            fetched => fetched?,
        };
        outcome.account(&fetched);
        for row in fetched.rows {
            if known.insert(row.contract.clone()) {
                let contract = Contract::parse(&row.contract).expect("the provider checks symbols");
                outcome.dropped("contract_not_in_the_listing_added", 1);
                listed.push(Listed {
                    symbol: row.contract,
                    contract,
                });
            }
        }
    }
    Ok(())
}

/// The instants of an exchange day: from midnight to midnight in New York.
fn exchange_day(date: NaiveDate) -> (Ts, Ts) {
    let next = date.succ_opt().expect("the calendar ends before time does");
    (exchange_midnight(date), exchange_midnight(next))
}

/// The flow table of a ticker's day, whatever way its prints came.
pub(super) fn events(
    facts: &Facts,
    mut contracts: Vec<Traded>,
    outcome: &mut Outcome,
) -> FlowTable {
    // Prints of one time are numbered in the order of their contracts.
    contracts.sort_by(|a, b| a.listed.symbol.cmp(&b.listed.symbol));
    let days: Vec<ContractDay> = contracts
        .iter()
        .map(|traded| ContractDay {
            prints: &traded.prints,
            sights: &traded.sights,
        })
        .collect();
    let (events, counts) = ticker_events(&days, &facts.rules);
    outcome.flow.add(&counts);
    let listed: Vec<Listed> = contracts.into_iter().map(|traded| traded.listed).collect();
    facts.table(&listed, events, |_, _| Attached::default())
}

/// The prints of one contract and what those met that can come to an event.
fn prints(
    job: &Job,
    listed: Listed,
    date: NaiveDate,
    rules: &Rules,
) -> Result<(Traded<'static>, Outcome), FetchError> {
    let mut outcome = Outcome::default();
    let (from, to) = exchange_day(date);
    let mut fetched = match job.massive.trades(&listed.symbol, from, to) {
        // It is listed, so this is the vendor's way to say that it did not trade.
        Err(MassiveError::NotFound { .. }) => Fetched::default(),
        fetched => fetched?,
    };
    outcome.account(&fetched);
    // Stable: prints of one millisecond stay as they were reported.
    fetched.rows.sort_by_key(|print| print.ts);
    let prints = fetched.rows;
    let sights = quoted(job, &listed.symbol, date, &prints, rules, &mut outcome)?;
    let traded = Traded {
        listed,
        prints: prints.into(),
        sights,
    };
    Ok((traded, outcome))
}

/// What the prints met that can come to an event; nothing at all when quotes are not to be had.
pub(super) fn quoted(
    job: &Job,
    symbol: &str,
    date: NaiveDate,
    prints: &[Print],
    rules: &Rules,
    outcome: &mut Outcome,
) -> Result<Vec<Sight>, FetchError> {
    if !job.with_quotes(date) {
        return Ok(Vec::new());
    }
    let mut seen = Vec::new();
    for run in candidates(prints, rules) {
        let asked = quotes_around(job.massive, symbol, &prints[run.clone()], rules);
        let fetched = match asked {
            Err(MassiveError::NotEntitled {
                message,
                is_timeframe,
                ..
            }) => return Err(job.give_up_quotes(date, &message, is_timeframe)),
            Err(MassiveError::NotFound { .. }) => continue,
            asked => asked?,
        };
        outcome.account(&fetched);
        if seen.is_empty() {
            seen = vec![Sight::NONE; prints.len()];
        }
        seen[run.clone()].copy_from_slice(&sights(&prints[run], &fetched.rows, rules));
    }
    Ok(seen)
}

/// The quotes that a run of prints may answer to: from the last one before the first print's
/// millisecond to the end of the last print's.
pub fn quotes_around(
    massive: &Massive,
    symbol: &str,
    run: &[Print],
    rules: &Rules,
) -> Result<Fetched<crate::flow::TimedQuote>, MassiveError> {
    let (first, last) = (run[0].ts, run[run.len() - 1].ts);
    let millisecond = |ts: Ts| Ts::from_ns(ts.ns().div_euclid(MS_NS) * MS_NS);
    let from = millisecond(first).plus_ns(-rules.max_quote_age_ns());
    let to = millisecond(last).plus_ns(MS_NS);
    let enough = millisecond(first).plus_ns(-1);
    massive.quotes_back(symbol, from, to, enough)
}
