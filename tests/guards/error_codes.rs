//! `docs/errors.md` lists the codes that the sources have.

use std::collections::BTreeSet;

use crate::repository::{files, read};

/// Diagnostic codes in the sources: `"seed::area::name"` and `code(seed::area::name)`.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let sources = files("host", &["rs"])
        .into_iter()
        .filter(|path| path.iter().nth(2).is_some_and(|part| part == "src"));
    for file in sources {
        let text = read(&file);
        for (marker, end) in [("\"seed::", '"'), ("code(seed::", ')')] {
            for (place, _) in text.match_indices(marker) {
                let code = &text[place + marker.len() - "seed::".len()..];
                let code = &code[..code.find(end).unwrap()];
                let is_code = code.chars().all(|c| c.is_ascii_lowercase() || "-_:".contains(c));
                if is_code && code.len() > "seed::".len() && !code.starts_with("seed::test::") {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
    codes
}

#[test]
fn every_error_code_is_listed_and_no_other() {
    let page = read("docs/errors.md");
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
