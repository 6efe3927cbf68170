//! Kernels: polars' vectorised operations on plain columns, session by session where a column begins
//! anew each day. A value that is not known is NaN.

use std::ops::Range;

use polars::prelude::*;
use polars_compute::rolling::no_nulls;

/// `kernel` over all of `column`. Kernels want at least one value.
pub fn whole(
    column: &[f64],
    kernel: impl Fn(&Series) -> PolarsResult<Series>,
) -> PolarsResult<Vec<f64>> {
    if column.is_empty() {
        return Ok(Vec::new());
    }
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

/// The highest of the last `bars` values, from `at_least` of them on.
pub fn rolling_max(series: &Series, bars: usize, at_least: usize) -> PolarsResult<Series> {
    let values = series.f64()?.cont_slice()?;
    Series::from_arrow(
        "".into(),
        no_nulls::rolling_max(values, bars, at_least, false, None, None)?,
    )
}

/// The lowest of the last `bars` values, from `at_least` of them on.
pub fn rolling_min(series: &Series, bars: usize, at_least: usize) -> PolarsResult<Series> {
    let values = series.f64()?.cont_slice()?;
    Series::from_arrow(
        "".into(),
        no_nulls::rolling_min(values, bars, at_least, false, None, None)?,
    )
}

/// The sum of the last `bars` values, from the first on.
pub fn rolling_sum(series: &Series, bars: usize) -> PolarsResult<Series> {
    let values = series.f64()?.cont_slice()?;
    Series::from_arrow(
        "".into(),
        no_nulls::rolling_sum(values, bars, 1, false, None, None)?,
    )
}
