//! A small image to read in tests, as a layout, as a tar and in a registry.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use seed_http::Anonymous;
use seed_model::{Descriptor, Digest, Platform};
use seed_tests::{Gate, Reply, Server};
use serde_json::{Value, json};

use super::{Location, LocationError, Reference, open};
use crate::document::media_type::{CONFIG, INDEX, MANIFEST};

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Blobs, and the names that some of them have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixture {
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    /// What `index.json` lists, and what a registry has under tags.
    pub(crate) named: Vec<(Option<String>, Descriptor)>,
}

/// A tar with these files, made by the `tar` crate.
pub(crate) fn tar(files: &[(&str, usize)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, size) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(*size as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, vec![b'x'; *size].as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Two members, as frames make them.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    [first, second]
        .into_iter()
        .flat_map(|part| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap()
        })
        .collect()
}

impl Fixture {
    /// An image of three layers (gzip, zstd, plain) for two platforms under one index, tagged `v1`; with one signature at
    /// cosign's tag, one bundle, and one other referrer, all about the index.
    pub(crate) fn new() -> Self {
        let mut fixture = Self::default();
        let images = ["amd64", "arm64"].map(|architecture| fixture.image(architecture));
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": images});
        let index = fixture.document(INDEX, &index);
        fixture.name("v1", &index);
        fixture.attach(&index);
        fixture
    }

    pub(crate) fn root(&self) -> &Descriptor {
        &self.named[0].1
    }

    pub(crate) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, bytes);
        self.blobs.insert(descriptor.digest, bytes.to_vec());
        descriptor
    }

    pub(crate) fn document(&mut self, media_type: &str, document: &Value) -> Descriptor {
        self.blob(media_type, &serde_json::to_vec(document).unwrap())
    }

    pub(crate) fn name(&mut self, name: &str, descriptor: &Descriptor) {
        self.named.push((Some(name.to_owned()), descriptor.clone()));
    }

    /// Layers of one image: media type, uncompressed tar, blob.
    fn layers() -> [(&'static str, Vec<u8>, Vec<u8>); 3] {
        let base = tar(&[("nix/store/aaa-glibc/lib/libc.so", 9000), ("nix/store/aaa-glibc/share/doc", 100)]);
        let library = tar(&[("nix/store/bbb-openssl/lib/libssl.so", 5000), ("nix/store/ccc-empty", 0)]);
        let long = format!("nix/store/ddd-app/{}/{}", "a".repeat(120), "b".repeat(200));
        let apps = tar(&[(&long, 7000), ("etc/passwd", 30)]);
        [
            ("application/vnd.oci.image.layer.v1.tar+gzip", base.clone(), gzip(&base)),
            (
                "application/vnd.oci.image.layer.v1.tar+zstd",
                library.clone(),
                zstd::encode_all(&library[..], 3).unwrap(),
            ),
            ("application/vnd.oci.image.layer.v1.tar", apps.clone(), apps),
        ]
    }

    fn image(&mut self, architecture: &str) -> Descriptor {
        let layers = Self::layers();
        let diff_ids: Vec<Digest> = layers.iter().map(|(_, tar, _)| Digest::of(tar)).collect();
        let layers: Vec<Descriptor> = layers
            .iter()
            .zip(["base", "library", "apps"])
            .map(|((media_type, _, blob), name)| {
                let mut layer = self.blob(media_type, blob);
                layer.annotations.insert("example.layer".to_owned(), name.to_owned());
                layer
            })
            .collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "created": "1970-01-01T00:00:01Z",
            "config": {"Entrypoint": ["/bin/hello"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created_by": "base"}, {"created_by": "env", "empty_layer": true}, {"created_by": "library"}, {"created_by": "apps"}],
        });
        let config = self.document(CONFIG, &config);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let mut manifest = self.document(MANIFEST, &manifest);
        manifest.platform =
            Some(Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None });
        manifest
    }

    fn attach(&mut self, subject: &Descriptor) {
        let empty = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        let signature = self.blob(SIMPLE_SIGNING, b"signed");
        let sig = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [signature]});
        let sig = self.document(MANIFEST, &sig);
        self.name(&format!("sha256-{}.sig", subject.digest.hex()), &sig);
        for (artifact_type, layer) in [(BUNDLE, BUNDLE), ("application/spdx+json", "application/json")] {
            let layer = self.blob(layer, artifact_type.as_bytes());
            let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type, "config": empty, "layers": [layer], "subject": subject});
            let mut manifest = self.document(MANIFEST, &manifest);
            manifest.artifact_type = Some(artifact_type.to_owned());
            self.named.push((None, manifest));
        }
    }

    /// The descriptors of everything with a `subject`.
    pub(crate) fn referrers(&self) -> Vec<Descriptor> {
        self.named
            .iter()
            .filter(|(name, _)| name.is_none())
            .map(|(_, descriptor)| descriptor.clone())
            .collect()
    }

    /// The files of a layout.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let manifests: Vec<Descriptor> = self
            .named
            .iter()
            .map(|(name, descriptor)| {
                let mut descriptor = descriptor.clone();
                if let Some(name) = name {
                    descriptor
                        .annotations
                        .insert("org.opencontainers.image.ref.name".to_owned(), name.clone());
                }
                descriptor
            })
            .collect();
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        let mut files: BTreeMap<_, _> = self
            .blobs
            .iter()
            .map(|(digest, bytes)| (format!("blobs/sha256/{}", digest.hex()), bytes.clone()))
            .collect();
        files.insert("index.json".to_owned(), serde_json::to_vec(&index).unwrap());
        files.insert("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
        files
    }

    pub(crate) fn write_layout(&self, directory: &Path) {
        std::fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        for (name, bytes) in self.files() {
            std::fs::write(directory.join(name), bytes).unwrap();
        }
    }

    pub(crate) fn write_tar(&self, path: &Path) {
        write_tar(path, &self.files());
    }
}

