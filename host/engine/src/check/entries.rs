//! Synthesised entries: plain absolute paths, each once, that hide no store path and no other entry.

use std::collections::BTreeMap;

use seed_model::{Closure, Entry, EntryKind, ImagePlan};

use crate::check::error::PlanError;

/// What Linux takes as one path and as one name in it, in bytes.
const MAX_PATH: usize = 4095;
const MAX_NAME: usize = 255;

/// The largest synthesised file in bytes: larger ones belong into store paths.
const MAX_FILE: usize = 4 << 20;

pub(super) fn check(plan: &ImagePlan, closure: &Closure) -> Result<(), PlanError> {
    let kept = Kept::new(closure);
    let mut seen: BTreeMap<&str, &EntryKind> = BTreeMap::new();
    let mut has_registration = false;
    let all = || {
        plan.layers
            .iter()
            .enumerate()
            .flat_map(|(layer, content)| content.entries.iter().map(move |entry| (layer, entry)))
    };
    let error = |layer: usize, entry: &Entry, reason: String| {
        let path = entry.path.chars().take(200).collect::<String>().escape_debug().to_string();
        PlanError::Entry { layer, path, reason }
    };
    for (layer, entry) in all() {
        let reason = malformed(entry).or_else(|| kept.conflict(entry));
        if let Some(reason) = reason {
            return Err(error(layer, entry, reason));
        }
        if seen.insert(&entry.path, &entry.kind).is_some() {
            return Err(error(layer, entry, "appears twice in the plan".to_owned()));
        }
        // Each of them becomes a file that lists the whole closure.
        if entry.kind == EntryKind::Registration && std::mem::replace(&mut has_registration, true) {
            return Err(error(layer, entry, "is a second registration: a plan has one".to_owned()));
        }
    }
    for (layer, entry) in all() {
        let hidden = parents(&entry.path)
            .find(|parent| seen.get(parent).is_some_and(|kind| **kind != EntryKind::Directory));
        if let Some(parent) = hidden {
            return Err(error(layer, entry, format!("is below `{parent}`, which is not a directory")));
        }
    }
    Ok(())
}

/// `/a` and `/a/b` for `/a/b/c`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(end, _)| &path[..end])
}

fn malformed(entry: &Entry) -> Option<String> {
    let path = &entry.path;
    let Some(rest) = path.strip_prefix('/') else { return Some("is not an absolute path".to_owned()) };
    let reason = if path.len() > MAX_PATH {
        format!("is longer than {MAX_PATH} bytes")
    } else if path.chars().any(char::is_control) {
        "has a control character in its path".to_owned()
    } else if rest.split('/').any(|name| matches!(name, "" | "." | "..")) {
        "has an empty component, `.`, `..` or a trailing slash in its path".to_owned()
    } else if rest.split('/').any(|name| name.len() > MAX_NAME) {
        format!("has a name of more than {MAX_NAME} bytes in its path")
    } else if rest.split('/').any(|name| name.starts_with(".wh.")) {
        "has a name that begins with `.wh.`, which deletes files of lower layers".to_owned()
    } else if entry.mode > 0o7777 {
        format!("has the mode {:o}, which sets more than permission bits", entry.mode)
    } else {
        return match &entry.kind {
            EntryKind::Symlink(target)
                if target.is_empty() || target.len() > MAX_PATH || target.contains('\0') =>
            {
                Some(format!(
                    "is a link whose target is empty, longer than {MAX_PATH} bytes, or contains a NUL"
                ))
            }
            EntryKind::File(content) if content.len() > MAX_FILE => {
                Some(format!("has {} bytes, more than the limit of {MAX_FILE}", content.len()))
            }
            _ => None,
        };
    };
    Some(reason)
}

/// The places of store paths, in which no entry may be.
struct Kept<'a> {
    /// The directories that store paths are in, such as `/nix/store`.
    stores: Vec<&'a str>,
}

impl<'a> Kept<'a> {
    fn new(closure: &'a Closure) -> Self {
        let parents = closure.paths.iter().filter_map(|path| Some(path.store_path.rsplit_once('/')?.0));
        // A plain directory lands at the image's root, where entries belong as well; the packer compares them.
        let mut stores: Vec<_> = parents.filter(|store| !store.is_empty()).collect();
        stores.sort_unstable();
        stores.dedup();
        Self { stores }
    }

    fn conflict(&self, entry: &Entry) -> Option<String> {
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let touches = |store: &&&str| inside(store, &entry.path) || inside(&entry.path, store);
        let store = self.stores.iter().find(touches)?;
        // The mode of the directory itself may be another, so that more can be built into it.
        if entry.path == **store && entry.kind == EntryKind::Directory {
            return None;
        }
        Some(format!("is in `{store}`, which is reserved for store paths"))
    }
}
