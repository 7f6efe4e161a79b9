//! Why a plan is refused.

/// Container engines and overlay file systems stop at this many layers.
pub(super) const MAX_LAYERS: usize = 127;

/// Entries of all layers together: each costs a tar header, and people synthesise dozens.
pub(super) const MAX_ENTRIES: usize = 100_000;

/// Bytes of configuration, labels and annotations: manifests and configurations must stay below the 4 MiB that
/// registries take.
pub(super) const MAX_CONFIG: usize = 1 << 20;

/// Why a plan is refused. The selection plugin is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// Too many layers.
    #[error("the plan has {0} layers; container engines accept at most {MAX_LAYERS}")]
    Layers(usize),
    /// An index that names no path.
    #[error("layer {layer} refers to path number {index}, but the closure has {paths} paths")]
    Index {
        /// The layer's index.
        layer: usize,
        /// The index in it.
        index: u32,
        /// How many paths there are.
        paths: usize,
    },
    /// A path in two places.
    #[error("the plan lists `{path}` twice")]
    Twice { path: String },
    /// Paths that are in no layer.
    #[error("no layer contains `{first}`{}", if *more == 0 { String::new() } else { format!(" or {more} more") })]
    Missing {
        /// The first of them.
        first: String,
        /// How many there are besides.
        more: usize,
    },
    /// Too many synthesised entries.
    #[error("the plan has {0} entries outside the store, more than the limit of {MAX_ENTRIES}")]
    Entries(usize),
    /// A synthesised entry that cannot be.
    #[error("the entry `{path}` of layer {layer} {reason}")]
    Entry {
        /// The layer's index.
        layer: usize,
        /// The entry's path, escaped.
        path: String,
        reason: String,
    },
    /// An image configuration that cannot be.
    #[error("`{field}` in the image's config {reason}")]
    Config {
        /// The field, such as `env[2]`.
        field: String,
        reason: String,
    },
    /// An annotation that only the host may make.
    #[error("the plan has the annotation `{name}`, which only `seed` itself writes")]
    Annotation {
        /// Its name, escaped.
        name: String,
    },
    /// Too much configuration.
    #[error("the image's config and annotations have {0} bytes, more than the limit of {MAX_CONFIG}")]
    ConfigSize(usize),
}
