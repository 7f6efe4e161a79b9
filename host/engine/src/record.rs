//! Records of per-system runs: what `seed run --record` published, as a file that travels from one machine to another.
//!
//! Canonical JSON (RFC 8785), so that equal runs write equal files. Whoever can change the file on its way would choose
//! what `seed index` signs: so each signing plugin of the pipeline signs the record too, and `seed index` takes no other.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use seed_model::{
    Algorithm, Descriptor, Digest, PayloadFormat, Platform, PublicKey, Signature, Target, json,
};
use seed_oci::document::canonical_json;
use seed_report::{Kind, Report};
use seed_trust::encoding::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::summary::{ImageSummary, LayerSummary, RecordedLayer};

/// The version that this program writes and reads. A key that only some programs know is a new version.
const SCHEMA: u32 = 1;

/// The largest record in bytes: a thousand layers have a fifth of it.
const MAX_SIZE: u64 = 1 << 20;

/// What one run for one system published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Record {
    /// The version of this form.
    pub schema: u32,
    /// The image's name.
    pub name: String,
    pub system: String,
    /// The same as an OCI platform.
    pub platform: Platform,
    /// The image manifest: media type, digest and size.
    pub manifest: Descriptor,
    /// The digest of the closure manifest.
    pub closure: Digest,
    /// The layers, bottom first.
    pub layers: Vec<RecordedLayer>,
    /// The plugins that ran, in the order of the stages.
    pub plugins: Vec<RecordedPlugin>,
    /// Facts of the source, such as `commit`: they fill the variables in tags.
    pub variables: BTreeMap<String, String>,
    /// Where the image was published.
    pub published: Vec<RecordedPlace>,
    /// Which run it is of, as the user calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// By the pipeline's signing plugins, over the record without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<RecordedSignature>,
}

/// The media type of a record without its signatures, as it is signed.
const MEDIA_TYPE: &str = "application/vnd.seed-oci.record.v1+json";

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RecordedSignature {
    /// The signing plugin, as the pipeline file has it.
    pub plugin: String,
    /// The key's name.
    pub key: String,
    /// How the payload names the record.
    pub format: PayloadFormat,
    /// What was signed, in base64.
    pub payload: String,
    /// The signature, in base64.
    pub signature: String,
}

impl RecordedSignature {
    /// A signature that a plugin made.
    pub(crate) fn new(plugin: &str, signature: &Signature) -> Self {
        Self {
            plugin: plugin.to_owned(),
            key: signature.key.name.clone(),
            format: signature.format,
            payload: encode(&signature.payload),
            signature: encode(&signature.signature),
        }
    }

    /// The signature, by a key of which only the name is known.
    pub(crate) fn signature(&self) -> Option<Signature> {
        let key = PublicKey { name: self.key.clone(), algorithm: Algorithm::Ed25519, spki: Vec::new() };
        let (payload, signature) = (decode(&self.payload)?, decode(&self.signature)?);
        Some(Signature { key, format: self.format, payload, signature })
    }
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RecordedPlugin {
    /// The pipeline file's section.
    pub stage: String,
    /// Where the component comes from, as the pipeline file has it.
    pub reference: String,
    /// The plugin's own name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The digest of the component's bytes.
    pub digest: Digest,
}

/// A place where the image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RecordedPlace {
    /// The plugin that published it.
    pub plugin: String,
    pub reference: String,
    /// What is there.
    pub digest: Digest,
}

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum RecordError {
    /// Reading failed.
    #[error("cannot read the record {}", path.display())]
    #[diagnostic(
        code("seed::record::unreadable"),
        help("run `seed run --system SYSTEM --record FILE` to publish the image and write its record")
    )]
    Read { path: PathBuf, source: io::Error },
    /// Writing failed.
    #[error("cannot write the record {}", path.display())]
    #[diagnostic(
        code("seed::record::unwritable"),
        help(
            "the image itself is published: choose another file for the record and run again, which packs \
             and uploads nothing twice"
        )
    )]
    Write { path: PathBuf, source: io::Error },
    /// It is too large.
    #[error("the record {} is larger than 1 MiB", path.display())]
    #[diagnostic(code("seed::record::too-large"), help("check that `seed run --record` wrote it"))]
    TooLarge { path: PathBuf },
    /// A newer program wrote it.
    #[error("a newer `seed` wrote the record {}: it has version {found}, this `seed` reads {SCHEMA}", path.display())]
    #[diagnostic(
        code("seed::record::version"),
        help("use the same `seed` for all runs and for `seed index`")
    )]
    Newer { path: PathBuf, found: u32 },
    /// It is something else.
    #[error("{} is not a record of `seed run --record`: {reason}", path.display())]
    #[diagnostic(
        code("seed::record::not-a-record"),
        help("run `seed run --system SYSTEM --record FILE` to write one")
    )]
    NotARecord { path: PathBuf, reason: String },
}

impl Report for RecordError {
    fn kind(&self) -> Kind {
        match self {
            Self::Write { .. } => Kind::Failed,
            Self::Read { .. } | Self::TooLarge { .. } | Self::Newer { .. } | Self::NotARecord { .. } => {
                Kind::Usage
            }
        }
    }
}

#[derive(Deserialize)]
struct Version {
    schema: u32,
}

