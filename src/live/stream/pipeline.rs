//! The pipeline of a day: frames, answers and the state of the connections in; inputs of the run out.
//!
//! ```text
//!  frames ─ wire ─ order ─ tape ──────────── told ─ run
//!                    │       │ ╰ quotes ─╮     │
//!                  holes ── errands ── answers gate ← minute bars
//! ```
//!
//! Whatever was lost (a connection, a frame that did not fit, a message that could not be read) is a hole:
//! time stands still before it until REST has filled it, and what cannot be filled is said and marks
//! the signals after it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::holes::{Closed, Hole};
use super::kept::{KeptPrints, Recovered};
use super::order::{Numbered, Order, Taken};
use super::resume::Resume;
use super::tape::StreamTape;
use super::{Wanted, new_york};
use crate::engine::PROXIES;
use crate::flow::{Print, Rules, Sight};
use crate::live::errands::{Answer, Errand, Errands};
use crate::live::event::{Gap, Input};
use crate::live::inbox::{Message, Moment};
use crate::live::massive::{Wire, WireBar, WireTrade, read};
use crate::live::poll::Polled;
use crate::live::run::{Run, RunError};
use crate::live::{Feed, Frame, Gauges, Link, wall_clock};
use crate::store::MinuteBar;
use crate::time::{Session, Ts, exchange_midnight};

const MS_NS: i64 = 1_000_000;
const PRINTS: &str = "option prints";
const BARS: &str = "minute bars";

#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("the vendor refuses the {feed} feed: {reason}")]
    Refused { feed: Feed, reason: String },
    #[error("cannot keep the day's prints: {0}")]
    Kept(#[from] std::io::Error),
}

/// How long things are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    pub reorder_ns: i64,
    /// Without any message for so long, what the tape had begun is complete.
    pub quiet: Duration,
    pub bar: Duration,
}

/// What a day is made of.
pub struct Day<'a> {
    pub session: Session,
    pub rules: Rules,
    pub tickers: &'a [String],
    pub tape: StreamTape<'a>,
    /// Contracts that REST is asked for when something was lost.
    pub listed: Vec<String>,
    pub waits: Waits,
    /// What was told of the day before.
    pub resume: Resume,
    /// Where the day's prints are kept, and what was kept of them.
    pub kept: Option<(KeptPrints, Recovered)>,
    /// Without errands what is lost stays lost.
    pub errands: Option<Errands>,
    pub gauges: Arc<Gauges>,
}

/// One exchange day of a stream.
pub struct Pipeline<'a> {
    session: Session,
    rules: Rules,
    tickers: &'a [String],
    /// The run's tickers by their numbers, then those proxies that are not among them.
    places: HashMap<String, usize>,
    proxies: [usize; PROXIES.len()],
    tape: StreamTape<'a>,
    order: Order,
    gate: Gate,
    listed: BTreeSet<String>,
    waits: Waits,
    resume: Resume,
    kept: Option<KeptPrints>,
    sights: HashMap<u32, VecDeque<Sight>>,
    errands: Option<Errands>,
    gauges: Arc<Gauges>,
    prints: Hole,
    bars: Hole,
    /// Of the hole that was asked for: bars that end later may not be whole.
    bars_to: Ts,
    is_up: [bool; Feed::ALL.len()],
    last_frame: Instant,
    /// Tickers whose prints came too late once already.
    too_late: BTreeSet<usize>,
    overs: BTreeSet<usize>,
    settled: Vec<Numbered>,
    inputs: Vec<Input>,
    /// Bars that came while a hole lies before them, by their end.
    later_bars: BTreeMap<(Ts, usize), MinuteBar>,
    moments: Vec<Moment>,
}

