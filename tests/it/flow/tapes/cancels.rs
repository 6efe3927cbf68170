//! Cancels act from their own time on; corrections void their print; late prints and compressions are
//! no flow.

use expect_test::expect;

use super::super::counts;
use super::super::tape::{Tape, rules};
use super::{by_hand, check_events, found};

#[test]
fn a_print_cancelled_before_its_event_became_available_does_not_count() {
    for code in [201, 203, 205, 207] {
        check_events(
            &format!(
                "09:59:59.000  q 1.00/1.10
                 10:00:00.000  A 1.10 x 20
                 10:00:00.100  A 1.10 x 20  {code}
                 10:00:01.000  A 1.10 x 5"
            ),
            expect!["10:00:01.000  BUY 5 @ 1.10  quote firm aggressive  volume 5  1.00/1.10"],
        );
    }
}

#[test]
fn a_cancel_when_the_event_becomes_available_is_too_late() {
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 20
         10:00:00.250        A 1.10 x 20  cancel",
        expect![
            "10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  20 cancelled 10:00:00.250"
        ],
    );
    check_events(
        "09:59:59.000        q 1.00/1.10
         10:00:00.000        A 1.10 x 20
         10:00:00.249999999  A 1.10 x 20  cancel",
        expect![""],
    );
}

#[test]
fn a_later_cancel_leaves_the_event_and_lowers_volume_from_then_on() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:01.000  A 1.10 x 5
         10:00:02.000  A 1.10 x 20  cancel
         10:00:03.000  A 1.10 x 1",
        expect![[r#"
            10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  20 cancelled 10:00:02.000
            10:00:01.000  BUY 5 @ 1.10  quote firm aggressive  volume 25  1.00/1.10
            10:00:03.000  BUY 1 @ 1.10  quote firm aggressive  volume 6  1.00/1.10"#]],
    );
}

#[test]
fn volume_is_as_known_at_available_at() {
    // The cancel of the first print arrives while the second event still waits.
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:01.000  A 1.10 x 5
         10:00:01.249  A 1.10 x 20  cancel",
        expect![[r#"
            10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  20 cancelled 10:00:01.249
            10:00:01.000  BUY 5 @ 1.10  quote firm aggressive  volume 5  1.00/1.10"#]],
    );
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:01.000  A 1.10 x 5
         10:00:01.250  A 1.10 x 20  cancel",
        expect![[r#"
            10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  20 cancelled 10:00:01.250
            10:00:01.000  BUY 5 @ 1.10  quote firm aggressive  volume 25  1.00/1.10"#]],
    );
}

#[test]
fn later_prints_are_not_in_the_volume_of_an_event_that_still_waits() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.00 x 7
         10:00:00.200  A 1.10 x 20
         10:00:00.300  A 1.00 x 7",
        expect![[r#"
            10:00:00.200  BUY 40 @ 1.10  quote firm aggressive  2 prints  volume 47  1.00/1.10
            10:00:00.300  SELL 14 @ 1.00  quote firm aggressive  2 prints  volume 54  1.00/1.10"#]],
    );
}

#[test]
fn later_cancels_are_summed_and_the_first_gives_the_time() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.10 x 10
         10:00:00.200  A 1.10 x 5
         10:00:02.000  A 1.10 x 10  cancel
         10:00:03.000  A 1.10 x 20  cancel",
        expect![
            "10:00:00.200  BUY 35 @ 1.10  quote firm aggressive  3 prints  volume 35  1.00/1.10  30 cancelled 10:00:02.000"
        ],
    );
}

#[test]
fn a_cancel_takes_the_latest_earlier_print_of_same_exchange_price_and_size() {
    // The second of two equal prints goes: ts and seq are those of what stands.
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:01.000  A 1.10 x 20
         10:00:01.001  A 1.10 x 20  cancel",
        expect!["10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10"],
    );
    // A second cancel goes one further back; there it comes late.
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:01.000  A 1.10 x 20
         10:00:01.001  A 1.10 x 20  cancel
         10:00:01.002  A 1.10 x 20  cancel",
        expect![
            "10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  20 cancelled 10:00:01.002"
        ],
    );
}

#[test]
fn a_cancel_that_matches_nothing_is_counted_and_changes_nothing() {
    let tape = "09:59:59.000  q 1.00/1.10
                10:00:00.000  B 1.10 x 20  cancel
                10:00:00.000  B 1.10 x 20
                10:00:00.001  A 1.10 x 20  cancel
                10:00:00.001  B 1.00 x 20  cancel
                10:00:00.001  B 1.10 x 10  cancel";
    check_events(
        tape,
        expect!["10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  seq 1"],
    );
    let tape = Tape::parse(tape);
    let counts = counts(&tape.prints, &tape.quotes, &rules());
    assert_eq!((counts.cancels, counts.unmatched_cancels), (4, 4));
}

