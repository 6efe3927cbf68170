//! Sight: what was known of the market as a print came, from the quotes around it.
//!
//! Trade stamps are whole milliseconds, quotes are finer, so a quote of the print's own millisecond
//! may have come before it or after:
//!
//! ```text
//!        .119                  .120                 .121
//!  ───q1──┼──────────q2─────────┼──────q3─────────────┼───
//!                               print .120
//!  q2 prevails (the last with ts <= .120); q3 is a rival: were the print to answer to it and
//!  the side be another, the side is weak. With a quote at exactly .120, q2 would be the rival.
//! ```

use serde::{Deserialize, Serialize};

use super::{Quote, Side, TimedQuote};
use crate::time::Ts;

const MS_NS: i64 = 1_000_000;

/// What a print met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// The last quote not after the print, whatever it is worth; none when that one is too old, for
    /// then nobody can say how many came since.
    pub quote: Option<Quote>,
    /// A quote of the same millisecond would have told another side.
    pub is_ambiguous: bool,
    /// The side as the provider has it.
    pub side: Option<Side>,
    /// The contract's volume of the day, this print included, as the provider has it.
    pub volume: Option<i64>,
    /// The provider says that the print was cancelled at some later time, and not when.
    pub is_cancelled_later: bool,
}

impl Sight {
    /// Nothing is known.
    pub const NONE: Sight = Sight {
        quote: None,
        is_ambiguous: false,
        side: None,
        volume: None,
        is_cancelled_later: false,
    };

    /// What a print at `ts` and `price` met among `quotes`, which ascend in time.
    pub fn among(quotes: &[TimedQuote], ts: Ts, price: f64, max_quote_age_ns: i64) -> Sight {
        let known = quotes.partition_point(|quote| quote.ts <= ts);
        let is_recent = |quote: &&TimedQuote| ts.ns_since(quote.ts) <= max_quote_age_ns;
        let Some(prevailing) = quotes[..known].last().filter(is_recent) else {
            return Sight::NONE;
        };
        let answer = |at: &TimedQuote| Some(at).filter(is_recent)?.quote.answer(price);
        let start = ts.ns().div_euclid(MS_NS) * MS_NS;
        // From the last quote before the millisecond to the last one inside it.
        let first = quotes[..known].partition_point(|quote| quote.ts.ns() < start);
        let end = known + quotes[known..].partition_point(|quote| quote.ts.ns() < start + MS_NS);
        let rivals = &quotes[first.saturating_sub(1)..end];
        let given = answer(prevailing);
        // Had the quote come after the print, nothing would have told the side.
        let is_alone = first == 0 && given.is_some();
        Sight {
            quote: Some(prevailing.quote),
            is_ambiguous: is_alone || rivals.iter().any(|rival| answer(rival) != given),
            ..Sight::NONE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn quotes(at: &[(i64, f64, f64)]) -> Vec<TimedQuote> {
        at.iter()
            .map(|(ns, bid, ask)| TimedQuote {
                ts: Ts::from_ns(*ns),
                quote: Quote {
                    bid: *bid,
                    ask: *ask,
                },
            })
            .collect()
    }

    fn seen(at: &[(i64, f64, f64)], ts: i64, price: f64) -> Sight {
        Sight::among(&quotes(at), Ts::from_ns(ts), price, 60 * SECOND)
    }

    #[test]
    fn the_last_quote_not_after_the_print_prevails() {
        let at = [(10, 1.0, 1.1), (5_000_000, 2.0, 2.1), (9_000_000, 3.0, 3.1)];
        let sight = seen(&at, 5_000_000, 2.1);
        assert_eq!(sight.quote, Some(Quote { bid: 2.0, ask: 2.1 }));
        assert_eq!(seen(&at, 9, 1.0), Sight::NONE);
    }

    #[test]
    fn a_quote_of_the_same_millisecond_makes_the_side_doubtful_when_it_would_change_it() {
        let harmless = [(0, 1.0, 1.1), (5_400_000, 1.0, 1.1)];
        assert!(!seen(&harmless, 5_000_000, 1.1).is_ambiguous);
        let moved = [(0, 1.0, 1.1), (5_400_000, 1.1, 1.2)];
        assert!(seen(&moved, 5_000_000, 1.1).is_ambiguous);
        let next_millisecond = [(0, 1.0, 1.1), (6_000_000, 1.1, 1.2)];
        assert!(!seen(&next_millisecond, 5_000_000, 1.1).is_ambiguous);
    }

    #[test]
    fn the_quote_before_the_millisecond_is_a_rival_of_one_inside_it() {
        let at = [(0, 1.1, 1.2), (5_000_000, 1.0, 1.1)];
        let sight = seen(&at, 5_000_000, 1.1);
        assert_eq!(sight.quote, Some(Quote { bid: 1.0, ask: 1.1 }));
        assert!(sight.is_ambiguous);
    }

    #[test]
    fn an_old_quote_is_none() {
        let at = [(0, 1.0, 1.1)];
        assert!(seen(&at, 60 * SECOND, 1.1).quote.is_some());
        assert_eq!(seen(&at, 60 * SECOND + 1, 1.1), Sight::NONE);
    }
}
