//! The media types of documents and layers: OCI's, and those of Docker that mean the same.

use seed_model::Codec;

/// An image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Docker's image manifest.
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's image index.
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's image configuration.
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's layer, not compressed.
pub(crate) const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const TAR_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const DOCKER_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// Whether this is a manifest or index, which registries keep apart from blobs.
pub(crate) fn is_document(media_type: &str) -> bool {
    [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX].contains(&media_type)
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// How a layer of this type is compressed; none for what is not a layer, or one that cannot be read.
pub(crate) fn compression(media_type: &str) -> Option<Compression> {
    match media_type {
        TAR | DOCKER_TAR => Some(Compression::None),
        TAR_GZIP | DOCKER_TAR_GZIP => Some(Compression::Gzip),
        TAR_ZSTD => Some(Compression::Zstd),
        _ => None,
    }
}

/// The OCI media type of a layer with this compression.
pub fn layer(codec: Codec) -> &'static str {
    match codec {
        Codec::None => TAR,
        Codec::Gzip(_) => TAR_GZIP,
        Codec::Zstd(_) => TAR_ZSTD,
    }
}
