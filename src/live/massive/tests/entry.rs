//! From the handshake to the last confirmation: what lets the feed come up, and what refuses it.

use std::sync::mpsc::channel;

use url::Url;

use super::server::{Peer, Server, step};
use super::{Client, KEY, MS, Setup, check_refusal, check_retry, good};

#[test]
fn a_feed_is_up_once_every_subscription_is_confirmed() {
    let (go, wait) = channel();
    let server = Server::start(vec![step(move |mut peer: Peer| {
        peer.welcome(1);
        peer.say("[\"early\"]");
        wait.recv().unwrap();
        peer.confirm();
        peer.say("[\"late\"]");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.subscriptions = vec!["T.*".to_owned(), "AM.SPY,AM.QQQ".to_owned()];
    let client = setup.start();
    client.tells(&["[\"early\"] after 0"]);
    assert!(!client.is_up());
    go.send(()).unwrap();
    client.tells(&["up", "[\"late\"] after 0"]);
    assert!(client.is_up());
    assert_eq!((client.gauges.frames.get(), client.reconnects()), (2, 0));
    client.stop();
    assert_eq!(
        server.end(),
        [
            &format!(r#"{{"action":"auth","params":"{KEY}"}}"#),
            r#"{"action":"subscribe","params":"T.*"}"#,
            r#"{"action":"subscribe","params":"AM.SPY,AM.QQQ"}"#,
            "close Some(1000)",
        ]
    );
}

#[test]
fn a_subscription_that_is_held_already_gets_no_answer() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(0);
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.patience.confirm = 50 * MS;
    let client = setup.start();
    client.tells(&["up"]);
    client.stop();
}

#[test]
fn a_wrong_key_is_not_tried_again() {
    let wrong = |mut peer: Peer| {
        peer.greet();
        peer.status("auth_failed", "authentication failed");
        peer.stay();
    };
    check_refusal(wrong, "the server does not accept the key");
}

#[test]
fn a_plan_without_the_feed_is_told_by_the_subscription() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(1);
        peer.hear();
        peer.status("error", "not authorized");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.subscriptions = vec!["T.*".to_owned(), "Q.O:X".to_owned()];
    let client = setup.start();
    client.tells(&["refused: the plan does not include Q.O:X"]);
    client.ended();
}

#[test]
fn a_late_refusal_is_of_what_was_never_confirmed() {
    let (go, wait) = channel();
    let server = Server::start(vec![step(move |mut peer: Peer| {
        peer.welcome(0);
        wait.recv().unwrap();
        peer.status("error", "not authorized");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.patience.confirm = 50 * MS;
    let client = setup.start();
    client.tells(&["up"]);
    go.send(()).unwrap();
    client.tells(&["refused: the plan does not include T.*"]);
    client.ended();
}

#[test]
fn a_handshake_that_is_forbidden_is_final_and_another_answer_is_not() {
    for status in [401, 403] {
        check_refusal(
            move |peer| peer.answer(&format!("{status} No")),
            &format!("the server refuses the connection with status {status}"),
        );
    }
    for status in [429, 503, 301] {
        check_retry(
            move |peer| peer.answer(&format!("{status} Later")),
            &format!("the server answered the handshake with status {status}"),
        );
    }
}

#[test]
fn an_address_of_another_kind_is_refused_and_a_server_without_tls_is_not_trusted() {
    let server = Server::start(vec![step(drop), step(Peer::blurt)]);
    let mut http = server.url.clone();
    http.set_scheme("http").unwrap();
    let client = Setup::new(&http).start();
    client.tells(&["refused: the address is not one of a websocket"]);
    client.ended();
    let wss = server.url.as_str().replace("ws:", "wss:");
    let client = Setup::new(&Url::parse(&wss).unwrap()).start();
    let line = client.next();
    let expected = format!(
        "down: cannot connect to {}:",
        &wss["wss://".len()..].trim_end_matches("/options")
    );
    assert!(line.starts_with(&expected), "{line}");
    client.stop();
}

#[test]
fn the_key_is_in_no_word_of_the_client() {
    let tell_tale = || {
        step(|mut peer: Peer| {
            peer.greet();
            peer.status("error", &format!("unknown key {KEY}"));
            peer.stay();
        })
    };
    let close = step(|mut peer: Peer| {
        peer.greet();
        peer.close(1008, &format!("bye {KEY}"));
    });
    let server = Server::start(vec![tell_tale(), close, good()]);
    let client = Client::of(&server);
    client.tells(&[
        "down: the server reports an error: unknown key ..",
        "down: the server closed the connection: 1008 bye ..",
        "up",
    ]);
    client.stop();
}
