//! Packing: from a plan to an image in the blob store.

use std::collections::BTreeMap;
use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{Codec, Descriptor, Digest, Entry, EntryKind, Image, ImagePlan, PackRequest, Target};
use seed_oci::document::{DocumentError, check_image, stored_manifest};
use seed_oci::{LayerSpec, PackError, share_directories};
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::{Packed, PlanArchive};
use crate::plugins::ResolvedPlugin;
use crate::rules::APPLE_SDK_ANNOTATION;
use crate::source::Built;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::summary::PluginIdentity;

/// Why packing failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ImageError {
    /// The plugin failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Failed(#[from] StageFailure),
    /// The host could not pack a layer.
    #[error("packing failed")]
    #[diagnostic(code("seed::pack::failed"))]
    Pack {
        source: PackError,
        #[help]
        help: Option<&'static str>,
    },
    /// The image's documents are wrong.
    #[error("invalid image from plugin `{}` {} ({}): {error}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::pack::image"), help("this is a bug in the plugin: report it to its authors"))]
    Documents { plugin: PluginIdentity, error: DocumentError },
    /// A layer of the plan was neither packed nor read.
    #[error("plugin `{}` {} ({}) omitted layer {layer} of the plan", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::pack::layer"), help("this is a bug in the plugin: report it to its authors"))]
    LeftOut {
        plugin: PluginIdentity,
        /// The layer's index.
        layer: u32,
    },
    /// An annotation that the host itself added is not in the manifest.
    #[error("plugin `{}` {} ({}) omitted the required annotation `{name}`", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(
        code("seed::pack::annotation"),
        help("this is a bug in the plugin: report it to its authors")
    )]
    Annotation {
        plugin: PluginIdentity,
        /// The annotation's name.
        name: &'static str,
    },
    /// The image names a blob that is not of this run.
    #[error("the image of plugin `{}` {} ({}) names {digest}, which does not belong to this run", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::pack::blob"), help("this is a bug in the plugin: report it to its authors"))]
    Foreign { plugin: PluginIdentity, digest: Digest },
}

impl Report for ImageError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Pack { source, .. } => source.kind(),
            Self::Annotation { .. }
            | Self::Documents { .. }
            | Self::LeftOut { .. }
            | Self::Foreign { .. } => Kind::Plugin,
        }
    }
}

/// A packed image.
#[derive(Clone, Debug)]
pub(crate) struct PackedImage {
    pub(crate) target: Target,
    pub(crate) image: Image,
    /// What the host packed for it, by index in the plan.
    pub(crate) packed: BTreeMap<u32, Packed>,
}

/// The layers of a plan, to pack. Their codec is the packer's choice and not in here.
pub(crate) fn layer_specs(plan: &ImagePlan, built: &Built) -> Vec<LayerSpec> {
    let entry = |entry: &Entry| match entry.kind {
        EntryKind::Registration => {
            let text = built.closure.registration();
            Entry { kind: EntryKind::File(text.into_bytes()), ..entry.clone() }
        }
        _ => entry.clone(),
    };
    let layer = |layer: &seed_model::Layer| LayerSpec {
        paths: layer.paths.iter().map(|index| built.path_spec(*index)).collect(),
        entries: layer.entries.iter().map(entry).collect(),
        codec: Codec::None,
    };
    let mut layers: Vec<_> = plan.layers.iter().map(layer).collect();
    share_directories(&mut layers);
    layers
}

/// Packs one image and checks it. Also says whether all of its layers were found by their keys.
pub(crate) fn pack(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    target: &Target,
    plan: &ImagePlan,
    built: &Built,
) -> Result<(PackedImage, bool), ImageError> {
    let archive = Arc::new(PlanArchive::new(
        Arc::clone(&context.cache.packer),
        context.blobs.clone(),
        Arc::clone(&context.events),
        &target.system,
        layer_specs(plan, built),
    ));
    let capabilities = Capabilities {
        archive: Some(archive.clone()),
        blobs: Some(Arc::new(context.blobs.clone())),
        ..context.no_capabilities(plugin)
    };
    let request = request(context, plugin, target, plan);
    let result = plugin.plugin.pack(&capabilities, &request);
    if let Some(source) = archive.take_failure() {
        return Err(ImageError::Pack { help: source.help(), source });
    }
    let image = result.map_err(|error| StageFailure::new(context, plugin, error))?;
    let packed = archive.packed();
    let identity = || plugin.identity.clone();
    let count = u32::try_from(plan.layers.len()).unwrap_or(u32::MAX);
    if let Some(layer) = (0..count).find(|layer| !packed.contains_key(layer) && !archive.was_read(*layer)) {
        return Err(ImageError::LeftOut { plugin: identity(), layer });
    }
    if let Some(digest) =
        descriptors(&image).map(|descriptor| descriptor.digest).find(|digest| !context.blobs.knows(*digest))
    {
        return Err(ImageError::Foreign { plugin: identity(), digest });
    }
    let layers: Vec<_> = packed.values().map(|packed| packed.layer.clone()).collect();
    check_image(context.blobs.store(), &image, &layers, &target.platform)
        .map_err(|error| ImageError::Documents { plugin: identity(), error })?;
    let manifest = stored_manifest(context.blobs.store(), &image.manifest)
        .map_err(|error| ImageError::Documents { plugin: identity(), error })?;
    if let Some(name) = left_out(&plan.annotations, &manifest.annotations) {
        return Err(ImageError::Annotation { plugin: identity(), name });
    }
    let cached = packed.values().all(|packed| packed.cached);
    Ok((PackedImage { target: target.clone(), image, packed }, cached))
}

/// The annotation of a grant in [legal] that a plan has and a manifest has not: other annotations are the packer's to
/// change, but a grant is recorded.
fn left_out(plan: &BTreeMap<String, String>, manifest: &BTreeMap<String, String>) -> Option<&'static str> {
    let name = APPLE_SDK_ANNOTATION;
    plan.get(name).filter(|reason| manifest.get(name) != Some(reason)).map(|_| name)
}

/// What a packer is asked.
pub(crate) fn request(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    target: &Target,
    plan: &ImagePlan,
) -> PackRequest {
    let seed = &context.pipeline.seed;
    PackRequest {
        config: Context::config(plugin),
        name: seed.name.clone(),
        system: target.system.clone(),
        platform: target.platform.clone(),
        created: seed.created.clone(),
        plan: plan.clone(),
    }
}

/// All that an image consists of.
pub(crate) fn descriptors(image: &Image) -> impl Iterator<Item = &Descriptor> {
    [&image.manifest, &image.config].into_iter().chain(image.layers.iter().map(|layer| &layer.descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packer_cannot_drop_or_reword_a_grant() {
        let with = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let plan = with(&[(APPLE_SDK_ANNOTATION, "on our own Macs"), ("title", "hello")]);
        assert_eq!(left_out(&plan, &plan), None);
        assert_eq!(left_out(&plan, &with(&[(APPLE_SDK_ANNOTATION, "on our own Macs")])), None);
        assert_eq!(left_out(&plan, &with(&[("title", "hello")])), Some(APPLE_SDK_ANNOTATION));
        assert_eq!(left_out(&plan, &with(&[(APPLE_SDK_ANNOTATION, "")])), Some(APPLE_SDK_ANNOTATION));
        assert_eq!(left_out(&with(&[]), &plan), None);
    }
}
