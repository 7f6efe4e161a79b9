//! The reader of manifests and indexes. Whoever reads the same document gets the same answer.

use std::collections::BTreeMap;

use seed_model::{Descriptor, Digest, Manifest, json};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::document::descriptor::check_sizes;
use crate::document::error::DocumentError;
use crate::document::index::Index;
use crate::document::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST};

/// Largest manifest, configuration or index in bytes: what registries commonly take (distribution specification, "at
/// least 4 megabytes").
pub const MAX_DOCUMENT: u64 = 4 << 20;
/// The most layers; the smallest limit of the tools that could run such an image is 127.
const MAX_LAYERS: usize = 1000;
/// The most descriptors of one index or listing.
const MAX_DESCRIPTORS: usize = 10_000;
/// The keys of manifests and indexes that have a meaning here.
const KEYS: [&str; 8] =
    ["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"];

/// Reads manifests and indexes. Both kinds refuse:
///
/// - other bytes than the descriptor says, and more than [`MAX_DOCUMENT`];
/// - JSON with two meanings: an object with the same key twice, `Layers` for `layers` (Go reads both);
/// - a document that is a manifest to some and an index to others (CVE-2021-41190): it has `layers` or `config`
///   together with `manifests`, or its `mediaType` is not that of its descriptor;
/// - another `schemaVersion` than 2, other digests than SHA-256, more than 1,000 layers or 10,000 manifests, sizes
///   that are negative or overflow when added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    lenient: bool,
}

/// For what this tool makes, signs, verifies and runs: OCI documents that say their `mediaType`.
pub const STRICT: Reader = Reader { lenient: false };

/// For looking at images, and for artifacts that others made: Docker's media types mean the same as OCI's, and
/// `mediaType` may be missing, as the specification allows. All else is as in [`STRICT`].
pub const LENIENT: Reader = Reader { lenient: true };

/// What the digest of an image can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestOrIndex {
    /// One image, or an artifact.
    Manifest(Box<Manifest>),
    /// Several.
    Index(Index),
}

impl ManifestOrIndex {
    /// The manifest or index that it is about, where it is an artifact.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Manifest,
    Index,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "image manifest",
            Self::Index => "image index",
        }
    }

    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            MANIFEST | DOCKER_MANIFEST => Some(Self::Manifest),
            INDEX | DOCKER_INDEX => Some(Self::Index),
            _ => None,
        }
    }
}

impl Reader {
    /// Reads a manifest.
    pub fn manifest(self, descriptor: &Descriptor, bytes: &[u8]) -> Result<Manifest, DocumentError> {
        self.form(Kind::Manifest, descriptor, bytes)
            .and_then(|()| manifest(bytes))
            .map_err(|reason| DocumentError::wrong(Kind::Manifest.name(), descriptor.digest, reason))
    }

    /// Reads an index.
    pub fn index(self, descriptor: &Descriptor, bytes: &[u8]) -> Result<Index, DocumentError> {
        self.form(Kind::Index, descriptor, bytes)
            .and_then(|()| index(bytes))
            .map_err(|reason| DocumentError::wrong(Kind::Index.name(), descriptor.digest, reason))
    }

    /// Reads a manifest or index: which of them it has to be, its descriptor says.
    pub fn document(self, descriptor: &Descriptor, bytes: &[u8]) -> Result<ManifestOrIndex, DocumentError> {
        match Kind::of(&descriptor.media_type) {
            Some(Kind::Index) => self.index(descriptor, bytes).map(ManifestOrIndex::Index),
            Some(Kind::Manifest) | None => {
                Ok(ManifestOrIndex::Manifest(Box::new(self.manifest(descriptor, bytes)?)))
            }
        }
    }

    /// Checks everything but what is in it.
    fn form(self, kind: Kind, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), String> {
        check_bytes(descriptor, bytes)?;
        let head = Head::read(kind, bytes)?;
        let expected = match kind {
            Kind::Manifest => MANIFEST,
            Kind::Index => INDEX,
        };
        let named = descriptor.media_type.as_str();
        let is_taken = if self.lenient { Kind::of(named) == Some(kind) } else { named == expected };
        if !is_taken {
            return Err(format!("its descriptor calls it `{}`, not `{expected}`", named.escape_debug()));
        }
        match head.media_type {
            Some(own) if own == named => Ok(()),
            Some(own) => Err(format!("its mediaType is `{}`, expected `{named}`", own.escape_debug())),
            None if self.lenient => Ok(()),
            None => Err("it has no `mediaType`".to_owned()),
        }
    }
}

