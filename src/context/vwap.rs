//! VWAP: the day's volume-weighted price so far, over regular bars.

use polars::prelude::*;

/// Σ(price · volume) ÷ Σ(volume) since the open; null while nothing has traded.
pub fn expr() -> Expr {
    let dollars = (col("price") * col("volume"))
        .cum_sum(false)
        .over([col("session")]);
    let volume = cumulative_volume();
    let vwap = dollars.expect("a session column partitions") / volume.clone();
    when(volume.gt(lit(0.0)))
        .then(vwap)
        .otherwise(lit(NULL))
        .alias("vwap")
}

/// Shares since the open.
pub fn cumulative_volume() -> Expr {
    col("volume")
        .cum_sum(false)
        .over([col("session")])
        .expect("a session column partitions")
}
