//! Volume counts what is below the floor, and so does seq.

use expect_test::expect;

use super::super::batch;
use super::super::tape::{Tape, rules};
use super::{check_events, check_events_with};
use crate::oracle::flow::Rules;

#[test]
fn volume_accumulates_before_any_floor_is_applied() {
    let rules = Rules {
        min_notional: 10_000.0,
        ..rules()
    };
    check_events_with(
        &rules,
        "09:59:59.000  q 0.90/1.00
         10:00:00.000  A 1.00 x 99
         10:00:01.000  A 1.00 x 100
         10:00:02.000  A 1.00 x 3  300
         10:00:03.000  A 1.00 x 50
         10:00:03.100  A 1.00 x 50",
        expect![[r#"
            10:00:01.000  BUY 100 @ 1.00  quote firm aggressive  volume 199  0.90/1.00
            10:00:03.100  BUY 100 @ 1.00  quote firm aggressive  2 prints  volume 302  0.90/1.00"#]],
    );
}

#[test]
fn a_floor_that_is_met_exactly_is_passed_whatever_the_prices() {
    // 1.1 x 30 + 1.15 x 58 = 99.7; 0.1 x 1 + 0.2 x 1 = 0.3.
    for (floor, tape) in [
        (
            9_970.0,
            "10:00:00.000  A 1.10 x 30  leg\n10:00:00.000  A 1.15 x 58  leg",
        ),
        (
            30.0,
            "10:00:00.000  A 0.10 x 1  leg\n10:00:00.000  A 0.20 x 1  leg",
        ),
    ] {
        let mut tape = Tape::parse(tape);
        tape.quotes = Tape::parse("10:00:00.000  q 0.01/0.02").quotes;
        let rules = Rules {
            min_notional: floor,
            ..rules()
        };
        let events = batch(&tape.prints, &tape.quotes, &rules);
        assert_eq!(events.len(), 1, "{floor}");
    }
}

#[test]
fn seq_counts_every_print_received_at_the_same_ts_before_any_floor() {
    let rules = Rules {
        min_notional: 1_000.0,
        ..rules()
    };
    check_events_with(
        &rules,
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.00 x 1
         10:00:00.000  A 1.00 x 1   late
         10:00:00.000  A 1.10 x 20
         10:00:00.000  A 1.00 x 1   cancel
         10:00:00.000  A 1.00 x 20  corr
         10:00:00.000  A 1.05 x 20  cross
         10:00:00.001  A 1.05 x 20  cross",
        expect![[r#"
            10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 21  1.00/1.10  seq 2
            10:00:00.000  UNKNOWN 20 @ 1.05  none  volume 41  1.00/1.10  seq 5  codes [229]
            10:00:00.001  UNKNOWN 20 @ 1.05  none  volume 61  1.00/1.10  codes [229]"#]],
    );
}

#[test]
fn a_print_without_a_known_code_is_regular() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20  bare
         10:00:00.100  A 1.10 x 10  300",
        expect![
            "10:00:00.100  BUY 30 @ 1.10  quote firm aggressive  2 prints  volume 30  1.00/1.10  codes [300]"
        ],
    );
}
