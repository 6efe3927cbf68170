//! Paper trades: random bars with gaps beyond barriers, bars that touch both, weekends, missing last
//! minutes, splits and an end of data, traded a second time from the words of the spec.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use flowlab::config::{EntryRule, Intrabar, ModeConfig, PaperConfig};
use flowlab::context::{Context, Splits};
use flowlab::flow::{CallPut, Side};
use flowlab::paper::{NoEntry, Outcome, Tape, Trade, trade};
use flowlab::store::{Bars, MinuteBar, Split};
use flowlab::strategies::{Direction, Kind, Signal, Tags};
use flowlab::time::{Calendar, MINUTE_NS, Session, Ts};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::market::{config, day};

/// Sessions, their regular bars (raw), which of them are known to their close, and splits.
#[derive(Clone)]
struct World {
    sessions: Vec<Session>,
    bars: Vec<MinuteBar>,
    covered: BTreeSet<NaiveDate>,
    splits: Vec<Split>,
}

impl World {
    fn trade(&self, signal: &Signal, rules: &Rules) -> Result<Trade, NoEntry> {
        let mut bars = Bars::default();
        self.bars.iter().for_each(|bar| bars.push(bar));
        let splits = Splits::new(self.splits.clone());
        let tape = Tape::new(&bars, &self.sessions, &self.covered, &splits);
        trade(signal, &tape, &rules.mode, &rules.paper)
    }

    /// New shares per old from `from` to `to`.
    fn ratio(&self, from: NaiveDate, to: NaiveDate) -> f64 {
        let between = self
            .splits
            .iter()
            .filter(|split| from < split.ex_date && split.ex_date <= to);
        between.fold(1.0, |ratio, split| ratio * split.ratio)
    }

    fn session_of(&self, bar: &MinuteBar) -> &Session {
        let found = self
            .sessions
            .iter()
            .find(|s| s.open <= bar.ts && bar.ts < s.close);
        found.expect("regular bars only")
    }
}

#[derive(Clone)]
struct Rules {
    mode: ModeConfig,
    paper: PaperConfig,
}

/// The figures of a trade that are not copied from its signal.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    opened_at: Ts,
    entry: f64,
    closed_at: Option<Ts>,
    exit: f64,
    outcome: Outcome,
    mfe: f64,
    mae: f64,
    bars_held: u32,
    ambiguous: bool,
    best_exit: f64,
}

