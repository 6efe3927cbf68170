//! The process: how it is told to end, what it says meanwhile and to whom.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use expect_test::expect;

use super::channels::routed;
use super::service::{Reply, Service};
use super::{assert_same_run, live, only_folder, texts};
use crate::desk::Desk;

/// Five seconds are promised; a slow machine gets some on top.
const END_WITHIN: Duration = Duration::from_secs(15);

#[test]
fn asked_to_end_it_ends_well_and_leaves_what_can_be_gone_on_with() {
    for signal in ["-INT", "-TERM"] {
        let desk = Desk::with_market();
        let mut living = desk.start(&live("--state-dir state --speed 1 --metrics 0"));
        living.says("metrics at ");
        living.signal(signal);
        let status = living.ends_within(END_WITHIN).expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", living.stderr());
        let told = living.stderr();
        let last = told.lines().last();
        assert_eq!(
            last,
            Some("stopped; what was computed so far is not written as a run")
        );
        assert!(!desk.path("runs").exists(), "no run is written");
        desk.lives("--state-dir state");
        assert_same_run(&only_folder(&desk.path("runs")), &desk.backtest(""));
    }
}

#[test]
fn a_service_that_does_not_answer_does_not_keep_it() {
    let service = Service::with(&[Reply::Silence]);
    let desk = routed(&[("webhook_desk", &service)]);
    let mut living = desk.start(&live("--send --state-dir state --metrics 0"));
    living.says("metrics at ");
    super::wait_for("a message to the service", || {
        !service.accepted().is_empty()
    });
    living.signal("-TERM");
    let begun = Instant::now();
    let status = living.ends_within(END_WITHIN).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", living.stderr());
    // Its timeout is 15 s.
    assert!(begun.elapsed() < END_WITHIN);
    assert!(
        living.stderr().contains("an alert is still on its way"),
        "{}",
        living.stderr()
    );
    desk.lives("--send --state-dir state");
    let accepted = service.accepted();
    assert_eq!(accepted[1].body["ids"], accepted[0].body["ids"]);
    assert_eq!(accepted[1].body["maybe_repeat"], true);
    let told = accepted.iter().skip(1);
    let ids = told.map(|one| one.body["ids"].as_array().expect("ids").len());
    assert_eq!(ids.sum::<usize>(), desk.signals().len());
}

