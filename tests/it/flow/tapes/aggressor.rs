//! The aggressor by quote, by tick test, or not at all, and how well it is known.

use expect_test::expect;

use super::super::tape::rules;
use super::{check_events, found};

#[test]
fn at_or_beyond_the_quote_is_aggressive_and_inside_it_is_not() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:01.000  A 1.20 x 1
         10:00:02.000  A 1.00 x 1
         10:00:03.000  A 0.90 x 1
         10:00:04.000  A 1.06 x 1
         10:00:05.000  A 1.04 x 1",
        expect![[r#"
            10:00:00.000  BUY 1 @ 1.10  quote firm aggressive  volume 1  1.00/1.10
            10:00:01.000  BUY 1 @ 1.20  quote firm aggressive  volume 2  1.00/1.10
            10:00:02.000  SELL 1 @ 1.00  quote firm aggressive  volume 3  1.00/1.10
            10:00:03.000  SELL 1 @ 0.90  quote firm aggressive  volume 4  1.00/1.10
            10:00:04.000  BUY 1 @ 1.06  quote weak  volume 5  1.00/1.10
            10:00:05.000  SELL 1 @ 1.04  quote weak  volume 6  1.00/1.10"#]],
    );
}

#[test]
fn at_the_mid_the_tick_test_decides() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.05 x 1
         10:00:01.000  A 1.00 x 1
         10:00:02.000  A 1.05 x 1
         10:00:03.000  A 1.05 x 1
         10:00:04.000  A 1.10 x 1
         10:00:05.000  A 1.05 x 1",
        expect![[r#"
            10:00:00.000  UNKNOWN 1 @ 1.05  none  volume 1  1.00/1.10
            10:00:01.000  SELL 1 @ 1.00  quote firm aggressive  volume 2  1.00/1.10
            10:00:02.000  BUY 1 @ 1.05  tick weak  volume 3  1.00/1.10
            10:00:03.000  BUY 1 @ 1.05  tick weak  volume 4  1.00/1.10
            10:00:04.000  BUY 1 @ 1.10  quote firm aggressive  volume 5  1.00/1.10
            10:00:05.000  SELL 1 @ 1.05  tick weak  volume 6  1.00/1.10"#]],
    );
}

#[test]
fn the_mid_is_that_of_cents_and_not_of_binary_fractions() {
    // As doubles (0.10 + 0.20) / 2 is a little more than 0.15.
    check_events(
        "09:59:59.000  q 0.10/0.20
         10:00:00.000  A 0.15 x 1
         10:00:00.500  q 1.10/2.20
         10:00:01.000  A 1.65 x 1
         10:00:01.500  q 0.10/0.70
         10:00:02.000  A 0.40 x 1",
        expect![[r#"
            10:00:00.000  UNKNOWN 1 @ 0.15  none  volume 1  0.10/0.20
            10:00:01.000  BUY 1 @ 1.65  tick weak  volume 2  1.10/2.20
            10:00:02.000  SELL 1 @ 0.40  tick weak  volume 3  0.10/0.70"#]],
    );
}

#[test]
fn a_quote_that_cannot_tell_is_shown_and_leaves_it_to_the_tick_test() {
    // Crossed, locked, no ask, nothing; without a bid it can tell.
    check_events(
        "09:59:59.000  q 1.10/1.00
         10:00:00.000  A 1.00 x 1
         10:00:00.500  q 1.10/1.10
         10:00:01.000  A 1.10 x 1
         10:00:01.500  q 1.00/-
         10:00:02.000  A 1.00 x 1
         10:00:02.500  q -/-
         10:00:03.000  A 1.10 x 1
         10:00:03.500  q -/1.10
         10:00:04.000  A 1.10 x 1
         10:00:04.500  q -/1.10
         10:00:05.000  A 0.50 x 1",
        expect![[r#"
            10:00:00.000  UNKNOWN 1 @ 1.00  none  volume 1  1.10/1.00
            10:00:01.000  BUY 1 @ 1.10  tick weak  volume 2  1.10/1.10
            10:00:02.000  SELL 1 @ 1.00  tick weak  volume 3  1.00/-
            10:00:03.000  BUY 1 @ 1.10  tick weak  volume 4
            10:00:04.000  BUY 1 @ 1.10  quote firm aggressive  volume 5  -/1.10
            10:00:05.000  SELL 1 @ 0.50  quote weak  volume 6  -/1.10"#]],
    );
}

#[test]
fn a_quote_is_usable_up_to_its_greatest_age() {
    check_events(
        "10:00:00.000        q 1.00/1.10
         10:01:00.000        A 1.00 x 1",
        expect!["10:01:00.000  SELL 1 @ 1.00  quote firm aggressive  volume 1  1.00/1.10"],
    );
    check_events(
        "10:00:00.000        q 1.00/1.10
         10:01:00.000000001  A 1.00 x 1",
        expect!["10:01:00.000000001  UNKNOWN 1 @ 1.00  none  volume 1"],
    );
}

#[test]
fn the_quote_is_the_last_at_or_before_the_print() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  q 1.20/1.30
         10:00:00.001  q 1.40/1.50
         10:00:00.000  A 1.30 x 1",
        // The quote of 09:59:59 would say the same: at or beyond its ask.
        expect!["10:00:00.000  BUY 1 @ 1.30  quote firm aggressive  volume 1  1.20/1.30"],
    );
}

#[test]
fn a_quote_in_the_prints_millisecond_that_would_change_the_answer_makes_it_weak() {
    // After the print and before the next millisecond.
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 1
         10:00:00.000999999  q 1.10/1.20",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
    );
    // The next millisecond is another one.
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:00.001  q 1.10/1.20",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote firm aggressive  volume 1  1.00/1.10"],
    );
    // A quote that came with the print may have come after it.
    check_events(
        "09:59:59.000  q 1.10/1.20
         10:00:00.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
    );
    // Side and aggressiveness are the answer: no longer at the ask is another one.
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 1
         10:00:00.000400     q 1.00/1.12",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
    );
    // The same answer from another quote is none.
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 1
         10:00:00.000400     q 1.01/1.09",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote firm aggressive  volume 1  1.00/1.10"],
    );
    // What cannot tell would have left it to the tick test, here without anything to compare with.
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 1
         10:00:00.000400     q -/-",
        expect!["10:00:00.000  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
    );
}