impl<'a> Pipeline<'a> {
    /// Begins the day, or goes on where the kept prints end. What happened before the first print is a
    /// hole like any other.
    pub fn new(day: Day<'a>) -> Result<Pipeline<'a>, StreamError> {
        let tickers = day.tickers;
        let mut places: HashMap<String, usize> = HashMap::new();
        for name in tickers.iter().map(String::as_str).chain(PROXIES) {
            let next = places.len();
            places.entry(name.to_owned()).or_insert(next);
        }
        let start = exchange_midnight(day.session.date);
        let mut pipeline = Pipeline {
            session: day.session,
            rules: day.rules,
            tickers,
            proxies: PROXIES.map(|proxy| places[proxy]),
            gate: Gate::new(places.len(), day.waits.bar),
            places,
            tape: day.tape,
            order: Order::new(day.waits.reorder_ns, start),
            listed: day.listed.into_iter().collect(),
            waits: day.waits,
            resume: day.resume,
            kept: None,
            sights: HashMap::new(),
            errands: day.errands,
            gauges: day.gauges,
            prints: Hole::default(),
            bars: Hole::default(),
            bars_to: Ts::MIN,
            is_up: [false; Feed::ALL.len()],
            last_frame: Instant::now(),
            too_late: BTreeSet::new(),
            overs: BTreeSet::new(),
            settled: Vec::new(),
            inputs: Vec::new(),
            later_bars: BTreeMap::new(),
            moments: Vec::new(),
        };
        if let Some((kept, recovered)) = day.kept {
            pipeline.kept = Some(kept);
            pipeline.recover(recovered);
        }
        pipeline.lost(Feed::Options);
        pipeline.lost(Feed::Stocks);
        Ok(pipeline)
    }

    /// The tape as it was, from the prints that were kept.
    fn recover(&mut self, recovered: Recovered) {
        let numbers: Vec<Option<u32>> = recovered
            .symbols
            .iter()
            .map(|symbol| self.tape.number(symbol))
            .collect();
        self.sights = recovered.sights;
        let Some((_, last)) = recovered.prints.last() else {
            return;
        };
        let (count, last) = (recovered.prints.len(), last.ts);
        let watermark = last.plus_ns(1);
        for (number, print) in &recovered.prints {
            if let Some(number) = numbers[*number as usize] {
                self.tape.push(number, print);
            }
            let wanted = self.tape.advance(print.ts);
            self.ask_for_quotes(wanted);
        }
        let wanted = self.tape.advance(watermark);
        self.ask_for_quotes(wanted);
        self.order = Order::new(self.waits.reorder_ns, watermark);
        for (number, print) in recovered.prints {
            if let Some(contract) = numbers[number as usize] {
                self.order.recall(&Numbered { contract, print });
            }
        }
        log::info!(
            "{count} prints of {} were kept, the last of {}",
            self.session.date,
            new_york(last)
        );
    }

    /// Takes a message, and tells the run whatever can be told after it.
    pub fn take(&mut self, message: Message, run: &mut Run) -> Result<(), StreamError> {
        let mut received = None;
        match message {
            Message::Frame(frame) => {
                self.gauges.queue_depth.add(-1);
                received = Some(frame.received);
                // Not when it was received: with a backlog nothing is quiet.
                self.last_frame = Instant::now();
                self.frame(&frame);
            }
            Message::Link(feed, link) => self.link(feed, link)?,
            Message::Answer(answer) => self.answer(answer)?,
            Message::Polled(polled) => {
                self.last_frame = Instant::now();
                self.polled(polled)?;
            }
            Message::Moment(moment) => self.moment(moment)?,
        }
        self.go_on(run, received)
    }

    /// Takes a breath: when nothing has come for long, what the tape had begun is complete.
    pub fn idle(&mut self, run: &mut Run) -> Result<(), StreamError> {
        if self.last_frame.elapsed() >= self.waits.quiet && !self.is_recorded() {
            // Nothing says where the hole ends, so it is asked for to the end of the day.
            if self.prints.unasked().is_some() && self.is_up[Feed::Options as usize] {
                self.ask_for_prints(self.day_ends());
            }
            if self.bars.unasked().is_some() && self.is_up[Feed::Stocks as usize] {
                self.ask_for_bars(self.day_ends().min(wall_clock()));
            }
            // Rounds of asking say themselves up to when they are complete.
            let is_stream = self.is_up[Feed::Options as usize];
            if is_stream && !self.is_complete() && !self.order.is_held() {
                self.moments.push(Moment::Quiet);
                self.complete()?;
            }
            // Nobody tells a minute without trades.
            self.session_overs(|gate, ticker| gate.known_to(ticker));
        }
        self.go_on(run, None)
    }

    /// What was done of itself since the last call.
    pub fn moments(&mut self) -> impl Iterator<Item = Moment> {
        self.moments.drain(..)
    }

    fn moment(&mut self, moment: Moment) -> Result<(), StreamError> {
        match moment {
            Moment::Quiet => self.complete(),
            Moment::Asked {
                feed,
                hole: number,
                to,
                questions,
            } => {
                let hole = self.hole(feed);
                if hole.unasked().is_none() {
                    // The process that was recorded was another one from here on.
                    self.lost(feed);
                }
                let hole = self.hole(feed);
                hole.name(number);
                hole.ask(to, questions);
                if feed == Feed::Stocks {
                    self.bars_to = to;
                }
                Ok(())
            }
        }
    }

    fn hole(&mut self, feed: Feed) -> &mut Hole {
        match feed {
            Feed::Options => &mut self.prints,
            Feed::Stocks => &mut self.bars,
        }
    }

    fn is_recorded(&self) -> bool {
        self.errands.as_ref().is_some_and(Errands::are_recorded)
    }

    fn day_ends(&self) -> Ts {
        let next = self.session.date.succ_opt();
        exchange_midnight(next.expect("the calendar ends sooner"))
    }

    /// The latest time that anything speaks of. Within the session a bar says nothing of prints: the
    /// silence of one feed may be its death.
    fn newest(&self) -> Ts {
        match self.newest_bar() {
            bar if bar >= self.session.close => self.order.latest().max(bar),
            _ => self.order.latest(),
        }
    }

    fn completion(&self) -> Ts {
        self.newest().plus_ns(self.rules.window_ns() + 1)
    }

    fn is_complete(&self) -> bool {
        self.order.watermark() >= self.completion()
    }

    /// Nothing more will come of what there is.
    fn complete(&mut self) -> Result<(), StreamError> {
        self.settle(Some(self.completion()))
    }

    /// The stream is over and nothing will come any more: everything is complete, and what is still
    /// missing stays so.
    pub fn end(&mut self, run: &mut Run) -> Result<(), StreamError> {
        for (feed, what) in [(Feed::Options, PRINTS), (Feed::Stocks, BARS)] {
            let to = self.newest();
            // The hole that a day begins with is none when nothing came at all.
            let begun = self.hole(feed).begun().filter(|from| to > *from);
            if let Some(from) = begun.filter(|_| self.gauges.frames.get() > 0) {
                self.gap(from, to, what, Vec::new());
            }
        }
        self.order.let_go();
        self.bars_are_whole();
        self.gate.all_known();
        self.complete()?;
        self.session_overs(|gate, ticker| gate.known_to(ticker));
        self.go_on(run, None)
    }

    /// Safe from a kill: the kept prints, and then what was told of them.
    pub fn flush(&mut self) -> Result<(), StreamError> {
        if let Some(kept) = &mut self.kept {
            kept.flush()?;
        }
        Ok(())
    }

    /// Ends the errands. What is not told yet is told by the next process.
    pub fn close(mut self) -> Result<(), StreamError> {
        self.flush()?;
        if let Some(errands) = self.errands.take() {
            errands.close();
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) {
        let feed = frame.feed;
        if frame.dropped_before > 0 {
            let dropped = frame.dropped_before;
            log::warn!("{dropped} frames of the {feed} feed found the queue full; asking REST");
            self.lost(feed);
        }
        let (mut first, mut last) = (None, Ts::MIN);
        let (known, mut newest_bar) = (self.newest_bar(), Ts::MIN);
        let result = read(&frame.text, |wire| match wire {
            Wire::Trade(trade) => {
                first.get_or_insert(trade.ts);
                last = last.max(trade.ts);
                self.trade(&trade);
            }
            Wire::Bar(bar) => {
                newest_bar = newest_bar.max(bar.start.plus_minutes(1));
                self.bar(bar.ticker, minute_bar(&bar, &self.session));
            }
            Wire::Quote(_) => {}
        });
        let lost = match result {
            Ok(read) => {
                self.gauges.malformed.add(read.bad);
                self.gauges.unknown_messages.add(read.unknown);
                let is_ours = read
                    .whose
                    .iter()
                    .any(|whose| self.is_ours(whose.as_deref()));
                let fault = read.first_fault.filter(|_| is_ours);
                fault.map(|fault| fault.to_string())
            }
            Err(malformed) => {
                self.gauges.malformed.add(1 + malformed.read.bad);
                Some(malformed.to_string())
            }
        };
        if let Some(fault) = lost {
            log::warn!("a message of the {feed} feed cannot be read ({fault}); asking REST");
            self.lost(feed);
        }
        if let Some(first) = first {
            self.skew(last);
            if self.prints.unasked().is_some() && self.is_up[Feed::Options as usize] {
                // Whatever comes later comes by the stream.
                self.ask_for_prints(first.plus_ns(self.waits.reorder_ns + MS_NS));
            }
        }
        // A bar says that those before it are whole. One that was told before says nothing.
        let is_news = newest_bar > known && self.is_up[Feed::Stocks as usize];
        if is_news && self.bars.unasked().is_some() {
            self.ask_for_bars(newest_bar);
        }
    }

    /// Whether a message that cannot be read concerns the run, as one does that does not say whose it
    /// is. The market's others may be as bad as they like.
    fn is_ours(&mut self, whose: Option<&str>) -> bool {
        whose.is_none_or(|name| self.places.contains_key(name) || self.tape.number(name).is_some())
    }

    /// A round of asking: everything from midnight to its end is there, so there are no holes.
    fn polled(&mut self, polled: Polled) -> Result<(), StreamError> {
        self.prints = Hole::default();
        self.bars = Hole::default();
        self.order.let_go();
        self.bars_are_whole();
        // Of two rounds that have something in common the later has it all.
        let round = polled.to.ns().cast_unsigned();
        for (symbol, print) in polled.prints {
            if let Some(contract) = self.tape.number(&symbol) {
                self.gauges.prints.add(1);
                self.order.rest(Numbered { contract, print }, round);
            }
        }
        for (ticker, bar) in polled.bars {
            self.bar(&ticker, bar);
        }
        self.settle(Some(polled.to))
    }

    fn trade(&mut self, trade: &WireTrade) {
        if self.is_of_day(trade.ts) {
            self.order.hear(trade.ts);
        }
        let Some(contract) = self.tape.number(trade.sym) else {
            return;
        };
        if !self.is_of_day(trade.ts) {
            return;
        }
        self.gauges.prints.add(1);
        let print = Print {
            ts: trade.ts,
            price: trade.price,
            size: trade.size,
            exchange: trade.exchange,
            conditions: trade.conditions,
            correction: 0,
        };
        match self
            .order
            .stream(Numbered { contract, print }, trade.sequence)
        {
            Taken::Waits => {}
            Taken::Repeat => self.gauges.duplicates.add(1),
            Taken::Late => self.late(contract, &print),
        }
    }

    /// A print that came when its time was settled: its event is told without it.
    fn late(&mut self, contract: u32, print: &Print) {
        self.gauges.late_prints.add(1);
        let ticker = self.tape.ticker_of(contract);
        if self.too_late.insert(ticker) {
            let what = format!("option prints came too late from {} on", new_york(print.ts));
            log::warn!(
                "{}: {what}; live.reorder_ms waits longer",
                self.tickers[ticker]
            );
            self.inputs.push(Input::Gap(Gap {
                from: print.ts,
                to: print.ts,
                tickers: vec![self.tickers[ticker].clone()],
                what,
            }));
        }
    }

    fn bar(&mut self, ticker: &str, bar: MinuteBar) {
        let Some(place) = self.places.get(ticker).copied() else {
            return;
        };
        if !self.is_of_day(bar.ts) {
            return;
        }
        if self.gate.is_held() {
            // In order of time, after those that REST has.
            self.later_bars
                .entry((bar.ts.plus_minutes(1), place))
                .or_insert(bar);
        } else {
            self.next_bar(place, bar);
        }
    }

    fn next_bar(&mut self, place: usize, bar: MinuteBar) {
        if !self.gate.bar(place, bar.ts.plus_minutes(1)) {
            return;
        }
        if let Some(proxy) = self.proxies.iter().position(|proxy| *proxy == place) {
            let ticker = PROXIES[proxy].to_owned();
            self.inputs.push(Input::ProxyBar { ticker, bar });
        }
        if place < self.tickers.len() {
            self.tape.bar(place, bar);
        }
    }

    /// The end of the last bar that came.
    fn newest_bar(&self) -> Ts {
        let later = self.later_bars.last_key_value();
        later.map_or(self.gate.newest(), |((end, _), _)| {
            self.gate.newest().max(*end)
        })
    }

    /// No hole lies before the bars that came any more.
    fn bars_are_whole(&mut self) {
        self.gate.let_go();
        for ((_, place), bar) in std::mem::take(&mut self.later_bars) {
            self.next_bar(place, bar);
        }
    }

    fn is_of_day(&self, ts: Ts) -> bool {
        let start = self.session.day_start();
        // A day of 25 hours is none of a session; nothing trades around midnight.
        (start..start.plus_minutes(24 * 60)).contains(&ts)
    }

    fn skew(&self, stream: Ts) {
        let skew = stream.ns_since(wall_clock());
        self.gauges.clock_skew_ns.set(skew);
    }

    fn link(&mut self, feed: Feed, link: Link) -> Result<(), StreamError> {
        let was_up = std::mem::replace(&mut self.is_up[feed as usize], link == Link::Up);
        match link {
            Link::Up => {
                log::info!("the {feed} feed is up");
                self.last_frame = Instant::now();
            }
            Link::Down(reason) => {
                if was_up {
                    log::warn!("lost the {feed} feed: {reason}; connecting again");
                } else {
                    log::info!("no {feed} feed yet: {reason}");
                }
                self.lost(feed);
            }
            Link::Refused(reason) => return Err(StreamError::Refused { feed, reason }),
        }
        Ok(())
    }

    /// Something of `feed` is missing from here on.
    fn lost(&mut self, feed: Feed) {
        match feed {
            Feed::Options => {
                self.prints.open(self.order.heard_to());
                self.order.hold();
            }
            Feed::Stocks => {
                let day_start = self.session.day_start();
                self.bars.open(self.newest_bar().max(day_start));
                self.gate.hold();
            }
        }
    }

    /// Asks for what was lost up to `to`, and for whatever REST has beyond: what was lost may be later
    /// than what comes first.
    fn ask_for_prints(&mut self, to: Ts) {
        if self.is_recorded() {
            return;
        }
        let from = self.prints.unasked().expect("somebody looked before");
        let symbols = self.tape.symbols().map(str::to_owned);
        self.listed.extend(symbols);
        let questions = self.errands.as_ref().map_or(0, |_| self.listed.len());
        let hole = self.asked(Feed::Options, to, questions);
        let ends = self.day_ends();
        if let Some(errands) = &self.errands {
            for symbol in &self.listed {
                errands.ask(Errand::Prints {
                    hole,
                    symbol: symbol.clone(),
                    from,
                    to: ends,
                });
            }
        }
    }

    /// Asks for the bars that end by `to`.
    fn ask_for_bars(&mut self, to: Ts) {
        if self.is_recorded() {
            return;
        }
        self.bars_to = to;
        let questions = self.errands.as_ref().map_or(0, |_| self.places.len());
        let hole = self.asked(Feed::Stocks, to, questions);
        if let Some(errands) = &self.errands {
            for ticker in self.places.keys() {
                errands.ask(Errand::Bars {
                    hole,
                    ticker: ticker.clone(),
                    date: self.session.date,
                });
            }
        }
    }

    fn asked(&mut self, feed: Feed, to: Ts, questions: usize) -> u64 {
        let hole = self.hole(feed).ask(to, questions);
        self.moments.push(Moment::Asked {
            feed,
            hole,
            to,
            questions,
        });
        hole
    }

    fn answer(&mut self, answer: Answer) -> Result<(), StreamError> {
        match answer {
            Answer::Sights { symbol, sights } => {
                // A recording may know more contracts than the run.
                if let Some(contract) = self.tape.number(&symbol) {
                    self.sights(contract, sights)?;
                }
            }
            // Several threads may have asked before one of them knew.
            Answer::NoQuotes { .. } if !self.tape.asks_for_quotes() => {}
            Answer::NoQuotes { message } => {
                log::warn!("no quotes, so sides are by tick test from here on: {message}");
                self.tape.give_up_quotes();
            }
            Answer::Prints {
                hole,
                symbol,
                prints,
            } if self.prints.is_asked(hole) => {
                let failed = match prints {
                    Ok(prints) => self.backfill(&symbol, prints, hole),
                    Err(reason) => self.failed(&symbol, &reason),
                };
                self.prints.answered(failed);
            }
            Answer::Bars { hole, ticker, bars } if self.bars.is_asked(hole) => {
                let failed = match bars {
                    Ok(bars) => self.backfill_bars(&ticker, bars),
                    Err(reason) => {
                        log::warn!("minute bars of {ticker} cannot be had again: {reason}");
                        Some(ticker)
                    }
                };
                self.bars.answered(failed);
            }
            // Of a hole that has grown since.
            Answer::Prints { .. } | Answer::Bars { .. } => {}
        }
        Ok(())
    }

    fn backfill(&mut self, symbol: &str, prints: Vec<Print>, hole: u64) -> Option<String> {
        let contract = self.tape.number(symbol)?;
        for print in prints {
            if self.order.rest(Numbered { contract, print }, hole) == Taken::Late {
                self.late(contract, &print);
            }
        }
        None
    }

    fn failed(&mut self, symbol: &str, reason: &str) -> Option<String> {
        log::warn!("prints of {symbol} cannot be had again: {reason}");
        let contract = self.tape.number(symbol)?;
        Some(self.tickers[self.tape.ticker_of(contract)].clone())
    }

    /// Bars of minutes that had ended when they were asked for; a later one may not be whole.
    fn backfill_bars(&mut self, ticker: &str, bars: Vec<MinuteBar>) -> Option<String> {
        for bar in bars {
            if bar.ts.plus_minutes(1) <= self.bars_to {
                self.bar(ticker, bar);
            }
        }
        None
    }

    /// What prints met; the tape may then ask for more.
    fn sights(&mut self, contract: u32, mut sights: Vec<Sight>) -> Result<(), StreamError> {
        let asked = self.tape.asked(contract);
        sights.resize(asked, Sight::NONE);
        if let Some(kept) = &mut self.kept {
            kept.sights(contract, &sights)?;
        }
        let wanted = self.tape.answer(contract, &sights, self.order.watermark());
        self.ask_for_quotes(
            wanted
                .map(|wanted| (contract, wanted))
                .into_iter()
                .collect(),
        );
        Ok(())
    }

    fn ask_for_quotes(&mut self, wanted: Vec<(u32, Wanted)>) {
        let mut wanted = VecDeque::from(wanted);
        while let Some((contract, question)) = wanted.pop_front() {
            // An earlier process may have asked already.
            let asked = question.prints.len();
            let known = self.sights.get_mut(&contract);
            if let Some(known) = known.filter(|known| known.len() >= asked) {
                let sights: Vec<Sight> = known.drain(..asked).collect();
                let more = self.tape.answer(contract, &sights, self.order.watermark());
                wanted.extend(more.map(|more| (contract, more)));
                continue;
            }
            self.sights.remove(&contract);
            match &self.errands {
                Some(errands) => errands.ask(Errand::Quotes {
                    wanted: question,
                    rules: self.rules,
                }),
                None => {
                    let more = self.tape.answer(contract, &[], self.order.watermark());
                    wanted.extend(more.map(|more| (contract, more)));
                }
            }
        }
    }

    /// Settles prints up to where the stream allows, or up to `until`.
    fn settle(&mut self, until: Option<Ts>) -> Result<(), StreamError> {
        let Pipeline {
            order,
            tape,
            settled,
            kept,
            ..
        } = self;
        let symbol = |contract| tape.symbol(contract);
        let each = |numbered: &Numbered| settled.push(*numbered);
        let repeats = match until {
            None => order.settle(symbol, each),
            Some(until) => order.settle_before(until, symbol, each),
        };
        self.gauges.duplicates.add(repeats);
        for numbered in settled.drain(..) {
            if let Some(kept) = kept {
                kept.print(&numbered, |contract| tape.symbol(contract))?;
            }
            tape.push(numbered.contract, &numbered.print);
        }
        let wanted = self.tape.advance(self.order.watermark());
        self.ask_for_quotes(wanted);
        Ok(())
    }

    /// Closes what can be closed, settles what can be settled, tells what can be told.
    fn go_on(&mut self, run: &mut Run, received: Option<Instant>) -> Result<(), StreamError> {
        if let Some(closed) = self.prints.closed() {
            self.order.let_go();
            self.tell_of(closed, PRINTS);
        }
        if let Some(closed) = self.bars.closed() {
            self.bars_are_whole();
            self.tell_of(closed, BARS);
        }
        self.settle(None)?;
        self.session_overs(Gate::came_to);
        loop {
            let Pipeline {
                tape,
                gate,
                proxies,
                inputs,
                ..
            } = self;
            let market = proxies.iter().map(|proxy| gate.known_to(*proxy)).min();
            let market = market.expect("there are proxies");
            let bars_to = |ticker: usize| gate.known_to(ticker).min(market);
            let waits = tape.tell(self.order.watermark(), bars_to, |input| inputs.push(input));
            self.tell(run, received)?;
            let given_up = self.gate.wait_for(waits, Instant::now());
            if given_up.is_empty() {
                return Ok(());
            }
            for minute in given_up {
                log::info!(
                    "not every bar of the minute up to {} came",
                    new_york(minute)
                );
            }
        }
    }

    fn tell(&mut self, run: &mut Run, received: Option<Instant>) -> Result<(), StreamError> {
        let mut inputs = std::mem::take(&mut self.inputs);
        for input in inputs.drain(..) {
            if self.resume.is_new(&input) {
                run.take(&input, received)?;
            }
        }
        self.inputs = inputs;
        Ok(())
    }

    fn session_overs(&mut self, bars_to: impl Fn(&Gate, usize) -> Ts) {
        for ticker in 0..self.tickers.len() {
            let is_over = bars_to(&self.gate, ticker) >= self.session.close;
            if is_over && self.overs.insert(ticker) {
                self.tape.session_over(ticker, &self.session);
            }
        }
    }

    fn tell_of(&mut self, closed: Closed, what: &str) {
        let Closed { from, to, failed } = closed;
        let when = format!("{what} {} to {}", new_york(from), new_york(to));
        let is_blind = self.errands.is_none() && to > from;
        if failed.is_empty() && !is_blind {
            self.gauges.gaps_closed.add(1);
            log::info!("{when} are complete");
            return;
        }
        self.gap(from, to, what, failed);
    }

    /// `what` is missing of `failed`, of all when none is named, and stays so.
    fn gap(&mut self, from: Ts, to: Ts, what: &str, failed: Vec<String>) {
        let when = format!("{what} {} to {}", new_york(from), new_york(to));
        log::error!("{when} are missing and stay so: {}", failed.join(", "));
        // What a proxy lacks, the regime of all lacks.
        let is_everybodys = failed.iter().any(|name| PROXIES.contains(&name.as_str()));
        let tickers = match what == BARS && is_everybodys {
            true => Vec::new(),
            false => failed,
        };
        self.inputs.push(Input::Gap(Gap {
            from,
            to,
            tickers,
            what: when,
        }));
    }
}

fn minute_bar(bar: &WireBar, session: &Session) -> MinuteBar {
    MinuteBar {
        ts: bar.start,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        vwap: bar.vwap,
        trades: None,
        is_regular: session.contains(bar.start),
    }
}
