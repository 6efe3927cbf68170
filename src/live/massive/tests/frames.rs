//! Frames and words about the connection on their way to whoever takes them, or not.

use std::sync::mpsc::channel;

use tokio_tungstenite::tungstenite::Message as Socket;

use super::server::{Peer, Server, step};
use super::{AT_MOST, Client, MS, Setup, check_retry};

#[test]
fn frames_are_handed_on_as_they_are_and_binary_ones_counted() {
    let server = Server::start(vec![step(|mut peer| {
        peer.welcome(1);
        peer.send(Socket::binary(vec![1, 2, 3]));
        peer.say("[{\"ev\":\"T\",");
        peer.say(&"x".repeat(5 << 20));
        peer.stay();
    })]);
    let client = Client::of(&server);
    client.tells(&["up", "[{\"ev\":\"T\", after 0"]);
    assert_eq!(client.next().len(), (5 << 20) + " after 0".len());
    assert_eq!(client.gauges.malformed.get(), 1);
    client.stop();
}

#[test]
fn a_frame_that_no_memory_should_have_to_hold_ends_the_connection() {
    let huge = |mut peer: Peer| {
        peer.welcome(1);
        peer.say(&"x".repeat(17 << 20));
        peer.stay();
    };
    let reason = "the connection broke: a frame of 17825792 bytes, at most 16777216 are taken";
    check_retry(huge, reason);
}

#[test]
fn a_full_queue_costs_frames_and_stops_nothing() {
    let (go, wait) = channel();
    let server = Server::start(vec![step(move |mut peer: Peer| {
        peer.welcome(1);
        for frame in ["[1]", "[2]", "[3]"] {
            peer.say(frame);
        }
        wait.recv().unwrap();
        peer.say("[4]");
        peer.stay();
    })]);
    let mut setup = Setup::new(&server.url);
    setup.room = 1;
    let client = setup.start();
    // The word that it is up fills the queue.
    while client.gauges.frames.get() < 3 {
        std::thread::sleep(MS);
    }
    client.tells(&["up"]);
    go.send(()).unwrap();
    client.tells(&["[4] after 3"]);
    assert_eq!(client.gauges.dropped_frames.get(), 3);
    client.stop();
}

#[test]
fn a_full_queue_costs_no_word_about_the_connection() {
    let brief = step(|mut peer: Peer| {
        peer.welcome(1);
        peer.vanish();
    });
    let (up, is_up) = channel();
    let still = step(move |mut peer: Peer| {
        peer.welcome(1);
        up.send(()).unwrap();
        peer.stay();
    });
    let server = Server::start(vec![brief, still]);
    let mut setup = Setup::new(&server.url);
    setup.room = 1;
    let client = setup.start();
    is_up.recv_timeout(AT_MOST).unwrap();
    let down = "down: the connection broke: it ended without a close";
    client.tells(&["up", down, "up"]);
    client.stop();
}

#[test]
fn a_refusal_waits_for_room_too() {
    let brief = step(|mut peer: Peer| {
        peer.welcome(1);
        peer.vanish();
    });
    let server = Server::start(vec![brief, step(|peer| peer.answer("403 No"))]);
    let mut setup = Setup::new(&server.url);
    setup.room = 1;
    let client = setup.start();
    server.end();
    let down = "down: the connection broke: it ended without a close";
    let refused = "refused: the server refuses the connection with status 403";
    client.tells(&["up", down, refused]);
    client.ended();
}

#[test]
fn a_client_whose_messages_nobody_takes_ends() {
    let (go, wait) = channel();
    let server = Server::start(vec![step(move |mut peer: Peer| {
        peer.welcome(1);
        wait.recv().unwrap();
        peer.say("[1]");
        peer.stay();
    })]);
    let client = Client::of(&server);
    client.tells(&["up"]);
    let Client {
        messages, thread, ..
    } = client;
    drop(messages);
    go.send(()).unwrap();
    thread.join().unwrap();
}
