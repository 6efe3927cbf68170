//! Gates, tags, memories and cooldowns on events small enough to check by hand.

use flowlab::config::Config;
use flowlab::context::{Context, Trend};
use flowlab::engine::{Outcomes, TickerState};
use flowlab::flow::{CallPut, FlowEvent, Side};
use flowlab::strategies::{self, Direction, Gate, Kind, Rules, Signal, Verdict};
use flowlab::time::Ts;

use crate::market::{config, day};

fn at(text: &str) -> Ts {
    Ts::parse_rfc3339(&format!("2025-11-20T{text}Z")).expect("a time")
}

/// A bought call that passes every gate of every mode exactly, to the last dollar.
fn event() -> FlowEvent<'static> {
    FlowEvent {
        ts: at("15:00:00"),
        available_at: at("15:00:00"),
        seq: 0,
        ticker: "AAPL",
        contract: "AAPL251121C00105000",
        call_put: CallPut::Call,
        strike: 105.0,
        expiry: day("2025-11-21"),
        notional: 50_000.0,
        side: Side::Buy,
        is_aggressive: true,
        is_sweep: true,
        is_multi_leg: false,
        volume: 200,
        open_interest: Some(100),
        underlying_price: Some(100.0),
    }
}

/// Everything speaks for a rise.
fn context() -> Context {
    Context {
        session: 100,
        arrival_session: 100,
        dte: 2,
        spot: Some(100.0),
        otm_pct: Some(5.0),
        vwap: Some(99.0),
        rvol: Some(1.3),
        trend_5m: Some(Trend::Up),
        trend_15m: Some(Trend::Up),
        trend_daily: Some(Trend::Up),
        breaking_up: Some(true),
        breaking_down: Some(false),
        ..Context::UNKNOWN
    }
}

fn swing_context() -> Context {
    Context {
        dte: 14,
        otm_pct: Some(15.0),
        ..context()
    }
}

fn rules(config: &Config, kind: Kind) -> Rules {
    Rules {
        mode: config.mode("AAPL", kind),
        weights: config.weights.clone(),
        direction: config.general.direction,
        missing_context: config.general.missing_context,
    }
}

/// One event, shown to a fresh strategy.
fn evaluate(config: &Config, kind: Kind, event: &FlowEvent, ctx: &Context) -> Verdict {
    let rules = rules(config, kind);
    strategies::new(kind, &rules).evaluate(event, ctx, &rules)
}

/// Tags and strength of one event that passes.
fn scored(kind: Kind, event: &FlowEvent, ctx: &Context) -> String {
    let decision = evaluate(&config(&[]), kind, event, ctx).expect("it passes");
    format!("{} {}", decision.strength, decision.tags)
}

/// Shows events one after the other to one ticker; the signals of `kind`.
fn shown(config: &Config, kind: Kind, tape: &[(FlowEvent, Context)]) -> (Vec<Signal>, Outcomes) {
    let mut state = TickerState::new(config, "AAPL");
    let mut outcomes = Outcomes::default();
    for (event, ctx) in tape {
        state.step(event, ctx, &mut outcomes);
    }
    let mut signals = outcomes.signals.clone();
    signals.retain(|signal| signal.kind == kind);
    (signals, outcomes)
}

#[test]
fn the_first_gate_that_fails_is_the_one_that_is_counted() {
    let off = config(&["day_trade.enabled=false"]);
    let on = config(&[]);
    let (mut event, mut ctx) = (event(), context());
    event.notional = 99_999.0;
    (ctx.dte, ctx.otm_pct, ctx.rvol) = (11, Some(10.1), Some(1.0));
    ctx.breaking_up = Some(false);
    let mut seen = vec![evaluate(&off, Kind::DayTrade, &event, &ctx)];
    let mut see = |event: &FlowEvent, ctx: &Context| {
        seen.push(evaluate(&on, Kind::DayTrade, event, ctx));
    };
    see(&event, &ctx);
    ctx.dte = 10;
    see(&event, &ctx);
    event.notional = 100_000.0;
    see(&event, &ctx);
    ctx.otm_pct = Some(10.0);
    see(&event, &ctx);
    ctx.rvol = Some(1.1);
    see(&event, &ctx);
    let gates: Vec<Gate> = seen.into_iter().map(|v| v.expect_err("a gate")).collect();
    assert_eq!(
        gates,
        [
            Gate::Enabled,
            Gate::Dte,
            Gate::Premium,
            Gate::Otm,
            Gate::Rvol,
            Gate::Level
        ]
    );
    ctx.breaking_up = Some(true);
    assert!(evaluate(&on, Kind::DayTrade, &event, &ctx).is_ok());
}

