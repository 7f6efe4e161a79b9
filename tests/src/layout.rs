//! An OCI image layout on disk.

use std::fs;
use std::path::{Path, PathBuf};

use seed_model::Digest;
use serde_json::Value;

/// An OCI image layout, read as a stranger reads it: every blob's digest is checked.
#[derive(Debug)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout in this directory.
    pub fn open(directory: impl AsRef<Path>) -> Self {
        let marker = fs::read(directory.as_ref().join("oci-layout")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&marker).unwrap()["imageLayoutVersion"], "1.0.0");
        Self(directory.as_ref().to_owned())
    }

    /// `index.json`.
    pub fn index(&self) -> Value {
        serde_json::from_slice(&fs::read(self.0.join("index.json")).unwrap()).unwrap()
    }

    /// A blob's bytes.
    pub fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
        let bytes = fs::read(self.0.join("blobs/sha256").join(digest.hex())).unwrap();
        assert_eq!(Digest::of(&bytes), digest);
        assert_eq!(descriptor["size"], bytes.len());
        bytes
    }

    /// A blob as JSON.
    pub fn document(&self, descriptor: &Value) -> Value {
        serde_json::from_slice(&self.blob(descriptor)).unwrap()
    }

    /// The descriptors of `index.json` that are images, not artifacts.
    pub fn images(&self) -> Vec<Value> {
        let mut manifests = self.index()["manifests"].as_array().unwrap().clone();
        manifests.retain(|descriptor| {
            let manifest = self.document(descriptor);
            let is_image = manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json";
            let is_signature = manifest["layers"][0]["mediaType"]
                .as_str()
                .is_some_and(|media_type| !media_type.starts_with("application/vnd.oci.image.layer."));
            is_image && !is_signature
        });
        manifests
    }

    /// All digests, sorted: what is in `blobs/sha256`.
    pub fn blobs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("blobs/sha256")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
