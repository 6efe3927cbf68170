//! The desk: events and bars in the order in which they became known, in; signals and trades, out.
//!
//! It is the backtest's loop with the future not yet there: the same columns of context over a window
//! of bars that grows by the minute, the same [`TickerState::step`], the same paper trades. It asks no
//! clock and draws no random numbers, so the same inputs give the same outputs, today or after a
//! restart.

use std::collections::{BTreeMap, HashMap};

use super::book::{Book, Settled};
use super::event::{Gap, Input, LateCancel, StreamedEvent};
use crate::config::{Config, ModeConfig};
use crate::context::{
    AsOf, Carry, ContextSettings, Frames, Market, Proxy, ProxyCarry, ProxyWindow, Splits,
};
use crate::engine::{Counts, EngineError, Outcomes, PROXIES, TickerRows, TickerState};
use crate::paper::Trade;
use crate::store::{Bars, DailyBar, MinuteBar};
use crate::strategies::{Kind, Signal};
use crate::time::{Calendar, Ts, exchange_midnight};

/// Full sessions of minute bars that are kept beside those RVOL compares with: of an average over
/// 15-minute bars, what lies before them has lost its last bit.
const AVERAGED_SESSIONS: usize = 20;
/// A week.
const SLACK_MINUTES: i64 = 7 * 24 * 60;

/// What a ticker's past is made of: everything known before the first input.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// All minute bars from the run's first session on, extended hours included.
    pub bars: Bars,
    pub daily: Vec<DailyBar>,
    pub splits: Splits,
}

/// What the desk tells.
#[derive(Clone, Debug)]
pub enum Told {
    /// A signal, and the hole in the data it was made after.
    Signal(Box<Signal>, Option<String>),
    Trade(Box<Trade>),
    /// A signal that no bar was left for.
    NotTaken(u64),
}

/// All tickers of a run, and the market they are in.
pub struct Desk<'a> {
    rules: Rules<'a>,
    tickers: HashMap<String, TickerDesk>,
    market: MarketDesk,
    settled: Vec<Settled>,
    gaps: Vec<Gap>,
}

/// What all parts of the desk read.
struct Rules<'a> {
    config: &'a Config,
    calendar: &'a Calendar,
    settings: ContextSettings,
    /// Signals are given from here on; what comes before feeds memories alone.
    start: Ts,
    /// Position in the calendar of the run's first session.
    first_session: usize,
}

