//! `seed cache pull`: gives the store paths of a build seed to the Nix of this machine, so that the next build here finds
//! its dependencies built. The registry is the cache.

mod contents;
mod error;
mod fetch;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use seed_http::DockerConfig;
use seed_model::{Digest, Platform, StorePath};
use seed_nix::{Import, Nix, NixOptions, Scratch};
use seed_oci::restore::{BuildSeed, RestoreError};
use seed_oci::source::{self, Reference};
use serde::Serialize;

use crate::events::{EventSink, Events};
use crate::source::NixProgress;
use crate::summary::SCHEMA;

use self::fetch::Fetch;

pub use error::PullError;

/// What to pull, and where to.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// A layout directory, an archive, or `host/repository` with a tag or digest.
    pub reference: String,
    /// The Nix system whose image is taken, where there are several; none for this machine's.
    pub system: Option<String>,
    /// The store to add to, as Nix's option `store` names it; none for the usual one.
    pub store: Option<String>,
    /// Why the image is trusted.
    pub trust: Trust,
    /// Where the paths are kept until Nix has them; made where it is missing.
    pub directory: PathBuf,
}

/// Why an image is trusted to be the one that is meant. A digest always is, and so is a file of this machine.
#[derive(Clone, Debug)]
pub enum Trust {
    /// For nothing else.
    Digest,
    /// This lock file names it.
    Lock(PathBuf),
    /// Each of the keys in these files has signed it, files of this machine too.
    Keys(Vec<PathBuf>),
    /// Whatever a tag names now.
    Tag,
}

/// What `seed cache pull` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PullSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The reference, as it was given.
    pub reference: String,
    /// The Nix system.
    pub system: String,
    /// Digest of the image's manifest.
    pub digest: Digest,
    /// How many store paths the image has.
    pub paths: usize,
    /// How many of them the store had already.
    pub skipped: usize,
    /// How many were added.
    pub added: usize,
    /// The sum of the NAR sizes of those in bytes.
    pub nar_size: u64,
    /// How many layers were read for them.
    pub layers: usize,
    /// The sum of the sizes of those layers, as they are stored, in bytes.
    pub size: u64,
}

/// Adds the store paths of a build seed to the store, those that it lacks. Each is compared with the NAR hash that the
/// image registers it with before Nix gets any of them. Credentials come from the files of Docker and Podman.
pub fn pull(options: &PullOptions, sink: Arc<dyn EventSink>) -> Result<PullSummary, PullError> {
    let system = options.system.clone().unwrap_or_else(Platform::host_system);
    let platform = Platform::of_system(&system)?;
    let mut nix_options = NixOptions::locate(|name| std::env::var_os(name));
    nix_options.options.extend(options.store.clone().map(|store| ("store".to_owned(), store)));
    let nix = Nix::find(nix_options)?;
    let events = Arc::new(Events::new(sink));
    let failed = |source: RestoreError| match source {
        RestoreError::NotABuildSeed { .. } => {
            PullError::NotABuildSeed { reference: options.reference.clone() }
        }
        source => PullError::Image { reference: options.reference.clone(), source },
    };

    let parsed = Reference::parse(&options.reference)?;
    let credentials = Arc::new(DockerConfig::locate(|name| env::var_os(name)));
    let source = source::open(&parsed, credentials).map_err(|error| failed(error.into()))?;
    let root = source.resolve().map_err(|error| failed(error.into()))?.descriptor;
    trust::check(source.as_ref(), &parsed, options, &root)?;
    let seed = BuildSeed::open(source.as_ref(), &root, &platform).map_err(failed)?;
    let (closure, layer_of) = contents::contents(&seed.registration, &seed.paths)
        .map_err(|reason| PullError::Registration { reference: options.reference.clone(), reason })?;

    let progress = NixProgress::new(&events);
    let all: Vec<&str> = closure.paths.iter().map(|path| path.store_path.as_str()).collect();
    let missing: BTreeSet<String> = nix.missing(&all, &progress)?.into_iter().collect();
    let missing: Vec<usize> = (0..closure.paths.len())
        .filter(|index| missing.contains(&closure.paths[*index].store_path))
        .collect();
    let mut layers: BTreeMap<usize, Vec<&StorePath>> = BTreeMap::new();
    for index in &missing {
        layers.entry(layer_of[*index]).or_default().push(&closure.paths[*index]);
    }
    let order = contents::order(&closure, &missing).ok_or_else(|| PullError::Registration {
        reference: options.reference.clone(),
        reason: "store paths in it refer to each other in a circle".to_owned(),
    })?;

    let no_room = |source| PullError::Directory { path: options.directory.clone(), source };
    std::fs::create_dir_all(&options.directory).map_err(no_room)?;
    let directory = Scratch::make(&options.directory, "pull-").map_err(no_room)?;
    let fetch = Fetch {
        source: source.as_ref(),
        seed: &seed,
        events: &events,
        directory: directory.path().to_owned(),
    };
    fetch.layers(&layers).map_err(failed)?;
    let import = |index: usize| {
        let StorePath { store_path, references, .. } = &closure.paths[index];
        Import {
            path: store_path.clone(),
            references: references.iter().map(|r| closure.paths[*r as usize].store_path.clone()).collect(),
            nar: directory.path().join(store_path.rsplit('/').next().unwrap_or_default()),
        }
    };
    if !order.is_empty() {
        nix.import(&order.into_iter().map(import).collect::<Vec<_>>(), &progress)?;
    }
    Ok(PullSummary {
        schema: SCHEMA,
        reference: options.reference.clone(),
        system,
        digest: seed.digest,
        paths: closure.paths.len(),
        skipped: closure.paths.len() - missing.len(),
        added: missing.len(),
        nar_size: missing.iter().map(|index| closure.paths[*index].nar_size).sum(),
        layers: layers.len(),
        size: layers.keys().map(|layer| seed.layer_size(*layer)).sum(),
    })
}
