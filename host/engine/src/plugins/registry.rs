//! Components from registries: an artifact whose manifest has one layer of the type `application/wasm`.
//!
//! The manifest and the component are kept in the blob store, and read from there, checked, when the manifest's digest is
//! known: from the reference or from the lock. A tag is looked up once, and then the lock pins it.

use std::sync::Arc;

use seed_http::CredentialStore;
use seed_model::{Descriptor, Digest};
use seed_oci::documents::MAX_DOCUMENT;
use seed_oci::source::{Reference, ReferenceError, RegistryReference, Source, SourceError, open};
use seed_oci::{BlobStore, StoreError};
use serde::Deserialize;

/// The media type of a component's layer (CNCF, "Wasm OCI artifact layout").
const COMPONENT: &str = "application/wasm";

/// Why a registry gives no component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// Not a reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// It cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest is not a manifest.
    #[error("the manifest {digest} cannot be read: {error}")]
    Manifest { digest: Digest, error: serde_json::Error },
    /// The artifact is something else.
    #[error(
        "the artifact {digest} is not a component: it has {layers} layers, and one of the type `{COMPONENT}` is needed"
    )]
    NotAComponent {
        digest: Digest,
        /// How many layers it has.
        layers: usize,
    },
    /// The component is larger than the limit.
    #[error("the component has {size} bytes; at most {limit} are taken")]
    TooLarge { size: u64, limit: u64 },
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

/// The component at `reference` and its manifest's digest. `locked` is that digest, where the lock has it.
pub(super) fn fetch(
    reference: &str,
    locked: Option<Digest>,
    store: &BlobStore,
    credentials: &Arc<dyn CredentialStore>,
    limit: u64,
) -> Result<(Vec<u8>, Digest), RegistryError> {
    let mut reference: RegistryReference = reference.parse()?;
    reference.digest = reference.digest.or(locked);
    if let Some(digest) = reference.digest.filter(|digest| store.contains(*digest)) {
        let component = component(digest, &store.document(digest, MAX_DOCUMENT)?, limit)?;
        if store.contains(component.digest) {
            return Ok((store.document(component.digest, limit)?, digest));
        }
    }
    let source = open(&Reference::Registry(reference), Arc::clone(credentials))?;
    download(source.as_ref(), store, limit)
}

fn download(source: &dyn Source, store: &BlobStore, limit: u64) -> Result<(Vec<u8>, Digest), RegistryError> {
    let manifest = source.resolve()?;
    let digest = manifest.descriptor.digest;
    let component = component(digest, &manifest.bytes, limit)?;
    let mut bytes = Vec::new();
    source.copy(&component, &mut bytes)?;
    store.put(&bytes)?;
    store.put(&manifest.bytes)?;
    Ok((bytes, digest))
}

/// The layer of a manifest that is the component.
fn component(digest: Digest, manifest: &[u8], limit: u64) -> Result<Descriptor, RegistryError> {
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|error| RegistryError::Manifest { digest, error })?;
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == COMPONENT && layer.size <= limit => Ok(layer.clone()),
        [layer] if layer.media_type == COMPONENT => Err(RegistryError::TooLarge { size: layer.size, limit }),
        layers => Err(RegistryError::NotAComponent { digest, layers: layers.len() }),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn manifest(layers: &[(&str, &[u8])]) -> Vec<u8> {
        let layers: Vec<_> = layers.iter().map(|(kind, content)| Descriptor::of(kind, content)).collect();
        json!({"schemaVersion": 2, "layers": layers}).to_string().into_bytes()
    }

    #[test]
    fn artifacts_have_one_component() {
        let digest = Digest::of(b"manifest");
        let error = |manifest: &[u8]| component(digest, manifest, 4).unwrap_err().to_string();
        assert_eq!(component(digest, &manifest(&[(COMPONENT, b"wasm")]), 4).unwrap().size, 4);
        let errors = [
            error(b"{}"),
            error(&manifest(&[])),
            error(&manifest(&[("application/octet-stream", b"wasm")])),
            error(&manifest(&[(COMPONENT, b"a"), (COMPONENT, b"b")])),
            error(&manifest(&[(COMPONENT, b"large")])),
        ];
        assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn a_locked_component_is_taken_from_the_store() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        store.put(b"wasm").unwrap();
        let manifest = store.put(&manifest(&[(COMPONENT, b"wasm")])).unwrap();
        // Nothing listens at that port: the network would be an error.
        let nobody: Arc<dyn CredentialStore> = Arc::new(seed_http::Anonymous);
        let found = fetch("127.0.0.1:1/acme/signer:1", Some(manifest), &store, &nobody, 4).unwrap();
        assert_eq!(found, (b"wasm".to_vec(), manifest));
    }
}
