//! Archives that only Docker reads (`docker save` before version 25, `skopeo copy … docker-archive:`), seen as a layout.
//!
//! Their `manifest.json` names files, not digests, and there is no OCI manifest in them. This makes one for each image
//! from its configuration, so the digest that is shown for such an image is of a document that is nowhere else.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use seed_disk::bounded;
use seed_model::{Descriptor, Digest, json};
use serde::Deserialize;

use crate::document::media_type::{DOCKER_CONFIG, DOCKER_TAR, MANIFEST};
use crate::document::{Details, MAX_DOCUMENT, canonical_json};
use crate::location::archive::Archive;
use crate::location::error::LocationError;
use crate::location::layout_files::{Files, REF_NAME};

/// The most images of one archive.
const MAX_IMAGES: usize = 10_000;

/// One element of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// An archive with the documents that it lacks.
#[derive(Debug)]
pub(super) struct DockerArchive {
    archive: Archive,
    /// Files of the layout that were made here.
    documents: BTreeMap<String, Vec<u8>>,
    /// Files of the layout that have another name in the archive.
    names: BTreeMap<String, String>,
}

impl DockerArchive {
    /// Reads `manifest.json` and the configurations.
    pub(super) fn new(archive: Archive) -> Result<Self, LocationError> {
        let mut made = Self { archive, documents: BTreeMap::new(), names: BTreeMap::new() };
        let listing = made.document("manifest.json")?;
        let images: Vec<Image> =
            json::parse(&listing).map_err(|e| made.unusable("manifest.json", e.to_string()))?;
        if images.len() > MAX_IMAGES {
            return Err(made.unusable("manifest.json", format!("it lists more than {MAX_IMAGES} images")));
        }
        let mut manifests = Vec::new();
        for image in images {
            let manifest = made.manifest(&image)?;
            let tags = image.repo_tags.unwrap_or_default();
            if tags.is_empty() {
                manifests.push(manifest.clone());
            }
            for tag in tags {
                let mut named = manifest.clone();
                named.annotations.insert(REF_NAME.to_owned(), tag);
                manifests.push(named);
            }
        }
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests});
        made.documents.insert("index.json".to_owned(), canonical_json(&index));
        Ok(made)
    }

    /// Makes the manifest of one image.
    fn manifest(&mut self, image: &Image) -> Result<Descriptor, LocationError> {
        let bytes = self.document(&image.config)?;
        let config = Descriptor::of(DOCKER_CONFIG, &bytes);
        let diff_ids = Details::read(&config, &bytes, image.layers.len())
            .map_err(|e| self.unusable(&image.config, e.to_string()))?
            .diff_ids;
        let mut layers = Vec::with_capacity(diff_ids.len());
        for (name, diff_id) in image.layers.iter().zip(diff_ids) {
            let size = self.archive.size(name).ok_or_else(|| self.missing(name))?;
            // Layers are not compressed here, so that a layer's digest is its diff id; that is checked when it is read.
            layers.push(Descriptor::new(DOCKER_TAR, diff_id, size));
            self.names.insert(blob_path(diff_id), name.clone());
        }
        self.names.insert(blob_path(config.digest), image.config.clone());
        let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let manifest = canonical_json(&manifest);
        let descriptor = Descriptor::of(MANIFEST, &manifest);
        self.documents.insert(blob_path(descriptor.digest), manifest);
        Ok(descriptor)
    }

    /// A small file of the archive.
    fn document(&self, name: &str) -> Result<Vec<u8>, LocationError> {
        let reader = self.archive.open(name).map_err(|e| self.unusable(name, e.to_string()))?;
        bounded(reader.ok_or_else(|| self.missing(name))?, MAX_DOCUMENT).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::FileTooLarge => format!("it is larger than {MAX_DOCUMENT} bytes"),
                _ => error.to_string(),
            };
            self.unusable(name, reason)
        })
    }

    fn missing(&self, name: &str) -> LocationError {
        self.unusable(name, "the archive does not contain it".to_owned())
    }

    fn unusable(&self, what: &str, reason: String) -> LocationError {
        LocationError::Document { what: what.to_owned(), place: self.place(), reason }
    }
}

fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Files for DockerArchive {
    fn place(&self) -> String {
        self.archive.place()
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        match self.documents.get(name) {
            Some(document) => Ok(Some(Box::new(Cursor::new(document.clone())))),
            None => self.archive.open(self.names.get(name).map_or(name, String::as_str)),
        }
    }
}
