//! Finds the bytes of a component.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seed_http::{CredentialStore, TimeBudget};
use seed_model::Digest;
use seed_oci::BlobStore;

use crate::pipeline::PluginReference;
use crate::plugins::builtin;
use crate::plugins::registry::{self, RegistryError};
use crate::suggest::did_you_mean;

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginBytesError {
    /// No such builtin.
    #[error("unknown built-in plugin `{name}`")]
    UnknownBuiltin {
        name: String,
        /// Near names, or all.
        help: String,
    },
    /// No such file, or it cannot be read.
    #[error("cannot read the plugin file {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A registry does not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Larger than the limit.
    #[error("the plugin file {} is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
}

impl PluginBytesError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::UnknownBuiltin { help, .. } => help.clone(),
            Self::Registry(_) => {
                "name an artifact with one `application/wasm` layer, as `oci://HOST/REPOSITORY:TAG`; if it \
                 is private, run `docker login HOST`"
                    .to_owned()
            }
            Self::Unreadable { .. } => {
                "build the component, and write its path relative to the pipeline file".to_owned()
            }
            Self::TooLarge { .. } => "raise `component-size` in [limits] if you expect this size".to_owned(),
        }
    }
}

/// The bytes of a component.
#[derive(Clone, Debug)]
pub(crate) struct PluginBytes {
    pub(crate) bytes: Cow<'static, [u8]>,
    /// The digest of the manifest that named them, where they come from a registry.
    pub(crate) manifest: Option<Digest>,
}

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// Where relative paths begin.
    pub(crate) directory: &'a Path,
    /// The largest component in bytes.
    pub(crate) limit: u64,
    /// Where components from registries are kept.
    pub(crate) store: &'a BlobStore,
    /// For registries that ask for a login.
    pub(crate) credentials: &'a Arc<dyn CredentialStore>,
    /// The time for all requests of the command.
    pub(crate) network_time: Option<&'a Arc<TimeBudget>>,
}

/// Finds the component that `reference` names. `locked` is the digest of its manifest, where the lock has one.
pub(crate) fn find(
    reference: &PluginReference,
    locked: Option<Digest>,
    places: Places<'_>,
) -> Result<PluginBytes, PluginBytesError> {
    match reference {
        PluginReference::Builtin(name) => match builtin::bytes(name) {
            Some(bytes) => Ok(PluginBytes { bytes: Cow::Borrowed(bytes), manifest: None }),
            None => Err(unknown_builtin(name)),
        },
        PluginReference::File(path) => {
            let bytes = read(&places.directory.join(path.strip_prefix("./").unwrap_or(path)), places.limit)?;
            Ok(PluginBytes { bytes: Cow::Owned(bytes), manifest: None })
        }
        PluginReference::Oci(reference) => {
            let Places { limit, store, credentials, network_time, .. } = places;
            let (bytes, manifest) =
                registry::component_at(reference, locked, store, credentials, network_time.cloned(), limit)?;
            Ok(PluginBytes { bytes: Cow::Owned(bytes), manifest: Some(manifest) })
        }
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, PluginBytesError> {
    seed_disk::read_bounded(path, limit).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => PluginBytesError::TooLarge { path: path.to_owned(), limit },
        _ => PluginBytesError::Unreadable { path: path.to_owned(), source },
    })
}

fn unknown_builtin(name: &str) -> PluginBytesError {
    let all = || {
        let names: Vec<_> = builtin::names().map(|name| format!("`{name}`")).collect();
        format!("there are {}", names.join(", "))
    };
    PluginBytesError::UnknownBuiltin {
        name: name.to_owned(),
        help: did_you_mean(name, builtin::names()).unwrap_or_else(all),
    }
}
