//! What stages may reach: the runtime's traits over the store, the packer, keys, files and events of one run.

mod archive;
mod blobs;
mod files;
mod http;
mod keyring;
mod probe;
mod reporter;

pub(crate) use archive::PlanArchive;
pub(crate) use blobs::RunBlobs;
pub(crate) use files::{GrantedFiles, WrittenPaths};
pub(crate) use http::client;
pub(crate) use keyring::RunKeyring;
pub(crate) use probe::PackProbe;
pub(crate) use reporter::PluginReporter;
