//! A market's day: one flat file of all option prints, in; the flow of the tickers wanted, out.
//!
//! The file is sorted by symbol, so a ticker is complete when its root has passed, and its events are
//! made and written while the next one is read. Nothing is put in its place before the file's last
//! bytes have said that it is whole.
//!
//! ```text
//!   inflate ──> read prints ──> a ticker's prints ──> events ──> files beside their place
//!   thread      this thread     at most two waiting   workers                │
//!                                                          checksum right ───┴──> in their place
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use chrono::NaiveDate;

use super::error::FetchError;
use super::facts::{Facts, Listed};
use super::outcome::Outcome;
use super::prints::{Traded, events};
use crate::config::Config;
use crate::flow::{Print, Rules, Sight};
use crate::providers::massive::flat::{RowCounts, Trades};
use crate::providers::roots;
use crate::store::{Arrival, Prepared, Store, Table};
use crate::time::Calendar;

/// What the `source` column says of events made of a flat file's prints.
pub const SOURCE: &str = "massive/flat";

/// Tickers whose prints are read and whose events are not yet made.
const WAITING: usize = 2;

/// What a market's day needs of its surroundings.
pub struct Desk<'a> {
    /// Without one nothing is written: a day is only counted.
    pub store: Option<&'a Store>,
    pub calendar: &'a Calendar,
    pub config: &'a Config,
    /// Threads that make events.
    pub workers: usize,
    pub sights: &'a Sights<'a>,
}

/// What each print of each of a ticker's contracts met; empty where nothing is known.
pub type Sights<'a> = dyn Fn(&[(Listed, &[Print])], &Rules, &mut Outcome) -> Result<Vec<Vec<Sight>>, FetchError>
    + Sync
    + 'a;

/// A ticker's prints of the day, contract after contract.
struct TickerPrints {
    ticker: String,
    contracts: Vec<(Listed, Range<usize>)>,
    prints: Vec<Print>,
}

impl TickerPrints {
    fn push(&mut self, listed: Listed, prints: &[Print]) {
        let start = self.prints.len();
        self.prints.extend_from_slice(prints);
        self.contracts.push((listed, start..self.prints.len()));
    }
}

/// Buffers of tickers that are done, for those to come: fresh memory for twelve million prints costs
/// more than reading them.
type Spare = Mutex<Vec<Vec<Print>>>;

/// Files written and not yet in their place, and what they came to.
pub struct MarketDay {
    prepared: Vec<Prepared>,
    outcome: Outcome,
    tickers: BTreeSet<String>,
    /// What became of the rows of the file.
    pub rows: RowCounts,
}

impl MarketDay {
    /// Whose flow is waiting.
    pub fn tickers(&self) -> &BTreeSet<String> {
        &self.tickers
    }

    /// Puts all of it in place.
    pub fn commit(self) -> Result<Outcome, FetchError> {
        Prepared::commit_all(self.prepared)?;
        Ok(self.outcome)
    }
}

/// Which tickers of a file are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    All,
    These(&'a BTreeSet<String>),
}

impl Wanted<'_> {
    pub fn contains(&self, ticker: &str) -> bool {
        match self {
            Wanted::All => roots::is_ticker(ticker),
            Wanted::These(tickers) => tickers.contains(ticker),
        }
    }
}

/// Reads the day's file and prepares the flow of `wanted`; of tickers that did not trade, an empty
/// session each.
pub fn read(
    desk: &Desk,
    input: impl Read + Send + 'static,
    file: &str,
    date: NaiveDate,
    wanted: Wanted,
) -> Result<MarketDay, FetchError> {
    let done: Mutex<(Vec<Prepared>, Outcome)> = Mutex::default();
    let (sender, receiver) = sync_channel::<TickerPrints>(WAITING);
    let receiver = Mutex::new(receiver);
    let has_failed = AtomicBool::new(false);
    let spare = Spare::default();
    let (read, worked) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..desk.workers)
            .map(|_| scope.spawn(|| work(desk, date, &receiver, &done, &spare, &has_failed)))
            .collect();
        let read = collect(input, file, date, wanted, &spare, |ticker| {
            sender.send(ticker).is_ok() && !has_failed.load(Ordering::Relaxed)
        });
        // The workers see the end of it.
        drop(sender);
        let worked: Result<(), FetchError> = workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("a worker does not panic"));
        (read, worked)
    });
    worked?;
    let (seen, counted, rows) = read?;
    let (mut prepared, mut outcome) = done.into_inner().expect("no worker panicked");
    outcome.merge(counted);
    let mut seen = seen;
    if let Wanted::These(tickers) = wanted {
        for ticker in tickers.difference(&seen) {
            let (files, part) = store(desk, date, ticker, Vec::new())?;
            prepared.extend(files);
            outcome.merge(part);
        }
        seen.extend(tickers.iter().cloned());
    }
    Ok(MarketDay {
        prepared,
        outcome,
        tickers: seen,
        rows,
    })
}

