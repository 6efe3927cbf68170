//! Alerts: from a signal to the text that people read when it arrives.
//!
//! One frame, and a story per kind that fills it:
//!
//! ```text
//! ⚡ SCALP CALL – TSLA (Strength 7.9/10)               header
//! 1000x @ $1.85 | Strike 245 exp 02-21-2025 | …       flow line
//!
//! Flow Intent (intraday): aggressive CALL flow; …      story
//! Price / Microstructure:                              story
//!   Underlying $243.40 | OTM 0.8% | DTE 1 | …         price line
//!   Microstructure: pushing off VWAP; …                story
//!   … why it matters, what would prove it wrong …      story
//! Regime: trend=UP vol=HIGH
//! Time: 10:12:34 AM ET
//! Data gap: …                                          only when a hole in the data was left
//! ```
//!
//! An alert can always be written. Spot, OTM and VWAP read `n/a` when unknown; price with size, and
//! RVOL wherever it stands, are left out. A trend or a level that is unknown confirms nothing, as in
//! the score: `mixed`, `uncertain`, `no`, `range/pullback`.
//!
//! Numbers are rounded to the nearest, exact ties to the even digit. The time is that of the event's
//! last print, which is what a reader can find on a chart, not when it was delivered.

mod day_trade;
mod sample;
mod scalp;
mod swing;

pub use sample::sample;

use std::cmp::Ordering;

use chrono_tz::America::New_York;

use super::Cell;
use crate::context::{Context, Trend};
use crate::flow::CallPut;
use crate::strategies::{self, Direction, Kind, Signal, Tag};

/// The whole alert, ending with a newline.
pub fn alert(signal: &Signal) -> String {
    let story = match signal.kind {
        Kind::Scalp => scalp::story(signal),
        Kind::DayTrade => day_trade::story(signal),
        Kind::Swing => swing::story(signal),
    };
    let context = &signal.context;
    let lines = [
        header(signal),
        flow_line(signal),
        String::new(),
        format!("Flow Intent ({}): {}.", story.horizon, story.intent),
        format!("{}:", story.setting),
        format!("  {}", price_line(signal)),
        format!("  {}.", story.structure),
        String::new(),
        format!("{}:", story.claim),
        format!("  {}.", story.why),
        String::new(),
        format!("{}:", story.caution),
        format!("  {}.", story.risk),
        String::new(),
        format!(
            "Regime: trend={} vol={}",
            context.regime_trend, context.regime_volatility
        ),
        format!("Time: {} ET", exchange_time(signal)),
        String::new(),
    ];
    lines.join("\n")
}

/// One line without a newline, for a digest of many signals.
pub fn headline(signal: &Signal) -> String {
    // The type alone does not say which way: a sold call is bearish.
    let direction = signal.direction.to_string();
    [header(signal), direction, strike(signal), notional(signal)].join(" | ")
}

/// `alert` with a last line that says what the signal could not see.
pub fn with_gap(mut alert: String, gap: &str) -> String {
    alert.push_str("Data gap: ");
    alert.push_str(gap);
    alert.push('\n');
    alert
}

/// What differs from kind to kind. Sentences are without their full stop, headings without colon.
struct Story {
    horizon: &'static str,
    intent: String,
    setting: &'static str,
    structure: String,
    claim: &'static str,
    why: String,
    caution: &'static str,
    risk: &'static str,
}

fn header(signal: &Signal) -> String {
    let title = match signal.kind {
        Kind::Scalp => "⚡ SCALP",
        Kind::DayTrade => "📈 DAY TRADE",
        Kind::Swing => "🧠 SWING",
    };
    let call_put = call_put(signal);
    let (ticker, strength) = (&signal.ticker, signal.strength);
    format!("{title} {call_put} – {ticker} (Strength {strength:.1}/10)")
}

fn flow_line(signal: &Signal) -> String {
    let size = signal.detail.as_ref();
    let size = size.map(|detail| format!("{}x @ ${:.2}", detail.contracts, detail.price));
    let volume = match signal.open_interest {
        Some(open_interest) => format!("Vol/OI {}/{open_interest}", signal.volume),
        None => format!("Vol {}", signal.volume),
    };
    let known = [strike(signal), notional(signal), volume];
    let parts: Vec<String> = size.into_iter().chain(known).chain(flags(signal)).collect();
    parts.join(" | ")
}

