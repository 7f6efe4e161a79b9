//! Publishing: images, the index over them, and what was signed.

use std::sync::Arc;

use miette::Diagnostic;
use seed_http::reaches;
use seed_model::{Attached, Content, Descriptor, Digest, PublishRequest, Published, SystemImage};
use seed_oci::location::{LocationError, Reference, RegistryReference};
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::GrantedFiles;
use crate::events::Level;
use crate::plugins::ResolvedPlugin;
use crate::secrets::SecretError;
use crate::stages::artifact::SignedArtifact;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::stages::pack::{PackedImage, descriptors};
use crate::summary::PluginIdentity;

/// The most repositories that a plugin may name, and places that it may report: signers sign for each of the former, and
/// registries are asked about each of the latter.
const MAX_PLACES: usize = 1000;

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
    /// It names more places than anybody publishes to.
    #[error("plugin `{}` {} ({}) names {count} places, more than the limit of {MAX_PLACES}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(
        code("seed::publish::places"),
        help("this is a bug in the plugin: report it to its authors")
    )]
    Places { plugin: PluginIdentity, count: usize },
    /// It set a tag in a run that sets none.
    #[error("plugin `{}` {} ({}) published `{}`, but this run sets no tag", plugin.name, plugin.version, plugin.digest.short(), reference.escape_debug())]
    #[diagnostic(
        code("seed::publish::tagged"),
        help(
            "the tag stands for all systems: publish them again with `seed index`, and report this to the plugin's authors"
        )
    )]
    Tagged { plugin: PluginIdentity, reference: String },
    /// It published something else, by its own account or by the registry's.
    #[error("plugin `{}` {} ({}) published {found} as `{}`, not the image {expected}", plugin.name, plugin.version, plugin.digest.short(), reference.escape_debug())]
    #[diagnostic(
        code("seed::publish::other"),
        help(
            "do not use what is there: replace the plugin, or find out who else publishes there, and run again"
        )
    )]
    Other {
        plugin: PluginIdentity,
        reference: String,
        /// What is there.
        found: Digest,
        /// What should be there.
        expected: Digest,
    },
}

impl Report for PublishError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Places { .. } | Self::Tagged { .. } => Kind::Plugin,
            Self::Secrets(_) | Self::Other { .. } => Kind::Publish,
        }
    }
}

/// The repositories that a plugin says it will write to.
pub(crate) fn targets(context: &Context<'_>, plugin: &ResolvedPlugin) -> Result<Vec<String>, PublishError> {
    let capabilities = context.no_capabilities(plugin);
    let name = &context.pipeline.seed.name;
    let targets = plugin.plugin.targets(&capabilities, &Context::config(plugin), name);
    let targets = targets.map_err(|error| StageFailure::new(context, plugin, error))?;
    check_count(plugin, targets.len())?;
    Ok(targets)
}

fn check_count(plugin: &ResolvedPlugin, count: usize) -> Result<(), PublishError> {
    if count > MAX_PLACES {
        return Err(PublishError::Places { plugin: plugin.identity.clone(), count });
    }
    Ok(())
}

/// The same without those that it cannot reach. Signatures name repositories: a plugin does not choose freely for which
/// of them an image is signed.
pub(crate) fn granted_targets(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
) -> Result<Vec<String>, PublishError> {
    let mut targets = targets(context, plugin)?;
    targets.retain(|target| target.parse().is_ok_and(|reference| is_granted(plugin, &reference)));
    Ok(targets)
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
    let published = published.map_err(|error| StageFailure::new(context, plugin, error))?;
    check_count(plugin, published.len())?;
    check_places(context, plugin, what, &published)?;
    Ok(published)
}

/// Checks that each place has what was to be published: by the plugin's own account, and by that of the registry.
fn check_places(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    what: ToPublish<'_>,
    published: &[Published],
) -> Result<(), PublishError> {
    let roots = what.index.into_iter().chain(what.images.iter().map(|image| &image.image.manifest));
    let digests: Vec<Digest> = roots.map(|descriptor| descriptor.digest).collect();
    for place in published {
        let registry = place.reference.parse::<RegistryReference>().ok();
        if !what.tagged && registry.as_ref().is_some_and(|reference| reference.digest.is_none()) {
            let (plugin, reference) = (plugin.identity.clone(), place.reference.clone());
            return Err(PublishError::Tagged { plugin, reference });
        }
        let is_ours = digests.contains(&place.digest);
        let registry = registry.filter(|reference| is_ours && is_granted(plugin, reference));
        let found =
            registry.and_then(|reference| found_at(context, plugin, &reference)).unwrap_or(place.digest);
        let expected = if is_ours { place.digest } else { digests[0] };
        if found != expected {
            let (plugin, reference) = (plugin.identity.clone(), place.reference.clone());
            return Err(PublishError::Other { plugin, reference, found, expected });
        }
    }
    Ok(())
}

/// What a registry has at a place where a plugin says that it published; none if it does not say.
fn found_at(context: &Context<'_>, plugin: &ResolvedPlugin, reference: &RegistryReference) -> Option<Digest> {
    let location = context.session.open(&Reference::Registry(reference.clone()));
    match location.and_then(|location| location.resolve()) {
        Ok(found) => Some(found.descriptor.digest),
        Err(LocationError::NotFound { .. }) => {
            let name = &plugin.identity.name;
            let text =
                format!("plugin `{name}` says that it published `{reference}`, but the registry lacks it");
            context.events.message(Level::Warning, text);
            None
        }
        // Whoever pulls from there will hear what is the matter.
        Err(_) => None,
    }
}

/// Whether a plugin reaches the registry of a reference.
fn is_granted(plugin: &ResolvedPlugin, reference: &RegistryReference) -> bool {
    plugin.used.grants.http.iter().any(|origin| reaches(origin.get_ref(), &reference.registry))
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
