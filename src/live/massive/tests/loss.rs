//! Connections that end, and what comes after them.

use std::net::TcpListener;
use std::sync::mpsc::channel;

use tokio_tungstenite::tungstenite::Message as Socket;
use url::Url;

use super::server::{Peer, Server, step};
use super::{AT_MOST, Client, MS, Setup, check_retry, good};
use crate::live::Feed;

#[test]
fn what_may_pass_is_tried_again() {
    let late = |mut peer: Peer| {
        peer.greet();
        peer.status("auth_timeout", "No authentication request received.");
        peer.close(1008, "");
    };
    check_retry(late, "the server got no key in time");
    let slow = |mut peer: Peer| {
        peer.welcome(1);
        peer.close(1008, "slow consumer");
    };
    check_retry(slow, "the server closed the connection: 1008 slow consumer");
    let broken = |mut peer: Peer| {
        peer.welcome(1);
        peer.vanish();
    };
    check_retry(broken, "the connection broke: it ended without a close");
    let trouble = |mut peer: Peer| {
        peer.greet();
        peer.status("error", "internal error");
        peer.stay();
    };
    check_retry(trouble, "the server reports an error: internal error");
}

#[test]
fn every_return_is_counted() {
    let brief = || {
        step(|mut peer: Peer| {
            peer.welcome(1);
            peer.vanish();
        })
    };
    let server = Server::start(vec![brief(), brief(), good()]);
    let client = Client::of(&server);
    let down = "down: the connection broke: it ended without a close";
    client.tells(&["up", down, "up", down, "up", "[1] after 0"]);
    assert_eq!(client.reconnects(), 2);
    client.stop();
}

#[test]
fn a_server_that_is_gone_for_a_while_is_found_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = Url::parse(&format!("ws://{address}")).unwrap();
    let client = Setup::new(&url).start();
    for _ in 0..3 {
        let line = client.next();
        assert!(
            line.starts_with(&format!("down: cannot connect to {address}: ")),
            "{line}"
        );
    }
    let server = Server::on(TcpListener::bind(address).unwrap(), vec![good()]);
    while client.next() != "up" {}
    client.tells(&["[1] after 0"]);
    client.stop();
    server.end();
}

#[test]
fn another_process_with_the_key_is_named_also_in_the_midst_of_data() {
    let busy = |mut peer: Peer| {
        peer.welcome(1);
        peer.say(r#"[{"ev":"status","status":"max_connections","message":"limit"},7]"#);
        peer.stay();
    };
    let server = Server::start(vec![step(busy), good()]);
    let client = Client::of(&server);
    let data = r#"[{"ev":"status","status":"max_connections","message":"limit"},7] after 0"#;
    let down = "down: another process uses the key: limit";
    client.tells(&["up", data, down, "up", "[1] after 0"]);
    client.stop();
}

#[test]
fn a_busy_key_has_a_wait_of_its_own() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(1);
        peer.status("max_connections", "limit");
        peer.stay();
    })]);
    let url = server.url.clone();
    let mut setup = Setup::new(&url);
    setup.settings.patience.busy_wait = AT_MOST;
    let client = setup.start();
    client.tells(&["up", "down: another process uses the key: limit"]);
    // The server does not answer any more: another try would be told.
    server.end();
    std::thread::sleep(100 * MS);
    assert!(client.messages.try_recv().is_err());
    client.stop();
}

#[test]
fn silence_in_an_open_session_is_a_lost_connection() {
    let silent = step(|mut peer: Peer| {
        peer.welcome(1);
        peer.stay();
    });
    let server = Server::start(vec![silent, good()]);
    let mut setup = Setup::new(&server.url);
    setup.settings.stale_after = 400 * MS;
    // As many as the limit has steps: once it has been reached, the session is closed.
    setup.open_checks = 8;
    let client = setup.start();
    while client.next() != "down: no data for 400ms while the session is open" {}
    client.tells(&["up", "[1] after 0"]);
    client.stop();
}

#[test]
fn silence_of_a_closed_session_means_nothing() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(1);
        std::thread::sleep(200 * MS);
        peer.say("[1]");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.stale_after = 20 * MS;
    setup.open_checks = 0;
    let client = setup.start();
    client.tells(&["up", "[1] after 0"]);
    assert!(!client.gauges.is_stale[Feed::Options as usize].is_on());
    client.stop();
}

#[test]
fn a_server_that_does_not_answer_pings_is_dead() {
    let (go, wait) = channel::<()>();
    let deaf = step(move |mut peer: Peer| {
        peer.welcome(1);
        wait.recv().ok();
    });
    // A slow machine may look dead too: it gets more than one chance.
    let server = Server::start(vec![deaf, good(), good(), good()]);
    let mut setup = Setup::new(&server.url);
    setup.settings.patience.ping_every = 100 * MS;
    setup.settings.patience.dead_after = 500 * MS;
    let client = setup.start();
    while client.next() != "down: nothing was heard for 500ms, not even an answer to a ping" {}
    drop(go);
    while client.next() != "[1] after 0" {}
    client.stop();
}

#[test]
fn pings_go_out_and_those_of_the_server_are_answered() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(1);
        while peer.hear().as_deref() != Some("ping") {}
        peer.send(Socket::Ping(bytes::Bytes::new()));
        peer.say("[1]");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.settings.patience.ping_every = 20 * MS;
    let client = setup.start();
    client.tells(&["up", "[1] after 0"]);
    client.stop();
}

#[test]
fn a_stop_ends_whatever_is_under_way() {
    // No handshake, no greeting, no answer to the key, no answer to the close.
    for reach in 0..4 {
        let (arrived, is_there) = channel();
        let (go, wait) = channel::<()>();
        let server = Server::start(vec![step(move |mut peer: Peer| {
            match reach {
                0 => {}
                1 => peer.greet(),
                2 => peer.welcome(0),
                _ => peer.welcome(1),
            }
            arrived.send(()).unwrap();
            wait.recv().ok();
        })]);
        let client = Client::of(&server);
        is_there.recv_timeout(AT_MOST).unwrap();
        client.stop();
        drop(go);
        server.end();
    }
}
