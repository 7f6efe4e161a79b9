//! Packages and the days on which they changed, as text.
//!
//! One line each: `package NAME SOURCE KIB DEPENDENCY…`, sorted by name, and `changed SOURCE DAY…`, days counted from
//! 1970-01-01. A source gives several packages, which change together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use miette::{IntoDiagnostic, Result, miette};

/// One binary package.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// What it is built from.
    pub(crate) source: String,
    /// Installed size.
    pub(crate) kib: u64,
    /// Names of the packages that it depends on.
    pub(crate) dependencies: Vec<String>,
}

/// What happened to the packages of a distribution.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// By name.
    pub(crate) packages: BTreeMap<String, Package>,
    /// The days on which each source got a new version, ascending.
    pub(crate) changes: BTreeMap<String, Vec<u32>>,
}

impl History {
    /// Reads the form of [`History::text`].
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).into_diagnostic()?;
        let mut history = Self::default();
        for (number, line) in text.lines().enumerate() {
            history.line(line).ok_or_else(|| miette!("{}:{}: not understood", path.display(), number + 1))?;
        }
        Ok(history)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        match words.next()? {
            "package" => {
                let (name, source, kib) = (words.next()?.to_owned(), words.next()?.to_owned(), words.next()?);
                let dependencies = words.map(str::to_owned).collect();
                let package = Package { source, kib: kib.parse().ok()?, dependencies };
                self.packages.insert(name, package);
            }
            "changed" => {
                let source = words.next()?.to_owned();
                self.changes.insert(source, words.map(|day| day.parse().ok()).collect::<Option<_>>()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// The text of a history.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for (name, Package { source, kib, dependencies }) in &self.packages {
            let _ = write!(text, "package {name} {source} {kib}");
            for dependency in dependencies {
                let _ = write!(text, " {dependency}");
            }
            text.push('\n');
        }
        for (source, days) in &self.changes {
            let _ = write!(text, "changed {source}");
            for day in days {
                let _ = write!(text, " {day}");
            }
            text.push('\n');
        }
        text
    }
}
