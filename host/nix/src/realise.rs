//! Builds outputs, and keeps them from the garbage collector while they are used.

use std::collections::{BTreeMap, BTreeSet};

use seed_disk::Scratch;
use seed_store_path::derivation_name;

use crate::closure::batches;
use crate::command::Outcome;
use crate::derivation::Target;
use crate::error::NixError;
use crate::evaluate::Evaluated;
use crate::events::Observer;
use crate::log_reader::Build;
use crate::nix::Nix;

/// Store paths that exist. They are safe from the garbage collector until this value is dropped.
#[derive(Debug)]
#[must_use = "the paths may be collected when this is dropped"]
pub struct Realised {
    /// The store paths of each of the evaluated, in the order of the request.
    pub paths: Vec<Vec<String>>,
    /// The links that are the roots.
    _roots: Scratch,
}

/// Begins the names of directories of links. Nix forgets a root when its link is gone.
const ROOTS: &str = "seed-roots-";
/// Prints one path per output.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

impl Nix {
    /// Builds what was evaluated, or fetches it where substitution is on. What exists costs one call of `nix-store`.
    pub fn realise(&self, evaluated: &[Evaluated], observer: &dyn Observer) -> Result<Realised, NixError> {
        let roots = Scratch::make(&self.temporary, ROOTS).map_err(NixError::Roots)?;
        let wanted = wanted(evaluated.iter().flat_map(|evaluated| &evaluated.targets));
        for (number, batch) in batches(&wanted).into_iter().enumerate() {
            let outcome = self
                .nix_store(&["--realise"], MAX_OUTPUT)
                .args(batch)
                .quiet_args(["--indirect", "--add-root"])
                .quiet_args([roots.path().join(format!("root-{number}"))])
                .run(observer)?;
            if !outcome.status.success() {
                return Err(build_error(outcome));
            }
        }
        let paths = |evaluated: &Evaluated| {
            let mut paths: Vec<String> = evaluated.targets.iter().flat_map(Target::paths).cloned().collect();
            paths.sort_unstable();
            paths.dedup();
            paths
        };
        Ok(Realised { paths: evaluated.iter().map(paths).collect(), _roots: roots })
    }
}

/// The arguments of `nix-store --realise`: `DERIVATION!OUTPUT,…`, derivations for all of their outputs, and paths.
fn wanted<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<String> {
    let mut outputs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut whole: BTreeSet<&str> = BTreeSet::new();
    for target in targets {
        match target {
            Target::Output { derivation, output, .. } => outputs.entry(derivation).or_default().push(output),
            Target::AllOutputs { derivations, .. } => whole.extend(derivations.iter().map(String::as_str)),
            Target::Path(path) => _ = whole.insert(path),
        }
    }
    outputs.retain(|derivation, _| !whole.contains(derivation));
    let outputs = outputs.iter().map(|(derivation, names)| format!("{derivation}!{}", names.join(",")));
    outputs.chain(whole.iter().map(|&path| path.to_owned())).collect()
}

/// Finds the derivation that failed first: the first error that names one.
fn build_error(outcome: Outcome) -> NixError {
    let builds: Vec<&Build> = outcome.log.builds().collect();
    for message in &outcome.log.errors {
        let Some(derivation) = quoted_derivation(message) else { continue };
        let name = derivation_name(derivation).to_owned();
        if message.contains("is required to build '") || message.contains("platform mismatch") {
            return NixError::System { name, system: required_system(message), reason: one_line(message) };
        }
        if let Some(build) = builds.iter().find(|build| build.derivation == derivation) {
            return NixError::Builder {
                name,
                derivation: derivation.to_owned(),
                reason: reason(message, derivation),
                log: build.log.iter().cloned().collect(),
            };
        }
    }
    NixError::Failed { message: outcome.message(), command: outcome.command }
}

/// The first store path of a derivation in quotation marks.
fn quoted_derivation(message: &str) -> Option<&str> {
    message.split(['\'', '"']).find(|part| part.starts_with('/') && part.strip_suffix(".drv").is_some())
}

/// `a 'aarch64-linux' with features {} is required to build '…'` up to 2.30, `Required system: 'aarch64-linux'` since.
fn required_system(message: &str) -> String {
    let rest = message.split("Required system:").nth(1).unwrap_or(message);
    rest.split('\'').nth(1).unwrap_or("another system").to_owned()
}

