//! Pages: what is sent, which rows come out, and which links are followed.

use super::*;
use crate::flow::Codes;

#[test]
fn a_print_arrives_as_it_was_sent_and_the_key_is_in_the_header_only() {
    let server = Server::start(|_| vec![Reply::ok(&page(&[10], None)).gzip()]);
    let massive = massive(&server);
    let fetched = trades(&massive).unwrap();
    let expected = Print {
        ts: Ts::from_ns(1500),
        price: 6.35,
        size: 10,
        exchange: 312,
        conditions: Codes::one(219),
        correction: 0,
    };
    assert_eq!(fetched.rows, [expected]);
    let [request] = &server.requests()[..] else {
        panic!("one request");
    };
    assert_eq!(
        request.target,
        "/v3/trades/O:TSLA261120C00410000?timestamp.gte=1000&timestamp.lt=2000&order=asc&sort=timestamp&limit=50000"
    );
    assert_eq!(request.authorization.as_deref(), Some("Bearer sesame-1234"));
    let traffic = massive.traffic();
    assert_eq!((traffic.calls, traffic.retries), (1, 0));
    assert_eq!(traffic.bytes, page(&[10], None).len() as u64);
}

#[test]
fn pages_follow_each_other_and_empty_ones_do_not_end_them() {
    let server = Server::start(|url| {
        let next = |cursor| format!("{url}/v3/trades/x?cursor={cursor}");
        vec![
            Reply::ok(&page(&[1, 2], Some(&next("b")))),
            Reply::ok(&page(&[], Some(&next("c")))),
            Reply::ok(&format!(
                r#"{{"status":"DELAYED","request_id":7,"next_url":"{}"}}"#,
                next("d")
            )),
            Reply::ok(&format!(r#"{{"results":null,"next_url":"{}"}}"#, next("e"))),
            Reply::ok(&page(&[3], Some(""))),
        ]
    });
    let fetched = trades(&massive(&server)).unwrap();
    let sizes: Vec<i64> = fetched.rows.iter().map(|print| print.size).collect();
    assert_eq!((sizes, fetched.calls), (vec![1, 2, 3], 5));
    let requests = server.requests();
    assert_eq!(requests[1].target, "/v3/trades/x?cursor=b");
    assert!(
        requests
            .iter()
            .all(|request| request.authorization.is_some())
    );
}

#[test]
fn rows_are_dropped_as_repeats_around_borders_and_never_inside_a_page() {
    let server = Server::start(|url| {
        let next = |cursor| format!("{url}/v3/trades/x?cursor={cursor}");
        vec![
            Reply::ok(&page(&[1, 2, 2], Some(&next("b")))),
            Reply::ok(&page(&[1, 2, 2], Some(&next("c")))),
            Reply::ok(&page(&[], Some(&next("d")))),
            Reply::ok(&page(&[2, 3], Some(&next("e")))),
            Reply::ok(&page(&[4, 4], None)),
            // The instant by itself, for either border.
            Reply::ok(&page(&[1, 2, 2, 3, 4, 4], None)),
            Reply::ok(&page(&[1, 2, 2, 3, 4, 4], None)),
        ]
    });
    let fetched = trades(&massive(&server)).unwrap();
    let sizes: Vec<i64> = fetched.rows.iter().map(|print| print.size).collect();
    assert_eq!(sizes, [1, 2, 2, 3, 4, 4]);
    assert_eq!((fetched.repeats, fetched.calls), (4, 7));
}

#[test]
fn a_link_to_another_origin_is_not_followed() {
    let other = Server::start(|_| vec![Reply::ok(&page(&[2], None))]);
    let link = format!("{}v3/trades/x?cursor=b", other.url);
    let server = Server::start(|_| vec![Reply::ok(&page(&[1], Some(&link)))]);
    let error = trades(&massive(&server)).unwrap_err();
    assert!(
        matches!(error, MassiveError::ForeignOrigin { .. }),
        "{error}"
    );
    assert!(other.requests().is_empty());
}

#[test]
fn a_cursor_that_leads_back_ends_the_paging() {
    let server = Server::start(|url| {
        let next = |cursor| format!("{url}/v3/trades/x?cursor={cursor}");
        vec![
            Reply::ok(&page(&[1], Some(&next("b")))),
            Reply::ok(&page(&[2], Some(&next("c")))),
            Reply::ok(&page(&[3], Some(&next("b")))),
        ]
    });
    let error = trades(&massive(&server)).unwrap_err();
    assert!(
        matches!(error, MassiveError::CursorLoop { page: 4, .. }),
        "{error}"
    );
}

#[test]
fn a_bad_row_is_named_and_the_others_stay() {
    let rows = [
        row(1),
        r#"{"exchange":312,"sip_timestamp":1500,"size":1}"#.to_owned(),
        "null".to_owned(),
        row(2),
        row(-1),
    ];
    let server = Server::start(|url| {
        let next = format!("{url}/v3/trades/x?cursor=b");
        vec![
            Reply::ok(&body(&rows, Some(&next))),
            Reply::ok(&page(&[3, 0], None)),
        ]
    });
    let fetched = trades(&massive(&server)).unwrap();
    let sizes: Vec<i64> = fetched.rows.iter().map(|print| print.size).collect();
    assert_eq!(sizes, [1, 2, 3]);
    assert_eq!(fetched.bad, 4);
    let told: Vec<String> = fetched
        .bad_rows
        .iter()
        .map(|bad| format!("{} {} {}", bad.row, bad.column, bad.got))
        .collect();
    assert_eq!(
        told,
        ["1 price missing", "2 row missing", "4 size -1", "6 size 0"]
    );
}

#[test]
fn prints_out_of_order_are_counted_and_left_as_they_came() {
    let rows = [row(1), row(2).replace("1500", "1400"), row(3)];
    let server = Server::start(|_| vec![Reply::ok(&body(&rows, None))]);
    let fetched = trades(&massive(&server)).unwrap();
    assert_eq!((fetched.rows.len(), fetched.out_of_order), (3, 1));
    assert_eq!(fetched.rows[1].ts, Ts::from_ns(1400));
}

#[test]
fn equal_prints_parted_by_a_border_are_put_back_when_their_instant_holds_both() {
    let server = Server::start(|url| {
        let next = format!("{url}/v3/trades/x?cursor=b");
        vec![
            Reply::ok(&page(&[1, 2], Some(&next))),
            Reply::ok(&page(&[2, 3], None)),
            Reply::ok(&page(&[1, 2, 2, 3], None)),
        ]
    });
    let fetched = trades(&massive(&server)).unwrap();
    let sizes: Vec<i64> = fetched.rows.iter().map(|print| print.size).collect();
    assert_eq!(sizes, [1, 2, 2, 3]);
    assert_eq!((fetched.repeats, fetched.calls), (0, 3));
    assert_eq!(
        server.requests()[2].target,
        "/v3/trades/O:TSLA261120C00410000?timestamp.gte=1500&timestamp.lt=1501&order=asc&sort=timestamp&limit=50000"
    );
}

#[test]
fn a_repeat_that_spans_instants_needs_no_second_look() {
    let rows = [row(1).replace("1500", "1400"), row(2)];
    let server = Server::start(|url| {
        let next = format!("{url}/v3/trades/x?cursor=b");
        vec![
            Reply::ok(&body(&rows, Some(&next))),
            Reply::ok(&body(&rows, None)),
        ]
    });
    let fetched = trades(&massive(&server)).unwrap();
    assert_eq!((fetched.rows.len(), fetched.repeats), (2, 2));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_page_that_comes_again_and_again_is_a_loop() {
    let server = Server::start(|url| {
        let page = |cursor| page(&[1, 2], Some(&format!("{url}/v3/trades/x?cursor={cursor}")));
        (0..200).map(|cursor| Reply::ok(&page(cursor))).collect()
    });
    let error = trades(&massive(&server)).unwrap_err();
    assert!(
        matches!(error, MassiveError::CursorLoop { page: 103, .. }),
        "{error}"
    );
}
