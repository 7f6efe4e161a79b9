//! Artifacts with a subject. Where the registry has no referrers API, they are listed in an index at the tag
//! `sha256-<hex>` of their subject (distribution-spec, "Pushing Manifests with Subject").

use std::collections::BTreeMap;

use seed_plugin::oci::{self, Index, JsonDescriptor, Manifest, media_type};
use seed_plugin::publisher::Attached;
use seed_plugin::{Descriptor, StageError, digest};

use crate::answer::header;
use crate::count::Count;
use crate::registry::Registry;

/// How often the index is read and written before somebody else's writing counts as a failure.
const ATTEMPTS: u32 = 3;

/// Publishes referrers: manifests by digest, then the fallback index of each subject if there is no API.
pub(crate) fn publish(
    registry: &Registry,
    referrers: &[&Attached],
    count: &mut Count,
) -> Result<(), StageError> {
    let digests = referrers.iter().map(|artifact| artifact.content.manifest.digest.as_str());
    let exist = registry.manifests_exist(digests)?;
    // By subject: those that the registry did not say it has listed.
    let mut unlisted: BTreeMap<&str, Vec<&Descriptor>> = BTreeMap::new();
    for (artifact, exists) in referrers.iter().zip(exist) {
        let manifest = &artifact.content.manifest;
        if exists {
            count.skipped += 1;
        } else {
            let answer = registry.put(manifest, &manifest.digest)?;
            count.sent(manifest.size);
            if header(&answer, "oci-subject") == Some(artifact.subject.as_str()) {
                continue;
            }
        }
        unlisted.entry(&artifact.subject).or_default().push(manifest);
    }
    for (subject, manifests) in unlisted {
        if !registry.lists_referrers(subject)? {
            list(registry, subject, &manifests, count)?;
        }
    }
    Ok(())
}

/// Adds manifests to the fallback index of a subject, and reads it again to see that nobody overwrote it meanwhile.
fn list(
    registry: &Registry,
    subject: &str,
    manifests: &[&Descriptor],
    count: &mut Count,
) -> Result<(), StageError> {
    let tag = digest::tag(subject)
        .ok_or_else(|| StageError::Failed(format!("`{subject}` is not a SHA-256 digest")))?;
    let entries = manifests.iter().map(|manifest| entry(manifest)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..ATTEMPTS {
        let Some(index) = add(registry.get(&tag)?.as_deref(), &entries).map_err(|error| {
            StageError::Remote(format!("cannot add referrers at tag `{tag}`: not an image index: {error}"))
        })?
        else {
            return Ok(());
        };
        let index = oci::put_json(media_type::INDEX, &index)?;
        registry.put(&index, &tag)?;
        count.sent(index.size);
    }
    match add(registry.get(&tag)?.as_deref(), &entries) {
        Ok(None) => Ok(()),
        _ => Err(StageError::Transient(format!("other clients keep overwriting tag `{tag}`"))),
    }
}

/// The index with these entries added; nothing if it has them all.
fn add(existing: Option<&[u8]>, entries: &[JsonDescriptor]) -> Result<Option<Index>, serde_json::Error> {
    let mut index = match existing {
        Some(bytes) => serde_json::from_slice(bytes)?,
        None => Index::new(Vec::new()),
    };
    let before = index.manifests.len();
    for entry in entries {
        if !index.manifests.iter().any(|known| known.digest == entry.digest) {
            index.manifests.push(entry.clone());
        }
    }
    Ok((index.manifests.len() > before || existing.is_none()).then_some(index))
}

/// A referrer's entry: its descriptor with the artifact type and annotations of its manifest.
fn entry(descriptor: &Descriptor) -> Result<JsonDescriptor, StageError> {
    let manifest: Manifest = serde_json::from_slice(&oci::read(descriptor)?)
        .map_err(|error| StageError::Failed(format!("{} is not a manifest: {error}", descriptor.digest)))?;
    let mut entry = JsonDescriptor::from(descriptor);
    entry.artifact_type = Some(manifest.artifact_type.unwrap_or(manifest.config.media_type));
    entry.annotations = manifest.annotations;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(digit: &str) -> JsonDescriptor {
        let digest = format!("sha256:{}", digit.repeat(64));
        serde_json::from_value(serde_json::json!({"mediaType": "m", "digest": digest, "size": 1})).unwrap()
    }

    fn bytes(index: &Index) -> Vec<u8> {
        serde_json::to_vec(index).unwrap()
    }

    #[test]
    fn keeps_what_others_listed() {
        let theirs = bytes(&Index::new(vec![entry("1")]));
        let index = add(Some(&theirs), &[entry("2")]).unwrap().unwrap();
        assert_eq!(index.manifests, [entry("1"), entry("2")]);
        assert_eq!(add(Some(&bytes(&index)), &[entry("2"), entry("1")]).unwrap(), None);
    }

    #[test]
    fn begins_an_index() {
        assert_eq!(add(None, &[entry("1")]).unwrap().unwrap().manifests, [entry("1")]);
    }

    #[test]
    fn does_not_overwrite_what_is_no_index() {
        assert!(add(Some(br#"{"schemaVersion":2,"layers":[]}"#), &[entry("1")]).is_err());
    }
}