/// `builder failed with exit code 3` from the wordings of the versions.
fn reason(message: &str, derivation: &str) -> String {
    let since_2_31 = message.lines().find_map(|line| line.trim().strip_prefix("Reason: "));
    let before = || message.lines().next()?.strip_prefix(&format!("builder for '{derivation}' "));
    match since_2_31 {
        Some(reason) => reason.trim_end_matches('.').to_owned(),
        None => before().map_or_else(
            || one_line(message),
            // Lines of the log follow after a semicolon; the caller has more of them.
            |rest| format!("builder {}", rest.split(';').next().unwrap_or(rest).trim_end_matches('.')),
        ),
    }
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn derivations_are_asked_for_once() {
        let output = |output: &str| Target::Output {
            derivation: "/nix/store/a.drv".to_owned(),
            output: output.to_owned(),
            path: String::new(),
        };
        let source = Target::Path("/nix/store/s".to_owned());
        let some = [output("out"), source.clone(), output("dev"), source];
        assert_eq!(wanted(some.iter()), ["/nix/store/a.drv!out,dev", "/nix/store/s"]);
        let all = Target::AllOutputs { derivations: vec!["/nix/store/a.drv".to_owned()], paths: Vec::new() };
        assert_eq!(wanted([output("out"), all].iter()), ["/nix/store/a.drv"]);
    }

    #[test]
    fn the_builder_that_failed_first_is_named() {
        for version in recorded::VERSIONS {
            let error = build_error(recorded::failure(version, "build-depends.log"));
            let text = format!("{error}\n{}", error.help().unwrap());
            insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
            building `deep` failed: builder failed with exit code 9; the last lines of the log:
              > one
              > two
            run `nix log /nix/store/nxwxi30h90m4ai1rm4lrin4aycy5yf89-deep.drv` to see the whole log
            "#) };
        }
    }

    #[test]
    fn a_system_that_cannot_be_built_is_named() {
        let error = |version| build_error(recorded::failure(version, "build-foreign.log"));
        insta::assert_snapshot!(error("2.8"), @"Nix cannot build `foreign` for m68k-linux here: a 'm68k-linux' with features {} is required to build '/nix/store/9b8s7mjxxw3vnrvxy6mp5bzwn603j1mm-foreign.drv', but I am a 'x86_64-linux' with features {benchmark, big-parallel, kvm, nixos-test}");
        insta::assert_snapshot!(error("2.26"), @"Nix cannot build `foreign` for m68k-linux here: a 'm68k-linux' with features {} is required to build '/nix/store/9b8s7mjxxw3vnrvxy6mp5bzwn603j1mm-foreign.drv', but I am a 'x86_64-linux' with features {benchmark, big-parallel, kvm, nixos-test, uid-range}");
        insta::assert_snapshot!(error("2.34"), @"Nix cannot build `foreign` for m68k-linux here: Cannot build '/nix/store/9b8s7mjxxw3vnrvxy6mp5bzwn603j1mm-foreign.drv'. Reason: platform mismatch Required system: 'm68k-linux' Current system: 'x86_64-linux'");
        insta::assert_snapshot!(error("2.34").help().unwrap(), @"
        add one of these lines to nix.conf:

        builders = ssh-ng://HOST m68k-linux    for a remote builder
        extra-platforms = m68k-linux           for emulation, with QEMU in binfmt_misc

        or run `seed run --system m68k-linux --record FILE` on such a machine, and `seed index` here
        ");
    }

    #[test]
    fn what_the_machine_lacks_is_explained() {
        let help = |version, log| build_error(recorded::failure(version, log)).help().unwrap();
        insta::assert_snapshot!(help("2.8", "build-no-shell.log"), @"Nix's sandbox has no shell: set `sandbox-paths = /bin/sh=…` in nix.conf to a statically linked shell, such as /bin/bash-static from Debian's `bash-static`");
        insta::assert_snapshot!(help("2.26", "build-no-group.log"), @"Nix has no build users group: create the group, or set `build-users-group =` in nix.conf");
    }

    #[test]
    fn reasons_do_not_repeat_the_log() {
        let message = "builder for '/nix/store/x-a.drv' failed with exit code 1;\nlast 10 log lines:\n> one";
        assert_eq!(reason(message, "/nix/store/x-a.drv"), "builder failed with exit code 1");
        let message = "hash mismatch in fixed-output derivation '/nix/store/x-a.drv':\n  specified: sha256-A\n  got:    sha256-B";
        assert_eq!(
            reason(message, "/nix/store/x-a.drv"),
            "hash mismatch in fixed-output derivation '/nix/store/x-a.drv': specified: sha256-A got:    sha256-B"
        );
    }
}
