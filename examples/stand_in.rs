//! A vendor on this machine: serves a small synthetic market over the vendor's REST interface and as
//! flat files, so that `flowlab fetch` can be tried without a key. Ends with Ctrl-C.
//!
//! ```sh
//! cargo run --release --example stand_in -- 8090 8091
//! ```

#[path = "../tests/standin/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "tests use all of it, the example a part"
)]
mod standin;
#[path = "../tests/synthetic_world.rs"]
mod synthetic_world;

use std::sync::Arc;

use chrono::NaiveDate;
use flowlab::time::Calendar;

fn main() {
    let port = |place: usize, usual: u16| {
        let given = std::env::args().nth(place).map(|text| text.parse());
        given.unwrap_or(Ok(usual)).expect("a port is a number")
    };
    let (rest, s3) = (port(1, 8090), port(2, 8091));
    let recipe = synthetic_world::Recipe {
        tickers: &["SPY", "QQQ", "TSLA", "NVDA", "AAPL"],
        start: NaiveDate::from_ymd_opt(2025, 11, 3).expect("a date"),
        sessions: 15,
        warmup_sessions: 30,
        events_per_day: 120,
        seed: 1,
    };
    let world = recipe.world(&Calendar::shipped());
    let options = standin::Options {
        ports: Some((rest, s3)),
        ..standin::Options::default()
    };
    let key = options.api_key.clone();
    let (id, secret) = (options.s3_key_id.clone(), options.s3_secret.clone());
    let server = standin::Server::start(Arc::new(world), options);
    println!("export MASSIVE_API_KEY={key}");
    println!("export MASSIVE_S3_ACCESS_KEY_ID={id}");
    println!("export MASSIVE_S3_SECRET_ACCESS_KEY={secret}");
    println!(
        "# REST {}, flat files {}",
        server.rest_url(),
        server.s3_url()
    );
    loop {
        std::thread::park();
    }
}