/// What a page says, head and all.
fn page(port: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("somebody listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("UTF-8");
    text
}

#[test]
fn metrics_and_health_are_served_on_this_machine_while_it_runs() {
    let desk = Desk::with_market();
    let mut living = desk.start(&live("--speed 1 --metrics 0"));
    let address = living.says("metrics at http://127.0.0.1:");
    let port = address
        .strip_suffix("/metrics")
        .expect("the page's address");
    let metrics = page(port, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    for line in [
        "# TYPE flowlab_events_total counter",
        "flowlab_open_positions ",
    ] {
        assert!(metrics.contains(&format!("\n{line}")), "{line}: {metrics}");
    }
    let health = page(port, "/healthz");
    assert!(
        health.starts_with("HTTP/1.1 200") && health.ends_with("{\"status\":\"ok\"}\n"),
        "{health}"
    );
    assert!(page(port, "/").starts_with("HTTP/1.1 404"));
    living.signal("-INT");
    assert_eq!(living.end().code(), Some(0));
    assert!(
        TcpStream::connect(format!("127.0.0.1:{port}")).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn a_port_that_is_taken_or_none_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let desk = Desk::with_market();
    let ran = desk.live(&format!("--metrics {port}"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    expect![[r#"
        error: cannot listen on 127.0.0.1:PORT
          because Address already in use (os error 98)
    "#]]
    .assert_eq(&ran.stderr.replace(&port.to_string(), "PORT"));
    for (arguments, message) in [
        (
            "--metrics localhost",
            expect![[r#"
            error: --metrics: localhost is no address to listen on, expected a port or an address with a port, such as 127.0.0.1:9090
        "#]],
        ),
        (
            "--metrics 70000",
            expect![[r#"
            error: --metrics: 70000 is no address to listen on, expected a port or an address with a port, such as 127.0.0.1:9090
        "#]],
        ),
        (
            "--speed 0",
            expect![[r#"
            error: invalid value '0' for '--speed <1|60|max>': expected max or a number above 0, such as 1 or 60

            For more information, try '--help'.
        "#]],
        ),
        (
            "--speed fast",
            expect![[r#"
            error: invalid value 'fast' for '--speed <1|60|max>': expected max or a number above 0, such as 1 or 60

            For more information, try '--help'.
        "#]],
        ),
        (
            "--speed inf",
            expect![[r#"
            error: invalid value 'inf' for '--speed <1|60|max>': expected max or a number above 0, such as 1 or 60

            For more information, try '--help'.
        "#]],
        ),
        (
            "--source websocket",
            expect![[r#"
                error: invalid value 'websocket' for '--source <SOURCE>'
                  [possible values: replay, massive, massive-poll, recording, stdin]

                For more information, try '--help'.
            "#]],
        ),
        (
            "--send --dry-run",
            expect![[r#"
            error: the argument '--send' cannot be used with '--dry-run'

            Usage: flowlab live --start <YYYY-MM-DD> --end <YYYY-MM-DD> --data-dir <DIR> --send

            For more information, try '--help'.
        "#]],
        ),
    ] {
        let ran = desk.live(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments}"
        );
        message.assert_eq(&ran.stderr);
        assert!(!desk.path("runs").exists(), "{arguments}");
    }
}

#[test]
fn a_screen_needs_a_terminal() {
    let desk = Desk::with_market();
    let ran = desk.live("--tui");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    expect![[r#"
        error: cannot show a screen: the screen needs a terminal, and stdout is not one
    "#]]
    .assert_eq(&ran.stderr);
    assert!(!desk.path("runs").exists());
}

#[test]
fn every_line_of_the_log_is_json_when_it_is_asked_for() {
    let desk = Desk::with_market();
    let ran = desk.lives("--dry-run -vv --log-format json --set live.heartbeat_seconds=0.01");
    let (mut signals, mut beats) = (0, 0);
    let mut lines: Vec<&str> = ran.stderr.lines().collect();
    let summary = lines.pop().expect("a summary");
    assert!(summary.starts_with("1586 events; "), "{summary}");
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).expect("an object per line");
        let message = line["message"].as_str().expect("a message");
        let ts = line["ts"].as_str().expect("a time");
        flowlab::time::Ts::parse_rfc3339(ts).expect("a time");
        assert!(["debug", "info", "warn"].contains(&line["level"].as_str().expect("a level")));
        signals += usize::from(message.starts_with("signal "));
        beats += usize::from(message.starts_with("heartbeat"));
    }
    assert_eq!(signals, 34);
    assert!(beats > 0, "{}", ran.stderr);
}

/// The text with every number as `#`: how fast a machine is, is no golden text.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for letter in text.chars() {
        match letter {
            ',' if shape.ends_with('#') => shape.push(','),
            digit if digit.is_ascii_digit() => {
                if shape.ends_with("#,") {
                    shape.pop();
                }
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            other => shape.push(other),
        }
    }
    shape
}

#[test]
fn it_says_that_it_is_alive_to_the_log_and_to_a_channel() {
    let service = Service::start();
    let desk = routed(&[("webhook_desk", &service)]);
    let arguments = "--send --state-dir state --speed 1 -v --metrics 0 \
                     --set live.heartbeat_seconds=0.2 --set routing.alerts.heartbeat=[webhook_desk]";
    let mut living = desk.start(&live(arguments));
    let beat = living.says("info: heartbeat");
    expect![": events # at # a minute, the last #s ago; signals SCALP #, DAY_TRADE #, SWING #; open positions #; drops #, reconnects #"].assert_eq(&shape(&beat));
    super::wait_for("two heartbeats", || service.accepted().len() >= 2);
    living.signal("-TERM");
    assert_eq!(living.end().code(), Some(0), "{}", living.stderr());
    for message in service.accepted() {
        let id = message.body["ids"][0].as_str().expect("an id");
        assert!(id.starts_with("heartbeat-"), "{id}");
    }
    let first = &service.accepted()[0].text();
    expect![[r#"
        flowlab heartbeat
        events # at # a minute, the last #s ago
        signals SCALP #, DAY_TRADE #, SWING #
        open positions #
        drops #, reconnects #"#]]
    .assert_eq(&shape(first));
}

#[test]
fn without_sending_alerts_are_printed_as_people_would_get_them() {
    let desk = Desk::with_market();
    let printed: String = texts(&desk.signals())
        .iter()
        .map(|text| format!("{text}\n"))
        .collect();
    for how in ["", "--dry-run", "--state-dir state", "-q"] {
        assert_eq!(desk.lives(how).stdout, printed, "{how}");
    }
    // A log of what was printed, and no more of it.
    assert_eq!(desk.lives("--state-dir state").stdout, "");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::with_market();
    let mut child = desk
        .command(&live("--runs-dir runs"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
    assert_same_run(&only_folder(&desk.path("runs")), &desk.backtest(""));
}

#[test]
fn its_help_says_what_it_takes() {
    let help = Desk::empty().run("live -h").stdout;
    let own = help
        .split("Options of every command")
        .next()
        .expect("it begins somewhere");
    expect![[r#"
        Run the strategies on a stream: alerts, paper trades, state that survives

        Usage: flowlab live [OPTIONS]

        Options:
              --source <SOURCE>         Where events come from [default: replay] [possible values: replay,
                                        massive, massive-poll, recording, stdin]
              --tickers <A,B>           Tickers to listen to, separated by commas [default:
                                        universe.tickers, else all in the cache]
              --start <YYYY-MM-DD>      Replay: first exchange day [default: as in a backtest]
              --end <YYYY-MM-DD>        Replay: last exchange day [default: as in a backtest]
              --speed <1|60|max>        Replay: times as fast as it happened, or max [default: max, 60 with
                                        --tui]
              --day <YYYY-MM-DD>        All but replay: the exchange day to begin with [default: today, else
                                        the next session]
              --recording <FILE>        The recording to be told again
              --record <FILE>           Record everything the vendor tells in this file, for `--source
                                        recording`
              --state-dir <DIR>         Folder of the journal and the logs; a killed process goes on from it
                                        [default: live; none for a replay, a recording or stdin]
              --fresh                   Set the state of an earlier run aside and begin anew
              --send                    Replay, recording, stdin: send alerts to their channels instead of
                                        printing them
              --dry-run                 Print alerts instead of sending them
              --tui                     Show a screen instead of a log
              --metrics <ADDRESS:PORT>  Serve /metrics (Prometheus) and /healthz here; a port alone is of
                                        this machine
          -h, --help                    Print help (see more with '--help')

    "#]].assert_eq(own);
    let help = Desk::empty().run("alert test -h").stdout;
    let own = help
        .split("Options of every command")
        .next()
        .expect("it begins somewhere");
    expect![[r#"
        Send a sample to a channel, to see that it arrives

        Usage: flowlab alert test [OPTIONS] --channel <CHANNEL>

        Options:
              --channel <CHANNEL>  A channel of routing.channels, or console
              --kind <KIND>        Whose alert [default: scalp] [possible values: scalp, day-trade, swing]
          -h, --help               Print help (see more with '--help')

    "#]].assert_eq(own);
}
