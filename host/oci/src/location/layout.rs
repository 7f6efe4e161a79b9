//! OCI image layouts (image-spec, `image-layout.md`), in a directory or in an archive.

use std::io::{self, Read, Write};
use std::path::Path;

use seed_model::{Descriptor, Digest};

use crate::document::media_type::is_document;
use crate::document::{DocumentError, LENIENT, MAX_DOCUMENT, ManifestOrIndex, read_listing};
use crate::location::access::{Checked, Document, Location};
use crate::location::archive::Archive;
use crate::location::docker::DockerArchive;
use crate::location::error::LocationError;
use crate::location::layout_files::{Directory, Files, REF_NAME};

/// A layout, and the image of it that was asked for.
#[derive(Debug)]
pub(super) struct LayoutLocation {
    files: Box<dyn Files>,
    tag: Option<String>,
}

impl LayoutLocation {
    fn new(files: impl Files + 'static, tag: Option<String>) -> Self {
        Self { files: Box::new(files), tag }
    }

    /// A tar of a layout, or one that only Docker reads.
    pub(super) fn archive(path: &Path, tag: Option<String>) -> Result<Self, LocationError> {
        let archive = Archive::open(path)?;
        if archive.size("index.json").is_none() && archive.size("manifest.json").is_some() {
            return Ok(Self::new(DockerArchive::new(archive)?, tag));
        }
        Ok(Self::new(archive, tag))
    }

    /// A layout directory.
    pub(super) fn directory(path: &Path, tag: Option<String>) -> Self {
        Self::new(Directory(path.to_owned()), tag)
    }

    /// What `index.json` lists.
    fn index(&self) -> Result<Vec<Descriptor>, LocationError> {
        let mut bytes = Vec::new();
        let reader = self.open("index.json")?.ok_or_else(|| {
            self.unusable("index.json", "the file does not exist, so this is not an OCI layout".to_owned())
        })?;
        reader
            .take(MAX_DOCUMENT + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.file_error("index.json", e))?;
        read_listing(&bytes).map_err(|reason| self.unusable("index.json", reason))
    }

    /// What a manifest or index of the layout says. `None` for what is neither: a layout may list that, too.
    fn parse(
        &self,
        descriptor: &Descriptor,
    ) -> Result<Option<Result<ManifestOrIndex, DocumentError>>, LocationError> {
        if !is_document(&descriptor.media_type) {
            return Ok(None);
        }
        Ok(Some(LENIENT.document(descriptor, &self.manifest(descriptor)?)))
    }

    fn unusable(&self, what: &str, reason: String) -> LocationError {
        LocationError::Document { what: what.to_owned(), place: self.place(), reason }
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Read>>, LocationError> {
        self.files.open(name).map_err(|e| self.file_error(name, e))
    }

    fn file_error(&self, name: &str, source: io::Error) -> LocationError {
        LocationError::File { path: Path::new(&self.place()).join(name), source }
    }

    fn document(&self, descriptor: Descriptor) -> Result<Document, LocationError> {
        let bytes = self.manifest(&descriptor)?;
        Ok(Document { descriptor, bytes })
    }
}

/// The name of an image in `index.json`.
fn name(descriptor: &Descriptor) -> Option<&str> {
    descriptor.annotations.get(REF_NAME).map(String::as_str)
}

/// Whether `tag` means the image: by its name, or by the tag at the end of it.
fn is_named(descriptor: &Descriptor, tag: &str) -> bool {
    name(descriptor)
        .is_some_and(|name| name == tag || name.strip_suffix(tag).is_some_and(|n| n.ends_with(':')))
}

/// Whether this is about another manifest: an artifact, or what cosign and referrers without an API put under the
/// digest of their subject.
fn is_about_another(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.is_some() || name(descriptor).is_some_and(|name| name.starts_with("sha256-"))
}

impl Location for LayoutLocation {
    fn place(&self) -> String {
        self.files.place()
    }

    fn resolve(&self) -> Result<Document, LocationError> {
        let all = self.index()?;
        let images = all.iter().filter(|descriptor| !is_about_another(descriptor));
        let names = || {
            let mut names: Vec<_> = images.clone().filter_map(|d| name(d).map(str::to_owned)).collect();
            names.sort();
            names.dedup();
            names
        };
        if let Some(tag) = &self.tag {
            let found = all.iter().find(|descriptor| is_named(descriptor, tag));
            let found = found.ok_or_else(|| LocationError::NotFound {
                place: self.place(),
                name: tag.clone(),
                known: names(),
            })?;
            return self.document(found.clone());
        }
        // One image may stand here under several names. An artifact's descriptor need not say that it is one; its
        // manifest does.
        let mut distinct: Vec<&Descriptor> = Vec::new();
        for descriptor in images.clone() {
            let Some(parsed) = self.parse(descriptor)? else { continue };
            let parsed = parsed.map_err(|e| self.unusable("an image", e.to_string()))?;
            if parsed.subject().is_none() && distinct.iter().all(|known| known.digest != descriptor.digest) {
                distinct.push(descriptor);
            }
        }
        match distinct.as_slice() {
            [only] => self.document((*only).clone()),
            [] => Err(LocationError::NotFound {
                place: self.place(),
                name: "latest".to_owned(),
                known: Vec::new(),
            }),
            _ => Err(LocationError::Ambiguous { place: self.place(), known: names() }),
        }
    }

    fn tagged(&self, tag: &str) -> Result<Option<Document>, LocationError> {
        let found = self.index()?.into_iter().find(|descriptor| is_named(descriptor, tag));
        found.map(|descriptor| self.document(descriptor)).transpose()
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError> {
        self.read(descriptor)
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
        let place = self.place();
        let file = format!("blobs/sha256/{}", blob.digest.hex());
        let mut reader = self.open(&file)?.ok_or_else(|| LocationError::NotFound {
            place: place.clone(),
            name: blob.digest.to_string(),
            known: Vec::new(),
        })?;
        let mut checked = Checked::new(blob, out);
        io::copy(&mut reader, &mut checked).map_err(|source| LocationError::Copy {
            place: place.clone(),
            digest: blob.digest,
            source,
        })?;
        checked.finish(&place)
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, LocationError> {
        let mut found = Vec::new();
        for descriptor in self.index()? {
            // What has no proper form is about nothing: whoever attached it cannot hide what else is attached.
            let Some(Ok(parsed)) = self.parse(&descriptor)? else { continue };
            if parsed.subject().is_some_and(|own| own.digest == subject) {
                found.push(descriptor);
            } else if name(&descriptor) == Some(&format!("sha256-{}", subject.hex()))
                && let ManifestOrIndex::Index(index) = parsed
            {
                found.extend(index.manifests);
            }
        }
        found.sort_by_key(|descriptor| descriptor.digest);
        found.dedup_by_key(|descriptor| descriptor.digest);
        Ok(found)
    }
}
