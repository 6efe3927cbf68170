//! Delivery against stand-ins of the services on this machine's own loopback.

mod digests;
mod failures;
mod repeats;
mod services;
mod shutdown;
mod stand_in;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use super::*;
use stand_in::{Reply, StandIn};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// What happened, in order: calls of the outbox and answers of the stand-in.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, entry: String) {
        self.0.lock().unwrap().push(entry);
    }

    fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until there is an entry that begins so.
    fn wait_for(&self, entry: &str) {
        let is_there = || self.entries().iter().any(|one| one.starts_with(entry));
        assert!(wait_until(LONG, is_there), "{:?}", self.entries());
    }
}

impl Outbox for Diary {
    fn sending(&self, _channel: &str, ids: &[&str]) -> io::Result<()> {
        self.note(format!("sending {}", ids.join(" ")));
        Ok(())
    }

    fn sent(&self, _channel: &str, ids: &[&str]) -> io::Result<()> {
        self.note(format!("sent {}", ids.join(" ")));
        Ok(())
    }

    fn dead(&self, _channel: &str, ids: &[&str], reason: &str) -> io::Result<()> {
        self.note(format!("dead {}: {reason}", ids.join(" ")));
        Ok(())
    }

    fn not_sent(&self, _channel: &str, ids: &[&str]) -> io::Result<()> {
        self.note(format!("not sent {}", ids.join(" ")));
        Ok(())
    }
}

/// No pace, short waits, three tries, and no timeout that a slow machine could meet.
fn policy() -> Policy {
    Policy {
        tries: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(20),
        limits: Limits {
            telegram_bot: Vec::new(),
            telegram_chat: Vec::new(),
            telegram_group: Vec::new(),
            discord: Vec::new(),
            slack: Vec::new(),
            webhook: Vec::new(),
        },
        timeouts: Timeouts {
            connect: LONG,
            call: LONG,
        },
        ..Policy::default()
    }
}

fn alert(id: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        at: Ts::parse_rfc3339("2025-03-14T14:00:00Z").unwrap(),
        text: format!("{id} in full"),
        headline: format!("{id} in short"),
    }
}

fn telegram(at: &Url) -> Service {
    Service::Telegram {
        api_url: at.clone(),
        bot_token: Secret::new("123456:AAF-sesame_token"),
        chat_id: Secret::new("-1001234567"),
    }
}

fn discord(at: &Url) -> Service {
    Service::Discord {
        webhook: Secret::new(format!("{at}api/webhooks/77001122/sesame-token")),
    }
}

fn slack(at: &Url) -> Service {
    Service::Slack {
        webhook: Secret::new(format!("{at}services/T0001122/B0003344/sesametoken")),
    }
}

fn webhook(at: &Url) -> Service {
    Service::Webhook {
        url: Secret::new(format!("{at}hook?key=sesame-token")),
    }
}

type Make = fn(&Url) -> Service;
const ALL: [Make; 4] = [telegram, discord, slack, webhook];

/// A deliverer with one channel, `main`, to a stand-in.
struct Bench {
    deliverer: Deliverer,
    server: StandIn,
    diary: Diary,
    gauges: Arc<Gauges>,
    folder: TempDir,
}

impl Bench {
    fn new(service: Make, script: Vec<Reply>) -> Bench {
        Bench::with(policy(), service, script)
    }

    fn with(policy: Policy, service: Make, script: Vec<Reply>) -> Bench {
        let diary = Diary::default();
        let server = StandIn::start(script, diary.clone());
        let folder = tempfile::tempdir().unwrap();
        let gauges = Arc::new(Gauges::default());
        let channel = Channel {
            name: "main".to_owned(),
            service: service(&server.url),
        };
        let deliverer = Deliverer::start(
            vec![channel],
            policy,
            Arc::new(diary.clone()),
            Arc::clone(&gauges),
            folder.path().join("dead.ndjson"),
        );
        Bench {
            deliverer: deliverer.unwrap(),
            server,
            diary,
            gauges,
            folder,
        }
    }

    fn send(&self, alert: Alert) {
        self.deliverer.send("main", alert, Before::Nothing);
    }

    /// Waits until everything is over and returns what happened.
    fn diary(&self) -> Vec<String> {
        assert!(self.deliverer.drain(LONG), "{:?}", self.diary.entries());
        self.diary.entries()
    }

    fn dead_letters(&self) -> Vec<Value> {
        let file = std::fs::read_to_string(self.folder.path().join("dead.ndjson"));
        let text = file.unwrap_or_default();
        let letters = text.lines().map(serde_json::from_str);
        letters.map(Result::unwrap).collect()
    }
}
