//! OCI image layouts (image-spec, `image-layout.md`), in a directory or in an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use seed_model::{Descriptor, Digest};

use crate::document::media_type::is_document;
use crate::document::{LENIENT, ManifestOrIndex, read_listing};
use crate::location::access::{Checked, Document, Location};
use crate::location::archive::Archive;
use crate::location::docker::{self, DockerArchive, LISTING};
use crate::location::error::LocationError;
use crate::location::layout_files::{Directory, Files, REF_NAME, blob_path, content, document, unusable};
use crate::location::reference::{Form, PathReference};
use crate::location::same_images;

/// What Docker reads in an archive without `manifest.json`.
const OLD_LISTING: &str = "repositories";

/// The most descriptors that are about one image.
const MAX_DESCRIPTORS: usize = 10_000;

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
    /// What the documents of `index.json` are about, as far as they were read: one may stand there thousands of times.
    subjects: Mutex<BTreeMap<(Digest, u64, String), Subject>>,
}

/// The manifest or index that a document is about, if it is an artifact; or why the document cannot be read.
type Subject = Result<Option<Digest>, String>;

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
            let (name, digest, subjects) = (name.clone(), *digest, Mutex::default());
            Ok(Self { files, index, named, name, digest, subjects })
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

    /// What a manifest or index of the layout is about. `None` for what is neither: a layout may list that, too.
    fn subject(&self, descriptor: &Descriptor) -> Result<Option<Subject>, LocationError> {
        if !is_document(&descriptor.media_type) {
            return Ok(None);
        }
        // Whoever lists a document of somebody else under a wrong type or size decides nothing about the right one.
        let key = (descriptor.digest, descriptor.size, descriptor.media_type.clone());
        if let Some(known) = self.subjects.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(known.clone()));
        }
        let parsed = LENIENT.document(descriptor, &self.manifest(descriptor)?);
        let subject = parsed.map(|parsed| parsed.subject().map(|subject| subject.digest));
        let subject = subject.map_err(|error| error.to_string());
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner).insert(key, subject.clone());
        Ok(Some(subject))
    }

    /// What an index of the layout lists; nothing for a manifest, and for what cannot be read.
    fn entries(&self, descriptor: &Descriptor) -> Result<Vec<Descriptor>, LocationError> {
        if !is_document(&descriptor.media_type) {
            return Ok(Vec::new());
        }
        match LENIENT.document(descriptor, &self.manifest(descriptor)?) {
            Ok(ManifestOrIndex::Index(index)) => Ok(index.manifests),
            _ => Ok(Vec::new()),
        }
    }

    /// The images of `index.json`. An artifact's descriptor need not say that it is one; its manifest does.
    fn images(&self) -> Result<Vec<Descriptor>, LocationError> {
        let mut images = Vec::new();
        for descriptor in self.index.iter().filter(|descriptor| !is_about_another(descriptor)) {
            let Some(subject) = self.subject(descriptor)? else { continue };
            let subject = subject.map_err(|reason| unusable(self.files.as_ref(), "an image", reason))?;
            if subject.is_none() {
                images.push(descriptor.clone());
            }
        }
        Ok(images)
    }

    /// The images in the indexes among `images` that have this digest.
    fn children(&self, images: &[Descriptor], digest: Digest) -> Result<Vec<Descriptor>, LocationError> {
        let mut children = Vec::new();
        for image in images {
            children.extend(self.entries(image)?.into_iter().filter(|child| child.digest == digest));
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
        let mut found: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        let mut indexes = BTreeSet::new();
        let tag = subject.tag();
        for descriptor in &self.index {
            // What has no proper form is about nothing: whoever attached it cannot hide what else is attached.
            let Some(Ok(about)) = self.subject(descriptor)? else { continue };
            if about == Some(subject) {
                found.entry(descriptor.digest).or_insert_with(|| descriptor.clone());
            } else if name_of(descriptor) == Some(&tag) && indexes.insert(descriptor.digest) {
                for descriptor in self.entries(descriptor)? {
                    found.entry(descriptor.digest).or_insert(descriptor);
                }
            }
            if found.len() > MAX_DESCRIPTORS {
                let what = format!("the list of referrers of {subject}");
                let reason = format!("it has more than {MAX_DESCRIPTORS} entries");
                return Err(unusable(self.files.as_ref(), &what, reason));
            }
        }
        Ok(found.into_values().collect())
    }
}
