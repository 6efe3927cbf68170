//! All tickers: reads what one needs, walks it, trades its signals; many at a time, memory for as
//! many as are in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::counts::Counts;
use super::gaps::{Found, Gaps, covered};
use super::inputs::Inputs;
use super::order::in_order_of_arrival;
use super::span::{Period, Reach, Span};
use super::ticker::{Outcomes, TickerState};
use crate::config::{Config, ModeConfig, PaperConfig};
use crate::context::{AsOf, ContextSettings, Frames, Market, Proxy, Splits};
use crate::paper::{self, Tape, Trade};
use crate::store::{FlowBatches, Footer, RowId, Store, StoreError};
use crate::strategies::{Kind, Signal};
use crate::time::{Calendar, exchange_midnight};

/// Daily bars before the period, so that an EMA's older weight is below one part in 10⁹.
pub const DAILY_WARMUP: usize = 300;
/// The two tickers the market's regime is read off.
pub const PROXIES: [&str; 2] = ["SPY", "QQQ"];

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

/// One ticker's rows, in order of `(available_at, ts, seq, kind)`.
pub struct TickerRows {
    pub ticker: String,
    pub signals: Vec<Signal>,
    /// In the order of their signals.
    pub trades: Vec<Trade>,
}

/// What a run comes to besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
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
        "{ticker}: {kind} asks for events from min_premium {min_premium} dollars on, but below {floor} dollars none were kept"
    )]
    BelowFloor {
        ticker: String,
        kind: Kind,
        min_premium: f64,
        floor: f64,
    },
    #[error("stopped before the end")]
    Stopped,
}

/// Runs `job`: tickers in parallel over the threads of rayon's current pool. `encode` is called
/// where a ticker was computed, `each` in alphabetical order of the tickers, whatever was asked for
/// or finished first.
pub fn run<T: Send>(
    job: &Job,
    meter: &Meter,
    encode: impl Fn(TickerRows) -> T + Sync,
    mut each: impl FnMut(T) -> Result<(), StoreError> + Send,
) -> Result<Summary, EngineError> {
    let reach = Reach::of(job.config, job.tickers);
    let span = Span::new(job.calendar, job.config, &reach, job.period);
    let (market, share) = market(job, &span)?;
    let tickers: BTreeSet<&String> = job.tickers.iter().collect();
    let tickers: Vec<&String> = tickers.into_iter().collect();
    let next = AtomicUsize::new(0);
    let threads = rayon::current_num_threads().min(tickers.len());
    let (sender, receiver) = mpsc::sync_channel(2 * threads);
    // One ticker after the other, so that they finish nearly in order and few have to wait.
    let work = |sender: mpsc::SyncSender<(usize, TickerResult<T>)>| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(ticker) = tickers.get(place) else {
                return;
            };
            let result = run_ticker(job, &span, &market, ticker, meter);
            let result = result.map(|(rows, share)| (encode(rows), share));
            // Nobody listens any more when an earlier ticker failed.
            if sender.send((place, result)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|run| {
        let collected = run.spawn(move || collect_in_order(receiver, share, &mut each));
        rayon::scope(|pool| {
            for _ in 0..threads {
                let sender = sender.clone();
                pool.spawn(|_| work(sender));
            }
        });
        drop(sender);
        collected.join().expect("collecting does not panic")
    })
}

/// A ticker's encoded rows and its share of the summary.
type TickerResult<T> = Result<(T, Share), EngineError>;

/// What the regime adds to a run's summary.
struct MarketShare {
    inputs: Inputs,
    is_missing: bool,
}

/// What one ticker adds to a run's summary.
struct Share {
    ticker: String,
    counts: Counts,
    gaps: Gaps,
    footers: Vec<Footer>,
}

fn collect_in_order<T>(
    results: mpsc::Receiver<(usize, TickerResult<T>)>,
    MarketShare {
        mut inputs,
        is_missing,
    }: MarketShare,
    each: &mut impl FnMut(T) -> Result<(), StoreError>,
) -> Result<Summary, EngineError> {
    let mut summary = Summary::default();
    summary.gaps.regime = is_missing;
    let mut waiting = BTreeMap::new();
    let mut due = 0;
    for (place, result) in results {
        waiting.insert(place, result);
        while let Some(result) = waiting.remove(&due) {
            let (rows, share) = result?;
            each(rows)?;
            summary.counts.add(&share.counts);
            summary.gaps.merge(share.gaps);
            inputs.add(&share.ticker, &share.footers);
            due += 1;
        }
    }
    debug_assert!(
        summary.counts.balance(),
        "every event read is accounted for"
    );
    summary.input_hash = inputs.hash();
    Ok(summary)
}

