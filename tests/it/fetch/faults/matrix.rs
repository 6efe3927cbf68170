//! The matrix: a row is a fault, the places where it strikes, how often, and how it ends.

use std::time::Duration;

use flowlab::fetch::Source::{Flat, Rest};
use flowlab::store::Table;

use super::super::{Ask, PERIOD, options, world};
use super::End::{
    Gap, GapUntilRefresh, NoteUntilRefresh, Same, SameTables, SameWithBadRows, Stops,
};
use super::all;
use crate::market;
use crate::standin::Server;
use crate::standin::faults::{ErrorBody, Fault, Kind, NoRows, Refusal, Spoil};

// Where faults strike.
const TRADES: &str = "rest /v3/trades/O:TSLA";
const QUOTES: &str = "rest /v3/quotes/O:TSLA";
const CONTRACTS: &str = "rest /v3/reference/options/contracts";
const MINUTES: &str = "rest /v2/aggs/ticker/TSLA/range/1/minute";
const DAYS: &str = "rest /v2/aggs/ticker/TSLA/range/1/day";
const SPLITS: &str = "rest /stocks/v1/splits";
const OPEN_INTEREST: &str = "rest /options/v1/open-interest";
const FILE: &str = "s3 /flatfiles/us_options_opra";

/// Every endpoint of the REST interface that a fetch asks.
const REST: [&str; 7] = [
    TRADES,
    QUOTES,
    CONTRACTS,
    MINUTES,
    DAYS,
    SPLITS,
    OPEN_INTEREST,
];
const ANYWHERE: [&str; 8] = [
    TRADES,
    QUOTES,
    CONTRACTS,
    MINUTES,
    DAYS,
    SPLITS,
    OPEN_INTEREST,
    FILE,
];

const ONCE: usize = 1;
const TWICE: usize = 2;
const ALWAYS: usize = usize::MAX;

fn status(status: u16, body: ErrorBody) -> Kind {
    Kind::Status {
        status,
        body,
        retry_after: None,
    }
}

#[test]
fn what_passes_leaves_no_trace() {
    all(&[
        (&ANYWHERE, Kind::status(429), TWICE, Same),
        (&ANYWHERE, Kind::retry_after(0), TWICE, Same),
        (&[MINUTES, FILE], Kind::retry_after(1), ONCE, Same),
        (&ANYWHERE, Kind::status(500), TWICE, Same),
        (&ANYWHERE, status(502, ErrorBody::Message), ONCE, Same),
        (&ANYWHERE, status(503, ErrorBody::Html), ONCE, Same),
        (&ANYWHERE, status(504, ErrorBody::Empty), ONCE, Same),
        (&ANYWHERE, Kind::NoAnswer, TWICE, Same),
    ]);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let drip = Kind::Dribble {
        bytes: 400,
        every: Duration::from_millis(1),
    };
    all(&[
        (&ANYWHERE, Kind::Cut { after: 20 }, TWICE, Same),
        (&ANYWHERE, Kind::Cut { after: 700 }, ONCE, Same),
        (&ANYWHERE, Kind::TruncatedGzip { missing: 9 }, TWICE, Same),
        (&REST, Kind::HalfJson, TWICE, Same),
        (&[TRADES, MINUTES, OPEN_INTEREST, FILE], drip, ONCE, Same),
        (&[TRADES, DAYS, FILE], Kind::Stall { after: 30 }, ONCE, Same),
    ]);
}

