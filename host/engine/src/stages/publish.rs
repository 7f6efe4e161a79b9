//! Publishing: images, the index over them, and what was signed.

use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{Attached, Content, Descriptor, PublishRequest, Published, SystemImage};
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::GrantedFiles;
use crate::plugins::ResolvedPlugin;
use crate::secrets::SecretError;
use crate::stages::artifact::SignedArtifact;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::stages::pack::{PackedImage, descriptors};

/// Why publishing failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum PublishError {
    /// The plugin failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Failed(#[from] StageFailure),
    /// A secret is unavailable.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secrets(#[from] SecretError),
}

impl Report for PublishError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Secrets(_) => Kind::Publish,
        }
    }
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
    let granted =
        grants.write.iter().map(|path| path.get_ref().clone()).chain(plugin.output_paths.iter().cloned());
    let directory = context.pipeline.file.directory();
    let files =
        GrantedFiles::new(context.blobs.clone(), context.written.clone(), directory, granted.collect());
    let capabilities = Capabilities {
        blobs: Some(Arc::new(context.blobs.clone())),
        http: Some(Arc::new(context.client(plugin)?)),
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
    // An image may list the same layer twice.
    let mut seen = std::collections::BTreeSet::new();
    blobs.retain(|blob| seen.insert(blob.digest));
    SystemImage {
        system: image.target.system.clone(),
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
