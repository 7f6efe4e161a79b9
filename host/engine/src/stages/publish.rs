//! Publishing: images, the index over them, and what was signed.

use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{Attached, Attachment, Content, Descriptor, Digest, PublishRequest, Published, SystemImage};
use seed_oci::StoreError;
use seed_oci::documents::MAX_DOCUMENT;
use seed_runtime::capabilities::Capabilities;
use serde::Deserialize;

use crate::capabilities::{GrantedFiles, RunBlobs, client};
use crate::plugins::ResolvedPlugin;
use crate::stages::pack::{PackedImage, descriptors};
use crate::stages::{Context, StageFailure};
use crate::vault::{self, VaultError};

/// Blobs of one artifact: signatures have a few.
const MAX_BLOBS: usize = 1000;

/// Why publishing failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum PublishError {
    /// The plugin failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Failed(#[from] StageFailure),
    /// A secret cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vault(#[from] VaultError),
}

/// Why an artifact's manifest cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A blob that is not of this run.
    #[error("the artifact names {0}, which does not belong to this run")]
    Foreign(Digest),
    /// A blob of another size.
    #[error("the artifact says that {digest} has {stated} bytes, but it has {found}")]
    Size {
        /// The blob.
        digest: Digest,
        /// What the descriptor says.
        stated: u64,
        /// What it has.
        found: u64,
    },
    /// Not a manifest.
    #[error("the artifact's manifest {digest} cannot be read: {error}")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// Why not.
        error: serde_json::Error,
    },
    /// Too many blobs.
    #[error("the artifact has {0} blobs; at most {MAX_BLOBS} are taken")]
    TooMany(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An artifact that was checked.
#[derive(Clone, Debug)]
pub(crate) struct SignedArtifact {
    pub(crate) content: Content,
    pub(crate) subject: Digest,
    pub(crate) attachment: Attachment,
}

/// The parts of an image manifest that name blobs.
#[derive(Deserialize)]
struct ManifestBlobs {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The blobs that an artifact's manifest names, all of this run, and the manifest's bytes.
pub(super) fn content(blobs: &RunBlobs, manifest: &Descriptor) -> Result<(Content, Vec<u8>), ContentError> {
    check_blob(blobs, manifest)?;
    let bytes = blobs.store().document(manifest.digest, MAX_DOCUMENT)?;
    let parsed: ManifestBlobs = serde_json::from_slice(&bytes)
        .map_err(|error| ContentError::Manifest { digest: manifest.digest, error })?;
    let mut named: Vec<_> = [parsed.config].into_iter().chain(parsed.layers).collect();
    named.sort_by_key(|descriptor| descriptor.digest);
    named.dedup_by_key(|descriptor| descriptor.digest);
    if named.len() > MAX_BLOBS {
        return Err(ContentError::TooMany(named.len()));
    }
    named.iter().try_for_each(|descriptor| check_blob(blobs, descriptor))?;
    Ok((Content { manifest: manifest.clone(), blobs: named }, bytes))
}

fn check_blob(blobs: &RunBlobs, descriptor: &Descriptor) -> Result<(), ContentError> {
    let Descriptor { digest, size, .. } = descriptor;
    if !blobs.knows(*digest) {
        return Err(ContentError::Foreign(*digest));
    }
    let found = blobs.store().size(*digest)?.unwrap_or_default();
    if found != *size {
        return Err(ContentError::Size { digest: *digest, stated: *size, found });
    }
    Ok(())
}

/// The repositories that a plugin will write to.
pub(crate) fn targets(context: &Context<'_>, plugin: &ResolvedPlugin) -> Result<Vec<String>, StageFailure> {
    let capabilities = context.no_capabilities(plugin);
    let name = &context.pipeline.seed.name;
    let targets = plugin.plugin.targets(&capabilities, &Context::config(plugin), name);
    targets.map_err(|error| StageFailure::new(context, plugin, error))
}

/// What every publisher of a run is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToPublish<'a> {
    pub(crate) images: &'a [PackedImage],
    /// The index over them, where there is more than one.
    pub(crate) index: Option<&'a Descriptor>,
    pub(crate) artifacts: &'a [SignedArtifact],
    /// Whether tags in registries may be set.
    pub(crate) tagged: bool,
}

/// Publishes everything with one plugin.
pub(crate) fn publish(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    what: ToPublish<'_>,
) -> Result<Vec<Published>, PublishError> {
    let ToPublish { images, index, artifacts, tagged } = what;
    let grants = &plugin.used.grants;
    let secrets =
        vault::secrets(context.pipeline, grants.secrets.iter().map(|name| name.get_ref().as_str()))?;
    let granted =
        grants.write.iter().map(|path| path.get_ref().clone()).chain(plugin.output_paths.iter().cloned());
    let directory = context.pipeline.file.directory();
    let files =
        GrantedFiles::new(context.blobs.clone(), context.written.clone(), directory, granted.collect());
    let capabilities = Capabilities {
        blobs: Some(Arc::new(context.blobs.clone())),
        http: Some(Arc::new(client(grants, secrets, context.blobs.clone(), context.reporter(plugin)))),
        files: Some(Arc::new(files)),
        ..context.no_capabilities(plugin)
    };
    let mut variables = context.variables.clone();
    variables.insert("name".to_owned(), context.pipeline.seed.name.clone());
    let request = PublishRequest {
        config: Context::config(plugin),
        name: context.pipeline.seed.name.clone(),
        images: images.iter().map(system_image).collect(),
        index: index.map(|manifest| Content { manifest: manifest.clone(), blobs: Vec::new() }),
        artifacts: artifacts.iter().map(attached).collect(),
        variables,
        tagged,
    };
    let published = plugin.plugin.publish(&capabilities, &request);
    Ok(published.map_err(|error| StageFailure::new(context, plugin, error))?)
}

fn system_image(image: &PackedImage) -> SystemImage {
    let mut blobs: Vec<_> = descriptors(&image.image).skip(1).cloned().collect();
    // The same layer may stand twice in an image.
    let mut seen = std::collections::BTreeSet::new();
    blobs.retain(|blob| seen.insert(blob.digest));
    SystemImage {
        system: image.system.clone(),
        content: Content { manifest: image.image.manifest.clone(), blobs },
    }
}

fn attached(artifact: &SignedArtifact) -> Attached {
    Attached {
        content: artifact.content.clone(),
        subject: artifact.subject,
        attachment: artifact.attachment.clone(),
    }
}