#[test]
fn equal_passes_and_a_hair_beyond_does_not() {
    let on = config(&[]);
    let mut big = event();
    big.notional = 250_000.0;
    let exact = [
        (Kind::Scalp, event(), context()),
        (Kind::Swing, big, swing_context()),
    ];
    for (kind, event, ctx) in exact {
        assert!(evaluate(&on, kind, &event, &ctx).is_ok(), "{kind}");
        let mut small = event;
        small.notional -= 0.01;
        let verdict = evaluate(&on, kind, &small, &ctx);
        assert_eq!(verdict.unwrap_err(), Gate::Premium);
        let far = Context {
            otm_pct: ctx.otm_pct.map(|otm| otm + 1e-9),
            ..ctx
        };
        assert_eq!(evaluate(&on, kind, &event, &far).unwrap_err(), Gate::Otm);
    }
    let quiet = Context {
        rvol: Some(1.299),
        ..context()
    };
    let verdict = evaluate(&on, Kind::Scalp, &event(), &quiet);
    assert_eq!(verdict.unwrap_err(), Gate::Rvol);
    for dte in [13, 61] {
        let ctx = Context {
            dte,
            ..swing_context()
        };
        assert_eq!(
            evaluate(&on, Kind::Swing, &big, &ctx).unwrap_err(),
            Gate::Dte
        );
    }
    let last = Context {
        dte: 60,
        ..swing_context()
    };
    assert!(evaluate(&on, Kind::Swing, &big, &last).is_ok());
    // Swing has no RVOL gate: not knowing it rejects nothing.
    let ctx = Context {
        rvol: None,
        ..swing_context()
    };
    assert!(evaluate(&on, Kind::Swing, &big, &ctx).is_ok());
}

#[test]
fn a_scalp_needs_its_side_of_the_vwap_and_the_five_minute_trend() {
    let all = "10 SIZE|SWEEP|AGGRESSIVE|VOL>OI|TREND_CONFIRMED|LEVEL_BREAK|FRESH_MONEY";
    assert_eq!(scored(Kind::Scalp, &event(), &context()), all);
    let without = "9 SIZE|SWEEP|AGGRESSIVE|VOL>OI|LEVEL_BREAK|FRESH_MONEY";
    let below = Context {
        vwap: Some(100.0),
        ..context()
    };
    assert_eq!(scored(Kind::Scalp, &event(), &below), without);
    for trend_5m in [Some(Trend::Flat), Some(Trend::Down), None] {
        let ctx = Context {
            trend_5m,
            ..context()
        };
        assert_eq!(scored(Kind::Scalp, &event(), &ctx), without);
    }
    // The mirror image: a bought put below the VWAP, and a sold call.
    let falling = Context {
        vwap: Some(101.0),
        trend_5m: Some(Trend::Down),
        breaking_up: Some(false),
        breaking_down: Some(true),
        ..context()
    };
    let (mut put, mut sold) = (event(), event());
    put.call_put = CallPut::Put;
    sold.side = Side::Sell;
    for event in [put, sold] {
        assert_eq!(scored(Kind::Scalp, &event, &falling), all);
    }
}

