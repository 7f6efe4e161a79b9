//! Entries that are in no package: `/tmp`, `/etc/passwd`, `/etc/group` and links.

use seed_plugin::Diagnostic;
use seed_plugin::selector::{Closure, Entry, EntryKind, SelectRequest, SourceKind};

use crate::config::Config;
use crate::entry::entry;
use crate::{build_seed, packages};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/var/empty:/bin/false\n";
const GROUP: &str = "root:x:0:\nnobody:x:65534:\n";

/// The entries, sorted by path. Plain directories get none but links unless asked: they may bring their own.
pub(crate) fn entries(
    config: &Config,
    request: &SelectRequest,
    closure: &Closure,
) -> Result<Vec<Entry>, Diagnostic> {
    let by_default = !matches!(request.source, SourceKind::Directories);
    let mut entries = Vec::new();
    if config.users.unwrap_or(by_default) {
        for (path, content) in [("/etc/passwd", PASSWD), ("/etc/group", GROUP)] {
            entries.push(entry(path, EntryKind::File(content.as_bytes().to_vec()), 0o644));
        }
    }
    if config.tmp.unwrap_or(by_default) {
        entries.push(entry("/tmp", EntryKind::Directory, 0o1777));
    }
    if build_seed::is_build_seed(request) {
        entries.extend(build_seed::entries(config, request, closure)?);
    }
    for (path, target) in &config.links {
        entries.push(entry(path, EntryKind::Symlink(resolve(path, target, closure)?), 0o777));
    }
    // A link at the path of a default entry takes its place.
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries.dedup_by(|later, earlier| {
        let same = later.path == earlier.path;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    Ok(entries)
}

/// The target of a link as it is written. `bash/bin/sh` begins with a package of the closure.
fn resolve(path: &str, target: &str, closure: &Closure) -> Result<String, Diagnostic> {
    if target.starts_with('/') {
        return Ok(target.to_owned());
    }
    let (package, rest) = match target.split_once('/') {
        Some((package, rest)) => (package, format!("/{rest}")),
        None => (target, String::new()),
    };
    let problem = |message: &str, help: &str| {
        let pointer = format!("/links/{}", path.replace('~', "~0").replace('/', "~1"));
        Diagnostic::error("layering::link", message).with_help(help).at(&pointer)
    };
    match &*packages::find(closure, package) {
        [store_path] => Ok(format!("{store_path}{rest}")),
        [] => Err(problem(
            &format!("the link `{path}` refers to package `{package}`, which is not in the closure"),
            "begin the target with a package from one of the layers, or with a slash to use it unchanged",
        )),
        several => Err(problem(
            &format!("the link `{path}` refers to package `{package}`, which the closure has more than once"),
            &format!("add the version, or write one of the store paths: {}", several.join(", ")),
        )),
    }
}
