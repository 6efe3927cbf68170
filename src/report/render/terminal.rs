//! Terminal: boxed tables where there is room, narrow ones without lines where there is not.
//!
//! When a table is wider than the screen, headers break at their spaces first, then the columns that
//! can be spared go (and a note says which), then long text wraps. A number is never broken over two
//! lines: half a number is a wrong number.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{
    Attribute, Cell as GridCell, CellAlignment, Color, ColumnConstraint, ContentArrangement,
    LineStyle, Table as Grid, TableStyle, Width,
};

use super::super::table::{Align, Audience, Cell, Column, Fact, Role, Row, Table};
use super::people;

/// One rule under the header and nothing else.
const NARROW: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Text is not wrapped below this many columns: the longest tag has 16.
const MIN_TEXT_WIDTH: u16 = 16;

/// What is known of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalStyle {
    pub color: bool,
    /// Columns of the screen; `None` lets tables be as wide as they come.
    pub width: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Boxed,
    Narrow,
}

/// Columns with their place in the table's rows.
type Columns<'a> = Vec<(usize, &'a Column)>;

pub(super) fn render(tables: &[Table], style: TerminalStyle) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut said = None;
    for table in tables {
        // Neighbours that share their facts say them once.
        if said != Some(&table.facts) && !table.facts.is_empty() {
            blocks.push(facts(&table.facts, style));
        }
        said = Some(&table.facts);
        blocks.push(block(table, style));
    }
    blocks.join("\n")
}

fn facts(facts: &[Fact], style: TerminalStyle) -> String {
    let indent = facts
        .iter()
        .map(|fact| fact.label.chars().count())
        .max()
        .unwrap_or(0)
        + 2;
    let line = |fact: &Fact| {
        wrapped(
            &format!("{:<indent$}{}", fact.label, fact.text),
            indent,
            style.width,
        ) + "\n"
    };
    facts.iter().map(line).collect()
}

/// Title, table, notes.
fn block(table: &Table, style: TerminalStyle) -> String {
    let title = table.title.iter().map(|title| bold(title, style));
    let (grid, left_out) = grid(table, style);
    let left_out =
        (!left_out.is_empty()).then(|| format!("Too narrow to show {}.", left_out.join(", ")));
    let notes = left_out
        .iter()
        .chain(&table.notes)
        .map(|note| wrapped(note, 2, style.width));
    title
        .chain([grid])
        .chain(notes)
        .map(|part| part + "\n")
        .collect()
}

/// The table as wide as `style` allows, and the labels of the columns it had no room for.
fn grid(table: &Table, style: TerminalStyle) -> (String, Vec<String>) {
    let columns = people::columns(table);
    let boxed = lay_out(table, &columns, Layout::Boxed, style);
    let Some(width) = style
        .width
        .filter(|&width| natural_width(&boxed, Layout::Boxed) > usize::from(width))
    else {
        return (boxed.trim_fmt(), Vec::new());
    };
    let mut narrow = lay_out(table, &columns, Layout::Narrow, style);
    let mut left_out = Vec::new();
    if natural_width(&narrow, Layout::Narrow) > usize::from(width) {
        let (kept, dropped): (Columns, Columns) = columns
            .into_iter()
            .partition(|(_, column)| column.audience == Audience::Everyone);
        left_out.extend(dropped.into_iter().map(|(_, column)| column.label.clone()));
        narrow = lay_out(table, &kept, Layout::Narrow, style);
        squeeze(&mut narrow, &kept, width);
    }
    (narrow.trim_fmt(), left_out)
}

/// Of the table if nothing wraps.
fn natural_width(grid: &Grid, layout: Layout) -> usize {
    let widths = grid
        .column_max_content_widths()
        .into_iter()
        .map(usize::from);
    match layout {
        // Two spaces and a line for every column, and the line before the first.
        Layout::Boxed => widths.map(|width| width + 3).sum::<usize>() + 1,
        // A space between columns.
        Layout::Narrow => widths
            .map(|width| width + 1)
            .sum::<usize>()
            .saturating_sub(1),
    }
}

fn lay_out(table: &Table, columns: &Columns, layout: Layout, style: TerminalStyle) -> Grid {
    let mut grid = Grid::new();
    grid.force_no_tty();
    if style.color {
        grid.enforce_styling();
    }
    grid.set_header(columns.iter().map(|(_, column)| heading(column, layout)));
    for row in &table.rows {
        grid.add_row(
            columns
                .iter()
                .map(|(index, column)| grid_cell(row, *index, column, layout)),
        );
    }
    grid.load_style(if layout == Layout::Boxed {
        UTF8_FULL_CONDENSED
    } else {
        NARROW
    });
    if layout == Layout::Narrow {
        let last = columns.len().saturating_sub(1);
        for (place, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, u16::from(place < last)));
        }
    }
    grid
}

/// Lets text give way to `width` and numbers keep theirs.
fn squeeze(grid: &mut Grid, columns: &Columns, width: u16) {
    grid.set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    let natural = grid.column_max_content_widths();
    for ((grid_column, natural), (_, column)) in grid.column_iter_mut().zip(natural).zip(columns) {
        grid_column.set_constraint(match column.align {
            Align::Right => ColumnConstraint::ContentWidth,
            Align::Left => {
                ColumnConstraint::LowerBoundary(Width::Fixed(natural.min(MIN_TEXT_WIDTH) + 1))
            }
        });
    }
}

fn heading(column: &Column, layout: Layout) -> GridCell {
    let cell = GridCell::new(broken(&column.label, layout)).add_attribute(Attribute::Bold);
    cell.set_alignment(alignment(column))
}

fn grid_cell(row: &Row, index: usize, column: &Column, layout: Layout) -> GridCell {
    let value = &row.cells[index];
    let text = value.to_string();
    let text = if matches!(value, Cell::EmptyBecause(_)) {
        broken(&text, layout)
    } else {
        text
    };
    let mut cell = GridCell::new(text).set_alignment(alignment(column));
    if row.role == Role::Total {
        cell = cell.add_attribute(Attribute::Bold);
    }
    match value {
        Cell::Signed { value, .. } if *value > 0.0 => cell.fg(Color::Green),
        Cell::Signed { value, .. } if *value < 0.0 => cell.fg(Color::Red),
        Cell::Empty => cell.add_attribute(Attribute::Dim),
        _ => cell,
    }
}

/// Over two lines where columns are scarce.
fn broken(text: &str, layout: Layout) -> String {
    if layout == Layout::Boxed {
        text.to_owned()
    } else {
        text.replace(' ', "\n")
    }
}

fn alignment(column: &Column) -> CellAlignment {
    match column.align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    }
}

fn bold(text: &str, style: TerminalStyle) -> String {
    if style.color {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Breaks `text` at spaces into lines of at most `width`, all but the first indented. A word longer
/// than a line stays whole.
fn wrapped(text: &str, indent: usize, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else {
        return text.to_owned();
    };
    let mut lines = vec![String::new()];
    // Runs of spaces are kept: they align the text after a label.
    for word in text.split_inclusive(' ') {
        let line = lines.last().expect("there is always a line");
        if line.chars().count() + word.trim_end().chars().count() > width && !line.trim().is_empty()
        {
            lines.push(" ".repeat(indent));
        }
        lines
            .last_mut()
            .expect("there is always a line")
            .push_str(word);
    }
    lines
        .iter()
        .map(|line| line.trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}
