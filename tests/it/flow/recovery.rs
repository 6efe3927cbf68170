//! Recovery: tapes of the synthetic market, on which every event is known, in; a table of how much of
//! the truth the rules find again, out.
//!
//! What is wrong with a tape was put there on purpose, so the table has a line for each kind of trouble
//! and says what it costs. Nothing is forgiven: an event that was not found is right in nothing.

/// True events beside those that were found.
mod compare;
/// Figures, and the table they make.
mod tally;

use expect_test::expect;
use flowlab::flow::{Rules, Sight, candidates, sights};
use flowlab::providers::synthetic::{ContractTape, Disturbance, Market, Params, tape};
use flowlab::time::{Calendar, Session, Ts};

use tally::{Figure, Recovery};

const SEEDS: [u64; 3] = [9, 21, 33];
const TICKERS: [&str; 5] = ["SPY", "NVDA", "TSLA", "NFLX", "T001"];
/// A Tuesday; a holiday and half a day follow.
const START: &str = "2025-11-25";
const SESSIONS: usize = 4;
const MS_NS: i64 = 1_000_000;

/// The shipped settings.
fn rules(session: Session) -> Rules {
    Rules {
        sweep_window_ms: 250,
        sweep_min_exchanges: 2,
        block_min_contracts: 500,
        max_quote_age_seconds: 60,
        min_notional: 10_000.0,
        session: Some(session),
    }
}

/// What the rules find on all tapes, where `seen` says what a contract's prints met.
fn recovery(seen: impl Fn(&ContractTape, &Rules) -> Vec<Sight>) -> Recovery {
    let mut recovery = Recovery::default();
    let calendar = Calendar::shipped();
    for seed in SEEDS {
        let tickers = TICKERS.map(str::to_owned).to_vec();
        let start = START.parse().expect("a date");
        let params = Params {
            warmup_sessions: 2,
            daily_warmup: 60,
            ..Params::new(seed, tickers, start, SESSIONS)
        };
        let market = Market::new(params, &calendar).expect("the calendar has these sessions");
        for ticker in TICKERS {
            for session in market.ticker(ticker).filter(|session| session.has_flow) {
                let rules = rules(session.session);
                recovery.compare(&tape(&session, seed), &rules, &seen);
            }
        }
    }
    recovery
}

/// As fetch does it: quotes are asked for around the runs that can reach the floor, and nowhere else.
fn quotes_around_candidates(tape: &ContractTape, rules: &Rules) -> Vec<Sight> {
    let mut seen = vec![Sight::NONE; tape.prints.len()];
    for run in candidates(&tape.prints, rules) {
        let prints = &tape.prints[run.clone()];
        let millisecond = |ts: Ts| Ts::from_ns(ts.ns().div_euclid(MS_NS) * MS_NS);
        let from = millisecond(prints[0].ts).plus_ns(-rules.max_quote_age_ns());
        let to = millisecond(prints[prints.len() - 1].ts).plus_ns(MS_NS);
        let first = tape.quotes.partition_point(|quote| quote.ts < from);
        let end = tape.quotes.partition_point(|quote| quote.ts < to);
        seen[run].copy_from_slice(&sights(prints, &tape.quotes[first..end], rules));
    }
    seen
}

/// As a plan without quotes has it: the tick test is all there is.
fn no_quotes(_: &ContractTape, _: &Rules) -> Vec<Sight> {
    Vec::new()
}

fn assert_share(part: u64, of: u64, percent: u64) {
    assert!(
        of > 0 && part * 100 >= of * percent,
        "{part} of {of} are less than {percent} %"
    );
}