/// Reads the whole file and hands over each ticker as soon as it is complete, until `take` declines.
fn collect(
    input: impl Read + Send + 'static,
    file: &str,
    date: NaiveDate,
    wanted: Wanted,
    spare: &Spare,
    mut take: impl FnMut(TickerPrints) -> bool,
) -> Result<(BTreeSet<String>, Outcome, RowCounts), FetchError> {
    let wants =
        move |root: &str| !roots::is_adjusted(root) && wanted.contains(roots::underlying(root));
    let mut trades = Trades::open(input, file, date, wants)?;
    let mut outcome = Outcome::default();
    // Tickers of several roots stay here until the end of the file.
    let mut scattered: BTreeMap<String, TickerPrints> = BTreeMap::new();
    let mut current: Option<TickerPrints> = None;
    let mut seen = BTreeSet::new();
    while let Some(contract) = trades.next_contract()? {
        if contract.contract.expiry < date {
            outcome.dropped("expired", contract.prints.len() as u64);
            continue;
        }
        let ticker = roots::underlying(&contract.contract.root);
        let listed = Listed {
            symbol: contract.symbol.to_owned(),
            contract: contract.contract.clone(),
        };
        let empty = || TickerPrints {
            ticker: ticker.to_owned(),
            contracts: Vec::new(),
            prints: spare
                .lock()
                .expect("no worker panicked")
                .pop()
                .unwrap_or_default(),
        };
        if roots::of(ticker).len() > 1 {
            let ticker = scattered.entry(ticker.to_owned()).or_insert_with(empty);
            ticker.push(listed, contract.prints);
            continue;
        }
        if current
            .as_ref()
            .is_some_and(|current| current.ticker != ticker)
            && !current.take().is_none_or(&mut take)
        {
            break;
        }
        if current.is_none() && !seen.insert(ticker.to_owned()) {
            return Err(FetchError::NotSorted {
                file: file.to_owned(),
                ticker: ticker.to_owned(),
            });
        }
        let current = current.get_or_insert_with(empty);
        current.push(listed, contract.prints);
    }
    seen.extend(scattered.keys().cloned());
    for ticker in current.into_iter().chain(scattered.into_values()) {
        take(ticker);
    }
    let counts = trades.counts().clone();
    for (reason, count) in &counts.bad {
        outcome.dropped(reason, *count);
    }
    outcome.bad_rows(counts.bad_rows.iter().map(ToString::to_string));
    outcome.bad_row_count = counts.bad.values().sum();
    Ok((seen, outcome, counts))
}

/// Makes events of tickers until there are no more. After a failure only takes them, so that nobody
/// waits for a worker that is gone.
fn work(
    desk: &Desk,
    date: NaiveDate,
    receiver: &Mutex<Receiver<TickerPrints>>,
    done: &Mutex<(Vec<Prepared>, Outcome)>,
    spare: &Spare,
    has_failed: &AtomicBool,
) -> Result<(), FetchError> {
    let mut failure = None;
    loop {
        let next = receiver.lock().expect("no worker panicked").recv();
        let Ok(TickerPrints {
            ticker,
            contracts,
            mut prints,
        }) = next
        else {
            return failure.map_or(Ok(()), Err);
        };
        if failure.is_some() {
            continue;
        }
        let contracts = contracts.into_iter();
        let contracts = contracts.map(|(listed, range)| (listed, &prints[range]));
        let stored = store(desk, date, &ticker, contracts.collect());
        prints.clear();
        spare.lock().expect("no worker panicked").push(prints);
        let (files, part) = match stored {
            Ok(stored) => stored,
            Err(error) => {
                has_failed.store(true, Ordering::Relaxed);
                failure = Some(error);
                continue;
            }
        };
        let mut done = done.lock().expect("no worker panicked");
        done.0.extend(files);
        done.1.merge(part);
    }
}

fn store(
    desk: &Desk,
    date: NaiveDate,
    ticker: &str,
    contracts: Vec<(Listed, &[Print])>,
) -> Result<(Vec<Prepared>, Outcome), FetchError> {
    let mut outcome = Outcome::default();
    let facts = Facts::load(desk.store, desk.calendar, desk.config, ticker, date, SOURCE)?;
    let sights = (desk.sights)(&contracts, &facts.rules, &mut outcome)?;
    let traded = contracts.into_iter().zip(sights);
    let traded = traded.map(|((listed, prints), sights)| Traded {
        listed,
        prints: prints.into(),
        sights,
    });
    let table = events(&facts, traded.collect(), &mut outcome);
    outcome.stored(Table::Flow, 1, table.len() as u64);
    let Some(store) = desk.store else {
        return Ok((Vec::new(), outcome));
    };
    let prepared = store.prepare(Arrival {
        table: Table::Flow,
        ticker,
        sessions: vec![(date, table.finish())],
        source: SOURCE,
        min_notional: Some(facts.rules.min_notional),
    })?;
    Ok((prepared, outcome))
}
