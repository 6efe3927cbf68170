//! The pipeline of a day: frames, answers and the state of the connections in; inputs of the run out.
//!
//! ```text
//!  frames ─ wire ─ order ─ tape ──────────── told ─ run
//!                    │       │ ╰ quotes ─╮     │
//!                  holes ── errands ── answers gate ← minute bars
//!                    ╰ chains ╯ ╰ second look
//! ```
//!
//! Whatever was lost (a connection, a frame that did not fit, a message that could not be read) is a hole:
//! time stands still before it until REST has filled it, and what cannot be filled is said and marks
//! the signals after it.

mod chains;
mod frames;
mod losses;
mod quotes;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::mem::Discriminant;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::holes::Hole;
use super::kept::{KeptPrints, Recovered};
use super::new_york;
use super::order::{Numbered, Order};
use super::resume::Resume;
use super::second_look::SecondLook;
use super::tape::StreamTape;
use crate::engine::PROXIES;
use crate::flow::{Rules, Sight};
use crate::live::errands::{Errands, NoChain};
use crate::live::event::Input;
use crate::live::inbox::{Message, Moment};
use crate::live::run::{Run, RunError};
use crate::live::{Feed, Gauges, wall_clock};
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
    /// By ticker.
    listed: Vec<BTreeSet<String>>,
    waits: Waits,
    resume: Resume,
    kept: Option<KeptPrints>,
    sights: HashMap<u32, VecDeque<Sight>>,
    errands: Option<Errands>,
    gauges: Arc<Gauges>,
    prints: Hole,
    bars: Hole,
    second_look: SecondLook,
    /// Why chains did not help, each said once.
    no_chain: HashSet<Discriminant<NoChain>>,
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
            listed: vec![BTreeSet::new(); tickers.len()],
            waits: day.waits,
            resume: day.resume,
            kept: None,
            sights: HashMap::new(),
            errands: day.errands,
            gauges: day.gauges,
            prints: Hole::default(),
            bars: Hole::default(),
            second_look: SecondLook::default(),
            no_chain: HashSet::new(),
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
        for symbol in day.listed {
            pipeline.list(symbol);
        }
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
        let pending = self.second_look.pending();
        if pending > 0 && !self.is_recorded() {
            log::info!(
                "{pending} contracts that were quiet by their chains were not looked at again"
            );
        }
        if let Some(errands) = self.errands.take() {
            errands.close();
        }
        Ok(())
    }

    /// Settles prints up to where the stream allows, or up to `until`.
    fn settle(&mut self, until: Option<Ts>) -> Result<(), StreamError> {
        let Pipeline {
            order,
            tape,
            settled,
            kept,
            second_look,
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
            second_look.told(&numbered);
            tape.push(numbered.contract, &numbered.print);
        }
        let wanted = self.tape.advance(self.order.watermark());
        self.ask_for_quotes(wanted);
        Ok(())
    }

    /// Closes what can be closed, settles what can be settled, tells what can be told.
    fn go_on(&mut self, run: &mut Run, received: Option<Instant>) -> Result<(), StreamError> {
        if let Some(closed) = self.prints.closed() {
            self.look_again_at(closed.from, closed.to);
            self.order.let_go();
            self.tell_of(closed, PRINTS);
        }
        if let Some(closed) = self.bars.closed() {
            self.bars_are_whole();
            self.tell_of(closed, BARS);
        }
        self.settle(None)?;
        self.look_again();
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
}
