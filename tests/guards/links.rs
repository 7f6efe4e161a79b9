//! Links in the documentation lead to files and headings that exist, and the book has every page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use seed_tests::markdown::{Page, pages};

use crate::repository::root;

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normal.pop(), "{} leaves the repository", path.display()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// What is wrong with the links of a page.
fn broken(page: &Page, anchors: &BTreeMap<PathBuf, BTreeSet<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    for (line, link) in page.links() {
        if link.contains("://") {
            continue;
        }
        let (target, anchor) =
            link.split_once('#').map_or((&*link, None), |(target, anchor)| (target, Some(anchor)));
        let target = match target {
            "" => page.path.clone(),
            target => normal(&page.path.with_file_name("").join(target)),
        };
        let place = format!("{}:{line}: {link}", page.path.display());
        if !root().join(&target).exists() {
            broken.push(format!("{place}: no such file"));
        } else if let Some(anchor) = anchor
            && !anchors.get(&target).is_some_and(|anchors| anchors.contains(anchor))
        {
            broken.push(format!("{place}: no such heading"));
        }
    }
    broken
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    assert!(pages.len() > 30, "{} pages", pages.len());
    let anchors = pages.iter().map(|page| (page.path.clone(), page.anchors())).collect();
    let broken: Vec<_> = pages.iter().flat_map(|page| broken(page, &anchors)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_wrong_link_is_found() {
    let page = Page::new(
        "docs/README.md",
        "# A b\n\n[1](#a-b) [2](#c) [3](../README.md) [4](../readme.md) ![5](a.svg)\n",
    );
    let anchors = [(page.path.clone(), page.anchors())].into();
    insta::assert_snapshot!(broken(&page, &anchors).join("\n"), @"
    docs/README.md:3: #c: no such heading
    docs/README.md:3: ../readme.md: no such file
    docs/README.md:3: a.svg: no such file
    ");
}

#[test]
fn the_book_has_every_page_once() {
    let pages = pages();
    let summary = pages.iter().find(|page| page.path == Path::new("docs/SUMMARY.md")).unwrap();
    let mut listed: Vec<_> =
        summary.links().into_iter().map(|(_, link)| Path::new("docs").join(link)).collect();
    listed.sort();
    let is_page = |page: &&Page| page.path.starts_with("docs") && page.path != summary.path;
    let written: Vec<_> = pages.iter().filter(is_page).map(|page| page.path.clone()).collect();
    assert_eq!(listed, written);
}
