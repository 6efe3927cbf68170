//! How fast a flat file of option trades is read, next to what `gzip -dc FILE | wc -l` takes for the
//! same file in the same run.
//!
//! `cargo bench --bench flat_file_day -- [PRINTS] [RUNS]`. Writes to a temporary folder, which it
//! removes; with FLAT_FILE set, it writes there and takes the file that is there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use flowlab::providers::massive::flat::Trades;

#[path = "flat_file_day/generate.rs"]
mod generate;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let number = |place: usize, default: u64| -> u64 {
        args.get(place)
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (prints, runs) = (number(0, 12_000_000), number(1, 5));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = std::env::var_os("FLAT_FILE")
        .map_or_else(|| folder.path().join("2026-10-14.csv.gz"), PathBuf::from);
    if !path.exists() {
        generate::write_day(&path, prints).expect("the day can be written");
    }
    let bytes = path.metadata().expect("the day was written").len();
    println!("{:.1} MB compressed", bytes as f64 / 1e6);
    println!("run   gzip | wc s   all s  ratio   one root s  ratio");
    let (mut baselines, mut alls) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        let baseline = seconds(|| count_lines(&path));
        let all = seconds(|| read(&path, |_| true));
        let one = seconds(|| read(&path, |root| root == "MMM"));
        println!(
            "{run:>3} {baseline:>14.2} {all:>7.2} {:>6.2} {one:>12.2} {:>6.2}",
            all / baseline,
            one / baseline
        );
        baselines.push(baseline);
        alls.push(all);
    }
    let ratio = median(&mut alls) / median(&mut baselines);
    println!("median ratio of all {ratio:.2}");
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn count_lines(path: &Path) {
    let counted = Command::new("sh")
        .args(["-c", "gzip -dc \"$1\" | wc -l", "sh"])
        .arg(path)
        .output()
        .expect("gzip and wc are there");
    assert!(counted.status.success(), "gzip reads the file");
}

fn read(path: &Path, wants: fn(&str) -> bool) {
    let file = File::open(path).expect("the day was written");
    let mut trades =
        Trades::open(file, "day", generate::DATE, wants).expect("the header is the vendor's");
    let mut notional = 0.0;
    while let Some(group) = trades.next_contract().expect("the file is whole") {
        for print in group.prints {
            notional += print.price * print.size as f64;
        }
    }
    let counts = trades.counts();
    assert!(counts.bad.is_empty(), "every row is good");
    std::hint::black_box((notional, counts.rows));
}
