use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Error;

use super::super::super::ws::faults::{Absence, Plan, SocketFault, Trouble};
use super::super::super::ws::{Feed, Stream};
use super::super::super::{Options, Server};
use super::super::column;
use super::{Client, XYZ_CALL, busy, fast, field, parse, start, start_with, until};

/// Small frames, for whoever listens to options.
fn small() -> Stream {
    Stream {
        waits_for: vec![Feed::Options],
        frame_messages: 10,
        ..fast()
    }
}

/// What one client is told of 100 prints, in frames of ten, when `trouble` strikes the third.
fn struck(trouble: Trouble) -> (Server, Vec<String>) {
    let server = start_with(busy(100), small());
    let fault = SocketFault::on(Feed::Options, trouble).skip(2);
    server.sockets().inject(fault);
    let mut client = Client::subscribed(&server, Feed::Options, &format!("T.{XYZ_CALL}"));
    let frames = client.frames(&server);
    (server, frames)
}

fn sizes(frames: &[String]) -> Vec<i64> {
    let messages = frames.iter().flat_map(|frame| parse(frame));
    let sizes = messages.map(|message| message["s"].as_i64().expect("a size"));
    sizes.collect()
}

#[test]
fn connections_end_as_told() {
    for (trouble, expected) in [
        (Trouble::Close(1001), "close 1001"),
        (Trouble::SlowConsumer, "close 1008"),
        (Trouble::MaxConnections, "close 1008"),
    ] {
        let (server, frames) = struck(trouble.clone());
        assert_eq!(frames.last().expect("an end"), expected, "{trouble:?}");
        assert_eq!(sizes(&frames[..2]), Vec::from_iter(1..=20), "{trouble:?}");
        assert_eq!(server.sockets().counts(Feed::Options).ended, 1);
        let again = Client::enter(&server, Feed::Options);
        drop(again);
    }
    let (server, frames) = struck(Trouble::Reset);
    let end = frames.last().expect("an end");
    assert!(end.starts_with("lost: ") && end.contains("reset"), "{end}");
    until(|| server.sockets().stream_done());
    // What the client missed is still there.
    let path = format!("/v3/trades/{XYZ_CALL}?timestamp=2025-10-07");
    assert_eq!(column(&server, &path, "size").len(), 100);
}

#[test]
fn a_silent_connection_stays_open_and_answers_nothing() {
    let server = start_with(busy(100), small());
    let fault = SocketFault::on(Feed::Options, Trouble::Silence).skip(2);
    server.sockets().inject(fault);
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    until(|| server.sockets().stream_done());
    let ping = tokio_tungstenite::tungstenite::Message::Ping(Default::default());
    client.0.send(ping).expect("it is open");
    client.patience(Some(Duration::from_millis(200)));
    let mut read = client.0.read();
    while read.as_ref().is_ok_and(|message| message.is_text()) {
        read = client.0.read();
    }
    assert!(
        matches!(&read, Err(Error::Io(error)) if super::is_timeout(error)),
        "{read:?}"
    );
    assert!(server.sockets().subscribed(Feed::Options).is_empty());
}

#[test]
fn a_spoiled_frame_takes_messages_with_it() {
    let (server, mut frames) = struck(Trouble::BrokenJson);
    let broken = frames.remove(2);
    assert!(serde_json::from_str::<Value>(&broken).is_err());
    assert_eq!(sizes(&frames), Vec::from_iter((1..=20).chain(31..=100)));
    assert_eq!(server.sockets().counts(Feed::Options).spoiled, 10);

    let (server, frames) = struck(Trouble::WrongType);
    let third = parse(&frames[2]);
    // The sixth of them, whose `q` is 26 times 7.
    assert_eq!((third.len(), field(&third[5..6], "t")), (10, "noon".into()));
    assert_eq!(server.sockets().counts(Feed::Options).spoiled, 1);
}

#[test]
fn foreign_messages_come_beside_the_good_ones() {
    let (_server, mut frames) = struck(Trouble::UnknownEvent);
    let mut third = parse(&frames.remove(2));
    assert_eq!(third.remove(0)["ev"], "FMV");
    assert_eq!(field(&third, "s"), "21 22 23 24 25 26 27 28 29 30");

    let (_server, mut frames) = struck(Trouble::Binary);
    assert_eq!(frames.remove(2), "binary 4");
    assert_eq!(sizes(&frames), Vec::from_iter(1..=100));
}

