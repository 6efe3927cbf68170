//! What makes no further try worth while is said, and ends the program.

use expect_test::expect;

use super::DAY;
use super::stage::{Stage, stream};
use crate::standin::ws::Feed;
use crate::standin::ws::faults::{Plan, SocketFault, Trouble};

/// What the program says when `trouble` strikes every connection of `feed`.
fn refused(feed: Feed, trouble: Trouble) -> (Stage, String) {
    let stage = Stage::new(DAY, stream(DAY, Plan::default()));
    let fault = SocketFault::on(feed, trouble).times(usize::MAX);
    stage.server.sockets().inject(fault);
    let status = stage.listen("--quiet").ends();
    assert_eq!(status.code(), Some(1), "{}", stage.said());
    let said = stage.said();
    let last = said.rfind("error: ").expect("it ends with an error");
    (stage, said[last..].to_owned())
}

#[test]
fn a_key_that_is_refused_is_told_by_name_and_not_tried_again() {
    let (stage, said) = refused(Feed::Options, Trouble::AuthFailed);
    expect![[r#"
        error: the vendor refuses the options feed: the server does not accept the key
        hint: the key goes into POLYGON_MASSIVE_KEY, and its plan has to have the websockets of options and stocks
    "#]]
    .assert_eq(&said);
    assert_eq!(
        stage.server.sockets().counts(Feed::Options).auth_attempts,
        1
    );
}

#[test]
fn a_channel_that_the_plan_lacks_is_told_by_name() {
    let (_, said) = refused(Feed::Options, Trouble::NotAuthorized("T.*".to_owned()));
    expect![[r#"
        error: the vendor refuses the options feed: the plan does not include T.*
        hint: the key goes into POLYGON_MASSIVE_KEY, and its plan has to have the websockets of options and stocks
    "#]]
    .assert_eq(&said);
    let (stage, said) = refused(Feed::Stocks, Trouble::NotAuthorized("AM.SPY".to_owned()));
    expect![[r#"
        error: the vendor refuses the stocks feed: the plan does not include AM.QQQ,AM.SPY,AM.TSLA
        hint: the key goes into POLYGON_MASSIVE_KEY, and its plan has to have the websockets of options and stocks
    "#]]
    .assert_eq(&said);
    assert_eq!(stage.server.sockets().counts(Feed::Stocks).auth_attempts, 1);
}

#[test]
fn another_process_with_the_key_is_said_and_waited_for() {
    let stage = Stage::new(DAY, stream(DAY, Plan::default()));
    let fault = SocketFault::on(Feed::Options, Trouble::MaxConnections).skip(20);
    stage.server.sockets().inject(fault);
    let mut live = stage.listen("");
    live.until("a word", |stage| {
        stage.said().contains("another process uses the key")
    });
    assert!(
        stage.said().contains("next try in 60.0s"),
        "{}",
        stage.said()
    );
    live.interrupt();
}
