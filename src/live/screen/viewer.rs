//! The viewer: from keys to what is shown of the board: which pane, how far down, whether it stands still.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Quit;
use super::pace::Pace;
use crate::live::Board;

/// The parts of the board, in the order in which Tab visits them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Tape,
    Signals,
    Positions,
}

/// Which rows of a pane are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub first: usize,
    /// Rows that were there to show and rows that had room, when the pane was last drawn.
    pub len: usize,
    pub room: usize,
}

impl Place {
    /// Moves up so that no line stays empty while there are rows for it.
    pub fn settle(&mut self, len: usize, room: usize) {
        *self = Place {
            first: self.first.min(len.saturating_sub(room)),
            len,
            room,
        };
    }

    fn down(&mut self, rows: usize) {
        let last = self.len.saturating_sub(self.room);
        self.first = self.first.saturating_add(rows).min(last);
    }

    fn up(&mut self, rows: usize) {
        self.first = self.first.saturating_sub(rows);
    }
}

/// What the person at the keyboard has chosen.
#[derive(Debug, Default)]
pub struct Viewer {
    pub(super) focus: Pane,
    pub(super) places: [Place; 3],
    /// The events there had been when the board was told to stand still.
    pub(super) paused_at: Option<u64>,
    pub(super) shows_keys: bool,
    pub(super) pace: Pace,
}

impl Viewer {
    /// Does what `key` means; `events` is how many there have been. Returns whether it means to quit.
    pub(super) fn press(&mut self, key: KeyEvent, events: u64) -> Option<Quit> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let is_interrupt =
            key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        // Control and a letter is another key than the letter.
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return is_interrupt.then_some(Quit::Asked);
        }
        let page = self.place(self.focus).room.max(1);
        let focused = &mut self.places[self.focus as usize];
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Some(Quit::Asked),
            KeyCode::Char('p') => {
                self.paused_at = match self.paused_at {
                    Some(_) => None,
                    None => Some(events),
                }
            }
            KeyCode::Char('?') => self.shows_keys = !self.shows_keys,
            KeyCode::Tab | KeyCode::Right => self.focus = self.focus.next(),
            KeyCode::BackTab | KeyCode::Left => self.focus = self.focus.next().next(),
            KeyCode::Down => focused.down(1),
            KeyCode::Up => focused.up(1),
            KeyCode::PageDown => focused.down(page),
            KeyCode::PageUp => focused.up(page),
            KeyCode::End => focused.down(usize::MAX),
            KeyCode::Home => focused.up(usize::MAX),
            _ => {}
        }
        None
    }

    pub(super) fn place(&self, pane: Pane) -> Place {
        self.places[pane as usize]
    }

    /// Keeps a pane that was scrolled on the rows it shows while new ones arrive above them.
    pub(super) fn follow(&mut self, old: &Board, new: &Board) {
        self.push_down(Pane::Tape, arrived(&old.tape, &new.tape));
        self.push_down(Pane::Signals, arrived(&old.signals, &new.signals));
    }

    fn push_down(&mut self, pane: Pane, rows: usize) {
        let place = &mut self.places[pane as usize];
        if place.first > 0 {
            place.first += rows;
        }
    }
}

impl Pane {
    pub const ALL: [Pane; 3] = [Pane::Tape, Pane::Signals, Pane::Positions];

    fn next(self) -> Pane {
        Pane::ALL[(self as usize + 1) % Pane::ALL.len()]
    }

    pub fn title(self) -> &'static str {
        match self {
            Pane::Tape => "TAPE",
            Pane::Signals => "SIGNALS",
            Pane::Positions => "POSITIONS",
        }
    }
}

