//! A crate as files that import each other, read from its tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::repository::read;

/// A module by its names from the root of the crate, which has none.
type Module = Vec<String>;

/// The files of one crate. Whatever is compiled for tests only is left out.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    files: BTreeMap<Module, PathBuf>,
    /// Every path that names something, by the module that it stands in.
    mentions: Vec<(Module, Vec<String>)>,
    /// What an import calls a path, by the module of the import.
    aliases: BTreeMap<(Module, String), Vec<String>>,
}

/// What a file takes of another: the names, by the two files.
pub(crate) type Imports = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

impl Crate {
    /// Reads the crate whose root is this file.
    pub(crate) fn read(root: &Path) -> Self {
        let mut this = Self::default();
        this.read_file(&Vec::new(), root.to_owned());
        this
    }

    fn read_file(&mut self, module: &Module, path: PathBuf) {
        let tokens: TokenStream =
            read(&path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.files.insert(module.clone(), path);
        self.read_tokens(module, tokens);
    }

    /// The file of the module `name` that `parent`, a module of this crate, declares.
    fn child(&self, parent: &Module, name: &str) -> PathBuf {
        let path = &self.files[parent];
        let directory = path.parent().unwrap();
        let stem = path.file_stem().unwrap();
        let directory =
            if parent.is_empty() || stem == "mod" { directory.to_owned() } else { directory.join(stem) };
        let file = directory.join(format!("{name}.rs"));
        if crate::repository::root().join(&file).exists() {
            file
        } else {
            directory.join(name).join("mod.rs")
        }
    }

    fn read_tokens(&mut self, module: &Module, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(attribute)) = tokens.get(at) {
                        at += 1;
                        if is_for_tests(&attribute.stream()) {
                            at = end_of_item(&tokens, at);
                        }
                    }
                }
                // `$crate` is the crate from which a macro is used.
                TokenTree::Punct(punct) if punct.as_char() == '$' => at += 1,
                TokenTree::Ident(word) if word == "pub" => {
                    // `pub(in crate::a)` imports nothing.
                    at += usize::from(matches!(tokens.get(at), Some(TokenTree::Group(_))));
                }
                TokenTree::Ident(word) if word == "mod" => {
                    let Some(TokenTree::Ident(name)) = tokens.get(at) else { continue };
                    let child: Module = module.iter().cloned().chain([name.to_string()]).collect();
                    at += 2;
                    if let Some(TokenTree::Group(body)) = tokens.get(at - 1) {
                        self.files.insert(child.clone(), self.files[module].clone());
                        self.read_tokens(&child, body.stream());
                    } else {
                        let file = self.child(module, &name.to_string());
                        self.read_file(&child, file);
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = end_of_item(&tokens, at);
                    let mut names = Vec::new();
                    expand(&tokens[at..end], &[], &mut names);
                    for (path, alias) in names {
                        self.mentions.push((module.clone(), path.clone()));
                        self.aliases.insert((module.clone(), alias), path);
                    }
                    at = end;
                }
                TokenTree::Ident(first) => {
                    let mut path = vec![first.to_string()];
                    while let Some(name) = next_of_path(&tokens, at) {
                        path.push(name);
                        at += 3;
                    }
                    if path.len() > 1 {
                        self.mentions.push((module.clone(), path));
                    }
                }
                TokenTree::Group(group) => self.read_tokens(module, group.stream()),
                _ => {}
            }
        }
    }

    /// Which file takes what from which other file of this crate.
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, path) in &self.mentions {
            if let Some((target, name)) = self.resolve(module, path) {
                let (from, to) = (&self.files[module], &self.files[&target]);
                if from != to {
                    imports.entry((from.clone(), to.clone())).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// The module of this crate that a path in `module` leads into, and what it takes there.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<(Module, String)> {
        let mut target = module.clone();
        let mut rest = path;
        match path[0].as_str() {
            "crate" => {
                target.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|word| word == "super") {
                    target.pop()?;
                    rest = &rest[1..];
                }
            }
            name => {
                let child: Module = target.iter().cloned().chain([name.to_owned()]).collect();
                if !self.files.contains_key(&child) {
                    // `use crate::a;` and then `a::b`.
                    let imported =
                        self.aliases.get(&(target, name.to_owned())).filter(|path| path[0] != name)?;
                    return self.resolve(module, &[imported, &path[1..]].concat());
                }
            }
        }
        while let Some(name) = rest.first() {
            target.push(name.clone());
            if !self.files.contains_key(&target) {
                target.pop();
                break;
            }
            rest = &rest[1..];
        }
        Some((target, rest.first().cloned().unwrap_or_else(|| "self".to_owned())))
    }
}

/// Whether an attribute is `cfg(test)`, or a condition that holds in tests only.
fn is_for_tests(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Where what follows the item at `at` begins: after a semicolon or a body.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let mut end = at;
    while let Some(token) = tokens.get(end) {
        end += 1;
        // The braces of `use a::{b, c}` follow a colon.
        let in_use = end > 1 && matches!(&tokens[end - 2], TokenTree::Punct(punct) if punct.as_char() == ':');
        if ends(token) && !in_use {
            break;
        }
    }
    end
}

/// The name after `::` at `at`.
fn next_of_path(tokens: &[TokenTree], at: usize) -> Option<String> {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    match tokens.get(at + 2) {
        Some(TokenTree::Ident(name)) if is_colon(at) && is_colon(at + 1) => Some(name.to_string()),
        _ => None,
    }
}

/// The paths of a tree of imports such as `a::{b, c::d as e}`, each with what it is called from there on.
fn expand(tree: &[TokenTree], prefix: &[String], paths: &mut Vec<(Vec<String>, String)>) {
    let is = |token: &TokenTree, c: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == c);
    for branch in tree.split(|token| is(token, ',') || is(token, ';')) {
        let mut path = prefix.to_vec();
        let mut alias = None;
        let mut is_group = false;
        for token in branch {
            match token {
                TokenTree::Ident(word) if word == "as" => alias = Some(String::new()),
                TokenTree::Ident(name) if alias.is_some() => alias = Some(name.to_string()),
                TokenTree::Ident(name) if name == "self" && !path.is_empty() => {}
                TokenTree::Ident(name) => path.push(name.to_string()),
                TokenTree::Group(group) => {
                    is_group = true;
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    expand(&inner, &path, paths);
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                _ => {}
            }
        }
        if !is_group && !path.is_empty() && !branch.is_empty() {
            let alias = alias.unwrap_or_else(|| path[path.len() - 1].clone());
            paths.push((path, alias));
        }
    }
}