/// The trade of `signal`, sentence by sentence.
fn expected(world: &World, signal: &Signal, rules: &Rules) -> Option<Expected> {
    let paper = &rules.paper;
    // "open of the first regular 1-minute bar starting at or after available_at"
    let first = world
        .bars
        .iter()
        .position(|b| b.ts >= signal.available_at)?;
    let entry_session = *world.session_of(&world.bars[first]);
    let is_swing = signal.kind == Kind::Swing;
    // "No such bar in the session: scalp and day_trade are not taken, swing enters at the next open"
    if !is_swing && entry_session.date != signal.available_at.exchange_date() {
        return None;
    }
    let (opened_at, entry) = match paper.entry {
        EntryRule::NextBarOpen => (world.bars[first].ts, world.bars[first].open),
        EntryRule::EventPrice => (signal.available_at, signal.underlying_price?),
    };
    let sign = if signal.direction == Direction::Bullish {
        1.0
    } else {
        -1.0
    };
    let tp = entry * (1.0 + sign * rules.mode.tp_pct / 100.0);
    let sl = entry * (1.0 - sign * rules.mode.sl_pct / 100.0);
    let takes_profit = |price: f64| sign * (price - tp) >= -1e-9 * tp;
    let stops = |price: f64| sign * (price - sl) <= 1e-9 * sl;
    let percent = |price: f64| sign * (price - entry) / entry * 100.0;
    let hold = i128::from(rules.mode.max_hold_minutes) * i128::from(MINUTE_NS);
    let flat = paper.flat_at_close && !is_swing;

    let (mut mfe, mut mae, mut bars_held) = (0.0_f64, 0.0_f64, 0);
    let mut last_close = entry;
    for bar in &world.bars[first..] {
        let session = world.session_of(bar);
        if flat && session.date != entry_session.date {
            break;
        }
        let ratio = world.ratio(opened_at.exchange_date(), session.date);
        let (open, close) = (bar.open * ratio, bar.close * ratio);
        let (good, bad) = if sign > 0.0 {
            (bar.high * ratio, bar.low * ratio)
        } else {
            (bar.low * ratio, bar.high * ratio)
        };
        bars_held += 1;
        let done = |outcome, at, exit, mfe, mae| {
            Some(Expected {
                opened_at,
                entry,
                closed_at: Some(at),
                exit,
                outcome,
                mfe,
                mae,
                bars_held,
                ambiguous: false,
                best_exit: exit,
            })
        };
        // "one opening at or beyond a barrier fills at the open"
        if takes_profit(open) || stops(open) {
            let outcome = if takes_profit(open) {
                Outcome::Tp
            } else {
                Outcome::Sl
            };
            let (mfe, mae) = (mfe.max(percent(open)), mae.min(percent(open)));
            return done(outcome, bar.ts, open, mfe, mae);
        }
        let end = bar.ts.plus_ns(MINUTE_NS);
        // "a barrier fill: the bar clipped at the barriers"
        let clipped_mfe = mfe.max(percent(good).min(percent(tp)));
        let clipped_mae = mae.min(percent(bad).max(percent(sl)));
        if takes_profit(good) && stops(bad) {
            let (outcome, exit) = match paper.intrabar {
                Intrabar::Worst => (Outcome::Sl, sl),
                Intrabar::Best => (Outcome::Tp, tp),
            };
            let done = done(outcome, end, exit, clipped_mfe, clipped_mae)?;
            return Some(Expected {
                ambiguous: true,
                best_exit: tp,
                ..done
            });
        }
        if takes_profit(good) {
            return done(Outcome::Tp, end, tp, clipped_mfe, clipped_mae);
        }
        if stops(bad) {
            return done(Outcome::Sl, end, sl, clipped_mfe, clipped_mae);
        }
        mfe = mfe.max(percent(good));
        mae = mae.min(percent(bad));
        last_close = close;
        if i128::from(end.ns()) >= i128::from(opened_at.ns()) + hold {
            return done(Outcome::Timeout, end, close, mfe, mae);
        }
    }
    // Nothing more comes of a session that is covered, or that a later bar has left behind.
    let left_behind = world.bars.iter().any(|bar| bar.ts >= entry_session.close);
    let is_over = flat && (world.covered.contains(&entry_session.date) || left_behind);
    Some(Expected {
        opened_at,
        entry,
        closed_at: is_over.then_some(entry_session.close),
        exit: last_close,
        outcome: if is_over { Outcome::Eod } else { Outcome::Open },
        mfe,
        mae,
        bars_held,
        ambiguous: false,
        best_exit: last_close,
    })
}

fn net(sign: f64, entry: f64, exit: f64, slippage_bps: f64) -> f64 {
    let s = slippage_bps / 1e4;
    let (paid, got) = (entry * (1.0 + s * sign), exit * (1.0 - s * sign));
    sign * (got - paid) / paid * 100.0
}

fn assert_near(what: &str, got: f64, expected: f64) {
    let near = (got - expected).abs() <= 1e-9 * expected.abs().max(1e-3);
    assert!(near, "{what}: got {got}, expected {expected}");
}

fn assert_trade(got: &Trade, expected: &Expected, signal: &Signal, rules: &Rules) {
    let what = format!("{expected:?} of {} {}", signal.kind, signal.direction);
    assert_eq!(got.outcome, expected.outcome, "{what}");
    assert_eq!(got.opened_at, expected.opened_at, "{what}");
    assert_eq!(got.closed_at, expected.closed_at, "{what}");
    assert_eq!(got.bars_held, expected.bars_held, "{what}");
    assert_eq!(got.ambiguous, expected.ambiguous, "{what}");
    assert_near(&what, got.entry_price, expected.entry);
    assert_near(&what, got.exit_price, expected.exit);
    assert_near(&what, got.mfe_pct, expected.mfe);
    assert_near(&what, got.mae_pct, expected.mae);
    let sign = signal.direction.sign();
    let bps = rules.paper.slippage_bps;
    assert_near(
        &what,
        got.pnl_pct_gross,
        net(sign, expected.entry, expected.exit, 0.0),
    );
    assert_near(
        &what,
        got.pnl_pct_net,
        net(sign, expected.entry, expected.exit, bps),
    );
    assert_near(
        &what,
        got.best_case_pnl_pct,
        net(sign, expected.entry, expected.best_exit, bps),
    );
    assert_eq!(
        got.max_hold_seconds,
        i64::from(rules.mode.max_hold_minutes) * 60
    );
    assert_eq!(
        (got.tp_pct, got.sl_pct),
        (rules.mode.tp_pct, rules.mode.sl_pct)
    );
}