#[test]
fn a_cancel_of_the_same_time_acts_on_what_was_received_before_it() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.000  A 1.10 x 20  cancel
         10:00:00.000  A 1.10 x 20",
        expect!["10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10  seq 2"],
    );
}

#[test]
fn a_correction_voids_its_own_print() {
    // No volume, no part in the event, nothing a cancel could take, no price for the tick test.
    check_events(
        "10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.20 x 30  corr
         10:00:00.150  A 1.20 x 30  cancel
         10:00:00.200  B 1.10 x 20",
        expect!["10:00:00.200  UNKNOWN SWEEP 40 @ 1.10  none  2 prints  2 exchanges  volume 40"],
    );
}

#[test]
fn a_corrected_cancel_cancels_nothing() {
    check_events(
        "10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.10 x 20  cancel corr",
        expect!["10:00:00.000  UNKNOWN 20 @ 1.10  none  volume 20"],
    );
}

#[test]
fn late_prints_never_start_or_join_an_event() {
    for (code, volume) in [(202, 50), (204, 50), (206, 50), (208, 60)] {
        let expected = format!(
            "10:00:00.100  BUY SWEEP 50 @ 1.10  quote firm aggressive iso  2 prints  2 exchanges  \
             volume {volume}  1.00/1.10  codes [209, 219]"
        );
        let tape = format!(
            "09:59:59.000  q 1.00/1.10
             10:00:00.000  A 1.10 x 20
             10:00:00.050  B 1.10 x 10  {code}
             10:00:00.100  B 1.10 x 30  iso
             10:00:05.000  B 1.10 x 30  {code}"
        );
        for text in [found(&rules(), &tape), by_hand(&rules(), &tape)] {
            assert_eq!(text, expected);
        }
    }
}

#[test]
fn a_late_print_between_two_does_not_link_them() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.200  A 1.10 x 10  late
         10:00:00.400  A 1.10 x 30",
        expect![[r#"
            10:00:00.000  BUY 20 @ 1.10  quote firm aggressive  volume 20  1.00/1.10
            10:00:00.400  BUY 30 @ 1.10  quote firm aggressive  volume 50  1.00/1.10"#]],
    );
}

#[test]
fn a_compression_is_volume_and_no_flow() {
    check_events(
        "10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.20 x 10  247
         10:00:00.200  A 1.10 x 30",
        expect!["10:00:00.200  UNKNOWN 50 @ 1.10  none  2 prints  volume 60"],
    );
}

#[test]
fn late_prints_and_compressions_can_be_cancelled() {
    check_events(
        "10:00:00.000  A 1.10 x 20
         10:00:00.100  A 1.20 x 10  247
         10:00:00.150  A 1.10 x 20  208
         10:00:01.000  A 1.10 x 30
         10:00:01.100  A 1.20 x 10  cancel
         10:00:01.200  A 1.10 x 20  cancel",
        expect![[r#"
            10:00:00.000  UNKNOWN 20 @ 1.10  none  volume 20
            10:00:01.000  UNKNOWN 30 @ 1.10  none  volume 50"#]],
    );
}

#[test]
fn ts_and_seq_are_those_of_the_last_print_that_stands_and_the_wait_runs_from_the_last_received() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.000  B 1.10 x 10
         10:00:00.200  C 1.10 x 5
         10:00:00.300  C 1.10 x 5  cancel",
        expect![
            "10:00:00.000  BUY SWEEP 30 @ 1.10  quote firm aggressive  2 prints  2 exchanges  volume 30  1.00/1.10  seq 1  known 10:00:00.450"
        ],
    );
}

#[test]
fn a_cancelled_print_still_links_its_neighbours() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.200  C 1.10 x 5
         10:00:00.201  C 1.10 x 5  cancel
         10:00:00.400  A 1.10 x 10",
        expect![
            "10:00:00.400  BUY 30 @ 1.10  quote firm aggressive  2 prints  volume 30  1.00/1.10"
        ],
    );
}

#[test]
fn a_link_that_arrives_after_a_cancel_makes_the_cancel_early() {
    // At 10:00:00.260 the event still waits, because of the print at .200.
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.200  A 1.10 x 10
         10:00:00.260  A 1.10 x 20  cancel",
        expect!["10:00:00.200  BUY 10 @ 1.10  quote firm aggressive  volume 10  1.00/1.10"],
    );
}

#[test]
fn an_event_shows_the_quote_of_the_first_print_that_stands() {
    check_events(
        "09:59:59.000  q 1.00/1.10
         10:00:00.000  A 1.10 x 20
         10:00:00.050  q 1.10/1.20
         10:00:00.100  A 1.20 x 10
         10:00:00.150  q 1.20/1.30
         10:00:00.200  A 1.30 x 10
         10:00:00.300  A 1.10 x 20  cancel",
        expect![
            "10:00:00.200  BUY 20 @ 1.25  quote firm aggressive  2 prints  volume 20  1.10/1.20"
        ],
    );
}
