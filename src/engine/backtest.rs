//! All tickers: reads what one needs, walks it, trades its signals; many at a time, memory for as
//! many as are in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{Datelike, NaiveDate};
use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::counts::Counts;
use super::gaps::Gaps;
use super::order::in_order_of_arrival;
use super::ticker::{Outcomes, TickerState};
use crate::config::Config;
use crate::context::{AsOf, ContextSettings, Frames, Market, Proxy, Splits};
use crate::paper::{self, Tape, Trade};
use crate::store::{FlowBatches, Footer, RowId, Store, StoreError, Table};
use crate::strategies::{Kind, Signal};
use crate::time::{Calendar, exchange_midnight};

/// Daily bars before the period, so that an EMA's older weight is below one part in 10⁹.
pub const DAILY_WARMUP: usize = 300;
/// The two tickers the market's regime is read off.
const PROXIES: [&str; 2] = ["SPY", "QQQ"];

/// The exchange days of a run, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

/// What to run: the only inputs there are.
pub struct Job<'a> {
    pub store: &'a Store,
    pub calendar: &'a Calendar,
    pub config: &'a Config,
    pub tickers: &'a [String],
    pub period: Period,
}

/// How far a run has come, for whoever watches; and the way to stop it.
#[derive(Default)]
pub struct Meter {
    pub events: AtomicU64,
    pub tickers: AtomicU64,
    pub stop: AtomicBool,
}

/// The tables of a run.
pub struct Results {
    /// In order of `(available_at, ticker, ts, seq, kind)`.
    pub signals: Vec<Signal>,
    /// In the order of their signals.
    pub trades: Vec<Trade>,
    pub counts: Counts,
    pub gaps: Gaps,
    /// Hash of the content and coverage of every file the run read.
    pub input_hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot compute the context of {ticker}: {reason}")]
    Context { ticker: String, reason: String },
    #[error(
        "{ticker}: {kind} asks for events from {min_premium} dollars on, but below {floor} dollars they were not kept"
    )]
    BelowFloor {
        ticker: String,
        kind: Kind,
        min_premium: f64,
        floor: f64,
    },
    #[error("stopped before the end; nothing was written")]
    Stopped,
}

/// Runs `job`. Tickers go in parallel over rayon's current pool; results come back in their order.
pub fn run(job: &Job, meter: &Meter) -> Result<Results, EngineError> {
    let span = Span::of(job);
    let (market, market_inputs) = market(job, &span)?;
    let parts: Result<Vec<TickerResult>, EngineError> = job
        .tickers
        .par_iter()
        .with_max_len(1)
        .map(|ticker| run_ticker(job, &span, &market, ticker, meter))
        .collect();
    Ok(merge(parts?, market_inputs))
}

/// Everything one ticker contributes.
struct TickerResult {
    ticker: String,
    signals: Vec<Signal>,
    trades: Vec<Option<Trade>>,
    counts: Counts,
    gaps: Gaps,
    footers: Vec<Footer>,
}

/// The dates a run reads, counted back from its period.
struct Span {
    /// Minute bars from here on; the sessions before the period hold enough full ones.
    bars_from: NaiveDate,
    /// Flow from here on.
    flow_from: NaiveDate,
    /// Bars up to here: trades opened on the last day are followed to their end.
    bars_to: NaiveDate,
    /// The calendar's sessions from `bars_from` to `bars_to`.
    sessions: Range<usize>,
}

impl Span {
    fn of(job: &Job) -> Span {
        let Period { start, end } = job.period;
        let calendar = job.calendar;
        let (mut memory, mut hold_minutes) = (1, 0);
        for ticker in job.tickers {
            for kind in Kind::ALL {
                let mode = job.config.mode(ticker, *kind);
                memory = mode
                    .memory
                    .map_or(memory, |m| memory.max(m.memory_sessions));
                hold_minutes = hold_minutes.max(mode.max_hold_minutes);
            }
        }
        // Chain memory counts today.
        let flow_from = calendar.sessions_before(start, memory as usize - 1);
        // Warm-up flow is evaluated in full, so its context is warm as well.
        let bars_from =
            calendar.full_sessions_before(flow_from, job.config.context.rvol_sessions as usize);
        // A hold that ends on a weekend or a holiday ends with the next session.
        let days = u64::from(hold_minutes) / (24 * 60) + 7;
        // "For ever" is a hold too, and ends with the calendar.
        let last = calendar.all().last().map_or(end, |session| session.date);
        let bars_to = end.checked_add_days(chrono::Days::new(days));
        let bars_to = bars_to.unwrap_or(last).min(last.max(end));
        let sessions = calendar.first_index_from(bars_from)
            ..calendar.first_index_from(bars_to.succ_opt().unwrap_or(end));
        Span {
            bars_from,
            flow_from,
            bars_to,
            sessions,
        }
    }
}

