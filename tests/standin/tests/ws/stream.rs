use std::thread;

use serde_json::{Value, json};

use super::super::super::ws::{Feed, Stream};
use super::super::super::{Server, World, new_york};
use super::super::column;
use super::{Client, XYZ_CALL, busy, fast, field, parse, start, start_with, tuesday, until};

/// Everything that both feeds tell.
fn all(server: &Server) -> (Vec<Value>, Vec<Value>) {
    let mut options = Client::subscribed(server, Feed::Options, "T.*");
    let mut stocks = Client::subscribed(server, Feed::Stocks, "AM.*");
    thread::scope(|scope| {
        let options = scope.spawn(|| options.messages(server));
        let bars = stocks.messages(server);
        (options.join().expect("no panic"), bars)
    })
}

#[test]
fn every_print_comes_once_in_order_of_time_and_of_the_world() {
    let server = start(fast());
    let (prints, bars) = all(&server);
    let (abc, put) = ("O:ABC251010C00100000", "O:ABC251010P00100000");
    let symbols = [put, abc, abc, XYZ_CALL, XYZ_CALL, abc, XYZ_CALL].join(" ");
    assert_eq!(field(&prints, "sym"), symbols);
    assert_eq!(field(&prints, "s"), "2000 40 40 40 40 5 5");
    assert_eq!(field(&prints, "p"), "1.25 6.35 6.35 6.35 6.35 6.25 6.25");
    assert_eq!(field(&prints, "q"), "7 7 14 7 14 21 21");
    assert_eq!(field(&bars, "sym"), "ABC XYZ ABC XYZ ABC XYZ");
    assert_eq!(field(&bars, "av"), "1000 1000 2001 2001 3003 3003");
    let counts = server.sockets().counts(Feed::Options);
    assert_eq!((counts.messages, counts.repeated), (7, 0));
}

#[test]
fn messages_have_the_vendors_fields() {
    let server = start(fast());
    let (prints, bars) = all(&server);
    let opening_ms = new_york::at(tuesday(), 9, 30) / 1_000_000;
    assert_eq!(
        prints[1],
        json!({"ev": "T", "sym": "O:ABC251010C00100000", "x": 312, "p": 6.35, "s": 40, "c": [219],
               "t": opening_ms + 1_000, "q": 7})
    );
    assert_eq!(
        bars[2],
        json!({"ev": "AM", "sym": "ABC", "v": 1_001, "av": 2_001, "op": 103.0, "vw": 104.125,
               "o": 104.0, "c": 104.25, "h": 104.5, "l": 103.75, "a": bars[2]["a"], "z": 91,
               "s": opening_ms + 60_000, "e": opening_ms + 120_000})
    );
}

#[test]
fn what_was_told_is_what_rest_lists() {
    let server = start_with(busy(500), fast());
    let (prints, bars) = all(&server);
    let prints: Vec<Value> = prints
        .into_iter()
        .filter(|p| p["sym"] == XYZ_CALL)
        .collect();
    assert_eq!(prints.len(), 500);
    let path = format!("/v3/trades/{XYZ_CALL}?timestamp=2025-10-07&order=asc");
    for (told, listed) in [("p", "price"), ("s", "size"), ("x", "exchange")] {
        assert_eq!(
            field(&prints, told),
            column(&server, &path, listed).join(" ")
        );
    }
    // No conditions: neither has the field.
    assert!(prints.iter().all(|print| print.get("c").is_none()));
    let ms = column(&server, &path, "sip_timestamp")
        .join(" ")
        .replace("000000 ", " ");
    assert_eq!(field(&prints, "t"), ms.trim_end_matches("000000"));
    let bars: Vec<Value> = bars.into_iter().filter(|bar| bar["sym"] == "XYZ").collect();
    let path = "/v2/aggs/ticker/XYZ/range/1/minute/2025-10-07/2025-10-07?adjusted=false";
    for (told, listed) in [("o", "o"), ("c", "c"), ("vw", "vw"), ("s", "t")] {
        assert_eq!(field(&bars, told), column(&server, path, listed).join(" "));
    }
}

#[test]
fn the_clock_stands_until_both_feeds_are_heard() {
    let server = start(fast());
    let begin = new_york::at(tuesday(), 9, 29);
    let _options = Client::subscribed(&server, Feed::Options, "T.*");
    assert_eq!(server.sockets().now(), begin);
    let _stocks = Client::subscribed(&server, Feed::Stocks, "AM.ABC");
    until(|| server.sockets().stream_done());
    assert_eq!(server.sockets().now(), new_york::at(tuesday(), 16, 1));
}

