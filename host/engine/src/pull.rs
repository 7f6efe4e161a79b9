//! `seed cache pull`: gives the store paths of a build seed to the Nix of this machine, so that the next build here finds
//! its dependencies built. The registry is the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use miette::Diagnostic;
use seed_http::DockerConfig;
use seed_model::{Closure, Digest, Platform, StorePath, UnknownSystem};
use seed_nix::{Graph, GraphError, Import, Nix, NixError, NixOptions};
use seed_oci::restore::{BuildSeed, RestoreError};
use seed_oci::source::{self, Reference, ReferenceError, Source};
use serde::Serialize;

use crate::events::{EventSink, Events, TaskKind};
use crate::source::NixProgress;
use crate::summary::SCHEMA;

/// Layers that are read at once: a registry gives a few connections more than one, and not more for many.
const MAX_LANES: usize = 4;

/// What to pull, and where to.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// A layout directory, an archive, or `host/repository` with a tag or digest.
    pub reference: String,
    /// The Nix system whose image is taken, where there are several; none for this machine's.
    pub system: Option<String>,
    /// The store to add to, as Nix's option `store` names it; none for the usual one.
    pub store: Option<String>,
    /// Take what a tag names now, although nothing says that it is what was meant.
    pub trust_tag: bool,
    /// Where the paths are kept until Nix has them; made where it is missing.
    pub directory: PathBuf,
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

