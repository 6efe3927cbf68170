//! From a key to a report, as somebody would do it, and the same events whatever way the prints came.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use expect_test::{Expect, expect};
use flowlab::fetch::Source::{Flat, Rest};
use flowlab::store::Store;
use flowlab::time::{Calendar, Ts};

use super::{Ask, Desk, Ran, differing, options, small_fetch, world};
use crate::market;
use crate::standin::{Options, Server, World};
use crate::synthetic_world::Recipe;

const FETCH: &str = "fetch --start 2025-06-02 --end 2025-06-13 --tickers SPY,QQQ,AAPL,NVDA,TSLA";

/// Five tickers from the first session of flow that two weeks of June need to the last one of bars.
fn two_weeks() -> Arc<World> {
    static MADE: OnceLock<Arc<World>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let recipe = Recipe {
            tickers: &["SPY", "QQQ", "AAPL", "NVDA", "TSLA"],
            start: market::day("2025-05-27"),
            sessions: 27,
            warmup_sessions: 22,
            events_per_day: 40,
            seed: 3,
        };
        Arc::new(recipe.world(&Calendar::shipped()))
    });
    Arc::clone(made)
}

fn says(ran: &Ran, stdout: &Expect, stderr: &Expect) {
    stdout.assert_eq(&ran.stdout);
    stderr.assert_eq(&ran.stderr);
}

