//! The second stage: from a plan to an OCI image.

use crate::bindings::packer::exports::seed::pipeline::packing as exports;
use crate::component::{Component, install_panic_hook, parse_config};
use crate::{Plugin, StageError};

pub use crate::archive::{Codec, LayerJob, LayerReader, PackedLayer, pack_layers};
pub use crate::plan::{Entry, EntryKind, ImageConfig, ImagePlan, Layer};
pub use exports::{Image, Request as PackRequest};

/// A plugin of the packing stage. A pure function: same arguments, same bytes.
pub trait Packer: Plugin {
    /// Packs the layers of the plan, and says which configuration and manifest the image has.
    fn pack(config: Self::Config, request: PackRequest) -> Result<Image, StageError>;
}

impl<P: Packer> exports::Guest for Component<P> {
    fn pack(request: PackRequest) -> Result<Image, StageError> {
        install_panic_hook();
        P::pack(parse_config(&request.config)?, request)
    }
}

/// Makes the crate a component of world `packer` whose decisions are those of a [`Packer`](crate::packer::Packer).
#[macro_export]
macro_rules! export_packer {
    ($plugin:ty) => {
        $crate::__export!(packer, export_packer_world, PackerGuest, $plugin);
    };
}
