//! What is absent: the modules that decide and trade know no file, no socket, no clock, no
//! randomness and no data frames.

use std::path::{Path, PathBuf};

const FORBIDDEN: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::now",
    "rand::",
    "rand_",
    "polars",
    "println!",
];

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).expect("the folder is there");
    let entries = entries.map(|entry| entry.expect("a readable entry").path());
    entries.flat_map(|entry| sources(&entry)).collect()
}

/// The lines of `text` that are not comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn what_decides_and_trades_knows_no_world() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for place in ["strategies", "paper", "engine/ticker.rs"] {
        for path in sources(&root.join(place)) {
            seen += 1;
            let text = std::fs::read_to_string(&path).expect("a readable source");
            for (number, line) in code(&text) {
                for word in FORBIDDEN {
                    assert!(
                        !line.contains(word),
                        "{}:{}: {word} in {line}",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
    assert!(seen > 10, "the modules have not moved");
}

/// Those parts of `live` whose outputs are a function of their inputs.
fn is_blind(path: &Path) -> bool {
    ["desk.rs", "book.rs", "event.rs", "replay.rs"]
        .iter()
        .any(|name| path.ends_with(Path::new("live").join(name)))
}

#[test]
fn only_the_command_line_and_a_stream_ask_the_time_and_only_the_former_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        if path.starts_with(root.join("cli")) || path == root.join("main.rs") {
            continue;
        }
        // The desk of a stream is as blind as the backtest; what is around it lives in time.
        let lives = path.starts_with(root.join("live")) && !is_blind(&path);
        // How long to wait for a vendor is measured; what time it is nobody asks there either.
        let waits = path.starts_with(root.join("providers/massive"));
        let text = std::fs::read_to_string(&path).expect("a readable source");
        for (number, line) in code(&text) {
            for word in [
                "println!",
                "eprintln!",
                "print!(",
                "SystemTime",
                "Utc::now",
                "Instant::",
            ] {
                let asks_the_time = ["SystemTime", "Utc::now", "Instant::"].contains(&word);
                if (word == "Instant::" && waits) || (asks_the_time && lives) {
                    continue;
                }
                assert!(
                    !line.contains(word),
                    "{}:{}: {word} in {line}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}