#[test]
fn keys_and_items_are_refused_as_told() {
    let server = start(small());
    let greet = |trouble: Trouble, told: &str| {
        server
            .sockets()
            .inject(SocketFault::on(Feed::Options, trouble));
        let mut client = Client::connect(&server, Feed::Options).expect("the door is open");
        assert_eq!(client.status(), "connected: Connected Successfully");
        client.ask("auth", &Options::default().api_key);
        assert_eq!(client.status(), told);
        assert_eq!(client.frames(&server), ["close 1000"]);
    };
    greet(Trouble::AuthFailed, "auth_failed: authentication failed");
    let told = "auth_timeout: No authentication request received.";
    greet(Trouble::AuthTimeout, told);
    let fault = SocketFault::on(Feed::Options, Trouble::NotAuthorized("T.*".into()));
    server.sockets().inject(fault.times(2));
    let mut client = Client::enter(&server, Feed::Options);
    client.ask("subscribe", "T.*,AM.*,T.*,T.*");
    let told = ["error: not authorized", "success: subscribed to: AM.*"];
    assert_eq!([client.status(), client.status()], told);
    assert_eq!(client.status(), "error: not authorized");
    assert_eq!(client.status(), "success: subscribed to: T.*");
}

#[test]
fn a_server_that_is_gone_resets_and_refuses_until_it_is_back() {
    let server = start_with(
        busy(100),
        Stream {
            pace: 0.0,
            ..small()
        },
    );
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    let two_minutes = Duration::from_secs(120);
    server.sockets().go_away(Absence::EventTime(two_minutes));
    assert!(client.frames(&server)[0].starts_with("lost: "));
    // Every second door is closed, the others are a proxy's.
    let tries = [0, 1].map(|_| Client::connect(&server, Feed::Options).err());
    assert!(tries.iter().all(Option::is_some));
    let is_proxy = |error: &Option<Error>| matches!(error, Some(Error::Http(response)) if response.status() == 503);
    assert_eq!(tries.iter().filter(|error| is_proxy(error)).count(), 1);
    assert_eq!(server.sockets().counts(Feed::Options).turned_away, 2);
    server.sockets().set_pace(f64::INFINITY);
    until(|| Client::connect(&server, Feed::Options).is_ok());

    let server = start_with(busy(100), small());
    let for_a_moment = Trouble::Gone(Absence::WallTime(Duration::from_millis(50)));
    server
        .sockets()
        .inject(SocketFault::on(Feed::Options, for_a_moment));
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    assert!(client.frames(&server)[0].starts_with("lost: "));
    until(|| Client::connect(&server, Feed::Options).is_ok());
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let server = start_with(
        busy(150_000),
        Stream {
            buffered_frames: 4,
            frame_messages: 1_000,
            slow_limit: Duration::from_millis(20),
            ..small()
        },
    );
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    until(|| server.sockets().stream_done());
    assert_eq!(server.sockets().counts(Feed::Options).ended, 1);
    let frames = client.frames(&server);
    assert!(frames.last().expect("an end").starts_with("lost: "));
}

#[test]
fn nobody_waits_for_a_client_that_has_left() {
    let stream = Stream {
        buffered_frames: 1,
        slow_limit: Duration::from_secs(86_400),
        ..small()
    };
    let server = start_with(busy(2_000), stream);
    drop(Client::subscribed(&server, Feed::Options, "T.*"));
    until(|| server.sockets().stream_done());
}

#[test]
fn a_clock_that_waits_for_a_return_does_not_wait_for_the_impossible() {
    let stream = Stream {
        waits_for_return: true,
        ..small()
    };
    let server = start_with(busy(100), stream);
    let gone = Trouble::Gone(Absence::EventTime(Duration::from_secs(120)));
    let fault = SocketFault::on(Feed::Options, gone);
    server.sockets().inject(fault);
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    assert!(client.frames(&server)[0].starts_with("lost: "));
    until(|| Client::connect(&server, Feed::Options).is_ok());
    assert!(!server.sockets().stream_done());
}

