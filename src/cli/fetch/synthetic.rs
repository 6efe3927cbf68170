//! `flowlab fetch --provider synthetic`: a made-up market with a known edge, as large as one likes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context as _;
use chrono::NaiveDate;
use rayon::prelude::*;

use super::super::failure::Failure;
use super::super::progress::{Progress, watch};
use super::super::{Session, Status, dates, universe, writable_folder};
use super::{Args, stop_on_ctrl_c};
use crate::config::Config;
use crate::providers::synthetic::{self, DEFAULT_EDGE_PCT, Market, Params, TickerSession};
use crate::store::{
    Arrival, BarTable, DailyTable, FlowTable, Month, OpenInterest, OpenInterestTable, SplitTable,
    Store, Table,
};
use crate::strategies::Kind;
use crate::time::Calendar;

/// The first session when none is named: the market is the same for everybody who takes the defaults.
const START: NaiveDate = NaiveDate::from_ymd_opt(2025, 10, 31).expect("a date");
const SESSIONS: u32 = 25;
const EVENTS_PER_DAY: u32 = 200;

/// What only a made-up market has.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of --provider synthetic")]
pub struct Options {
    /// Sessions in the period, instead of --end [default: 25]
    #[arg(long, value_name = "N", conflicts_with = "end", value_parser = clap::value_parser!(u32).range(1..))]
    sessions: Option<u32>,
    /// Flow events per ticker and full session, on average [default: 200]
    #[arg(long, value_name = "N")]
    events_per_day: Option<u32>,
    /// Every market is decided by its seed [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What informed flow earns in the half hour after it, percent; 0 plants nothing [default: 0.6]
    #[arg(long, value_name = "PCT", allow_negative_numbers = true)]
    edge_pct: Option<f64>,
}

impl Options {
    /// The first of these options that was given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--sessions", self.sessions.is_some()),
            ("--events-per-day", self.events_per_day.is_some()),
            ("--seed", self.seed.is_some()),
            ("--edge-pct", self.edge_pct.is_some()),
        ];
        given
            .into_iter()
            .find_map(|(name, is_given)| is_given.then_some(name))
    }
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    let params = params(args, &config, &calendar)?;
    writable_folder(&session.data_dir(), "--data-dir")?;
    let market = Market::new(params, &calendar).map_err(|e| Failure::usage(e.to_string()))?;
    let store = Store::folder(session.data_dir());
    let tickers = &market.params().tickers;
    let (done, events) = (AtomicU64::new(0), AtomicU64::new(0));
    let _lock = store.lock()?;
    let stop = stop_on_ctrl_c()?;
    let look = || Progress {
        done: done.load(Ordering::Relaxed),
        rows: events.load(Ordering::Relaxed),
    };
    let made: anyhow::Result<()> = watch(session, tickers.len() as u64, "synthetic", look, || {
        tickers.par_iter().with_max_len(1).try_for_each(|ticker| {
            let made = put_ticker(&store, &market, &calendar, ticker, &events, &stop);
            done.fetch_add(1, Ordering::Relaxed);
            made.with_context(|| format!("cannot store the synthetic market of {ticker}"))
        })
    });
    if stop.load(Ordering::Relaxed) {
        return Err(
            Failure::failed("stopped; the months already stored are whole")
                .hint("run the same command again to have the rest")
                .into(),
        );
    }
    made?;
    session.say(&format!(
        "{} events of {} {} written to {}",
        events.into_inner(),
        tickers.len(),
        if tickers.len() == 1 {
            "ticker"
        } else {
            "tickers"
        },
        session.data_dir().display()
    ));
    Ok(Status::Fine)
}

