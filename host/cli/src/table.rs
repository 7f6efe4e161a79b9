//! Plain text tables: aligned columns, no borders, nothing that breaks `awk` or a screen reader.

use console::measure_text_width;

use crate::style;

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

    /// Adds a row with as many cells as there are columns. Cells may hold styles but no line breaks.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.into());
    }

    /// The table's lines, each indented by two spaces and ended by a line break.
    pub(crate) fn render(&self) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (heading, _))| {
                let cells = self.rows.iter().map(|row| measure_text_width(&row[index]));
                cells.chain([heading.len()]).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        let headings: Vec<String> = self.columns.iter().map(|(heading, _)| style::dim(heading)).collect();
        let has_headings = self.columns.iter().any(|(heading, _)| !heading.is_empty());
        for row in has_headings.then_some(&headings).into_iter().chain(&self.rows) {
            let mut line = String::from(" ");
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.columns) {
                let padding = " ".repeat(width - measure_text_width(cell));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_is_seen() {
        let mut table = Table::new(&[("LAYER", Align::Left), ("SIZE", Align::Right), ("", Align::Left)]);
        table.row(["base".into(), "1.0 MiB".into(), style::good("cached")]);
        table.row(["größer".into(), "12 B".into(), "built".into()]);
        insta::assert_snapshot!(anstream::adapter::strip_str(&table.render()), @"
        LAYER      SIZE
        base    1.0 MiB  cached
        größer     12 B  built
        ");
    }
}