fn settings(config: &Config) -> ContextSettings {
    ContextSettings {
        rvol_sessions: config.context.rvol_sessions,
        rvol_min_sessions: config.context.rvol_min_sessions,
        lookback_minutes: config.market_regime.lookback_minutes,
        rvol_high: config.market_regime.rvol_high,
        rvol_low: config.market_regime.rvol_low,
    }
}

/// The market's regime and the files it was read from, which need not be the universe's.
fn market(job: &Job, span: &Span) -> Result<(Market, Inputs), EngineError> {
    let (mut read, mut inputs) = (Vec::new(), Inputs::new());
    for ticker in PROXIES {
        let bars = job.store.bars_1m(ticker, span.bars_from, span.bars_to)?;
        let (daily, daily_footers) = job.store.bars_1d(ticker)?;
        let (splits, split_footers) = job.store.splits(ticker)?;
        for footer in [&bars.footers, &daily_footers, &split_footers] {
            inputs.extend(footer.iter().map(|footer| input(ticker, footer)));
        }
        read.push((bars, daily, Splits::new(splits)));
    }
    let proxy = |index: usize| {
        let (bars, daily, splits) = &read[index];
        Proxy {
            bars,
            daily,
            splits: splits.clone(),
        }
    };
    let market = Market::new(
        proxy(0),
        proxy(1),
        job.calendar,
        span.sessions.clone(),
        &settings(job.config),
    );
    let market = market.map_err(|e| EngineError::Context {
        ticker: PROXIES.join(", "),
        reason: e.to_string(),
    })?;
    Ok((market, inputs))
}

/// What a run read: ticker, hash of a file's rows, and the sessions the file covers, for an empty
/// session and a missing one have the same rows. In order, and each once.
type Inputs = BTreeSet<(String, String, Vec<NaiveDate>)>;

fn input(ticker: &str, footer: &Footer) -> (String, String, Vec<NaiveDate>) {
    let sessions = footer.sessions.iter().copied().collect();
    (ticker.to_owned(), footer.content.clone(), sessions)
}

fn hash_of(inputs: &Inputs) -> String {
    let mut hash = Xxh3::new();
    for (ticker, content, sessions) in inputs {
        hash.update(ticker.as_bytes());
        hash.update(content.as_bytes());
        for date in sessions {
            hash.update(&date.num_days_from_ce().to_le_bytes());
        }
    }
    format!("{:032x}", hash.digest128())
}

fn run_ticker(
    job: &Job,
    span: &Span,
    market: &Market,
    ticker: &str,
    meter: &Meter,
) -> Result<TickerResult, EngineError> {
    let bars = job.store.bars_1m(ticker, span.bars_from, span.bars_to)?;
    let (daily, daily_footers) = job.store.bars_1d(ticker)?;
    let (splits, split_footers) = job.store.splits(ticker)?;
    let splits = Splits::new(splits);
    let sessions = span.sessions.clone();
    let frames = Frames::new(
        &bars,
        &daily,
        splits.clone(),
        job.calendar,
        sessions.clone(),
        &settings(job.config),
    )
    .map_err(|e| EngineError::Context {
        ticker: ticker.to_owned(),
        reason: e.to_string(),
    })?;
    let mut flow = job.store.flow(ticker, span.flow_from, job.period.end)?;
    let (mut outcomes, rows) = walk(
        job,
        ticker,
        &mut flow,
        AsOf::new(&frames, market, job.calendar),
        meter,
    )?;
    add_details(&mut outcomes.signals, &rows, &flow)?;

    let regular = bars.regular(&job.calendar.all()[sessions.clone()]);
    let tape = Tape::new(
        &regular,
        &job.calendar.all()[sessions],
        &covered(&bars.footers),
        &splits,
    );
    let trades = trade_all(job.config, ticker, &mut outcomes, &tape);
    let gaps = find_gaps(
        job,
        span,
        ticker,
        &bars.footers,
        &flow.footers,
        daily.partition_point(|d| d.date < job.period.start),
    );
    let footers = [bars.footers, flow.footers, daily_footers, split_footers].concat();
    meter.tickers.fetch_add(1, Ordering::Relaxed);
    let Outcomes { signals, counts } = outcomes;
    Ok(TickerResult {
        ticker: ticker.to_owned(),
        signals,
        trades,
        counts,
        gaps,
        footers,
    })
}