/// What must hold for every trade whatever the bars.
fn assert_sane(trade: &Trade) {
    let (gross, slack) = (trade.pnl_pct_gross, 1e-7);
    assert!(trade.mfe_pct >= gross.max(0.0) - slack, "{trade:#?}");
    assert!(trade.mae_pct <= gross.min(0.0) + slack, "{trade:#?}");
    assert!(trade.pnl_pct_net <= gross + slack, "{trade:#?}");
    assert!(trade.best_case_pnl_pct >= trade.pnl_pct_net, "{trade:#?}");
    let differs = trade.best_case_pnl_pct != trade.pnl_pct_net;
    assert!(trade.ambiguous || !differs, "{trade:#?}");
    assert!(trade.closed_at.is_none_or(|at| at >= trade.opened_at));
    assert_eq!(trade.closed_at.is_none(), trade.outcome == Outcome::Open);
}

/// Bars on a coarse grid of prices around 100, so that some lie exactly on a barrier.
fn world(rng: &mut Pcg64Mcg, calendar: &Calendar) -> World {
    let sessions = calendar.between(day("2025-11-19"), day("2025-12-05"));
    let mut world = World {
        sessions: sessions.to_vec(),
        bars: Vec::new(),
        covered: sessions.iter().map(|s| s.date).collect(),
        splits: Vec::new(),
    };
    if rng.random_range(0..2) == 0 {
        for (date, ratio) in [("2025-11-25", 2.0), ("2025-12-02", 0.2)] {
            world.splits.push(Split {
                ex_date: day(date),
                ratio,
            });
        }
    }
    let mut ticks = 1000_i64;
    let last = sessions.len() - 1;
    for (place, session) in sessions.iter().enumerate() {
        let is_missing = rng.random_range(0..8) == 0;
        if is_missing {
            world.covered.remove(&session.date);
            continue;
        }
        if rng.random_range(0..5) == 0 {
            // There are bars, but nobody says that they are all.
            world.covered.remove(&session.date);
        }
        // Gaps overnight, some of them beyond every barrier.
        ticks += [0, 1, -3, 20, -20, 60][rng.random_range(0..6)];
        let density = [1.0, 0.6, 0.1][rng.random_range(0..3)];
        let minutes = session.minutes() as i64;
        let mut until = if rng.random_range(0..2) == 0 {
            minutes - rng.random_range(1..90)
        } else {
            minutes
        };
        if place == last {
            // The data ends in the middle of a session.
            until = 77;
            world.covered.remove(&session.date);
        }
        let ratio = world.ratio(NaiveDate::MIN, session.date);
        for minute in 0..until {
            if rng.random::<f64>() > density {
                continue;
            }
            // A jump between bars now and then, and a bar so wide that it touches everything.
            ticks +=
                [0, 0, 0, 0, 1, -1, 25, -25][rng.random_range(0..8)] * i64::from(minute % 7 == 0);
            let from = ticks;
            ticks = (ticks + rng.random_range(-3..=3)).clamp(500, 2000);
            let wide = if rng.random_range(0..40) == 0 { 30 } else { 2 };
            let top = from.max(ticks) + rng.random_range(0..=wide);
            let bottom = from.min(ticks) - rng.random_range(0..=wide);
            let price = |ticks: i64| ticks as f64 * 0.1 / ratio;
            world.bars.push(MinuteBar {
                ts: session.open.plus_minutes(minute),
                open: price(from),
                high: price(top),
                low: price(bottom),
                close: price(ticks),
                volume: 1.0,
                vwap: None,
                trades: None,
                is_regular: true,
            });
        }
    }
    world
}

