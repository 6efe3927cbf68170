//! Alerts, byte for byte: the three samples, and what changes in them with a fact.

use chrono::NaiveDate;
use expect_test::{Expect, expect};
use flowlab::context::{Context, RegimeTrend, RegimeVolatility, Trend};
use flowlab::flow::CallPut;
use flowlab::report::alert::{alert, headline, sample, with_gap};
use flowlab::strategies::{Direction, Kind, Signal, Tag, Tags};
use flowlab::time::Ts;

/// What a change of facts does to the sample's alert: lines that went, lines that came.
fn check(kind: Kind, change: impl FnOnce(&mut Signal), expected: Expect) {
    let mut signal = sample(kind);
    let before = alert(&signal);
    change(&mut signal);
    let after = alert(&signal);
    assert_eq!(before.lines().count(), after.lines().count(), "{after}");
    let mut differences = String::new();
    for (before, after) in before.lines().zip(after.lines()) {
        if before != after {
            differences.push_str(&format!("- {before}\n+ {after}\n"));
        }
    }
    expected.assert_eq(&differences);
}

fn tags(given: &[Tag]) -> Tags {
    let mut tags = Tags::default();
    for tag in given {
        tags.insert_if(*tag, true);
    }
    tags
}

#[test]
fn the_three_samples_are_written_to_the_byte() {
    for (kind, text) in [
        (Kind::Scalp, include_str!("alerts/scalp.txt")),
        (Kind::DayTrade, include_str!("alerts/day_trade.txt")),
        (Kind::Swing, include_str!("alerts/swing.txt")),
    ] {
        assert_eq!(alert(&sample(kind)), text, "{kind}");
    }
}

