//! What differs between a lock and a run, with its places in the lock file.

use std::ops::Range;

use seed_report::Problem;
use toml::Spanned;

use crate::lock::file::{LockFile, LockedPlugin};

/// All that differs between what is locked and the plugins that are used. One plugin may be used several times, with other
/// grants each time.
pub(super) fn changes(lock: &LockFile, plugins: &[LockedPlugin]) -> Vec<Problem> {
    let same_use = |a: &LockedPlugin, b: &LockedPlugin| a.stage == b.stage && a.reference == b.reference;
    let mut locked: Vec<&Spanned<LockedPlugin>> = lock.plugins.iter().collect();
    let mut take = |is_it: &dyn Fn(&LockedPlugin) -> bool| {
        let index = locked.iter().position(|locked| is_it(locked.get_ref()))?;
        Some(locked.remove(index))
    };
    // What did not change is no candidate for what did.
    let changed: Vec<_> =
        plugins.iter().filter(|plugin| take(&|locked| locked == *plugin).is_none()).collect();
    let mut problems = Vec::new();
    for plugin in changed {
        match take(&|locked| same_use(locked, plugin)) {
            Some(locked) => problems.extend(difference(lock, locked, plugin)),
            None => problems.push(not_locked(lock, &plugin.stage, &plugin.reference)),
        }
    }
    problems.extend(locked.into_iter().map(|locked| {
        problem(
            format!("`{}` is locked but not used", locked.get_ref().reference),
            Some(locked.span()),
            "not in the pipeline file",
        )
    }));
    problems
}

/// A lock that has the right plugins in other words than `text`: it was edited, or another `seed` wrote it.
pub(super) fn other_bytes(lock: &LockFile, text: &str) -> Problem {
    let found = &lock.file.text;
    let same = found.bytes().zip(text.bytes()).take_while(|(found, wanted)| found == wanted).count();
    let start = found[..found.floor_char_boundary(same)].rfind('\n').map_or(0, |end| end.saturating_add(1));
    let end = found[start..].find('\n').map_or(found.len(), |length| start.saturating_add(length));
    problem(
        "the lock file is not as `seed` writes it".to_owned(),
        Some(start..end),
        "the first line that differs",
    )
}

/// A plugin that is used but not locked.
pub(super) fn not_locked(lock: &LockFile, stage: &str, reference: &str) -> Problem {
    problem(
        format!("the plugin `{reference}` of [{stage}] is not locked"),
        lock.plugins.last().map(Spanned::span),
        "the last locked plugin",
    )
}

/// A plugin that has other bytes than the locked one.
pub(super) fn mismatch(lock: &LockFile, locked: &Spanned<LockedPlugin>, found: &str) -> Problem {
    let LockedPlugin { reference, sha256, .. } = locked.get_ref();
    Problem {
        code: "seed::lock::mismatch".to_owned(),
        ..problem(
            format!(
                "`{reference}` does not match the locked component\n  locked: sha256:{sha256}\n  found:  sha256:{found}"
            ),
            place(lock, locked, sha256),
            "locked here",
        )
    }
}

/// The place of `text` in the table of a plugin; the span of a table is that of its header.
fn place(lock: &LockFile, locked: &Spanned<LockedPlugin>, text: &str) -> Option<Range<usize>> {
    let table = locked.span().start;
    let start = table.checked_add(lock.file.text.get(table..)?.find(text)?)?;
    Some(start..start.checked_add(text.len())?)
}

fn difference(lock: &LockFile, locked: &Spanned<LockedPlugin>, plugin: &LockedPlugin) -> Option<Problem> {
    let (old, reference) = (locked.get_ref(), &plugin.reference);
    if old.sha256 != plugin.sha256 {
        return Some(mismatch(lock, locked, &plugin.sha256));
    }
    let manifest = |plugin: &LockedPlugin| {
        plugin.manifest.map_or_else(|| "none".to_owned(), |digest| digest.to_string())
    };
    let fields = [
        ("name", old.name.clone(), plugin.name.clone()),
        ("version", old.version.clone(), plugin.version.clone()),
        ("world", old.world.clone(), plugin.world.clone()),
        ("manifest", manifest(old), manifest(plugin)),
        ("imports", old.imports.join(", "), plugin.imports.join(", ")),
        ("grants", old.grants.join(", "), plugin.grants.join(", ")),
    ];
    let (field, was, is) = fields.into_iter().find(|(_, was, is)| was != is)?;
    Some(problem(
        format!("the {field} of `{reference}` changed\n  locked: {was}\n  found:  {is}"),
        place(lock, locked, &format!("{field} =")),
        "locked here",
    ))
}

fn problem(message: String, span: Option<Range<usize>>, label: &str) -> Problem {
    Problem {
        code: "seed::lock::changed".to_owned(),
        message,
        label: label.to_owned(),
        span,
        help: Some(
            "if you expect this change, run `seed run` without `--locked` and commit the lock file"
                .to_owned(),
        ),
    }
}
