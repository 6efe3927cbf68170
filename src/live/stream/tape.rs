//! The tape of a stream: prints in the order of time, quotes when they come, minute bars, in; events in
//! the order in which a listener learns of them, each with what was known of its stock, out.
//!
//! An event is told when three things are past: its own wait, whatever could still come before it on
//! its ticker, and the minute bars that had ended by then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use super::contract::{StreamContract, Wanted};
use chrono::NaiveDate;

use crate::config::Config;
use crate::fetch::{Attached, Facts, Listed, rules};
use crate::flow::{Change, Contract, FlowCounts, Merged, Print, Rules, Sight};
use crate::live::event::{Input, LateCancel, StreamedEvent};
use crate::providers::roots;
use crate::store::{MinuteBar, Store, StoreError};
use crate::time::{Calendar, MINUTE_NS, Session, Ts};

/// A day of option prints of the run's tickers.
pub struct StreamTape<'a> {
    rules: Rules,
    /// Whether quotes are asked for at all.
    with_quotes: bool,
    tickers: Vec<StreamTicker<'a>>,
    contracts: Vec<StreamContract>,
    /// By symbol; `None` for one that is not of the run.
    numbers: HashMap<String, Option<u32>>,
    /// Roots of the run's tickers.
    roots: HashMap<String, usize>,
    /// When a contract is next to be looked at.
    looks: BinaryHeap<Reverse<(Ts, u32)>>,
    /// The look a contract has in `looks`.
    planned: Vec<Option<Ts>>,
    changes: Vec<Change>,
}

struct StreamTicker<'a> {
    facts: Facts<'a>,
    last: Option<Ts>,
    next_seq: u32,
    /// Contracts that wait for quotes, with the earliest event they may still bring.
    held_by: BTreeMap<u32, Ts>,
    due: BinaryHeap<Reverse<Due>>,
}

/// Something to be told, in the order of when it was known.
struct Due {
    at: Ts,
    ts: Ts,
    seq: u32,
    what: What,
}

enum What {
    Bar(MinuteBar),
    SessionOver(NaiveDate),
    Event(u32, Box<Merged>),
    /// Of an event told before: contract, and contracts cancelled.
    Cancel(u32, i64),
}

impl Due {
    /// What had ended by an instant is known at it, so bars come first.
    fn order(&self) -> (Ts, u8, Ts, u32) {
        let rank = match self.what {
            What::Bar(_) => 0,
            What::SessionOver(_) => 1,
            What::Event(..) => 2,
            What::Cancel(..) => 3,
        };
        (self.at, rank, self.ts, self.seq)
    }

    /// The end of the last minute that has to be known before.
    fn minute(&self) -> Ts {
        match self.what {
            What::Bar(_) | What::SessionOver(_) => Ts::MIN,
            _ => Ts::from_ns(self.at.ns().div_euclid(MINUTE_NS) * MINUTE_NS),
        }
    }

