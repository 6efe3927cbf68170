//! What is made of frames, good, odd and broken.

use super::*;

const TRADE: &str = r#"{"ev":"T","sym":"O:NVDA261120C00190000","x":312,"p":4.85,"s":40,"c":[219],"t":1791988801123,"q":651921857}"#;
const QUOTE: &str = r#"{"ev":"Q","sym":"O:NVDA261120C00190000","bx":302,"ax":323,"bp":4.8,"ap":4.9,"bs":17,"as":24,"t":1791988801125,"q":844090872}"#;
const BAR: &str = r#"{"ev":"AM","sym":"NVDA","v":41100,"av":9470157,"op":187.3,"vw":188.12,"o":188.1,"c":188.16,"h":188.2,"l":188.02,"a":187.91,"z":68,"s":1791988740000,"e":1791988800000}"#;

fn ms(ms: i64) -> Ts {
    Ts::from_ns(ms * 1_000_000)
}

fn trade() -> WireTrade<'static> {
    WireTrade {
        sym: "NVDA261120C00190000",
        price: 4.85,
        size: 40,
        exchange: 312,
        conditions: Codes::one(219),
        ts: ms(1_791_988_801_123),
        sequence: 651_921_857,
    }
}

/// A line for each piece of data: its kind, symbol and price.
fn lines(frame: &str) -> (Vec<String>, Result<Read, Malformed>) {
    let mut lines = Vec::new();
    let result = read(frame.as_bytes(), |wire| {
        lines.push(match wire {
            Wire::Trade(trade) => format!("T {} {}", trade.sym, trade.price),
            Wire::Bar(bar) => format!("AM {} {}", bar.ticker, bar.close),
            Wire::Quote(quote) => format!("Q {} {}", quote.sym, quote.quote.ask),
        });
    });
    (lines, result)
}