/// Shows the ticker's events to its strategies. Returns what came of them and where each signal's
/// event stands.
fn walk(
    job: &Job,
    ticker: &str,
    flow: &mut FlowBatches,
    mut asof: AsOf,
    meter: &Meter,
) -> Result<(Outcomes, Vec<RowId>), EngineError> {
    let mut state = TickerState::new(job.config, ticker);
    let start = exchange_midnight(job.period.start);
    let (mut reported, mut warmup) = (Outcomes::default(), Outcomes::default());
    let mut rows = Vec::new();
    let mut since = 0;
    let result = in_order_of_arrival(flow, |batch, row| {
        let event = batch.event(row, ticker);
        let ctx = asof.at(&event);
        if event.ts < start {
            // Evaluated in full for its memories, reported nowhere.
            state.step(&event, ctx, &mut warmup);
            warmup.signals.clear();
        } else {
            state.step(&event, ctx, &mut reported);
            rows.resize(reported.signals.len(), batch.row_id(row));
        }
        since += 1;
        if since == METER_EVERY {
            meter
                .events
                .fetch_add(std::mem::take(&mut since), Ordering::Relaxed);
        }
        !meter.stop.load(Ordering::Relaxed)
    });
    meter.events.fetch_add(since, Ordering::Relaxed);
    if meter.stop.load(Ordering::Relaxed) {
        return Err(EngineError::Stopped);
    }
    result?;
    check_floor(job.config, ticker, &flow.footers)?;
    reported.counts.warmup_events = warmup.counts.events_read;
    Ok((reported, rows))
}

/// Events between two looks at the shared meter.
const METER_EVERY: u64 = 4096;

/// A gate below the floor would pass over events that are not there, and nobody would notice.
fn check_floor(config: &Config, ticker: &str, footers: &[Footer]) -> Result<(), EngineError> {
    let stored = footers.iter().filter_map(|footer| footer.min_notional);
    let floor = stored.fold(config.flow.min_notional, f64::max);
    for kind in Kind::ALL {
        let mode = config.mode(ticker, *kind);
        if mode.enabled && mode.min_premium < floor {
            let min_premium = mode.min_premium;
            return Err(EngineError::BelowFloor {
                ticker: ticker.to_owned(),
                kind: *kind,
                min_premium,
                floor,
            });
        }
    }
    Ok(())
}

/// Fills in the events' other halves, reading each row once however many signals it gave.
fn add_details(
    signals: &mut [Signal],
    rows: &[RowId],
    flow: &FlowBatches,
) -> Result<(), StoreError> {
    let wanted: BTreeSet<RowId> = rows.iter().copied().collect();
    let wanted: Vec<RowId> = wanted.into_iter().collect();
    let details = flow.details(&wanted)?;
    for (signal, row) in signals.iter_mut().zip(rows) {
        let place = wanted
            .binary_search(row)
            .expect("every signal's row was asked for");
        signal.detail = Some(details[place].clone());
    }
    Ok(())
}

fn trade_all(
    config: &Config,
    ticker: &str,
    outcomes: &mut Outcomes,
    tape: &Tape,
) -> Vec<Option<Trade>> {
    let modes: BTreeMap<Kind, _> = Kind::ALL
        .iter()
        .map(|kind| (*kind, config.mode(ticker, *kind)))
        .collect();
    let mut trades = Vec::with_capacity(outcomes.signals.len());
    for signal in &outcomes.signals {
        let trade = paper::trade(signal, tape, &modes[&signal.kind], &config.paper).ok();
        match &trade {
            Some(trade) => outcomes
                .counts
                .trade(signal.kind, trade.closed_at.is_none()),
            None => outcomes.counts.no_entry(signal.kind),
        }
        trades.push(trade);
    }
    trades
}

