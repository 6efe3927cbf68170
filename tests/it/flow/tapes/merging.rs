//! Prints that become one event, and what makes it a sweep.

use expect_test::expect;

use super::super::batch;
use super::super::tape::{Tape, at, rules};
use super::{check_events, check_events_with};
use crate::oracle::flow::Rules;

#[test]
fn exactly_the_window_apart_still_joins() {
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 1
         10:00:00.250        A 1.10 x 2
         10:00:00.500        A 1.10 x 3
         10:00:00.750000001  A 1.10 x 4",
        expect![[r#"
            10:00:00.500  BUY 6 @ 1.10  quote firm aggressive  3 prints  volume 6  1.00/1.10
            10:00:00.750000001  BUY 4 @ 1.10  quote firm aggressive  volume 10  1.00/1.10"#]],
    );
}

#[test]
fn an_opposite_print_in_between_does_not_break_a_chain() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:00.100  A 1.00 x 2
         10:00:00.200  A 1.10 x 3
         10:00:00.300  A 1.00 x 4",
        expect![[r#"
            10:00:00.200  BUY 4 @ 1.10  quote firm aggressive  2 prints  volume 6  1.00/1.10
            10:00:00.300  SELL 6 @ 1.00  quote firm aggressive  2 prints  volume 10  1.00/1.10"#]],
    );
}

#[test]
fn unknown_merges_with_unknown() {
    check_events(
        "10:00:00.000  A 1.10 x 1
         10:00:00.100  B 1.10 x 2
         10:00:00.200  B 1.20 x 3
         10:00:00.210  q 1.10/1.30
         10:00:00.220  B 1.20 x 4",
        expect![[r#"
            10:00:00.100  UNKNOWN SWEEP 3 @ 1.10  none  2 prints  2 exchanges  volume 3
            10:00:00.220  BUY 7 @ 1.20  tick weak  2 prints  volume 10"#]],
    );
}

#[test]
fn distinct_exchanges_make_a_sweep_and_many_prints_on_one_do_not() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:00.100  A 1.10 x 2
         10:00:00.200  A 1.10 x 3
         10:00:01.000  A 1.10 x 1
         10:00:01.100  B 1.10 x 2
         10:00:01.200  A 1.10 x 3",
        expect![[r#"
            10:00:00.200  BUY 6 @ 1.10  quote firm aggressive  3 prints  volume 6  1.00/1.10
            10:00:01.200  BUY SWEEP 6 @ 1.10  quote firm aggressive  3 prints  2 exchanges  volume 12  1.00/1.10"#]],
    );
    let three = Rules {
        sweep_min_exchanges: 3,
        ..rules()
    };
    check_events_with(
        &three,
        "10:00:01.000  A 1.10 x 1
         10:00:01.100  B 1.10 x 2",
        expect!["10:00:01.100  UNKNOWN 3 @ 1.10  none  2 prints  2 exchanges  volume 3"],
    );
}

#[test]
fn an_iso_print_is_a_sweep_even_alone() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1  219
         10:00:01.000  A 1.10 x 1  228
         10:00:02.000  A 1.10 x 1
         10:00:02.010  A 1.10 x 1  iso",
        expect![[r#"
            10:00:00.000  BUY SWEEP 1 @ 1.10  quote firm aggressive iso  volume 1  1.00/1.10  codes [219]
            10:00:01.000  BUY SWEEP 1 @ 1.10  quote weak aggressive iso  volume 2  1.00/1.10  codes [228]
            10:00:02.010  BUY SWEEP 2 @ 1.10  quote firm aggressive iso  2 prints  volume 4  1.00/1.10  codes [209, 219]"#]],
    );
}

#[test]
fn a_cancelled_leg_of_a_sweep_takes_its_exchange_its_iso_and_its_code_with_it() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:00.100  B 1.10 x 2  iso
         10:00:00.200  A 1.10 x 3
         10:00:00.300  B 1.10 x 2  cancel",
        expect!["10:00:00.200  BUY 4 @ 1.10  quote firm aggressive  2 prints  volume 4  1.00/1.10"],
    );
}

#[test]
fn price_is_the_size_weighted_average_and_the_quote_is_the_first_prints() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 10
         10:00:00.050  q 1.10/1.20
         10:00:00.100  A 1.20 x 10",
        expect![
            "10:00:00.100  BUY 20 @ 1.15  quote firm aggressive  2 prints  volume 20  1.00/1.10"
        ],
    );
    let tape = Tape::parse("10:00:00.000  A 1.10 x 30\n10:00:00.000  A 1.10 x 10");
    let event = &batch(&tape.prints, &tape.quotes, &rules())[0];
    assert!((event.notional - 4_400.0).abs() < 1e-9, "{event:?}");
    assert_eq!(event.available_at, at("10:00:00.250"));
}

