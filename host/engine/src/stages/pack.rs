//! Packing: from a plan to an image in the blob store.

use std::collections::BTreeMap;
use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{
    Codec, Descriptor, Digest, Entry, EntryKind, Image, ImagePlan, PackRequest, PackedLayer, Target,
};
use seed_oci::document::{self, DocumentError, check_image};
use seed_oci::{
    CompareError, LayerSpec, PackError, can_read, check_hidden, compare_layer, share_directories,
};
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::PlanArchive;
use crate::plugins::ResolvedPlugin;
use crate::source::Built;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::summary::PluginIdentity;

/// Why packing failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum PackingError {
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
    /// A layer that the plugin packed itself is not the planned one.
    #[error("layer {layer} (`{}`) of plugin `{}` {} ({}) is not the planned one: {error}", name.escape_debug(), plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::pack::layer"), help("this is a bug in the plugin: report it to its authors"))]
    Layer {
        plugin: PluginIdentity,
        /// The layer's index.
        layer: usize,
        name: String,
        error: CompareError,
    },
    /// A layer of a format that the host cannot read, and the pipeline does not grant that.
    #[error("plugin `{}` {} ({}) made layer {layer} (`{}`) in a format that `seed` cannot check: `{}`", plugin.name, plugin.version, plugin.digest.short(), name.escape_debug(), media_type.escape_debug())]
    #[diagnostic(code("seed::pack::unverified"))]
    Unverified {
        plugin: PluginIdentity,
        /// The layer's index.
        layer: usize,
        name: String,
        media_type: String,
        #[help]
        help: String,
    },
    /// The image names a blob that is not of this run.
    #[error("the image of plugin `{}` {} ({}) names {digest}, which does not belong to this run", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::pack::blob"), help("this is a bug in the plugin: report it to its authors"))]
    Foreign { plugin: PluginIdentity, digest: Digest },
}

impl Report for PackingError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Pack { source, .. } => source.kind(),
            Self::Documents { .. } | Self::Layer { .. } | Self::Unverified { .. } | Self::Foreign { .. } => {
                Kind::Plugin
            }
        }
    }
}

/// A packed image.
#[derive(Clone, Debug)]
pub(crate) struct PackedImage {
    pub(crate) target: Target,
    pub(crate) image: Image,
    /// Who knows what is in its layers, bottom first; empty where another run packed it.
    pub(crate) origins: Vec<LayerOrigin>,
}

/// Who knows what is in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerOrigin {
    /// The host, which packed it.
    Host {
        /// Whether it was found by its key.
        cached: bool,
    },
    /// The plugin packed it, and the host has read it back.
    Compared,
    /// The plugin packed it in a format that the host cannot read, by a grant.
    Unverified,
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
) -> Result<(PackedImage, bool), PackingError> {
    let layers = layer_specs(plan, built);
    check_hidden(&layers).map_err(|error| PackingError::Pack { help: None, source: error.into() })?;
    let archive = Arc::new(PlanArchive::new(
        Arc::clone(&context.cache.packer),
        context.blobs.clone(),
        Arc::clone(&context.events),
        &target.system,
        layers,
    ));
    let capabilities = Capabilities {
        archive: Some(archive.clone()),
        blobs: Some(Arc::new(context.blobs.clone())),
        ..context.no_capabilities(plugin)
    };
    let request = request(context, plugin, target, plan);
    let result = plugin.plugin.pack(&capabilities, &request);
    if let Some(source) = archive.take_failure() {
        return Err(PackingError::Pack { help: source.help(), source });
    }
    let image = bare(result.map_err(|error| StageFailure::new(context, plugin, error))?);
    let identity = || plugin.identity.clone();
    if let Some(digest) =
        descriptors(&image).map(|descriptor| descriptor.digest).find(|digest| !context.blobs.knows(*digest))
    {
        return Err(PackingError::Foreign { plugin: identity(), digest });
    }
    let planned = document::Planned { plan, platform: &target.platform, created: &request.created };
    let is_unreadable = |layer: usize| !can_read(&image.layers[layer].descriptor.media_type);
    check_image(context.blobs.store(), &image, &planned, &is_unreadable)
        .map_err(|error| PackingError::Documents { plugin: identity(), error })?;
    let layers = image.layers.iter().enumerate();
    let origins = layers
        .map(|(index, layer)| origin(context, plugin, &archive, (index, &plan.layers[index].name), layer))
        .collect::<Result<Vec<_>, _>>()?;
    let cached = origins.iter().all(|origin| *origin == LayerOrigin::Host { cached: true });
    Ok((PackedImage { target: target.clone(), image, origins }, cached))
}

/// The image with descriptors that only say which blobs they mean: they become part of an index.
fn bare(image: Image) -> Image {
    let bare = |blob: Descriptor| Descriptor {
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
        ..blob
    };
    let layer =
        |layer: PackedLayer| PackedLayer { descriptor: bare(layer.descriptor), diff_id: layer.diff_id };
    Image {
        manifest: bare(image.manifest),
        config: bare(image.config),
        layers: image.layers.into_iter().map(layer).collect(),
    }
}

/// Finds out who knows that a layer is the one that was planned at its place.
fn origin(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    archive: &PlanArchive,
    (index, name): (usize, &str),
    layer: &PackedLayer,
) -> Result<LayerOrigin, PackingError> {
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    if let Some(cached) = archive.made(number, layer) {
        return Ok(LayerOrigin::Host { cached });
    }
    let media_type = &layer.descriptor.media_type;
    let (plugin_identity, name) = (plugin.identity.clone(), name.to_owned());
    let Some(spec) = archive.layer(number).filter(|_| can_read(media_type)) else {
        let granted = &plugin.used.grants.unverified_layers;
        if granted.iter().any(|granted| granted.get_ref() == media_type) {
            return Ok(LayerOrigin::Unverified);
        }
        return Err(PackingError::Unverified {
            plugin: plugin_identity,
            layer: index,
            name,
            media_type: media_type.clone(),
            help: format!(
                "if you trust the plugin with the content of the image, allow it in [pack]:\n\n\
                 grants = {{ unverified-layers = [{media_type:?}] }}"
            ),
        });
    };
    match compare_layer(context.blobs.store(), layer, spec) {
        Ok(()) => Ok(LayerOrigin::Compared),
        Err(CompareError::Planned(source)) => Err(PackingError::Pack { help: source.help(), source }),
        Err(error) => Err(PackingError::Layer { plugin: plugin_identity, layer: index, name, error }),
    }
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