fn signal(kind: Kind, direction: Direction, available_at: Ts, price: Option<f64>) -> Signal {
    Signal {
        signal_id: 1,
        kind,
        direction,
        strength: 6.0,
        tags: Tags::default(),
        rules: String::new(),
        persistent_notional: None,
        ts: available_at,
        available_at,
        seq: 0,
        ticker: "T".to_owned(),
        contract: "T251219C00100000".to_owned(),
        call_put: CallPut::Call,
        strike: 100.0,
        expiry: day("2025-12-19"),
        notional: 1e6,
        side: Side::Buy,
        is_aggressive: true,
        is_sweep: true,
        is_multi_leg: false,
        volume: 1,
        open_interest: None,
        underlying_price: price,
        detail: None,
        context: Context::UNKNOWN,
    }
}

fn rules(rng: &mut Pcg64Mcg, kind: Kind) -> Rules {
    let config = config(&[]);
    let mut rules = Rules {
        mode: config.mode("T", kind),
        paper: config.paper.clone(),
    };
    rules.mode.tp_pct = [0.5, 1.0, 2.0, 5.0, 15.0][rng.random_range(0..5)];
    rules.mode.sl_pct = [0.5, 1.0, 2.0, 5.0][rng.random_range(0..4)];
    rules.mode.max_hold_minutes = [1, 5, 30, 360, 10_080, i32::MAX as u32][rng.random_range(0..6)];
    if rng.random_range(0..3) == 0 {
        rules.paper.entry = EntryRule::EventPrice;
    }
    if rng.random_range(0..3) == 0 {
        rules.paper.intrabar = Intrabar::Best;
    }
    rules.paper.flat_at_close = rng.random_range(0..4) != 0;
    rules.paper.slippage_bps = [0.0, 1.0, 25.0][rng.random_range(0..3)];
    rules
}

/// A signal at any time: before the open, inside, after the close, on a weekend.
fn random_signal(rng: &mut Pcg64Mcg, world: &World, kind: Kind) -> Signal {
    let session = world.sessions[rng.random_range(0..world.sessions.len())];
    let minute = rng.random_range(-90..session.minutes() as i64 + 120);
    let offset = [0, 0, 1, 250_000_000][rng.random_range(0..4)];
    let at = session.open.plus_minutes(minute).plus_ns(offset);
    let direction = if rng.random_range(0..2) == 0 {
        Direction::Bullish
    } else {
        Direction::Bearish
    };
    // The event's price is near the last one, in the basis of its day.
    let before = world.bars.iter().rev().find(|bar| bar.ts <= at);
    let jitter = rng.random_range(-8..=8) as f64 * 0.001;
    let price = before.map(|bar| {
        let ratio = world.ratio(world.session_of(bar).date, session.date);
        bar.close / ratio * (1.0 + jitter)
    });
    signal(kind, direction, at, price)
}

#[test]
fn every_trade_is_what_the_spec_says_on_random_bars() {
    let calendar = Calendar::shipped();
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    let mut outcomes = std::collections::BTreeMap::<(Kind, Outcome), u32>::new();
    let (mut no_entry, mut ambiguous, mut at_open) = (0, 0, 0);
    for _ in 0..40 {
        let world = world(&mut rng, &calendar);
        for _ in 0..120 {
            let kind = Kind::ALL[rng.random_range(0..3)];
            let rules = rules(&mut rng, kind);
            let signal = random_signal(&mut rng, &world, kind);
            match (
                world.trade(&signal, &rules),
                expected(&world, &signal, &rules),
            ) {
                (Ok(got), Some(expected)) => {
                    assert_trade(&got, &expected, &signal, &rules);
                    assert_sane(&got);
                    *outcomes.entry((kind, got.outcome)).or_default() += 1;
                    ambiguous += u32::from(got.ambiguous);
                    let starts = world.bars.iter().any(|b| Some(b.ts) == got.closed_at);
                    at_open += u32::from(starts && got.outcome == Outcome::Tp);
                }
                (Err(_), None) => no_entry += 1,
                (got, expected) => panic!("{signal:#?}\n got {got:?}\n expected {expected:?}"),
            }
        }
    }
    for kind in Kind::ALL {
        for outcome in Outcome::ALL {
            let is_possible = *outcome != Outcome::Eod || *kind != Kind::Swing;
            let count = outcomes.get(&(*kind, *outcome)).copied().unwrap_or(0);
            assert_eq!(count > 5, is_possible, "{kind} {outcome}: {count}");
        }
    }
    assert!(no_entry > 100 && ambiguous > 50 && at_open > 50);
}

