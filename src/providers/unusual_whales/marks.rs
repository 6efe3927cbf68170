//! Marks: from report flags, condition names and exchange names to the codes and numbers of the tape.

use xxhash_rust::xxh3::xxh3_64;

use crate::flow::{Class, Codes};

/// Names of the conditions on OPRA's tape and their codes.
const CONDITIONS: [(&str, i16); 33] = [
    ("canc", 201),
    ("oseq", 202),
    ("cncl", 203),
    ("late", 204),
    ("cnco", 205),
    ("open", 206),
    ("cnol", 207),
    ("opnl", 208),
    ("auto", 209),
    ("reop", 210),
    ("isoi", 219),
    ("slan", 227),
    ("slai", 228),
    ("slcn", 229),
    ("slci", 230),
    ("slft", 231),
    ("mlet", 232),
    ("mlat", 233),
    ("mlct", 234),
    ("mlft", 235),
    ("mesl", 236),
    ("tlat", 237),
    ("masl", 238),
    ("mfsl", 239),
    ("tlet", 240),
    ("tlct", 241),
    ("tlft", 242),
    ("tesl", 243),
    ("tasl", 244),
    ("tfsl", 245),
    ("cbmo", 246),
    ("mctp", 247),
    ("exht", 248),
];

/// Where options trade: the MICs in use, by OPRA's letter.
const EXCHANGES: [(&str, u8); 26] = [
    ("AMXO", b'A'),
    ("XASE", b'A'),
    ("XBOX", b'B'),
    ("XCBO", b'C'),
    ("CBOE", b'C'),
    ("EMLD", b'D'),
    ("EDGO", b'E'),
    ("GMNI", b'H'),
    ("XISX", b'I'),
    ("XISE", b'I'),
    ("MCRY", b'J'),
    ("XMIO", b'M'),
    ("MIHI", b'M'),
    ("ARCO", b'N'),
    ("OPRA", b'O'),
    ("MPRL", b'P'),
    ("XNDQ", b'Q'),
    ("SPHR", b'S'),
    ("XBXO", b'T'),
    ("MXOP", b'U'),
    ("MEMX", b'U'),
    ("C2OX", b'W'),
    ("XPHL", b'X'),
    ("XPHO", b'X'),
    ("BATO", b'Z'),
    ("BATS", b'Z'),
];

const FIRST_EXCHANGE: u16 = 300;
const FIRST_UNKNOWN_EXCHANGE: u16 = 400;

/// What the flags and the condition of a row come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Marks {
    pub codes: Codes,
    pub is_sweep: bool,
    /// Words of `report_flags` that say nothing known.
    pub unknown_flags: Vec<String>,
    /// The same of `upstream_condition_detail`.
    pub unknown_details: Vec<String>,
}

impl Marks {
    /// `flags` is a list such as `{sweep,floor}`, `detail` a condition's name, letter or code. The
    /// tape's own word comes first; a flag adds a code only where that one does not say as much.
    pub fn of(flags: &[u8], detail: &[u8]) -> Marks {
        let mut marks = Marks::default();
        let mut codes = Vec::new();
        for word in words(detail) {
            match condition(&word) {
                Some(code) => codes.push(code),
                None => marks.unknown_details.push(word),
            }
        }
        for word in words(flags) {
            let said = &codes[..codes.len().min(Codes::ROOM)];
            let class = Class::of(Codes::of(said).expect("it was cut to the room there is"));
            let (is_said, code) = match word.to_ascii_lowercase().as_str() {
                "sweep" | "intermarket_sweep" => {
                    marks.is_sweep = true;
                    (class.is_iso, Some(219))
                }
                "floor" => (class.is_floor, Some(231)),
                "cross" => (class.is_cross, Some(229)),
                "auction" => (class.is_auction, Some(227)),
                "multi" | "multileg" | "multi_leg" => (class.is_multi_leg, Some(232)),
                // As a flag this is an opening position, not the tape's late opening trade.
                "open" => (false, None),
                _ => (false, condition(&word)),
            };
            match code {
                Some(code) if !is_said && !codes.contains(&code) => codes.push(code),
                Some(_) => {}
                None => marks.unknown_flags.push(word),
            }
        }
        let room = codes.len().min(Codes::ROOM);
        let without_room = codes.drain(room..).map(|code| code.to_string());
        marks.unknown_flags.extend(without_room);
        marks.codes = Codes::of(&codes).expect("they were cut to the room there is");
        marks
    }

    pub fn has_unknown(&self) -> bool {
        !self.unknown_flags.is_empty() || !self.unknown_details.is_empty()
    }
}