#[test]
fn pages_that_lead_astray_are_followed_with_care() {
    // Splits are on one page, and so is the file.
    let paged = [TRADES, QUOTES, CONTRACTS, MINUTES, DAYS, OPEN_INTEREST];
    // Of quotes no page is asked for beyond the one that has enough.
    let unbounded = [TRADES, CONTRACTS, MINUTES, DAYS, SPLITS, OPEN_INTEREST];
    all(&[
        (&paged, Kind::RepeatedPage, ONCE, Same),
        (&paged, Kind::RepeatedPage, TWICE, Same),
        (&paged, Kind::RepeatedRow, ONCE, Same),
        (&paged, Kind::EmptyPage(NoRows::Absent), ONCE, Same),
        (&paged, Kind::EmptyPage(NoRows::Null), ONCE, Same),
        (&paged, Kind::EmptyPage(NoRows::Empty), ONCE, Same),
        (
            &unbounded,
            Kind::NextIsThis,
            ONCE,
            Gap("its pages lead back to themselves"),
        ),
        (
            &[TRADES, MINUTES],
            Kind::NextIsFirst,
            ALWAYS,
            Gap("its pages lead back to themselves"),
        ),
        (
            &[TRADES, MINUTES],
            Kind::RepeatedPage,
            ALWAYS,
            Gap("its pages lead back to themselves"),
        ),
        (
            &unbounded,
            Kind::NextElsewhere,
            ONCE,
            Gap("its next page is on"),
        ),
        (&[QUOTES], Kind::NextIsThis, ONCE, Same),
        (&[QUOTES], Kind::NextElsewhere, ONCE, Same),
        (&REST, Kind::RedirectElsewhere, ONCE, Gap("redirected to")),
        (
            &[FILE],
            Kind::RedirectElsewhere,
            ONCE,
            Gap("sends elsewhere"),
        ),
    ]);
}

#[test]
fn rows_that_cannot_be_are_named_and_left_out() {
    // Splits and contracts have no price, a quote without one has only one side.
    let priced = [TRADES, MINUTES, DAYS, FILE];
    let bad = Kind::BadRow;
    all(&[
        (&priced, bad(Spoil::MissingPrice), ALWAYS, SameWithBadRows),
        (&priced, bad(Spoil::TextPrice), ALWAYS, SameWithBadRows),
        (&priced, bad(Spoil::NegativePrice), ALWAYS, SameWithBadRows),
        (&priced, bad(Spoil::ZeroPrice), ALWAYS, SameWithBadRows),
        (&priced, bad(Spoil::ZeroSize), ALWAYS, SameWithBadRows),
        (&[QUOTES], bad(Spoil::TextPrice), ALWAYS, SameWithBadRows),
        (
            &[QUOTES],
            bad(Spoil::NegativePrice),
            ALWAYS,
            SameWithBadRows,
        ),
        // Here these are rows that are there twice, or say less before the one that counts.
        (
            &[CONTRACTS, SPLITS, OPEN_INTEREST],
            bad(Spoil::ZeroSize),
            ALWAYS,
            Same,
        ),
    ]);
}

#[test]
fn what_is_new_or_out_of_order_changes_nothing() {
    let timed = [TRADES, QUOTES, MINUTES, DAYS];
    all(&[
        (&REST, Kind::UnknownFields, ALWAYS, Same),
        (&timed, Kind::SwappedRows, ALWAYS, Same),
        (&[FILE], Kind::UnknownFields, ALWAYS, SameTables),
        (&[FILE], Kind::SwappedRows, ALWAYS, SameTables),
        (&REST, Kind::NumericRequestId, ALWAYS, Same),
        (&REST, Kind::Delayed, ALWAYS, Same),
    ]);
}

#[test]
fn what_does_not_pass_is_a_gap_that_the_next_fetch_fills() {
    all(&[
        (
            &REST,
            Kind::status(500),
            ALWAYS,
            Gap("no answer: status 500"),
        ),
        (&[FILE], Kind::status(500), ALWAYS, Gap("no answer")),
        (
            &[TRADES, MINUTES, FILE],
            Kind::status(429),
            ALWAYS,
            Gap("no answer"),
        ),
        (
            &[TRADES, DAYS],
            status(503, ErrorBody::Html),
            ALWAYS,
            Gap("no answer"),
        ),
        (&[TRADES, MINUTES], Kind::HalfJson, ALWAYS, Gap("no answer")),
        (
            &[TRADES, CONTRACTS, FILE],
            Kind::Cut { after: 20 },
            ALWAYS,
            Gap("no answer"),
        ),
        (
            &[TRADES, QUOTES],
            Kind::TruncatedGzip { missing: 9 },
            ALWAYS,
            Gap("no answer"),
        ),
        (
            &[FILE],
            Kind::TruncatedGzip { missing: 9 },
            ALWAYS,
            Gap("is damaged or not complete"),
        ),
        (
            &[TRADES, FILE],
            Kind::Stall { after: 30 },
            ALWAYS,
            Gap("no answer"),
        ),
    ]);
}

