//! How many prints a second `flowlab live` bears, and how soon it decides: the program itself, listening
//! to websockets on loopback that tell a market of a hundred thousand contracts at a steady pace.
//!
//! `cargo bench --bench live -- [PRINTS PER SECOND] [SECONDS]`. The server runs in this process, on the
//! same machine; what the program is asked for by REST is answered with nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flowlab::time::{Calendar, Ts};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

mod arguments;

const KEY: &str = "a-key";
const TICKERS: usize = 40;
const CONTRACTS_PER_TICKER: usize = 2_500;
/// The session whose clock the stream has.
const DAY: &str = "2026-03-04";
/// Messages in one frame, at most: a frame goes out once a millisecond, more when that is too few.
const FRAME: usize = 200;
/// Prints of the second after the last.
const AFTERWARDS: u64 = 200;
/// Of so many prints one is large enough to become an event.
const LARGE_EVERY: u64 = 30;

fn main() {
    let args = arguments::given();
    let number = |place, usual: u64| arguments::number(&args, place, usual);
    let (rate, seconds) = (number(0, 300_000), number(1, 60));
    let rest = Server::rest();
    let sockets = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    let at = sockets.local_addr().expect("an address");
    let market = Arc::new(Market::new(rate, seconds));
    let told = market.clone();
    thread::spawn(move || {
        for stream in sockets.incoming().flatten() {
            let market = told.clone();
            thread::spawn(move || market.serve(stream));
        }
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut program = Program::start(folder.path(), rest, &format!("ws://{at}"));
    while !market.is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(200));
        assert!(program.is_running(), "flowlab live ended early");
    }
    // Until the queue is worked off and the last sweep window is past.
    thread::sleep(Duration::from_secs(3));
    let page = program.metrics();
    let peak = program.peak_megabytes();
    program.end();
    report(&market, &page, peak);
}

fn report(market: &Market, page: &str, peak: u64) {
    let sent = market.sent.load(Ordering::Relaxed);
    let value = |name: &str| -> f64 {
        let line = page
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        let text = line.and_then(|line| line.split(' ').nth(1));
        text.unwrap_or_else(|| panic!("{name} is on the page"))
            .parse()
            .expect("a number")
    };
    let took = market.took_ms.load(Ordering::Relaxed) as f64 / 1e3;
    println!(
        "sent      {sent} prints in {took:.2} s: {:.0} a second",
        sent as f64 / took
    );
    println!("read      {} prints", value("flowlab_prints_total"));
    println!("dropped   {} frames", value("flowlab_dropped_frames_total"));
    println!("late      {} prints", value("flowlab_late_prints_total"));
    println!(
        "queue     {} frames at the end",
        value("flowlab_queue_depth")
    );
    println!("events    {}", value("flowlab_events_total"));
    let all = value("flowlab_decision_seconds_count");
    println!("decided, from the frame that completed an event to what was made of it:");
    let mut before = 0.0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("flowlab_decision_seconds_bucket"))
    {
        let bound = line.split('"').nth(1).expect("a bound");
        let count: f64 = line
            .split(' ')
            .nth(1)
            .expect("a count")
            .parse()
            .expect("a number");
        if count > before {
            println!("  within {bound:>7} s  {:>8.4} %", count / all * 100.0);
        }
        before = count;
    }
    println!("peak      {peak} MB");
}

/// What is told, and how far it has come.
struct Market {
    rate: u64,
    seconds: u64,
    /// Message by contract: what stands before the size, and between size and time.
    texts: Vec<String>,
    /// Both feeds are listened to.
    is_options: AtomicBool,
    is_stocks: AtomicBool,
    is_over: AtomicBool,
    sent: AtomicU64,
    took_ms: AtomicU64,
}

fn ticker(number: usize) -> String {
    let letter = |n: usize| char::from(b'A' + n as u8);
    format!("Z{}{}", letter(number / 26), letter(number % 26))
}

impl Market {
    fn new(rate: u64, seconds: u64) -> Market {
        let mut texts = Vec::new();
        for contract in 0..CONTRACTS_PER_TICKER {
            for number in 0..TICKERS {
                let strike = 100_000 + contract * 500;
                let price = 1.0 + (contract % 100) as f64 / 20.0;
                let sym = format!("O:{}260306C{strike:08}", ticker(number));
                let exchange = 300 + contract % 16;
                texts.push(format!(
                    r#"{{"ev":"T","sym":"{sym}","x":{exchange},"p":{price},"c":[209],"s":"#
                ));
            }
        }
        Market {
            rate,
            seconds,
            texts,
            is_options: AtomicBool::new(false),
            is_stocks: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            took_ms: AtomicU64::new(0),
        }
    }

