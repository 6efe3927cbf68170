//! Channels: what they are made of, that they are there before anything begins, and that nothing of
//! what they are made of is ever told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect;
use flowlab::report::alert;
use flowlab::strategies::Kind;

use super::service::{CHAT, DISCORD, Reply, SLACK, Service, TOKEN, WEBHOOK};
use super::{live, wait_for};
use crate::desk::Desk;

/// A desk whose alerts of all kinds go to all of `channels`.
pub fn routed(channels: &[(&str, &Service)]) -> Desk {
    let mut desk = Desk::with_market();
    let names: Vec<&str> = channels.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let mut config = format!(
        "routing:\n  alerts: {{scalp: [{names}], day_trade: [{names}], swing: [{names}]}}\n"
    );
    config += "  channels:\n";
    for (name, service) in channels {
        let (variable, value) = match name.split_once('_').expect("a service and a name").0 {
            "telegram" => ("CHAT_ID", CHAT.to_string()),
            "discord" => ("DISCORD_URL", service.address(DISCORD)),
            "slack" => ("SLACK_URL", service.address(SLACK)),
            _ => ("DESK_URL", service.address(WEBHOOK)),
        };
        config += &format!("    {name}: \"${{{variable}}}\"\n");
        desk.variables.push((variable, value));
    }
    if let Some((_, telegram)) = channels.iter().find(|(n, _)| n.starts_with("telegram")) {
        config += &format!("  telegram: {{api_url: \"{}\"}}\n", telegram.address(""));
    }
    desk.variables
        .push(("TELEGRAM_BOT_TOKEN", TOKEN.to_owned()));
    desk.write("config.yaml", &config);
    desk
}