#[test]
fn aggressive_prints_that_hold_half_its_size_make_an_event_aggressive() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.08 x 20
         10:00:01.000  A 1.10 x 20
         10:00:01.100  A 1.08 x 21",
        expect![[r#"
            10:00:00.100  BUY 40 @ 1.09  quote weak aggressive  2 prints  volume 40  1.00/1.10
            10:00:01.100  BUY 41 @ 1.09  quote weak  2 prints  volume 81  1.00/1.10"#]],
    );
}

#[test]
fn quality_is_the_weakest_and_source_tick_if_any_of_the_prints_that_stand() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.00 x 1
         10:00:01.000  A 1.05 x 2
         10:00:01.100  A 1.10 x 3
         10:00:02.000  A 1.00 x 1
         10:00:03.000  A 1.05 x 2
         10:00:03.100  A 1.10 x 5
         10:00:03.200  A 1.05 x 2  cancel",
        expect![[r#"
            10:00:00.000  SELL 1 @ 1.00  quote firm aggressive  volume 1  1.00/1.10
            10:00:01.100  BUY 5 @ 1.08  tick weak aggressive  2 prints  volume 6  1.00/1.10
            10:00:02.000  SELL 1 @ 1.00  quote firm aggressive  volume 7  1.00/1.10
            10:00:03.100  BUY 5 @ 1.10  quote firm aggressive  volume 12  1.00/1.10"#]],
    );
}

#[test]
fn conditions_are_distinct_and_in_order_of_appearance() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1  227
         10:00:00.010  A 1.10 x 1
         10:00:00.020  A 1.10 x 1  248 227
         10:00:00.030  A 1.10 x 1  219 209",
        expect![
            "10:00:00.030  BUY SWEEP 4 @ 1.10  quote weak aggressive iso extended  4 prints  volume 4  1.00/1.10  codes [227, 209, 248, 219]"
        ],
    );
}

#[test]
fn the_window_and_the_quotes_age_are_settings() {
    let rules = Rules {
        sweep_window_ms: 0,
        max_quote_age_seconds: 0,
        ..rules()
    };
    check_events_with(
        &rules,
        "10:00:00.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 1
         10:00:00.000  A 1.10 x 2
         10:00:00.001  A 1.10 x 3",
        expect![[r#"
            10:00:00.000  BUY 3 @ 1.10  quote weak aggressive  2 prints  volume 3  1.00/1.10  seq 1
            10:00:00.001  UNKNOWN 3 @ 1.10  none  volume 6"#]],
    );
}

#[test]
fn without_a_wait_a_cancel_of_the_same_time_is_late_and_volume_holds_its_event() {
    let rules = Rules {
        sweep_window_ms: 0,
        ..rules()
    };
    check_events_with(
        &rules,
        "10:00:00.000  A 1.10 x 20
         10:00:00.000  A 1.10 x 20  cancel
         10:00:00.000  A 1.10 x 5
         10:00:01.000  A 1.10 x 1",
        expect![[r#"
            10:00:00.000  UNKNOWN 25 @ 1.10  none  2 prints  volume 25  seq 2  20 cancelled 10:00:00.000
            10:00:01.000  UNKNOWN 1 @ 1.10  none  volume 6"#]],
    );
}
