//! The default packer: one OCI layer per planned layer, an image configuration and a manifest.
//!
//! Documents follow the OCI image specification 1.1 to the letter, always with OCI media types, and are canonical JSON.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]

mod codec;
mod documents;

use seed_plugin::oci::{self, media_type};
use seed_plugin::packer::{Image, LayerJob, PackRequest, Packer, pack_layers};
use seed_plugin::{About, Plugin, StageError};

use crate::codec::Config;

struct OciPacker;

impl Plugin for OciPacker {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl Packer for OciPacker {
    fn pack(config: Config, request: PackRequest) -> Result<Image, StageError> {
        let codec = config.codec()?;
        let count = u32::try_from(request.plan.layers.len())
            .map_err(|_| StageError::Failed("the plan has too many layers".to_owned()))?;
        let jobs: Vec<LayerJob> = (0..count).map(|layer| LayerJob { layer, codec }).collect();
        let layers = pack_layers(&jobs)?;
        let config = oci::put_json(media_type::CONFIG, &documents::configuration(&request, &layers))?;
        let manifest = oci::put_json(media_type::MANIFEST, &documents::manifest(&request, &config, &layers))?;
        Ok(Image { manifest, config, layers })
    }
}

seed_plugin::export_packer!(OciPacker);