fn only_trade(message: &str, check: impl Fn(WireTrade<'_>)) {
    let mut count = 0;
    let result = read(format!("[{message}]").as_bytes(), |wire| {
        let Wire::Trade(trade) = wire else {
            panic!("{wire:?} is no trade")
        };
        count += 1;
        check(trade);
    });
    assert_eq!((count, result), (1, Ok(Read::default())), "{message}");
}

fn fault_of(message: &str) -> String {
    let (lines, result) = lines(&format!("[{message}]"));
    let read = result.expect("one message that is JSON is a whole frame");
    assert_eq!((lines.len(), read.bad), (0, 1), "{message}");
    read.first_fault
        .expect("what is counted is named")
        .to_string()
}

#[test]
fn the_documented_messages_are_read() {
    only_trade(TRADE, |read| assert_eq!(read, trade()));
    let frame = format!("[{QUOTE}, {BAR}]");
    let mut wires = 0;
    let result = read(frame.as_bytes(), |wire| {
        wires += 1;
        match wire {
            Wire::Quote(quote) => assert_eq!(
                quote,
                WireQuote {
                    sym: "NVDA261120C00190000",
                    quote: Quote { bid: 4.8, ask: 4.9 },
                    ts: ms(1_791_988_801_125),
                    sequence: 844_090_872,
                }
            ),
            Wire::Bar(bar) => assert_eq!(
                bar,
                WireBar {
                    ticker: "NVDA",
                    start: ms(1_791_988_740_000),
                    end: ms(1_791_988_800_000),
                    open: 188.1,
                    high: 188.2,
                    low: 188.02,
                    close: 188.16,
                    volume: 41_100.0,
                    vwap: Some(188.12),
                }
            ),
            Wire::Trade(_) => panic!("there is no trade in this frame"),
        }
    });
    assert_eq!((wires, result), (2, Ok(Read::default())));
}

#[test]
fn fields_may_be_missing_unknown_in_any_order_and_written_with_a_point() {
    let plain = WireTrade {
        conditions: Codes::default(),
        sequence: 0,
        ..trade()
    };
    for message in [
        r#"{"t":1791988801123,"s":40,"p":4.85,"x":312,"sym":"O:NVDA261120C00190000","ev":"T"}"#,
        r#"{"ev":"T","sym":"O:NVDA261120C00190000","x":312.0,"p":4.85,"s":40.0,"c":null,"t":1791988801123.0,"q":null}"#,
        r#"{"ev":"T","sym":"NVDA261120C00190000","x":312,"p":4.85,"s":40,"c":[],"t":1791988801123,"q":"?","request_id":7,"n":{"a":[{}]},"ds":"40.0"}"#,
    ] {
        only_trade(message, |read| assert_eq!(read, plain, "{message}"));
    }
}

#[test]
fn texts_with_escapes_are_texts() {
    let escaped = TRADE
        .replace("\"T\"", r#""\u0054""#)
        .replace("NVDA", r"NVD\u0041")
        .replace("\"price\"", r#""pric\u0065""#);
    only_trade(&escaped, |read| assert_eq!(read, trade()));
}

#[test]
fn unknown_conditions_and_exchanges_are_kept() {
    let odd = TRADE.replace("[219]", "[999,-1]").replace("312", "65535");
    only_trade(&odd, |read| {
        assert_eq!(read.conditions.iter().collect::<Vec<_>>(), [999, -1]);
        assert_eq!(read.exchange, 65_535);
    });
}

#[test]
fn a_trade_that_cannot_be_one_is_refused_by_field() {
    for (from, to, got) in [
        ("4.85", "0", "p of a message T is 0"),
        ("4.85", "-4.85", "p of a message T is -4.85"),
        ("4.85", "\"4.85\"", "p of a message T is something else"),
        ("\"p\":4.85,", "", "p of a message T is missing"),
        (":40,", ":0,", "s of a message T is 0"),
        (":40,", ":1.5,", "s of a message T is 1.5"),
        ("312", "70000", "x of a message T is 70000"),
        ("312", "null", "x of a message T is missing"),
        ("[219]", "219", "c of a message T is 219"),
        ("[219]", "[1,2,3,4,5]", "c of a message T is something else"),
        ("[219]", "[70000]", "c of a message T is something else"),
        ("1791988801123", "0", "t of a message T is 0"),
        (
            "1791988801123",
            "9223372036854775807",
            "t of a message T is 9223372036854775807",
        ),
        (
            "\"O:NVDA261120C00190000\"",
            "[]",
            "sym of a message T is missing",
        ),
    ] {
        let fault = fault_of(&TRADE.replace(from, to));
        assert!(fault.starts_with(got), "{fault}");
    }
}

#[test]
fn a_bar_or_quote_that_cannot_be_one_is_refused_by_field() {
    for (message, got) in [
        (BAR.replace("41100", "0"), "v of a message AM is 0"),
        (
            BAR.replace("1791988800000", "1791988740000"),
            "e of a message AM is 1791988740000",
        ),
        (
            BAR.replace("188.16", "[188]"),
            "c of a message AM is a list",
        ),
        (BAR.replace("188.12", "-1"), "vw of a message AM is -1"),
        (QUOTE.replace("4.9", "-1"), "ap of a message Q is -1"),
    ] {
        let fault = fault_of(&message);
        assert!(fault.starts_with(got), "{fault}");
    }
}

#[test]
fn a_bar_without_an_average_and_a_quote_without_a_side_are_good() {
    let frame = format!(
        "[{},{}]",
        BAR.replace("188.12", "0"),
        QUOTE.replace("\"bp\":4.8,", "")
    );
    let result = read(frame.as_bytes(), |wire| match wire {
        Wire::Bar(bar) => assert_eq!(bar.vwap, None),
        Wire::Quote(quote) => assert_eq!(quote.quote, Quote { bid: 0.0, ask: 4.9 }),
        Wire::Trade(_) => panic!("there is no trade in this frame"),
    });
    assert_eq!(result, Ok(Read::default()));
}

#[test]
fn unknown_kinds_are_counted_and_statuses_are_not_data() {
    let frame = format!(
        r#"[{{"ev":"status","status":"success","message":"x"}},{{"ev":"A","sym":"NVDA"}},{TRADE},{{"ev":"LULD"}}]"#
    );
    let (lines, result) = lines(&frame);
    assert_eq!(lines, ["T NVDA261120C00190000 4.85"]);
    let expected = Read {
        unknown: 2,
        ..Read::default()
    };
    assert_eq!(result, Ok(expected));
}

#[test]
fn a_broken_message_among_good_ones_is_all_that_is_lost() {
    for broken in [
        r#"{"ev":"T","p":NaN}"#,
        r#"{"ev":"T","p":1.2.3,"c":[1,{"a":"],"}]}"#,
        r#"{"ev" "T"}"#,
        r#"{"ev":"T","ev":"T"}"#,
        "7",
        "",
    ] {
        let (lines, result) = lines(&format!("[{TRADE},{broken},{QUOTE},{broken},{BAR}]"));
        assert_eq!(
            lines,
            [
                "T NVDA261120C00190000 4.85",
                "Q NVDA261120C00190000 4.9",
                "AM NVDA 188.16"
            ],
            "{broken}"
        );
        let read = result.expect("its brackets match");
        let at = TRADE.len() + 2;
        assert_eq!(read.bad, 2, "{broken}");
        assert_eq!(read.first_fault, Some(Fault::NoMessage { at }), "{broken}");
    }
}

#[test]
fn of_a_frame_that_breaks_off_the_whole_messages_are_read() {
    let frame = format!("[{TRADE},{QUOTE},{BAR}]");
    let (all, cut) = lines(&frame[..frame.len() - 9]);
    assert_eq!(all.len(), 2);
    let malformed = cut.expect_err("the bar is cut off");
    assert_eq!(malformed.read, Read::default());
    assert_eq!(malformed.at, TRADE.len() + QUOTE.len() + 3);
    // Something behind the end may be anything.
    let (all, two) = lines(&format!("{frame}{frame}"));
    assert_eq!((all.len(), two.is_err()), (3, true));
}

#[test]
fn a_frame_that_is_no_list_is_malformed() {
    for frame in ["", "  ", "null", "{}", TRADE, "hello"] {
        let (lines, result) = lines(frame);
        assert!(lines.is_empty() && result.is_err(), "{frame}");
    }
    assert_eq!(lines(" [ ] "), (Vec::new(), Ok(Read::default())));
}
