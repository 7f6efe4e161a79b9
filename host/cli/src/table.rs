//! Plain text tables: aligned columns, no borders, nothing that breaks `awk` or a screen reader.

use seed_report::style::{self, Text};
use seed_report::styled;

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
    rows: Vec<Vec<Text>>,
}

impl Table {
    /// A table with these headings; where all are empty, there is no line for them.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with as many cells as there are columns. Each is one line.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Text; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.into());
    }

    /// The table's lines, each indented by two spaces and ended by a line break.
    pub(crate) fn render(&self) -> Text {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (heading, _))| {
                let cells = self.rows.iter().map(|row| row[index].width());
                cells.chain([heading.len()]).max().unwrap_or(0)
            })
            .collect();
        let mut text = Text::default();
        let headings: Vec<Text> = self.columns.iter().map(|(heading, _)| style::dim(heading)).collect();
        let has_headings = self.columns.iter().any(|(heading, _)| !heading.is_empty());
        for row in has_headings.then_some(&headings).into_iter().chain(&self.rows) {
            let mut line = Text::from(" ");
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.columns) {
                let padding = " ".repeat(width - cell.width());
                line.push(&match align {
                    Align::Left => styled!(" {}{} ", cell, padding),
                    Align::Right => styled!(" {}{} ", padding, cell),
                });
            }
            text.push(&styled!("{}\n", line.trimmed()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_is_seen() {
        let mut table = Table::new(&[("LAYER", Align::Left), ("SIZE", Align::Right), ("", Align::Left)]);
        table.row(["base".into(), "1.0 MiB".into(), style::good("cached")]);
        table.row(["größer".into(), "12 B".into(), "built".into()]);
        insta::assert_snapshot!(table.render().plain(), @"
        LAYER      SIZE
        base    1.0 MiB  cached
        größer     12 B  built
        ");
    }

    #[test]
    fn names_of_others_stay_in_their_cells() {
        let mut table = Table::new(&[("LAYER", Align::Left), ("SIZE", Align::Right)]);
        table.row(["a\u{1b}[2J\nb\u{202e}c\u{fdd0}".into(), "1 B".into()]);
        insta::assert_snapshot!(table.render().plain(), @r"
        LAYER                           SIZE
        a\u{1b}[2J\nb\u{202e}c\u{fdd0}   1 B
        ");
    }
}
