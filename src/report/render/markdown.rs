//! Markdown as GitHub reads it: a heading, the facts, a pipe table, the notes.
//!
//! Cells are padded, so that the source reads as well as the page.

use super::super::table::{Align, Column, Role, Row, Table};
use super::people;

pub(super) fn render(tables: &[Table]) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut said = None;
    for table in tables {
        // Neighbours that share their facts say them once.
        if said != Some(&table.facts) {
            let facts = table
                .facts
                .iter()
                .map(|fact| format!("{}: {}", fact.label, fact.text));
            blocks.extend(list(facts));
            said = Some(&table.facts);
        }
        blocks.extend(
            table
                .title
                .iter()
                .map(|title| format!("### {}\n", escaped(title))),
        );
        blocks.push(pipes(table));
        blocks.extend(list(table.notes.iter().cloned()));
    }
    blocks.join("\n")
}

fn list(lines: impl Iterator<Item = String>) -> Option<String> {
    let text: String = lines
        .map(|line| format!("- {}\n", escaped(&line)))
        .collect();
    (!text.is_empty()).then_some(text)
}

fn pipes(table: &Table) -> String {
    let columns = people::columns(table);
    let header: Vec<String> = columns
        .iter()
        .map(|(_, column)| escaped(&column.label))
        .collect();
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| cells(row, &columns)).collect();
    let width = |index: usize| {
        let texts = rows
            .iter()
            .chain([&header])
            .map(|row| row[index].chars().count());
        texts.max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |texts: &[String]| {
        let padded = texts.iter().zip(&columns).zip(&widths).map(
            |((text, (_, column)), &width)| match column.align {
                Align::Left => format!(" {text:<width$} |"),
                Align::Right => format!(" {text:>width$} |"),
            },
        );
        format!("|{}\n", padded.collect::<String>())
    };
    let rule = columns
        .iter()
        .zip(&widths)
        .map(|((_, column), &width)| match column.align {
            Align::Left => format!(" {} |", "-".repeat(width)),
            Align::Right => format!(" {}: |", "-".repeat(width - 1)),
        });
    let rule = format!("|{}\n", rule.collect::<String>());
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{body}", line(&header))
}

fn cells(row: &Row, columns: &[(usize, &Column)]) -> Vec<String> {
    let texts = columns
        .iter()
        .map(|(index, _)| escaped(&row.cells[*index].to_string()));
    let is_total = row.role == Role::Total;
    let emphasised = |(place, text): (usize, String)| {
        if is_total && place == 0 {
            format!("**{text}**")
        } else {
            text
        }
    };
    texts.enumerate().map(emphasised).collect()
}

/// A pipe would end the cell, a newline the row; the others would be taken as markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '\n' => out.push_str("<br>"),
            _ => out.push(c),
        }
    }
    out
}