#[test]
fn rest_shows_what_the_clock_has_passed_and_nothing_later() {
    let path = format!("/v3/trades/{XYZ_CALL}?timestamp=2025-10-07");
    let server = start(Stream {
        waits_for: vec![Feed::Options],
        ..fast()
    });
    assert!(column(&server, &path, "size").is_empty());
    let mut client = Client::subscribed(&server, Feed::Options, "T.*");
    assert_eq!(client.messages(&server).len(), 7);
    assert_eq!(column(&server, &path, "size").len(), 3);
    let tomorrow = path.replace("-07", "-08");
    assert!(column(&server, &tomorrow, "size").is_empty());
    let open = start(Stream {
        rest_follows_stream: false,
        ..fast()
    });
    assert_eq!(column(&open, &tomorrow, "size").len(), 3);
}

#[test]
fn what_is_read_can_be_asked_for() {
    let server = start_with(
        busy(300),
        Stream {
            waits_for: vec![Feed::Options],
            ..fast()
        },
    );
    let mut client = Client::subscribed(&server, Feed::Options, &format!("T.{XYZ_CALL}"));
    for _frame in 0..3 {
        let frame = client.0.read().expect("a frame");
        let last = parse(frame.to_text().expect("text"))
            .pop()
            .expect("a message");
        let path = format!("/v3/trades/{XYZ_CALL}?timestamp={}000000", last["t"]);
        let sizes = column(&server, &path, "size");
        assert!(sizes.contains(&last["s"].to_string()), "{last}: {sizes:?}");
    }
}

#[test]
fn nothing_is_told_again_to_who_was_away() {
    let stream = Stream {
        waits_for: Vec::new(),
        ..fast()
    };
    let server = start(stream);
    until(|| server.sockets().stream_done());
    let mut late = Client::subscribed(&server, Feed::Options, "T.*");
    // Done, but open: it answers pings.
    assert_eq!(late.frames(&server), [""; 0]);
}

#[test]
fn only_what_was_subscribed_to_is_told() {
    let server = start(Stream {
        waits_for: vec![Feed::Options],
        ..fast()
    });
    let put = "O:ABC251010P00100000";
    let items = format!("T.{put},Q.{XYZ_CALL}");
    let messages = Client::subscribed(&server, Feed::Options, &items).messages(&server);
    assert_eq!(field(&messages, "ev"), "Q T Q Q Q");
    let quotes: Vec<Value> = messages.into_iter().filter(|m| m["ev"] == "Q").collect();
    assert_eq!(field(&quotes, "bp"), "6.3 6.25 6.2 6.2");
    let path = format!("/v3/quotes/{XYZ_CALL}?timestamp=2025-10-07&order=asc");
    assert_eq!(
        field(&quotes, "q"),
        column(&server, &path, "sequence_number").join(" ")
    );
}

#[test]
fn a_corrected_print_is_left_out() {
    let mut world = World::tiny();
    let stock = world.stocks.get_mut("XYZ").expect("a ticker of the world");
    let contract = stock.contracts.get_mut(XYZ_CALL).expect("its contract");
    contract.prints.get_mut(&tuesday()).expect("prints")[1].correction = 1;
    let server = start_with(
        world,
        Stream {
            waits_for: vec![Feed::Options],
            ..fast()
        },
    );
    let items = format!("T.{XYZ_CALL}");
    let messages = Client::subscribed(&server, Feed::Options, &items).messages(&server);
    assert_eq!(field(&messages, "q"), "7 21");
}

#[test]
fn days_follow_one_another_and_the_pace_can_change() {
    let wednesday = tuesday().succ_opt().expect("a date");
    let server = start(Stream {
        days: vec![tuesday(), wednesday],
        pace: 0.0,
        waits_for: vec![Feed::Stocks],
        ..fast()
    });
    let mut client = Client::subscribed(&server, Feed::Stocks, "AM.XYZ,A.XYZ,T.XYZ");
    assert_eq!(server.sockets().now(), new_york::at(tuesday(), 9, 29));
    server.sockets().set_pace(1e6);
    let bars = client.messages(&server);
    assert_eq!(field(&bars, "c"), "23.25 24.25 25.25 26.25 27.25 28.25");
}
