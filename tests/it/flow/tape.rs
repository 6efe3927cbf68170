//! Tapes as text: from lines a person can check to prints, quotes and rules, and from events back to
//! lines.
//!
//! ```text
//! 10:00:00.000  q 1.00/1.10              a quote; "-" is a side that is not there
//! 10:00:00.010  A 1.10 x 20              a print on exchange A, code 209
//! 10:00:00.020  B 1.10 x 5  iso late     words for codes, or codes: 219, 204
//!
//! 10:00:00.010  BUY SWEEP 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10
//! ```
//!
//! The day is 2025-03-14, the clock New York's. An event's line leaves out what is usual: one print,
//! one exchange, seq 0, code 209, known a window after `ts`.

use chrono::{NaiveDate, NaiveTime, Timelike};
use flowlab::flow::{Codes, Print, Quote, Side, TimedQuote};
use flowlab::time::{MINUTE_NS, Ts, exchange_midnight};

use crate::oracle::flow::{Event, Rules};

/// One contract's day as it was received.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    pub prints: Vec<Print>,
    pub quotes: Vec<TimedQuote>,
}

fn midnight() -> Ts {
    let date = NaiveDate::from_ymd_opt(2025, 3, 14).expect("a date");
    exchange_midnight(date)
}

/// `10:00:00.000` of the tapes' day.
pub fn at(clock: &str) -> Ts {
    let time: NaiveTime = clock.parse().expect(clock);
    let seconds = i64::from(time.num_seconds_from_midnight());
    midnight()
        .plus_seconds(seconds)
        .plus_ns(i64::from(time.nanosecond()))
}

/// The shipped settings, but for the floor: a tape need not be large.
pub fn rules() -> Rules {
    Rules {
        sweep_window_ms: 250,
        sweep_min_exchanges: 2,
        block_min_contracts: 500,
        max_quote_age_seconds: 60,
        min_notional: 0.0,
        session: Some((
            midnight().plus_ns(570 * MINUTE_NS),
            midnight().plus_ns(960 * MINUTE_NS),
        )),
    }
}

impl Tape {
    pub fn parse(text: &str) -> Tape {
        let mut tape = Tape::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [clock, "q", quote] => {
                    let (bid, ask) = quote.split_once('/').expect(line);
                    let quote = Quote {
                        bid: bid.parse().unwrap_or(0.0),
                        ask: ask.parse().unwrap_or(0.0),
                    };
                    let ts = at(clock);
                    tape.quotes.push(TimedQuote { ts, quote });
                }
                [clock, exchange, price, "x", size, flags @ ..] => {
                    let letter = exchange.bytes().next().expect(line);
                    tape.prints.push(Print {
                        ts: at(clock),
                        price: price.parse().expect(line),
                        size: size.parse().expect(line),
                        exchange: 300 + u16::from(letter - b'A'),
                        conditions: codes(flags),
                        correction: flags.contains(&"corr").into(),
                    });
                }
                _ => panic!("neither a print nor a quote: {line}"),
            }
        }
        tape
    }
}

fn codes(flags: &[&str]) -> Codes {
    let codes = flags.iter().filter_map(|flag| match *flag {
        "cancel" => Some(201),
        "late" => Some(204),
        "iso" => Some(219),
        "cross" => Some(229),
        "leg" => Some(232),
        "corr" | "bare" => None,
        code => Some(code.parse().expect(code)),
    });
    let codes: Vec<i16> = codes.collect();
    if codes.is_empty() && !flags.contains(&"bare") {
        return Codes::one(209);
    }
    Codes::of(&codes).expect("room for the codes")
}

/// `10:00:00.250`, with as many digits as it needs beyond the millisecond.
fn clock(ts: Ts) -> String {
    let ns = ts.ns_since(midnight());
    let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds as u32, rest as u32);
    time.expect("a time of the day")
        .format("%H:%M:%S%.3f")
        .to_string()
        + match rest % 1_000_000 {
            0 => String::new(),
            below if below % 1_000 == 0 => format!("{:03}", below / 1_000),
            below => format!("{below:06}"),
        }
        .as_str()
}

pub fn render(events: &[Event], rules: &Rules) -> String {
    let lines: Vec<String> = events.iter().map(|event| line(event, rules)).collect();
    lines.join("\n")
}

fn line(event: &Event, rules: &Rules) -> String {
    let kind = match (event.is_sweep, event.is_block) {
        (true, false) => "SWEEP ",
        (false, true) => "BLOCK ",
        (false, false) => "",
        (true, true) => "SWEEP AND BLOCK ",
    };
    let mut line = format!(
        "{}  {} {kind}{} @ {:.2}  ",
        clock(event.ts),
        event.side,
        event.contracts,
        event.price
    );
    line += &match event.side {
        Side::Unknown => format!("{}", event.side_source),
        _ => format!("{} {}", event.side_source, event.side_quality),
    };
    for (is, flag) in [
        (event.is_aggressive, " aggressive"),
        (event.has_iso, " iso"),
        (event.is_multi_leg, " leg"),
        (event.is_extended, " extended"),
    ] {
        line += if is { flag } else { "" };
    }
    if event.prints > 1 {
        line += &format!("  {} prints", event.prints);
    }
    if event.exchanges > 1 {
        line += &format!("  {} exchanges", event.exchanges);
    }
    line += &format!("  volume {}", event.volume);
    if event.bid.is_some() || event.ask.is_some() {
        let side = |price: Option<f64>| price.map_or("-".into(), |price| format!("{price:.2}"));
        line += &format!("  {}/{}", side(event.bid), side(event.ask));
    }
    if event.seq > 0 {
        line += &format!("  seq {}", event.seq);
    }
    if event.conditions != [209] {
        line += &format!("  codes {:?}", event.conditions);
    }
    if event.available_at != event.ts.plus_ns(rules.sweep_window_ms * 1_000_000) {
        line += &format!("  known {}", clock(event.available_at));
    }
    if let Some(cancelled_at) = event.cancelled_at {
        line += &format!(
            "  {} cancelled {}",
            event.cancelled_contracts,
            clock(cancelled_at)
        );
    }
    line
}
