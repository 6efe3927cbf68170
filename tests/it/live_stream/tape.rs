//! The tape of a stream tells exactly the events that the batch makes of the same prints, however time
//! goes on between them and in whatever order the answers to its questions come.

use std::collections::{BTreeMap, VecDeque};

use flowlab::config::Config;
use flowlab::fetch::{self, Attached, Facts, Listed};
use flowlab::flow::{
    Codes, Contract, ContractDay, Print, Quote, Rules, Sight, TimedQuote, sights, ticker_events,
};
use flowlab::live::stream::{StreamTape, Wanted};
use flowlab::live::{Input, StreamedEvent};
use flowlab::store::Store;
use flowlab::time::{Calendar, Ts};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::DAY;
use crate::market;

const TAPES: u64 = 2_000;
const MS_NS: i64 = 1_000_000;
/// In order, by ticker, as their prints of one time are.
const CONTRACTS: [&str; 4] = [
    "SPY250703C00500000",
    "SPY250703P00500000",
    "SPY250711C00510000",
    "TSLA250711C00300000",
];
const TICKERS: [&str; 2] = ["SPY", "TSLA"];

struct Tape {
    prints: Vec<(usize, Print)>,
    quotes: Vec<Vec<TimedQuote>>,
}

fn one<T: Copy>(random: &mut impl Rng, of: &[T]) -> T {
    of[random.random_range(0..of.len())]
}

fn codes(random: &mut impl Rng) -> Codes {
    match random.random_range(0..8) {
        // Cancels, late and crossed prints, legs and whatever else there is.
        0 => Codes::one(random.random_range(200..=249)),
        1 => Codes::one(one(random, &[229, 230, 234, 241, 204, 208, 247, 248, 210])),
        _ => Codes::one(one(random, &[209, 209, 219, 227, 232])),
    }
}

fn tape(random: &mut impl Rng, rules: &Rules) -> Tape {
    let window = rules.window_ns();
    let mut prints: Vec<(usize, Print)> = Vec::new();
    let mut ts = Calendar::shipped()
        .session_on(market::day(DAY))
        .expect("a session")
        .open;
    let contracts = random.random_range(1..=CONTRACTS.len());
    for _ in 0..random.random_range(1..=24) {
        let steps = [
            0,
            0,
            MS_NS,
            50 * MS_NS,
            window / 2,
            window,
            window,
            window + MS_NS,
            60_000 * MS_NS,
        ];
        ts = ts.plus_ns(one(random, &steps));
        let mut contract = random.random_range(0..contracts);
        let mut print = Print {
            ts,
            price: one(random, &[0.9, 1.0, 1.05, 1.1, 1.2]),
            size: one(random, &[1, 2, 5, 10, 10, 20, 500]),
            exchange: one(random, &[300, 301, 302]),
            conditions: codes(random),
            correction: i16::from(random.random_bool(0.03)),
        };
        if !prints.is_empty() && random.random_bool(0.2) {
            let (of, meant) = one(random, &prints);
            contract = of;
            print = Print {
                ts,
                conditions: Codes::one(one(random, &[201, 203, 205, 207])),
                ..meant
            };
        }
        prints.push((contract, print));
    }
    prints.sort_by_key(|(contract, print)| (print.ts, *contract));
    let quotes = (0..contracts).map(|_| quotes(random, &prints)).collect();
    Tape { prints, quotes }
}

fn quotes(random: &mut impl Rng, prints: &[(usize, Print)]) -> Vec<TimedQuote> {
    let quote = |_| {
        let (_, print) = one(random, prints);
        let apart = [
            -60_000 * MS_NS - 1,
            -1_000 * MS_NS,
            -MS_NS,
            -1,
            0,
            1,
            MS_NS - 1,
            MS_NS,
        ];
        let (bid, ask) = one(
            random,
            &[(1.0, 1.1), (0.9, 1.2), (1.05, 1.15), (1.1, 1.0), (0.0, 1.1)],
        );
        TimedQuote {
            ts: print.ts.plus_ns(one(random, &apart)),
            quote: Quote { bid, ask },
        }
    };
    let count = 10;
    let mut quotes: Vec<TimedQuote> = (0..count).map(quote).collect();
    quotes.sort_by_key(|quote| quote.ts);
    quotes
}

/// Events by their key, as the batch has them.
type Events = BTreeMap<(String, (Ts, u32)), StreamedEvent>;

struct Day {
    config: Config,
    rules: Rules,
    calendar: Calendar,
    store: Store,
    tickers: Vec<String>,
}

impl Day {
    fn batch(&self, tape: &Tape) -> Events {
        let mut events = Events::new();
        for ticker in &self.tickers {
            let own: Vec<usize> = (0..tape.quotes.len())
                .filter(|place| CONTRACTS[*place].starts_with(ticker.as_str()))
                .collect();
            let prints_of = |place: &usize| -> Vec<Print> {
                let prints = tape.prints.iter().filter(|(of, _)| of == place);
                prints.map(|(_, print)| *print).collect()
            };
            let prints: Vec<Vec<Print>> = own.iter().map(prints_of).collect();
            let seen: Vec<Vec<Sight>> = (prints.iter().zip(&own))
                .map(|(prints, place)| sights(prints, &tape.quotes[*place], &self.rules))
                .collect();
            let days: Vec<ContractDay> = (prints.iter().zip(&seen))
                .map(|(prints, sights)| ContractDay { prints, sights })
                .collect();
            let facts = Facts::load(
                None,
                &self.calendar,
                &self.config,
                ticker,
                market::day(DAY),
                "test",
            );
            let facts = facts.expect("there is nothing to read");
            for (contract, merged) in ticker_events(&days, &self.rules).0 {
                let symbol = CONTRACTS[own[contract as usize]].to_owned();
                let contract = Contract::parse(&symbol).expect("a symbol");
                let listed = Listed { symbol, contract };
                let (event, detail) = facts.join(&listed, merged, Attached::default());
                let event = StreamedEvent::new(&event, detail);
                events.insert((ticker.clone(), (event.ts, event.seq)), event);
            }
        }
        events
    }