/// Rows of `new` above what was on top of `old`. Two rows are compared, because one may come twice.
fn arrived<T: PartialEq>(old: &VecDeque<T>, new: &VecDeque<T>) -> usize {
    let is_old_top = |at: &usize| {
        old.iter()
            .zip(new.iter().skip(*at))
            .take(2)
            .all(|(before, now)| before == now)
    };
    (0..new.len()).find(is_old_top).unwrap_or(new.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(viewer: &mut Viewer, code: KeyCode) -> Option<Quit> {
        viewer.press(KeyEvent::new(code, KeyModifiers::NONE), 100)
    }

    fn viewer_of(len: usize, room: usize) -> Viewer {
        let mut viewer = Viewer::default();
        viewer.places[0].settle(len, room);
        viewer
    }

    #[test]
    fn q_escape_and_control_c_quit_and_c_alone_does_not() {
        let mut viewer = Viewer::default();
        assert_eq!(press(&mut viewer, KeyCode::Char('q')), Some(Quit::Asked));
        assert_eq!(press(&mut viewer, KeyCode::Esc), Some(Quit::Asked));
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(viewer.press(control('c'), 0), Some(Quit::Asked));
        assert_eq!(press(&mut viewer, KeyCode::Char('c')), None);
        assert_eq!(viewer.press(control('q'), 0), None);
    }

    #[test]
    fn scrolling_ends_at_the_last_page_and_turns_back_at_once() {
        let mut viewer = viewer_of(20, 6);
        for _ in 0..50 {
            press(&mut viewer, KeyCode::Down);
        }
        assert_eq!(viewer.places[0].first, 14);
        press(&mut viewer, KeyCode::Up);
        assert_eq!(viewer.places[0].first, 13);
        press(&mut viewer, KeyCode::PageUp);
        assert_eq!(viewer.places[0].first, 7);
        press(&mut viewer, KeyCode::End);
        assert_eq!(viewer.places[0].first, 14);
        press(&mut viewer, KeyCode::Home);
        assert_eq!(viewer.places[0].first, 0);
    }

    #[test]
    fn tab_goes_round_and_only_the_focused_pane_scrolls() {
        let mut viewer = viewer_of(20, 6);
        press(&mut viewer, KeyCode::Tab);
        press(&mut viewer, KeyCode::Down);
        assert_eq!(viewer.focus, Pane::Signals);
        assert_eq!(viewer.places[0].first, 0);
        press(&mut viewer, KeyCode::Tab);
        press(&mut viewer, KeyCode::Tab);
        assert_eq!(viewer.focus, Pane::Tape);
        press(&mut viewer, KeyCode::BackTab);
        assert_eq!(viewer.focus, Pane::Positions);
    }

    #[test]
    fn pause_remembers_how_many_events_there_had_been() {
        let mut viewer = Viewer::default();
        press(&mut viewer, KeyCode::Char('p'));
        assert_eq!(viewer.paused_at, Some(100));
        press(&mut viewer, KeyCode::Char('p'));
        assert_eq!(viewer.paused_at, None);
    }

    #[test]
    fn a_scrolled_pane_stays_on_its_rows_and_the_top_stays_the_top() {
        let mut viewer = viewer_of(20, 6);
        viewer.push_down(Pane::Tape, 3);
        assert_eq!(viewer.places[0].first, 0);
        press(&mut viewer, KeyCode::Down);
        viewer.push_down(Pane::Tape, 3);
        assert_eq!(viewer.places[0].first, 4);
    }

    #[test]
    fn arrivals_are_counted_down_to_the_old_top() {
        let rows = |text: &str| text.chars().collect::<VecDeque<char>>();
        assert_eq!(arrived(&rows("cba"), &rows("cba")), 0);
        assert_eq!(arrived(&rows("cba"), &rows("edcb")), 2);
        assert_eq!(arrived(&rows("cba"), &rows("xyz")), 3);
        // The newest row looks like the old top and is not: another one follows it.
        assert_eq!(arrived(&rows("cba"), &rows("cdcb")), 2);
        assert_eq!(arrived(&rows(""), &rows("cba")), 0);
    }
}