impl Record {
    /// A record of the current version.
    pub(crate) fn new(
        name: &str,
        image: &ImageSummary,
        manifest: Descriptor,
        plugins: Vec<RecordedPlugin>,
        variables: BTreeMap<String, String>,
        published: Vec<RecordedPlace>,
        run: Option<String>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            name: name.to_owned(),
            system: image.system.clone(),
            platform: image.platform.clone(),
            manifest,
            closure: image.closure,
            layers: image.layers.iter().map(|layer| layer.layer.clone()).collect(),
            plugins,
            variables,
            published,
            run,
            signatures: Vec::new(),
        }
    }

    /// What is signed: the record without its signatures, and a descriptor of that.
    pub(crate) fn signed_part(&self) -> (Descriptor, Vec<u8>) {
        let bytes = canonical_json(&Self { signatures: Vec::new(), ..self.clone() });
        (Descriptor::of(MEDIA_TYPE, &bytes), bytes)
    }

    /// Reads and checks the record at `path`, at most 1 MiB.
    pub(crate) fn load(path: &Path) -> Result<Self, RecordError> {
        let bytes = seed_disk::read_bounded(path, MAX_SIZE).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => RecordError::TooLarge { path: path.to_owned() },
            _ => RecordError::Read { path: path.to_owned(), source },
        })?;
        let not_a_record = |reason: String| RecordError::NotARecord { path: path.to_owned(), reason };
        let version: Version = json::parse(&bytes).map_err(|e| not_a_record(e.to_string()))?;
        if version.schema > SCHEMA {
            return Err(RecordError::Newer { path: path.to_owned(), found: version.schema });
        }
        let record: Self = json::parse(&bytes).map_err(|e| not_a_record(e.to_string()))?;
        let platform = Platform::of_system(&record.system).map_err(|e| not_a_record(e.to_string()))?;
        if platform != record.platform {
            let reason = format!("{} is {platform}, not {}", record.system, record.platform);
            return Err(not_a_record(reason));
        }
        Ok(record)
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), RecordError> {
        let mut text = canonical_json(self);
        text.push(b'\n');
        seed_disk::replace(path, &text).map_err(|source| RecordError::Write { path: path.to_owned(), source })
    }

    /// What the image is made for.
    pub(crate) fn target(&self) -> Target {
        Target { system: self.system.clone(), platform: self.platform.clone() }
    }

    /// The image as summaries show it.
    pub(crate) fn summary(&self) -> ImageSummary {
        ImageSummary {
            system: self.system.clone(),
            platform: self.platform.clone(),
            digest: self.manifest.digest,
            closure: self.closure,
            layers: self
                .layers
                .iter()
                .map(|layer| LayerSummary { layer: layer.clone(), cached: true })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use seed_tests::with_unknown_keys;
    use serde_json::{Value, json};

    use super::*;

    /// A record with something in every place.
    fn record() -> Value {
        let digest = Digest::of(b"");
        json!({
            "schema": 1, "name": "app", "system": "x86_64-linux",
            "platform": {"os": "linux", "architecture": "amd64"},
            "manifest": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 2},
            "closure": digest,
            "layers": [{
                "name": "base", "digest": digest, "diff-id": digest, "size": 1, "nar-size": 1, "paths": 1,
                "unverified": "application/x",
            }],
            "plugins": [{"stage": "pack", "reference": "builtin:x", "name": "x", "version": "1", "digest": digest}],
            "variables": {"commit": "x"},
            "published": [{"plugin": "registry", "reference": "r.example/app:v1", "digest": digest}],
            "run": "7",
            "signatures": [
                {"plugin": "cosign", "key": "k", "format": "dsse", "payload": "eA==", "signature": "eA=="},
            ],
        })
    }

    fn load(text: &str) -> Result<Record, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        Record::load(file.path()).map_err(|error| error.to_string().replace(path, "FILE"))
    }

    #[test]
    fn a_record_has_one_reading() {
        let good = record();
        let read = load(&good.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), good, "all of it is kept");
        // Descriptors and platforms may have keys of other programs: what is signed has only those that are read.
        for (pointer, bad) in with_unknown_keys(&good, &["/variables", "/platform", "/manifest"]) {
            let error = load(&bad.to_string()).unwrap_err();
            assert!(error.contains("unknown field `more`"), "{pointer}: {error}");
        }
        for (twice, again) in [("\"name\"", "\"name\":\"b\""), ("\"commit\"", "\"commit\":\"y\"")] {
            let bad = good.to_string().replacen(twice, &format!("{again},{twice}"), 1);
            let error = load(&bad).unwrap_err();
            assert!(error.contains("appears twice"), "{error}");
        }
        let with = |pointer: &str, value: Value| {
            let mut changed = record();
            *changed.pointer_mut(pointer).unwrap() = value;
            load(&changed.to_string()).unwrap_err()
        };
        insta::assert_snapshot!(with("/schema", 2.into()), @"a newer `seed` wrote the record FILE: it has version 2, this `seed` reads 1");
        insta::assert_snapshot!(with("/platform/architecture", "arm64".into()), @"FILE is not a record of `seed run --record`: x86_64-linux is linux/amd64, not linux/arm64");
        insta::assert_snapshot!(with("/system", "x86_64".into()), @"FILE is not a record of `seed run --record`: unsupported system `x86_64`; expected one of x86_64-linux, aarch64-linux, i686-linux, powerpc64le-linux, riscv64-linux, s390x-linux, aarch64-darwin, x86_64-darwin");
    }

    #[test]
    fn the_largest_record_is_read_and_one_byte_more_is_not() {
        let text = record().to_string();
        let padding = usize::try_from(MAX_SIZE).unwrap() - text.len();
        let padded = |more: usize| text.clone() + &" ".repeat(padding + more);
        assert!(load(&padded(0)).is_ok());
        insta::assert_snapshot!(load(&padded(1)).unwrap_err(), @"the record FILE is larger than 1 MiB");
    }
}
