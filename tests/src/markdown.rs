//! The Markdown files of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::repository::repository;

/// Directories that hold no pages of this project.
const SKIPPED: [&str; 3] = ["target", ".git", ".direnv"];

/// A Markdown file.
#[derive(Debug)]
pub struct Page {
    /// Its path from the root of the repository.
    pub path: PathBuf,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
pub struct CodeBlock {
    /// The line of its fence, from 1.
    pub line: usize,
    /// The word after the fence.
    pub language: String,
    /// The lines between its fences.
    pub text: String,
    /// The HTML comment that ends right before it, without its delimiters.
    pub comment: Option<String>,
}

/// Reads every Markdown file of the repository, sorted by path.
pub fn pages() -> Vec<Page> {
    let mut found = Vec::new();
    find(&repository(), Path::new(""), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| Page { text: fs::read_to_string(repository().join(&path)).unwrap(), path })
        .collect()
}

fn find(root: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if SKIPPED.iter().all(|name| entry.file_name() != *name) {
                find(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

impl Page {
    /// A page that is not in the repository, for tests.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.to_owned() }
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    /// The number of the line that holds a byte, from 1.
    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// The targets of links and images, with their lines.
    pub fn links(&self) -> Vec<(usize, String)> {
        self.events()
            .filter_map(|(event, range)| match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    Some((self.line(range.start), dest_url.into_string()))
                }
                _ => None,
            })
            .collect()
    }

    /// The anchors of the headings, as GitHub and mdBook make them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut seen = BTreeMap::new();
        let mut anchors = BTreeSet::new();
        let mut heading = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let times = seen.entry(anchor.clone()).or_insert(0);
                    anchors.insert(if *times == 0 { anchor } else { format!("{anchor}-{times}") });
                    *times += 1;
                }
                _ => {}
            }
        }
        anchors
    }

    /// The fenced blocks, from top to bottom.
    pub fn code_blocks(&self) -> Vec<CodeBlock> {
        let mut blocks: Vec<CodeBlock> = Vec::new();
        let mut inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let (line, comment) = (self.line(range.start), comment(&self.text[..range.start]));
                    blocks.push(CodeBlock {
                        line,
                        language: language.into_string(),
                        text: String::new(),
                        comment,
                    });
                    inside = true;
                }
                Event::Text(text) if inside => blocks.last_mut().unwrap().text.push_str(&text),
                Event::End(TagEnd::CodeBlock) => inside = false,
                _ => {}
            }
        }
        blocks
    }
}

/// The HTML comment that a text ends with.
fn comment(text: &str) -> Option<String> {
    let text = text.trim_end().strip_suffix("-->")?;
    let start = text.rfind("<!--")?;
    Some(text[start + "<!--".len()..].trim().to_owned())
}

fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}
