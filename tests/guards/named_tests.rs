//! The tests that documentation names exist.

use std::collections::BTreeSet;

use crate::repository::{files, read};

/// Names such as `module::test` in the last column of a table.
fn named(page: &str) -> BTreeSet<String> {
    let cells =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.trim_end_matches(" |").rsplit(" | ").next());
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let is_name = |word: &&str| {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
        };
        word.split_once("::").is_some_and(|(module, test)| plain(module) && plain(test))
    };
    words.filter(is_name).map(str::to_owned).collect()
}

/// All tests, as the last two parts of their paths: a file is a module, and so is its directory where it is `mod.rs`
/// or `tests.rs`.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for file in files(".", &["rs"]) {
        let text = read(&file);
        let above = file.parent().and_then(|parent| parent.file_stem());
        let module = match file.file_stem() {
            Some(name) if name == "mod" || name == "tests" => above,
            name => name,
        };
        let Some(module) = module.and_then(|module| module.to_str()) else { continue };
        for (_, rest) in text.match_indices("#[test]").map(|(at, _)| text.split_at(at)) {
            let Some((_, rest)) = rest.split_once("fn ") else { continue };
            let name = rest.split('(').next().unwrap_or_default();
            tests.insert(format!("{module}::{name}"));
        }
    }
    tests
}

#[test]
fn the_security_model_names_tests_that_exist() {
    let named = named(&read("docs/security-model.md"));
    assert!(named.len() > 20, "{named:#?}");
    let tests = tests();
    let missing: Vec<_> = named.difference(&tests).collect();
    assert!(missing.is_empty(), "docs/security-model.md names tests that do not exist: {missing:#?}");
}