#[test]
fn a_wrong_key_ends_it_at_once() {
    all(&[
        (
            &REST,
            Kind::WrongKey,
            ALWAYS,
            Stops("the key is not accepted"),
        ),
        (
            &[FILE],
            Kind::WrongKey,
            ALWAYS,
            Stops("the flat files' keys are not accepted"),
        ),
    ]);
}

#[test]
fn what_the_plan_lacks_is_a_gap_with_the_vendors_words() {
    let refused = Kind::NotEntitled;
    let plan = "not in the plan: You are not entitled";
    let places = [TRADES, CONTRACTS, DAYS, SPLITS];
    all(&[
        (&places, refused(Refusal::Plan), ALWAYS, Gap(plan)),
        (&places, refused(Refusal::PlanAsError), ALWAYS, Gap(plan)),
        (
            &places,
            refused(Refusal::Timeframe),
            ALWAYS,
            Gap("data timeframe"),
        ),
        (
            &places,
            refused(Refusal::BeforeEndOfDay),
            ALWAYS,
            Gap("before end of day"),
        ),
        (
            &[FILE],
            refused(Refusal::Plan),
            ALWAYS,
            Gap("flat files are not in the plan"),
        ),
        (
            &[MINUTES],
            refused(Refusal::Plan),
            ALWAYS,
            GapUntilRefresh(plan),
        ),
        (
            &[MINUTES],
            refused(Refusal::Timeframe),
            ALWAYS,
            GapUntilRefresh("data timeframe"),
        ),
        (
            &[MINUTES],
            refused(Refusal::BeforeEndOfDay),
            ALWAYS,
            Gap("before end of day"),
        ),
        (
            &[QUOTES],
            refused(Refusal::Plan),
            ALWAYS,
            NoteUntilRefresh("sides come from the tick test"),
        ),
        (
            &[OPEN_INTEREST],
            refused(Refusal::Plan),
            ALWAYS,
            NoteUntilRefresh("stays unknown"),
        ),
        (
            &[OPEN_INTEREST],
            Kind::status(404),
            ALWAYS,
            NoteUntilRefresh("stays unknown"),
        ),
    ]);
}

#[test]
fn flow_waits_for_what_its_events_are_told() {
    for (on, reason) in [
        (MINUTES, "its minute bars could not be had"),
        (OPEN_INTEREST, "its open interest could not be had"),
    ] {
        let server = Server::start(world(), options());
        server.inject(Fault::on(on, Kind::status(500)).always());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outcome = Ask::of(Flat).fetch(&server, folder.path());
        let gaps = outcome.expect("it goes on").gaps;
        let waits = gaps
            .iter()
            .find(|((table, why), _)| *table == Table::Flow && why.starts_with(reason));
        let (_, tickers) = waits.unwrap_or_else(|| panic!("{gaps:?}"));
        let dates = [PERIOD.0, PERIOD.1].map(market::day);
        assert_eq!(tickers["TSLA"], dates.into());
    }
}

#[test]
fn open_interest_asked_for_by_name_is_missed() {
    let server = Server::start(world(), options());
    let refused = Kind::NotEntitled(Refusal::Plan);
    server.inject(Fault::on(OPEN_INTEREST, refused).always());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let named = Ask {
        what_was_named: true,
        ..Ask::of(Rest)
    };
    let outcome = named.fetch(&server, folder.path());
    let gaps = outcome.expect("it goes on").gaps;
    let tables: Vec<Table> = gaps.keys().map(|(table, _)| *table).collect();
    assert_eq!(tables, [Table::OpenInterest], "{gaps:?}");
}
