use std::collections::BTreeSet;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Error;

use super::super::super::ws::{Feed, Stream};
use super::{Client, fast, start};

/// Nobody subscribes on the other feed, so nothing moves.
fn still() -> Stream {
    fast()
}

#[test]
fn a_wrong_key_is_told_and_the_connection_closed() {
    let server = start(still());
    let mut client = Client::connect(&server, Feed::Options).expect("the door is open");
    assert_eq!(client.status(), "connected: Connected Successfully");
    client.ask("auth", "another key");
    assert_eq!(client.status(), "auth_failed: authentication failed");
    assert_eq!(client.frames(&server), ["close 1000"]);
    assert_eq!(server.sockets().counts(Feed::Options).auth_attempts, 1);
}

#[test]
fn who_does_not_authenticate_is_sent_away() {
    let server = start(Stream {
        auth_timeout: Duration::from_millis(1),
        ..still()
    });
    let mut client = Client::connect(&server, Feed::Stocks).expect("the door is open");
    assert_eq!(client.status(), "connected: Connected Successfully");
    let told = "auth_timeout: No authentication request received.";
    assert_eq!(client.status(), told);
    assert_eq!(client.frames(&server), ["close 1000"]);
}

#[test]
fn a_subscription_is_confirmed_item_by_item() {
    let server = start(still());
    let mut client = Client::enter(&server, Feed::Options);
    // A channel nobody has and an item that is held already get no answer, an unknown ticker does.
    client.ask("subscribe", "T.*,LULD.*,T.*,Q.O:NONE251010C00020000,Q.*");
    assert_eq!(client.status(), "success: subscribed to: T.*");
    let quotes = "Q.O:NONE251010C00020000";
    assert_eq!(client.status(), format!("success: subscribed to: {quotes}"));
    assert_eq!(client.status(), "error: not authorized");
    let held = BTreeSet::from([quotes.to_owned(), "T.*".to_owned()]);
    assert_eq!(server.sockets().subscribed(Feed::Options), held);
    client.ask("unsubscribe", "T.*,T.O:NONE251010C00020000");
    assert_eq!(client.status(), "success: unsubscribed to: T.*");
    assert_eq!(server.sockets().counts(Feed::Options).subscriptions, 2);
}

#[test]
fn quotes_are_for_a_thousand_contracts() {
    let server = start(still());
    let mut client = Client::enter(&server, Feed::Options);
    let items: Vec<String> = (0..=1_000).map(|n| format!("Q.O:XYZ{n}")).collect();
    client.ask("subscribe", &items.join(","));
    for item in &items[..1_000] {
        assert_eq!(client.status(), format!("success: subscribed to: {item}"));
    }
    assert_eq!(client.status(), "error: not authorized");
}

#[test]
fn before_the_key_there_are_no_subscriptions() {
    let server = start(still());
    let mut client = Client::connect(&server, Feed::Stocks).expect("the door is open");
    assert_eq!(client.status(), "connected: Connected Successfully");
    client.ask("subscribe", "AM.*");
    client.ask("auth", &super::Options::default().api_key);
    assert_eq!(client.status(), "auth_success: authenticated");
    assert!(server.sockets().subscribed(Feed::Stocks).is_empty());
}

#[test]
fn a_second_connection_drives_out_the_first() {
    let server = start(still());
    let mut first = Client::enter(&server, Feed::Options);
    let _second = Client::enter(&server, Feed::Options);
    let _other_feed = Client::enter(&server, Feed::Stocks);
    assert!(first.status().starts_with("max_connections: Maximum"));
    assert_eq!(first.frames(&server), ["close 1008"]);
    assert_eq!(server.sockets().counts(Feed::Options).connections, 2);
}

#[test]
fn there_are_two_feeds() {
    let server = start(still());
    let url = server
        .sockets()
        .url(Feed::Stocks)
        .replace("stocks", "crypto");
    let refused = tokio_tungstenite::tungstenite::connect(url);
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 404));
}
