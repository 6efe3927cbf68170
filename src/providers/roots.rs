//! Roots: from the root of an option symbol to its underlying, where a file does not say it.

/// Index options whose weekly or evening series have a root of their own, and the one well-known
/// stock whose point has no place in a symbol.
const OTHERS: [(&str, &str); 6] = [
    ("SPXW", "SPX"),
    ("NDXP", "NDX"),
    ("RUTW", "RUT"),
    ("VIXW", "VIX"),
    ("BRKB", "BRK.B"),
    ("BFB", "BF.B"),
];

/// The underlying of `root`: nearly always its own name. Adjusted contracts keep their digit, which
/// keeps them apart from the plain ones.
pub fn underlying(root: &str) -> &str {
    let known = OTHERS.iter().find(|(other, _)| *other == root);
    known.map_or(root, |(_, ticker)| ticker)
}

/// The roots of `ticker`'s plain contracts.
pub fn of(ticker: &str) -> Vec<&str> {
    let others = OTHERS
        .iter()
        .filter(|(_, underlying)| *underlying == ticker);
    let others = others.map(|(root, _)| *root);
    // A point has no place in a root, so such a ticker has none of its own name.
    let own = Some(ticker).filter(|ticker| ticker.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    own.into_iter().chain(others).collect()
}

/// Whether contracts of `root` deliver something else than the plain shares: such roots end in a digit.
pub fn is_adjusted(root: &str) -> bool {
    root.ends_with(|last: char| last.is_ascii_digit())
}

/// Whether `text` can name a ticker, and with it a folder of the store.
pub fn is_ticker(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (1..=12).contains(&text.len())
        && text.bytes().all(fits)
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_index_options_belong_to_the_index() {
        let tickers = ["SPXW", "SPX", "BRKB", "TSLA", "AMCR1"].map(underlying);
        assert_eq!(tickers, ["SPX", "SPX", "BRK.B", "TSLA", "AMCR1"]);
    }

    #[test]
    fn a_ticker_has_the_roots_that_lead_to_it() {
        assert_eq!(of("SPX"), ["SPX", "SPXW"]);
        assert_eq!(of("BRK.B"), ["BRKB"]);
        assert_eq!(of("TSLA"), ["TSLA"]);
        assert!(is_adjusted("AMCR1") && !is_adjusted("AMCR"));
    }

    #[test]
    fn a_ticker_never_leaves_its_folder() {
        for (text, fits) in [
            ("TSLA", true),
            ("BRK.B", true),
            ("BF-B", true),
            ("", false),
            ("..", false),
            ("../X", false),
            ("A/B", false),
            ("tsla", false),
            ("A.", false),
            ("ABCDEFGHIJKLM", false),
        ] {
            assert_eq!(is_ticker(text), fits, "{text:?}");
        }
    }
}
