//! Plain text tables: aligned columns, no borders, nothing that breaks `awk` or a screen reader.

use seed_report::style;
use unicode_width::UnicodeWidthStr as _;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table that is filled row by row and then rendered once.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings; where all are empty, there is no line for them.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with as many cells as there are columns. Cells may hold styles; line breaks in them are escaped.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.map(|cell| style::line(&cell)).into());
    }

    /// The table's lines, each indented by two spaces and ended by a line break.
    pub(crate) fn render(&self) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (heading, _))| {
                let cells = self.rows.iter().map(|row| width_of(&row[index]));
                cells.chain([heading.len()]).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        let headings: Vec<String> = self.columns.iter().map(|(heading, _)| style::dim(heading)).collect();
        let has_headings = self.columns.iter().any(|(heading, _)| !heading.is_empty());
        for row in has_headings.then_some(&headings).into_iter().chain(&self.rows) {
            let mut line = String::from(" ");
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.columns) {
                let padding = " ".repeat(width - width_of(cell));
                line.push(' ');
                match align {
                    Align::Left => line.extend([cell.as_str(), &padding]),
                    Align::Right => line.extend([padding.as_str(), cell]),
                }
                line.push(' ');
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The columns that `cell` takes on a terminal.
fn width_of(cell: &str) -> usize {
    style::plain(cell).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_is_seen() {
        let mut table = Table::new(&[("LAYER", Align::Left), ("SIZE", Align::Right), ("", Align::Left)]);
        table.row(["base".into(), "1.0 MiB".into(), style::good("cached")]);
        table.row(["größer".into(), "12 B".into(), "built".into()]);
        insta::assert_snapshot!(style::plain(&table.render()), @"
        LAYER      SIZE
        base    1.0 MiB  cached
        größer     12 B  built
        ");
    }

    #[test]
    fn names_of_others_stay_in_their_cells() {
        let mut table = Table::new(&[("LAYER", Align::Left), ("SIZE", Align::Right)]);
        table.row(["a\u{1b}[2J\nb\u{202e}c".into(), "1 B".into()]);
        insta::assert_snapshot!(style::plain(&table.render()), @r"
        LAYER                   SIZE
        a\u{1b}[2J\nb\u{202e}c   1 B
        ");
    }
}