fn params(args: &Args, config: &Config, calendar: &Calendar) -> anyhow::Result<Params> {
    let start = args.start.unwrap_or(START);
    let options = &args.synthetic;
    dates::check(calendar, Some(start), args.end)?;
    let named = universe::named_tickers(&args.tickers)?;
    let tickers = match (args.universe, named.as_slice()) {
        (Some(count), _) => synthetic::default_tickers(count),
        (None, []) => synthetic::default_tickers(6),
        (None, named) => named.to_vec(),
    };
    let sessions = match args.end {
        Some(end) => {
            dates::whole(calendar, start, end)?;
            calendar.between(start, end).len()
        }
        None => options.sessions.unwrap_or(SESSIONS) as usize,
    };
    // Chain memory looks back on flow, and context looks back on bars from there.
    let memory = |ticker: &String| {
        config
            .mode(ticker, Kind::Swing)
            .memory
            .map_or(1, |m| m.memory_sessions as usize)
    };
    let memory_sessions = tickers.iter().map(memory).max().unwrap_or(1);
    let flow_from = calendar.sessions_before(start, memory_sessions - 1);
    let bars_from = calendar.full_sessions_before(flow_from, config.context.rvol_sessions as usize);
    let mut params = Params::new(
        options.seed.unwrap_or(1),
        tickers,
        flow_from,
        sessions + memory_sessions - 1,
    );
    params.warmup_sessions =
        calendar.first_index_from(flow_from) - calendar.first_index_from(bars_from);
    params.events_per_day = options.events_per_day.unwrap_or(EVENTS_PER_DAY);
    params.edge_pct = options.edge_pct.unwrap_or(DEFAULT_EDGE_PCT);
    params.min_notional = config.flow.min_notional;
    Ok(params)
}

/// Makes one ticker and stores it month by month, so that memory holds a month of it.
fn put_ticker(
    store: &Store,
    market: &Market,
    calendar: &Calendar,
    ticker: &str,
    events: &AtomicU64,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut made = market.ticker(ticker);
    let mut daily = made.daily.clone();
    let splits = made.splits.clone();
    let mut month = MonthTables::default();
    for session in &mut made {
        if stop.load(Ordering::Relaxed) {
            anyhow::bail!("stopped");
        }
        daily.extend(session.daily);
        events.fetch_add(session.events.len() as u64, Ordering::Relaxed);
        if month
            .month
            .is_some_and(|current| current != Month::of(session.session.date))
        {
            std::mem::take(&mut month).put(store, ticker, market.params().min_notional)?;
        }
        // What is known at the open is the close of the session before.
        let before = calendar.sessions_before(session.session.date, 1);
        month.add(&session, before);
    }
    month.put(store, ticker, market.params().min_notional)?;
    for (table, sessions) in [
        (Table::Bars1d, DailyTable::by_session(ticker, &daily)),
        (Table::Splits, SplitTable::by_session(ticker, &splits)),
    ] {
        store.put(Arrival {
            table,
            ticker,
            sessions,
            source: synthetic::SOURCE,
            min_notional: None,
        })?;
    }
    Ok(())
}

/// The monthly tables of one month, session by session.
#[derive(Default)]
struct MonthTables {
    month: Option<Month>,
    tables: BTreeMap<Table, Vec<(NaiveDate, arrow::record_batch::RecordBatch)>>,
}

impl MonthTables {
    fn add(&mut self, session: &TickerSession, before: NaiveDate) {
        let date = session.session.date;
        self.month = Some(Month::of(date));
        let mut bars = BarTable::default();
        session.bars.iter().for_each(|bar| bars.push(*bar));
        self.tables
            .entry(Table::Bars1m)
            .or_default()
            .push((date, bars.finish(&session.ticker)));
        if !session.has_flow {
            return;
        }
        let mut flow = FlowTable::default();
        session.for_each(|event, detail| flow.push(event, detail));
        self.tables
            .entry(Table::Flow)
            .or_default()
            .push((date, flow.finish()));
        let open_interest: Vec<OpenInterest> = session
            .open_interest()
            .map(|(contract, open_interest)| OpenInterest {
                date: before,
                contract: contract.to_owned(),
                open_interest,
                captured_at: None,
            })
            .collect();
        self.tables
            .entry(Table::OpenInterest)
            .or_default()
            .push((before, OpenInterestTable::batch(&open_interest)));
    }

    fn put(self, store: &Store, ticker: &str, floor: f64) -> anyhow::Result<()> {
        for (table, sessions) in self.tables {
            let min_notional = (table == Table::Flow).then_some(floor);
            store.put(Arrival {
                table,
                ticker,
                sessions,
                source: synthetic::SOURCE,
                min_notional,
            })?;
        }
        Ok(())
    }
}