#[test]
fn a_channel_without_its_variable_is_said_before_anything_begins() {
    let desk = Desk::with_market();
    let ran = desk.live("--send --state-dir state");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    expect![[r#"
        error: telegram_main: environment variable TELEGRAM_MAIN_CHAT_ID is not set
        hint: set it, route alerts elsewhere in routing.alerts, or print them with --dry-run
    "#]]
    .assert_eq(&ran.stderr);
    assert!(!desk.path("state").exists() && !desk.path("runs").exists());
}

#[test]
fn a_bot_without_its_token_is_said_too() {
    let mut desk = Desk::with_market();
    for name in [
        "TELEGRAM_MAIN_CHAT_ID",
        "TELEGRAM_SCALPS_CHAT_ID",
        "TELEGRAM_SWINGS_CHAT_ID",
    ] {
        desk.variables.push((name, CHAT.to_string()));
    }
    let ran = desk.live("--send");
    assert_eq!(ran.code, Some(2));
    expect![[r#"
        error: routing.telegram.bot_token: environment variable TELEGRAM_BOT_TOKEN is not set
        hint: set it, route alerts elsewhere in routing.alerts, or print them with --dry-run
    "#]]
    .assert_eq(&ran.stderr);
}

#[test]
fn a_sample_reaches_each_kind_of_channel() {
    let service = Service::start();
    let desk = routed(&[
        ("telegram_main", &service),
        ("discord_desk", &service),
        ("slack_desk", &service),
        ("webhook_desk", &service),
    ]);
    for (channel, kind, of) in [
        ("telegram_main", "scalp", Kind::Scalp),
        ("discord_desk", "day-trade", Kind::DayTrade),
        ("slack_desk", "swing", Kind::Swing),
        ("webhook_desk", "scalp", Kind::Scalp),
    ] {
        let ran = desk.run(&format!("alert test --channel {channel} --kind {kind}"));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(0), ""),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr, format!("sent a sample to {channel}\n"));
        let accepted = service.accepted();
        let last = accepted.last().expect("it arrived");
        assert_eq!(last.text(), alert::alert(&alert::sample(of)), "{channel}");
    }
    let ran = desk.run("alert test --channel console --kind swing");
    let sample = alert::alert(&alert::sample(Kind::Swing));
    assert_eq!((ran.code, ran.stdout), (Some(0), sample + "\n"));
}

#[test]
fn a_sample_that_does_not_arrive_says_what_the_service_said() {
    let service = Service::with(&[
        Reply::Documented,
        Reply::Documented,
        Reply::TooFast("7"),
        Reply::Broken,
    ]);
    let mut desk = routed(&[("telegram_main", &service)]);
    desk.variables.push(("CHAT_ID", "-100999".to_owned()));
    let test = "alert test --channel telegram_main";
    expect![[r#"
        error: channel telegram_main: 400: Bad Request: chat not found
    "#]]
    .assert_eq(&fails(&desk, test, 1));
    desk.variables
        .push(("TELEGRAM_BOT_TOKEN", "999:somebody-elses".to_owned()));
    expect![[r#"
        error: channel telegram_main: 404: Not Found
    "#]]
    .assert_eq(&fails(&desk, test, 1));
    expect![[r#"
        error: channel telegram_main: 429: Too Many Requests
    "#]]
    .assert_eq(&fails(&desk, test, 1));
    expect![[r#"
        error: channel telegram_main: 500: oops
    "#]]
    .assert_eq(&fails(&desk, test, 1));
    expect![[r#"
        error: there is no channel telegram_mian in routing.channels
        hint: there is console, telegram_main, telegram_scalps, telegram_swings
    "#]]
    .assert_eq(&fails(&desk, "alert test --channel telegram_mian", 2));
    desk.variables.push(("CHAT_ID", String::new()));
    expect![[r#"
        error: telegram_main: environment variable CHAT_ID is not set
        hint: set it, route alerts elsewhere in routing.alerts, or print them with --dry-run
    "#]]
    .assert_eq(&fails(&desk, test, 2));
}

/// What a command says that must fail.
fn fails(desk: &Desk, arguments: &str, code: i32) -> String {
    let ran = desk.run(arguments);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(code), ""),
        "{}",
        ran.stderr
    );
    ran.stderr
}

#[test]
fn no_secret_is_said_or_kept_however_services_behave() {
    let secrets = [TOKEN, "AAF-not_a_real_token", "secret-path", "100123"];
    // Refused, answered with an error, hung up on, unreachable.
    for (script, is_there) in [
        (vec![Reply::Documented], true),
        (vec![Reply::TooFast("60")], true),
        (vec![Reply::Broken], true),
        (vec![Reply::HangUp], true),
        (Vec::new(), false),
    ] {
        let service = match script.as_slice() {
            [reply] => {
                let reply = *reply;
                Service::that(move || reply)
            }
            _ => Service::start(),
        };
        let mut desk = routed(&[
            ("telegram_main", &service),
            ("discord_desk", &service),
            ("slack_desk", &service),
            ("webhook_desk", &service),
        ]);
        for (_, value) in &mut desk.variables {
            match is_there {
                // The service's own refusal of each, where it does as documented.
                true => *value = value.replace("secret-path", "secret-path-revoked"),
                // Nobody can listen on port 1 without being told to.
                false => *value = value.replace(&service.port.to_string(), "1"),
            }
        }
        if !is_there {
            let config = desk.text("config.yaml");
            desk.write(
                "config.yaml",
                &config.replace(&service.port.to_string(), "1"),
            );
        }
        let arguments = "--send --state-dir state -vv --log-format json --metrics 0";
        let mut living = desk.start(&live(arguments));
        living.says("metrics at ");
        wait_for("a try by every channel", || {
            let journal = desk.text("state/journal.ndjson");
            let tried = |kind: &str| journal.contains(&format!("sending\":{{\"channel\":\"{kind}"));
            ["telegram", "discord", "slack", "webhook"]
                .into_iter()
                .all(tried)
        });
        if living.ends_within(Duration::from_millis(300)).is_none() {
            living.signal("-TERM");
        }
        assert_eq!(living.end().code(), Some(0), "{}", living.stderr());
        drop(living);
        for file in files_below(&desk.path("")) {
            if file.starts_with(desk.path("data")) {
                continue;
            }
            let bytes = std::fs::read(&file).expect("a file");
            for secret in secrets {
                let is_there = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!is_there, "{} holds {secret}", file.display());
            }
        }
    }
}

/// Every file below `folder`.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path().is_dir() {
            true => files.extend(files_below(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}