/// A build seed that cannot be pulled.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum PullError {
    /// It is not said where it is.
    #[error(transparent)]
    #[diagnostic(code("seed::pull::reference"))]
    Reference(#[from] ReferenceError),
    /// There are no images for this system.
    #[error(transparent)]
    #[diagnostic(code("seed::pull::system"))]
    System(#[from] UnknownSystem),
    /// Nothing says which image is meant.
    #[error("`{reference}` is a tag: whoever can move it would choose what your builds are made from")]
    #[diagnostic(
        code("seed::pull::tag"),
        help(
            "it names {digest} now: if that is what you mean, pull `{pinned}`, or take whatever the tag names with `--trust-tag`"
        )
    )]
    Tag {
        /// The reference.
        reference: String,
        /// What the tag names now.
        digest: Digest,
        /// The reference with the digest.
        pinned: String,
    },
    /// It was not made to build in.
    #[error("`{reference}` is not a build seed: it has no registration of store paths")]
    #[diagnostic(
        code("seed::pull::not-a-build-seed"),
        help("pull an image that was made with `[seed] variant = \"build\"`")
    )]
    NotABuildSeed {
        /// The reference.
        reference: String,
    },
    /// It cannot be read, or is not what it says.
    #[error("`{reference}` cannot be pulled")]
    #[diagnostic(code("seed::pull::failed"))]
    Image {
        /// The reference.
        reference: String,
        /// Why.
        source: RestoreError,
    },
    /// Its registration cannot be used.
    #[error("the registration in `{reference}` cannot be used: {reason}")]
    #[diagnostic(code("seed::pull::registration"), help("nothing was added to the store"))]
    Registration {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nix cannot take the paths.
    #[error("{error}")]
    #[diagnostic(code("seed::pull::nix"))]
    Nix {
        /// Why.
        error: NixError,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// There is no place for the paths until Nix has them.
    #[error("cannot keep store paths in {}", path.display())]
    #[diagnostic(
        code("seed::pull::directory"),
        help("name a directory with more room, by `--cache-dir DIR` or `SEED_CACHE_DIR`")
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<NixError> for PullError {
    fn from(error: NixError) -> Self {
        Self::Nix { help: error.help(), error }
    }
}

/// Adds the store paths of a build seed to the store, those that it lacks. Each is compared with the NAR hash that the
/// image registers it with before Nix gets any of them. Credentials come from the files of Docker and Podman.
pub fn pull(options: &PullOptions, sink: Arc<dyn EventSink>) -> Result<PullSummary, PullError> {
    let system = options.system.clone().unwrap_or_else(Platform::host_system);
    let platform = Platform::of_system(&system)?;
    let mut nix_options = NixOptions::default();
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
    check_trust(&parsed, options, root.digest)?;
    let seed = BuildSeed::open(source.as_ref(), &root, &platform).map_err(failed)?;
    let (closure, layer_of) = contents(&seed)
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
    let order = order(&closure, &missing).ok_or_else(|| PullError::Registration {
        reference: options.reference.clone(),
        reason: "store paths in it refer to each other in a circle".to_owned(),
    })?;

    let no_room = |source| PullError::Directory { path: options.directory.clone(), source };
    std::fs::create_dir_all(&options.directory).map_err(no_room)?;
    let directory =
        tempfile::Builder::new().prefix("pull-").tempdir_in(&options.directory).map_err(no_room)?;
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

/// Store paths are named after what they were built from, not after what they hold: whoever made the image could put
/// anything into them. So it must be said which image is meant. A file of this machine says it by its name.
fn check_trust(reference: &Reference, options: &PullOptions, digest: Digest) -> Result<(), PullError> {
    let Reference::Registry(registry) = reference else { return Ok(()) };
    if registry.digest.is_some() || options.trust_tag {
        return Ok(());
    }
    Err(PullError::Tag {
        reference: options.reference.clone(),
        digest,
        pinned: format!("{}/{}@{digest}", registry.registry, registry.repository),
    })
}

/// The store paths of an image, and the layer that each is in.
fn contents(seed: &BuildSeed) -> Result<(Closure, Vec<usize>), String> {
    let mut graph = Graph::default();
    graph.read(&seed.registration).map_err(|error: GraphError| error.to_string())?;
    let all: Vec<String> = graph.paths().map(str::to_owned).collect();
    let closure = graph.closure(&[(String::new(), all)]).map_err(|error| error.to_string())?;
    let mut layer_of = vec![None; closure.paths.len()];
    for (layer, paths) in seed.paths.iter().enumerate() {
        for path in paths {
            let place = layer_of.get_mut(*path as usize);
            *place
                .ok_or_else(|| format!("a layer is said to have path {path} of {}", closure.paths.len()))? =
                Some(layer);
        }
    }
    let found = layer_of.into_iter().zip(&closure.paths);
    let layers = found
        .map(|(layer, path)| layer.ok_or_else(|| format!("`{}` is in none of the layers", path.store_path)))
        .collect::<Result<_, _>>()?;
    Ok((closure, layers))
}

/// `missing` so that each stands after those that it refers to; none where that cannot be.
fn order(closure: &Closure, missing: &[usize]) -> Option<Vec<usize>> {
    let wanted: BTreeSet<usize> = missing.iter().copied().collect();
    let needs = |index: usize| {
        let references = closure.paths[index].references.iter().map(|reference| *reference as usize);
        references.filter(move |reference| *reference != index)
    };
    let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
    let mut referrers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in missing {
        for reference in needs(*index).filter(|reference| wanted.contains(reference)) {
            *waits.entry(*index).or_default() += 1;
            referrers.entry(reference).or_default().push(*index);
        }
    }
    let mut ready: Vec<usize> = missing.iter().copied().filter(|index| !waits.contains_key(index)).collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(index) = ready.pop() {
        order.push(index);
        for referrer in referrers.remove(&index).unwrap_or_default() {
            let left = waits.entry(referrer).or_default();
            *left -= 1;
            if *left == 0 {
                ready.push(referrer);
            }
        }
    }
    (order.len() == missing.len()).then_some(order)
}

/// Reads layers, several at once.
struct Fetch<'a> {
    source: &'a dyn Source,
    seed: &'a BuildSeed,
    events: &'a Events,
    directory: PathBuf,
}

impl Fetch<'_> {
    fn layers(&self, layers: &BTreeMap<usize, Vec<&StorePath>>) -> Result<(), RestoreError> {
        let jobs: Vec<_> = layers.iter().collect();
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let lane = || {
            while let Some((layer, paths)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.layer(**layer, paths) {
                    // The others end with the layer that they are at.
                    next.store(jobs.len(), Ordering::Relaxed);
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..MAX_LANES.min(jobs.len()) {
                scope.spawn(lane);
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn layer(&self, layer: usize, paths: &[&StorePath]) -> Result<(), RestoreError> {
        let size = self.seed.layer_size(layer);
        let task = self.events.task(TaskKind::Fetch, format!("layer {}", layer + 1), Some(size));
        let restored = self.seed.restore(self.source, layer, paths, &self.directory);
        self.events.advance(task, size);
        self.events.finish(task);
        restored
    }
}