/// Checks that `bytes` are those that the descriptor names, and not too many.
pub(super) fn check_bytes(descriptor: &Descriptor, bytes: &[u8]) -> Result<(), String> {
    let length = bytes.len() as u64;
    if length.max(descriptor.size) > MAX_DOCUMENT {
        return Err(format!("it is larger than {MAX_DOCUMENT} bytes"));
    }
    if length != descriptor.size {
        return Err(format!("it has {length} bytes, expected {}", descriptor.size));
    }
    let found = Digest::of(bytes);
    if found == descriptor.digest { Ok(()) } else { Err(format!("its content has the digest {found}")) }
}

/// Reads a list of manifests that has no descriptor of its own: `index.json` of a layout, or what a registry knows to
/// refer to an image. The error says what is wrong with it.
pub(crate) fn read_listing(bytes: &[u8]) -> Result<Vec<Descriptor>, String> {
    if bytes.len() as u64 > MAX_DOCUMENT {
        return Err(format!("it is larger than {MAX_DOCUMENT} bytes"));
    }
    let head = Head::read(Kind::Index, bytes)?;
    match head.media_type {
        Some(own) if Kind::of(&own) != Some(Kind::Index) => {
            Err(format!("its mediaType is `{}`, expected `{INDEX}`", own.escape_debug()))
        }
        _ => Ok(index(bytes)?.manifests),
    }
}

/// The descriptor of a manifest or index that a registry gave under `content_type`, before anything else is known of
/// it. The error says what is wrong with it.
pub(crate) fn identify(bytes: &[u8], content_type: &str) -> Result<Descriptor, String> {
    let keys = keys(bytes)?;
    let own = parse::<Head>(bytes)?.media_type;
    if let Some(own) = &own
        && Kind::of(content_type).is_some()
        && own != content_type
    {
        let own = own.escape_debug();
        return Err(format!("its mediaType is `{own}`, but the registry calls it `{content_type}`"));
    }
    let by_content = || if keys.contains_key("manifests") { INDEX } else { MANIFEST };
    let content_type = Kind::of(content_type).map_or_else(by_content, |_| content_type);
    Ok(Descriptor::of(own.as_deref().unwrap_or(content_type), bytes))
}

/// The descriptor of a manifest or index of which only the digest is known, as what it says that it is.
pub fn descriptor_of(bytes: &[u8]) -> Result<Descriptor, DocumentError> {
    identify(bytes, "").map_err(|reason| DocumentError::wrong("manifest", Digest::of(bytes), reason))
}

/// What every manifest and index begins with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: Option<u64>,
    media_type: Option<String>,
}

impl Head {
    fn read(kind: Kind, bytes: &[u8]) -> Result<Self, String> {
        let keys = keys(bytes)?;
        let (needed, refused): (&[&str], &[&str]) = match kind {
            Kind::Manifest => (&["config", "layers"], &["manifests"]),
            Kind::Index => (&["manifests"], &["config", "layers"]),
        };
        if let Some(key) = needed.iter().find(|key| !keys.contains_key(**key)) {
            return Err(format!("it has no `{key}`"));
        }
        if let Some(key) = refused.iter().find(|key| keys.contains_key(**key)) {
            return Err(format!("it is an {} and has `{key}`", kind.name()));
        }
        let head: Self = parse(bytes)?;
        match head.schema_version {
            Some(2) => Ok(head),
            Some(other) => Err(format!("its schemaVersion is {other}, expected 2")),
            None => Err("it has no `schemaVersion`".to_owned()),
        }
    }
}

/// The keys of a document, none of which can be taken for another.
#[expect(clippy::zero_sized_map_values, reason = "serde reads an object into a map; the values are skipped")]
fn keys(bytes: &[u8]) -> Result<BTreeMap<String, IgnoredAny>, String> {
    let keys: BTreeMap<String, IgnoredAny> = json::parse(bytes).map_err(|error| error.to_string())?;
    keys.keys().try_for_each(|key| json::check_key(key, &KEYS))?;
    if keys.contains_key("layers") && keys.contains_key("manifests") {
        return Err("it has both `layers` and `manifests`".to_owned());
    }
    Ok(keys)
}

fn manifest(bytes: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest = parse(bytes)?;
    if manifest.layers.len() > MAX_LAYERS {
        return Err(format!("it has more than {MAX_LAYERS} layers"));
    }
    check_sizes(manifest.layers.iter().chain([&manifest.config]))?;
    Ok(manifest)
}

fn index(bytes: &[u8]) -> Result<Index, String> {
    let index: Index = parse(bytes)?;
    if index.manifests.len() > MAX_DESCRIPTORS {
        return Err(format!("it has more than {MAX_DESCRIPTORS} entries"));
    }
    check_sizes(&index.manifests)?;
    Ok(index)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    json::parse(bytes).map_err(|error| error.to_string())
}
