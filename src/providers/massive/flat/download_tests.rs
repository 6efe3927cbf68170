//! Downloads that break, stall, meet a new version or are told to stop.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::bucket::*;
use super::*;

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let server = Server::start(|number, request| {
        let whole = object(request, "v1", &bytes(50_000));
        match number {
            0 => whole.cut(20_001),
            1 => whole.cut(17),
            _ => whole,
        }
    });
    assert_eq!(read(&server.files()).unwrap(), bytes(50_000));
    let requests = server.requests();
    assert!(
        requests[1].contains("range: bytes=20001-\n"),
        "{}",
        requests[1]
    );
    assert!(requests[1].contains("if-match: \"v1\"\n"));
    assert!(requests[2].contains("range: bytes=20018-\n"));
}

#[test]
fn a_stalled_download_counts_as_broken() {
    let server = Server::start(|number, request| {
        let mut whole = object(request, "v1", &bytes(5_000));
        if number == 0 {
            whole = whole.cut(3_000);
            whole.hang = Duration::from_millis(600);
        }
        whole
    });
    assert_eq!(read(&server.files()).unwrap(), bytes(5_000));
}

#[test]
fn breaks_without_progress_end_patience() {
    let server = Server::start(|_, request| object(request, "v1", &bytes(5_000)).cut(10));
    let error = fails(&server);
    assert!(
        matches!(error, S3Error::Exhausted { tries: 3, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_without_parts_sends_it_again_and_no_byte_is_seen_twice() {
    let server = Server::start(|number, _| {
        let whole = object("", "v1", &bytes(50_000));
        match number {
            0 => whole.cut(20_001),
            // Breaks again among the bytes that were seen.
            1 => whole.cut(9_000),
            _ => whole,
        }
    });
    assert_eq!(read(&server.files()).unwrap(), bytes(50_000));
}

#[test]
fn bytes_that_were_inflated_on_the_way_are_passed_over_too() {
    let text: Vec<u8> = (0..20_000)
        .flat_map(|n: u32| (n * n).to_string().into_bytes())
        .collect();
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&text).unwrap();
    let gz = gz.finish().unwrap();
    let server = Server::start(move |number, _| {
        let whole = object("", "v1", &gz).header("Content-Encoding", "gzip");
        match number {
            0 => whole.cut(gz.len() / 2),
            _ => whole,
        }
    });
    assert_eq!(read(&server.files()).unwrap(), text);
    assert!(!server.requests()[1].contains("range:"));
}

#[test]
fn a_file_replaced_in_the_middle_has_to_be_begun_again() {
    for knows_parts in [true, false] {
        let server = Server::start(move |number, request| match number {
            0 => object(request, "v1", &bytes(50_000)).cut(20_001),
            _ if knows_parts => object(request, "v2", &bytes(60_000)),
            _ => object("", "v2", &bytes(60_000)),
        });
        let error = fails(&server);
        let expected =
            format!("flatfiles/{KEY} was replaced while it was read: ETag was v1, is v2");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn another_part_than_asked_for_is_not_taken() {
    let server = Server::start(|number, request| match number {
        0 => object(request, "v1", &bytes(5_000)).cut(1_000),
        _ => reply(206, &bytes(5_000)[900..])
            .header("ETag", "\"v1\"")
            .header("Content-Range", "bytes 900-4999/5000"),
    });
    assert!(matches!(fails(&server), S3Error::Exhausted { .. }));
}

#[test]
fn the_wish_to_stop_is_noticed_in_a_wait_and_between_chunks() {
    let stop = Arc::new(AtomicBool::new(false));
    let wish = stop.clone();
    let server = Server::start(move |_, _| {
        wish.store(true, Ordering::SeqCst);
        error(503, "SlowDown", "").header("Retry-After", "100")
    });
    let error = read(&server.files_until(stop)).unwrap_err();
    assert!(matches!(error, S3Error::Stopped { .. }));

    let stop = Arc::new(AtomicBool::new(false));
    let server = Server::start(|_, request| object(request, "v1", &bytes(5_000)));
    let mut download = server.files_until(stop.clone()).get(KEY).unwrap();
    download.read_exact(&mut [0; 10]).unwrap();
    stop.store(true, Ordering::SeqCst);
    let error = download.read(&mut [0; 10]).unwrap_err();
    assert!(matches!(
        error.downcast::<S3Error>().unwrap(),
        S3Error::Stopped { .. }
    ));
}

#[test]
fn a_broken_download_is_a_broken_download_to_the_reader_of_trades() {
    let read = |etag: &'static str| {
        let server = Server::start(move |number, request| {
            let mut gz = GzEncoder::new(Vec::new(), Compression::none());
            gz.write_all(&b"ticker,conditions,correction,exchange,price,sip_timestamp,size\n"[..])
                .unwrap();
            for _ in 0..10_000 {
                gz.write_all(&b"O:TSLA261120C00410000,219,0,312,6.35,1791988801123000000,10\n"[..])
                    .unwrap();
            }
            let gz = gz.finish().unwrap();
            match number {
                0 => object(request, "v1", &gz).cut(100_000),
                _ => object(request, etag, &gz),
            }
        });
        let download = server.files().get(KEY).unwrap();
        let date = "2026-10-14".parse().unwrap();
        let mut trades = Trades::open(download, KEY, date, |_: &str| true)?;
        let prints = trades.next_contract()?.map(|group| group.prints.len());
        assert_eq!(trades.next_contract()?, None);
        Ok(prints)
    };
    assert_eq!(
        read("v1")
            .map_err(|error: FlatFileError| error.to_string())
            .unwrap(),
        Some(10_000)
    );
    let error = read("v2").unwrap_err();
    assert!(
        matches!(error, FlatFileError::Download(S3Error::Reissued { .. })),
        "{error:?}"
    );
}
