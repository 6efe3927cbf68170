//! Replay: the cache told as if it happened now, day by day, each input at the instant it became known.
//!
//! An event is told at its `available_at`, a bar at its end, a late cancel at its own time, and at an
//! equal instant bars come first: what had ended by `t` is known at `t`.

use std::collections::{BTreeMap, VecDeque};

use chrono::NaiveDate;

use super::desk::Past;
use super::event::{Input, LateCancel, StreamedEvent};
use crate::context::Splits;
use crate::engine::{Found, Gaps, Inputs, PROXIES, Period, Reach, Span, covered};
use crate::store::{Bars, FlowBatches, Footer, MinuteBar, Store, StoreError};
use crate::time::{Calendar, Session, Ts, exchange_midnight};
use crate::{config::Config, store::DailyBar};

/// A period of the cache on its way through the desk.
pub struct Replay<'a> {
    store: &'a Store,
    calendar: &'a Calendar,
    period: Period,
    span: Span,
    /// The run's tickers and the proxies; only the former have flow.
    tickers: BTreeMap<String, TickerReplay<'a>>,
    /// First day that was not told yet.
    next: NaiveDate,
    /// Of events before it, what becomes known on it or later.
    later: Vec<(Ts, Input)>,
}

struct TickerReplay<'a> {
    flow: Option<FlowBatches<'a>>,
    /// Read and not told yet.
    waiting: VecDeque<StreamedEvent>,
    sessions: std::collections::BTreeSet<NaiveDate>,
    past: Option<Past>,
    footers: Footers,
    daily: Vec<DailyBar>,
    is_of_run: bool,
}

/// Of every file that was read.
#[derive(Default)]
struct Footers {
    bars: Vec<Footer>,
    facts: Vec<Footer>,
}

impl Footers {
    /// The same file is read day after day.
    fn saw_bars(&mut self, footers: Vec<Footer>) {
        for footer in footers {
            let is_known =
                |seen: &Footer| seen.content == footer.content && seen.sessions == footer.sessions;
            if !self.bars.iter().any(is_known) {
                self.bars.push(footer);
            }
        }
    }
}

impl<'a> Replay<'a> {
    /// Opens what `period` needs and reads what comes before it.
    pub fn new(
        store: &'a Store,
        calendar: &'a Calendar,
        config: &Config,
        tickers: &[String],
        period: Period,
    ) -> Result<Replay<'a>, StoreError> {
        let reach = Reach::of(config, tickers);
        let span = Span::new(calendar, config, &reach, period);
        let before = span
            .flow_from
            .pred_opt()
            .expect("the calendar begins later");
        let mut told = BTreeMap::new();
        let names = tickers.iter().map(String::as_str).chain(PROXIES);
        for ticker in names {
            if told.contains_key(ticker) {
                continue;
            }
            let is_of_run = tickers.iter().any(|name| name == ticker);
            let bars = store.bars_1m(ticker, span.bars_from, before)?;
            let (daily, daily_footers) = store.bars_1d(ticker)?;
            let (splits, split_footers) = store.splits(ticker)?;
            let flow = match is_of_run {
                true => Some(store.whole_flow(ticker, span.flow_from, period.end)?),
                false => None,
            };
            let sessions = sessions_of(store, ticker)?;
            let ticker_replay = TickerReplay {
                flow,
                waiting: VecDeque::new(),
                sessions,
                footers: Footers {
                    bars: bars.footers.clone(),
                    facts: [daily_footers, split_footers].concat(),
                },
                past: Some(Past {
                    bars,
                    daily: daily.clone(),
                    splits: Splits::new(splits),
                }),
                daily,
                is_of_run,
            };
            told.insert(ticker.to_owned(), ticker_replay);
        }
        Ok(Replay {
            store,
            calendar,
            period,
            next: span.flow_from,
            later: Vec::new(),
            span,
            tickers: told,
        })
    }

    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What the desk begins with. Can be taken once.
    pub fn pasts(&mut self) -> BTreeMap<String, Past> {
        let take = |(ticker, replay): (&String, &mut TickerReplay)| {
            let past = replay.past.take().expect("the past is taken once");
            (ticker.clone(), past)
        };
        self.tickers.iter_mut().map(take).collect()
    }

    /// The session that [`Replay::next_day`] goes up to.
    pub fn next_date(&self) -> NaiveDate {
        let session = self
            .calendar
            .all()
            .get(self.calendar.first_index_from(self.next));
        session.map_or(self.span.bars_to, |session| session.date)
    }

    /// Everything up to and including the next session, in the order in which it became known;
    /// `None` at the end. Cost: a day of all tickers is held.
    pub fn next_day(&mut self) -> Result<Option<Vec<(Ts, Input)>>, StoreError> {
        if self.next > self.span.bars_to {
            return Ok(None);
        }
        let from = self.next;
        let session = self
            .calendar
            .all()
            .get(self.calendar.first_index_from(from));
        let to = session.map_or(self.span.bars_to, |session| session.date);
        let to = to.min(self.span.bars_to);
        self.next = to.succ_opt().expect("the calendar ends before time does");
        let end = exchange_midnight(self.next);
        let mut inputs = std::mem::take(&mut self.later);
        for (ticker, replay) in &mut self.tickers {
            let bars = self.store.bars_1m(ticker, from, to)?;
            for row in 0..bars.len() {
                let (at, bar) = (bars.end(row), bar(&bars, row, session));
                let ticker = || ticker.clone();
                if PROXIES.iter().any(|proxy| *proxy == ticker()) {
                    inputs.push((
                        at,
                        Input::ProxyBar {
                            ticker: ticker(),
                            bar,
                        },
                    ));
                }
                if replay.is_of_run {
                    inputs.push((
                        at,
                        Input::Bar {
                            ticker: ticker(),
                            bar,
                        },
                    ));
                }
            }
            replay.footers.saw_bars(bars.footers);
            if let Some(session) = session.filter(|session| replay.sessions.contains(&session.date))
                && session.date <= to
                && replay.is_of_run
            {
                let over = Input::SessionOver {
                    ticker: ticker.clone(),
                    date: session.date,
                };
                inputs.push((session.close, over));
            }
            if from <= self.period.end {
                replay.events_before(ticker, end, &mut inputs)?;
            }
        }
        inputs.sort_by(|a, b| order(a).cmp(&order(b)));
        if self.next <= self.span.bars_to {
            let known = inputs.partition_point(|(at, _)| *at < end);
            self.later = inputs.split_off(known);
        }
        Ok(Some(inputs))
    }

    /// What the run missed and the name of what it read, as a backtest states them. Known when all of
    /// it was read.
    pub fn summary(&self) -> (Gaps, String) {
        let mut inputs = Inputs::default();
        let mut gaps = Gaps::default();
        for (ticker, replay) in &self.tickers {
            let Footers { bars, facts } = &replay.footers;
            let flow = replay.flow.as_ref().map_or(&[][..], |flow| &flow.footers);
            inputs.add(ticker, bars.iter().chain(facts).chain(flow));
            if replay.is_of_run {
                let found = Found {
                    bars,
                    flow,
                    daily: &replay.daily,
                };
                let Replay {
                    calendar,
                    period,
                    span,
                    ..
                } = self;
                gaps.merge(Gaps::of(calendar, *period, span, ticker, found));
            }
        }
        gaps.regime = PROXIES
            .iter()
            .all(|proxy| self.tickers[*proxy].footers.bars.is_empty());
        (gaps, inputs.hash())
    }

    /// Footers of the flow read so far, by ticker: they say below which floor events were dropped.
    pub fn flow_footers(&self) -> impl Iterator<Item = (&str, &[Footer])> {
        self.tickers.iter().filter_map(|(ticker, replay)| {
            let flow = replay.flow.as_ref()?;
            Some((ticker.as_str(), flow.footers.as_slice()))
        })
    }
}