    fn stream(&self, tape: &Tape, random: &mut impl Rng) -> Events {
        let date = market::day(DAY);
        let stream = StreamTape::new(
            &self.store,
            &self.calendar,
            &self.config,
            &self.tickers,
            date,
            "test",
            true,
        );
        let mut listener = Listener {
            day: self,
            tape,
            stream: stream.expect("there is nothing to read"),
            asked: VecDeque::new(),
            told: Events::new(),
            last: BTreeMap::new(),
        };
        let mut now = Ts::MIN;
        for (place, (contract, print)) in tape.prints.iter().enumerate() {
            // Time may go on up to a print, once all before it are there.
            let before = place.checked_sub(1).map(|place| tape.prints[place].1.ts);
            if before.is_none_or(|before| before < print.ts) && random.random_bool(0.7) {
                let apart = print.ts.ns() - before.map_or(print.ts.ns() - 1, Ts::ns);
                now = print.ts.plus_ns(-random.random_range(0..apart.max(1)));
                listener.advance(now);
            }
            let number = listener
                .stream
                .number(CONTRACTS[*contract])
                .expect("one of the run's");
            listener.stream.push(number, print);
            while !listener.asked.is_empty() && random.random_bool(0.4) {
                listener.answer(random.random_range(0..listener.asked.len()), now);
            }
        }
        let end = Ts::from_ns(i64::MAX / 2);
        listener.advance(end);
        while !listener.asked.is_empty() {
            listener.answer(random.random_range(0..listener.asked.len()), end);
        }
        listener.told
    }
}

struct Listener<'a> {
    day: &'a Day,
    tape: &'a Tape,
    stream: StreamTape<'a>,
    asked: VecDeque<(u32, Wanted)>,
    told: Events,
    last: BTreeMap<String, (Ts, Ts, u32)>,
}

impl Listener<'_> {
    fn advance(&mut self, now: Ts) {
        let wanted = self.stream.advance(now);
        self.asked.extend(wanted);
        self.listen(now);
    }

    fn answer(&mut self, place: usize, now: Ts) {
        let (number, wanted) = self.asked.remove(place).expect("it was asked");
        let contract = CONTRACTS.iter().position(|symbol| *symbol == wanted.symbol);
        let quotes = &self.tape.quotes[contract.expect("one of ours")];
        let met = sights(&wanted.prints, quotes, &self.day.rules);
        let more = self.stream.answer(number, &met, now);
        self.asked.extend(more.map(|more| (number, more)));
        self.listen(now);
    }

    fn listen(&mut self, now: Ts) {
        let (told, last) = (&mut self.told, &mut self.last);
        self.stream.tell(
            now,
            |_| Ts::from_ns(i64::MAX),
            |input| match input {
                Input::Event(event) => {
                    assert!(event.available_at < now, "nothing is told before its time");
                    let arrival = (event.available_at, event.ts, event.seq);
                    let before = last.insert(event.ticker.clone(), arrival);
                    assert!(
                        before < Some(arrival),
                        "events come in the order of their arrival"
                    );
                    told.insert((event.ticker.clone(), (event.ts, event.seq)), *event);
                }
                Input::Cancelled(cancel) => {
                    let key = (cancel.ticker, (cancel.ts, cancel.seq));
                    let event = told
                        .get_mut(&key)
                        .expect("an event is told before its cancel");
                    event.detail.cancelled_at.get_or_insert(cancel.at);
                    event.detail.cancelled_contracts += cancel.contracts;
                }
                other => panic!("nobody handed in {other:?}"),
            },
        );
    }
}

fn day(floor: &str) -> Day {
    let config = market::config(&[floor, "scalp.min_premium=50000"]);
    let calendar = Calendar::shipped();
    let session = calendar.session_on(market::day(DAY)).copied();
    let nowhere = std::path::Path::new("/nonexistent");
    Day {
        rules: fetch::rules(&config, session.as_ref()),
        config,
        calendar,
        store: Store::folder(nowhere),
        tickers: TICKERS.map(str::to_owned).to_vec(),
    }
}

#[test]
fn a_stream_tells_the_events_of_the_batch_whatever_the_split_and_the_order_of_answers() {
    let days = [
        "flow.min_notional=1000",
        "flow.min_notional=2300",
        "flow.min_notional=6000",
    ]
    .map(day);
    let mut events = 0;
    for seed in 0..TAPES {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let day = &days[seed as usize % days.len()];
        let tape = tape(&mut random, &day.rules);
        let expected = day.batch(&tape);
        let told = day.stream(&tape, &mut random);
        assert_eq!(told, expected, "tape {seed}: {:#?}", tape.prints);
        events += told.len();
    }
    assert!(events > 3 * TAPES as usize / 2, "{events}");
}
