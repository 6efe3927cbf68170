//! Kernels: polars' vectorised operations on plain columns, session by session where a column begins
//! anew each day. A value that is not known is NaN.

use std::ops::Range;

use polars::prelude::*;

/// `kernel` over all of `column`.
pub fn whole(
    column: &[f64],
    kernel: impl Fn(&Series) -> PolarsResult<Series>,
) -> PolarsResult<Vec<f64>> {
    let mut out = Vec::with_capacity(column.len());
    append(
        &mut out,
        &kernel(&Float64Chunked::from_slice("".into(), column).into_series())?,
    )?;
    Ok(out)
}

/// `kernel` over each session's rows alone: what it remembers never crosses the night.
pub fn in_sessions<'a>(
    column: &[f64],
    sessions: impl Iterator<Item = &'a Range<usize>>,
    kernel: impl Fn(&Series) -> PolarsResult<Series>,
) -> PolarsResult<Vec<f64>> {
    let series = Float64Chunked::from_slice("".into(), column).into_series();
    let mut out = Vec::with_capacity(column.len());
    for rows in sessions.filter(|rows| !rows.is_empty()) {
        append(
            &mut out,
            &kernel(&series.slice(rows.start as i64, rows.len()))?,
        )?;
    }
    debug_assert_eq!(out.len(), column.len(), "every row belongs to one session");
    Ok(out)
}

fn append(out: &mut Vec<f64>, series: &Series) -> PolarsResult<()> {
    let values = series.f64()?;
    match values.cont_slice() {
        Ok(values) => out.extend_from_slice(values),
        Err(_) => out.extend(values.iter().map(|value| value.unwrap_or(f64::NAN))),
    }
    Ok(())
}

/// A window of the last `bars` rows that speaks from `at_least` rows on.
pub fn window(bars: usize, at_least: usize) -> RollingOptionsFixedWindow {
    RollingOptionsFixedWindow {
        window_size: bars,
        min_periods: at_least,
        ..Default::default()
    }
}