/// The world seen in a mirror that stands at `price`.
fn mirrored(world: &World, price: f64) -> World {
    let mut mirrored = world.clone();
    for bar in &mut mirrored.bars {
        let turn = |p: f64| 2.0 * price - p;
        (bar.open, bar.close) = (turn(bar.open), turn(bar.close));
        (bar.high, bar.low) = (turn(bar.low), turn(bar.high));
    }
    mirrored
}

fn flipped(direction: Direction) -> Direction {
    match direction {
        Direction::Bullish => Direction::Bearish,
        Direction::Bearish => Direction::Bullish,
    }
}

#[test]
fn a_mirrored_market_gives_the_other_direction_the_same_trade() {
    let calendar = Calendar::shipped();
    let mut rng = Pcg64Mcg::seed_from_u64(12);
    let mut compared = 0;
    for _ in 0..20 {
        let mut world = world(&mut rng, &calendar);
        world.splits.clear();
        for _ in 0..60 {
            let kind = Kind::ALL[rng.random_range(0..3)];
            let mut rules = rules(&mut rng, kind);
            rules.paper.entry = EntryRule::NextBarOpen;
            // Off the grid, so that rounding decides no touch.
            rules.mode.tp_pct += 0.0137;
            rules.mode.sl_pct += 0.0137;
            let signal = random_signal(&mut rng, &world, kind);
            let Ok(trade) = world.trade(&signal, &rules) else {
                continue;
            };
            let mut other = signal.clone();
            other.direction = flipped(signal.direction);
            let mirror = mirrored(&world, trade.entry_price);
            let reflected = mirror.trade(&other, &rules).expect("the same bars");
            compared += 1;
            assert_eq!(reflected.outcome, trade.outcome);
            assert_eq!(reflected.closed_at, trade.closed_at);
            assert_eq!(reflected.ambiguous, trade.ambiguous);
            for (a, b) in [
                (reflected.pnl_pct_gross, trade.pnl_pct_gross),
                (reflected.mfe_pct, trade.mfe_pct),
                (reflected.mae_pct, trade.mae_pct),
            ] {
                assert!((a - b).abs() < 1e-8, "{reflected:#?}\n{trade:#?}");
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn the_other_side_of_a_trade_loses_what_it_wins() {
    let calendar = Calendar::shipped();
    let mut rng = Pcg64Mcg::seed_from_u64(13);
    let mut compared = 0;
    for _ in 0..20 {
        let world = world(&mut rng, &calendar);
        for _ in 0..60 {
            let kind = Kind::ALL[rng.random_range(0..3)];
            let rules = rules(&mut rng, kind);
            let signal = random_signal(&mut rng, &world, kind);
            let Ok(trade) = world.trade(&signal, &rules) else {
                continue;
            };
            let (mut other, mut against) = (signal.clone(), rules.clone());
            other.direction = flipped(signal.direction);
            // The same two prices are its barriers, the other way round.
            (against.mode.tp_pct, against.mode.sl_pct) = (rules.mode.sl_pct, rules.mode.tp_pct);
            against.paper.intrabar = match rules.paper.intrabar {
                Intrabar::Worst => Intrabar::Best,
                Intrabar::Best => Intrabar::Worst,
            };
            let loser = world.trade(&other, &against).expect("the same bars");
            compared += 1;
            assert_eq!(loser.closed_at, trade.closed_at);
            for (a, b) in [
                (loser.pnl_pct_gross, trade.pnl_pct_gross),
                (loser.mfe_pct, trade.mae_pct),
                (loser.mae_pct, trade.mfe_pct),
            ] {
                assert!((a + b).abs() < 1e-8, "{loser:#?}\n{trade:#?}");
            }
        }
    }
    assert!(compared > 500, "{compared}");
}
