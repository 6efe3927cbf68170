//! The stand-in itself, asked by a plain client.

/// Whatever can go wrong does, when told.
mod faults;
/// Answers as documented.
mod rest;
/// Flat files.
mod s3;
/// The sockets.
#[cfg(feature = "live")]
mod ws;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Options, Server, World};

fn start(options: Options) -> Server {
    Server::start(Arc::new(World::tiny()), options)
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(20)));
    config.build().new_agent()
}

/// Status and body of a GET with the key.
fn get(server: &Server, url: &str) -> (u16, String) {
    let key = format!("Bearer {}", Options::default().api_key);
    let url = match url.starts_with('/') {
        true => format!("{}{url}", server.rest_url()),
        false => url.to_owned(),
    };
    let request = agent().get(url).header("Authorization", key);
    let mut response = request.call().expect("the server answers");
    let status = response.status().as_u16();
    (
        status,
        response.body_mut().read_to_string().expect("a whole body"),
    )
}

fn json(server: &Server, url: &str) -> Value {
    let (status, body) = get(server, url);
    assert_eq!(status, 200, "{url}: {body}");
    serde_json::from_str(&body).expect("the body is JSON")
}

/// One field of all rows of all pages.
fn column(server: &Server, path: &str, field: &str) -> Vec<String> {
    let (mut url, mut found) = (path.to_owned(), Vec::new());
    for _page in 0..20 {
        let page = json(server, &url);
        let rows = page["results"].as_array().into_iter().flatten();
        found.extend(rows.map(|row| row[field].to_string().replace('"', "")));
        match page["next_url"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return found,
        }
    }
    found.push("no end".to_owned());
    found
}

fn check(path: &str, field: &str, expected: &str) {
    let server = start(Options::default());
    assert_eq!(column(&server, path, field).join(" "), expected, "{path}");
    let options = Options {
        page_cap: 1,
        chunked: true,
        ..Options::default()
    };
    let server = start(options);
    assert_eq!(
        column(&server, path, field).join(" "),
        expected,
        "{path} by single rows"
    );
}
