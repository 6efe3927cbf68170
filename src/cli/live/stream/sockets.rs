//! The sockets: the vendor's two connections, on a runtime in a thread of their own.

use std::collections::BTreeSet;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use anyhow::Context as _;
use url::Url;

use super::Stream;
use crate::config::Config;
use crate::config::secret::{self, Secret};
use crate::engine::PROXIES;
use crate::live::massive::{self, Patience, SocketSettings};
use crate::live::{Feed, Inbox, Message, wall_clock};
use crate::time::{MINUTE_NS, SECOND_NS, Session as ExchangeSession};

/// The two connections, in a thread of their own.
pub(super) struct Sockets {
    stop: tokio::sync::watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
}

impl Sockets {
    pub(super) fn start(
        stream: &Stream,
        session: &ExchangeSession,
        queue: SyncSender<Message>,
    ) -> anyhow::Result<Sockets> {
        let (key, _) = secret::massive_key(|name| std::env::var(name).ok())?;
        let options = settings(stream, Feed::Options, key.clone());
        let stocks = settings(stream, Feed::Stocks, key);
        let inbox = || Inbox::new(queue.clone(), stream.gauges.clone());
        let (options_inbox, stocks_inbox) = (inbox(), inbox());
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let gauges = [stream.gauges.clone(), stream.gauges.clone()];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the sockets")?;
        let session = *session;
        // A day that somebody named is not now.
        let is_now = stream.args.day.is_none();
        let is_open = move || is_now && session.contains(wall_clock());
        let run = move || {
            let [a, b] = gauges;
            let also = stopped.clone();
            runtime.block_on(async move {
                tokio::join!(
                    massive::run(Feed::Options, options, options_inbox, a, is_open, stopped),
                    massive::run(Feed::Stocks, stocks, stocks_inbox, b, is_open, also),
                )
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new()
            .name("sockets".to_owned())
            .spawn(run);
        Ok(Sockets {
            stop,
            thread: thread.context("cannot start the sockets")?,
        })
    }

    pub(super) fn close(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.join();
    }
}

fn settings(stream: &Stream, feed: Feed, key: Secret) -> SocketSettings {
    let Config { live, massive, .. } = stream.config;
    let seconds = Duration::from_secs_f64;
    let (url, subscriptions) = match feed {
        Feed::Options => (&massive.options_socket_url, vec!["T.*".to_owned()]),
        Feed::Stocks => {
            let names = stream.tickers.iter().map(String::as_str).chain(PROXIES);
            let names: BTreeSet<&str> = names.collect();
            let bars: Vec<String> = names.iter().map(|name| format!("AM.{name}")).collect();
            (&massive.stocks_socket_url, vec![bars.join(",")])
        }
    };
    SocketSettings {
        url: Url::parse(url).expect("the config checks its addresses"),
        key,
        subscriptions,
        // Bars come once a minute.
        stale_after: match feed {
            Feed::Options => seconds(live.stale_seconds),
            Feed::Stocks => seconds(live.stale_seconds + (MINUTE_NS / SECOND_NS) as f64),
        },
        patience: Patience {
            first: seconds(live.reconnect_first_seconds),
            longest: seconds(live.reconnect_longest_seconds),
            ..Patience::default()
        },
    }
}
