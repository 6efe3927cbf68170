//! What an event is marked with: legs of spreads, extended hours, blocks.

use expect_test::expect;

use super::super::batch;
use super::super::tape::{Tape, rules};
use super::{check_events, check_events_with};
use crate::oracle::flow::Rules;

#[test]
fn every_code_from_232_to_246_marks_a_leg() {
    for code in 231..=248 {
        let tape = Tape::parse(&format!("10:00:00.000  A 1.10 x 20  {code}"));
        let is_leg = (232..=246).contains(&code);
        let found: Vec<bool> = batch(&tape.prints, &tape.quotes, &rules())
            .iter()
            .map(|event| event.is_multi_leg)
            .collect();
        let expected = if code == 247 { vec![] } else { vec![is_leg] };
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn multi_leg_and_single_leg_prints_do_not_merge() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.010  A 1.10 x 5  leg
         10:00:00.020  A 1.10 x 30
         10:00:00.030  B 1.10 x 6  233",
        expect![[r#"
            10:00:00.020  BUY 50 @ 1.10  quote firm aggressive  2 prints  volume 55  1.00/1.10
            10:00:00.030  BUY SWEEP 11 @ 1.10  quote weak aggressive leg  2 prints  2 exchanges  volume 61  1.00/1.10  codes [232, 233]"#]],
    );
}

#[test]
fn prints_of_extended_hours_are_kept_and_marked() {
    check_events(
        "09:29:30.000        q 1.00/1.10
         09:29:59.999999999  A 1.10 x 1
         09:30:00.250        A 1.10 x 2
         15:59:30.000        q 1.00/1.10
         15:59:59.999        A 1.10 x 3
         16:00:00.250        A 1.10 x 4",
        expect![[r#"
            09:29:59.999999999  BUY 1 @ 1.10  quote firm aggressive extended  volume 1  1.00/1.10
            09:30:00.250  BUY 2 @ 1.10  quote firm aggressive  volume 3  1.00/1.10
            15:59:59.999  BUY 3 @ 1.10  quote firm aggressive  volume 6  1.00/1.10
            16:00:00.250  BUY 4 @ 1.10  quote firm aggressive extended  volume 10  1.00/1.10"#]],
    );
}

#[test]
fn the_session_holds_its_open_and_not_its_close() {
    check_events(
        "09:30:00.000  A 1.10 x 1
         16:00:00.000  A 1.10 x 2",
        expect![[r#"
            09:30:00.000  UNKNOWN 1 @ 1.10  none  volume 1
            16:00:00.000  UNKNOWN 2 @ 1.10  none extended  volume 3"#]],
    );
}

#[test]
fn an_event_across_the_close_is_where_its_last_standing_print_is() {
    check_events(
        "15:59:59.900  A 1.10 x 1
         16:00:00.000  A 1.10 x 2
         16:00:00.100  A 1.10 x 2  cancel",
        expect!["15:59:59.900  UNKNOWN 1 @ 1.10  none  volume 1  known 16:00:00.250"],
    );
    check_events(
        "15:59:59.900  A 1.10 x 1
         16:00:00.000  A 1.10 x 2",
        expect!["16:00:00.000  UNKNOWN 3 @ 1.10  none extended  2 prints  volume 3"],
    );
}

#[test]
fn the_code_of_extended_hours_marks_its_event_and_a_day_without_session_every_one() {
    check_events(
        "10:00:00.000  A 1.10 x 1  248
         10:00:00.100  A 1.10 x 1",
        expect![
            "10:00:00.100  UNKNOWN 2 @ 1.10  none extended  2 prints  volume 2  codes [248, 209]"
        ],
    );
    let closed = Rules {
        session: None,
        ..rules()
    };
    check_events_with(
        &closed,
        "10:00:00.000  A 1.10 x 1",
        expect!["10:00:00.000  UNKNOWN 1 @ 1.10  none extended  volume 1"],
    );
}

#[test]
fn a_block_is_one_large_print_outside_a_sweep() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 499
         10:00:00.100  A 1.10 x 499
         10:00:01.000  A 1.10 x 500
         10:00:01.100  A 1.10 x 1
         10:00:02.000  A 1.10 x 500
         10:00:02.100  B 1.10 x 1
         10:00:03.000  A 1.10 x 500  iso
         10:00:04.000  A 1.10 x 500  cross
         10:00:05.000  A 1.10 x 500  leg",
        expect![[r#"
            10:00:00.100  BUY 998 @ 1.10  quote firm aggressive  2 prints  volume 998  1.00/1.10
            10:00:01.100  BUY BLOCK 501 @ 1.10  quote firm aggressive  2 prints  volume 1499  1.00/1.10
            10:00:02.100  BUY SWEEP 501 @ 1.10  quote firm aggressive  2 prints  2 exchanges  volume 2000  1.00/1.10
            10:00:03.000  BUY SWEEP 500 @ 1.10  quote firm aggressive iso  volume 2500  1.00/1.10  codes [219]
            10:00:04.000  UNKNOWN BLOCK 500 @ 1.10  none  volume 3000  1.00/1.10  codes [229]
            10:00:05.000  BUY BLOCK 500 @ 1.10  quote firm aggressive leg  volume 3500  1.00/1.10  codes [232]"#]],
    );
}

#[test]
fn a_block_whose_large_print_was_cancelled_is_none() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:01.000  A 1.10 x 500
         10:00:01.100  A 1.10 x 1
         10:00:01.200  A 1.10 x 500  cancel",
        expect!["10:00:01.100  BUY 1 @ 1.10  quote firm aggressive  volume 1  1.00/1.10"],
    );
}