impl TickerReplay<'_> {
    /// Moves the events with `ts` before `end` into `inputs`.
    fn events_before(
        &mut self,
        ticker: &str,
        end: Ts,
        inputs: &mut Vec<(Ts, Input)>,
    ) -> Result<(), StoreError> {
        let Some(flow) = &mut self.flow else {
            return Ok(());
        };
        while self.waiting.back().is_none_or(|event| event.ts < end)
            && let Some(batch) = flow.next_batch()?
        {
            self.waiting.extend((0..batch.len()).map(|row| {
                StreamedEvent::new(&batch.event(row, ticker), batch.detail(row).clone())
            }));
        }
        let told = self.waiting.partition_point(|event| event.ts < end);
        for mut event in self.waiting.drain(..told) {
            // What came later is told later.
            if let Some(at) = event
                .detail
                .cancelled_at
                .filter(|at| *at > event.available_at)
            {
                let cancel = LateCancel {
                    ticker: event.ticker.clone(),
                    contract: event.contract.clone(),
                    ts: event.ts,
                    seq: event.seq,
                    at,
                    contracts: std::mem::take(&mut event.detail.cancelled_contracts),
                };
                event.detail.cancelled_at = None;
                inputs.push((at, Input::Cancelled(cancel)));
            }
            inputs.push((event.available_at, Input::Event(Box::new(event))));
        }
        Ok(())
    }
}

fn bar(bars: &Bars, row: usize, session: Option<&Session>) -> MinuteBar {
    let ts = Ts::from_ns(bars.ts[row]);
    MinuteBar {
        ts,
        open: bars.open[row],
        high: bars.high[row],
        low: bars.low[row],
        close: bars.close[row],
        volume: bars.volume[row],
        // Where the file has none this is what stands in for it.
        vwap: Some(bars.price[row]),
        trades: None,
        is_regular: session.is_some_and(|session| session.contains(ts)),
    }
}

/// The sessions whose minute bars the cache has up to the close.
fn sessions_of(
    store: &Store,
    ticker: &str,
) -> Result<std::collections::BTreeSet<NaiveDate>, StoreError> {
    let files = store.probe(crate::store::Table::Bars1m, ticker)?;
    let footers: Vec<Footer> = files.into_iter().map(|file| file.footer).collect();
    Ok(covered(&footers))
}

/// When, which kind first, and among events the order of arrival.
fn order((at, input): &(Ts, Input)) -> (Ts, u8, &str, Ts, u32) {
    match input {
        Input::ProxyBar { ticker, .. } | Input::Bar { ticker, .. } => (*at, 0, ticker, Ts::MIN, 0),
        Input::SessionOver { ticker, .. } => (*at, 1, ticker, Ts::MIN, 0),
        Input::Event(event) => (*at, 2, &event.ticker, event.ts, event.seq),
        Input::Gap(gap) => (*at, 0, "", gap.from, 0),
        Input::Cancelled(cancel) => (*at, 3, &cancel.ticker, cancel.ts, cancel.seq),
    }
}