#[test]
fn two_weeks_of_five_tickers_come_in_and_are_run() {
    let (server, desk) = (Server::start(two_weeks(), Options::default()), Desk::new());
    let plan = desk.works(&server, &format!("{FETCH} --plan"));
    says(
        &plan,
        &expect![[r#"
        What would be asked for
        ┌─────────┬─────────────────┬───────┬───────────────┬───────────────────────────────────────────────────────────────────────────────┐
        │ table   ┆ ticker sessions ┆ calls ┆         bytes ┆ how                                                                           │
        ╞═════════╪═════════════════╪═══════╪═══════════════╪═══════════════════════════════════════════════════════════════════════════════╡
        │ splits  ┆               5 ┆     5 ┆         5,000 ┆                                                                               │
        │ bars_1d ┆           1,615 ┆     5 ┆       193,800 ┆                                                                               │
        │ bars_1m ┆             215 ┆    15 ┆    19,350,000 ┆                                                                               │
        │ oi      ┆              70 ┆    70 ┆    35,000,000 ┆                                                                               │
        │ flow    ┆              70 ┆    14 ┆ 1,050,000,000 ┆ one flat file per session, and one around each print that can reach the floor │
        └─────────┴─────────────────┴───────┴───────────────┴───────────────────────────────────────────────────────────────────────────────┘

        What the plan includes
        ┌────────────────────┬──────┐
        │ the vendor's       ┆ plan │
        ╞════════════════════╪══════╡
        │ bars               ┆ yes  │
        │ whole market days  ┆ yes  │
        │ contracts          ┆ yes  │
        │ trades             ┆ yes  │
        │ quotes             ┆ yes  │
        │ chains             ┆ yes  │
        │ past open interest ┆ yes  │
        │ unusual trades     ┆ yes  │
        └────────────────────┴──────┘
    "#]],
        &expect![[r#"
            at least 109 calls and 1.03 GiB, 2 seconds at the pace of the config; on the smallest plan, five calls a minute, 22 minutes
        "#]],
    );
    assert_eq!(desk.cache(), BTreeMap::new(), "a plan writes nothing");

    let fetched = desk.works(&server, FETCH);
    says(
        &fetched,
        &expect![[r#"
        Ticker sessions in data
        ┌─────────┬────────┬─────────┬───────────────┬─────────┐
        │ table   ┆ stored ┆    rows ┆ there already ┆ missing │
        ╞═════════╪════════╪═════════╪═══════════════╪═════════╡
        │ flow    ┆     70 ┆   2,780 ┆             0 ┆       0 │
        │ bars_1m ┆    215 ┆ 110,943 ┆             0 ┆       0 │
        │ bars_1d ┆  1,615 ┆   1,615 ┆             0 ┆       0 │
        │ oi      ┆     70 ┆  95,635 ┆             0 ┆       0 │
        │ splits  ┆      5 ┆       1 ┆             0 ┆       0 │
        └─────────┴────────┴─────────┴───────────────┴─────────┘

        From prints to events
        ┌───────────────────┬────────┐
        │ prints            ┆  count │
        ╞═══════════════════╪════════╡
        │ read              ┆ 16,088 │
        │ merged            ┆ 15,262 │
        │ cancelled_in_time ┆     50 │
        │ cancels           ┆    322 │
        │ corrected         ┆    115 │
        │ late              ┆    339 │
        │ compressions      ┆      0 │
        │ unmatched_cancels ┆      0 │
        │ condition_unknown ┆     83 │
        │ events            ┆ 13,074 │
        │ below_floor       ┆ 10,294 │
        └───────────────────┴────────┘
    "#]],
        &expect![[""]],
    );

    let asked = server.requests().len();
    let again = desk.works(&server, FETCH);
    assert_eq!(server.requests().len(), asked, "everything is there");
    says(
        &again,
        &expect![[r#"
        Ticker sessions in data
        ┌─────────┬────────┬──────┬───────────────┬─────────┐
        │ table   ┆ stored ┆ rows ┆ there already ┆ missing │
        ╞═════════╪════════╪══════╪═══════════════╪═════════╡
        │ flow    ┆      0 ┆    0 ┆            70 ┆       0 │
        │ bars_1m ┆      0 ┆    0 ┆           215 ┆       0 │
        │ bars_1d ┆      0 ┆    0 ┆         1,615 ┆       0 │
        │ oi      ┆      0 ┆    0 ┆            70 ┆       0 │
        │ splits  ┆      0 ┆    0 ┆             5 ┆       0 │
        └─────────┴────────┴──────┴───────────────┴─────────┘
    "#]],
        &expect![[""]],
    );

    let gaps = desk.works(&server, "data gaps");
    says(
        &gaps,
        &expect![[r#"
        No session is missing in data.
    "#]],
        &expect![[""]],
    );
    let verified = desk.works(&server, "data verify --quiet");
    says(
        &verified,
        &expect![[r#"
        Nothing is wrong in data.
    "#]],
        &expect![[""]],
    );
    let listed = desk.works(&server, "data ls --format csv");
    assert_eq!(
        listed.stdout.lines().count(),
        1 + 5 * 5,
        "{}",
        listed.stdout
    );

    let ran = desk.works(
        &server,
        "backtest --start 2025-06-02 --end 2025-06-13 --by kind",
    );
    assert!(ran.stdout.contains("5 tickers"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("missing"), "{}", ran.stderr);
    assert_eq!(desk.works(&server, "report --by kind").stdout, ran.stdout);
}

/// The flow of a cache in CSV without its column `source`, and what stood in that.
fn flow(server: &Server, desk: &Desk) -> (String, String) {
    let exported = desk
        .works(server, "data export --table flow --quiet")
        .stdout;
    let (mut rest, mut source) = (String::new(), String::new());
    for line in exported.lines().skip(1) {
        let (before, last) = line.rsplit_once(',').expect("it has many columns");
        rest += &format!("{before}\n");
        last.clone_into(&mut source);
    }
    (rest, source)
}

#[test]
fn prints_come_to_the_same_events_one_by_one_and_by_file() {
    let of = |source| {
        let (server, desk) = (Server::start(world(), options()), Desk::new());
        let outcome = Ask::of(source).fetch(&server, &desk.path("data"));
        assert!(!outcome.expect("nothing disturbs it").has_gaps());
        flow(&server, &desk)
    };
    let (by_rest, by_file) = (of(Rest), of(Flat));
    assert_eq!(by_rest.0, by_file.0);
    assert!(by_rest.0.lines().count() > 40, "{}", by_rest.0);
    assert_eq!(
        (by_rest.1.as_str(), by_file.1.as_str()),
        ("massive/rest", "massive/flat")
    );
}

#[test]
fn a_refresh_asks_for_everything_and_changes_nothing() {
    for source in ["rest", "flat"] {
        let (server, desk) = (Server::start(world(), options()), Desk::new());
        let fetch = small_fetch(source);
        desk.works(&server, &fetch);
        let (made, asked) = (desk.cache(), server.requests().len());
        desk.works(&server, &format!("{fetch} --refresh"));
        assert_eq!(differing(&desk.cache(), &made), [] as [String; 0]);
        assert_eq!(server.requests().len(), 2 * asked);
    }
}

#[test]
fn one_writes_at_a_time() {
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    let _lock = Store::folder(desk.path("data"))
        .lock()
        .expect("nobody writes");
    let ran = desk.run(&server, &small_fetch("rest"));
    says(
        &ran,
        &expect![[""]],
        &expect![[r#"
            error: data: another flowlab is writing to it
            hint: wait until it is done, or choose another folder with --data-dir
        "#]],
    );
    assert_eq!((ran.code, server.requests().len()), (Some(1), 0));
}

#[test]
fn what_is_missing_is_listed_and_the_code_says_so() {
    let (server, desk) = (Server::start(world(), options()), Desk::new());
    // The third session is over, and its file is not out yet.
    server.set_now(
        Ts::parse_rfc3339("2025-07-03T12:00:00Z")
            .expect("a time")
            .ns(),
    );
    let fetch = "fetch --start 2025-07-02 --end 2025-07-02 --tickers TSLA --what flow --source flat \
                 --set swing.memory_sessions=1";
    let ran = desk.run(&server, fetch);
    says(
        &ran,
        &expect![[r#"
        Ticker sessions in data
        ┌─────────┬────────┬──────┬───────────────┬─────────┐
        │ table   ┆ stored ┆ rows ┆ there already ┆ missing │
        ╞═════════╪════════╪══════╪═══════════════╪═════════╡
        │ flow    ┆      0 ┆    0 ┆             0 ┆       1 │
        │ bars_1m ┆      0 ┆    0 ┆             0 ┆       0 │
        │ bars_1d ┆      0 ┆    0 ┆             0 ┆       0 │
        │ oi      ┆      0 ┆    0 ┆             0 ┆       0 │
        │ splits  ┆      0 ┆    0 ┆             0 ┆       0 │
        └─────────┴────────┴──────┴───────────────┴─────────┘

        Missing
        ┌───────┬─────────┬──────────┬────────────┬────────────┬────────────────────────────────────────┐
        │ table ┆ tickers ┆ sessions ┆ first      ┆ last       ┆ why                                    │
        ╞═══════╪═════════╪══════════╪════════════╪════════════╪════════════════════════════════════════╡
        │ flow  ┆ TSLA    ┆        1 ┆ 2025-07-02 ┆ 2025-07-02 ┆ the vendor has no file of this day yet │
        └───────┴─────────┴──────────┴────────────┴────────────┴────────────────────────────────────────┘
    "#]],
        &expect![[r#"
        warn: flow: flatfiles/us_options_opra/trades_v1/2025/07/2025-07-02.csv.gz is not there
    "#]],
    );
    assert_eq!(ran.code, Some(3));
    server.set_now(world().now);
    desk.works(&server, fetch);
}

#[test]
fn a_wrong_key_is_told_by_name() {
    let wrong = Options {
        api_key: "another".to_owned(),
        s3_secret: "another".to_owned(),
        ..Options::default()
    };
    let (server, desk) = (Server::start(world(), options()), Desk::with_keys_of(wrong));
    let ran = desk.run(&server, &small_fetch("rest"));
    expect![[r#"
        error: the key is not accepted: Unknown API Key
        hint: the key of the vendor's dashboard goes into POLYGON_MASSIVE_KEY; the flat-file keys are others
    "#]]
    .assert_eq(&ran.stderr);
    assert_eq!(ran.code, Some(1));
    let wrong = Options {
        s3_secret: "another".to_owned(),
        ..options()
    };
    let desk = Desk::with_keys_of(wrong);
    let only_flow = format!("{} --what flow", small_fetch("flat"));
    let ran = desk.run(&server, &only_flow);
    expect![[r#"
        error: the flat files' keys are not accepted: SignatureDoesNotMatch
        hint: flat files have their own pair of keys, which is not the API key: MASSIVE_S3_ACCESS_KEY_ID and MASSIVE_S3_SECRET_ACCESS_KEY
    "#]]
    .assert_eq(&ran.stderr);
    assert_eq!((ran.code, desk.cache()), (Some(1), BTreeMap::new()));
}
