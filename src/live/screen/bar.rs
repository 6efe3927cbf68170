//! The bar of a position: from where its gain stands between the barriers to a line of characters.
//!
//! ```text
//!  sl          entry        tp
//!  ──────────────┼━━━━━●──────
//! ```

/// `width` characters; empty when the barriers leave nothing to stand between.
pub fn bar(pnl_pct: f64, tp_pct: f64, sl_pct: f64, width: u16) -> String {
    let span = tp_pct + sl_pct;
    if width < 3 || !(span > 0.0 && pnl_pct.is_finite()) {
        return String::new();
    }
    let last = f64::from(width - 1);
    // A mark beyond a barrier stays at the end of the line until the next bar closes the trade.
    let cell = |pct: f64| ((pct + sl_pct) / span * last).round().clamp(0.0, last) as u16;
    let (entry, mark) = (cell(0.0), cell(pnl_pct));
    let drawn = entry.min(mark)..=entry.max(mark);
    (0..width)
        .map(|x| match x {
            x if x == mark => '●',
            x if x == entry => '┼',
            x if drawn.contains(&x) => '━',
            _ => '─',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn the_mark_moves_from_the_stop_on_the_left_to_the_profit_on_the_right() {
        for (pnl_pct, line) in [
            (-10.0, "●━━━┼──────"),
            (-5.0, "──●━┼──────"),
            (0.0, "────●──────"),
            (7.5, "────┼━━●───"),
            (15.0, "────┼━━━━━●"),
        ] {
            assert_eq!(bar(pnl_pct, 15.0, 10.0, 11), line);
        }
    }

    #[test]
    fn a_mark_beyond_a_barrier_stays_on_the_line() {
        assert_eq!(bar(90.0, 10.0, 10.0, 5), "──┼━●");
        assert_eq!(bar(-90.0, 10.0, 10.0, 5), "●━┼──");
    }

    #[test]
    fn without_barriers_or_room_there_is_no_bar() {
        assert_eq!(bar(1.0, 0.0, 0.0, 9), "");
        assert_eq!(bar(f64::NAN, 10.0, 10.0, 9), "");
        assert_eq!(bar(1.0, 10.0, 10.0, 2), "");
    }
}
