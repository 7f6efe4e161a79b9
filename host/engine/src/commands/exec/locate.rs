//! Finds the locked image: in the cache, in files that the pipeline wrote, in the registries that it published to.

use seed_model::{Descriptor, Digest, Image};
use seed_oci::document::media_type::MANIFEST;
use seed_oci::document::{MAX_DOCUMENT, stored_manifest};
use seed_oci::fetch::{self, FetchError};
use seed_oci::location::{Form, Location, LocationError, PathReference, Reference, RegistryReference};
use seed_oci::{BlobStore, StoreError};

use crate::commands::exec::error::ExecError;
use crate::error_chain::with_causes;
use crate::events::{Events, Level};
use crate::lock::LockedSeeds;
use crate::pipeline::Pipeline;
use crate::session::Session;
use crate::tag_drift::moved;

/// Looks for blobs of one image. A place is opened when the cache lacks something.
pub(super) struct Locator<'a> {
    session: &'a Session,
    store: &'a BlobStore,
    pipeline: &'a Pipeline,
    seeds: &'a LockedSeeds,
    events: &'a Events,
    /// Where the image was found.
    found: Option<Box<dyn Location>>,
}

impl<'a> Locator<'a> {
    pub(super) fn new(
        session: &'a Session,
        store: &'a BlobStore,
        pipeline: &'a Pipeline,
        seeds: &'a LockedSeeds,
        events: &'a Events,
    ) -> Self {
        Self { session, store, pipeline, seeds, events, found: None }
    }

    /// The image's manifest, which is in the cache afterwards.
    pub(super) fn manifest(&mut self, digest: Digest) -> Result<Descriptor, ExecError> {
        if let Some(bytes) = fetch::kept(self.store, digest, MAX_DOCUMENT)? {
            return Ok(Descriptor::new(MANIFEST, digest, bytes.len() as u64));
        }
        let (location, found) = self.find(digest)?;
        let manifest = Descriptor::new(MANIFEST, digest, found.size);
        self.fetch(digest, &manifest, location)?;
        Ok(manifest)
    }

    /// The image's configuration, which is in the cache afterwards.
    pub(super) fn config(&mut self, manifest: &Descriptor) -> Result<Descriptor, ExecError> {
        let digest = manifest.digest;
        let parts =
            stored_manifest(self.store, manifest).map_err(|source| ExecError::Image { digest, source })?;
        if parts.config.size > MAX_DOCUMENT {
            let size = parts.config.size;
            return Err(
                StoreError::TooLarge { digest: parts.config.digest, size, limit: MAX_DOCUMENT }.into()
            );
        }
        self.ensure(digest, &parts.config)?;
        Ok(parts.config)
    }

    /// Makes the cache have all layers.
    pub(super) fn layers(&mut self, image: &Image) -> Result<(), ExecError> {
        image.layers.iter().try_for_each(|layer| self.ensure(image.manifest.digest, &layer.descriptor))
    }

    fn ensure(&mut self, image: Digest, blob: &Descriptor) -> Result<(), ExecError> {
        if fetch::is_kept(self.store, blob)? {
            return Ok(());
        }
        let location = match self.found.take() {
            Some(location) => location,
            None => self.find(image)?.0,
        };
        self.fetch(image, blob, location)
    }

    fn fetch(
        &mut self,
        image: Digest,
        blob: &Descriptor,
        location: Box<dyn Location>,
    ) -> Result<(), ExecError> {
        fetch::fetch(self.store, blob, location.as_ref()).map_err(|error| match error {
            FetchError::Store(error) => error.into(),
            FetchError::Location(error) => {
                ExecError::Unreadable { digest: image, place: location.place(), source: error }
            }
        })?;
        self.found = Some(location);
        Ok(())
    }

    /// A place that has the image, and the image's descriptor there.
    fn find(&self, digest: Digest) -> Result<(Box<dyn Location>, Descriptor), ExecError> {
        let mut tried = Vec::new();
        let Some(published) = &self.seeds.published else { return Err(ExecError::Gone { digest, tried }) };
        for path in &published.paths {
            match self.in_files(path, digest) {
                Ok(found) => return Ok(found),
                Err(reason) => tried.push(format!("  {path}: {reason}")),
            }
        }
        let mut found = None;
        for text in &published.references {
            // What a publisher of another kind calls its places cannot be read.
            let Ok(reference) = text.parse::<RegistryReference>() else { continue };
            if let Some(moved) = moved(self.session, &reference, published.digest) {
                self.events.message(Level::Warning, format!("{moved}; using the locked image"));
                tried.push(format!("  {moved}"));
            }
            if found.is_none() {
                match self.in_registry(reference, digest) {
                    Ok(here) => found = Some(here),
                    Err(error) => tried.push(format!("  {text}: {}", with_causes(&error))),
                }
            }
        }
        tried.dedup();
        found.ok_or(ExecError::Gone { digest, tried })
    }

    /// A layout or an archive that still holds the image.
    fn in_files(&self, path: &str, digest: Digest) -> Result<(Box<dyn Location>, Descriptor), String> {
        let path = self.pipeline.file.directory().join(path);
        if !path.exists() {
            return Err("no such file or directory".to_owned());
        }
        let reference = PathReference { form: Form::Any, path, name: None, digest: Some(digest) };
        let location = self.session.open(&Reference::Path(reference)).map_err(|error| with_causes(&error))?;
        match location.resolve() {
            Ok(found) => Ok((location, found.descriptor)),
            Err(LocationError::OtherDigest { found, .. }) => {
                let found: Vec<_> = found.iter().map(ToString::to_string).collect();
                Err(format!("it now holds {}", found.join(", ")))
            }
            Err(error) => Err(with_causes(&error)),
        }
    }

    /// A registry that has the image, whatever the tag names.
    fn in_registry(
        &self,
        reference: RegistryReference,
        digest: Digest,
    ) -> Result<(Box<dyn Location>, Descriptor), LocationError> {
        let reference = RegistryReference { tag: None, digest: Some(digest), ..reference };
        let location = self.session.open(&Reference::Registry(reference))?;
        let descriptor = location.resolve()?.descriptor;
        Ok((location, descriptor))
    }
}
