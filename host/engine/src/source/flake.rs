//! `[source] flake`: evaluated and built by Nix.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use seed_model::{Installable, OutputRequest, Part};
use seed_nix::{FlakeInfo, Nix, NixError, NixOptions};

use crate::events::Events;
use crate::pipeline::{Flake, Pipeline};
use crate::source::progress::NixProgress;
use crate::source::{Built, Place};

/// What Nix refused, at the place of the pipeline file that asked for it, if one did.
#[derive(Debug)]
pub struct FlakeError {
    error: NixError,
    place: Option<(NamedSource<Arc<str>>, LabeledSpan)>,
}

impl FlakeError {
    fn at(error: NixError, file: &NamedSource<Arc<str>>, span: Range<usize>) -> Self {
        // What is not written in the file has no place to show.
        let place = (!span.is_empty()).then(|| (file.clone(), LabeledSpan::underline(span)));
        Self { error, place }
    }
}

impl From<NixError> for FlakeError {
    fn from(error: NixError) -> Self {
        Self { error, place: None }
    }
}

impl fmt::Display for FlakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for FlakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Diagnostic for FlakeError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.error.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(file, _)| file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.place.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

/// A flake whose sources are in the store.
#[derive(Debug)]
pub(crate) struct OpenFlake {
    nix: Nix,
    info: FlakeInfo,
    flake: Flake,
    file: NamedSource<Arc<str>>,
    events: Arc<Events>,
}

impl OpenFlake {
    pub(super) fn open(pipeline: &Pipeline, flake: &Flake, events: &Arc<Events>) -> Result<Self, FlakeError> {
        let file = pipeline.file.named();
        let span = flake.reference.span();
        let failed = |error| FlakeError::at(error, &file, span.clone());
        let options = NixOptions {
            substitute: Some(flake.substitute),
            evaluation_time: flake.evaluation_time,
            ..NixOptions::default()
        };
        let nix = Nix::find(options).map_err(failed)?;
        let progress = NixProgress::new(events);
        let info =
            nix.flake(flake.reference.get_ref(), pipeline.file.directory(), &progress).map_err(failed)?;
        Ok(Self { nix, info, flake: flake.clone(), file, events: Arc::clone(events) })
    }

    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let commit = self.info.revision.clone().map(|commit| ("commit".to_owned(), commit));
        let modified = self.info.last_modified.map(|time| ("last-modified".to_owned(), time.to_string()));
        commit.into_iter().chain(modified).collect()
    }

    /// `[layers]`, or one layer for each output of the derivation `attr`.
    pub(super) fn available(&self, system: &str) -> Result<Vec<OutputRequest>, FlakeError> {
        let Some(attr) = &self.flake.attr else { return Ok(self.flake.layers.clone()) };
        let attribute = attr.get_ref();
        let outputs = self
            .nix
            .outputs(&self.info, system, attribute, &NixProgress::new(&self.events))
            .map_err(|error| self.error(error, attr.span()))?;
        let layer = |output: String| OutputRequest {
            layer: output.clone(),
            installables: vec![Installable { attribute: attribute.clone(), part: Part::Output(output) }],
        };
        Ok(outputs.into_iter().map(layer).collect())
    }

    pub(super) fn build(&self, system: &str, requests: &[OutputRequest]) -> Result<Built, FlakeError> {
        let failed = |error: NixError| {
            let of_layer = error.attribute().and_then(|attribute| self.flake.places.get(attribute)).cloned();
            let of_source = || self.flake.attr.as_ref().unwrap_or(&self.flake.reference).span();
            self.error(error, of_layer.unwrap_or_else(of_source))
        };
        let progress = NixProgress::new(&self.events);
        let all: Vec<_> = requests.iter().flat_map(|request| request.installables.iter().cloned()).collect();
        let evaluated = self.nix.evaluate(&self.info, system, &all, &progress).map_err(failed)?;
        let realised = self.nix.realise(&evaluated, &progress).map_err(failed)?;
        let mut paths = realised.paths.iter().cloned();
        let layers: Vec<_> = requests
            .iter()
            .map(|request| (request.layer.clone(), paths.by_ref().take(request.installables.len()).collect()))
            .collect();
        let closure = self.nix.closure(&layers, &progress).map_err(failed)?;
        let places = closure.paths.iter().map(|path| Place::in_store(&path.store_path)).collect();
        Ok(Built { closure, places, _roots: Some(realised) })
    }

    fn error(&self, error: NixError, span: Range<usize>) -> FlakeError {
        FlakeError::at(error, &self.file, span)
    }
}
