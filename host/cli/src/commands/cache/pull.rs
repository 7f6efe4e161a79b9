//! `seed cache pull`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::{PullOptions, Trust};
use seed_report::Error;

use crate::commands::reference;
use crate::session::Session;
use crate::summary;

/// Add the store paths of a build seed to this machine's Nix store
///
/// The next build here then finds its dependencies already built: the registry is the cache. Fetches only layers with
/// missing store paths, and compares each path with its hash in the image's registration.
///
/// Nix will build with these paths, so identify an image that you trust: by its digest, by a lock file that you have
/// reviewed, or by the keys that signed it. Nix must allow you to add store paths: be root, or one of its
/// `trusted-users`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed cache pull ghcr.io/org/app-build@sha256:…   by digest
  seed cache pull ghcr.io/org/app-build:main --lock seed.lock
  seed cache pull ghcr.io/org/app-build:main --key cosign.pub
  seed cache pull ./app-build.tar                  from an archive")]
pub(crate) struct PullArgs {
    #[arg(help = reference::HELP, long_help = reference::LONG_HELP)]
    reference: String,

    /// Accept the image that a tag names if this lock file lists it
    ///
    /// The lock file that `seed run` wrote when it published the build seed, such as `seed.lock`.
    #[arg(long, value_name = "FILE", group = "trust")]
    lock: Option<PathBuf>,

    /// Accept the image if this PEM public key has signed it (can be repeated; each key must have signed)
    #[arg(long = "key", value_name = "FILE", group = "trust")]
    keys: Vec<PathBuf>,

    /// Accept whatever image a tag names now
    #[arg(long, group = "trust")]
    trust_tag: bool,

    /// The Nix system whose image to pull; default: this machine's
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,

    /// The store to add paths to, as in Nix's `store` option; default: the one that Nix uses
    #[arg(long, value_name = "STORE")]
    store: Option<String>,

    /// Cache directory, which holds the paths until Nix has them
    ///
    /// Default: `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or `~/.cache/seed`.
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
}

pub(crate) fn run(args: &PullArgs, session: &Session) -> Result<(), Error> {
    let trust = match &args.lock {
        Some(lock) => Trust::Lock(lock.clone()),
        None if !args.keys.is_empty() => Trust::Keys(args.keys.clone()),
        None if args.trust_tag => Trust::Tag,
        None => Trust::Digest,
    };
    let options = PullOptions {
        reference: args.reference.clone(),
        system: args.system.clone(),
        store: args.store.clone(),
        trust,
    };
    let engine = session.engine_without_plugins(args.cache_dir.clone());
    let pulled = engine.cache_pull(&options, session.progress())?;
    session.show(&pulled, summary::pull::pull)
}