#[test]
fn each_mode_names_its_own_extras() {
    let mut event = event();
    event.notional = 750_000.0;
    assert_eq!(
        scored(Kind::DayTrade, &event, &context()),
        "10 SIZE|SWEEP|AGGRESSIVE|VOL>OI|TREND_CONFIRMED|LEVEL_BREAK|BREAKOUT"
    );
    assert_eq!(
        scored(Kind::Swing, &event, &swing_context()),
        "10 SIZE|SWEEP|AGGRESSIVE|VOL>OI|TREND_CONFIRMED|LEVEL_BREAK|PERSISTENT_BUYER",
        "three times the premium at once is persistent enough"
    );
    event.notional -= 1.0;
    let tags = scored(Kind::Swing, &event, &swing_context());
    assert!(!tags.contains("PERSISTENT"), "{tags}");
}

#[test]
fn volume_over_open_interest_needs_a_known_figure_and_twice_of_it() {
    for (volume, open_interest, given) in [
        (200, Some(100), true),
        (199, Some(100), false),
        (2, Some(0), true),
        (1, Some(0), false),
        (1_000_000, None, false),
    ] {
        let mut event = event();
        (event.volume, event.open_interest) = (volume, open_interest);
        let tags = scored(Kind::Scalp, &event, &context());
        assert_eq!(tags.contains("VOL>OI"), given, "{volume} {open_interest:?}");
        assert_eq!(tags.contains("FRESH_MONEY"), given);
    }
}

#[test]
fn direction_is_by_side_or_by_type_and_unknown_counts_as_bought() {
    let by = |rule: &str| {
        config(&[&format!("general.direction={rule}")])
            .general
            .direction
    };
    let (by_side, by_type) = (by("by_side"), by("by_type"));
    use Direction::{Bearish, Bullish};
    for (call_put, side, expected) in [
        (CallPut::Call, Side::Buy, [Bullish, Bullish]),
        (CallPut::Call, Side::Sell, [Bearish, Bullish]),
        (CallPut::Call, Side::Unknown, [Bullish, Bullish]),
        (CallPut::Put, Side::Buy, [Bearish, Bearish]),
        (CallPut::Put, Side::Sell, [Bullish, Bearish]),
        (CallPut::Put, Side::Unknown, [Bearish, Bearish]),
    ] {
        let event = FlowEvent {
            call_put,
            side,
            ..event()
        };
        let got = [by_side, by_type].map(|rule| Direction::of(&event, rule));
        assert_eq!(got, expected, "{call_put} {side}");
    }
}

#[test]
fn what_a_gate_cannot_know_rejects_or_passes_without_a_tag() {
    let (reject, pass) = (
        config(&[]),
        config(&["general.missing_context=pass", "scalp.min_strength=0"]),
    );
    type Forget = fn(&mut Context);
    let cases: [(Kind, Gate, Forget); 4] = [
        (Kind::Scalp, Gate::MissingSpot, |ctx| {
            (ctx.spot, ctx.otm_pct) = (None, None);
        }),
        (Kind::Scalp, Gate::MissingRvol, |ctx| ctx.rvol = None),
        (Kind::DayTrade, Gate::MissingRvol, |ctx| ctx.rvol = None),
        (Kind::DayTrade, Gate::MissingLevel, |ctx| {
            (ctx.breaking_up, ctx.breaking_down) = (None, None);
        }),
    ];
    let mut event = event();
    event.notional = 100_000.0;
    for (kind, gate, forget) in cases {
        let mut ctx = context();
        forget(&mut ctx);
        assert_eq!(evaluate(&reject, kind, &event, &ctx).unwrap_err(), gate);
        assert!(gate.is_missing_context());
        let decision = evaluate(&pass, kind, &event, &ctx).expect("it passes");
        let tags = decision.tags.to_string();
        if gate == Gate::MissingLevel {
            assert_eq!(tags, "SIZE|SWEEP|AGGRESSIVE|VOL>OI", "no level, no trend");
            assert!(decision.level_is_missing && decision.trend_is_missing);
        }
        if gate == Gate::MissingSpot {
            assert!(!tags.contains("TREND_CONFIRMED"), "{tags}");
        }
    }
    // A null that only feeds the score rejects nothing, and is counted.
    let mut ctx = context();
    (ctx.vwap, ctx.breaking_up) = (None, None);
    let (signals, outcomes) = shown(&reject, Kind::Scalp, &[(event, ctx)]);
    assert_eq!(
        signals[0].tags.to_string(),
        "SIZE|SWEEP|AGGRESSIVE|VOL>OI|FRESH_MONEY"
    );
    let named = outcomes.counts.named();
    assert_eq!(named["missing_context.SCALP.trend"], 1);
    assert_eq!(named["missing_context.SCALP.level"], 1);
}

