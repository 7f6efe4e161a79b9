//! One entry that is in no package.

use seed_plugin::selector::{Entry, EntryKind};

/// An entry that belongs to root.
pub(crate) fn entry(path: &str, kind: EntryKind, mode: u32) -> Entry {
    Entry { path: path.to_owned(), kind, mode, uid: 0, gid: 0 }
}
