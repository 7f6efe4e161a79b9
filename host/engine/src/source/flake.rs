//! `[source] flake`: evaluated and built by Nix.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use seed_model::{Installable, OutputRequest, Part, Platform};
use seed_nix::{FlakeInfo, Nix, NixError, NixOptions};
use seed_report::{Kind, Report};

use crate::events::Events;
use crate::pipeline::{BuildSeed, Flake, Pipeline};
use crate::session::Session;
use crate::source::built::{Built, Place};
use crate::source::progress::NixProgress;

/// The layers that are offered for build seeds: Nix itself, and what building takes.
const NIX: &str = "nix";
const INPUTS: &str = "inputs";

/// What Nix refused, at the place of the pipeline file that asked for it, if one did.
#[derive(Debug)]
pub(crate) struct FlakeError {
    error: NixError,
    place: Option<(NamedSource<Arc<str>>, LabeledSpan)>,
    /// More than the error itself knows to say.
    help: Option<String>,
}

impl Report for FlakeError {
    fn kind(&self) -> Kind {
        Kind::Source
    }
}

impl FlakeError {
    fn at(error: NixError, file: &NamedSource<Arc<str>>, span: Range<usize>) -> Self {
        // What is not written in the file has no place to show.
        let place = (!span.is_empty()).then(|| (file.clone(), LabeledSpan::underline(span)));
        Self { error, place, help: None }
    }
}

impl From<NixError> for FlakeError {
    fn from(error: NixError) -> Self {
        Self { error, place: None, help: None }
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
        let help = self.help.clone().or_else(|| self.error.help())?;
        Some(Box::new(help))
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
    build_seed: Option<BuildSeed>,
    file: NamedSource<Arc<str>>,
    events: Arc<Events>,
}

impl OpenFlake {
    pub(super) fn open(
        session: &Session,
        pipeline: &Pipeline,
        flake: &Flake,
        events: &Arc<Events>,
    ) -> Result<Self, FlakeError> {
        let file = pipeline.file.named();
        let span = flake.reference.span();
        let failed = |error| FlakeError::at(error, &file, span.clone());
        let options = NixOptions {
            substitute: Some(flake.substitute),
            evaluation_time: flake.evaluation_time,
            ..session.nix()
        };
        let nix = Nix::find(options).map_err(failed)?;
        let progress = NixProgress::new(events);
        let info =
            nix.flake(flake.reference.get_ref(), pipeline.file.directory(), &progress).map_err(failed)?;
        let (flake, build_seed) = (flake.clone(), pipeline.seed.build.clone());
        Ok(Self { nix, info, flake, build_seed, file, events: Arc::clone(events) })
    }

    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let commit = self.info.revision.clone().map(|commit| ("commit".to_owned(), commit));
        let modified = self.info.last_modified.map(|time| ("last-modified".to_owned(), time.to_string()));
        commit.into_iter().chain(modified).collect()
    }

    /// The layers of the flake; for a build seed, Nix itself and all that building takes too.
    pub(super) fn available(&self, system: &str) -> Result<Vec<OutputRequest>, FlakeError> {
        let mut layers = self.layers(system)?;
        // Images for Darwin carry outputs only.
        let can_run = Platform::of_system(system).is_ok_and(|platform| platform.os != "darwin");
        if let Some(build_seed) = self.build_seed.as_ref().filter(|_| can_run) {
            let own: Vec<_> = layers.iter().map(|layer| layer.layer.clone()).collect();
            let more = self.build_layers(system, build_seed, own.iter().any(|name| name == NIX))?;
            // A flake may have these layers of its own.
            layers.extend(more.into_iter().filter(|layer| !own.contains(&layer.layer)));
        }
        Ok(layers)
    }

    fn build_layers(
        &self,
        system: &str,
        build_seed: &BuildSeed,
        has_nix: bool,
    ) -> Result<[OutputRequest; 2], FlakeError> {
        let BuildSeed { nix, builds, places } = build_seed;
        let missing = |error: NixError| {
            let is_missing = matches!(&error, NixError::NoAttribute { near, .. } if near.is_empty());
            let span = places.get(&nix.attribute).cloned().unwrap_or_default();
            let help = "a build seed contains Nix itself: add it to the flake, such as \
                        `packages.<system>.nix = nixpkgs.legacyPackages.<system>.nix`, or name its \
                        attribute with `[seed] nix = \"…\"`";
            FlakeError { help: is_missing.then(|| help.to_owned()), ..self.error(error, span) }
        };
        if !has_nix {
            // That Nix is missing is told before anything is built.
            let progress = NixProgress::new(&self.events);
            self.nix.outputs(&self.info, system, &nix.attribute, &progress).map_err(missing)?;
        }
        let sources = Installable { attribute: String::new(), part: Part::FlakeInputs };
        let inputs = std::iter::once(sources).chain(builds.iter().cloned()).collect();
        Ok([
            OutputRequest { layer: NIX.to_owned(), installables: vec![nix.clone()] },
            OutputRequest { layer: INPUTS.to_owned(), installables: inputs },
        ])
    }

    /// `[layers]`, or one layer for each output of the derivation `attr`.
    fn layers(&self, system: &str) -> Result<Vec<OutputRequest>, FlakeError> {
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
            let places = [Some(&self.flake.places), self.build_seed.as_ref().map(|seed| &seed.places)];
            let attribute = error.attribute();
            let named = attribute.and_then(|name| places.into_iter().flatten().find_map(|all| all.get(name)));
            let of_source = || self.flake.attr.as_ref().unwrap_or(&self.flake.reference).span();
            let span = named.cloned().unwrap_or_else(of_source);
            self.error(error, span)
        };
        let progress = NixProgress::new(&self.events);
        let all: Vec<_> = requests.iter().flat_map(|request| request.installables.iter().cloned()).collect();
        let evaluated = self.nix.evaluate(&self.info, system, &all, &progress).map_err(failed)?;
        let realised = self.nix.realise(&evaluated, &progress).map_err(failed)?;
        let mut paths = realised.paths.iter();
        let layers: Vec<_> = requests
            .iter()
            .map(|request| {
                let roots = paths.by_ref().take(request.installables.len()).flatten().cloned().collect();
                (request.layer.clone(), roots)
            })
            .collect();
        let closure = self.nix.closure(&layers, &progress).map_err(failed)?;
        let places = closure.paths.iter().map(|path| Place::in_store(&path.store_path)).collect();
        Ok(Built { closure, places, _roots: Some(realised) })
    }

    fn error(&self, error: NixError, span: Range<usize>) -> FlakeError {
        FlakeError::at(error, &self.file, span)
    }
}
