//! OCC option symbols: root, `YYMMDD`, `C` or `P`, strike × 1000 in eight digits.
//!
//! The last 15 characters are fixed, so a symbol is read from the right; what is left is the root.

use chrono::NaiveDate;

use super::CallPut;

const TAIL: usize = 15;

/// What a symbol says about its contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    pub root: String,
    pub expiry: NaiveDate,
    pub call_put: CallPut,
    /// Dollars.
    pub strike: f64,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{symbol:?} is not an OCC symbol (root, YYMMDD, C or P, strike × 1000 in 8 digits): {reason}"
)]
pub struct OccError {
    pub symbol: String,
    pub reason: &'static str,
}

impl Contract {
    /// Reads a symbol without its `O:` prefix, such as `TSLA250221C00245000`.
    pub fn parse(symbol: &str) -> Result<Contract, OccError> {
        let fail = |reason| OccError {
            symbol: symbol.to_owned(),
            reason,
        };
        let bytes = symbol.as_bytes();
        if !(TAIL + 1..=TAIL + 6).contains(&bytes.len()) {
            return Err(fail("its length is not that of a root and 15 characters"));
        }
        let (root, tail) = bytes.split_at(bytes.len() - TAIL);
        if !root.iter().all(u8::is_ascii_alphanumeric) {
            return Err(fail("the root is not made of letters and digits"));
        }
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0, |number, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| number * 10 + u32::from(digit - b'0'))
            })
        };
        let date = [&tail[..2], &tail[2..4], &tail[4..6]].map(number);
        let ([Some(year), Some(month), Some(day)], Some(thousandths)) = (date, number(&tail[7..]))
        else {
            return Err(fail("date and strike must be digits"));
        };
        let expiry = NaiveDate::from_ymd_opt(2000 + year as i32, month, day);
        let call_put = match tail[6] {
            b'C' => CallPut::Call,
            b'P' => CallPut::Put,
            _ => return Err(fail("neither C nor P")),
        };
        Ok(Contract {
            root: symbol[..symbol.len() - TAIL].to_owned(),
            expiry: expiry.ok_or_else(|| fail("the date does not exist"))?,
            call_put,
            strike: f64::from(thousandths) / 1000.0,
        })
    }

    /// The symbol; the inverse of [`Contract::parse`] for strikes of whole thousandths.
    pub fn symbol(&self) -> String {
        let Contract {
            root,
            expiry,
            call_put,
            strike,
        } = self;
        let thousandths = (strike * 1000.0).round() as u64;
        format!(
            "{root}{}{call_put}{thousandths:08}",
            expiry.format("%y%m%d")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_read_from_the_right() {
        let contract = Contract::parse("BRKB261120P00410500").unwrap();
        assert_eq!(contract.root, "BRKB");
        assert_eq!(contract.expiry.to_string(), "2026-11-20");
        assert_eq!(contract.call_put, CallPut::Put);
        assert_eq!(contract.strike, 410.5);
        assert_eq!(contract.symbol(), "BRKB261120P00410500");
    }

    #[test]
    fn roots_may_hold_digits() {
        assert_eq!(
            Contract::parse("AMCR1261120C00010000").unwrap().root,
            "AMCR1"
        );
    }

    #[test]
    fn malformed_symbols_are_refused_with_a_reason() {
        for (symbol, reason) in [
            ("AAPL211022C000150000", "date and strike must be digits"),
            (
                "BRK.B211022C00150000",
                "the root is not made of letters and digits",
            ),
            ("AAPL21102ZC00150000", "date and strike must be digits"),
            ("AAPL211322C00150000", "the date does not exist"),
            (
                "211022C00150000",
                "its length is not that of a root and 15 characters",
            ),
        ] {
            assert_eq!(
                Contract::parse(symbol).unwrap_err().reason,
                reason,
                "{symbol}"
            );
        }
    }
}
