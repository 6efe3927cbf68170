//! Messages of which nobody knows whether they arrived.

use super::*;

const MARK: &str = "Possibly a repeat: an earlier try was not confirmed\n";

#[test]
fn an_alert_of_which_nobody_knows_is_sent_again_and_says_so() {
    for service in ALL {
        let bench = Bench::new(service, Vec::new());
        bench.deliverer.send("main", alert("a"), Before::MaybeSent);
        assert_eq!(bench.diary(), ["sending a", "answer 200", "sent a"]);
        assert_eq!(bench.server.texts(), [format!("{MARK}a in full")]);
    }
}

#[test]
fn an_answer_that_was_lost_makes_the_next_try_a_possible_repeat() {
    for service in ALL {
        for lost in [
            Reply::HangUp,
            Reply::Reset,
            Reply::Answer(504, "", "no answer from behind".to_owned()),
        ] {
            let bench = Bench::new(service, vec![lost]);
            bench.send(alert("a"));
            bench.send(alert("b"));
            assert_eq!(bench.diary().last().unwrap(), "sent b");
            assert_eq!(
                bench.server.texts(),
                [format!("{MARK}a in full"), "b in full".to_owned()]
            );
        }
    }
}

#[test]
fn a_service_that_never_answers_is_asked_again() {
    let impatient = Policy {
        timeouts: Timeouts {
            connect: LONG,
            call: Duration::from_secs(1),
        },
        tries: 10,
        ..policy()
    };
    let bench = Bench::with(impatient, webhook, vec![Reply::Silence]);
    bench.send(alert("a"));
    let diary = bench.diary();
    assert_eq!(diary[..2], ["sending a", "silence"]);
    assert_eq!(diary.last().unwrap(), "sent a");
    let last = bench.server.accepted().pop().unwrap();
    assert_eq!(last.body["maybe_repeat"], true);
    assert_eq!(last.body["text"], format!("{MARK}a in full"));
}

#[test]
fn an_answer_that_no_service_gives_confirms_nothing() {
    let portal = || Reply::Answer(200, "", "<html>please log in</html>".to_owned());
    for service in [telegram as Make, discord, slack] {
        let bench = Bench::new(service, vec![portal(), portal(), portal()]);
        bench.send(alert("a"));
        assert_eq!(
            bench.diary().last().unwrap(),
            "dead a: 200, but not the answer of this service, the last of 3 tries"
        );
    }
}
