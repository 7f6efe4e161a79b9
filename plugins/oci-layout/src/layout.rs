//! An OCI image layout (image-spec, `image-layout.md`).

use std::collections::{BTreeMap, BTreeSet};

use seed_plugin::oci::{self, Index, JsonDescriptor, Manifest, media_type};
use seed_plugin::publisher::{Attached, Attachment, Content, File, FileContent, PublishRequest};
use seed_plugin::{Descriptor, StageError, appending, canonical_json};

use crate::file::{MARKER, blob_path, document};

/// The annotation by which tools find an image in `index.json`.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What is in the layout.
#[derive(Debug)]
pub(crate) struct Layout {
    root: Descriptor,
    index: Index,
    blobs: BTreeSet<String>,
}

impl Layout {
    /// The layout of everything in the request, with the image at these tags.
    pub(crate) fn new(request: &PublishRequest, tags: &[String]) -> Result<Self, StageError> {
        let root = match (&request.index, &*request.images) {
            (Some(index), _) => &index.manifest,
            (None, [image]) => &image.content.manifest,
            (None, images) => {
                return Err(StageError::Failed(format!("{} images without an image index", images.len())));
            }
        };
        let mut blobs = BTreeSet::new();
        let mut add = |content: &Content| {
            blobs.insert(content.manifest.digest.clone());
            blobs.extend(content.blobs.iter().map(|blob| blob.digest.clone()));
        };
        request.images.iter().for_each(|image| add(&image.content));
        request.index.iter().for_each(&mut add);
        let referrers = || request.artifacts.iter().filter(|a| matches!(a.attachment, Attachment::Referrer));
        referrers().for_each(|artifact| add(&artifact.content));

        let mut manifests: Vec<JsonDescriptor> = tags.iter().map(|tag| named(root, tag)).collect();
        for (tag, artifacts) in by_appending_tag(&request.artifacts) {
            let (descriptor, manifest) = collect(&artifacts)?;
            blobs.extend([descriptor.digest.clone(), manifest.config.digest]);
            blobs.extend(manifest.layers.into_iter().map(|layer| layer.digest));
            manifests.push(named(&descriptor, tag));
        }
        // Without names: tools find referrers by the `subject` of every manifest that the index lists.
        manifests.extend(referrers().map(|artifact| JsonDescriptor::from(&artifact.content.manifest)));
        Ok(Self { root: root.clone(), index: Index::new(manifests), blobs })
    }

    /// The index or the only image.
    pub(crate) fn root(&self) -> &Descriptor {
        &self.root
    }

    /// Every file of the layout, the index last: it makes the others reachable.
    pub(crate) fn files(&self) -> Result<Vec<File>, StageError> {
        let blob = |digest: &String| {
            Ok(File { path: blob_path(digest)?, content: FileContent::Blob(digest.clone()) })
        };
        let mut files = self.blobs.iter().map(blob).collect::<Result<Vec<_>, StageError>>()?;
        files.push(document(MARKER, br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        files.push(document("index.json", canonical_json::to_vec(&self.index)?));
        Ok(files)
    }
}

/// A descriptor of the index with a name. Only `index.json` may carry this annotation.
fn named(descriptor: &Descriptor, name: &str) -> JsonDescriptor {
    let mut descriptor = JsonDescriptor::from(descriptor);
    descriptor.annotations.insert(REF_NAME.to_owned(), name.to_owned());
    descriptor
}

fn by_appending_tag(artifacts: &[Attached]) -> BTreeMap<&str, Vec<&Attached>> {
    let mut tags: BTreeMap<&str, Vec<&Attached>> = BTreeMap::new();
    for artifact in artifacts {
        if let Attachment::AppendingTag(tag) = &artifact.attachment {
            tags.entry(tag).or_default().push(artifact);
        }
    }
    tags
}

/// One manifest with the layers of all these artifacts: several signers write to one tag.
fn collect(artifacts: &[&Attached]) -> Result<(Descriptor, Manifest), StageError> {
    let [first, others @ ..] = artifacts else {
        return Err(StageError::Failed("an appending tag has no artifact".to_owned()));
    };
    let mut merged = manifest(&first.content.manifest)?;
    if others.is_empty() {
        return Ok((first.content.manifest.clone(), merged));
    }
    for other in others {
        merged.layers = appending::merge_layers(&merged, &manifest(&other.content.manifest)?);
    }
    let config = oci::put_json(media_type::CONFIG, &appending::configuration(&merged.layers))?;
    merged.config = JsonDescriptor::from(&config);
    Ok((oci::put_json(media_type::MANIFEST, &merged)?, merged))
}

/// Reads a manifest from the blob store.
pub(crate) fn manifest(descriptor: &Descriptor) -> Result<Manifest, StageError> {
    serde_json::from_slice(&oci::read(descriptor)?)
        .map_err(|error| StageError::Failed(format!("{} is not a manifest: {error}", descriptor.digest)))
}
