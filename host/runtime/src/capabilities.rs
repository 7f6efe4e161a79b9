//! What a component may reach, as traits: the engine implements them, this crate hands them to guests.
//!
//! Each is already narrowed to one run and one plugin by whoever constructs it; HTTP is not here, because
//! `seed-http` implements it whole, grants included.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use seed_model::{Digest, File, LayerJob, PackedLayer, PublicKey, StageError, Written};

/// Packing at native speed (`packing.wit`, interface `archive`).
pub trait Archive: Send + Sync + fmt::Debug {
    /// Packs layers, in parallel; answers in the order of the jobs.
    fn pack_layers(&self, jobs: &[LayerJob]) -> Result<Vec<PackedLayer>, StageError>;

    /// About how many bytes the tar of a planned layer has; 0 where there is no such layer.
    fn layer_size(&self, layer: u32) -> u64;

    /// The uncompressed tar of a planned layer.
    fn open_layer(&self, layer: u32) -> Result<Box<dyn Read + Send>, StageError>;
}

/// The blobs of one run (`packing.wit`, interface `blobs`).
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Puts a small document.
    fn put(&self, content: &[u8]) -> Result<Digest, StageError>;

    /// The size of a blob of this run.
    fn size(&self, digest: Digest) -> Option<u64>;

    /// A reader over `length` bytes from `offset`.
    fn open(&self, digest: Digest, offset: u64, length: u64) -> Result<Box<dyn Read + Send>, StageError>;

    /// A writer for a large blob.
    fn writer(&self) -> Result<Box<dyn BlobWriter>, StageError>;
}

/// A blob that is being written.
pub trait BlobWriter: Write + Send {
    /// Makes the blob durable and part of this run.
    fn finish(self: Box<Self>) -> Result<Digest, StageError>;
}

/// Granted keys (`signing.wit`, interface `keyring`).
pub trait Keyring: Send + Sync + fmt::Debug {
    /// The public side of a key.
    fn get(&self, name: &str) -> Result<PublicKey, StageError>;

    /// Signs a payload.
    fn sign(&self, name: &str, payload: &[u8]) -> Result<Vec<u8>, StageError>;
}

/// Granted files (`publishing.wit`, interface `files`).
pub trait Files: Send + Sync + fmt::Debug {
    /// Makes `path` a directory of exactly these files.
    fn write_directory(&self, path: &str, marker: &str, files: &[File]) -> Result<Written, StageError>;

    /// Makes `path` a tar of these files.
    fn write_tar(&self, path: &str, files: &[File]) -> Result<Written, StageError>;
}

/// How loud a plugin's message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// With `-v`.
    Info,
    /// Always.
    Warn,
    /// Always.
    Error,
}

/// Where messages and progress go.
pub trait Reporter: Send + Sync + fmt::Debug {
    /// One message of a plugin, with control characters escaped.
    fn log(&self, level: LogLevel, message: &str);

    /// A piece of work begins; the number names it in the other calls.
    fn progress_start(&self, label: &str, total: Option<u64>) -> u64;

    /// More of it is done.
    fn progress_advance(&self, task: u64, amount: u64);

    /// It ended, done or not.
    fn progress_end(&self, task: u64);
}

/// Reports to nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Reporter for Silent {
    fn log(&self, _level: LogLevel, _message: &str) {}

    fn progress_start(&self, _label: &str, _total: Option<u64>) -> u64 {
        0
    }

    fn progress_advance(&self, _task: u64, _amount: u64) {}

    fn progress_end(&self, _task: u64) {}
}

/// Everything that one call of a stage may reach. What is `None` is answered with `denied`.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Messages and progress.
    pub reporter: Arc<dyn Reporter>,
    /// Packing.
    pub archive: Option<Arc<dyn Archive>>,
    pub blobs: Option<Arc<dyn Blobs>>,
    /// Keys.
    pub keyring: Option<Arc<dyn Keyring>>,
    pub http: Option<Arc<seed_http::Client>>,
    pub files: Option<Arc<dyn Files>>,
}

impl Capabilities {
    /// Messages and progress, and nothing else.
    pub fn none(reporter: Arc<dyn Reporter>) -> Self {
        Self { reporter, archive: None, blobs: None, keyring: None, http: None, files: None }
    }
}
