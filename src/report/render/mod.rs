//! Rendering: from tables of values to text, in the formats people and machines ask for.
//!
//! People get rounded figures, labels, facts and notes; machines get every field in full precision
//! under its full name. A dash, an empty CSV field and a JSON null are the same: undefined.

mod csv;
mod json;
mod markdown;
mod people;
mod terminal;

pub use terminal::TerminalStyle;

use super::table::Table;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal.
    Table,
    /// An array of tables, rows as objects.
    Json,
    /// One tidy file: all tables under the union of their columns.
    Csv,
    /// GitHub's Markdown.
    Md,
}

/// `tables` as text that ends with a newline, without colour and as wide as it comes.
pub fn render(tables: &[Table], format: Format) -> String {
    render_styled(tables, format, TerminalStyle::default())
}

/// [`render`] for a terminal that has a width and perhaps colours; other formats ignore `style`.
pub fn render_styled(tables: &[Table], format: Format, style: TerminalStyle) -> String {
    match format {
        Format::Table => terminal::render(tables, style),
        Format::Json => json::render(tables),
        Format::Csv => csv::render(tables),
        Format::Md => markdown::render(tables),
    }
}