    /// One client, on whichever feed it asks for.
    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).expect("a socket of loopback");
        let mut path = String::new();
        #[expect(
            clippy::result_large_err,
            reason = "the callback's type is the library's"
        )]
        let note = |request: &Request, response: Response| {
            path = request.uri().path().to_owned();
            Ok(response)
        };
        let Ok(mut socket) = accept_hdr(stream, note) else {
            return;
        };
        let said = |socket: &mut WebSocket<TcpStream>, status: &str, message: &str| {
            let text = format!(r#"[{{"ev":"status","status":"{status}","message":"{message}"}}]"#);
            socket.send(Message::text(text)).expect("a listener");
        };
        said(&mut socket, "connected", "Connected Successfully");
        socket.read().expect("the key");
        said(&mut socket, "auth_success", "authenticated");
        let Message::Text(asked) = socket.read().expect("a subscription") else {
            return;
        };
        let asked: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
        let items = asked["params"]
            .as_str()
            .expect("items")
            .split(',')
            .map(str::to_owned);
        for item in items {
            said(&mut socket, "success", &format!("subscribed to: {item}"));
        }
        match path.as_str() {
            "/options" => self.tell_prints(&mut socket),
            _ => self.tell_bars(&mut socket),
        }
    }

    /// 10:00 in New York, and then as time goes by.
    fn start() -> Ts {
        let date = DAY.parse().expect("a date");
        let calendar = Calendar::shipped();
        calendar
            .session_on(date)
            .expect("a session")
            .open
            .plus_minutes(30)
    }

    fn tell_prints(&self, socket: &mut WebSocket<TcpStream>) {
        self.is_options.store(true, Ordering::Relaxed);
        while !self.is_stocks.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        let start_ms = Market::start().ns() / 1_000_000;
        let began = Instant::now();
        let (mut sent, mut frame) = (0u64, String::new());
        let all = self.rate * self.seconds;
        while sent < all {
            let elapsed = began.elapsed();
            let due = (elapsed.as_micros() as u64 * self.rate / 1_000_000).min(all);
            if due - sent < (self.rate / 1_000).min(all - sent) {
                thread::sleep(Duration::from_micros(200));
                continue;
            }
            while sent < due {
                frame.clear();
                frame.push('[');
                for _ in 0..FRAME.min((due - sent) as usize) {
                    // Its time is when it was due, not when this loop came to it.
                    let t = start_ms + (sent * 1_000 / self.rate) as i64;
                    let text = &self.texts[(sent * 7 % self.texts.len() as u64) as usize];
                    let size = if sent.is_multiple_of(LARGE_EVERY) {
                        150
                    } else {
                        1 + sent % 9
                    };
                    use std::fmt::Write;
                    write!(frame, "{text}{size},\"t\":{t},\"q\":{sent}}},").expect("into a string");
                    sent += 1;
                }
                frame.pop();
                frame.push(']');
                if socket.send(Message::text(frame.as_str())).is_err() {
                    break;
                }
            }
        }
        self.sent.store(sent, Ordering::Relaxed);
        self.took_ms
            .store(began.elapsed().as_millis() as u64, Ordering::Relaxed);
        // Time goes on for a second, in small prints, and lets the last events be complete one after the
        // other, as in the middle of a day.
        for more in 1..=AFTERWARDS {
            let ms = self.seconds * 1_000 + more * 1_000 / AFTERWARDS;
            thread::sleep(Duration::from_millis(ms).saturating_sub(began.elapsed()));
            let t = start_ms + ms as i64;
            let text = &self.texts[0];
            let print = format!("[{text}1,\"t\":{t},\"q\":{}}}]", all + more);
            let _ = socket.send(Message::text(print));
        }
        self.is_over.store(true, Ordering::Relaxed);
        thread::sleep(Duration::from_secs(60));
    }

    /// A bar of every ticker at the end of each minute.
    fn tell_bars(&self, socket: &mut WebSocket<TcpStream>) {
        self.is_stocks.store(true, Ordering::Relaxed);
        while !self.is_options.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        let began = Instant::now();
        let start_ms = Market::start().ns() / 1_000_000;
        for minute in 0.. {
            // The minute before the stream begins is known at once.
            let due = Duration::from_secs(60 * minute);
            while began.elapsed() < due {
                thread::sleep(Duration::from_millis(1));
                if self.is_over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_secs(60));
                    return;
                }
            }
            let e = start_ms + 60_000 * minute as i64;
            let s = e - 60_000;
            let names = (0..TICKERS)
                .map(ticker)
                .chain(["SPY", "QQQ"].map(str::to_owned));
            let bars = names.map(|sym| {
                format!(
                    r#"{{"ev":"AM","sym":"{sym}","v":1000,"av":1000,"op":100,"vw":100,"o":100,"c":100.5,"h":101,"l":99,"a":100,"z":10,"s":{s},"e":{e}}}"#
                )
            });
            let bars: Vec<String> = bars.collect();
            if socket
                .send(Message::text(format!("[{}]", bars.join(","))))
                .is_err()
            {
                return;
            }
        }
    }
}

/// Answers whatever REST is asked for with nothing.
struct Server;

impl Server {
    fn rest() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let at = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || Server::answer(stream));
            }
        });
        format!("http://{at}")
    }

    fn answer(stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else {
            return;
        };
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                let body = r#"{"status":"OK","results":[]}"#;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                if writer.write_all((head + body).as_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

/// The program, as a user runs it.
struct Program {
    child: Child,
    metrics: String,
}

impl Program {
    fn start(folder: &std::path::Path, rest: String, sockets: &str) -> Program {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let metrics = free.local_addr().expect("an address").to_string();
        drop(free);
        let tickers: Vec<String> = (0..TICKERS).map(ticker).collect();
        let child = Command::new(env!("CARGO_BIN_EXE_flowlab"))
            .args([
                "live",
                "--source",
                "massive",
                "--dry-run",
                "--quiet",
                "--day",
                DAY,
            ])
            .args(["--tickers", &tickers.join(",")])
            .args([
                "--metrics",
                &metrics,
                "--data-dir",
                "data",
                "--state-dir",
                "state",
            ])
            .args(["--set", &format!("massive.rest_url={rest}")])
            .args([
                "--set",
                &format!("massive.options_socket_url={sockets}/options"),
            ])
            .args([
                "--set",
                &format!("massive.stocks_socket_url={sockets}/stocks"),
            ])
            .args(["--set", "massive.max_requests_per_second=5000"])
            .args(["--set", "live.quotes=none"])
            .env("MASSIVE_API_KEY", KEY)
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn();
        Program {
            child: child.expect("the program starts"),
            metrics,
        }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(&self.metrics).expect("the metrics page");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
            .expect("a question");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("an answer");
        page
    }

    fn peak_megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or_default()
            / 1024
    }

    fn end(mut self) {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}
