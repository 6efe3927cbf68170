//! Services that are busy, broken or not there.

use super::*;

fn too_fast(headers: &'static str, body: &str) -> Vec<Reply> {
    vec![Reply::Answer(429, headers, body.to_owned())]
}

#[test]
fn a_service_that_is_asked_too_fast_is_left_alone_for_as_long_as_it_says() {
    let half = Duration::from_millis(500);
    let telegrams = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":1}}"#;
    let discords = r#"{"message":"You are being rate limited.","retry_after":0.5,"global":false}"#;
    for (service, script, asked) in [
        (telegram as Make, too_fast("", telegrams), 2 * half),
        (discord, too_fast("", discords), half),
        (discord, too_fast("Retry-After: 1\r\n", "busy"), 2 * half),
        (
            slack,
            too_fast("Retry-After: 1\r\n", "rate_limited"),
            2 * half,
        ),
        (webhook, too_fast("Retry-After: 1\r\n", ""), 2 * half),
    ] {
        let begun = Instant::now();
        // It is no try: one alone is enough.
        let one_try = Policy {
            tries: 1,
            ..policy()
        };
        let bench = Bench::with(one_try, service, script);
        bench.send(alert("a"));
        assert_eq!(
            bench.diary(),
            ["sending a", "answer 429", "answer 200", "sent a"]
        );
        assert!(begun.elapsed() >= asked);
        assert_eq!(bench.server.accepted().len(), 1);
    }
}

#[test]
fn a_service_that_asks_for_an_hour_is_not_waited_for() {
    for (header, seconds) in [
        ("Retry-After: 3600\r\n", "3600"),
        ("Retry-After: 1e19\r\n", "10000000000000000000"),
    ] {
        let bench = Bench::new(slack, too_fast(header, "rate_limited"));
        bench.send(alert("a"));
        assert_eq!(
            bench.diary()[2],
            format!("dead a: 429: rate_limited, asks for {seconds} s of silence")
        );
    }
}