#[test]
fn a_quote_of_the_prints_millisecond_without_a_fresh_one_before_it_is_doubted() {
    // Had it come after the print, there would have been none to go by; and it must not matter
    // whether the stale one was asked for.
    for before in ["", "09:58:00.000  q 1.00/1.10"] {
        let tape = format!(
            "{before}
             10:00:00.000  q 1.00/1.10
             10:00:00.000  A 1.10 x 1"
        );
        check_events(
            &tape,
            expect!["10:00:00.000  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
        );
    }
}

#[test]
fn a_stamp_finer_than_a_millisecond_is_no_finer() {
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000100     q 1.10/1.20
         10:00:00.000200     q 1.00/1.10
         10:00:00.000900     A 1.10 x 1",
        expect!["10:00:00.000900  BUY 1 @ 1.10  quote weak aggressive  volume 1  1.00/1.10"],
    );
}

#[test]
fn auctions_and_floor_trades_are_at_most_weak() {
    for code in [
        210, 227, 228, 231, 233, 235, 237, 238, 239, 242, 244, 245, 246,
    ] {
        let text = found(
            &rules(),
            &format!("09:59:59.000  q 1.00/1.10\n10:00:00.000  A 1.10 x 1  {code}"),
        );
        assert!(text.contains("quote weak aggressive"), "{code}: {text}");
    }
    for code in [209, 219, 232, 236, 240, 243, 248, 300] {
        let text = found(
            &rules(),
            &format!("09:59:59.000  q 1.00/1.10\n10:00:00.000  A 1.10 x 1  {code}"),
        );
        assert!(text.contains("quote firm aggressive"), "{code}: {text}");
    }
}

#[test]
fn crosses_have_no_side_and_never_merge() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1  229
         10:00:00.000  A 1.10 x 2  229
         10:00:00.010  A 1.10 x 3  234
         10:00:00.020  A 1.10 x 4  241
         10:00:00.030  A 1.10 x 5  230",
        expect![[r#"
            10:00:00.000  UNKNOWN 1 @ 1.10  none  volume 1  1.00/1.10  codes [229]
            10:00:00.000  UNKNOWN 2 @ 1.10  none  volume 3  1.00/1.10  seq 1  codes [229]
            10:00:00.010  UNKNOWN 3 @ 1.10  none leg  volume 6  1.00/1.10  codes [234]
            10:00:00.020  UNKNOWN 4 @ 1.10  none leg  volume 10  1.00/1.10  codes [241]
            10:00:00.030  UNKNOWN SWEEP 5 @ 1.10  none iso  volume 15  1.00/1.10  codes [230]"#]],
    );
}

#[test]
fn a_cross_feeds_the_tick_test_and_joins_no_unknown() {
    check_events(
        "10:00:00.000  A 1.10 x 1
         10:00:00.010  A 1.00 x 2  cross
         10:00:00.020  A 1.10 x 3
         10:00:00.030  A 1.10 x 4",
        expect![[r#"
            10:00:00.000  UNKNOWN 1 @ 1.10  none  volume 1
            10:00:00.010  UNKNOWN 2 @ 1.00  none  volume 3  codes [229]
            10:00:00.030  BUY 7 @ 1.10  tick weak  2 prints  volume 10"#]],
    );
}

#[test]
fn the_tick_test_runs_over_all_valid_prints_of_the_day() {
    // Hours ago, below any floor, a leg, cancelled later: valid. Late, void, cancels: not.
    check_events(
        "09:30:00.000  A 1.10 x 1  leg
         12:00:00.000  A 1.20 x 1  late
         12:00:00.000  A 1.30 x 1  corr
         12:00:00.000  A 1.40 x 1  cancel
         12:00:01.000  A 1.10 x 1
         12:00:02.000  A 1.15 x 1
         12:00:02.100  A 1.15 x 1  cancel
         12:00:03.000  A 1.10 x 2",
        expect![[r#"
            09:30:00.000  UNKNOWN 1 @ 1.10  none leg  volume 1  codes [232]
            12:00:01.000  UNKNOWN 1 @ 1.10  none  volume 2
            12:00:03.000  SELL 2 @ 1.10  tick weak  volume 4"#]],
    );
}
