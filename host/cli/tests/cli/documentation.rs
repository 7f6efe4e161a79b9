//! The documentation says what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// All `.rs` files below `directory`.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Diagnostic codes in the sources: `"seed::area::name"` and `code(seed::area::name)`.
fn codes() -> BTreeSet<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("host")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (marker, end) in [("\"seed::", '"'), ("code(seed::", ')')] {
            for (place, _) in text.match_indices(marker) {
                let code = &text[place + marker.len() - "seed::".len()..];
                let code = &code[..code.find(end).unwrap()];
                if code.len() > "seed::".len()
                    && !code.starts_with("seed::test::")
                    && code.chars().all(|c| c.is_ascii_lowercase() || "-_:".contains(c))
                {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
    codes
}

#[test]
fn every_error_code_is_listed_and_no_other() {
    let page = page("errors.md");
    let listed: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `seed::"))
        .map(|rest| format!("seed::{}", rest.split('`').next().unwrap()))
        .collect();
    let codes = codes();
    let missing: Vec<_> = codes.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&codes).collect();
    assert!(missing.is_empty(), "docs/errors.md does not list {missing:#?}");
    assert!(stale.is_empty(), "docs/errors.md lists what no source has: {stale:#?}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages =
        vec![root().join("README.md"), root().join("CONTRIBUTING.md"), root().join("CHANGELOG.md")];
    for directory in ["docs", "docs/design"] {
        let entries = fs::read_dir(root().join(directory)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()));
    }
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for (place, _) in text.match_indices("](") {
            let target = &text[place + 2..];
            let target = target[..target.find(')').unwrap()].split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                let path = page.parent().unwrap().join(target);
                assert!(path.exists(), "{} links to `{target}`, which is not there", page.display());
            }
        }
    }
}