#[test]
fn discords_last_message_of_a_window_is_followed_by_silence() {
    let headers = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-After: 0.75\r\n";
    let script = vec![Reply::Answer(200, headers, r#"{"id":"1"}"#.to_owned())];
    let bench = Bench::new(discord, script);
    let begun = Instant::now();
    bench.send(alert("a"));
    bench.diary.wait_for("sent a");
    bench.send(alert("b"));
    assert_eq!(bench.diary().last().unwrap(), "sent b");
    assert!(begun.elapsed() >= Duration::from_millis(750));
}

#[test]
fn a_service_that_fails_is_tried_again_and_gets_the_message_once() {
    for service in ALL {
        let fault = || Reply::Answer(500, "", "<html>".to_owned());
        let bench = Bench::new(service, vec![fault(), fault()]);
        bench.send(alert("a"));
        assert_eq!(
            bench.diary(),
            [
                "sending a",
                "answer 500",
                "answer 500",
                "answer 200",
                "sent a"
            ]
        );
        assert_eq!(bench.server.texts(), ["a in full"]);
        assert!(bench.dead_letters().is_empty());
    }
}

#[test]
fn what_was_tried_often_enough_becomes_a_dead_letter() {
    let fault = || Reply::Answer(503, "", "busy".to_owned());
    let bench = Bench::new(telegram, vec![fault(), fault(), fault()]);
    bench.send(alert("a"));
    bench.send(alert("b"));
    let reason = "503: busy, the last of 3 tries";
    let diary = bench.diary();
    assert_eq!(diary[4], format!("dead a: {reason}"));
    assert_eq!(diary.last().unwrap(), "sent b");

    let letters = bench.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["channel"], "main");
    assert_eq!(letters[0]["ids"], serde_json::json!(["a"]));
    assert_eq!(letters[0]["reason"], reason);
    assert_eq!(letters[0]["text"], "a in full");
    assert!(Ts::parse_rfc3339(letters[0]["at"].as_str().unwrap()).is_some());
    assert_eq!(bench.gauges.alerts_dead.get(), 1);
    assert_eq!(bench.gauges.alerts_sent.get(), 1);
    assert_eq!(bench.gauges.alerts_waiting.get(), 0);
}

#[test]
fn a_refusal_for_good_is_not_tried_again() {
    for (status, said, expected) in [
        (
            400,
            r#"{"description":"chat not found"}"#,
            "400: chat not found",
        ),
        (404, "no_service", "404: no_service"),
        (
            404,
            r#"{"message":"Unknown Webhook"}"#,
            "404: Unknown Webhook",
        ),
        (410, "<html>gone</html>", "410"),
        (302, "", "302: redirected, which is not followed"),
    ] {
        let headers = "Location: /elsewhere\r\n";
        let script = vec![Reply::Answer(status, headers, said.to_owned())];
        let bench = Bench::new(webhook, script);
        bench.send(alert("a"));
        let answer = format!("answer {status}");
        let dead = format!("dead a: {expected}");
        assert_eq!(bench.diary(), ["sending a", &answer, &dead]);
        assert_eq!(bench.dead_letters().len(), 1);
    }
}

#[test]
fn nobody_at_home_is_no_reason_to_speak_of_a_repeat() {
    let url = Url::parse("http://127.0.0.1:1/").unwrap();
    let destination = Destination::new(
        &Channel {
            name: "main".to_owned(),
            service: slack(&url),
        },
        &policy().timeouts,
    );
    let letter = Letter {
        kind: Kind::Alert,
        channel: "main",
        ids: &["a".to_owned()],
        text: "a",
        maybe_repeat: false,
    };
    let trouble = destination.unwrap().send(&letter).unwrap_err();
    assert_eq!(trouble.meaning, trouble::Meaning::NotArrived, "{trouble:?}");
}

#[test]
fn no_text_for_people_holds_a_secret() {
    let moved = "Location: http://h/sesame\r\n";
    for service in ALL {
        for reply in [
            Reply::Echo(400),
            Reply::Echo(429),
            Reply::Echo(500),
            Reply::Answer(307, moved, "sesame-token".to_owned()),
            Reply::Answer(200, "Content-Length: sesame\r\n", String::new()),
        ] {
            let one_try = Policy {
                tries: 1,
                ..policy()
            };
            let bench = Bench::with(one_try, service, vec![reply]);
            bench.send(alert("a"));
            let texts = format!("{:?} {:?}", bench.diary(), bench.dead_letters());
            assert!(texts.contains("dead a"), "{texts}");
            for secret in ["sesame", "1234567", "77001122", "T0001122", "B0003344"] {
                assert!(!texts.contains(secret), "{secret} in {texts}");
            }
        }
    }
}

#[test]
fn the_rest_of_a_long_alert_is_tried_again_alone() {
    let fault = Reply::Answer(500, "", String::new());
    let bench = Bench::new(telegram, vec![Reply::Accept, fault]);
    bench.send(Alert {
        text: "line\n".repeat(1_200),
        ..alert("a")
    });
    assert_eq!(
        bench.diary(),
        [
            "sending a",
            "answer 200",
            "answer 500",
            "answer 200",
            "sent a"
        ]
    );
    let texts = bench.server.texts();
    assert!(texts[0].starts_with("(1/2)\n"));
    assert!(texts[1].starts_with("(2/2)\n"));
}

#[test]
fn what_cannot_be_recorded_does_not_go_out() {
    struct Full(Diary);
    impl Outbox for Full {
        fn sending(&self, _channel: &str, _ids: &[&str]) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn sent(&self, channel: &str, ids: &[&str]) -> io::Result<()> {
            self.0.sent(channel, ids)
        }
        fn dead(&self, channel: &str, ids: &[&str], reason: &str) -> io::Result<()> {
            self.0.dead(channel, ids, reason)
        }
    }
    let diary = Diary::default();
    let server = StandIn::start(Vec::new(), diary.clone());
    let folder = tempfile::tempdir().unwrap();
    let deliverer = Deliverer::start(
        vec![Channel {
            name: "main".to_owned(),
            service: slack(&server.url),
        }],
        policy(),
        Arc::new(Full(diary.clone())),
        Arc::new(Gauges::default()),
        folder.path().join("dead.ndjson"),
    )
    .unwrap();
    deliverer.send("main", alert("a"), Before::Nothing);
    assert!(deliverer.drain(LONG));
    let entries = diary.entries();
    assert_eq!(entries.len(), 1);
    assert!(
        entries[0].starts_with("dead a: cannot record"),
        "{entries:?}"
    );
}