pub(crate) fn write_tar(path: &Path, files: &BTreeMap<String, Vec<u8>>) {
    let mut builder = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.finish().unwrap();
}

/// Opens a reference as a user writes it.
pub(crate) fn location(reference: &str) -> Box<dyn Location> {
    opened(reference).unwrap()
}

/// The same, or why it cannot be opened.
pub(crate) fn opened(reference: &str) -> Result<Box<dyn Location>, LocationError> {
    open(&Reference::find(reference).unwrap(), Arc::new(Anonymous), None)
}

/// An answer of the registry: status, headers, body.
pub(crate) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// A read-only registry on loopback. `answer` may answer a path before it does.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) host: String,
    server: Server,
}

impl Registry {
    pub(crate) fn start(
        fixture: Fixture,
        answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::behind(Gate::Open, fixture, answer)
    }

    /// A registry that lets in whoever passes the gate.
    pub(crate) fn behind(
        gate: Gate,
        fixture: Fixture,
        answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(move |request| {
            let path = request.target.as_str();
            gate.refuse(request).unwrap_or_else(|| {
                let (status, headers, body) = answer(path).unwrap_or_else(|| fixture.answer(path));
                Reply::Answer(status, headers, body)
            })
        });
        Self { host: server.registry(), server }
    }

    /// The paths that were asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.server.received().into_iter().map(|request| request.target).collect()
    }
}

impl Fixture {
    /// What a registry without referrers API says.
    fn answer(&self, path: &str) -> Answer {
        let name = path.rsplit('/').next().unwrap_or_default();
        let tagged = self.named.iter().find(|(tag, _)| tag.as_deref() == Some(name)).map(|(_, d)| d.digest);
        let digest = tagged.or_else(|| name.parse().ok());
        match digest.and_then(|digest| self.blobs.get(&digest)) {
            Some(bytes) if path.contains("/manifests/") || path.contains("/blobs/") => {
                let headers = vec![("Docker-Content-Digest".to_owned(), Digest::of(bytes).to_string())];
                (200, headers, bytes.clone())
            }
            _ => (404, Vec::new(), br#"{"errors":[{"code":"NOT_FOUND","message":"not here"}]}"#.to_vec()),
        }
    }
}

/// One entry of a tar, with names and targets that the `tar` crate would refuse to write.
pub(crate) fn tar_entry(path: &str, kind: tar::EntryType, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(content.len() as u64);
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    let padding = content.len().next_multiple_of(512) - content.len();
    [header.as_bytes(), content, &vec![0; padding]].concat()
}
