//! Files of a crate import downwards: none imports, through others or itself, what imports it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::modules::{Crate, Imports};
use crate::repository::{files, root};

/// The root files of every crate.
fn roots() -> Vec<PathBuf> {
    let manifests = files(".", &["toml"]).into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let candidates = manifests.flat_map(|manifest| {
        ["lib.rs", "main.rs"].map(|name| manifest.parent().unwrap().join("src").join(name))
    });
    candidates.filter(|path| root().join(path).exists()).collect()
}

/// All files that `from` imports, itself or through others.
fn below<'a>(imports: &'a Imports, from: &'a Path) -> BTreeSet<&'a Path> {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(file) = left.pop() {
        for (_, to) in imports.keys().filter(|(importer, _)| importer == file) {
            if seen.insert(to.as_path()) {
                left.push(to);
            }
        }
    }
    seen
}

/// Each circle: the imports between files that all lead to each other.
fn circles(imports: &Imports) -> Vec<String> {
    let importers: BTreeSet<_> = imports.keys().map(|(from, _)| from.as_path()).collect();
    let below: BTreeMap<_, _> = importers.iter().map(|file| (*file, below(imports, file))).collect();
    let leads = |from: &Path, to: &Path| below.get(from).is_some_and(|files| files.contains(to));
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in importers {
        if !leads(file, file) || !seen.insert(file) {
            continue;
        }
        let mut text = String::new();
        for ((from, to), names) in imports {
            if leads(file, from) && leads(from, file) && leads(to, file) {
                seen.insert(from);
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let _ =
                    writeln!(text, "  {} takes {} from {}", from.display(), names.join(", "), to.display());
            }
        }
        circles.push(text);
    }
    circles
}

#[test]
fn no_file_imports_what_imports_it() {
    let mut report = String::new();
    let mut count = 0;
    for root in roots() {
        let found = circles(&Crate::read(&root).imports());
        count += found.len();
        for circle in found {
            let _ = writeln!(report, "a circle in the crate of {}:\n{circle}", root.display());
        }
    }
    assert!(
        report.is_empty(),
        "{report}{count} circles. Import from the file that defines a name, not from a parent that passes it on; what both \
         sides need goes into a file below them"
    );
}
