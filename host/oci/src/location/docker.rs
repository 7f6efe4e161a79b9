//! `manifest.json`, by which `docker load` and `skopeo copy docker-archive:…` find images in an archive.
//!
//! It names files, not digests. An archive that has nothing else (`docker save` before version 25, `skopeo copy …
//! docker-archive:`) is seen as a layout: a manifest is made for each image from its configuration, so the digest that
//! is shown for such an image is of a document that is nowhere else.

use std::collections::BTreeMap;
use std::io::{self, Cursor};

use seed_model::{Descriptor, json};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::media_type::{DOCKER_CONFIG, DOCKER_TAR, MANIFEST};
use crate::document::{Details, canonical_json};
use crate::location::error::LocationError;
use crate::location::layout_files::{Content, Files, REF_NAME, blob_path, content, document, unusable};

/// What `docker load` reads to find the images of an archive.
pub(super) const LISTING: &str = "manifest.json";
/// The most images of one archive.
const MAX_IMAGES: usize = 1_000;
/// The keys that have a meaning here.
const KEYS: [&str; 3] = ["Config", "RepoTags", "Layers"];

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DockerImage {
    /// The file of its configuration.
    pub(super) config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    /// The files of its layers, bottom first.
    pub(super) layers: Vec<String>,
}

impl DockerImage {
    /// Its names, such as `docker.io/library/app:v1`.
    pub(super) fn names(&self) -> &[String] {
        self.repo_tags.as_deref().unwrap_or_default()
    }
}

/// The images of `manifest.json`; none where there is no such file.
pub(super) fn images(files: &dyn Files) -> Result<Option<Vec<DockerImage>>, LocationError> {
    let Some(bytes) = document(files, LISTING)? else { return Ok(None) };
    let wrong = |reason: String| unusable(files, LISTING, reason);
    // Readers in Go ignore the case of keys.
    let objects: Vec<Map<String, Value>> = json::parse(&bytes).map_err(|e| wrong(e.to_string()))?;
    for key in objects.iter().flat_map(Map::keys) {
        json::check_key(key, &KEYS).map_err(wrong)?;
    }
    let images: Vec<DockerImage> = json::parse(&bytes).map_err(|e| wrong(e.to_string()))?;
    if images.len() > MAX_IMAGES {
        return Err(wrong(format!("it lists more than {MAX_IMAGES} images")));
    }
    Ok(Some(images))
}

/// An archive with the documents that it lacks.
#[derive(Debug)]
pub(super) struct DockerArchive {
    archive: Box<dyn Files>,
    /// Files of the layout that were made here.
    documents: BTreeMap<String, Vec<u8>>,
    /// Files of the layout that have another name in the archive.
    names: BTreeMap<String, String>,
}

impl DockerArchive {
    /// Reads the configurations of `images`, those of the archive's `manifest.json`.
    pub(super) fn new(archive: Box<dyn Files>, images: &[DockerImage]) -> Result<Self, LocationError> {
        let mut made = Self { archive, documents: BTreeMap::new(), names: BTreeMap::new() };
        let mut manifests = Vec::new();
        for image in images {
            let manifest = made.manifest(image)?;
            if image.names().is_empty() {
                manifests.push(manifest.clone());
            }
            for name in image.names() {
                let mut named = manifest.clone();
                named.annotations.insert(REF_NAME.to_owned(), name.clone());
                manifests.push(named);
            }
        }
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests});
        made.documents.insert("index.json".to_owned(), canonical_json(&index));
        Ok(made)
    }

    /// Makes the manifest of one image.
    fn manifest(&mut self, image: &DockerImage) -> Result<Descriptor, LocationError> {
        let archive = self.archive.as_ref();
        let missing = |name: &str| unusable(archive, name, "the archive does not contain it");
        let bytes = document(archive, &image.config)?.ok_or_else(|| missing(&image.config))?;
        let config = Descriptor::of(DOCKER_CONFIG, &bytes);
        let diff_ids = Details::read(&config, &bytes, image.layers.len())
            .map_err(|e| unusable(archive, &image.config, e.to_string()))?
            .diff_ids;
        let mut layers = Vec::with_capacity(diff_ids.len());
        let mut names = vec![(blob_path(config.digest), image.config.clone())];
        for (name, diff_id) in image.layers.iter().zip(diff_ids) {
            let (size, _) = content(archive, name)?.ok_or_else(|| missing(name))?;
            // Layers are not compressed here, so that a layer's digest is its diff id; that is checked when it is read.
            layers.push(Descriptor::new(DOCKER_TAR, diff_id, size));
            names.push((blob_path(diff_id), name.clone()));
        }
        let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let manifest = canonical_json(&manifest);
        let descriptor = Descriptor::of(MANIFEST, &manifest);
        self.names.extend(names);
        self.documents.insert(blob_path(descriptor.digest), manifest);
        Ok(descriptor)
    }
}

impl Files for DockerArchive {
    fn place(&self) -> String {
        self.archive.place()
    }

    fn open(&self, name: &str) -> io::Result<Option<Content>> {
        match self.documents.get(name) {
            Some(document) => Ok(Some((document.len() as u64, Box::new(Cursor::new(document.clone()))))),
            None => self.archive.open(self.names.get(name).map_or(name, String::as_str)),
        }
    }
}