/// A sweep of the day-trade kind, known at `time`.
fn sweep(time: &str) -> (FlowEvent<'static>, Context) {
    let mut event = event();
    event.notional = 100_000.0;
    (event.ts, event.available_at) = (at(time), at(time));
    (event, context())
}

fn clusters(tape: &[(FlowEvent, Context)]) -> Vec<bool> {
    let config = config(&["general.include_multi_leg=false"]);
    let (signals, _) = shown(&config, Kind::DayTrade, tape);
    let has = |signal: &Signal| signal.tags.to_string().contains("SWEEP_CLUSTER");
    signals.iter().map(has).collect()
}

#[test]
fn two_sweeps_within_fifteen_minutes_are_a_cluster_both_ends_in() {
    let tape = [sweep("15:00:00"), sweep("15:15:00")];
    assert_eq!(clusters(&tape), [false, true]);
    let tape = [sweep("15:00:00"), sweep("15:15:00.000000001")];
    assert_eq!(clusters(&tape), [false, false]);
    // The clock is the arrival's.
    let mut late = sweep("15:15:00");
    late.0.available_at = at("15:15:00.250");
    assert_eq!(clusters(&[sweep("15:00:00"), late]), [false, false]);
}

#[test]
fn a_sweep_counts_when_a_gate_stops_it_and_not_as_a_leg_or_the_other_way() {
    let spoiled = |spoil: fn(&mut FlowEvent, &mut Context)| {
        let (mut event, mut ctx) = sweep("15:00:00");
        spoil(&mut event, &mut ctx);
        let tape = [(event, ctx), sweep("15:01:00")];
        clusters(&tape).pop().expect("the second passes")
    };
    assert!(spoiled(|event, _| event.notional = 20_000.0));
    assert!(spoiled(|_, ctx| ctx.dte = 300));
    assert!(!spoiled(|event, _| event.is_multi_leg = true));
    assert!(!spoiled(|event, _| event.side = Side::Sell));
    assert!(!spoiled(|event, _| event.is_sweep = false));
    assert!(!spoiled(|_, ctx| ctx.dte = -1), "an expired contract");
}

/// A swing event of `notional` dollars in session number `session`.
fn swing(session: u32, notional: f64) -> (FlowEvent<'static>, Context) {
    let mut event = event();
    event.notional = notional;
    let ctx = Context {
        session,
        arrival_session: session,
        ..swing_context()
    };
    (event, ctx)
}

fn memories(tape: &[(FlowEvent, Context)]) -> Vec<f64> {
    let (signals, _) = shown(&config(&[]), Kind::Swing, tape);
    let known = |signal: &Signal| signal.persistent_notional.expect("a swing has a memory");
    signals.iter().map(known).collect()
}

#[test]
fn a_chain_is_remembered_for_five_sessions_today_included() {
    let tape = [
        swing(100, 300_000.0),
        swing(100, 250_000.0),
        swing(104, 260_000.0),
        swing(105, 270_000.0),
        swing(200, 280_000.0),
    ];
    assert_eq!(
        memories(&tape),
        [300_000.0, 550_000.0, 810_000.0, 530_000.0, 280_000.0]
    );
}

