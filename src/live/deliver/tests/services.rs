//! What each service is asked, and that a long alert reaches all of them whole.

use serde_json::json;

use super::*;

const MARKS: &str = "VOL>OI & LEVEL_BREAK | *x*";

/// What `service` was sent for an alert `a` with the text [`MARKS`].
fn received(service: Make) -> stand_in::Received {
    let bench = Bench::new(service, Vec::new());
    bench.send(Alert {
        text: MARKS.to_owned(),
        ..alert("a")
    });
    assert_eq!(bench.diary(), ["sending a", "answer 200", "sent a"]);
    assert_eq!(bench.gauges.alerts_sent.get(), 1);
    assert_eq!(bench.gauges.alerts_waiting.get(), 0);
    assert!(bench.gauges.last_alert_at.get() > 0);
    let accepted = bench.server.accepted();
    assert_eq!(accepted.len(), 1);
    accepted[0].clone()
}

#[test]
fn telegram_gets_plain_text() {
    let received = received(telegram);
    assert_eq!(received.target, "/bot123456:AAF-sesame_token/sendMessage");
    assert!(received.head.starts_with("POST "), "{}", received.head);
    assert_eq!(
        received.body,
        json!({
            "chat_id": -1001234567,
            "text": MARKS,
            "link_preview_options": { "is_disabled": true },
        })
    );
}

#[test]
fn discord_gets_escaped_markdown_and_mentions_nobody() {
    let received = received(discord);
    assert_eq!(
        received.target,
        "/api/webhooks/77001122/sesame-token?wait=true"
    );
    assert_eq!(
        received.body,
        json!({
            "content": r"VOL\>OI & LEVEL\_BREAK \| \*x\*",
            "allowed_mentions": { "parse": [] },
        })
    );
}

#[test]
fn slack_gets_entities_and_no_markup() {
    let received = received(slack);
    assert_eq!(
        received.body,
        json!({
            "text": "VOL&gt;OI &amp; LEVEL_BREAK | *x*",
            "mrkdwn": false,
            "unfurl_links": false,
        })
    );
}

#[test]
fn a_webhook_gets_everything_and_a_key() {
    let received = received(webhook);
    assert_eq!(received.target, "/hook?key=sesame-token");
    let head = received.head.to_ascii_lowercase();
    assert!(head.contains("\r\nidempotency-key: a\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"));
    assert_eq!(
        received.body,
        json!({
            "kind": "alert",
            "ids": ["a"],
            "channel": "main",
            "maybe_repeat": false,
            "text": MARKS,
        })
    );
}

#[test]
fn the_console_prints_every_alert_by_itself() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let printed = Arc::clone(&lines);
    let print: Print = Arc::new(move |text| printed.lock().unwrap().push(text.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let deliverer = Deliverer::start(
        vec![Channel {
            name: "main".to_owned(),
            service: Service::Console(print),
        }],
        policy(),
        Arc::new(Diary::default()),
        Arc::new(Gauges::default()),
        folder.path().join("dead.ndjson"),
    )
    .unwrap();
    let ids: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for id in &ids {
        deliverer.send("main", alert(id), Before::Nothing);
    }
    assert!(deliverer.drain(LONG));
    let expected: Vec<String> = ids.iter().map(|id| format!("{id} in full")).collect();
    assert_eq!(*lines.lock().unwrap(), expected);
}

#[test]
fn a_long_alert_arrives_in_numbered_parts_and_in_order() {
    let line = "1000x @ $1.85 | Strike 245 exp 02-21-2025 | Notional $185,000 | VOL>OI\n";
    for service in [telegram as Make, discord, slack] {
        let bench = Bench::new(service, Vec::new());
        bench.send(Alert {
            text: line.repeat(120),
            ..alert("a")
        });
        let diary = bench.diary();
        let texts = bench.server.texts();
        assert!(texts.len() > 1);
        assert_eq!(diary.len(), texts.len() + 2, "{diary:?}");
        assert_eq!(diary.last().unwrap(), "sent a");
        for (index, text) in texts.iter().enumerate() {
            let number = format!("({}/{})\n", index + 1, texts.len());
            assert!(text.starts_with(&number), "{text}");
        }
        let lines = texts.iter().map(|text| text.matches("$185,000").count());
        assert_eq!(lines.sum::<usize>(), 120);
    }
}

#[test]
fn addresses_that_can_never_work_are_said_at_the_start() {
    let at = Url::parse("http://127.0.0.1:1/").unwrap();
    let token = |token: &str| Service::Telegram {
        api_url: at.clone(),
        bot_token: Secret::new(token),
        chat_id: Secret::new("1"),
    };
    for (service, expected) in [
        (
            Service::Slack {
                webhook: Secret::new("sesame"),
            },
            "channel main: the webhook is not an address",
        ),
        (
            Service::Webhook {
                url: Secret::new("ftp://h/sesame"),
            },
            "channel main: the webhook is neither http nor https",
        ),
        (
            token("12:ses/ame"),
            "channel main: the bot token is empty or holds characters that no token has",
        ),
    ] {
        let channel = Channel {
            name: "main".to_owned(),
            service,
        };
        let error = send_once(&channel, "text").unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_test_message_brings_the_services_own_answer() {
    let refusal = r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#;
    let script = vec![Reply::Accept, Reply::Answer(400, "", refusal.to_owned())];
    let server = StandIn::start(script, Diary::default());
    let channel = Channel {
        name: "main".to_owned(),
        service: telegram(&server.url),
    };
    send_once(&channel, "hello").unwrap();
    assert_eq!(server.texts(), ["hello"]);
    let error = send_once(&channel, "hello").unwrap_err();
    assert_eq!(
        error.to_string(),
        "channel main: 400: Bad Request: chat not found"
    );
}
