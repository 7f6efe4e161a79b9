//! OCI image layouts (image-spec, `image-layout.md`), in a directory or in an archive.

use std::io::{self, Write};

use seed_model::{Descriptor, Digest};

use crate::document::media_type::is_document;
use crate::document::{DocumentError, LENIENT, ManifestOrIndex, read_listing};
use crate::location::access::{Checked, Document, Location};
use crate::location::archive::Archive;
use crate::location::docker::{self, DockerArchive, LISTING};
use crate::location::error::LocationError;
use crate::location::layout_files::{Directory, Files, REF_NAME, blob_path, content, document, unusable};
use crate::location::reference::{Form, PathReference};
use crate::location::same_images;

/// What Docker reads in an archive without `manifest.json`.
const OLD_LISTING: &str = "repositories";

/// A layout, and the image of it that was asked for.
#[derive(Debug)]
pub(super) struct LayoutLocation {
    files: Box<dyn Files>,
    /// What `index.json` lists.
    index: Vec<Descriptor>,
    /// What the reference's name may mean, by names.
    named: Vec<(String, Descriptor)>,
    name: Option<String>,
    digest: Option<Digest>,
}

impl LayoutLocation {
    /// Opens a layout directory, a tar of one, or a tar that only Docker reads.
    pub(super) fn open(reference: &PathReference) -> Result<Self, LocationError> {
        let PathReference { form, path, name, digest } = reference;
        let wrong = |reason: &str| {
            Err(LocationError::Reference { text: reference.to_string(), reason: reason.to_owned() })
        };
        let is_directory = path.is_dir();
        let files: Box<dyn Files> = match (form, is_directory) {
            (Form::Layout, false) => return wrong("it is not a directory; write `oci-archive:` for a tar"),
            (Form::OciArchive | Form::DockerArchive, true) => {
                return wrong("it is a directory; write `oci:` for a layout");
            }
            (_, true) => Box::new(Directory(path.clone())),
            (_, false) => Box::new(Archive::open(path)?),
        };
        let docker = docker::images(files.as_ref())?;
        let has_index = content(files.as_ref(), "index.json")?.is_some();
        match (form, has_index, &docker) {
            (Form::OciArchive, false, Some(_)) => {
                return wrong("it has no index.json; write `docker-archive:` for what `docker save` wrote");
            }
            (Form::DockerArchive, _, None) => {
                return wrong("it has no manifest.json; write `oci-archive:` for a layout");
            }
            _ => {}
        }
        let location = |files: Box<dyn Files>| -> Result<Self, LocationError> {
            let index = index(files.as_ref())?;
            let named =
                index.iter().filter_map(|one| Some((name_of(one)?.to_owned(), one.clone()))).collect();
            Ok(Self { files, index, named, name: name.clone(), digest: *digest })
        };
        match docker {
            Some(images) if !has_index && !is_directory => {
                location(Box::new(DockerArchive::new(files, &images)?))
            }
            Some(images) => {
                let mut location = location(files)?;
                let roots = location.images()?;
                let names = same_images::check(location.files.as_ref(), &location, &roots, &images)?;
                match form {
                    Form::DockerArchive => location.named = names,
                    Form::Any => location.named.extend(names),
                    Form::Layout | Form::OciArchive => {}
                }
                Ok(location)
            }
            None if !is_directory && content(files.as_ref(), OLD_LISTING)?.is_some() => {
                let reason = format!("it has `{OLD_LISTING}`, but no {LISTING}");
                Err(LocationError::TwoImages { place: files.place(), reason })
            }
            None => location(files),
        }
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

    /// The images of `index.json`. An artifact's descriptor need not say that it is one; its manifest does.
    fn images(&self) -> Result<Vec<Descriptor>, LocationError> {
        let mut images = Vec::new();
        for descriptor in self.index.iter().filter(|descriptor| !is_about_another(descriptor)) {
            let Some(parsed) = self.parse(descriptor)? else { continue };
            let parsed = parsed.map_err(|e| unusable(self.files.as_ref(), "an image", e.to_string()))?;
            if parsed.subject().is_none() {
                images.push(descriptor.clone());
            }
        }
        Ok(images)
    }

    /// The images in the indexes among `images` that have this digest.
    fn children(&self, images: &[Descriptor], digest: Digest) -> Result<Vec<Descriptor>, LocationError> {
        let mut children = Vec::new();
        for image in images {
            if let Some(Ok(ManifestOrIndex::Index(index))) = self.parse(image)? {
                children.extend(index.manifests.into_iter().filter(|child| child.digest == digest));
            }
        }
        Ok(children)
    }

    /// The images that the reference may mean.
    fn candidates(&self) -> Result<Vec<Descriptor>, LocationError> {
        let all = match &self.name {
            Some(name) => named(self.named.iter().map(|(name, one)| (name.as_str(), one)), name),
            None => distinct(self.images()?),
        };
        let Some(expected) = self.digest else { return Ok(all) };
        let mut found: Vec<_> = all.iter().filter(|image| image.digest == expected).cloned().collect();
        if found.is_empty() && self.name.is_none() {
            found = distinct(self.children(&all, expected)?);
        }
        if found.is_empty() && !all.is_empty() {
            let found = all.iter().map(|image| image.digest).collect();
            return Err(LocationError::OtherDigest { place: self.place(), expected, found });
        }
        Ok(found)
    }

    fn known(&self) -> Vec<String> {
        let images = self.named.iter().filter(|(_, descriptor)| !is_about_another(descriptor));
        let mut names: Vec<_> = images.map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn document(&self, descriptor: Descriptor) -> Result<Document, LocationError> {
        let bytes = self.manifest(&descriptor)?;
        Ok(Document { descriptor, bytes })
    }
}

/// Reads `index.json`.
fn index(files: &dyn Files) -> Result<Vec<Descriptor>, LocationError> {
    let wrong = |reason: String| unusable(files, "index.json", reason);
    let missing = || wrong("the file does not exist, so this is not an OCI layout".to_owned());
    let bytes = document(files, "index.json")?.ok_or_else(missing)?;
    read_listing(&bytes).map_err(wrong)
}

/// The name of an image in `index.json`.
fn name_of(descriptor: &Descriptor) -> Option<&str> {
    descriptor.annotations.get(REF_NAME).map(String::as_str)
}

/// The images with exactly this name.
fn named<'a>(all: impl Iterator<Item = (&'a str, &'a Descriptor)>, name: &str) -> Vec<Descriptor> {
    distinct(all.filter(|(own, _)| *own == name).map(|(_, descriptor)| descriptor.clone()).collect())
}

/// The same without repetitions: one image may have several names.
fn distinct(mut images: Vec<Descriptor>) -> Vec<Descriptor> {
    let key = |image: &Descriptor| (image.digest, image.size, image.media_type.clone());
    images.sort_by_key(key);
    images.dedup_by_key(|image| key(image));
    images
}

/// Whether this is about another manifest: an artifact, or what cosign and referrers without an API put under the
/// digest of their subject.
fn is_about_another(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.is_some() || name_of(descriptor).is_some_and(|name| name.starts_with("sha256-"))
}

fn same_name(place: String, name: &str, found: &[Descriptor]) -> LocationError {
    let found = found.iter().map(|image| image.digest).collect();
    LocationError::SameName { place, name: name.to_owned(), found }
}

impl Location for LayoutLocation {
    fn place(&self) -> String {
        self.files.place()
    }