/// The words of a list in braces or brackets, or of a bare one.
fn words(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let is_frame = |c: char| c.is_whitespace() || "{}[]\"'".contains(c);
    let words = text
        .split([',', ';', '|'])
        .map(|word| word.trim_matches(is_frame));
    let is_word = |word: &&str| !word.is_empty() && !super::numbers::is_nothing(word.as_bytes());
    words.filter(is_word).map(str::to_owned).collect()
}

/// The code of a condition's name, its letter on the tape, or the code itself.
fn condition(word: &str) -> Option<i16> {
    let code = match *word.as_bytes() {
        [letter @ b'A'..=b'Z'] => 201 + i16::from(letter - b'A'),
        [letter @ b'a'..=b'v'] => 227 + i16::from(letter - b'a'),
        _ => {
            let named = CONDITIONS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(word));
            let code = word.parse().ok().filter(|code| (201..=248).contains(code));
            named.map(|(_, code)| *code).or(code)?
        }
    };
    Some(code)
}

/// The number of an exchange by its letter, MIC or number, and whether it is known. Unknown names get
/// numbers from 400 on that depend on nothing but the name, in any case of letters; that two of
/// them get the same is unlikely and would only make a sweep look less wide. No name is 0.
pub(super) fn exchange(text: &[u8]) -> (u16, bool) {
    let name = text.trim_ascii().to_ascii_uppercase();
    if super::numbers::is_nothing(&name) {
        return (0, true);
    }
    let of_letter = |letter: u8| FIRST_EXCHANGE + u16::from(letter - b'A');
    if let [letter @ b'A'..=b'Z'] = *name {
        return (of_letter(letter), true);
    }
    if let Some((_, letter)) = EXCHANGES.iter().find(|(mic, _)| mic.as_bytes() == name) {
        return (of_letter(*letter), true);
    }
    let number = std::str::from_utf8(&name)
        .ok()
        .and_then(|text| text.parse().ok());
    match number {
        Some(number) if number < FIRST_UNKNOWN_EXCHANGE => (number, true),
        _ => {
            let room = u64::from(u16::MAX - FIRST_UNKNOWN_EXCHANGE) + 1;
            (
                FIRST_UNKNOWN_EXCHANGE + (xxh3_64(&name) % room) as u16,
                false,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(flags: &str, detail: &str) -> Vec<i16> {
        Marks::of(flags.as_bytes(), detail.as_bytes())
            .codes
            .iter()
            .collect()
    }

    #[test]
    fn a_sweep_flag_is_the_iso_mark() {
        assert_eq!(codes("{sweep}", ""), [219]);
        assert_eq!(codes("{sweep}", "auto"), [209, 219]);
        // An auction that is an ISO says so itself.
        assert_eq!(codes("{sweep}", "slai"), [228]);
        assert!(Marks::of(b"{sweep}", b"slai").is_sweep);
        assert!(!Marks::of(b"{}", b"isoi").is_sweep);
    }

    #[test]
    fn conditions_are_known_by_name_letter_or_code() {
        for (detail, code) in [
            ("isoi", 219),
            ("ISOI", 219),
            ("S", 219),
            ("f", 232),
            ("v", 248),
            ("227", 227),
        ] {
            assert_eq!(codes("{}", detail), [code], "{detail}");
        }
        assert_eq!(codes("{\"floor\", \"cross\"}", "mlet"), [232, 231, 229]);
        assert_eq!(codes("[\"multi_leg\"]", "mlet"), [232]);
        assert!(codes("", "nan").is_empty());
    }

    #[test]
    fn unknown_words_are_kept_for_counting() {
        let marks = Marks::of(b"{sweep,moon,open}", b"w");
        assert_eq!(marks.unknown_flags, ["moon", "open"]);
        assert_eq!(marks.unknown_details, ["w"]);
        let crowded = Marks::of(b"{sweep}", b"auto,mlet,slft,slcn");
        assert_eq!(crowded.unknown_flags, ["219"]);
        assert!(crowded.is_sweep);
    }

    #[test]
    fn exchanges_have_the_vendors_numbers() {
        for (name, number) in [
            ("C", 302),
            ("XCBO", 302),
            ("xpho", 323),
            ("XPHL", 323),
            ("302", 302),
            ("", 0),
        ] {
            assert_eq!(exchange(name.as_bytes()), (number, true), "{name}");
        }
    }

    #[test]
    fn an_unknown_exchange_has_a_number_of_its_own() {
        let (first, second) = (exchange(b"IEXO"), exchange(b"MMX2"));
        assert!(first.0 >= 400 && second.0 >= 400 && first.0 != second.0);
        assert!(!first.1 && !second.1);
        assert_eq!(first, exchange(b" iexo "));
    }
}
