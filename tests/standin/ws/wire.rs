//! The wire: messages and statuses as the vendor's JSON, spoiled on demand.

use serde::Serialize;
use serde_json::{Number, Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::faults::Trouble;
use super::tape::{MS_NS, Told, end};

#[derive(Serialize)]
#[serde(untagged)]
enum Wire<'a> {
    Print {
        ev: &'static str,
        sym: &'a str,
        x: u16,
        p: f64,
        s: i64,
        #[serde(skip_serializing_if = "<[u16]>::is_empty")]
        c: &'a [u16],
        t: i64,
        q: u64,
    },
    Quote {
        ev: &'static str,
        sym: &'a str,
        bx: u16,
        ax: u16,
        bp: f64,
        ap: f64,
        bs: i64,
        r#as: i64,
        t: i64,
        q: u64,
    },
    Bar {
        ev: &'static str,
        sym: &'a str,
        v: Number,
        av: Number,
        op: f64,
        vw: f64,
        o: f64,
        c: f64,
        h: f64,
        l: f64,
        a: f64,
        z: i64,
        s: i64,
        e: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        dv: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dav: Option<String>,
    },
    Spoiled(Value),
}

/// Frames that go out together, and how many messages in them nobody can read.
pub(super) struct Worded {
    pub frames: Vec<Message>,
    pub spoiled: usize,
}

/// One frame of `told`, and what `troubles` make of it.
pub(super) fn frames(told: &[Told], skew_ms: i64, troubles: &[Trouble]) -> Worded {
    let mut messages: Vec<Wire> = told.iter().map(|told| word(told, skew_ms)).collect();
    let mut worded = Worded {
        frames: Vec::new(),
        spoiled: 0,
    };
    let mut is_broken = false;
    for trouble in troubles {
        match trouble {
            Trouble::Binary => worded
                .frames
                .push(Message::binary(Bytes::from_static(b"\x00\xff[{"))),
            Trouble::UnknownEvent => messages.insert(0, unknown(told)),
            Trouble::WrongType => {
                let middle = messages.len() / 2;
                messages[middle] = mistype(&messages[middle]);
                worded.spoiled = 1;
            }
            Trouble::BrokenJson => is_broken = true,
            _ => {}
        }
    }
    let mut text = serde_json::to_string(&messages).expect("it has text keys only");
    if is_broken {
        // Symbols and numbers are ASCII: every byte is a place to cut.
        text.truncate(text.len() / 2);
        worded.spoiled = told.len();
    }
    worded.frames.push(Message::text(text));
    worded
}

fn word<'a>(told: &Told<'a>, skew_ms: i64) -> Wire<'a> {
    let ms = |ts: i64| ts.div_euclid(MS_NS) + skew_ms;
    match *told {
        Told::Print(sym, print, q) => Wire::Print {
            ev: "T",
            sym,
            x: print.exchange,
            p: print.price,
            s: print.size,
            c: &print.conditions,
            t: ms(print.ts),
            q,
        },
        Told::Quote(sym, quote, q) => Wire::Quote {
            ev: "Q",
            sym,
            bx: quote.bid_exchange,
            ax: quote.ask_exchange,
            bp: quote.bid,
            ap: quote.ask,
            bs: quote.bid_size,
            r#as: quote.ask_size,
            t: ms(quote.ts),
            q,
        },
        Told::Bar(sym, bar, day) => Wire::Bar {
            ev: "AM",
            sym,
            v: number(bar.volume),
            av: number(day.volume),
            op: day.open,
            vw: bar.vwap,
            o: bar.open,
            c: bar.close,
            h: bar.high,
            l: bar.low,
            a: day.vwap,
            z: bar.volume as i64 / bar.trades.max(1),
            s: ms(bar.ts),
            e: ms(end(bar)),
            dv: day.has_decimals.then(|| format!("{:?}", bar.volume)),
            dav: day.has_decimals.then(|| format!("{:?}", day.volume)),
        },
    }
}

/// Without a point where there is nothing behind it, as the vendor's volumes come.
fn number(value: f64) -> Number {
    match value.fract() == 0.0 && value.abs() < 1e15 {
        true => Number::from(value as i64),
        false => Number::from_f64(value).expect("volumes are finite"),
    }
}

/// A message of a kind that the vendor may add tomorrow.
fn unknown<'a>(told: &[Told<'a>]) -> Wire<'a> {
    let sym = told.first().map_or("", Told::symbol);
    Wire::Spoiled(json!({"ev": "FMV", "fmv": 1.25, "sym": sym, "t": "soon"}))
}

/// The message with one field of another type.
fn mistype<'a>(message: &Wire<'a>) -> Wire<'a> {
    let mut value = serde_json::to_value(message).expect("it has text keys only");
    let (field, wrong) = match message {
        Wire::Print { q, .. } => match q % 4 {
            0 => ("p", json!("1.25 or so")),
            1 => ("s", json!(null)),
            2 => ("t", json!("noon")),
            _ => ("sym", json!(7)),
        },
        Wire::Quote { .. } => ("bp", json!([])),
        _ => ("c", json!("much")),
    };
    value[field] = wrong;
    Wire::Spoiled(value)
}

pub(super) fn status(status: &str, message: &str) -> String {
    json!([{"ev": "status", "status": status, "message": message}]).to_string()
}