#[test]
fn a_chain_counts_what_passed_dte_and_premium_whatever_came_after() {
    let mut tape = Vec::new();
    // Counts: too far out of the money, and muted for lack of strength.
    let (event, ctx) = swing(100, 250_000.0);
    let far = Context {
        otm_pct: Some(80.0),
        ..ctx
    };
    tape.push((event, far));
    let mut weak = event;
    (weak.is_sweep, weak.is_aggressive) = (false, false);
    (weak.volume, weak.open_interest) = (1, None);
    tape.push((weak, ctx));
    // Does not count: too small, the wrong expiry, a leg, another contract, the other direction.
    let (small, _) = swing(100, 249_999.0);
    tape.push((small, ctx));
    tape.push((event, Context { dte: 13, ..ctx }));
    let mut other = event;
    other.is_multi_leg = true;
    tape.push((other, ctx));
    other = event;
    other.contract = "AAPL251121C00106000";
    tape.push((other, ctx));
    let sold = FlowEvent {
        side: Side::Sell,
        ..event
    };
    tape.push((sold, ctx));
    tape.push((event, ctx));
    let last = memories(&tape).pop();
    assert_eq!(last, Some(750_000.0));
}

#[test]
fn a_pause_mutes_repeats_and_ends_at_exactly_its_length() {
    let quiet = config(&["scalp.cooldown_minutes=10", "scalp.min_strength=8"]);
    let at_time = |time: &str| {
        let mut event = event();
        event.available_at = at(time);
        (event, context())
    };
    let times = |tape: &[(FlowEvent, Context)]| {
        let (signals, _) = shown(&quiet, Kind::Scalp, tape);
        let times = signals
            .iter()
            .map(|s| s.available_at.to_string()[11..].to_owned());
        times.collect::<Vec<_>>()
    };
    let tape = ["15:00:00", "15:09:59.999999999", "15:10:00", "15:19:00"].map(at_time);
    assert_eq!(
        times(&tape),
        ["15:00:00Z", "15:10:00Z"],
        "from the last that was emitted"
    );
    // A weak event starts no pause, and the other direction is not muted.
    let (mut weak, mut bearish) = (at_time("15:00:00"), at_time("15:02:00"));
    (weak.0.is_sweep, weak.0.is_aggressive) = (false, false);
    bearish.0.side = Side::Sell;
    (bearish.1.vwap, bearish.1.trend_5m) = (Some(101.0), Some(Trend::Down));
    let tape = [weak, at_time("15:01:00"), bearish, at_time("15:03:00")];
    assert_eq!(times(&tape), ["15:01:00Z", "15:02:00Z"]);
    // It does not cross sessions, whatever the clock says.
    let mut tomorrow = at_time("15:04:00");
    tomorrow.1.arrival_session += 1;
    let tape = [at_time("15:00:00"), tomorrow];
    assert_eq!(times(&tape), ["15:00:00Z", "15:04:00Z"]);
}

#[test]
fn a_pause_for_ever_is_one() {
    let quiet = config(&["scalp.cooldown_minutes=2147483647"]);
    let tape = [(event(), context()), (event(), context())];
    assert_eq!(shown(&quiet, Kind::Scalp, &tape).0.len(), 1);
}

#[test]
fn a_muted_event_still_feeds_the_memories() {
    let quiet = config(&["swing.cooldown_minutes=600"]);
    let mut tape = vec![swing(100, 300_000.0), swing(100, 300_000.0)];
    tape.push(swing(101, 300_000.0));
    let (signals, outcomes) = shown(&quiet, Kind::Swing, &tape);
    let known: Vec<_> = signals.iter().map(|s| s.persistent_notional).collect();
    assert_eq!(known, [Some(300_000.0), Some(900_000.0)]);
    assert_eq!(outcomes.counts.named()["rejected.SWING.cooldown"], 1);
}

#[test]
fn strength_at_the_minimum_is_enough_and_below_it_is_counted() {
    let mut event = event();
    (event.is_aggressive, event.volume) = (false, 1);
    let ctx = Context {
        breaking_up: Some(false),
        ..context()
    };
    let (signals, _) = shown(
        &config(&["scalp.min_strength=6"]),
        Kind::Scalp,
        &[(event, ctx)],
    );
    assert_eq!(signals[0].strength, 6.0);
    let (signals, outcomes) = shown(
        &config(&["scalp.min_strength=6.01"]),
        Kind::Scalp,
        &[(event, ctx)],
    );
    assert!(signals.is_empty());
    assert_eq!(outcomes.counts.named()["rejected.SCALP.strength"], 1);
}