impl<'a> Desk<'a> {
    /// `pasts` has the run's tickers, and the proxies whether they are of the run or not. Signals are
    /// given for events from `start` on.
    pub fn new(
        config: &'a Config,
        calendar: &'a Calendar,
        tickers: &[String],
        mut pasts: BTreeMap<String, Past>,
        start: chrono::NaiveDate,
        first_session: usize,
    ) -> Desk<'a> {
        let proxy = |name: &str| Window::new(pasts.get(name).cloned().unwrap_or_default());
        let market = MarketDesk::new(PROXIES.map(proxy));
        let desk = |ticker: &String| {
            let past = pasts.remove(ticker).unwrap_or_default();
            (ticker.clone(), TickerDesk::new(config, ticker, past))
        };
        Desk {
            tickers: tickers.iter().map(desk).collect(),
            market,
            settled: Vec::new(),
            gaps: Vec::new(),
            rules: Rules {
                config,
                calendar,
                settings: ContextSettings::of(config),
                start: exchange_midnight(start),
                first_session,
            },
        }
    }

    /// Takes whatever a source tells; what comes of it is appended to `told`.
    pub fn take(&mut self, input: &Input, told: &mut Vec<Told>) -> Result<(), EngineError> {
        match input {
            Input::Bar { ticker, bar } => self.bar(ticker, bar, told),
            Input::ProxyBar { ticker, bar } => self.market.bar(ticker, bar, &self.rules),
            Input::SessionOver { ticker, date } => self.session_over(ticker, *date, told),
            Input::Cancelled(cancel) => self.cancelled(cancel),
            Input::Event(event) => return self.event(event, told),
            Input::Gap(gap) => self.gaps.push(gap.clone()),
        }
        Ok(())
    }

    /// Shows an event to its ticker's strategies. Events of a ticker come in order of arrival, after
    /// every bar that had ended by their `available_at`.
    fn event(&mut self, event: &StreamedEvent, told: &mut Vec<Told>) -> Result<(), EngineError> {
        let Some(ticker) = self.tickers.get_mut(&event.ticker) else {
            debug_assert!(false, "sources tell of the run's tickers alone");
            return Ok(());
        };
        let rules = &self.rules;
        let fail = |e: polars::error::PolarsError| EngineError::Context {
            ticker: event.ticker.clone(),
            reason: e.to_string(),
        };
        let index = rules.session_index(event.available_at);
        let market = self.market.at(index, rules).map_err(fail)?;
        let affects = |gap: &&Gap| gap.affects(&event.ticker, event.ts);
        let gap = self.gaps.iter().rev().find(affects);
        ticker
            .event(event, index, market, rules, gap, told)
            .map_err(fail)
    }

    /// A minute bar of a ticker has ended.
    fn bar(&mut self, ticker: &str, bar: &MinuteBar, told: &mut Vec<Told>) {
        if let Some(desk) = self.tickers.get_mut(ticker) {
            desk.bar(bar, &self.rules, &mut self.settled);
            desk.settle(&mut self.settled, &self.rules, told);
        }
    }

    /// Nothing more will come of the ticker's session on `date`: its bars are known up to the close.
    fn session_over(&mut self, ticker: &str, date: chrono::NaiveDate, told: &mut Vec<Told>) {
        let Some(desk) = self.tickers.get_mut(ticker) else {
            return;
        };
        if desk
            .book
            .session()
            .is_some_and(|session| session.date == date)
        {
            desk.book.close_session(&mut self.settled);
            desk.settle(&mut self.settled, &self.rules, told);
        }
    }

    /// A cancel came after its event was available: what was made of the event carries a note.
    fn cancelled(&mut self, cancel: &LateCancel) {
        if let Some(desk) = self.tickers.get_mut(&cancel.ticker) {
            desk.cancelled(cancel);
        }
    }

    /// Splits of a ticker that became known since; they hold from their day on, and are the same before.
    pub fn learn_splits(&mut self, ticker: &str, splits: Splits) {
        if let Some(place) = PROXIES.iter().position(|proxy| *proxy == ticker) {
            self.market.learn_splits(place, splits.clone());
        }
        if let Some(desk) = self.tickers.get_mut(ticker) {
            desk.learn_splits(splits);
        }
    }

    /// Open positions as they stand, with their signals, by ticker.
    pub fn positions(&self) -> impl Iterator<Item = (&Signal, Trade)> {
        let mut desks: Vec<_> = self.tickers.iter().collect();
        desks.sort_unstable_by_key(|(ticker, _)| ticker.as_str());
        desks.into_iter().flat_map(|(_, desk)| {
            desk.book.positions().filter_map(|trade| {
                let signals = desk.outcomes.signals.iter();
                let signal = signals.rev().find(|s| s.signal_id == trade.signal_id);
                Some((signal?, trade))
            })
        })
    }

    pub fn open_positions(&self) -> usize {
        self.tickers
            .values()
            .map(|desk| desk.book.open_positions())
            .sum()
    }

    /// Everything the run came to so far, as a backtest returns it: by ticker, signals in order of
    /// arrival, trades in the order of their signals, those still open marked to the last close.
    pub fn rows(&self) -> Vec<(TickerRows, Counts)> {
        let mut tickers: Vec<_> = self.tickers.iter().collect();
        tickers.sort_unstable_by_key(|(ticker, _)| ticker.as_str());
        tickers
            .into_iter()
            .map(|(ticker, desk)| desk.rows(ticker))
            .collect()
    }
}

impl Rules<'_> {
    /// The session whose window an instant falls into: that of its day, else the next one; the
    /// calendar's last for all that lies beyond.
    fn session_index(&self, t: Ts) -> usize {
        let index = self.calendar.first_index_from(t.exchange_date());
        index.min(self.calendar.all().len() - 1)
    }
}

/// A ticker's bars: those before the window's session, and the window itself.
struct Window {
    past: Past,
    today: Bars,
    /// The calendar's session of `today`; none before the first roll.
    index: Option<usize>,
}

impl Window {
    fn new(past: Past) -> Window {
        Window {
            past,
            today: Bars::default(),
            index: None,
        }
    }

    /// Moves to session `index`; says whether it was another one before.
    fn roll(&mut self, index: usize, rules: &Rules) -> bool {
        let is_new = self.index.is_none_or(|last| last < index);
        if is_new {
            let bars = &mut self.past.bars;
            bars.append(&std::mem::take(&mut self.today));
            self.index = Some(index);
            let calendar = rules.calendar;
            let kept = rules.settings.rvol_sessions as usize + AVERAGED_SESSIONS;
            let today = calendar.all()[index].date;
            let oldest = exchange_midnight(calendar.full_sessions_before(today, kept));
            // Not every day: forgetting moves all that is kept.
            let slack = oldest.plus_minutes(-SLACK_MINUTES);
            if bars.ts.first().is_some_and(|first| *first < slack.ns()) {
                bars.forget_before(oldest);
            }
        }
        is_new
    }

