//! Delivery: every alert reaches every channel it is routed to, once, whatever services and processes
//! go through.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::channels::routed;
use super::delivered::{assert_once, expected_headlines, expected_ids, headlines, ids, marked};
use super::service::{Reply, Service, WEBHOOK};
use super::{assert_logged, assert_same_run, live, only_folder};

/// A replay takes this long or longer; processes die sooner at first.
const LONGEST_LIFE_MS: u64 = 400;

#[test]
fn every_service_gets_every_alert_once_in_spite_of_its_troubles() {
    let telegram = Service::with(&[Reply::TooFast("1")]);
    let discord = Service::with(&[Reply::Documented, Reply::TooFast("1")]);
    let slack = Service::with(&[Reply::TooFast("1")]);
    let webhook = Service::with(&[Reply::Broken, Reply::TooFast("0")]);
    let desk = routed(&[
        ("telegram_main", &telegram),
        ("discord_desk", &discord),
        ("slack_desk", &slack),
        ("webhook_desk", &webhook),
    ]);
    let ran = desk.lives("--send --state-dir state");
    assert_eq!(ran.stdout, "", "nothing is printed that is sent");
    let expected = expected_headlines(&desk);
    for (name, service, troubles) in [
        ("telegram", &telegram, 1),
        ("discord", &discord, 1),
        ("slack", &slack, 1),
        ("webhook", &webhook, 2),
    ] {
        assert_eq!(
            service.refused().len(),
            troubles,
            "{name}: {:#?}",
            service.refused()
        );
        let delivered = headlines(&desk, &service.accepted());
        assert_once(name, &delivered, &expected);
        assert_eq!(marked(&delivered), 0, "{name}: nobody doubts any of it");
    }
    // While it was left alone more than five alerts came together.
    let accepted = webhook.accepted();
    let digests = accepted
        .iter()
        .filter(|message| message.body["kind"] == "digest");
    assert!(digests.count() > 0);
    assert_once("webhook by id", &ids(&accepted), &expected_ids(&desk));
}

#[test]
fn an_answer_that_got_lost_makes_the_next_try_say_so() {
    let webhook = Service::with(&[Reply::HangUp]);
    let desk = routed(&[("webhook_desk", &webhook)]);
    desk.lives("--send --state-dir state");
    let delivered = ids(&webhook.accepted());
    assert_once("webhook", &delivered, &expected_ids(&desk));
    assert_eq!(marked(&delivered), 1);
    assert_eq!(
        delivered[0].0, delivered[1].0,
        "the lost one and its repeat"
    );
    assert_eq!((delivered[0].1, delivered[1].1), (false, true));
}

/// Processes die at random moments until one comes to its end.
fn survives(seed: u64) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let whims = |seed: u64| {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        Service::that(move || match random.random_range(0..20) {
            0 => Reply::TooFast("0"),
            1..8 => Reply::Documented,
            _ => Reply::Slow(Duration::from_millis(random.random_range(0..12))),
        })
    };
    let (telegram, webhook) = (whims(seed + 100), whims(seed + 200));
    let desk = routed(&[("telegram_main", &telegram), ("webhook_desk", &webhook)]);
    let expected = desk.backtest("");
    let (mut kills, mut longest) = (0, LONGEST_LIFE_MS);
    loop {
        let mut living = desk.start(&live("--send --state-dir state"));
        let life = Duration::from_millis(random.random_range(1..longest));
        if let Some(status) = living.ends_within(life) {
            assert_eq!(status.code(), Some(0), "{}", living.stderr());
            break;
        }
        living.kill();
        kills += 1;
        longest += LONGEST_LIFE_MS / 12;
    }
    let by_text = headlines(&desk, &telegram.accepted());
    let by_id = ids(&webhook.accepted());
    assert_once("telegram", &by_text, &expected_headlines(&desk));
    assert_once("webhook", &by_id, &expected_ids(&desk));
    assert_same_run(&only_folder(&desk.path("runs")), &expected);
    assert_logged(&desk.path("state"), &expected);
    for line in desk.text("state/journal.ndjson").lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a whole line");
    }
    eprintln!(
        "{kills} kills; said to be possible repeats: {} of {} by Telegram, {} of {} by webhook",
        marked(&by_text),
        by_text.len(),
        marked(&by_id),
        by_id.len()
    );
}

#[test]
fn killed_at_any_moment_it_sends_nothing_twice_and_none_never() {
    survives(1);
}

#[test]
fn killed_at_any_other_moment_likewise() {
    survives(2);
}

#[test]
fn what_was_delivered_or_died_is_not_sent_by_the_next_start() {
    let webhook = Service::start();
    let desk = routed(&[("webhook_desk", &webhook)]);
    desk.lives("--send --state-dir state");
    let before = webhook.accepted().len();
    desk.lives("--send --state-dir state");
    assert_eq!(webhook.accepted().len(), before);
}

#[test]
fn what_a_service_will_never_take_becomes_a_dead_letter() {
    let webhook = Service::start();
    let mut desk = routed(&[("webhook_desk", &webhook)]);
    for (_, value) in &mut desk.variables {
        *value = value.replace(WEBHOOK, "hooks/webhook-secret-path-revoked");
    }
    let ran = desk.lives("--send --state-dir state");
    assert!(
        ran.stderr
            .starts_with("error: alert to webhook_desk not delivered: 404"),
        "{}",
        ran.stderr
    );
    let letters = desk.text("state/dead_letters.ndjson");
    let mut dead = Vec::new();
    for line in letters.lines() {
        let letter: serde_json::Value = serde_json::from_str(line).expect("an object per line");
        assert_eq!(letter["channel"], "webhook_desk");
        assert!(
            letter["reason"]
                .as_str()
                .is_some_and(|reason| reason.starts_with("404"))
        );
        let ids = letter["ids"].as_array().expect("a list").iter();
        dead.extend(ids.map(|id| id.as_str().expect("an id").to_owned()));
    }
    dead.sort();
    let mut expected = expected_ids(&desk);
    expected.sort();
    assert_eq!(dead, expected);
    // They are dead for the next start too.
    let refused = webhook.refused().len();
    desk.lives("--send --state-dir state");
    assert_eq!(webhook.refused().len(), refused);
}
