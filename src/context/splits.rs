//! Splits: what a price or a volume of one day is worth on another.

use chrono::NaiveDate;

use crate::store::Split;

/// A ticker's splits in order of `ex_date`.
#[derive(Clone, Debug, Default)]
pub struct Splits(Vec<Split>);

impl Splits {
    pub fn new(mut splits: Vec<Split>) -> Splits {
        splits.sort_by_key(|split| split.ex_date);
        Splits(splits)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// New shares on `to` per share on `from`: the product over `from < ex_date <= to`. A price of
    /// `from` divided by it, or a volume times it, is in the basis of `to`.
    pub fn ratio_between(&self, from: NaiveDate, to: NaiveDate) -> f64 {
        let between = self
            .0
            .iter()
            .filter(|split| from < split.ex_date && split.ex_date <= to);
        between.map(|split| split.ratio).product()
    }

    /// Shares on `date` per share before the first split known. Depends on nothing after `date`, so
    /// that prices times it form one continuous series that a later split does not rewrite.
    pub fn scale_on(&self, date: NaiveDate) -> f64 {
        self.ratio_between(NaiveDate::MIN, date)
    }

    /// The first split after `date`, if any.
    pub fn next_after(&self, date: NaiveDate) -> Option<&Split> {
        self.0.iter().find(|split| split.ex_date > date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_splits_multiply_and_the_ex_date_is_already_new() {
        let day = |d| NaiveDate::from_ymd_opt(2025, 3, d).unwrap();
        let splits = Splits::new(vec![
            Split {
                ex_date: day(20),
                ratio: 2.0,
            },
            Split {
                ex_date: day(10),
                ratio: 5.0,
            },
        ]);
        assert_eq!(splits.ratio_between(day(9), day(10)), 5.0);
        assert_eq!(splits.ratio_between(day(10), day(19)), 1.0);
        assert_eq!(splits.ratio_between(day(9), day(20)), 10.0);
        assert_eq!(splits.scale_on(day(15)), 5.0);
    }
}
