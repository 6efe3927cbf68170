//! A vendor on this machine: serves a small synthetic market over the vendor's REST interface and as
//! flat files, so that `flowlab fetch` can be tried without a key. Ends with Ctrl-C.
//!
//! ```sh
//! cargo run --release --example stand_in -- 8090 8091
//! ```
//!
//! With `--stream` its last session has not happened yet: it is told over the sockets, so many times as
//! fast as it was, from the moment at which somebody has subscribed to both.
//!
//! ```sh
//! cargo run --release --example stand_in -- 8090 8091 --stream 60
//! ```

#[path = "../tests/standin/mod.rs"]
#[expect(dead_code, reason = "tests use all of it, the example a part")]
mod standin;
#[path = "../tests/synthetic_world.rs"]
mod synthetic_world;

use std::sync::Arc;

use chrono::NaiveDate;
use flowlab::time::Calendar;

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let stream = args.iter().position(|arg| arg == "--stream");
    let pace = stream.map(|place| args.split_off(place)).map(|stream| {
        let pace = stream.get(1).and_then(|text| text.parse().ok());
        pace.expect("a pace is a number of seconds per second")
    });
    let port = |place: usize, usual: u16| {
        let given = args.get(place).map(|text| text.parse());
        given.unwrap_or(Ok(usual)).expect("a port is a number")
    };
    let (rest, s3) = (port(0, 8090), port(1, 8091));
    let recipe = synthetic_world::Recipe {
        tickers: &["SPY", "QQQ", "TSLA", "NVDA", "AAPL"],
        start: NaiveDate::from_ymd_opt(2025, 11, 3).expect("a date"),
        sessions: 15,
        warmup_sessions: 30,
        events_per_day: 120,
        seed: 1,
    };
    let world = recipe.world(&Calendar::shipped());
    let mut options = standin::Options {
        ports: Some((rest, s3)),
        ..standin::Options::default()
    };
    if let Some(pace) = pace {
        stream_last_session(&mut options, &world, pace);
    }
    let key = options.api_key.clone();
    let (id, secret) = (options.s3_key_id.clone(), options.s3_secret.clone());
    let server = standin::Server::start(Arc::new(world), options);
    println!("export MASSIVE_API_KEY={key}");
    println!("export MASSIVE_S3_ACCESS_KEY_ID={id}");
    println!("export MASSIVE_S3_SECRET_ACCESS_KEY={secret}");
    if pace.is_some() {
        print_sockets(&server);
    }
    println!(
        "# REST {}, flat files {}",
        server.rest_url(),
        server.s3_url()
    );
    loop {
        std::thread::park();
    }
}

/// The port of the sockets.
#[cfg(feature = "live")]
const SOCKETS: u16 = 8092;

#[cfg(feature = "live")]
fn stream_last_session(options: &mut standin::Options, world: &standin::World, pace: f64) {
    let last = world.sessions.keys().next_back();
    options.stream = Some(standin::ws::Stream {
        port: SOCKETS,
        days: last.copied().into_iter().collect(),
        pace,
        ..standin::ws::Stream::default()
    });
}

/// The addresses as `config.yaml` has them, in comments, for the rest is read by a shell.
#[cfg(feature = "live")]
fn print_sockets(server: &standin::Server) {
    use standin::ws::Feed::{Options, Stocks};
    let sockets = server.sockets();
    println!("# for `flowlab live`:");
    println!("# massive:");
    println!("#   rest_url: \"{}\"", server.rest_url());
    println!("#   options_socket_url: \"{}\"", sockets.url(Options));
    println!("#   stocks_socket_url: \"{}\"", sockets.url(Stocks));
}

#[cfg(not(feature = "live"))]
fn stream_last_session(_: &mut standin::Options, _: &standin::World, _: f64) {
    panic!("--stream takes the feature `live`");
}

#[cfg(not(feature = "live"))]
fn print_sockets(_: &standin::Server) {}
