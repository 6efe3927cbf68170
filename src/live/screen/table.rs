//! Tables: from columns with widths and a pane that may be too narrow to cells at fixed places.
//!
//! Every cell is written at its own place and cut to its own width, so that neither a long ticker nor a
//! wide character moves its neighbours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::ink::Ink;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

/// A column of a pane.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    heading: &'static str,
    width: u16,
    align: Align,
    /// The lowest goes first when there is not room for all.
    worth: u8,
    /// Takes what the others leave.
    grows: bool,
}

impl Column {
    pub const fn left(heading: &'static str, width: u16, worth: u8) -> Column {
        Column {
            heading,
            width,
            align: Align::Left,
            worth,
            grows: false,
        }
    }

    pub const fn right(heading: &'static str, width: u16, worth: u8) -> Column {
        Column {
            align: Align::Right,
            ..Column::left(heading, width, worth)
        }
    }

    /// At least `width` wide, and more where there is more.
    pub const fn growing(heading: &'static str, width: u16, worth: u8) -> Column {
        Column {
            grows: true,
            ..Column::left(heading, width, worth)
        }
    }
}

/// Where a column that is shown stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub index: usize,
    pub x: u16,
    pub width: u16,
}

/// The columns that fit into `room`, one character apart, in their order.
pub fn fit(columns: &[Column], room: u16) -> Vec<Slot> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    while taken(columns, &kept) > room {
        let cheapest = kept.iter().map(|&index| columns[index].worth).min();
        kept.retain(|&index| Some(columns[index].worth) != cheapest);
    }
    let spare = room.saturating_sub(taken(columns, &kept));
    let mut x = 0;
    kept.into_iter()
        .map(|index| {
            let column = &columns[index];
            let width = column.width + if column.grows { spare } else { 0 };
            let slot = Slot { index, x, width };
            x += width + 1;
            slot
        })
        .collect()
}

fn taken(columns: &[Column], kept: &[usize]) -> u16 {
    let cells: u16 = kept.iter().map(|&index| columns[index].width).sum();
    cells + kept.len().saturating_sub(1) as u16
}

/// Writes the headings of the columns that are shown. One that is longer than its numbers starts
/// further left, where the heading before it leaves room.
pub fn draw_headings(buffer: &mut Buffer, line: Rect, columns: &[Column], slots: &[Slot]) {
    for slot in slots {
        let column = &columns[slot.index];
        let more = match column.align {
            Align::Left => 0,
            Align::Right => (column.heading.len() as u16).saturating_sub(slot.width),
        };
        let slot = Slot {
            x: slot.x.saturating_sub(more),
            width: slot.width + more,
            ..*slot
        };
        write(buffer, line, slot, column.align, &column.heading.into());
    }
}

/// Writes one row; `cells` are those of all columns, shown or not.
pub fn draw_row(
    buffer: &mut Buffer,
    line: Rect,
    columns: &[Column],
    slots: &[Slot],
    cells: &[Span],
) {
    for slot in slots {
        let align = columns[slot.index].align;
        write(buffer, line, *slot, align, &cells[slot.index]);
    }
}

/// Writes as much of `span` as `width` allows; the last character of what is cut is an ellipsis.
/// Returns the column after it.
pub fn write_cut(buffer: &mut Buffer, x: u16, y: u16, span: &Span, width: u16) -> u16 {
    if span.width() <= usize::from(width) {
        return buffer.set_span(x, y, span, width).0;
    }
    if width == 0 {
        return x;
    }
    let (end, _) = buffer.set_span(x, y, span, width - 1);
    buffer.set_span(end, y, &Span::styled("…", span.style), 1).0
}

fn write(buffer: &mut Buffer, line: Rect, slot: Slot, align: Align, span: &Span) {
    let width = slot.width.min(line.width.saturating_sub(slot.x));
    let start = match align {
        Align::Left => 0,
        Align::Right => width.saturating_sub(span.width() as u16),
    };
    let x = line.x + slot.x + start;
    write_cut(buffer, x, line.y, span, width - start);
}

/// Writes a sentence that stands where rows would.
pub fn draw_sentence(buffer: &mut Buffer, line: Rect, text: &str) {
    write_cut(
        buffer,
        line.x,
        line.y,
        &Span::styled(text, Ink::QUIET),
        line.width,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::left("time", 8, 9),
        Column::left("ticker", 6, 9),
        Column::right("spot", 8, 1),
        Column::growing("tags", 4, 2),
    ];

    fn shown(room: u16) -> Vec<(usize, u16, u16)> {
        let slots = fit(&COLUMNS, room);
        slots.iter().map(|s| (s.index, s.x, s.width)).collect()
    }

    fn row(cells: [&str; 4], room: u16) -> String {
        let area = Rect::new(0, 0, room, 1);
        let mut buffer = Buffer::empty(area);
        let slots = fit(&COLUMNS, room);
        let cells = cells.map(Span::from);
        draw_row(&mut buffer, area, &COLUMNS, &slots, &cells);
        // What a terminal shows: a wide character hides the cell after it.
        let mut text = String::new();
        let mut hidden = 0;
        for cell in buffer.content() {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            text.push_str(cell.symbol());
            hidden = Span::raw(cell.symbol()).width().saturating_sub(1);
        }
        text
    }

    #[test]
    fn the_growing_column_takes_what_is_left() {
        assert_eq!(shown(35), [(0, 0, 8), (1, 9, 6), (2, 16, 8), (3, 25, 10)]);
    }

    #[test]
    fn the_cheapest_columns_go_first() {
        assert_eq!(shown(28), [(0, 0, 8), (1, 9, 6), (3, 16, 12)]);
        assert_eq!(shown(19), [(0, 0, 8), (1, 9, 6)]);
    }

    #[test]
    fn a_long_ticker_is_cut_and_moves_nothing() {
        assert_eq!(
            row(["09:30:00", "VERYLONGNAME", "1.50", "SIZE"], 29),
            "09:30:00 VERYL…     1.50 SIZE"
        );
    }

    #[test]
    fn a_wide_character_moves_nothing() {
        assert_eq!(
            row(["09:30:00", "日本語", "1.50", "SIZE"], 29),
            "09:30:00 日本語     1.50 SIZE"
        );
        assert_eq!(
            row(["09:30:00", "日本語電", "1.50", "SIZE"], 29),
            "09:30:00 日本…      1.50 SIZE"
        );
    }

    #[test]
    fn a_pane_of_no_width_shows_nothing_and_does_not_fail() {
        assert_eq!(row(["09:30:00", "TSLA", "1.50", "SIZE"], 0), "");
        assert_eq!(row(["09:30:00", "TSLA", "1.50", "SIZE"], 3), "   ");
    }
}
