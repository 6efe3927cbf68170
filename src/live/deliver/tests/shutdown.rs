//! How delivery ends, and what is left for the next start.

use super::*;

/// Closes, and says how long that took.
fn close(bench: Bench, patience: Duration) -> (Duration, Vec<String>) {
    let begun = Instant::now();
    bench.deliverer.close(patience);
    (begun.elapsed(), bench.diary.entries())
}

#[test]
fn a_service_that_never_answers_does_not_hold_up_the_end() {
    let bench = Bench::new(telegram, vec![Reply::Silence]);
    bench.send(alert("a"));
    bench.send(alert("b"));
    bench.diary.wait_for("silence");
    let (took, diary) = close(bench, Duration::from_millis(200));
    assert!(took < LONG / 2, "{took:?}");
    // Whether a arrived nobody knows, and b was never begun.
    assert_eq!(diary, ["sending a", "silence"]);
}

#[test]
fn what_surely_did_not_arrive_is_taken_back() {
    let slow = Policy {
        first_wait: LONG,
        ..policy()
    };
    let fault = Reply::Answer(500, "", String::new());
    let bench = Bench::with(slow, telegram, vec![fault]);
    bench.send(alert("a"));
    bench.diary.wait_for("answer 500");
    let (took, diary) = close(bench, LONG);
    assert!(took < LONG / 2, "{took:?}");
    assert_eq!(diary, ["sending a", "answer 500", "not sent a"]);
}

#[test]
fn what_may_have_arrived_stays_as_it_is() {
    let slow = Policy {
        first_wait: LONG,
        ..policy()
    };
    for before in [Before::Nothing, Before::MaybeSent] {
        let bench = Bench::with(slow.clone(), telegram, vec![Reply::HangUp]);
        bench.deliverer.send("main", alert("a"), before);
        bench.diary.wait_for("answer 0");
        let (_, diary) = close(bench, LONG);
        assert_eq!(diary, ["sending a", "answer 0"]);
    }
}

#[test]
fn nothing_new_is_begun_once_it_is_over() {
    let bench = Bench::new(telegram, Vec::new());
    bench.deliverer.stop();
    bench.send(alert("a"));
    let (_, diary) = close(bench, LONG);
    assert!(diary.is_empty(), "{diary:?}");
}

#[test]
fn two_channels_of_one_name_are_refused() {
    let print: Print = Arc::new(|_| ());
    let channel = Channel {
        name: "main".to_owned(),
        service: Service::Console(print),
    };
    let folder = tempfile::tempdir().unwrap();
    let deliverer = Deliverer::start(
        vec![channel.clone(), channel],
        policy(),
        Arc::new(Diary::default()),
        Arc::new(Gauges::default()),
        folder.path().join("dead.ndjson"),
    );
    assert!(matches!(deliverer, Err(DeliverError::TwoOfAName { channel }) if channel == "main"));
}

#[test]
fn a_service_that_is_down_delays_nobody_else() {
    let diary = Diary::default();
    let dead = StandIn::start(vec![Reply::Silence], Diary::default());
    let alive = StandIn::start(Vec::new(), diary.clone());
    let folder = tempfile::tempdir().unwrap();
    let channel = |name: &str, service| Channel {
        name: name.to_owned(),
        service,
    };
    let deliverer = Deliverer::start(
        vec![
            channel("dead", telegram(&dead.url)),
            channel("alive", slack(&alive.url)),
        ],
        policy(),
        Arc::new(diary.clone()),
        Arc::new(Gauges::default()),
        folder.path().join("dead.ndjson"),
    )
    .unwrap();
    deliverer.send("dead", alert("a"), Before::Nothing);
    deliverer.send("alive", alert("b"), Before::Nothing);
    diary.wait_for("sent b");
    deliverer.close(Duration::ZERO);
}
