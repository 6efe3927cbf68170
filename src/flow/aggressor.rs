//! The aggressor: from a print's price, the quote before it and the prints before it to the side
//! that crossed the spread, and how well that is known.

use super::{Side, SideQuality, SideSource};

/// Best bid and offer just before a print, dollars per share. Zero means no such side.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    let by_quote = |side, quality, is_aggressive| Aggressor {
        side,
        source: SideSource::Quote,
        quality,
        is_aggressive,
    };
    if let Some(Quote { bid, ask }) = quote.filter(Quote::is_usable) {
        let mid = (bid + ask) / 2.0;
        if price >= ask {
            return by_quote(Side::Buy, firm, true);
        } else if price <= bid {
            return by_quote(Side::Sell, firm, true);
        } else if price > mid {
            return by_quote(Side::Buy, SideQuality::Weak, false);
        } else if price < mid {
            return by_quote(Side::Sell, SideQuality::Weak, false);
        }
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