    /// Takes a bar, which may be late but is not known yet; says whether it was the latest.
    fn take(&mut self, bar: &MinuteBar) -> bool {
        self.today.insert(bar)
    }
}

/// One ticker: its window of bars, its memories, its positions, what came of it.
struct TickerDesk {
    window: Window,
    carry: Option<Carry>,
    /// None when a bar came since.
    frames: Option<Frames>,
    state: TickerState,
    modes: BTreeMap<Kind, ModeConfig>,
    book: Book,
    warmup: Outcomes,
    outcomes: Outcomes,
    trades: HashMap<u64, Trade>,
}

impl TickerDesk {
    fn new(config: &Config, ticker: &str, past: Past) -> TickerDesk {
        let modes = Kind::ALL.iter().map(|k| (*k, config.mode(ticker, *k)));
        TickerDesk {
            window: Window::new(past),
            carry: None,
            frames: None,
            state: TickerState::new(config, ticker),
            modes: modes.collect(),
            book: Book::default(),
            warmup: Outcomes::default(),
            outcomes: Outcomes::default(),
            trades: HashMap::new(),
        }
    }

    fn event(
        &mut self,
        event: &StreamedEvent,
        index: usize,
        market: &Market,
        rules: &Rules,
        gap: Option<&Gap>,
        told: &mut Vec<Told>,
    ) -> polars::error::PolarsResult<()> {
        self.roll(index, rules);
        self.refresh(index, rules)?;
        let frames = self.frames.as_ref().expect("they were refreshed above");
        let decision = event.decision();
        let mut asof = AsOf::new(frames, market, rules.calendar);
        let ctx = asof.at(&decision);
        if event.ts < rules.start {
            // Evaluated in full for its memories, reported nowhere.
            self.state.step(&decision, ctx, &mut self.warmup);
            self.warmup.signals.clear();
            return Ok(());
        }
        let before = self.outcomes.signals.len();
        self.state.step(&decision, ctx, &mut self.outcomes);
        for signal in &mut self.outcomes.signals[before..] {
            signal.detail = Some(event.detail.clone());
            if let Some(gap) = gap {
                signal.rules += "; data gap: ";
                signal.rules += &gap.what;
            }
            self.book
                .add(signal.clone(), self.modes[&signal.kind].clone());
            let gap = gap.map(|gap| gap.what.clone());
            told.push(Told::Signal(Box::new(signal.clone()), gap));
        }
        Ok(())
    }

    fn roll(&mut self, index: usize, rules: &Rules) {
        if self.window.roll(index, rules) {
            self.carry = None;
            self.frames = None;
        }
    }

    /// The columns of the window, computed anew when a bar came since.
    fn refresh(&mut self, index: usize, rules: &Rules) -> polars::error::PolarsResult<()> {
        let Past {
            bars,
            daily,
            splits,
        } = &self.window.past;
        if self.carry.is_none() {
            let span = rules.first_session.min(index)..index + 1;
            let settings = &rules.settings;
            let carry = Carry::new(bars, daily, splits, rules.calendar, span, settings)?;
            self.carry = Some(carry);
        }
        if self.frames.is_none() {
            let carry = self.carry.as_ref().expect("it was made above");
            self.frames = Some(Frames::following(
                carry,
                &self.window.today,
                splits.clone(),
                rules.calendar,
                index..index + 1,
            )?);
        }
        Ok(())
    }

    fn bar(&mut self, bar: &MinuteBar, rules: &Rules, settled: &mut Vec<Settled>) {
        let index = rules.session_index(bar.ts);
        self.roll(index, rules);
        let is_latest = self.window.take(bar);
        self.frames = None;
        let session = &rules.calendar.all()[index];
        if is_latest && session.contains(bar.ts) {
            let paper = &rules.config.paper;
            let splits = &self.window.past.splits;
            self.book.on_bar(bar, session, paper, splits, settled);
        }
    }

    fn learn_splits(&mut self, splits: Splits) {
        self.window.past.splits = splits;
        self.carry = None;
        self.frames = None;
    }

