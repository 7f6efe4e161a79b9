//! The first stage: which outputs to build, and which path goes into which layer.

use crate::bindings::layer_selector::exports::seed::pipeline::layer_selection as exports;
use crate::component::{Component, install_panic_hook, parse_config};
use crate::{Plugin, StageError};

pub use crate::closure::{Closure, Output, Path};
pub use crate::plan::{Entry, EntryKind, ImageConfig, ImagePlan, Layer};
pub use exports::{
    Installable, LayerLock, LockedLayer, OutputRequest, PackageChanges, Part, Request as SelectRequest,
    SourceKind, VariantKind,
};

/// A plugin of the selection stage. Both functions are pure: same arguments, same answer.
pub trait LayerSelector: Plugin {
    /// Chooses what to build. Called once per system, before Nix builds anything.
    fn outputs(config: Self::Config, request: SelectRequest) -> Result<Vec<OutputRequest>, StageError>;

    /// Chooses the layers from what was built.
    fn plan(config: Self::Config, request: SelectRequest, closure: Closure) -> Result<ImagePlan, StageError>;
}

impl<P: LayerSelector> exports::Guest for Component<P> {
    fn outputs(request: SelectRequest) -> Result<Vec<OutputRequest>, StageError> {
        install_panic_hook();
        P::outputs(parse_config(&request.config)?, request)
    }

    fn plan(request: SelectRequest, closure: crate::graph::Closure) -> Result<ImagePlan, StageError> {
        install_panic_hook();
        P::plan(parse_config(&request.config)?, request, closure.into())
    }
}

/// Makes the crate a component of world `layer-selector` whose decisions are those of a [`LayerSelector`](crate::selector::LayerSelector).
#[macro_export]
macro_rules! export_layer_selector {
    ($plugin:ty) => {
        $crate::__export!(layer_selector, export_layer_selector_world, LayerSelectorGuest, $plugin);
    };
}