    fn resolve(&self) -> Result<Document, LocationError> {
        let candidates = self.candidates()?;
        match (candidates.as_slice(), &self.name) {
            ([only], _) => self.document(only.clone()),
            ([], name) => Err(LocationError::NotFound {
                place: self.place(),
                name: name.clone().unwrap_or_else(|| "latest".to_owned()),
                known: self.known(),
            }),
            (several, Some(name)) => Err(same_name(self.place(), name, several)),
            (_, None) => Err(LocationError::Ambiguous { place: self.place(), known: self.known() }),
        }
    }

    fn tagged(&self, tag: &str) -> Result<Option<Document>, LocationError> {
        let index = self.index.iter().filter_map(|one| Some((name_of(one)?, one)));
        match named(index, tag).as_slice() {
            [] => Ok(None),
            [only] => self.document(only.clone()).map(Some),
            several => Err(same_name(self.place(), tag, several)),
        }
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError> {
        self.read(descriptor)
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
        let place = self.place();
        let found = content(self.files.as_ref(), &blob_path(blob.digest))?;
        let (_, mut reader) = found.ok_or_else(|| LocationError::NotFound {
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
        for descriptor in &self.index {
            // What has no proper form is about nothing: whoever attached it cannot hide what else is attached.
            let Some(Ok(parsed)) = self.parse(descriptor)? else { continue };
            if parsed.subject().is_some_and(|own| own.digest == subject) {
                found.push(descriptor.clone());
            } else if name_of(descriptor) == Some(&subject.tag())
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