    fn settle(&mut self, settled: &mut Vec<Settled>, rules: &Rules, told: &mut Vec<Told>) {
        for settled in settled.drain(..) {
            match settled {
                Settled::Closed(trade) => {
                    debug_assert!(trade.ts >= rules.start, "warm-up is not traded");
                    told.push(Told::Trade(Box::new(trade.clone())));
                    self.trades.insert(trade.signal_id, trade);
                }
                Settled::NotTaken(signal_id) => told.push(Told::NotTaken(signal_id)),
            }
        }
    }

    fn cancelled(&mut self, cancel: &LateCancel) {
        let is_meant = |signal: &&mut Signal| {
            (signal.ts, signal.seq) == (cancel.ts, cancel.seq) && signal.contract == cancel.contract
        };
        for signal in self.outcomes.signals.iter_mut().filter(is_meant) {
            let detail = signal.detail.as_mut().expect("the desk fills it in");
            detail.cancelled_at.get_or_insert(cancel.at);
            detail.cancelled_contracts += cancel.contracts;
        }
    }

    fn rows(&self, ticker: &str) -> (TickerRows, Counts) {
        let mut counts = self.outcomes.counts.clone();
        counts.warmup_events = self.warmup.counts.events_read;
        let open: HashMap<u64, Trade> = self
            .book
            .positions()
            .map(|trade| (trade.signal_id, trade))
            .collect();
        let mut trades = Vec::with_capacity(self.outcomes.signals.len());
        for signal in &self.outcomes.signals {
            let id = signal.signal_id;
            match self.trades.get(&id).or_else(|| open.get(&id)) {
                Some(trade) => {
                    counts.trade(signal.kind, trade.closed_at.is_none());
                    trades.push(trade.clone());
                }
                None => counts.no_entry(signal.kind),
            }
        }
        let rows = TickerRows {
            ticker: ticker.to_owned(),
            signals: self.outcomes.signals.clone(),
            trades,
        };
        (rows, counts)
    }
}

/// The market's regime, computed anew when a proxy's bar came since.
struct MarketDesk {
    proxies: [ProxyDesk; PROXIES.len()],
    market: Option<Market>,
}

struct ProxyDesk {
    window: Window,
    carry: Option<ProxyCarry>,
}

impl MarketDesk {
    fn new(windows: [Window; PROXIES.len()]) -> MarketDesk {
        MarketDesk {
            proxies: windows.map(|window| ProxyDesk {
                window,
                carry: None,
            }),
            market: None,
        }
    }

    fn bar(&mut self, ticker: &str, bar: &MinuteBar, rules: &Rules) {
        let Some(place) = PROXIES.iter().position(|proxy| *proxy == ticker) else {
            return;
        };
        self.roll(rules.session_index(bar.ts), rules);
        self.proxies[place].window.take(bar);
        self.market = None;
    }

    fn learn_splits(&mut self, place: usize, splits: Splits) {
        let proxy = &mut self.proxies[place];
        proxy.window.past.splits = splits;
        proxy.carry = None;
        self.market = None;
    }

    fn roll(&mut self, index: usize, rules: &Rules) {
        for proxy in &mut self.proxies {
            if proxy.window.roll(index, rules) {
                proxy.carry = None;
                self.market = None;
            }
        }
    }

    /// The regime of session `index` so far.
    fn at(&mut self, index: usize, rules: &Rules) -> polars::error::PolarsResult<&Market> {
        self.roll(index, rules);
        if self.market.is_none() {
            self.market = Some(self.compute(index, rules)?);
        }
        Ok(self.market.as_ref().expect("it was computed above"))
    }

    fn compute(&mut self, index: usize, rules: &Rules) -> polars::error::PolarsResult<Market> {
        for proxy in &mut self.proxies {
            if proxy.carry.is_none() {
                let past = &proxy.window.past;
                let past = Proxy {
                    bars: &past.bars,
                    daily: &past.daily,
                    splits: past.splits.clone(),
                };
                let span = rules.first_session.min(index)..index + 1;
                let carry = ProxyCarry::new(past, rules.calendar, span, &rules.settings)?;
                proxy.carry = Some(carry);
            }
        }
        let [spy, qqq] = &self.proxies;
        Market::following(
            spy.window(),
            qqq.window(),
            rules.calendar,
            index..index + 1,
            &rules.settings,
        )
    }
}

impl ProxyDesk {
    fn window(&self) -> ProxyWindow<'_> {
        ProxyWindow {
            carry: self.carry.as_ref().expect("it was made before"),
            bars: &self.window.today,
            splits: self.window.past.splits.clone(),
        }
    }
}
