//! Every file that documentation and comments name is there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::{files, read, root};

/// The directories that the paths of this project begin with.
const DIRECTORIES: [&str; 10] =
    [".ci", ".github", "docs", "examples", "host", "nix", "plugins", "tests", "wit", "xtask"];

/// What looks like a path of this project and is none: the place of an image, the store below `/`, another project's file.
const OTHERS: [&str; 3] = ["host/repository", "nix/store/", "docs/containers-signature.5.md"];

/// What stands for any name in a path.
const PLACEHOLDERS: [&str; 2] = ["NAME", "VERSION"];

/// The comments of a file, and all of a page.
fn prose<'a>(path: &Path, text: &'a str) -> Vec<(usize, &'a str)> {
    let marker = match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs" | "wit" | "go") => "//",
        Some("toml" | "nix" | "yml") => "#",
        _ => "",
    };
    let comment = |line: &'a str| Some(&line[line.find(marker)?..]);
    text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, comment(line)?))).collect()
}

/// The words of a text that could be paths.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    text.split(move |c| !is_of_path(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.contains('/') && !OTHERS.contains(word))
        .filter(|word| !PLACEHOLDERS.iter().any(|placeholder| word.contains(placeholder)))
}

/// Whether a path of this project is there; what follows a `*` is not looked at.
fn exists(path: &str) -> bool {
    let path = path.split('*').next().unwrap_or_default();
    root().join(path).exists()
}

#[test]
fn paths_in_pages_and_comments_lead_somewhere() {
    let all = files(".", &["md", "nix", "rs", "toml", "wit", "yml"]);
    let sources: BTreeSet<String> = all.iter().map(|path| format!("/{}", path.display())).collect();
    let mut wrong = Vec::new();
    for file in &all {
        for (number, text) in prose(file, &read(file)) {
            for word in words(text) {
                let is_source = Path::new(word).extension().is_some_and(|extension| extension == "rs")
                    && !word.starts_with(['/', '.'])
                    && !word.contains('*');
                let is_there = if DIRECTORIES.contains(&word.split('/').next().unwrap_or_default()) {
                    exists(word)
                } else {
                    // Such as `pipeline/parse.rs`.
                    !is_source || sources.iter().any(|path| path.ends_with(&format!("/{word}")))
                };
                if !is_there {
                    wrong.push(format!("{}:{number}: {word}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these are not there:\n{}", wrong.join("\n"));
}
