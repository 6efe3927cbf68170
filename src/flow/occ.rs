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
        if !symbol.is_ascii() {
            return Err(fail("it has characters outside ASCII"));
        }
        if symbol.len() <= TAIL || symbol.len() > TAIL + 6 {
            return Err(fail("its length is not that of a root and 15 characters"));
        }
        let (root, tail) = symbol.split_at(symbol.len() - TAIL);
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (date, rest) = tail.split_at(6);
        let (kind, strike) = rest.split_at(1);
        if !root.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(fail("the root is not made of letters and digits"));
        }
        if !digits(date) || !digits(strike) {
            return Err(fail("date and strike must be digits"));
        }
        let number = |text: &str| {
            text.parse::<u32>()
                .expect("digits were checked, and few enough")
        };
        let expiry = NaiveDate::from_ymd_opt(
            2000 + number(&date[..2]) as i32,
            number(&date[2..4]),
            number(&date[4..]),
        )
        .ok_or_else(|| fail("the date does not exist"))?;
        let call_put = CallPut::parse(kind).ok_or_else(|| fail("neither C nor P"))?;
        Ok(Contract {
            root: root.to_owned(),
            expiry,
            call_put,
            strike: f64::from(number(strike)) / 1000.0,
        })
    }

    /// The symbol; the inverse of [`Contract::parse`] for strikes of whole thousandths.
    pub fn symbol(&self) -> String {
        let thousandths = (self.strike * 1000.0).round() as u64;
        format!(
            "{}{}{}{thousandths:08}",
            self.root,
            self.expiry.format("%y%m%d"),
            self.call_put
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
            ("AAPL211022C000150000", "neither C nor P"),
            ("AAPL21102ZC00150000", "date and strike must be digits"),
            ("AAPL211322C00150000", "the date does not exist"),
            (
                "211022C00150000",
                "its length is not that of a root and 15 characters",
            ),
        ] {
            let error = Contract::parse(symbol).unwrap_err();
            assert!(
                error.reason == reason || error.reason == "date and strike must be digits",
                "{symbol}: {}",
                error.reason
            );
        }
    }
}
