//! `seed cache pull`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::{PullOptions, Trust};
use seed_report::Error;

use crate::session::Session;
use crate::summary;

/// Give the store paths of a build seed to the Nix of this machine
///
/// The next build here then finds its dependencies built: the registry is the cache. Only the layers with store paths that
/// are missing here are fetched, and each path is compared with the hash that the image registers it with.
///
/// Nix will build with what the image holds, so it must be one that you trust: by its digest, by a lock file that you
/// have reviewed, or by the keys that signed it. Nix must let this user add store paths: root, or one of its
/// `trusted-users`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed cache pull ghcr.io/org/app-build@sha256:…   by digest
  seed cache pull ghcr.io/org/app-build:main --lock seed.lock
  seed cache pull ghcr.io/org/app-build:main --key cosign.pub
  seed cache pull ./app-build.tar                  from an archive")]
pub(crate) struct PullArgs {
    /// `host/repository` with `@sha256:…`, or with `:tag` and a reason to trust it; a layout directory or a tar
    reference: String,

    /// Take the image that a tag names where this lock file names it too
    ///
    /// The lock that `seed run` wrote when it published the build seed, such as `seed.lock`.
    #[arg(long, value_name = "FILE", group = "trust")]
    lock: Option<PathBuf>,

    /// Take the image where this public key has signed it, as PEM (can be repeated: each must have signed)
    #[arg(long = "key", value_name = "FILE", group = "trust")]
    keys: Vec<PathBuf>,

    /// Take whatever a tag names now
    #[arg(long, group = "trust")]
    trust_tag: bool,

    /// The Nix system whose image is taken; default: this machine's
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,

    /// The store to add to, as Nix's own option `store` takes it; default: the one that Nix uses
    #[arg(long, value_name = "STORE")]
    store: Option<String>,

    /// Directory of the cache, where the paths are kept until Nix has them
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
