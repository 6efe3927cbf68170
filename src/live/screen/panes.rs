//! Panes: from the rows of the board to three tables, each of which says what it waits for while it is empty.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::bar::bar;
use super::ink::Ink;
use super::table::{self, Column, Slot, fit};
use super::viewer::{Pane, Place};
use super::{Status, figures};
use crate::flow::Side;
use crate::live::{Board, PositionRow, SignalRow, TapeRow};
use crate::strategies::Direction;

// The first column of each has no heading of its own: the pane's title stands there.
const TAPE: [Column; 10] = [
    Column::left("", 8, 9),
    Column::left("ticker", 6, 9),
    Column::left("contract", 14, 9),
    Column::right("size", 6, 6),
    Column::right("price", 8, 5),
    Column::right("notional", 8, 8),
    Column::left("side", 4, 7),
    Column::left("sweep", 5, 4),
    Column::left("aggr", 4, 3),
    Column::right("spot", 7, 2),
];

/// All columns of the tape and the margin: it has no use for more.
pub const TAPE_WIDTH: u16 = 80;

const SIGNALS: [Column; 8] = [
    Column::left("", 8, 9),
    Column::left("kind", 9, 8),
    Column::left("", 1, 9),
    Column::left("ticker", 6, 9),
    Column::left("contract", 14, 9),
    Column::right("strength", 4, 6),
    Column::right("notional", 8, 5),
    Column::growing("tags", 6, 4),
];

const POSITIONS: [Column; 10] = [
    Column::left("", 9, 9),
    Column::left("", 1, 9),
    Column::left("ticker", 6, 9),
    Column::left("contract", 14, 9),
    Column::left("since", 5, 3),
    Column::right("entry", 7, 5),
    Column::right("mark", 7, 6),
    Column::right("p&l", 7, 8),
    Column::right("tp/sl %", 11, 4),
    Column::growing("sl to tp", 9, 2),
];
/// A longer one says no more.
const LONGEST_BAR: u16 = 30;

/// Draws one pane of the board, and settles how far it can be scrolled.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    pane: Pane,
    board: &Board,
    status: &Status,
    place: &mut Place,
) {
    let (columns, len) = match pane {
        Pane::Tape => (&TAPE[..], board.tape.len()),
        Pane::Signals => (&SIGNALS[..], board.signals.len()),
        Pane::Positions => (&POSITIONS[..], board.positions.len()),
    };
    let rows = usize::from(area.height.saturating_sub(1));
    place.settle(len, rows);
    let ink = status.ink();
    let mut lines = area.rows().map(indented);
    let Some(heading) = lines.next() else { return };
    let slots = fit(columns, heading.width);
    table::draw_headings(buffer, heading, columns, &slots);
    if len == 0 {
        if let Some(line) = lines.next() {
            table::draw_sentence(buffer, line, &waits_for(pane, status));
        }
        return;
    }
    for (index, line) in (place.first..len).zip(lines) {
        let cells = match pane {
            Pane::Tape => tape_cells(&board.tape[index], ink),
            Pane::Signals => signal_cells(&board.signals[index], ink),
            Pane::Positions => position_cells(&board.positions[index], status, &slots, ink),
        };
        table::draw_row(buffer, line, columns, &slots, &cells);
    }
}

/// Leaves the first column free.
pub fn indented(line: Rect) -> Rect {
    let margin = line.width.min(1);
    Rect {
        x: line.x + margin,
        width: line.width - margin,
        ..line
    }
}

fn waits_for(pane: Pane, status: &Status) -> String {
    let gauges = status.gauges;
    let down = status
        .feeds
        .iter()
        .find(|feed| !gauges.is_up[**feed as usize].is_on());
    match (pane, down) {
        (Pane::Tape, _) if status.is_finished => "the source ended without an event".into(),
        (Pane::Tape, Some(feed)) => format!("waiting for the {feed} feed to come up"),
        (Pane::Tape, None) => "waiting for the first event".into(),
        (Pane::Signals, _) if status.is_finished => {
            "no event passed every gate of a strategy".into()
        }
        (Pane::Signals, _) => "waiting for an event that passes every gate of a strategy".into(),
        (Pane::Positions, _) => match gauges.trades_closed.get() {
            0 if status.is_finished => "no signal was traded".into(),
            0 => "waiting for a signal to trade".into(),
            closed => format!("none open, {} closed", figures::count(closed)),
        },
    }
}

fn tape_cells(row: &TapeRow, ink: Ink) -> Vec<Span<'_>> {
    let side = match row.side {
        Side::Unknown => "?",
        known => known.as_str(),
    };
    let flag = |is_set: bool, text: &'static str| plain(if is_set { text } else { "" });
    vec![
        Span::styled(figures::clock(row.ts), Ink::QUIET),
        strong(row.contract.ticker.as_str()),
        plain(figures::contract(&row.contract, row.ts)),
        plain(figures::size(row.contracts)),
        plain(format!("@{}", figures::price(row.price))),
        strong(figures::dollars(row.notional)),
        Span::styled(side, ink.of_side(row.side)),
        flag(row.is_sweep, "SWEEP"),
        flag(row.is_aggressive, "AGGR"),
        Span::styled(row.spot.map_or("–".into(), figures::price), Ink::QUIET),
    ]
}

fn signal_cells(row: &SignalRow, ink: Ink) -> Vec<Span<'_>> {
    vec![
        Span::styled(figures::clock(row.available_at), Ink::QUIET),
        plain(row.kind.as_str()),
        arrow(row.direction, ink),
        strong(row.contract.ticker.as_str()),
        plain(figures::contract(&row.contract, row.available_at)),
        strong(format!("{:.1}", row.strength)),
        plain(figures::dollars(row.notional)),
        plain(row.tags.as_str()),
    ]
}

fn position_cells<'a>(
    row: &'a PositionRow,
    status: &Status,
    slots: &[Slot],
    ink: Ink,
) -> Vec<Span<'a>> {
    let seen = status.stream_ts.unwrap_or(row.opened_at);
    let bar_width = slots
        .iter()
        .find(|slot| slot.index + 1 == POSITIONS.len())
        .map_or(0, |slot| slot.width.min(LONGEST_BAR));
    let pnl = ink.of_pnl(row.pnl_pct);
    vec![
        plain(row.kind.as_str()),
        arrow(row.direction, ink),
        strong(row.contract.ticker.as_str()),
        plain(figures::contract(&row.contract, seen)),
        Span::styled(figures::since(row.opened_at, status.stream_ts), Ink::QUIET),
        plain(figures::price(row.entry_price)),
        plain(figures::price(row.mark)),
        Span::styled(figures::gain(row.pnl_pct), pnl.patch(Ink::STRONG)),
        Span::styled(figures::barriers(row.tp_pct, row.sl_pct), Ink::QUIET),
        Span::styled(bar(row.pnl_pct, row.tp_pct, row.sl_pct, bar_width), pnl),
    ]
}

fn arrow(direction: Direction, ink: Ink) -> Span<'static> {
    let shape = match direction {
        Direction::Bullish => "▲",
        Direction::Bearish => "▼",
    };
    Span::styled(shape, ink.of_direction(direction))
}

fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::styled(text, Style::new())
}

fn strong<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::styled(text, Ink::STRONG)
}
