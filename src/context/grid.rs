//! A grid of minutes: full sessions side by side, so that the same minute of the sessions before is
//! a shift by whole sessions.

use polars::lazy::dsl::sum_horizontal;
use polars::prelude::*;

use super::sessions::SessionFacts;
use crate::time::Calendar;

/// Minutes of a full session.
pub const FULL_SESSION_MINUTES: usize = 390;

/// Row numbers of the full (not early-close) sessions of a run, oldest first.
#[derive(Clone, Debug)]
pub struct FullSessions {
    /// For each session of the facts: how many full sessions come before it.
    before: Vec<usize>,
    pub count: usize,
}

impl FullSessions {
    pub fn of(facts: &[SessionFacts], calendar: &Calendar) -> FullSessions {
        let mut count = 0;
        let before = facts
            .iter()
            .map(|fact| {
                let before = count;
                count += usize::from(!calendar.all()[fact.index].is_early_close);
                before
            })
            .collect();
        FullSessions { before, count }
    }

    /// The place of session `offset` in the grid, when it is a full one.
    pub fn place(&self, offset: usize) -> Option<usize> {
        let next = self.before.get(offset + 1).copied().unwrap_or(self.count);
        (next > self.before[offset]).then_some(self.before[offset])
    }

    /// Index into [`same_minute_mean`]'s result for minute `minute` (1 to 390) of session `offset`:
    /// the mean over the full sessions before it. `None` when there is none.
    pub fn mean_index(&self, offset: usize, minute: usize) -> Option<usize> {
        let last = self.before[offset].checked_sub(1)?;
        (1..=FULL_SESSION_MINUTES)
            .contains(&minute)
            .then(|| last * FULL_SESSION_MINUTES + minute - 1)
    }
}

/// For each cell of a grid of full sessions: the mean of the same minute over that session and the
/// ones before it, `sessions` in all; NaN where fewer than `at_least` of them are known. Sums run
/// from the latest session back, so that they do not depend on where the grid begins.
pub fn same_minute_mean(cells: Series, sessions: u32, at_least: u32) -> PolarsResult<Vec<f64>> {
    let back = |k: u32| lit(i64::from(k) * FULL_SESSION_MINUTES as i64);
    let shifted: Vec<Expr> = (0..sessions).map(|k| col("cell").shift(back(k))).collect();
    let known: Vec<Expr> = (0..sessions).map(|k| col("known").shift(back(k))).collect();
    let frame = DataFrame::new_infer_height(vec![cells.with_name("cell".into()).into()])?;
    let out = frame
        .lazy()
        .with_columns_seq([col("cell")
            .is_not_null()
            .cast(DataType::Int32)
            .alias("known")])
        .select_seq([
            sum_horizontal(shifted, true)?.alias("sum"),
            sum_horizontal(known, true)?.alias("known"),
        ])
        .select_seq([when(col("known").gt_eq(lit(at_least.max(1) as i32)))
            .then(col("sum") / col("known"))
            .otherwise(lit(f64::NAN))
            .alias("mean")])
        .collect()?;
    values(&out, "mean")
}

/// A column of floats as a vector, NaN for null.
pub fn values(frame: &DataFrame, name: &str) -> PolarsResult<Vec<f64>> {
    let column = frame.column(name)?.f64()?.rechunk();
    match column.cont_slice() {
        Ok(slice) => Ok(slice.to_vec()),
        Err(_) => Ok(column
            .iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect()),
    }
}