#[test]
fn planned_disconnects_all_happen_and_nothing_is_told_again() {
    let plan = Plan {
        seed: 3,
        disconnects: [20, 0],
        partings: vec![Trouble::Reset, Trouble::Close(1011), Trouble::Close(1001)],
        ..Plan::default()
    };
    let stream = Stream {
        plan,
        waits_for_return: true,
        ..small()
    };
    let server = start_with(busy(2_000), stream);
    let items = format!("T.{XYZ_CALL}");
    let mut frames = Vec::new();
    while !server.sockets().stream_done() {
        let mut client = Client::subscribed(&server, Feed::Options, &items);
        frames.extend(client.frames(&server));
    }
    let counts = server.sockets().counts(Feed::Options);
    assert_eq!((counts.ended, counts.connections), (20, 21));
    frames.retain(|frame| frame.starts_with('['));
    let sizes = sizes(&frames);
    assert!(sizes.len() < 2_000 && sizes.is_sorted_by(|a, b| a < b));
}

#[test]
fn repeats_and_late_messages_keep_their_numbers_and_their_bounds() {
    let plan = Plan {
        seed: 7,
        repeated_frames: 0.2,
        held_back: 0.3,
        held_back_ms: 40,
        ..Plan::default()
    };
    let run = |plan: &Plan| {
        let stream = Stream {
            plan: plan.clone(),
            ..small()
        };
        let server = start_with(busy(2_000), stream);
        let items = format!("T.{XYZ_CALL}");
        let mut client = Client::subscribed(&server, Feed::Options, &items);
        let messages = client.messages(&server);
        (messages, server.sockets().counts(Feed::Options))
    };
    let (messages, counts) = run(&plan);
    assert!(counts.repeated > 100, "{counts:?}");
    assert_eq!(counts.messages, 2_000 + counts.repeated);
    assert_eq!(run(&plan), (messages.clone(), counts), "the seed decides");
    let number = |message: &Value, name| message[name].as_i64().expect("a number");
    let mut first = std::collections::BTreeMap::new();
    let mut latest = 0;
    for message in &messages {
        let (q, t) = (number(message, "q"), number(message, "t"));
        if let Some(earlier) = first.get(&q) {
            assert_eq!(*earlier, message, "a repeat says the same");
            continue;
        }
        first.insert(q, message);
        latest = latest.max(t);
        assert!(latest - t <= 40, "{t} after {latest}");
    }
    // By their numbers they are all there, in the order of the world.
    let sizes = first.values().map(|message| number(message, "s"));
    assert!(sizes.eq(1..=2_000));
    assert!(!messages.is_sorted_by_key(|message| number(message, "q")));
}

#[test]
fn planned_spoils_and_a_skewed_clock_leave_rest_as_it_is() {
    let server = start_with(
        busy(2_000),
        Stream {
            plan: Plan {
                spoiled_frames: [12, 0],
                skew_ms: -1_500,
                ..Plan::default()
            },
            ..small()
        },
    );
    let mut client = Client::subscribed(&server, Feed::Options, &format!("T.{XYZ_CALL}"));
    let frames = client.frames(&server);
    let path = format!("/v3/trades/{XYZ_CALL}?timestamp=2025-10-07&order=asc&limit=50000");
    let listed = column(&server, &path, "sip_timestamp");
    assert_eq!(listed.len(), 2_000);
    let good = frames.iter().find(|frame| frame.ends_with(']'));
    let told = parse(good.expect("most are")).pop().expect("a message");
    let place = told["s"].as_u64().expect("a size") as usize - 1;
    let listed: i64 = listed[place].parse().expect("a number");
    assert_eq!(told["t"].as_i64(), Some(listed / 1_000_000 - 1_500));
    let is_broken = |frame: &&String| serde_json::from_str::<Value>(frame).is_err();
    let is_odd =
        |frame: &&String| is_broken(frame) || frame.contains("FMV") || frame.contains("noon");
    assert!(frames.iter().filter(is_odd).count() > 1);
}