#[test]
fn a_sweep_that_is_not_aggressive_says_only_that() {
    check(
        Kind::Scalp,
        |signal| signal.is_aggressive = false,
        expect![[r#"
            - 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200 | SWEEP, AGGRESSIVE
            + 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200 | SWEEP
        "#]],
    );
}

#[test]
fn flow_with_nothing_special_about_it_has_no_flags_and_a_measured_tone() {
    for (kind, expected) in [
        (
            Kind::Scalp,
            expect![[r#"
            - 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200 | SWEEP, AGGRESSIVE
            + 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200
            - Flow Intent (intraday): aggressive CALL flow; size looks like new money; tags: SWEEP, AGGRESSIVE, VOL>OI.
            + Flow Intent (intraday): measured CALL flow; size looks like new money; tags: n/a.
        "#]],
        ),
        (
            Kind::DayTrade,
            expect![[r#"
            - 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $120,000 | Vol/OI 12000/4500 | AGGRESSIVE
            + 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $120,000 | Vol/OI 12000/4500
            - Flow Intent (session): assertive participation pressing the theme; vol vs OI 12000/4500; tags: AGGRESSIVE, VOL>OI, LEVEL_BREAK.
            + Flow Intent (session): measured participation pressing the theme; vol vs OI 12000/4500; tags: n/a.
        "#]],
        ),
        (
            Kind::Swing,
            expect![[r#"
            - 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000 | AGGRESSIVE, PERSISTENT_BUYER
            + 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000
            - Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
            + Flow Intent (swing): measured flow; DTE/OTM consistent with positioning; tags: n/a; Cluster notional ≈ $6,300,000.
        "#]],
        ),
    ] {
        let plain = |signal: &mut Signal| {
            signal.is_sweep = false;
            signal.is_aggressive = false;
            signal.tags = Tags::default();
        };
        check(kind, plain, expected);
    }
}

#[test]
fn a_swing_whose_chain_persists_is_flagged_even_when_nobody_hurried() {
    check(
        Kind::Swing,
        |signal| signal.is_aggressive = false,
        expect![[r#"
            - 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000 | AGGRESSIVE, PERSISTENT_BUYER
            + 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000 | PERSISTENT_BUYER
            - Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
            + Flow Intent (swing): measured flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
        "#]],
    );
}

#[test]
fn tags_are_listed_whole_and_in_their_order() {
    let all = |signal: &mut Signal| signal.tags = tags(Tag::ALL);
    check(
        Kind::Swing,
        all,
        expect![[r#"
        - Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
        + Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: SIZE, SWEEP, AGGRESSIVE, VOL>OI, TREND_CONFIRMED, LEVEL_BREAK, SWEEP_CLUSTER, FRESH_MONEY, BREAKOUT, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
    "#]],
    );
}

#[test]
fn without_open_interest_there_is_only_volume_and_nothing_is_called_new() {
    for (kind, expected) in [
        (
            Kind::Scalp,
            expect![[r#"
            - 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200 | SWEEP, AGGRESSIVE
            + 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol 5000 | SWEEP, AGGRESSIVE
            - Flow Intent (intraday): aggressive CALL flow; size looks like new money; tags: SWEEP, AGGRESSIVE, VOL>OI.
            + Flow Intent (intraday): aggressive CALL flow; size looks like roll/reload; tags: SWEEP, AGGRESSIVE, VOL>OI.
        "#]],
        ),
        (
            Kind::DayTrade,
            expect![[r#"
            - 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $120,000 | Vol/OI 12000/4500 | AGGRESSIVE
            + 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $120,000 | Vol 12000 | AGGRESSIVE
            - Flow Intent (session): assertive participation pressing the theme; vol vs OI 12000/4500; tags: AGGRESSIVE, VOL>OI, LEVEL_BREAK.
            + Flow Intent (session): assertive participation pressing the theme; vol 12000; tags: AGGRESSIVE, VOL>OI, LEVEL_BREAK.
        "#]],
        ),
        (
            Kind::Swing,
            expect![[r#"
            - 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000 | AGGRESSIVE, PERSISTENT_BUYER
            + 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol 20000 | AGGRESSIVE, PERSISTENT_BUYER
        "#]],
        ),
    ] {
        check(kind, |signal| signal.open_interest = None, expected);
    }
}

#[test]
fn money_is_new_from_twice_the_open_interest_on() {
    let with = |volume, open_interest| {
        let mut signal = sample(Kind::Scalp);
        signal.volume = volume;
        signal.open_interest = Some(open_interest);
        alert(&signal)
    };
    assert!(with(4400, 2200).contains("size looks like new money;"));
    assert!(with(4399, 2200).contains("size looks like roll/reload;"));
    assert!(with(10, 0).contains("size looks like new money;"));
}

#[test]
fn a_scalp_against_its_market_says_so() {
    let against = |signal: &mut Signal| {
        signal.context.vwap = Some(244.0);
        signal.context.trend_1m = Some(Trend::Down);
        signal.context.breaking_up = Some(false);
        signal.context.breaking_down = Some(true);
    };
    check(
        Kind::Scalp,
        against,
        expect![[r#"
        -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
        +   Underlying $243.40 | OTM 0.8% | DTE 1 | Below VWAP
        -   Microstructure: pushing off VWAP; trend 1m/5m aligned; level pressure=yes.
        +   Microstructure: fighting VWAP; trend 1m/5m mixed; level pressure=no.
    "#]],
    );
}

#[test]
fn a_scalps_trend_is_aligned_when_both_of_its_trends_are() {
    use Trend::{Down, Flat, Up};
    for (trend_1m, trend_5m, text) in [
        (Some(Up), Some(Up), "trend 1m/5m aligned"),
        (Some(Up), Some(Flat), "trend 1m/5m mixed"),
        (Some(Down), Some(Up), "trend 1m/5m mixed"),
        (None, Some(Up), "trend 1m/5m mixed"),
        (Some(Up), None, "trend 1m/5m mixed"),
    ] {
        let mut signal = sample(Kind::Scalp);
        signal.context.trend_1m = trend_1m;
        signal.context.trend_5m = trend_5m;
        assert!(alert(&signal).contains(text), "{trend_1m:?} {trend_5m:?}");
    }
}

#[test]
fn a_bought_put_is_a_scalp_to_the_downside() {
    let bearish_put = |signal: &mut Signal| {
        signal.call_put = CallPut::Put;
        signal.direction = Direction::Bearish;
        signal.context.vwap = Some(244.0);
        signal.context.trend_1m = Some(Trend::Down);
        signal.context.trend_5m = Some(Trend::Down);
        signal.context.breaking_up = Some(false);
        signal.context.breaking_down = Some(true);
    };
    check(
        Kind::Scalp,
        bearish_put,
        expect![[r#"
        - ⚡ SCALP CALL – TSLA (Strength 7.9/10)
        + ⚡ SCALP PUT – TSLA (Strength 7.9/10)
        - Flow Intent (intraday): aggressive CALL flow; size looks like new money; tags: SWEEP, AGGRESSIVE, VOL>OI.
        + Flow Intent (intraday): aggressive PUT flow; size looks like new money; tags: SWEEP, AGGRESSIVE, VOL>OI.
        -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
        +   Underlying $243.40 | OTM 0.8% | DTE 1 | Below VWAP
        -   sweep/aggression + VWAP/momentum alignment suggest tape control; favors a fast upside continuation instead of noise.
        +   sweep/aggression + VWAP/momentum alignment suggest tape control; favors a fast downside continuation instead of noise.
    "#]],
    );
}

#[test]
fn a_sold_call_is_still_a_call_and_points_down() {
    // The market is the sample's, so all of it now speaks against the trade.
    let sold = |signal: &mut Signal| signal.direction = Direction::Bearish;
    check(
        Kind::Scalp,
        sold,
        expect![[r#"
        -   Microstructure: pushing off VWAP; trend 1m/5m aligned; level pressure=yes.
        +   Microstructure: fighting VWAP; trend 1m/5m mixed; level pressure=no.
        -   sweep/aggression + VWAP/momentum alignment suggest tape control; favors a fast upside continuation instead of noise.
        +   sweep/aggression + VWAP/momentum alignment suggest tape control; favors a fast downside continuation instead of noise.
    "#]],
    );
}

#[test]
fn a_sold_put_is_still_a_put_and_hands_control_to_buyers() {
    let sold = |signal: &mut Signal| signal.direction = Direction::Bullish;
    check(
        Kind::DayTrade,
        sold,
        expect![[r#"
        -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        +   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=range/pullback; RVOL=1.8.
        -   flow + intraday structure and regime point to sellers control; timing favors continuation movement rather than random noise.
        +   flow + intraday structure and regime point to buyers control; timing favors range expansion/retest movement rather than random noise.
    "#]],
    );
}

#[test]
fn a_day_trade_above_vwap_with_the_trend_is_supported() {
    let supported = |signal: &mut Signal| {
        signal.direction = Direction::Bullish;
        signal.context.vwap = Some(137.0);
        signal.context.trend_15m = Some(Trend::Up);
        signal.context.breaking_up = Some(true);
    };
    check(
        Kind::DayTrade,
        supported,
        expect![[r#"
        -   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP | RVOL 1.8
        +   Underlying $138.20 | OTM 1.3% | DTE 12 | Above VWAP | RVOL 1.8
        -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        +   VWAP/EMA: supportive; 15m trend aligned; key level=break/hold; RVOL=1.8.
        -   flow + intraday structure and regime point to sellers control; timing favors continuation movement rather than random noise.
        +   flow + intraday structure and regime point to buyers control; timing favors continuation movement rather than random noise.
    "#]],
    );
}

#[test]
fn a_day_trade_whose_level_holds_waits_for_a_retest() {
    let holds = |signal: &mut Signal| signal.context.breaking_down = Some(false);
    check(
        Kind::DayTrade,
        holds,
        expect![[r#"
        -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        +   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=range/pullback; RVOL=1.8.
        -   flow + intraday structure and regime point to sellers control; timing favors continuation movement rather than random noise.
        +   flow + intraday structure and regime point to sellers control; timing favors range expansion/retest movement rather than random noise.
    "#]],
    );
}

#[test]
fn a_swing_against_its_market_says_so() {
    let against = |signal: &mut Signal| {
        signal.context.vwap = Some(390.0);
        signal.context.trend_daily = Some(Trend::Down);
        signal.context.breaking_up = Some(false);
    };
    check(
        Kind::Swing,
        against,
        expect![[r#"
        -   Underlying $384.20 | OTM 4.1% | DTE 35 | Above VWAP | RVOL 1.2
        +   Underlying $384.20 | OTM 4.1% | DTE 35 | Below VWAP | RVOL 1.2
        -   HTF posture: daily trend aligned; structure breakout/pullback; level posture=supportive; RVOL=1.2.
        +   HTF posture: daily trend mixed; structure accumulating near value; level posture=near supply; RVOL=1.2.
    "#]],
    );
}

#[test]
fn a_swing_is_with_the_trend_when_the_regime_points_its_way() {
    use Direction::{Bearish, Bullish};
    for (direction, regime_trend, text) in [
        (Bullish, RegimeTrend::Up, "prevailing trend in"),
        (Bearish, RegimeTrend::Down, "prevailing trend in"),
        (
            Bullish,
            RegimeTrend::Down,
            "prevailing range/mean reversion in",
        ),
        (
            Bearish,
            RegimeTrend::Up,
            "prevailing range/mean reversion in",
        ),
        (
            Bullish,
            RegimeTrend::Flat,
            "prevailing range/mean reversion in",
        ),
        (
            Bullish,
            RegimeTrend::Unknown,
            "prevailing range/mean reversion in",
        ),
    ] {
        let mut signal = sample(Kind::Swing);
        signal.direction = direction;
        signal.context.regime_trend = regime_trend;
        assert!(alert(&signal).contains(text), "{direction} {regime_trend}");
    }
}

#[test]
fn a_swing_without_memory_is_sized_by_itself() {
    let forgets = |signal: &mut Signal| signal.persistent_notional = None;
    check(
        Kind::Swing,
        forgets,
        expect![[r#"
        - Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; Cluster notional ≈ $6,300,000.
        + Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: AGGRESSIVE, PERSISTENT_BUYER; notional sized for a swing idea.
    "#]],
    );
}

#[test]
fn a_swings_cluster_is_its_chains_not_its_own_notional() {
    let smaller = |signal: &mut Signal| signal.notional = 705_000.0;
    check(
        Kind::Swing,
        smaller,
        expect![[r#"
        - 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol/OI 20000/8000 | AGGRESSIVE, PERSISTENT_BUYER
        + 750x @ $9.40 | Strike 400 exp 04-18-2025 | Notional $705,000 | Vol/OI 20000/8000 | AGGRESSIVE, PERSISTENT_BUYER
    "#]],
    );
}

#[test]
fn on_its_vwap_the_price_is_neither_above_nor_below() {
    for (kind, expected) in [
        (
            Kind::Scalp,
            expect![[r#"
            -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
            +   Underlying $243.40 | OTM 0.8% | DTE 1 | At VWAP
            -   Microstructure: pushing off VWAP; trend 1m/5m aligned; level pressure=yes.
            +   Microstructure: fighting VWAP; trend 1m/5m aligned; level pressure=yes.
        "#]],
        ),
        (
            Kind::DayTrade,
            expect![[r#"
            -   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP | RVOL 1.8
            +   Underlying $138.20 | OTM 1.3% | DTE 12 | At VWAP | RVOL 1.8
        "#]],
        ),
        (
            Kind::Swing,
            expect![[r#"
            -   Underlying $384.20 | OTM 4.1% | DTE 35 | Above VWAP | RVOL 1.2
            +   Underlying $384.20 | OTM 4.1% | DTE 35 | At VWAP | RVOL 1.2
            -   HTF posture: daily trend aligned; structure breakout/pullback; level posture=supportive; RVOL=1.2.
            +   HTF posture: daily trend aligned; structure breakout/pullback; level posture=near supply; RVOL=1.2.
        "#]],
        ),
    ] {
        let on_it = |signal: &mut Signal| signal.context.vwap = signal.context.spot;
        check(kind, on_it, expected);
    }
}

#[test]
fn an_unknown_vwap_is_not_taken_for_a_side() {
    for (kind, expected) in [
        (
            Kind::Scalp,
            expect![[r#"
            -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
            +   Underlying $243.40 | OTM 0.8% | DTE 1 | VWAP n/a
            -   Microstructure: pushing off VWAP; trend 1m/5m aligned; level pressure=yes.
            +   Microstructure: VWAP n/a; trend 1m/5m aligned; level pressure=yes.
        "#]],
        ),
        (
            Kind::DayTrade,
            expect![[r#"
            -   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP | RVOL 1.8
            +   Underlying $138.20 | OTM 1.3% | DTE 12 | VWAP n/a | RVOL 1.8
            -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
            +   VWAP/EMA: n/a; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        "#]],
        ),
        (
            Kind::Swing,
            expect![[r#"
            -   Underlying $384.20 | OTM 4.1% | DTE 35 | Above VWAP | RVOL 1.2
            +   Underlying $384.20 | OTM 4.1% | DTE 35 | VWAP n/a | RVOL 1.2
            -   HTF posture: daily trend aligned; structure breakout/pullback; level posture=supportive; RVOL=1.2.
            +   HTF posture: daily trend aligned; structure breakout/pullback; level posture=n/a; RVOL=1.2.
        "#]],
        ),
    ] {
        check(kind, |signal| signal.context.vwap = None, expected);
    }
}

#[test]
fn an_unknown_rvol_is_left_out_wherever_it_stood() {
    for (kind, expected) in [
        (
            Kind::DayTrade,
            expect![[r#"
        -   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP | RVOL 1.8
        +   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP
        -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        +   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold.
    "#]],
        ),
        (
            Kind::Swing,
            expect![[r#"
        -   Underlying $384.20 | OTM 4.1% | DTE 35 | Above VWAP | RVOL 1.2
        +   Underlying $384.20 | OTM 4.1% | DTE 35 | Above VWAP
        -   HTF posture: daily trend aligned; structure breakout/pullback; level posture=supportive; RVOL=1.2.
        +   HTF posture: daily trend aligned; structure breakout/pullback; level posture=supportive.
    "#]],
        ),
    ] {
        check(kind, |signal| signal.context.rvol = None, expected);
    }
}

#[test]
fn a_scalp_shows_its_rvol_when_it_is_known() {
    let known = |signal: &mut Signal| signal.context.rvol = Some(2.14);
    check(
        Kind::Scalp,
        known,
        expect![[r#"
        -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
        +   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP | RVOL 2.1
    "#]],
    );
}

#[test]
fn a_signal_about_which_nothing_is_known_can_still_be_read() {
    let unknown = |kind| Signal {
        open_interest: None,
        tags: Tags::default(),
        persistent_notional: None,
        detail: None,
        context: Context::UNKNOWN,
        ..sample(kind)
    };
    expect![[r#"
        ⚡ SCALP CALL – TSLA (Strength 7.9/10)
        Strike 245 exp 02-21-2025 | Notional $185,000 | Vol 5000 | SWEEP, AGGRESSIVE

        Flow Intent (intraday): aggressive CALL flow; size looks like roll/reload; tags: n/a.
        Price / Microstructure:
          Underlying n/a | OTM n/a | DTE 0 | VWAP n/a
          Microstructure: VWAP n/a; trend 1m/5m mixed; level pressure=no.

        Why this matters:
          sweep/aggression + VWAP/momentum alignment suggest tape control; favors a fast upside continuation instead of noise.

        Risk & timing:
          invalidate on VWAP or trigger loss; suited for a 5–20 min scalp with tight stops.

        Regime: trend=UNKNOWN vol=UNKNOWN
        Time: 10:12:34 AM ET
    "#]].assert_eq(&alert(&unknown(Kind::Scalp)));
    expect![[r#"
        📈 DAY TRADE PUT – AMD (Strength 8.3/10)
        Strike 135 exp 03-14-2025 | Notional $120,000 | Vol 12000 | AGGRESSIVE

        Flow Intent (session): assertive participation pressing the theme; vol 12000; tags: n/a.
        Price / Structure:
          Underlying n/a | OTM n/a | DTE 0 | VWAP n/a
          VWAP/EMA: n/a; 15m trend uncertain; key level=range/pullback.

        Why this is a good day-trade alert:
          flow + intraday structure and regime point to sellers control; timing favors range expansion/retest movement rather than random noise.

        Risk & execution:
          invalidate on VWAP/15m trend break or failed level retest; intraday idea (approx. 30–180 minutes if structure holds).

        Regime: trend=UNKNOWN vol=UNKNOWN
        Time: 11:05:12 AM ET
    "#]].assert_eq(&alert(&unknown(Kind::DayTrade)));
    expect![[r#"
        🧠 SWING CALL – META (Strength 9.2/10)
        Strike 400 exp 04-18-2025 | Notional $6,300,000 | Vol 20000 | AGGRESSIVE

        Flow Intent (swing): persistent flow; DTE/OTM consistent with positioning; tags: n/a; notional sized for a swing idea.
        Price / Structure (HTF):
          Underlying n/a | OTM n/a | DTE 0 | VWAP n/a
          HTF posture: daily trend mixed; structure accumulating near value; level posture=n/a.

        Why this is a good swing alert:
          size + repetition at HTF structure implies institutional participation; aligns with the prevailing range/mean reversion in current regime and supports an accumulation thesis rather than short-term noise.

        Risk & plan:
          invalidate on break of recent swing pivot/HTF level; holding window on the order of days to weeks; informational context, not advice.

        Regime: trend=UNKNOWN vol=UNKNOWN
        Time: 01:18:45 PM ET
    "#]].assert_eq(&alert(&unknown(Kind::Swing)));
}

#[test]
fn numbers_are_as_long_as_a_reader_needs() {
    let numbers = |signal: &mut Signal| {
        signal.strength = 10.0;
        signal.strike = 2.5;
        signal.expiry = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
        signal.notional = 1_234_567.89;
        signal.detail.as_mut().unwrap().price = 0.054;
        signal.context.spot = Some(1250.0);
        signal.context.otm_pct = Some(12.96);
        signal.context.dte = 0;
    };
    check(
        Kind::Scalp,
        numbers,
        expect![[r#"
        - ⚡ SCALP CALL – TSLA (Strength 7.9/10)
        + ⚡ SCALP CALL – TSLA (Strength 10.0/10)
        - 1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | Vol/OI 5000/2200 | SWEEP, AGGRESSIVE
        + 1000x @ $0.05 | Strike 2.5 exp 01-02-2026 | Notional $1,234,568 | Vol/OI 5000/2200 | SWEEP, AGGRESSIVE
        -   Underlying $243.40 | OTM 0.8% | DTE 1 | Above VWAP
        +   Underlying $1250.00 | OTM 13.0% | DTE 0 | Above VWAP
    "#]],
    );
}

#[test]
fn an_exact_tie_is_rounded_to_the_even_digit() {
    let ties = |signal: &mut Signal| {
        signal.strength = 7.25;
        signal.notional = 100_000.5;
        signal.context.otm_pct = Some(0.75);
        signal.context.rvol = Some(1.25);
    };
    check(
        Kind::DayTrade,
        ties,
        expect![[r#"
        - 📈 DAY TRADE PUT – AMD (Strength 8.3/10)
        + 📈 DAY TRADE PUT – AMD (Strength 7.2/10)
        - 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $120,000 | Vol/OI 12000/4500 | AGGRESSIVE
        + 500x @ $2.40 | Strike 135 exp 03-14-2025 | Notional $100,000 | Vol/OI 12000/4500 | AGGRESSIVE
        -   Underlying $138.20 | OTM 1.3% | DTE 12 | Below VWAP | RVOL 1.8
        +   Underlying $138.20 | OTM 0.8% | DTE 12 | Below VWAP | RVOL 1.2
        -   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.8.
        +   VWAP/EMA: overhead/drag; 15m trend uncertain; key level=break/hold; RVOL=1.2.
    "#]],
    );
}

#[test]
fn the_time_is_new_yorks_with_twelve_hours_and_a_leading_zero() {
    for (utc, text) in [
        ("2025-01-15T14:30:00Z", "Time: 09:30:00 AM ET\n"),
        ("2025-07-15T13:30:00.999Z", "Time: 09:30:00 AM ET\n"),
        ("2025-07-15T16:00:00Z", "Time: 12:00:00 PM ET\n"),
        ("2025-07-15T19:59:59Z", "Time: 03:59:59 PM ET\n"),
        ("2025-07-15T04:05:00Z", "Time: 12:05:00 AM ET\n"),
    ] {
        let mut signal = sample(Kind::Scalp);
        signal.ts = Ts::parse_rfc3339(utc).unwrap();
        signal.available_at = signal.ts.plus_minutes(7);
        assert!(alert(&signal).ends_with(text), "{utc}");
    }
}

#[test]
fn every_regime_is_named() {
    let line = |trend, volatility| {
        let mut signal = sample(Kind::Scalp);
        signal.context.regime_trend = trend;
        signal.context.regime_volatility = volatility;
        let alert = alert(&signal);
        let line = alert.lines().find(|line| line.starts_with("Regime"));
        line.unwrap().to_owned()
    };
    assert_eq!(
        line(RegimeTrend::Flat, RegimeVolatility::Low),
        "Regime: trend=FLAT vol=LOW"
    );
    assert_eq!(
        line(RegimeTrend::Unknown, RegimeVolatility::Unknown),
        "Regime: trend=UNKNOWN vol=UNKNOWN"
    );
}

#[test]
fn what_a_signal_could_not_see_is_its_alerts_last_line() {
    let alert = alert(&sample(Kind::Scalp));
    let marked = with_gap(
        alert.clone(),
        "TSLA prints 10:02:10 to 10:04:31 are missing",
    );
    let added = marked.strip_prefix(&alert).unwrap();
    assert_eq!(
        added,
        "Data gap: TSLA prints 10:02:10 to 10:04:31 are missing\n"
    );
}

#[test]
fn a_headline_has_what_a_digest_needs_on_one_line() {
    let headlines = Kind::ALL.iter().map(|kind| headline(&sample(*kind)) + "\n");
    expect![[r#"
        ⚡ SCALP CALL – TSLA (Strength 7.9/10) | BULLISH | Strike 245 exp 02-21-2025 | Notional $185,000
        📈 DAY TRADE PUT – AMD (Strength 8.3/10) | BEARISH | Strike 135 exp 03-14-2025 | Notional $120,000
        🧠 SWING CALL – META (Strength 9.2/10) | BULLISH | Strike 400 exp 04-18-2025 | Notional $6,300,000
    "#]].assert_eq(&headlines.collect::<String>());
}
