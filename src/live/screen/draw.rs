//! Drawing: from a board, a status and what the viewer chose to one frame.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::ink::Ink;
use super::panes::{self, indented};
use super::viewer::{Pane, Viewer};
use super::{Status, figures, heartbeat, table};
use crate::live::{Board, Feed};
use crate::report::Cell;

/// Below this no pane has room for its columns and a row or two.
const LEAST_WIDTH: u16 = 64;
const LEAST_HEIGHT: u16 = 18;
/// From here on the tape stands beside signals and positions.
const WIDE_FROM: u16 = 160;
/// From here on the header says the date and how long the stream has run.
const ROOMY_FROM: u16 = 110;

const KEYS: &str = "q quit  p pause  Tab next pane  ↑↓ PgUp PgDn Home End scroll  ? fewer";
const FEW_KEYS: &str = "q quit  p pause  ? keys";

/// Draws one frame, and settles how far each pane can be scrolled.
pub fn draw(frame: &mut Frame, board: &Board, status: &Status, viewer: &mut Viewer) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        draw_too_small(buffer, area);
        return;
    }
    let [header, body, beat, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(heartbeat::height(area.width)),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_header(buffer, header, status, viewer);
    for (pane, area) in Pane::ALL.into_iter().zip(pane_areas(body)) {
        draw_title(buffer, area, pane, viewer);
        let place = &mut viewer.places[pane as usize];
        panes::draw(buffer, area, pane, board, status, place);
    }
    heartbeat::draw(buffer, beat, status, viewer.pace.per_minute());
    draw_footer(buffer, footer, status, viewer);
}

fn draw_too_small(buffer: &mut Buffer, area: Rect) {
    let Some(line) = area.rows().next() else {
        return;
    };
    let text = format!(
        "needs {LEAST_WIDTH}x{LEAST_HEIGHT}, has {}x{}; q quits",
        area.width, area.height
    );
    table::write_cut(buffer, line.x, line.y, &text.into(), line.width);
}

/// Tape, signals, positions.
fn pane_areas(body: Rect) -> [Rect; 3] {
    if body.width < WIDE_FROM {
        let [tape, signals, positions] = Layout::vertical([
            Constraint::Fill(4),
            Constraint::Fill(3),
            Constraint::Fill(3),
        ])
        .areas(body);
        return [tape, signals, positions];
    }
    let [tape, _, right] = Layout::horizontal([
        Constraint::Length(panes::TAPE_WIDTH),
        Constraint::Length(1),
        Constraint::Min(0),
    ])
    .areas(body);
    let [signals, positions] = Layout::vertical([Constraint::Fill(1); 2]).areas(right);
    [tape, signals, positions]
}

fn draw_title(buffer: &mut Buffer, area: Rect, pane: Pane, viewer: &Viewer) {
    let Some(line) = area.rows().next() else {
        return;
    };
    buffer.set_style(line, Ink::HEADING);
    let style = if viewer.focus == pane {
        Ink::STRONG.patch(Ink::FOCUS)
    } else {
        Ink::STRONG
    };
    let line = indented(line);
    buffer.set_stringn(line.x, line.y, pane.title(), line.width.into(), style);
}

/// What is running on the left, how it is doing on the right; the right side is never cut for the left.
fn draw_header(buffer: &mut Buffer, area: Rect, status: &Status, viewer: &Viewer) {
    let area = indented(area);
    let right = how_it_does(status, viewer, area.width >= ROOMY_FROM);
    let width = (right.width() as u16).min(area.width);
    buffer.set_line(area.right() - width, area.y, &right, width);
    let room = area.width.saturating_sub(width + 2);
    let name = Span::styled("flowlab live", Ink::STRONG);
    let end = table::write_cut(buffer, area.x, area.y, &name, room);
    let source = Span::raw(format!("  {}", status.source));
    table::write_cut(buffer, end, area.y, &source, room - (end - area.x));
}

fn how_it_does(status: &Status, viewer: &Viewer, is_roomy: bool) -> Line<'static> {
    let ink = status.ink();
    let mut parts = Vec::new();
    if let Some(before) = viewer.paused_at {
        let since = status.gauges.events.get().saturating_sub(before);
        let text = format!("paused, {} since", figures::count(since));
        parts.push(Span::styled(text, ink.warning()));
    }
    if is_roomy {
        let seconds = status.running_for.as_secs_f64();
        let text = format!("running for {}", Cell::Duration { seconds });
        parts.push(Span::styled(text, Ink::QUIET));
    }
    if let Some(ts) = status.stream_ts {
        let date = if is_roomy {
            format!("{} ", ts.exchange_date())
        } else {
            String::new()
        };
        let text = format!("{date}{} ET", figures::clock(ts));
        parts.push(Span::styled(text, Ink::STRONG));
    }
    if status.is_finished {
        parts.push(Span::styled("finished", ink.warning()));
    } else {
        parts.extend(status.feeds.iter().map(|feed| state(*feed, status, ink)));
    }
    let mut line = Line::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            line.push_span("  ");
        }
        line.push_span(part);
    }
    line
}

fn state(feed: Feed, status: &Status, ink: Ink) -> Span<'static> {
    let at = feed as usize;
    let (word, style) = if !status.gauges.is_up[at].is_on() {
        ("down", ink.loss().patch(Ink::STRONG))
    } else if status.gauges.is_stale[at].is_on() {
        ("stale", ink.warning())
    } else {
        ("up", ink.gain())
    };
    Span::styled(format!("{feed} {word}"), style)
}

/// Keys or the last warning on the left, the rows of the focused pane on the right.
fn draw_footer(buffer: &mut Buffer, area: Rect, status: &Status, viewer: &Viewer) {
    let area = indented(area);
    let ink = status.ink();
    let rows = if viewer.shows_keys {
        String::new()
    } else {
        rows_shown(viewer)
    };
    let rows = Span::styled(rows, Ink::QUIET);
    let width = (rows.width() as u16).min(area.width);
    buffer.set_span(area.right() - width, area.y, &rows, width);
    let left = match &status.notice {
        _ if viewer.shows_keys => Span::styled(KEYS, Ink::QUIET),
        Some(notice) => Span::styled(notice.as_str(), ink.warning()),
        None => Span::styled(FEW_KEYS, Ink::QUIET),
    };
    let room = area.width.saturating_sub(width + 2);
    table::write_cut(buffer, area.x, area.y, &left, room);
}

/// `tape 8–14 of 200`; nothing while all rows are there.
fn rows_shown(viewer: &Viewer) -> String {
    let place = viewer.place(viewer.focus);
    if place.len <= place.room {
        return String::new();
    }
    let (first, last) = (place.first + 1, place.first + place.room);
    let name = viewer.focus.title().to_lowercase();
    format!("{name} {first}–{last} of {}", place.len)
}
