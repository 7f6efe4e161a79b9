//! The list of changes that no test notices, each with the reason why none needs to.

use std::collections::BTreeSet;
use std::fs;

use miette::{Result, miette};
use toml::{Table, Value};

use crate::paths::repository;

/// Where it is.
const LIST: &str = "tests/survivors.toml";

/// The changes by file and by what is changed, as cargo-mutants says it.
pub(crate) struct Survivors(BTreeSet<(String, String)>);

impl Survivors {
    /// Reads the list.
    pub(crate) fn load() -> Result<Self> {
        let text = fs::read_to_string(repository().join(LIST)).map_err(|error| miette!("{LIST}: {error}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let list: Table = text.parse().map_err(|error| miette!("{LIST}: {error}"))?;
        let mut changes = BTreeSet::new();
        for survivor in list.get("survivor").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| {
                let value = survivor.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
                value
                    .map(str::to_owned)
                    .ok_or_else(|| miette!("{LIST}: a survivor has no `{key}`: {survivor}"))
            };
            text("reason")?;
            changes.insert((text("file")?, text("change")?));
        }
        Ok(Self(changes))
    }

    /// Whether the list has this change: `FILE:LINE:COLUMN: CHANGE`.
    pub(crate) fn explains(&self, line: &str) -> bool {
        let Some((place, change)) = line.split_once(": ") else { return false };
        let file = place.split(':').next().unwrap_or_default();
        self.0.contains(&(file.to_owned(), change.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_explained_wherever_its_line_has_moved() {
        let list =
            "[[survivor]]\nfile = \"host/a/src/b.rs\"\nchange = \"replace f with ()\"\nreason = \"x\"\n";
        let survivors = Survivors::parse(list).unwrap();
        assert!(survivors.explains("host/a/src/b.rs:7:5: replace f with ()"));
        assert!(!survivors.explains("host/a/src/c.rs:7:5: replace f with ()"));
        assert!(!survivors.explains("host/a/src/b.rs:7:5: replace g with ()"));
        assert!(Survivors::parse(&list.replace("\"x\"", "\"\"")).is_err());
        Survivors::load().unwrap();
    }
}
