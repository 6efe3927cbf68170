//! What becomes of many alerts at once.

use super::*;
use stand_in::Gate;

/// Sends `first` and, while it is under way, all of `rest`.
fn pile_up(service: Make, rest: &[(&str, Before)]) -> Bench {
    let gate = Arc::new(Gate::default());
    let bench = Bench::new(service, vec![Reply::Behind(Arc::clone(&gate))]);
    bench.send(alert("first"));
    bench.diary.wait_for("sending first");
    for (id, before) in rest {
        bench.deliverer.send("main", alert(id), *before);
    }
    gate.open();
    bench
}

#[test]
fn more_than_five_that_wait_go_as_one_message() {
    let rest = ["a", "b", "c", "d", "e", "f"].map(|id| (id, Before::Nothing));
    let bench = pile_up(telegram, &rest);
    assert_eq!(
        bench.diary(),
        [
            "sending first",
            "answer 200",
            "sent first",
            "sending a b c d e f",
            "answer 200",
            "sent a b c d e f"
        ]
    );
    assert_eq!(
        bench.server.texts()[1],
        "6 alerts, 10:00:00 AM ET\na in short\nb in short\nc in short\nd in short\ne in short\nf in short"
    );
    assert_eq!(bench.gauges.alerts_sent.get(), 7);
}

#[test]
fn five_that_wait_go_one_by_one() {
    let rest = ["a", "b", "c", "d", "e"].map(|id| (id, Before::Nothing));
    let bench = pile_up(discord, &rest);
    assert_eq!(bench.diary().len(), 3 * 6);
    assert_eq!(bench.server.texts()[5], "e in full");
}

#[test]
fn a_digest_names_what_may_be_a_repeat_and_a_webhook_gets_all_ids() {
    let mut rest = ["a", "b", "c", "d", "e", "f"].map(|id| (id, Before::Nothing));
    rest[1].1 = Before::MaybeSent;
    let bench = pile_up(webhook, &rest);
    bench.diary();
    let digest = bench.server.accepted().pop().unwrap();
    assert_eq!(digest.body["kind"], "digest");
    assert_eq!(
        digest.body["ids"],
        serde_json::json!(["a", "b", "c", "d", "e", "f"])
    );
    let text = digest.body["text"].as_str().unwrap();
    assert!(text.contains("\nPossibly a repeat: b in short\nc in short"));
}

#[test]
fn a_long_digest_is_cut_between_headlines() {
    let ids: Vec<String> = (0..400).map(|number| format!("alert-{number}")).collect();
    let rest: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), Before::Nothing))
        .collect();
    let bench = pile_up(telegram, &rest);
    bench.diary();
    let texts = bench.server.texts();
    assert_eq!(texts.len(), 1 + 2);
    let headlines = texts[1..].iter().flat_map(|text| text.lines());
    assert_eq!(
        headlines.filter(|line| line.ends_with(" in short")).count(),
        400
    );
}
