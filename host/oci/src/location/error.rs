//! Why an image cannot be read.

use std::path::PathBuf;

use seed_model::Digest;

use crate::location::entry::TarError;

/// A location that cannot be read, or whose content is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// The reference cannot be used.
    #[error("invalid image reference `{text}`: {reason}")]
    Reference { text: String, reason: String },
    /// There is no such image.
    #[error("{place} has no image `{name}`{}", list(.known))]
    NotFound {
        /// The layout, archive or repository.
        place: String,
        /// The tag or digest.
        name: String,
        /// The tags that exist, where they are known.
        known: Vec<String>,
    },
    /// There are several images, and the reference names none of them.
    #[error("{place} contains several images{}; name one as {place}:NAME", list(.known))]
    Ambiguous {
        /// The layout or archive.
        place: String,
        /// Their names.
        known: Vec<String>,
    },
    /// Several images have the name.
    #[error(
        "{place} contains several images with the name `{name}`: {}; name one as {place}:{name}@DIGEST",
        digests(.found)
    )]
    SameName {
        /// The layout or archive.
        place: String,
        name: String,
        found: Vec<Digest>,
    },
    /// The image does not have the digest that the reference names.
    #[error("{place} contains {}, not {expected}", digests(.found))]
    OtherDigest {
        /// The layout or archive.
        place: String,
        /// The digest in the reference.
        expected: Digest,
        /// The digests of the images that the reference could mean.
        found: Vec<Digest>,
    },
    /// An archive that OCI tools and Docker read differently.
    #[error("{place} contains different images for OCI tools and for Docker: {reason}")]
    TwoImages {
        /// The archive.
        place: String,
        /// Where they differ.
        reason: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A file that cannot be indexed as a tar.
    #[error("{} is not an uncompressed tar archive of an image: {source}", path.display())]
    Tar { path: PathBuf, source: TarError },
    /// A request failed.
    #[error(transparent)]
    Http(#[from] seed_http::Error),
    /// A registry answered with an unexpected status.
    #[error("{url} answered {status}{}", .message.as_ref().map(|m| format!(": {m}")).unwrap_or_default())]
    Status {
        url: String,
        status: u16,
        /// The registry's own message, if it gave one.
        message: Option<String>,
    },
    /// Content that does not have the digest and size by which it was asked for.
    #[error(
        "{place} returned the wrong content: expected {expected} ({expected_size} bytes), got {actual} \
         ({actual_size} bytes)"
    )]
    Digest {
        /// Where it came from.
        place: String,
        /// The digest that was asked for.
        expected: Digest,
        expected_size: u64,
        /// The digest of what came.
        actual: Digest,
        actual_size: u64,
    },
    /// A document that does not follow its format.
    #[error("cannot use {what} of {place}: {reason}")]
    Document {
        /// Which document.
        what: String,
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A blob that could not be copied.
    #[error("cannot copy {digest} from {place}: {source}")]
    Copy {
        /// Where it came from.
        place: String,
        digest: Digest,
        /// Reading or writing failed.
        source: std::io::Error,
    },
}

fn digests(found: &[Digest]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; available: {}", names.join(", ")) }
}
