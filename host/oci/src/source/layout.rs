//! OCI image layouts (image-spec, `image-layout.md`), in a directory or in an archive.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use seed_model::{Descriptor, Digest};
use serde::Deserialize;

use super::archive::Archive;
use super::docker::DockerArchive;
use super::{Checked, Document, MAX_DESCRIPTORS, MAX_DOCUMENT, Source, SourceError};

/// The annotation in `index.json` that names an image.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The files of a layout.
pub(super) trait Files: Send + Sync + fmt::Debug {
    fn place(&self) -> String;

    /// A regular file, by its path in the layout.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>>;
}

#[derive(Debug)]
struct Directory(PathBuf);

impl Files for Directory {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        Ok(open_file(&self.0.join(name))?.map(|file| Box::new(file) as Box<dyn Read>))
    }
}

/// Opens a regular file, if there is one. A FIFO or device would wait for ever.
pub(super) fn open_file(path: &Path) -> io::Result<Option<File>> {
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(no_wait).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if file.metadata()?.is_file() {
        return Ok(Some(file));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// A layout, and the image of it that was asked for.
#[derive(Debug)]
pub(super) struct LayoutSource {
    files: Box<dyn Files>,
    tag: Option<String>,
}

/// The parts of `index.json`, and of every manifest, that reading a layout needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
}

impl LayoutSource {
    fn new(files: impl Files + 'static, tag: Option<String>) -> Self {
        Self { files: Box::new(files), tag }
    }

    /// A tar of a layout, or one that only Docker reads.
    pub(super) fn archive(path: &Path, tag: Option<String>) -> Result<Self, SourceError> {
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
    fn index(&self) -> Result<Vec<Descriptor>, SourceError> {
        let mut bytes = Vec::new();
        let reader = self.open("index.json")?.ok_or_else(|| SourceError::Document {
            what: "index.json".to_owned(),
            place: self.place(),
            reason: "there is none, so this is no OCI layout".to_owned(),
        })?;
        reader
            .take(MAX_DOCUMENT + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.file_error("index.json", e))?;
        let listing = self.parse("index.json", &bytes)?;
        Ok(listing.manifests)
    }

    fn parse(&self, what: &str, bytes: &[u8]) -> Result<Listing, SourceError> {
        let error =
            |reason: String| SourceError::Document { what: what.to_owned(), place: self.place(), reason };
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(error(format!("it is larger than {MAX_DOCUMENT} bytes")));
        }
        let listing: Listing = serde_json::from_slice(bytes).map_err(|e| error(e.to_string()))?;
        if listing.manifests.len() > MAX_DESCRIPTORS {
            return Err(error(format!("it lists more than {MAX_DESCRIPTORS} manifests")));
        }
        Ok(listing)
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Read>>, SourceError> {
        self.files.open(name).map_err(|e| self.file_error(name, e))
    }

    fn file_error(&self, name: &str, source: io::Error) -> SourceError {
        SourceError::File { path: Path::new(&self.place()).join(name), source }
    }

    fn document(&self, descriptor: Descriptor) -> Result<Document, SourceError> {
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

impl Source for LayoutSource {
    fn place(&self) -> String {
        self.files.place()
    }

    fn resolve(&self) -> Result<Document, SourceError> {
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
            let found = found.ok_or_else(|| SourceError::NotFound {
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
            let listing = self.parse(&descriptor.digest.to_string(), &self.manifest(descriptor)?)?;
            if listing.subject.is_none() && distinct.iter().all(|known| known.digest != descriptor.digest) {
                distinct.push(descriptor);
            }
        }
        match distinct.as_slice() {
            [only] => self.document((*only).clone()),
            [] => Err(SourceError::NotFound {
                place: self.place(),
                name: "latest".to_owned(),
                known: Vec::new(),
            }),
            _ => Err(SourceError::Ambiguous { place: self.place(), known: names() }),
        }
    }

    fn tagged(&self, tag: &str) -> Result<Option<Document>, SourceError> {
        let found = self.index()?.into_iter().find(|descriptor| is_named(descriptor, tag));
        found.map(|descriptor| self.document(descriptor)).transpose()
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        if descriptor.size > MAX_DOCUMENT {
            return Err(SourceError::Document {
                what: descriptor.digest.to_string(),
                place: self.place(),
                reason: format!("it is larger than {MAX_DOCUMENT} bytes"),
            });
        }
        let mut bytes = Vec::new();
        self.copy(descriptor, &mut bytes)?;
        Ok(bytes)
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), SourceError> {
        let place = self.place();
        let file = format!("blobs/sha256/{}", blob.digest.hex());
        let mut reader = self.open(&file)?.ok_or_else(|| SourceError::NotFound {
            place: place.clone(),
            name: blob.digest.to_string(),
            known: Vec::new(),
        })?;
        let mut checked = Checked::new(blob, out);
        io::copy(&mut reader, &mut checked).map_err(|source| SourceError::Copy {
            place: place.clone(),
            digest: blob.digest,
            source,
        })?;
        checked.finish(&place)
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, SourceError> {
        let mut found = Vec::new();
        for descriptor in self.index()? {
            let bytes = self.manifest(&descriptor)?;
            let listing = self.parse(&descriptor.digest.to_string(), &bytes)?;
            if listing.subject.is_some_and(|own| own.digest == subject) {
                found.push(descriptor);
            } else if name(&descriptor) == Some(&format!("sha256-{}", subject.hex())) {
                found.extend(listing.manifests);
            }
        }
        found.sort_by_key(|descriptor| descriptor.digest);
        found.dedup_by_key(|descriptor| descriptor.digest);
        Ok(found)
    }
}