#[test]
fn with_quotes_more_than_nine_sides_of_ten_are_right() {
    let found = recovery(quotes_around_candidates);
    expect![[r#"
                               truth   found  swallowed  parts  side right  wrong  unknown  sweep right  contracts equal  firm right  firm wrong
        undisturbed            20130   20130          0      0       20130      0        0        20130            20130       13485           0
        stale                    418     418          0      0         242    128       48          418              418           0           0
        unusable                 367     366          0      0         224    103       39          366              366           0           0
        met in millisecond       963     955          0     15         674    279        2          954              923         321           0
        moved before             989     989          0      2         566    405       18          989              986          16         266
        moved in millisecond    1999    1999          0      0        1999      0        0         1999             1999          26           0
        moved midway             320     308          0     21         269     30        9          307              264           7           0
        crowded                   19      17          2      0          19      0        0           15               15          11           0
        all with a side        25205   25182          2     38       24123    945      116        25178            25101       13866         266
        crosses                  516     516          0      0         516      0        0          516              516           0           0

        60 ticker-days, 25736 events, 0 of them from nothing
        side 95.71 % right, 96.23 % where one was given, 98.12 % where it was firm
        sweeps 99.44 % found, 3002 of 3019, and 4 false"#]].assert_eq(&found.table());

    let undisturbed = found.of(Disturbance::None);
    for figure in [
        Figure::Found,
        Figure::Right,
        Figure::Sweep,
        Figure::Contracts,
    ] {
        let truth = undisturbed[Figure::Truth];
        assert_eq!(undisturbed[figure], truth, "{figure:?}");
    }
    assert_eq!((undisturbed[Figure::Parts], found.from_nothing), (0, 0));

    let sided = found.sided();
    assert_share(sided[Figure::Right], sided[Figure::Truth], 90);
    let whole = found.whole();
    assert_share(whole[Figure::Sweep], whole[Figure::Truth], 98);
    assert_share(whole[Figure::SweepsFound], whole[Figure::Sweeps], 98);
    let called = whole[Figure::SweepsFound] + whole[Figure::FalseSweeps];
    assert_share(whole[Figure::SweepsFound], called, 98);

    // A quote one tick wide that moved on a tick before the print was reported has the old ask as its
    // bid. The tape shows a firm sell where someone bought, and no quote of that millisecond objects.
    let moved = found.of(Disturbance::MovedBefore);
    let firm = |figure| sided[figure] - moved[figure];
    let (right, wrong) = (firm(Figure::FirmRight), firm(Figure::FirmWrong));
    assert_share(right, right + wrong, 99);
    let (right, wrong) = (sided[Figure::FirmRight], sided[Figure::FirmWrong]);
    assert_share(right, right + wrong, 98);
}

#[test]
fn without_quotes_the_tick_test_is_better_than_a_coin_and_never_firm() {
    let found = recovery(no_quotes);
    expect![[r#"
                               truth   found  swallowed  parts  side right  wrong  unknown  sweep right  contracts equal  firm right  firm wrong
        undisturbed            20130   20117          0     17       12063   5993     2061        20113            20058           0           0
        stale                    418     418          0      0         242    128       48          418              418           0           0
        unusable                 367     366          0      0         224    103       39          366              366           0           0
        met in millisecond       963     962          0      0         560    309       93          962              961           0           0
        moved before             989     988          0      2         579    297      112          988              984           0           0
        moved in millisecond    1999    1999          0      4        1174    599      226         1999             1991           0           0
        moved midway             320     315          0      3         187     87       41          314              310           0           0
        crowded                   19      16          3      0          17      2        0           13               13           0           0
        all with a side        25205   25181          3     26       15046   7518     2620        25173            25101           0           0
        crosses                  516     516          0      0         516      0        0          516              516           0           0

        60 ticker-days, 25723 events, 0 of them from nothing
        side 59.69 % right, 66.68 % where one was given, none where it was firm
        sweeps 99.21 % found, 2995 of 3019, and 6 false"#]].assert_eq(&found.table());
    let sided = found.sided();
    assert_share(sided[Figure::Right], sided[Figure::Truth], 50);
    assert_eq!((found.firm, found.from_nothing), (0, 0));
}