fn price_line(signal: &Signal) -> String {
    let context = &signal.context;
    let spot = context.spot.map(|spot| format!("${spot:.2}"));
    let otm = context.otm_pct.map(|otm_pct| format!("{otm_pct:.1}%"));
    let vwap = match against_vwap(context) {
        Some(Ordering::Greater) => "Above VWAP",
        Some(Ordering::Less) => "Below VWAP",
        Some(Ordering::Equal) => "At VWAP",
        None => "VWAP n/a",
    };
    let mut line = format!(
        "Underlying {} | OTM {} | DTE {} | {vwap}",
        spot.as_deref().unwrap_or("n/a"),
        otm.as_deref().unwrap_or("n/a"),
        context.dte
    );
    if let Some(rvol) = context.rvol {
        line.push_str(&format!(" | RVOL {rvol:.1}"));
    }
    line
}

fn strike(signal: &Signal) -> String {
    let expiry = signal.expiry.format("%m-%d-%Y");
    format!("Strike {} exp {expiry}", signal.strike)
}

fn notional(signal: &Signal) -> String {
    format!("Notional {}", dollars(signal.notional))
}

/// How the event traded, then what its chain remembers; `None` when there is nothing to say.
fn flags(signal: &Signal) -> Option<String> {
    let persistent = |tag: &Tag| tag.as_str().starts_with("PERSISTENT");
    let sweep = signal.is_sweep.then_some(Tag::Sweep);
    let aggressive = signal.is_aggressive.then_some(Tag::Aggressive);
    let traded = sweep.into_iter().chain(aggressive);
    list(traded.chain(signal.tags.iter().filter(persistent)))
}

fn tags(signal: &Signal) -> String {
    list(signal.tags.iter()).unwrap_or_else(|| "n/a".to_owned())
}

fn list(tags: impl Iterator<Item = Tag>) -> Option<String> {
    let names: Vec<&str> = tags.map(Tag::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn call_put(signal: &Signal) -> &'static str {
    match signal.call_put {
        CallPut::Call => "CALL",
        CallPut::Put => "PUT",
    }
}

/// `urgent` when somebody paid to be filled at once.
fn tone(signal: &Signal, urgent: &'static str) -> &'static str {
    if signal.is_sweep || signal.is_aggressive {
        urgent
    } else {
        "measured"
    }
}

/// Where the price stands against VWAP; `None` when either is unknown.
fn against_vwap(context: &Context) -> Option<Ordering> {
    context.spot?.partial_cmp(&context.vwap?)
}

/// What the VWAP means from where the price stands. Beneath the price it carries, for either
/// direction; on the line it does not yet.
fn vwap_posture(context: &Context, above: &'static str, not_above: &'static str) -> &'static str {
    match against_vwap(context) {
        Some(Ordering::Greater) => above,
        Some(Ordering::Less | Ordering::Equal) => not_above,
        None => "n/a",
    }
}

fn trend_agrees(trend: Option<Trend>, direction: Direction) -> bool {
    strategies::agrees(trend, direction) == Some(true)
}

fn breaks_level(signal: &Signal) -> bool {
    strategies::breaking(&signal.context, signal.direction) == Some(true)
}

/// RVOL as the end of a sentence.
fn closing_rvol(context: &Context) -> String {
    let rvol = context.rvol.map(|rvol| format!("; RVOL={rvol:.1}"));
    rvol.unwrap_or_default()
}

/// Whole dollars: `$6,300,000`.
fn dollars(amount: f64) -> String {
    format!("${}", Cell::Int(amount.round_ties_even() as i64))
}

/// New York's clock: `01:18:45 PM`.
fn exchange_time(signal: &Signal) -> String {
    let exchange = signal.ts.to_utc().with_timezone(&New_York);
    exchange.format("%I:%M:%S %p").to_string()
}
