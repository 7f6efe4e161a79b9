//! What a build seed has besides store paths: a shell, Nix's configuration and state, and an entrypoint that registers
//! the paths with Nix.
//!
//! A normal user of a container can build too: the store and Nix's state are writable for all, as `/tmp` is, and
//! belong to root, so that nobody else can change or remove what the image brings.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use seed_plugin::Diagnostic;
use seed_plugin::selector::{Closure, Entry, EntryKind, ImageConfig, Layer, SelectRequest, VariantKind};

use crate::config::Config;
use crate::darwin::is_darwin;
use crate::entry::entry;
use crate::environment::NOT_IN_PATH;
use crate::packages;

/// The annotation that says so, and its value. `seed cache pull` looks for it.
pub(crate) const ANNOTATION: (&str, &str) = ("io.github.seed-oci.variant", "build");
/// The layer with Nix itself.
const NIX: &str = "nix";

const ENTER: &str = "/nix/seed/enter";
const ENTER_SCRIPT: &str = include_str!("enter.sh");
const REGISTRATION: &str = "/nix/seed/registration";
/// Which paths are in which layer: a line per layer, bottom first, with the numbers of its paths in the registration.
/// Whoever has some of the paths already need not fetch all layers.
const LAYERS: &str = "/nix/seed/layers";

/// Everyone may add to these and nobody may remove what others added.
const WRITABLE: [&str; 4] = ["/nix/store", "/nix/var/log", "/nix/var/nix", "/nix/var/nix/gcroots"];
const GC_ROOTS: &str = "/nix/var/nix/gcroots";

const SHELL: &str = "/bin/sh";
/// Packages that have a shell, and where.
const SHELLS: [(&str, &str); 4] =
    [("bash", "bin/bash"), ("bash-interactive", "bin/bash"), ("dash", "bin/dash"), ("busybox", "bin/sh")];

/// Whether Nix can run in the image.
pub(crate) fn is_build_seed(request: &SelectRequest) -> bool {
    matches!(request.variant, VariantKind::Build) && !is_darwin(request)
}

/// All entries of a build seed but the list of its layers. The user's links come on top of them.
pub(crate) fn entries(
    config: &Config,
    request: &SelectRequest,
    closure: &Closure,
) -> Result<Vec<Entry>, Diagnostic> {
    let mut entries: Vec<Entry> =
        WRITABLE.iter().map(|path| entry(path, EntryKind::Directory, 0o1777)).collect();
    entries.push(entry("/root", EntryKind::Directory, 0o700));
    let text = |text: &str| EntryKind::File(text.as_bytes().to_vec());
    entries.push(entry("/etc/nix/nix.conf", text(&nix_conf(config)), 0o444));
    entries.push(entry(REGISTRATION, EntryKind::Registration, 0o444));
    entries.push(entry(ENTER, text(&ENTER_SCRIPT.replace("@nix@", nix(request, closure)?)), 0o555));
    if !config.links.contains_key(SHELL) {
        entries.push(entry(SHELL, EntryKind::Symlink(shell(request, closure)?), 0o777));
    }
    // As Nix itself makes it when there is no directory for roots yet.
    let profiles = EntryKind::Symlink("/nix/var/nix/profiles".to_owned());
    entries.push(entry(&format!("{GC_ROOTS}/profiles"), profiles, 0o777));
    let roots: BTreeSet<u32> = closure.outputs().iter().flat_map(|output| output.roots.clone()).collect();
    for root in roots {
        let path = closure.store_path(root);
        let name = path.rsplit('/').next().unwrap_or(path);
        entries.push(entry(&format!("{GC_ROOTS}/seed/{name}"), EntryKind::Symlink(path.to_owned()), 0o777));
    }
    Ok(entries)
}

/// The entry that says which paths each layer has; `layers` are all but the one with the entries, which is on top.
pub(crate) fn listing(layers: &[Layer]) -> Entry {
    let mut text = String::new();
    for layer in layers {
        let numbers: Vec<String> = layer.paths.iter().map(u32::to_string).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", numbers.join(" "));
    }
    text.push('\n');
    entry(LAYERS, EntryKind::File(text.into_bytes()), 0o444)
}

/// Runs what the image runs through the entrypoint; a shell if it runs nothing.
pub(crate) fn enter(image: &mut ImageConfig) {
    if image.entrypoint.is_empty() && image.cmd.is_empty() {
        image.cmd.push(SHELL.to_owned());
    }
    image.entrypoint.insert(0, ENTER.to_owned());
}

fn nix_conf(config: &Config) -> String {
    let substitute = config.substitute;
    format!(
        "# The container is the sandbox, and has no users to build as.\n\
         build-users-group =\nexperimental-features = nix-command flakes\nsandbox = false\nsubstitute = {substitute}\n"
    )
}

/// The store path of Nix itself: what the layer `nix` was asked to hold, or of several things the one of that name.
fn nix<'a>(request: &SelectRequest, closure: &'a Closure) -> Result<&'a str, Diagnostic> {
    let requested = packages::requested(request, closure);
    let layer = requested.iter().find(|(layer, _)| layer == NIX);
    let packages = layer.map_or(&[][..], |(_, packages)| packages);
    let mut paths = packages.iter().map(|index| closure.store_path(*index));
    let named = paths.clone().find(|path| packages::is_package(path, NIX));
    named.or_else(|| paths.next()).ok_or_else(|| {
        Diagnostic::error("layering::no-nix", "a build seed needs a layer `nix` that contains Nix")
            .with_help("a flake offers this layer: add `nix` to `layers`, or remove `layers`")
    })
}

/// The shell that scripts find at `/bin/sh`: one that was asked for to run, or any in the closure.
fn shell(request: &SelectRequest, closure: &Closure) -> Result<String, Diagnostic> {
    let requested: BTreeSet<&str> = packages::requested(request, closure)
        .iter()
        .filter(|(layer, _)| !NOT_IN_PATH.contains(&layer.as_str()))
        .flat_map(|(_, packages)| packages.iter().map(|index| closure.store_path(*index)))
        .collect();
    let find = |is_candidate: &dyn Fn(&str) -> bool| {
        SHELLS.iter().find_map(|(package, program)| {
            let path = packages::find(closure, package).into_iter().find(|path| is_candidate(path))?;
            Some(format!("{path}/{program}"))
        })
    };
    find(&|path| requested.contains(path)).or_else(|| find(&|_| true)).ok_or_else(|| {
        let names = SHELLS.map(|(package, _)| package).join(", ");
        Diagnostic::error(
            "layering::no-shell",
            &format!("a build seed needs a shell at `{SHELL}`, but the closure has none of {names}"),
        )
        .with_help(
            "add one to a layer such as `base`, or link another: `links = { \"/bin/sh\" = \"PACKAGE/bin/sh\" }`",
        )
    })
}
