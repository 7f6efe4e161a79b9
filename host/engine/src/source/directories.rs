//! `[source.directories]`: plain directories, one for each layer, which need no Nix.
//!
//! Each becomes one store-like path named after its layer, `/apps`, so that nothing of this machine's layout gets
//! into the image; its contents land at the image's root.

use std::path::PathBuf;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use seed_model::{Closure, Installable, LayerRoots, OutputRequest, Part, StorePath};
use seed_oci::{NarError, nar_digest};
use seed_report::{Kind, Report};

use crate::events::{Events, TaskKind};
use crate::pipeline::{LayerDirectory, Pipeline};
use crate::source::built::{Built, Place};

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum DirectoryError {
    /// There is none.
    #[error("{} is not a directory", path.display())]
    #[diagnostic(
        code("seed::source::not-a-directory"),
        help("name a directory relative to the pipeline file; `seed` does not follow links")
    )]
    NotADirectory {
        path: PathBuf,
        #[source_code]
        file: NamedSource<Arc<str>>,
        #[label("named here")]
        span: SourceSpan,
    },
    /// It cannot be read.
    #[error("cannot read the directory of the layer `{layer}`")]
    #[diagnostic(code("seed::source::unreadable"))]
    Nar {
        layer: String,
        source: NarError,
        #[source_code]
        file: NamedSource<Arc<str>>,
        #[label("named here")]
        span: SourceSpan,
    },
    /// A selector asked for something else.
    #[error("the selection plugin requested the directory `{name}`, which is not in [source.directories]")]
    #[diagnostic(code("seed::source::unknown-directory"))]
    Unknown {
        /// What it asked for.
        name: String,
    },
}

impl Report for DirectoryError {
    fn kind(&self) -> Kind {
        Kind::Source
    }
}

/// Directories that exist.
#[derive(Debug)]
pub(crate) struct OpenDirectories {
    layers: Vec<(LayerDirectory, PathBuf)>,
    file: NamedSource<Arc<str>>,
    events: Arc<Events>,
}

impl OpenDirectories {
    pub(super) fn open(
        pipeline: &Pipeline,
        layers: &[LayerDirectory],
        events: &Arc<Events>,
    ) -> Result<Self, DirectoryError> {
        let file = pipeline.file.named();
        let mut found = Vec::new();
        for layer in layers {
            let path = pipeline.file.directory().join(layer.path.get_ref());
            if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Err(DirectoryError::NotADirectory { path, file, span: layer.path.span().into() });
            }
            found.push((layer.clone(), path));
        }
        Ok(Self { layers: found, file, events: Arc::clone(events) })
    }

    pub(super) fn available(&self) -> Vec<OutputRequest> {
        let request = |layer: &String| OutputRequest {
            layer: layer.clone(),
            installables: vec![Installable { attribute: layer.clone(), part: Part::DefaultOutput }],
        };
        self.layers.iter().map(|(layer, _)| request(&layer.layer)).collect()
    }

    pub(super) fn build(&self, requests: &[OutputRequest]) -> Result<Built, DirectoryError> {
        let mut wanted: Vec<&str> = requests
            .iter()
            .flat_map(|request| &request.installables)
            .map(|installable| installable.attribute.as_str())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut closure = Closure::default();
        let mut places = Vec::new();
        for name in &wanted {
            let (layer, path) = self
                .layers
                .iter()
                .find(|(layer, _)| layer.layer == *name)
                .ok_or_else(|| DirectoryError::Unknown { name: (*name).to_owned() })?;
            let task = self.events.task(TaskKind::Pack, format!("hashing {}", layer.path.get_ref()), None);
            let result = nar_digest(path);
            self.events.finish(task);
            let (nar_hash, nar_size) = result.map_err(|source| DirectoryError::Nar {
                layer: (*name).to_owned(),
                source,
                file: self.file.clone(),
                span: layer.path.span().into(),
            })?;
            let store_path = format!("/{name}");
            closure.paths.push(StorePath { store_path, nar_hash, nar_size, references: Vec::new() });
            places.push(Place { source: path.clone(), target: String::new() });
        }
        let index =
            |name: &str| u32::try_from(wanted.binary_search(&name).unwrap_or_default()).unwrap_or_default();
        let roots = |request: &OutputRequest| LayerRoots {
            layer: request.layer.clone(),
            roots: request.installables.iter().map(|installable| index(&installable.attribute)).collect(),
        };
        closure.outputs = requests.iter().map(roots).collect();
        Ok(Built { closure, places, _roots: None })
    }
}
