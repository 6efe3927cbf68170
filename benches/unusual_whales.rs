//! How fast the daily full-flow CSV of Unusual Whales is read, from the file to plain rows.
//!
//! `cargo bench --bench unusual_whales -- [MILLIONS_OF_ROWS] [ROUNDS] [FOLDER]`
//!
//! The file is made first, in a folder of its own that is removed again: the market of a day with 3000
//! tickers, all columns there, some 300 bytes per row. Beside each round stands the time that only
//! reading the file and counting its lines takes, on one thread.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use flowlab::providers::unusual_whales;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

mod arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TICKERS: u64 = 3000;
const CONTRACTS_PER_TICKER: u64 = 60;

fn main() {
    let args = arguments::given();
    let number = |place, usual: f64| arguments::number(&args, place, usual);
    let rows = (number(0, 3.0) * 1e6) as u64;
    assert!(rows <= 100_000_000, "rows are given in millions");
    let folder = match args.get(2) {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder to write to");
    let path = folder.path().join("day.csv");
    let bytes = generate(&path, rows);
    let threads = rayon::current_num_threads();
    println!(
        "{rows} rows, {} bytes per row, {threads} threads parse",
        bytes / rows
    );
    println!("round  lines s   read s  M rows/s   MB/s  ratio  peak MB");
    for round in 1..=number(1, 3.0) as u64 {
        let started = Instant::now();
        assert_eq!(count_lines(&path), rows + 1);
        let lines = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let import = unusual_whales::read(&path, None, &|_| {}).expect("the file is sound");
        let read = started.elapsed().as_secs_f64();
        assert_eq!((import.account.read, import.account.kept), (rows, rows));
        println!(
            "{round:>5}  {lines:>7.2}  {read:>7.2}  {:>8.2}  {:>5.0}  {:>5.2}  {:>7}",
            rows as f64 / read / 1e6,
            bytes as f64 / read / 1e6,
            read / lines,
            peak_megabytes(),
        );
    }
}

fn count_lines(path: &Path) -> u64 {
    let mut file = File::open(path).expect("it was just written");
    let mut buffer = vec![0; 1 << 20];
    let mut lines = 0;
    loop {
        let read = file.read(&mut buffer).expect("the disk holds");
        if read == 0 {
            return lines;
        }
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

/// The most memory this process ever had, where the system tells.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// Writes a day in order of time and returns how many bytes it has.
fn generate(path: &Path, rows: u64) -> u64 {
    let mut random = Pcg64::seed_from_u64(1);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file to write"));
    let header = "executed_at,underlying_symbol,option_chain_id,side,strike,option_type,expiry,\
                  underlying_price,nbbo_bid,nbbo_ask,ewma_nbbo_bid,ewma_nbbo_ask,price,size,premium,\
                  volume,open_interest,implied_volatility,delta,theta,gamma,vega,rho,theo,sector,\
                  exchange,report_flags,canceled,upstream_condition_detail,equity_type";
    writeln!(out, "{header}").expect("the disk holds");
    let micros_per_row = 23_400_000_000.0 / rows as f64;
    for row in 0..rows {
        let line = line(&mut random, (row as f64 * micros_per_row) as u64);
        out.write_all(line.as_bytes()).expect("the disk holds");
    }
    out.flush().expect("the disk holds");
    path.metadata().expect("it was just written").len()
}

fn line(random: &mut Pcg64, micros: u64) -> String {
    let pick =
        |random: &mut Pcg64, words: &[&'static str]| words[random.random_range(0..words.len())];
    // A few tickers trade most.
    let share = random.random_range(0.0..1.0f64);
    let ticker = (share * share * share * TICKERS as f64) as u64;
    let letters = [ticker / 676 % 26, ticker / 26 % 26, ticker % 26, ticker % 7];
    let ticker: String = letters
        .iter()
        .map(|n| char::from(b'A' + *n as u8))
        .collect();
    let contract = random.next_u64() % CONTRACTS_PER_TICKER;
    let strike = 100.0 + (contract / 2) as f64 * 2.5;
    let (kind, letter) = if contract.is_multiple_of(2) {
        ("call", 'C')
    } else {
        ("put", 'P')
    };
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (
        13 + (1800 + seconds) / 3600,
        (1800 + seconds) / 60 % 60,
        seconds % 60,
    );
    let bid = f64::from(random.random_range(5..2000u32)) / 100.0;
    let ask = bid + f64::from(random.random_range(1..40u32)) / 100.0;
    let side = pick(random, &["ask", "bid", "mid", "no_side"]);
    let price = match side {
        "ask" => ask,
        "bid" => bid,
        _ => (bid + ask) / 2.0,
    };
    let size = 1 + random.next_u64() % 50;
    let thousandths = (strike * 1000.0) as u64;
    let fraction = |random: &mut Pcg64| random.random_range(0.0..1.0f64);
    format!(
        "2025-03-14 {hour:02}:{minute:02}:{second:02}.{:06}+00,{ticker},{ticker}250321{letter}{thousandths:08},\
         {side},{strike},{kind},2025-03-21,{:.4},{bid:.2},{ask:.2},{:.8},{:.8},{price:.3},{size},{:.2},{},{},\
         {:.15},{:.12},{:.10},{:.10},{:.10},{:.10},{:.6},{},{},{},f,{},{}\n",
        micros % 1_000_000,
        100.0 + 50.0 * fraction(random),
        bid - 0.001 * fraction(random),
        ask + 0.001 * fraction(random),
        price * size as f64 * 100.0,
        size + random.next_u64() % 10_000,
        random.next_u64() % 50_000,
        fraction(random),
        fraction(random),
        -fraction(random),
        fraction(random) / 10.0,
        fraction(random),
        fraction(random),
        price + 0.01 * fraction(random),
        pick(
            random,
            &["Technology", "Consumer Cyclical", "Financial Services", ""]
        ),
        pick(
            random,
            &[
                "XCBO", "XPHL", "ARCO", "AMXO", "BATO", "C2OX", "XBOX", "MPRL", "EMLD"
            ]
        ),
        pick(random, &["{}", "{}", "{}", "{sweep}", "\"{sweep,floor}\""]),
        pick(random, &["auto", "auto", "isoi", "slan", "mlet", "mesl"]),
        pick(random, &["Common Stock", "ETF", "Index"]),
    )
}
