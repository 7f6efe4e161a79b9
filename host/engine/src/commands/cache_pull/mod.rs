//! `seed cache pull`: gives the store paths of a build seed to the Nix of this machine, so that the next build here finds
//! its dependencies built. The registry is the cache.

mod contents;
mod error;
mod fetch;
mod options;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_disk::{CacheDirectory, DiskError, Scratch};
use seed_model::{Platform, StorePath, Target, total};
use seed_nix::{Import, Nix};
use seed_oci::location::Reference;
use seed_oci::restore::{BuildSeed, RestoreError};
use seed_report::Error;

use crate::events::{EventSink, Events};
use crate::session::Session;
use crate::source::NixProgress;
use crate::suggest::path_instead;
use crate::summary::{PullSummary, SCHEMA};

use self::fetch::Fetch;

use error::PullError;
pub use options::{PullOptions, Trust};

/// Adds the store paths of a build seed to the store, those that it lacks. Each is compared with the NAR hash that the
/// image registers it with before Nix gets any of them. Until then they
/// are kept beside the caches.
pub(crate) fn cache_pull(
    session: &Session,
    options: &PullOptions,
    sink: Arc<dyn EventSink>,
) -> Result<PullSummary, Error> {
    Ok(pull(session, options, &Arc::new(Events::new(sink)))?)
}

fn pull(session: &Session, options: &PullOptions, events: &Arc<Events>) -> Result<PullSummary, PullError> {
    let parsed = Reference::find(&options.reference)?;
    let cache = session.cache_directory()?;
    let target = Target::of_system(&options.system.clone().unwrap_or_else(Platform::host_system))?;
    let mut nix_options = session.nix();
    nix_options.options.extend(options.store.clone().map(|store| ("store".to_owned(), store)));
    let nix = Nix::find(nix_options)?;
    let failed = |source: RestoreError| match source {
        RestoreError::NotABuildSeed { .. } => {
            PullError::NotABuildSeed { reference: options.reference.clone() }
        }
        source => PullError::Image {
            reference: options.reference.clone(),
            help: path_instead(&options.reference),
            source,
        },
    };

    let location = session.open(&parsed).map_err(|error| failed(error.into()))?;
    let root = location.resolve().map_err(|error| failed(error.into()))?.descriptor;
    trust::check(location.as_ref(), &parsed, options, &root)?;
    let seed = BuildSeed::open(location.as_ref(), &root, &target.platform).map_err(failed)?;
    let (closure, layer_of) = contents::contents(&seed.registration, &seed.paths)
        .map_err(|reason| PullError::Registration { reference: options.reference.clone(), reason })?;

    let progress = NixProgress::new(events);
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
        reason: "its store paths form a reference cycle".to_owned(),
    })?;

    let unusable = |source| PullError::Directory { path: cache.clone(), source };
    CacheDirectory::open(&cache).map_err(unusable)?;
    let directory = Scratch::make(&cache, "pull-")
        .map_err(DiskError::io("create a directory in", &cache))
        .map_err(unusable)?;
    let fetch =
        Fetch { location: location.as_ref(), seed: &seed, events, directory: directory.path().to_owned() };
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
        system: target.system,
        digest: seed.digest,
        paths: closure.paths.len(),
        skipped: closure.paths.len().saturating_sub(missing.len()),
        added: missing.len(),
        nar_size: total(missing.iter().map(|index| closure.paths[*index].nar_size)),
        layers: layers.len(),
        size: total(layers.keys().map(|layer| seed.layer_size(*layer))),
    })
}
