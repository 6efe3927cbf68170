//! The aggressor: from a print's price, the quote before it and the prints before it to the side
//! that crossed the spread, and how well that is known.

use serde::{Deserialize, Serialize};

use super::{Side, SideQuality, SideSource};

/// Best bid and offer just before a print, dollars per share. Zero means no such side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub bid: f64,
    pub ask: f64,
}

impl Quote {
    /// A quote that can tell buyers from sellers: both sides there, not locked, not crossed. A
    /// missing bid is a bid of zero: such an option is only offered.
    fn is_usable(&self) -> bool {
        self.ask > 0.0 && self.bid >= 0.0 && self.bid < self.ask
    }

    /// The side of a print at `price` and whether it was aggressive; `None` at the middle and when
    /// the quote cannot tell.
    pub fn answer(&self, price: f64) -> Option<(Side, bool)> {
        // Prices are decimals and their sums in binary are not: a ten-thousandth either way is the middle.
        let over_mid = (2.0 * price - (self.bid + self.ask)) * 1e4;
        match self {
            _ if !self.is_usable() => None,
            _ if price >= self.ask => Some((Side::Buy, true)),
            _ if price <= self.bid => Some((Side::Sell, true)),
            _ if over_mid > 0.5 => Some((Side::Buy, false)),
            _ if over_mid < -0.5 => Some((Side::Sell, false)),
            _ => None,
        }
    }
}

/// The side of a print and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggressor {
    pub side: Side,
    pub source: SideSource,
    pub quality: SideQuality,
    pub is_aggressive: bool,
}

/// Remembers a contract's last price and the last one that differed from it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TickTest {
    last: Option<f64>,
    before: Option<f64>,
}

impl TickTest {
    /// The side `price` suggests: above the contract's previous different price is a buy, below
    /// it a sell. Then remembers `price`.
    pub fn push(&mut self, price: f64) -> Side {
        if self.last != Some(price) {
            self.before = self.last;
            self.last = Some(price);
        }
        match self.before {
            Some(before) if price > before => Side::Buy,
            Some(before) if price < before => Side::Sell,
            _ => Side::Unknown,
        }
    }
}

/// The side by quote, or by `tick` when the quote cannot tell. `is_fresh` says that the quote came
/// surely before the print; at or through such a quote the side is firm, else weak.
pub fn aggressor(price: f64, quote: Option<Quote>, is_fresh: bool, tick: Side) -> Aggressor {
    let firm = if is_fresh {
        SideQuality::Firm
    } else {
        SideQuality::Weak
    };
    if let Some((side, is_aggressive)) = quote.and_then(|quote| quote.answer(price)) {
        return Aggressor {
            side,
            source: SideSource::Quote,
            // Inside the spread nobody crossed it.
            quality: if is_aggressive {
                firm
            } else {
                SideQuality::Weak
            },
            is_aggressive,
        };
    }
    let (source, quality) = match tick {
        Side::Unknown => (SideSource::None, SideQuality::None),
        _ => (SideSource::Tick, SideQuality::Weak),
    };
    Aggressor {
        side: tick,
        source,
        quality,
        is_aggressive: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_quote(price: f64, bid: f64, ask: f64) -> (Side, bool) {
        let found = aggressor(price, Some(Quote { bid, ask }), true, Side::Unknown);
        (found.side, found.is_aggressive)
    }

    #[test]
    fn at_or_through_the_quote_is_aggressive_and_inside_is_not() {
        assert_eq!(by_quote(1.10, 1.00, 1.10), (Side::Buy, true));
        assert_eq!(by_quote(1.20, 1.00, 1.10), (Side::Buy, true));
        assert_eq!(by_quote(1.00, 1.00, 1.10), (Side::Sell, true));
        assert_eq!(by_quote(1.08, 1.00, 1.10), (Side::Buy, false));
        assert_eq!(by_quote(1.02, 1.00, 1.10), (Side::Sell, false));
    }

    #[test]
    fn a_quote_that_cannot_tell_leaves_it_to_the_tick_test() {
        for (bid, ask) in [(1.1, 1.0), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (0.5, 1.5)] {
            let found = aggressor(1.0, Some(Quote { bid, ask }), true, Side::Sell);
            assert_eq!(
                (found.side, found.source),
                (Side::Sell, SideSource::Tick),
                "{bid} x {ask}"
            );
        }
    }

    #[test]
    fn the_tick_test_compares_with_the_previous_different_price() {
        let mut tick = TickTest::default();
        let sides: Vec<Side> = [1.0, 1.1, 1.1, 1.0, 1.0, 1.2]
            .map(|price| tick.push(price))
            .to_vec();
        assert_eq!(
            sides,
            [
                Side::Unknown,
                Side::Buy,
                Side::Buy,
                Side::Sell,
                Side::Sell,
                Side::Buy
            ]
        );
    }

    #[test]
    fn nothing_to_compare_with_is_unknown() {
        let found = aggressor(1.0, None, true, Side::Unknown);
        assert_eq!(
            (found.source, found.quality),
            (SideSource::None, SideQuality::None)
        );
    }
}