    /// Whether it may be told when nothing before `before` can still come.
    fn is_past(&self, before: Ts) -> bool {
        match self.what {
            What::Bar(_) | What::SessionOver(_) => self.at <= before,
            _ => self.at < before,
        }
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl<'a> StreamTape<'a> {
    /// The tape of the exchange day `date`, with the open interest that `store` has of the day before.
    pub fn new(
        store: &Store,
        calendar: &'a Calendar,
        config: &Config,
        tickers: &'a [String],
        date: NaiveDate,
        source: &'a str,
        with_quotes: bool,
    ) -> Result<StreamTape<'a>, StoreError> {
        let mut roots_of = HashMap::new();
        let mut states = Vec::with_capacity(tickers.len());
        for (number, ticker) in tickers.iter().enumerate() {
            let own = roots::of(ticker).into_iter();
            roots_of.extend(own.map(|root| (root.to_owned(), number)));
            states.push(StreamTicker {
                facts: Facts::load(Some(store), calendar, config, ticker, date, source)?,
                last: None,
                next_seq: 0,
                held_by: BTreeMap::new(),
                due: BinaryHeap::new(),
            });
        }
        Ok(StreamTape {
            rules: rules(config, calendar.session_on(date)),
            with_quotes,
            tickers: states,
            contracts: Vec::new(),
            numbers: HashMap::new(),
            roots: roots_of,
            looks: BinaryHeap::new(),
            planned: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// The number of a contract, which it keeps; `None` when it is not of the run.
    pub fn number(&mut self, symbol: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(symbol) {
            return *number;
        }
        let number = self.of_the_run(symbol).map(|(listed, ticker)| {
            let number = self.contracts.len() as u32;
            self.contracts.push(StreamContract::new(listed, ticker));
            self.planned.push(None);
            number
        });
        self.numbers.insert(symbol.to_owned(), number);
        number
    }

    /// Adjusted contracts have roots of their own and belong to nobody here.
    fn of_the_run(&self, symbol: &str) -> Option<(Listed, usize)> {
        let contract = Contract::parse(symbol).ok()?;
        let ticker = *self.roots.get(&contract.root)?;
        let symbol = symbol.to_owned();
        Some((Listed { symbol, contract }, ticker))
    }

    /// Leaves out contracts that deliver something else than 100 plain shares.
    pub fn leave_out(&mut self, symbols: impl IntoIterator<Item = String>) {
        self.numbers
            .extend(symbols.into_iter().map(|symbol| (symbol, None)));
    }

    pub fn symbol(&self, contract: u32) -> &str {
        &self.contracts[contract as usize].listed.symbol
    }

    /// Every contract that has a number, with its ticker.
    pub fn symbols(&self) -> impl Iterator<Item = (&str, usize)> {
        let contracts = self.contracts.iter();
        contracts.map(|contract| (contract.listed.symbol.as_str(), contract.ticker))
    }

    /// The ticker of a contract, which need not have a number; `None` when it is not of the run.
    pub fn whose(&self, symbol: &str) -> Option<usize> {
        match self.numbers.get(symbol) {
            Some(number) => number.map(|number| self.ticker_of(number)),
            None => self.of_the_run(symbol).map(|(_, ticker)| ticker),
        }
    }

    pub fn ticker_of(&self, contract: u32) -> usize {
        self.contracts[contract as usize].ticker
    }

    /// How many prints of the contract are being asked for.
    pub fn asked(&self, contract: u32) -> usize {
        self.contracts[contract as usize].asked()
    }

    pub fn asks_for_quotes(&self) -> bool {
        self.with_quotes
    }

    /// From here on nobody is asked for quotes.
    pub fn give_up_quotes(&mut self) {
        self.with_quotes = false;
        for number in 0..self.contracts.len() as u32 {
            let contract = &mut self.contracts[number as usize];
            contract.flush(&self.rules, &mut self.changes);
            queue(
                &mut self.tickers[contract.ticker],
                number,
                &mut self.changes,
            );
            self.plan(number);
        }
    }

    /// The next print in the order of time.
    pub fn push(&mut self, number: u32, print: &Print) {
        let contract = &mut self.contracts[number as usize];
        let ticker = &mut self.tickers[contract.ticker];
        if ticker.last != Some(print.ts) {
            ticker.last = Some(print.ts);
            ticker.next_seq = 0;
        }
        let seq = ticker.next_seq;
        ticker.next_seq += 1;
        if self.with_quotes {
            contract.push(print, seq, &self.rules);
        } else {
            let changes = &mut self.changes;
            contract.push_at_once(print, seq, &self.rules, changes);
            queue(ticker, number, changes);
        }
        self.plan(number);
    }

    /// Everything before `now` was pushed. Returns the quotes to be asked for.
    pub fn advance(&mut self, now: Ts) -> Vec<(u32, Wanted)> {
        let mut wanted = Vec::new();
        while let Some(Reverse((at, number))) = self.looks.peek().copied()
            && at < now
        {
            self.looks.pop();
            if self.planned[number as usize] != Some(at) {
                continue;
            }
            self.planned[number as usize] = None;
            wanted.extend(self.look(number, now).map(|wanted| (number, wanted)));
        }
        wanted
    }

    /// What the prints of a question met.
    pub fn answer(&mut self, number: u32, sights: &[Sight], now: Ts) -> Option<Wanted> {
        let contract = &mut self.contracts[number as usize];
        contract.answer(sights, &self.rules, &mut self.changes);
        self.look(number, now)
    }

    fn look(&mut self, number: u32, now: Ts) -> Option<Wanted> {
        let contract = &mut self.contracts[number as usize];
        let wanted = contract.advance(now, &self.rules, &mut self.changes);
        let ticker = &mut self.tickers[contract.ticker];
        queue(ticker, number, &mut self.changes);
        self.plan(number);
        wanted
    }

    /// Notes when the contract is to be looked at again, and what it may still bring.
    fn plan(&mut self, number: u32) {
        let contract = &self.contracts[number as usize];
        let planned = &mut self.planned[number as usize];
        if let Some(at) = contract.next_look(&self.rules)
            && planned.is_none_or(|planned| at < planned)
        {
            self.looks.push(Reverse((at, number)));
            *planned = Some(at);
        }
        let held_by = &mut self.tickers[contract.ticker].held_by;
        match contract.earliest_held(&self.rules) {
            Some(at) => held_by.insert(number, at),
            None => held_by.remove(&number),
        };
    }

    /// A minute bar of a ticker. It is told when everything before its end was.
    pub fn bar(&mut self, ticker: usize, bar: MinuteBar) {
        let at = bar.ts.plus_minutes(1);
        let ticker = &mut self.tickers[ticker];
        ticker.facts.minute(at, bar.close);
        ticker.due.push(Reverse(Due {
            at,
            ts: Ts::MIN,
            seq: 0,
            what: What::Bar(bar),
        }));
    }

    /// All bars of the session are known.
    pub fn session_over(&mut self, ticker: usize, session: &Session) {
        self.tickers[ticker].due.push(Reverse(Due {
            at: session.close,
            ts: Ts::MIN,
            seq: 0,
            what: What::SessionOver(session.date),
        }));
    }

    /// Tells what can be told: everything before `now` was pushed and looked at, and `bars_to` says up
    /// to when a ticker's bars are known. Returns the minutes that are waited for, by ticker.
    pub fn tell(
        &mut self,
        now: Ts,
        bars_to: impl Fn(usize) -> Ts,
        mut each: impl FnMut(Input),
    ) -> BTreeSet<Ts> {
        let mut waits = BTreeSet::new();
        for (number, ticker) in self.tickers.iter_mut().enumerate() {
            let held = ticker.held_by.values().min().copied();
            let before = held.map_or(now, |held| held.min(now));
            while let Some(Reverse(due)) = ticker.due.peek()
                && due.is_past(before)
            {
                if bars_to(number) < due.minute() {
                    waits.insert(due.minute());
                    break;
                }
                let Reverse(due) = ticker.due.pop().expect("it was peeked at");
                each(input(&ticker.facts, &self.contracts, due));
            }
        }
        waits
    }

    pub fn counts(&self) -> FlowCounts {
        let mut counts = FlowCounts::default();
        self.contracts
            .iter()
            .for_each(|contract| counts.add(contract.counts()));
        counts
    }
}

fn queue(ticker: &mut StreamTicker, contract: u32, changes: &mut Vec<Change>) {
    ticker.due.extend(changes.drain(..).map(|change| {
        Reverse(match change {
            Change::Event(event) => Due {
                at: event.available_at,
                ts: event.ts,
                seq: event.seq,
                what: What::Event(contract, Box::new(event)),
            },
            Change::Cancelled {
                ts,
                seq,
                at,
                contracts,
            } => Due {
                at,
                ts,
                seq,
                what: What::Cancel(contract, contracts),
            },
        })
    }));
}

fn input(facts: &Facts, contracts: &[StreamContract], due: Due) -> Input {
    let ticker = || facts.ticker.to_owned();
    match due.what {
        What::Bar(bar) => Input::Bar {
            ticker: ticker(),
            bar,
        },
        What::SessionOver(date) => Input::SessionOver {
            ticker: ticker(),
            date,
        },
        What::Event(contract, event) => {
            let listed = &contracts[contract as usize].listed;
            let (event, detail) = facts.join(listed, *event, Attached::default());
            Input::Event(Box::new(StreamedEvent::new(&event, detail)))
        }
        What::Cancel(contract, cancelled) => Input::Cancelled(LateCancel {
            ticker: ticker(),
            contract: contracts[contract as usize].listed.symbol.clone(),
            ts: due.ts,
            seq: due.seq,
            at: due.at,
            contracts: cancelled,
        }),
    }
}