/// The market's regime, and what a summary must know of its making.
fn market(job: &Job, span: &Span) -> Result<(Market, MarketShare), EngineError> {
    let mut read = Vec::new();
    let mut inputs = Inputs::default();
    for ticker in PROXIES {
        let bars = job.store.bars_1m(ticker, span.bars_from, span.bars_to)?;
        let (daily, daily_footers) = job.store.bars_1d(ticker)?;
        let (splits, split_footers) = job.store.splits(ticker)?;
        inputs.add(
            ticker,
            bars.footers
                .iter()
                .chain(&daily_footers)
                .chain(&split_footers),
        );
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
    let settings = ContextSettings::of(job.config);
    let market = Market::new(
        proxy(0),
        proxy(1),
        job.calendar,
        span.sessions.clone(),
        &settings,
    );
    let market = market.map_err(|e| EngineError::Context {
        ticker: PROXIES.join(", "),
        reason: e.to_string(),
    })?;
    let is_missing = read.iter().all(|(bars, ..)| bars.is_empty());
    Ok((market, MarketShare { inputs, is_missing }))
}

fn run_ticker(
    job: &Job,
    span: &Span,
    market: &Market,
    ticker: &str,
    meter: &Meter,
) -> Result<(TickerRows, Share), EngineError> {
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
        &ContextSettings::of(job.config),
    )
    .map_err(|e| EngineError::Context {
        ticker: ticker.to_owned(),
        reason: e.to_string(),
    })?;
    let mut flow = job.store.flow(ticker, span.flow_from, job.period.end)?;
    let modes: Modes = Kind::ALL
        .iter()
        .map(|k| (*k, job.config.mode(ticker, *k)))
        .collect();
    let (mut outcomes, rows) = walk(
        job,
        ticker,
        &mut flow,
        AsOf::new(&frames, market, job.calendar),
        meter,
    )?;
    check_floor(&modes, job.config.flow.min_notional, ticker, &flow.footers)?;
    add_details(&mut outcomes.signals, &rows, &flow)?;

    let regular = bars.regular(&job.calendar.all()[sessions.clone()]);
    let tape = Tape::new(
        &regular,
        &job.calendar.all()[sessions],
        &covered(&bars.footers),
        &splits,
    );
    let trades = trade_all(&modes, &job.config.paper, &mut outcomes, &tape);
    let gaps = Gaps::of(
        job.calendar,
        job.period,
        span,
        ticker,
        Found {
            bars: &bars.footers,
            flow: &flow.footers,
            daily: &daily,
        },
    );
    let footers = [bars.footers, flow.footers, daily_footers, split_footers].concat();
    meter.tickers.fetch_add(1, Ordering::Relaxed);
    let Outcomes { signals, counts } = outcomes;
    let rows = TickerRows {
        ticker: ticker.to_owned(),
        signals,
        trades,
    };
    Ok((
        rows,
        Share {
            ticker: ticker.to_owned(),
            counts,
            gaps,
            footers,
        },
    ))
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
    reported.counts.warmup_events = warmup.counts.events_read;
    Ok((reported, rows))
}

/// Events between two looks at the shared meter.
const METER_EVERY: u64 = 4096;

/// A gate below the floor would pass over events that are not there, and nobody would notice.
pub fn check_floor(
    modes: &Modes,
    min_notional: f64,
    ticker: &str,
    footers: &[Footer],
) -> Result<(), EngineError> {
    let stored = footers.iter().filter_map(|footer| footer.min_notional);
    let floor = stored.fold(min_notional, f64::max);
    let below = |(_, mode): &(&Kind, &ModeConfig)| mode.enabled && mode.min_premium < floor;
    match modes.iter().find(below) {
        None => Ok(()),
        Some((kind, mode)) => Err(EngineError::BelowFloor {
            ticker: ticker.to_owned(),
            kind: *kind,
            min_premium: mode.min_premium,
            floor,
        }),
    }
}

/// The three modes of one ticker.
pub type Modes = BTreeMap<Kind, ModeConfig>;

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
    modes: &Modes,
    paper: &PaperConfig,
    outcomes: &mut Outcomes,
    tape: &Tape,
) -> Vec<Trade> {
    let mut trades = Vec::with_capacity(outcomes.signals.len());
    for signal in &outcomes.signals {
        match paper::trade(signal, tape, &modes[&signal.kind], paper) {
            Ok(trade) => {
                outcomes
                    .counts
                    .trade(signal.kind, trade.closed_at.is_none());
                trades.push(trade);
            }
            Err(_) => outcomes.counts.no_entry(signal.kind),
        }
    }
    trades
}
