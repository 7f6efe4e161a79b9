//! What is published, and where (`publishing.wit`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;

/// How an artifact is found from its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// A manifest at this tag, whose existing layers are kept.
    AppendingTag(String),
    /// A referrer.
    Referrer,
}

/// A manifest and the blobs it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The manifest or index.
    pub manifest: Descriptor,
    /// Its blobs.
    pub blobs: Vec<Descriptor>,
}

/// An image for one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemImage {
    /// The Nix system.
    pub system: String,
    /// The image.
    pub content: Content,
}

/// An artifact and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The artifact.
    pub content: Content,
    /// Digest of the manifest or index it is about.
    pub subject: Digest,
    /// How it is found.
    pub attachment: Attachment,
}

/// What to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishRequest {
    /// The plugin's configuration, JSON.
    pub config: String,
    /// The image's name.
    pub name: String,
    /// Images sorted by system.
    pub images: Vec<SystemImage>,
    /// The index over them.
    pub index: Option<Content>,
    /// Signatures and other artifacts.
    pub artifacts: Vec<Attached>,
    /// Facts of the source.
    pub variables: BTreeMap<String, String>,
    /// Whether the image may be tagged.
    pub tagged: bool,
}

/// Where something was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Published {
    /// The place.
    pub reference: String,
    /// What is there.
    pub digest: Digest,
    /// Blobs and manifests sent.
    pub uploaded: u32,
    /// Blobs and manifests that were there.
    pub skipped: u32,
    /// Bytes sent.
    pub bytes: u64,
    /// A command that uses the result.
    pub try_with: Option<String>,
}

/// The bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A blob of this run.
    Blob(Digest),
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative path with `/`.
    pub path: String,
    /// What is in it.
    pub content: FileContent,
}

/// What a write did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files written.
    pub files: u32,
    /// Files left alone.
    pub unchanged: u32,
    /// Bytes written.
    pub bytes: u64,
}
