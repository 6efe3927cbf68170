//! The loop: from keys and a board that changes to frames, ten a second at most.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::Event;

use super::keys::Keys;
use super::terminal::Taken;
use super::{Quit, Status, Viewer, draw};
use crate::live::Board;

/// Between two frames, and between two looks at the board.
const LEAST_APART: Duration = Duration::from_millis(100);
/// A frame is drawn again after this even if no row came: ages and counts go on.
const MOST_APART: Duration = Duration::from_secs(1);

/// Draws until `q`, Esc or Ctrl-C, or until `is_over()`. Gives the terminal back however it ends, also
/// on a panic of any thread. Fails when stdout is no terminal, or when the terminal goes away.
///
/// `board` is locked only while it is copied, `is_over` is asked ten times a second.
pub fn run<'a>(
    board: &Mutex<Board>,
    view: impl Fn() -> Status<'a>,
    is_over: impl Fn() -> bool,
) -> io::Result<Quit> {
    let mut terminal = Taken::take()?;
    let keys = Keys::listen()?;
    let mut viewer = Viewer::default();
    let mut shown = copy(board);
    let mut drawn_at: Option<Instant> = None;
    let mut is_changed = true;
    loop {
        if is_over() {
            return Ok(Quit::Over);
        }
        let since = drawn_at.map_or(MOST_APART, |at| at.elapsed());
        if since >= MOST_APART || (is_changed && since >= LEAST_APART) {
            let status = view();
            let events = status.gauges.events.get();
            viewer.pace.look(status.running_for, events);
            terminal.draw(status.is_coloured, |frame| {
                draw(frame, &shown, &status, &mut viewer);
            })?;
            drawn_at = Some(Instant::now());
            is_changed = false;
        }
        let since = drawn_at.map_or(Duration::ZERO, |at| at.elapsed());
        let patience = if is_changed {
            LEAST_APART.saturating_sub(since)
        } else {
            LEAST_APART
        };
        match keys.next(patience)? {
            Some(Event::Key(key)) => {
                let events = view().gauges.events.get();
                if let Some(quit) = viewer.press(key, events) {
                    return Ok(quit);
                }
                is_changed = true;
            }
            Some(_) => is_changed = true,
            None => {}
        }
        is_changed |= viewer.paused_at.is_none() && renew(&mut shown, board, &mut viewer);
    }
}

fn copy(board: &Mutex<Board>) -> Board {
    // A thread that panicked while it held the board left rows that are still true.
    board.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Takes over what is on the board; returns whether that is anything new.
fn renew(shown: &mut Board, board: &Mutex<Board>, viewer: &mut Viewer) -> bool {
    let fresh = copy(board);
    let is_same = fresh.tape == shown.tape
        && fresh.signals == shown.signals
        && fresh.positions == shown.positions;
    if !is_same {
        viewer.follow(shown, &fresh);
        *shown = fresh;
    }
    !is_same
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::flow::{CallPut, Side};
    use crate::live::{ContractName, TapeRow};
    use crate::time::Ts;

    fn show(board: &Mutex<Board>, contracts: i64) {
        let row = TapeRow {
            ts: Ts::from_ns(0),
            contract: ContractName {
                ticker: "TSLA".into(),
                call_put: CallPut::Call,
                strike: 245.0,
                expiry: NaiveDate::default(),
            },
            contracts,
            price: 1.0,
            notional: 100.0 * contracts as f64,
            side: Side::Buy,
            is_sweep: false,
            is_aggressive: false,
            spot: None,
        };
        board.lock().unwrap().show_event(row);
    }

    #[test]
    fn only_a_board_that_changed_asks_for_a_frame() {
        let board = Mutex::new(Board::default());
        let (mut shown, mut viewer) = (Board::default(), Viewer::default());
        assert!(!renew(&mut shown, &board, &mut viewer));
        show(&board, 5);
        assert!(renew(&mut shown, &board, &mut viewer));
        assert_eq!(shown.tape.len(), 1);
        assert!(!renew(&mut shown, &board, &mut viewer));
    }

    #[test]
    fn a_board_whose_writer_panicked_is_still_shown() {
        let board = Mutex::new(Board::default());
        show(&board, 5);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let _held = board.lock().unwrap();
                panic!("the writer breaks");
            });
            assert!(writer.join().is_err());
        });
        assert_eq!(copy(&board).tape[0].contracts, 5);
    }
}
