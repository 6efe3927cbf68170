//! The whole client against a scripted server: what arrives there, and what comes out here.

mod endpoints;
mod faults;
mod pages;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::NaiveDate;

use super::loopback::{Reply, Server};
use super::*;
use crate::flow::Print;
use crate::time::Ts;

const KEY: &str = "sesame-1234";
const CONTRACT: &str = "TSLA261120C00410000";

fn quick() -> Settings {
    let mut settings = Settings::new("http://127.0.0.1:1".parse().unwrap());
    settings.pacing = Pacing {
        max_per_second: 10_000.0,
        pause: Duration::from_millis(1),
        small_plan_calls: 5,
        small_plan_window: Duration::from_millis(5),
    };
    settings.retries = Retries {
        tries: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
    };
    settings
}

fn massive(server: &Server) -> Massive {
    with(server, quick(), Arc::default())
}

fn with(server: &Server, mut settings: Settings, stop: Arc<AtomicBool>) -> Massive {
    settings.rest_url = server.url.clone();
    Massive::new(settings, Secret::new(KEY), stop).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Sizes stand for prints: what differs between two rows is the size alone.
fn page(sizes: &[i64], next_url: Option<&str>) -> String {
    let rows: Vec<String> = sizes.iter().map(|size| row(*size)).collect();
    body(&rows, next_url)
}

fn row(size: i64) -> String {
    format!(
        r#"{{"conditions":[219],"exchange":312,"price":6.35,"sip_timestamp":1500,"size":{size}}}"#
    )
}

fn body(rows: &[String], next_url: Option<&str>) -> String {
    let next = next_url.map_or(String::new(), |url| format!(r#","next_url":"{url}""#));
    let rows = rows.join(",");
    format!(r#"{{"status":"OK","request_id":"a","results":[{rows}]{next}}}"#)
}

fn trades(massive: &Massive) -> Result<Fetched<Print>, MassiveError> {
    massive.trades(CONTRACT, Ts::from_ns(1000), Ts::from_ns(2000))
}

fn sizes(massive: &Massive) -> Vec<i64> {
    let rows = trades(massive).unwrap().rows;
    rows.iter().map(|print| print.size).collect()
}
