//! The images that an index will name: found where they are to be tagged, compared with their records, and read.

use seed_model::{Descriptor, Image};
use seed_oci::document::{read_image, stored_manifest};
use seed_oci::fetch::{self, FetchError};
use seed_oci::location::{Location, LocationError, Reference, RegistryReference};
use seed_oci::{BlobStore, can_read};
use seed_report::Error;
use toml::Spanned;

use crate::commands::index::error::IndexError;
use crate::commands::index::records::RecordFile;
use crate::prepare::Plugins;
use crate::record::Record;
use crate::session::Session;
use crate::stages::{self, Context, PackedImage, descriptors};

/// What this machine's cache is called in messages.
const CACHE: &str = "this machine's cache";

/// Finds every image. Layers are fetched only where a publisher writes files: a registry has them already.
pub(super) fn fetch(
    context: &Context<'_>,
    plugins: &Plugins,
    records: &[RecordFile],
) -> Result<Vec<PackedImage>, Error> {
    let (mut repositories, mut writes_files) = (Vec::new(), false);
    for plugin in &plugins.publish {
        let targets = stages::targets(context, plugin)?;
        writes_files |= targets.is_empty();
        repositories.extend(targets);
    }
    let mut images = Vec::new();
    for found in records {
        let granted = &plugins.pack.used.grants.unverified_layers;
        let child = Child { session: context.session, found, store: context.blobs.store(), granted };
        let locations = child.locations(&repositories)?;
        let image = child.read(locations.first().map(AsRef::as_ref))?;
        if writes_files {
            child.fetch_layers(&image, locations.first().map(AsRef::as_ref))?;
        }
        for descriptor in descriptors(&image).filter(|blob| child.store.contains(blob.digest)) {
            context.blobs.admit(descriptor.digest);
        }
        images.push(PackedImage { target: child.record().target(), image, origins: Vec::new() });
    }
    Ok(images)
}

/// One image of the index.
#[derive(Clone, Copy)]
struct Child<'a> {
    session: &'a Session,
    found: &'a RecordFile,
    store: &'a BlobStore,
    /// Media types of layers that need not be readable.
    granted: &'a [Spanned<String>],
}

impl Child<'_> {
    fn record(&self) -> &Record {
        &self.found.1
    }

    /// The repositories, each of which must have the image, by its digest and as large as its record says.
    fn locations(&self, repositories: &[String]) -> Result<Vec<Box<dyn Location>>, IndexError> {
        let digest = self.record().manifest.digest;
        let mut locations = Vec::new();
        for repository in repositories {
            let mut reference: RegistryReference = repository.parse()?;
            reference.digest = Some(digest);
            let unreadable = |source| IndexError::Unreadable { place: repository.clone(), digest, source };
            let location = self.session.open(&Reference::Registry(reference)).map_err(unreadable)?;
            match location.resolve() {
                Ok(document) if document.descriptor.size == self.record().manifest.size => {}
                Ok(document) => {
                    return Err(self.changed(
                        repository,
                        format!(
                            "it has {} bytes, expected {}",
                            document.descriptor.size,
                            self.record().manifest.size
                        ),
                    ));
                }
                Err(LocationError::NotFound { .. }) => return Err(self.missing(repository)),
                Err(error) => return Err(unreadable(error)),
            }
            locations.push(location);
        }
        Ok(locations)
    }

    /// The image's documents, checked against each other and against the record.
    fn read(&self, location: Option<&dyn Location>) -> Result<Image, IndexError> {
        let Record { manifest, platform, system, .. } = self.record();
        let wrong = |source| IndexError::Image { digest: manifest.digest, system: system.clone(), source };
        self.ensure(manifest, location)?;
        let parts = stored_manifest(self.store, manifest).map_err(wrong)?;
        self.ensure(&parts.config, location)?;
        let image = read_image(self.store, manifest, platform).map_err(wrong)?;
        let is = image.layers.iter().map(|layer| (layer.descriptor.digest, layer.diff_id));
        let was = self.record().layers.iter().map(|layer| (layer.digest, layer.diff_id));
        if !is.eq(was) {
            let place = location.map_or_else(|| CACHE.to_owned(), Location::place);
            return Err(self.changed(&place, "its layers differ".to_owned()));
        }
        let is_granted = |media_type: &String| self.granted.iter().any(|name| name.get_ref() == media_type);
        let mut media_types = image.layers.iter().map(|layer| &layer.descriptor.media_type);
        match media_types.find(|media_type| !can_read(media_type) && !is_granted(media_type)) {
            None => Ok(image),
            Some(media_type) => {
                let place = location.map_or_else(|| CACHE.to_owned(), Location::place);
                let media_type = media_type.escape_debug();
                let reason = format!("it has a layer of `{media_type}`, which [pack] does not grant");
                Err(self.changed(&place, reason))
            }
        }
    }

    fn fetch_layers(&self, image: &Image, location: Option<&dyn Location>) -> Result<(), IndexError> {
        image.layers.iter().try_for_each(|layer| self.ensure(&layer.descriptor, location))
    }

    /// Makes the store have a blob.
    fn ensure(&self, blob: &Descriptor, location: Option<&dyn Location>) -> Result<(), IndexError> {
        if fetch::is_kept(self.store, blob)? {
            return Ok(());
        }
        let Some(location) = location else { return Err(self.missing(CACHE)) };
        let digest = self.record().manifest.digest;
        fetch::fetch(self.store, blob, location).map_err(|error| match error {
            FetchError::Store(error) => error.into(),
            FetchError::Location(source) => {
                IndexError::Unreadable { place: location.place(), digest, source }
            }
        })
    }

    fn missing(&self, place: &str) -> IndexError {
        let Record { system, manifest, .. } = self.record();
        let help = if place == CACHE {
            "this pipeline publishes only to files, which other machines cannot read: add a [[publish]] to \
             a registry, or build all systems in one run"
                .to_owned()
        } else {
            format!(
                "run `seed run --system {system} --record {}` again, then pass the new record",
                self.found.0.display()
            )
        };
        IndexError::Missing {
            place: place.to_owned(),
            digest: manifest.digest,
            system: system.clone(),
            path: self.found.0.clone(),
            help,
        }
    }

    fn changed(&self, place: &str, reason: String) -> IndexError {
        IndexError::Changed {
            place: place.to_owned(),
            digest: self.record().manifest.digest,
            path: self.found.0.clone(),
            reason,
        }
    }
}