fn covered(footers: &[Footer]) -> BTreeSet<NaiveDate> {
    footers
        .iter()
        .flat_map(|footer| footer.sessions.iter().copied())
        .collect()
}

fn find_gaps(
    job: &Job,
    span: &Span,
    ticker: &str,
    bars: &[Footer],
    flow: &[Footer],
    daily: usize,
) -> Gaps {
    let (bars, flow) = (covered(bars), covered(flow));
    let missing = |from: NaiveDate, to: NaiveDate, have: &BTreeSet<NaiveDate>| {
        let wanted = job
            .calendar
            .between(from, to)
            .iter()
            .map(|session| session.date);
        let missing: BTreeSet<NaiveDate> = wanted.filter(|date| !have.contains(date)).collect();
        (!missing.is_empty()).then(|| (ticker.to_owned(), missing))
    };
    let Period { start, end } = job.period;
    let before = start
        .pred_opt()
        .expect("the calendar begins after time does");
    Gaps {
        flow: missing(start, end, &flow).into_iter().collect(),
        bars: missing(start, end, &bars).into_iter().collect(),
        warmup_bars: missing(span.bars_from, before, &bars).into_iter().collect(),
        warmup_flow: missing(span.flow_from, before, &flow).into_iter().collect(),
        warmup_daily: (daily < DAILY_WARMUP)
            .then(|| (ticker.to_owned(), daily))
            .into_iter()
            .collect(),
    }
}

fn merge(parts: Vec<TickerResult>, mut inputs: Inputs) -> Results {
    let mut rows: Vec<(Signal, Option<Trade>)> = Vec::new();
    let (mut counts, mut gaps) = (Counts::default(), Gaps::default());
    for part in parts {
        rows.extend(part.signals.into_iter().zip(part.trades));
        counts.add(&part.counts);
        gaps.merge(part.gaps);
        inputs.extend(
            part.footers
                .iter()
                .map(|footer| input(&part.ticker, footer)),
        );
    }
    debug_assert!(counts.balance(), "every event read is accounted for");
    rows.sort_by(|(a, _), (b, _)| {
        let key = |s: &Signal| (s.available_at, s.ts, s.seq, s.kind);
        (a.available_at, &a.ticker)
            .cmp(&(b.available_at, &b.ticker))
            .then_with(|| key(a).cmp(&key(b)))
    });
    let (signals, trades): (Vec<Signal>, Vec<Option<Trade>>) = rows.into_iter().unzip();
    let trades = trades.into_iter().flatten().collect();
    Results {
        signals,
        trades,
        counts,
        gaps,
        input_hash: hash_of(&inputs),
    }
}

/// The period a run has when none is asked for: from the first session with flow that has its whole
/// warm-up in the cache (or simply the first) to the last one with flow.
pub fn default_period(
    store: &Store,
    calendar: &Calendar,
    config: &Config,
    tickers: &[String],
) -> Result<Option<Period>, StoreError> {
    let (mut flow, mut bars) = (BTreeSet::new(), BTreeSet::new());
    for ticker in tickers {
        for (table, dates) in [(Table::Flow, &mut flow), (Table::Bars1m, &mut bars)] {
            dates.extend(
                store
                    .probe(table, ticker)?
                    .into_iter()
                    .flat_map(|file| file.footer.sessions),
            );
        }
    }
    let (Some(first), Some(end)) = (flow.first().copied(), flow.last().copied()) else {
        return Ok(None);
    };
    let is_warm = |start: &NaiveDate| {
        let period = Period { start: *start, end };
        let span = Span::of(&Job {
            store,
            calendar,
            config,
            tickers,
            period,
        });
        let reaches =
            |dates: &BTreeSet<NaiveDate>, from| dates.first().is_some_and(|first| *first <= from);
        reaches(&flow, span.flow_from) && reaches(&bars, span.bars_from)
    };
    let start = flow.iter().copied().find(is_warm).unwrap_or(first);
    Ok(Some(Period { start, end }))
}
