//! Arguments of a bench, by place: `cargo bench --bench NAME -- FIRST SECOND`.

use std::fmt::Debug;
use std::str::FromStr;

/// What was typed behind `--`.
pub fn given() -> Vec<String> {
    let arguments = std::env::args().skip(1);
    // Which cargo adds.
    arguments.filter(|argument| argument != "--bench").collect()
}

/// The number in its place, or the usual one.
pub fn number<N: FromStr<Err: Debug>>(given: &[String], place: usize, usual: N) -> N {
    let text = given.get(place);
    text.map_or(usual, |text| text.parse().expect("a number"))
}
