//! Components from registries: an artifact whose manifest has one layer of the type `application/wasm`.
//!
//! The manifest and the component are kept in the blob store, and read from there, checked, when the manifest's digest is
//! known: from the reference or from the lock. A tag is looked up once, and then the lock pins it.

use std::sync::Arc;

use seed_http::{CredentialStore, TimeBudget};
use seed_model::{Descriptor, Digest};
use seed_oci::document::{DocumentError, LENIENT, MAX_DOCUMENT, descriptor_of};
use seed_oci::fetch::{self, FetchError};
use seed_oci::location::{Location, LocationError, Reference, ReferenceError, RegistryReference, open};
use seed_oci::{BlobStore, StoreError};

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
    Location(#[from] LocationError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The manifest is not a manifest.
    #[error(transparent)]
    Manifest(#[from] DocumentError),
    /// The artifact is something else.
    #[error(
        "the artifact {digest} is not a component: it has {layers} layers, expected one of type `{COMPONENT}`"
    )]
    NotAComponent {
        digest: Digest,
        /// How many layers it has.
        layers: usize,
    },
    /// The component is larger than the limit.
    #[error("the component has {size} bytes, more than the limit of {limit}")]
    TooLarge { size: u64, limit: u64 },
}

/// The component at `reference` and its manifest's digest. `locked` is that digest, where the lock has it.
pub(super) fn component_at(
    reference: &str,
    locked: Option<Digest>,
    store: &BlobStore,
    credentials: &Arc<dyn CredentialStore>,
    time: Option<Arc<TimeBudget>>,
    limit: u64,
) -> Result<(Vec<u8>, Digest), RegistryError> {
    let mut reference: RegistryReference = reference.parse()?;
    reference.digest = reference.digest.or(locked);
    if let Some(digest) = reference.digest
        && let Some(manifest) = fetch::kept(store, digest, MAX_DOCUMENT)?
    {
        let component = component(&descriptor_of(&manifest)?, &manifest, limit)?;
        if let Some(bytes) = fetch::kept(store, component.digest, limit)? {
            return Ok((bytes, digest));
        }
    }
    let location = open(&Reference::Registry(reference), Arc::clone(credentials), time)?;
    download(location.as_ref(), store, limit)
}

fn download(
    location: &dyn Location,
    store: &BlobStore,
    limit: u64,
) -> Result<(Vec<u8>, Digest), RegistryError> {
    let manifest = location.resolve()?;
    let digest = manifest.descriptor.digest;
    let component = component(&manifest.descriptor, &manifest.bytes, limit)?;
    fetch::fetch(store, &component, location)?;
    store.put(&manifest.bytes)?;
    Ok((store.document(component.digest, limit)?, digest))
}

/// The layer of a manifest that is the component.
fn component(manifest: &Descriptor, bytes: &[u8], limit: u64) -> Result<Descriptor, RegistryError> {
    let digest = manifest.digest;
    match LENIENT.manifest(manifest, bytes)?.layers.as_slice() {
        [layer] if layer.media_type == COMPONENT && layer.size <= limit => Ok(layer.clone()),
        [layer] if layer.media_type == COMPONENT => Err(RegistryError::TooLarge { size: layer.size, limit }),
        layers => Err(RegistryError::NotAComponent { digest, layers: layers.len() }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use insta::assert_snapshot;
    use seed_oci::document::media_type::MANIFEST;
    use serde_json::json;

    use super::*;

    fn manifest(layers: &[(&str, &[u8])]) -> Vec<u8> {
        let layers: Vec<_> = layers.iter().map(|(kind, content)| Descriptor::of(kind, content)).collect();
        let config = Descriptor::of("application/vnd.oci.empty.v1+json", b"{}");
        json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string().into_bytes()
    }

    #[test]
    fn artifacts_have_one_component() {
        let component = |bytes: &[u8]| component(&Descriptor::of(MANIFEST, bytes), bytes, 4);
        let error = |manifest: &[u8]| component(manifest).unwrap_err().to_string();
        assert_eq!(component(&manifest(&[(COMPONENT, b"wasm")])).unwrap().size, 4);
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
        let found =
            component_at("127.0.0.1:1/acme/signer:1", Some(manifest), &store, &nobody, None, 4).unwrap();
        assert_eq!(found, (b"wasm".to_vec(), manifest));
    }

    /// A registry on loopback that has what is at these paths.
    fn registry(content: Vec<(String, Vec<u8>)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let path = head[0].split(' ').nth(1).unwrap();
                let found = content.iter().find(|(at, _)| at == path).map(|(_, body)| body.as_slice());
                let (status, body) = found.map_or((404, &b""[..]), |body| (200, body));
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
                )
                .unwrap();
                stream.write_all(body).unwrap();
            }
        });
        address
    }

    #[test]
    fn a_damaged_component_and_its_damaged_manifest_are_fetched_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let bytes = manifest(&[(COMPONENT, b"wasm")]);
        let (manifest, component) = (Digest::of(&bytes), Digest::of(b"wasm"));
        let address = registry(vec![
            (format!("/v2/acme/signer/manifests/{manifest}"), bytes.clone()),
            (format!("/v2/acme/signer/blobs/{component}"), b"wasm".to_vec()),
        ]);
        let reference = format!("{address}/acme/signer@{manifest}");
        let nobody: Arc<dyn CredentialStore> = Arc::new(seed_http::Anonymous);
        let find = || component_at(&reference, None, &store, &nobody, None, 4).unwrap();
        assert_eq!(find(), (b"wasm".to_vec(), manifest));
        for (digest, good) in [(component, &b"wasm"[..]), (manifest, &bytes)] {
            let file = directory.path().join("blobs/sha256").join(digest.hex());
            let mut damaged = good.to_vec();
            damaged[0] ^= 1;
            for damaged in [damaged, good[1..].to_vec(), [good, b"!"].concat()] {
                fs::write(&file, damaged).unwrap();
                assert_eq!(find(), (b"wasm".to_vec(), manifest));
                assert_eq!(fs::read(&file).unwrap(), good);
            }
        }
    }
}
